/*
 * A task: rows in a transaction that ends with the task's caller.
 *
 *   opening ──> working ──> committing ──> answered
 *      \           \             \            /
 *       \-----------\─────────> rolling back ┘
 *
 *   opening       begins a staged transaction and inserts the row
 *   working       waits on a timer; no thread and no lock is held
 *   committing    the row is on its way to the disk
 *   rolling back  the transaction is undone; passed through without a wait
 *   answered      for good; what still comes in is ignored
 *
 * The caller's ctx may end at any moment. In working the task rolls back at
 * once, on the thread that ended the ctx. In committing the database decides:
 * it looks at the ctx at the last moment before the rows enter their group, and
 * refuses; after that the commit stands and the caller is told so, if it can
 * still be reached.
 *
 * How failures are told (the code is the database's where it says more than
 * "internal"):
 *
 *	INVALID_ARGUMENT	task_id empty or too long, data too long
 *	CANCELLED		"work cancelled": the caller left
 *	DEADLINE_EXCEEDED	the deadline passed before the commit
 *	UNAVAILABLE		this process stops, or the database is locked
 *	INTERNAL ...		"failed to start transaction: ...",
 *				"failed to insert task: ...",
 *				"failed to commit: ..."
 *
 * A locked database, and a process that was stopped: work.h.
 *
 * Threads: a task is stepped from whichever thread has news (the caller's, the
 * loop's for its timer, the database's for its commit, the one that ends the
 * ctx), under its own mutex. The answer is given outside that mutex.
 */
#ifndef RESCIND_WORKER_TASK_H
#define RESCIND_WORKER_TASK_H

#include "ctx/ctx.h"
#include "worker/work.h"
#include "worker/worker.h"

#define TASK_STATES(X)                                                         \
	X(OPENING, "opening", TO(WORKING) | TO(COMMITTING) | TO(ROLLING_BACK)) \
	X(WORKING, "working", TO(COMMITTING) | TO(ROLLING_BACK))               \
	X(COMMITTING, "committing", TO(ANSWERED) | TO(ROLLING_BACK))           \
	X(ROLLING_BACK, "rolling back", TO(ANSWERED))                          \
	X(ANSWERED, "answered", 0)

enum task_state {
#define TASK_ENUM(symbol, name, moves) TASK_##symbol,
	TASK_STATES(TASK_ENUM)
#undef TASK_ENUM
		TASK_STATE_NR
};
const char *task_state_name(enum task_state state);
/* Whether the table allows it. */
bool task_may_move(enum task_state from, enum task_state to);

/*
 * The outcome, exactly once, on any thread, possibly inside task_start().
 * With code OK the rows are on disk and the message is what to tell the caller;
 * otherwise nothing of the task is in the database.
 */
typedef void (*task_answer_fn)(const struct status *outcome, void *arg);

/*
 * Begin. @ctx is the caller's and must stay valid until the answer; @task_id is
 * copied, @data is used before this returns.
 */
void task_start(struct worker *worker, struct ctx *ctx, const char *task_id,
		const char *data, task_answer_fn answer, void *arg);

#endif
