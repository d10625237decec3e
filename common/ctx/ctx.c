/* The life of scopes; impl.h says how their memory lives. */
#include "ctx/ctx.h"

#include <stdlib.h>

#include "ctx/impl.h"
#include "loop/bug.h"

static void holds_drop(struct ctx *ctx, unsigned count)
{
	if (atomic_fetch_sub_explicit(&ctx->holds, count,
				      memory_order_acq_rel) != count) {
		return;
	}
	ctx_facts_release(ctx);
	pthread_mutex_destroy(&ctx->mutex);
	/* The analyzer does not follow the count: it frees at every drop. */
	free(ctx); /* NOLINT(clang-analyzer-unix.Malloc) */
}

/* For a callback that runs on a hold: a reference, if there still is one. */
static bool ref_if_used(struct ctx *ctx)
{
	unsigned refs = atomic_load_explicit(&ctx->refs, memory_order_relaxed);

	while (refs != 0) {
		if (atomic_compare_exchange_weak_explicit(
			    &ctx->refs, &refs, refs + 1, memory_order_acq_rel,
			    memory_order_relaxed)) {
			return true;
		}
	}
	return false;
}

static void on_parent_end(struct ctx_hook *link, struct ctx *parent)
{
	struct ctx *ctx =
		(struct ctx *)((char *)link - offsetof(struct ctx, link));

	if (ref_if_used(ctx)) {
		(void)ctx_settle(ctx, ctx_cause_now(parent), &parent->status);
		ctx_fire(ctx);
		ctx_unref(ctx);
	}
	holds_drop(ctx, 1);
}

static void on_deadline(struct loop_timer *timer, int64_t late_ns)
{
	struct ctx *ctx =
		(struct ctx *)((char *)timer - offsetof(struct ctx, timer));

	(void)late_ns;
	if (ref_if_used(ctx)) {
		(void)ctx_settle(ctx, CTX_DEADLINE, NULL);
		ctx_fire(ctx);
		ctx_unref(ctx);
	}
	holds_drop(ctx, 1);
}

/* All but the status, which is written when the ctx ends. */
static void init(struct ctx *ctx, struct ctx *parent, struct loop *loop)
{
	ctx->parent = parent;
	ctx->loop = loop;
	atomic_init(&ctx->refs, 1);
	atomic_init(&ctx->holds, 1);
	atomic_init(&ctx->cause, CTX_NONE);
	pthread_mutex_init(&ctx->mutex, NULL);
	ctx->fired = false;
	ctx->first = ctx->last = NULL;
	ctx->link = (struct ctx_hook){ .fn = on_parent_end };
	ctx->timer = (struct loop_timer){ .fn = on_deadline };
	ctx->timed = false;
	ctx->deadline_ns = CLOCK_NEVER;
	ctx->request_id = NULL;
	ctx->has_trace = false;
}

enum status_code ctx_root(struct loop *loop, struct ctx **ret_ctx,
			  struct status *reterr)
{
	struct ctx *ctx = malloc(sizeof(*ctx));

	if (ctx == NULL) {
		return status_set(reterr, STATUS_RESOURCE_EXHAUSTED,
				  "no memory for the root scope");
	}
	init(ctx, NULL, loop);
	*ret_ctx = ctx;
	return STATUS_OK;
}

/* Become one of the parent's hooks; where it has ended, end likewise. */
static void join_parent(struct ctx *ctx)
{
	struct ctx *parent = ctx->parent;

	atomic_store_explicit(&ctx->holds, 2, memory_order_relaxed);
	if (!ctx_hook_add(parent, &ctx->link)) {
		atomic_store_explicit(&ctx->holds, 1, memory_order_relaxed);
		(void)ctx_settle(ctx, ctx_cause_now(parent), &parent->status);
		ctx->fired = true;
	}
}

/*
 * Only a deadline of its own costs a timer: at the parent's deadline the
 * parent's timer ends both. The hold is taken first, since the timer may be
 * served before we return.
 */
static void watch_deadline(struct ctx *ctx)
{
	if (ctx->deadline_ns < ctx->parent->deadline_ns &&
	    ctx_cause_now(ctx) == CTX_NONE) {
		atomic_fetch_add_explicit(&ctx->holds, 1, memory_order_relaxed);
		ctx->timed = true;
		loop_timer_start(ctx->loop, &ctx->timer, ctx->deadline_ns);
	}
}

struct ctx *ctx_new(struct ctx *parent, int64_t deadline_ns)
{
	struct ctx *ctx = malloc(sizeof(*ctx));

	BUG_IF(ctx == NULL, "out of memory for a scope");
	init(ctx, ctx_ref(parent), parent->loop);
	ctx->deadline_ns = deadline_ns < parent->deadline_ns
				   ? deadline_ns
				   : parent->deadline_ns;
	join_parent(ctx);
	watch_deadline(ctx);
	return ctx;
}

struct ctx *ctx_ref(struct ctx *ctx)
{
	unsigned before =
		atomic_fetch_add_explicit(&ctx->refs, 1, memory_order_relaxed);

	BUG_IF(before == 0, "a reference was taken to a scope without any");
	return ctx;
}

void ctx_unref(struct ctx *ctx)
{
	struct ctx *parent = ctx->parent;
	unsigned holds = 1; /* the users', and of callbacks that never run */
	unsigned before =
		atomic_fetch_sub_explicit(&ctx->refs, 1, memory_order_acq_rel);

	BUG_IF(before == 0, "more references were dropped than taken");
	if (before != 1) {
		return;
	}
	if (parent != NULL && ctx_hook_remove(parent, &ctx->link)) {
		holds++;
	}
	if (ctx->timed && loop_timer_stop(ctx->loop, &ctx->timer)) {
		holds++;
	}
	BUG_IF(ctx->first != NULL,
	       "a scope with hooks lost its last reference");
	holds_drop(ctx, holds);
	if (parent != NULL) {
		ctx_unref(parent);
	}
}

int64_t ctx_deadline_ns(const struct ctx *ctx)
{
	return ctx->deadline_ns;
}

struct loop *ctx_loop(const struct ctx *ctx)
{
	return ctx->loop;
}
