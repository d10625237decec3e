/*
 * What the log and the metrics say of a task that is over. Kept apart from the
 * state machine, whose moves it must not depend on.
 */
#ifndef RESCIND_WORKER_TASK_REPORT_H
#define RESCIND_WORKER_TASK_REPORT_H

#include "ctx/ctx.h"
#include "ops/work_metrics.h"

struct task_end {
	const struct ctx *ctx;
	const char *task_id;
	const struct status *outcome; /* OK: committed */
	enum ctx_cause cause;	      /* why it was rolled back */
	int64_t begun_ns;
	int64_t ended_ns; /* when we heard that the ctx ended; 0: it did not */
};

void task_report(const struct task_end *end, struct work_metrics *metrics);

#endif
