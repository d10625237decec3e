/*
 * What a service counts about its transactions, in one place, so that the same
 * event has the same name whichever program reports it:
 *
 *	rescind_transactions_total{service,outcome,cause}
 *	rescind_request_duration_seconds{service}
 *	rescind_cancel_to_rollback_seconds{service}
 *	rescind_diverged_total{service}
 *	rescind_in_doubt{service}
 *	rescind_in_doubt_oldest_seconds{service}
 *	rescind_resolved_total{service,outcome}
 *	rescind_contradictions_total{service}
 *	rescind_in_flight{service}
 *	rescind_rpc_calls_total{service,side,code}
 *	rescind_http_responses_total{service,code}
 *	rescind_db_*{service}
 *
 * Thread-safety: counting, any thread; the rest, before other threads count.
 */
#ifndef RESCIND_WORK_METRICS_H
#define RESCIND_WORK_METRICS_H

#include "ctx/ctx.h"
#include "db/db.h"
#include "metrics/metrics.h"
#include "status/status.h"

struct work_metrics;

/* @service ("echo", "worker") becomes a label. @metrics must outlive it. */
struct work_metrics *work_metrics_new(struct metrics *metrics,
				      const char *service);
/* After the last page was rendered. NULL is fine. */
void work_metrics_free(struct work_metrics *wm);

/* Show the counters of @db, and whether it takes writes. Once. */
void work_metrics_watch_db(struct work_metrics *wm, struct db *db);
/*
 * Before it is closed, where pages may still be rendered then: its last numbers
 * stay, and it takes no writes. Any thread; again is harmless.
 */
void work_metrics_forget_db(struct work_metrics *wm);
/* Show a number that @read tells when the page is rendered. */
void work_metrics_watch(struct work_metrics *wm, const char *name,
			const char *help, double (*read)(void *arg), void *arg);
/* Show how many transactions are in doubt, and how old the oldest is. */
void work_metrics_watch_doubt(struct work_metrics *wm,
			      double (*in_doubt)(void *arg),
			      double (*oldest_seconds)(void *arg), void *arg);

/*
 * A request ended: @cause is CTX_FINISHED for committed, else why it was rolled
 * back. @duration_ns is negative where it is not known, since another process
 * began it. @cancel_ns: how long after the news of its end it was rolled back,
 * negative where it was not ended from outside.
 */
void work_metrics_committed(struct work_metrics *wm, int64_t duration_ns);
void work_metrics_rolled_back(struct work_metrics *wm, enum ctx_cause cause,
			      int64_t duration_ns, int64_t cancel_ns);
/* A request has ended that was to change nothing, or that was refused. */
void work_metrics_answered(struct work_metrics *wm, int64_t duration_ns);
/* One process kept what another rolled back, and we know of it. */
void work_metrics_diverged(struct work_metrics *wm);

/* What was in doubt has been resolved, other than by whoever began it. */
enum work_outcome { WORK_COMMITTED, WORK_ROLLED_BACK, WORK_OUTCOME_NR };
void work_metrics_resolved(struct work_metrics *wm, enum work_outcome outcome);
/* A peer asked for, or answered, what can't be: somebody interfered by hand, or
 * a database was lost. */
void work_metrics_contradiction(struct work_metrics *wm);

/* A call ended, as its server or as its client. */
enum work_side { WORK_SERVER, WORK_CLIENT, WORK_SIDE_NR };
void work_metrics_rpc(struct work_metrics *wm, enum work_side side,
		      enum status_code code);
/* A response went out (499: its client had left). */
void work_metrics_http(struct work_metrics *wm, int status);

#endif
