/*
 * What tasks (task.h) and branches (branch.h) have in common: what may be
 * asked of them, and how they deal with time. Each of them works by waiting on
 * a timer, and then writes; its caller's ctx may end at any moment.
 *
 * A database that another program keeps locked is told as UNAVAILABLE rather
 * than as the caller's deadline, so that the caller can tell a locked database
 * from slow work. For that to reach it in time, a write that waits gives up
 * when a tenth of the deadline's time, 50 ms at most, is left (or half of what
 * is left, where the write was asked for later than that).
 *
 * A process that was stopped (SIGSTOP) finds the work's timer overdue when it
 * goes on, and the news that the caller left still unread in its sockets. A
 * timer that is more than 100 ms late is therefore given 20 ms more, in which
 * such news arrive, and deadlines are read off the clock, not off a timer.
 */
#ifndef RESCIND_WORKER_WORK_H
#define RESCIND_WORKER_WORK_H

#include "ctx/ctx.h"
#include "db/db.h"

enum {
	TASK_ID_SIZE_MAX = 256,		/* bytes of task_id */
	TASK_DATA_SIZE_MAX = 64 * 1024, /* bytes of data */
};

/* Whether it can be done; INVALID_ARGUMENT says why not. */
MUSTCHECK enum status_code work_validate(const char *task_id, const char *data,
					 struct status *reterr);

/*
 * The work's timer was served, @late_ns late: CLOCK_NEVER when the work is
 * done, or until when to wait, once, for news of the time of a stop.
 * @caught_up is false at the start, and kept by its owner.
 */
int64_t work_catch_up_ns(int64_t late_ns, bool *caught_up);

/*
 * The last moments before @ctx's deadline, for work begun at @begun_ns: a tenth
 * of its time, 50 ms at most; 0 without a deadline.
 */
int64_t work_margin_ns(const struct ctx *ctx, int64_t begun_ns);
/* When a write that still waits gives up; CLOCK_NEVER without a deadline. */
int64_t work_patience_ends_ns(const struct ctx *ctx, int64_t begun_ns);
/* What to say then. */
struct status work_locked(struct db *db);

/* Why @ctx ended, in the words of the one whose work that ends. */
enum ctx_cause work_cause(struct ctx *ctx, struct status *ret_status);

#endif
