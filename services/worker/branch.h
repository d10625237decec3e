/*
 * A branch: a task in two phases, on one stream of its coordinator's. When to
 * do what is for twopc/participant.h to say; this does it.
 *
 *	working    a staged transaction is open, in which the task was checked,
 *		   and the work's timer runs; no thread and no lock is held
 *	preparing  that transaction is gone; the task, as a payload, is on its
 *		   way to the record
 *	prepared   nothing is held but the stream
 *
 * While it works a branch ends like a task (task.h): when the caller leaves,
 * the deadline passes or this process stops it is rolled back at once, with the
 * same words in the log and the same metrics. So it is when its coordinator
 * says ROLLBACK, which is how one says that its client has left; in the last
 * moments before the deadline that counts as the deadline's doing.
 *
 * What is prepared no deadline touches, no disconnection, and no stop of this
 * process: the branch is then left in doubt, and its coordinator comes by
 * another stream or by ResolveTransactions. A stop waits for the orders of
 * prepared branches like for any call in flight.
 *
 * A caller that will say nothing more (a half-close) has not left. What it
 * asked for is done; if in the end the task is prepared and nobody can decide
 * on this stream any more, it ends with OK.
 *
 * What a stream is refused with, besides what task.h lists ("failed to prepare:
 * ..." instead of "failed to commit"):
 *
 *	INVALID_ARGUMENT	what came makes no sense: branch_break()
 *	NOT_FOUND		a commit of what is not known
 *	FAILED_PRECONDITION	a commit of what was rolled back, a prepare of
 *				what is over
 *
 * Threads: a branch is stepped from whichever thread has news, under its own
 * mutex, as a task is.
 */
#ifndef RESCIND_WORKER_BRANCH_H
#define RESCIND_WORKER_BRANCH_H

#include "twopc/participant.h"
#include "worker/work.h"
#include "worker/worker.h"

struct branch;

/*
 * What a branch says on its stream. Called under its mutex, on any thread,
 * possibly inside the functions below; must neither block nor call back.
 */
struct branch_link {
	/* PREPARED, any number of times; the text is borrowed, as below. */
	void (*say_prepared)(void *arg, const char *message);
	/* Exactly one of these, once, and the last: COMMITTED or ROLLED_BACK,
	 * and the stream ends with OK; or it ends without a word. */
	void (*answer)(void *arg, enum twopc_verdict verdict,
		       const char *message);
	void (*end)(void *arg, const struct status *status);
};

/*
 * For a stream whose ctx is @ctx, which must stay valid until the end was said.
 * @coordinator and @id are copied, and valid names (twopc/id.h). The reference
 * is the caller's, until branch_put().
 */
struct branch *branch_new(struct worker *worker, struct ctx *ctx,
			  const char *coordinator, const char *id,
			  const struct branch_link *link, void *arg);
void branch_put(struct branch *branch);
/* What it was made with; needs no lock. */
const char *branch_coordinator(const struct branch *branch);
const char *branch_id(const struct branch *branch);

/* ---- what came on the stream; one at a time ------------------------------ */

/* The texts are borrowed. They are validated, and must be the same each time:
 * else the stream is broken. */
void branch_prepare(struct branch *branch, const char *task_id,
		    const char *data);
void branch_commit(struct branch *branch);
void branch_rollback(struct branch *branch);
/* Nothing more will come. */
void branch_half_close(struct branch *branch);
/* What came makes no sense, as @why says: it ends like one whose caller left,
 * but with that status. */
void branch_break(struct branch *branch, const struct status *why);

#endif
