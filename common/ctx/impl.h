/*
 * Private to ctx: its state, and how its memory lives.
 *
 * Two counts. `refs` are the users' references. `holds` keep the memory: one
 * for all users together, one for the link in the parent's hook list, one for
 * the deadline timer while started. Whoever takes the link or the timer back
 * drops its hold; where that fails its callback is about to run, and drops the
 * hold itself. A callback that finds no user reference left does nothing: a ctx
 * without users has no hooks.
 *
 * Two steps to an end. First the cause is settled, once, under the mutex, from
 * whoever notices first: ctx_end(), the timer, the parent, or a reader who
 * looks at the clock. Then the hooks are run, once, by the first that may run
 * them: all of these but the reader.
 *
 * Lock order: a parent's mutex and a child's are never held together.
 */
#ifndef RESCIND_CTX_IMPL_H
#define RESCIND_CTX_IMPL_H

#include <pthread.h>
#include <stdatomic.h>

#include "ctx/ctx.h"

enum { CTX_ID_INLINE_SIZE = 64 };

struct ctx {
	struct ctx *parent; /* NULL: a root. Referenced. */
	struct loop *loop;
	atomic_uint refs;
	atomic_uint holds;

	/* Set once, with release, after `status`; read without the mutex. */
	_Atomic(enum ctx_cause) cause;

	pthread_mutex_t mutex; /* guards the next two, and `cause` */
	bool fired;	       /* the hooks have been run, or are being run */
	struct ctx_hook *first, *last; /* the hooks, in the order added */

	struct ctx_hook link;	 /* in the parent's list */
	struct loop_timer timer; /* own deadline, if before the parent's */
	bool timed;		 /* the timer was started */
	int64_t deadline_ns;	 /* effective: never after the parent's */

	/* Set before the ctx is shared; NULL and false: see the parent. */
	char *request_id; /* id_inline, or allocated where that is too short */
	bool has_trace;
	struct trace trace;
	char id_inline[CTX_ID_INLINE_SIZE];

	struct status status;
};

static inline enum ctx_cause ctx_cause_now(struct ctx *ctx)
{
	return atomic_load_explicit(&ctx->cause, memory_order_acquire);
}

/* ending.c: settle why @ctx ended; false when that was settled before. */
bool ctx_settle(struct ctx *ctx, enum ctx_cause cause,
		const struct status *status);
/* Run the hooks of a ctx whose cause is settled, unless another thread has
 * begun to. The caller holds a reference. */
void ctx_fire(struct ctx *ctx);

/* cause.c: the code and text of a @cause that was given none. */
struct status ctx_cause_status(enum ctx_cause cause);
/* facts.c: release what facts hold. */
void ctx_facts_release(struct ctx *ctx);

#endif
