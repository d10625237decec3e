/*
 * What the log and the metrics say of an exchange that is over. Kept apart from
 * the state machine, whose moves it must not depend on.
 */
#ifndef RESCIND_ECHO_EXCHANGE_REPORT_H
#define RESCIND_ECHO_EXCHANGE_REPORT_H

#include "ctx/ctx.h"
#include "ops/work_metrics.h"

struct exchange_end {
	const struct ctx *ctx;
	const char *request_id;
	const struct status *outcome; /* OK: committed */
	enum ctx_cause cause;	      /* why it was rolled back */
	int64_t begun_ns;
	int64_t ended_ns; /* when we heard that the ctx ended; 0: it did not */
	bool worker_committed;
};

void exchange_report(const struct exchange_end *end,
		     struct work_metrics *metrics);

/* The worker has committed what is rolled back here: never to be kept silent.
 * Part of exchange_report() where that was known in time. */
void exchange_report_diverged(const struct exchange_end *end,
			      struct work_metrics *metrics);

#endif
