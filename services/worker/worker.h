/* What the tasks and branches of a process stand on. */
#ifndef RESCIND_WORKER_H
#define RESCIND_WORKER_H

#include <stdatomic.h>

#include "db/db.h"
#include "ops/work_metrics.h"
#include "worker/doubt.h"

/* Fill the first ones, open, then start tasks and branches from anywhere. */
struct worker {
	struct db *db;
	struct work_metrics *metrics;
	int64_t work_ns; /* how long a task takes; 0: no waiting at all */

	/* Its own from here on. */
	struct ctx *ctx; /* orders that no caller may end hang on it */
	struct doubt doubt;
	struct loop_timer last_call;
	atomic_bool called;	 /* that timer was started, or need not be */
	atomic_size_t live;	 /* tasks and branches not yet freed */
	atomic_size_t inquiries; /* the edge's: calls about transactions */
};

/* @root must outlive it. Before tasks and branches, on the loop's thread or
 * while it does not run. */
void worker_open(struct worker *worker, struct ctx *root);
/*
 * The process stops, and the callers' time is over: their orders that still
 * wait for the database (no caller may end those) have one more second, then
 * they are refused, so that who waits for them ends. What was decided and
 * refused is in doubt here until the next start. Any thread, any number of
 * times.
 */
void worker_last_call(struct worker *worker);
/* Refuse them now, and watch no more. On the loop's thread or after it, before
 * the database is closed. Zeroed is fine. */
void worker_close(struct worker *worker);
/* When nothing of it is left. Zeroed is fine. */
void worker_release(struct worker *worker);

#endif
