/* How scopes end: the cause, and the hooks. */
#include "ctx/impl.h"
#include "loop/bug.h"

/* ---- the cause ---------------------------------------------------------- */

bool ctx_settle(struct ctx *ctx, enum ctx_cause cause,
		const struct status *status)
{
	bool first;

	pthread_mutex_lock(&ctx->mutex);
	first = ctx_cause_now(ctx) == CTX_NONE;
	if (first) {
		ctx->status =
			status != NULL ? *status : ctx_cause_status(cause);
		atomic_store_explicit(&ctx->cause, cause, memory_order_release);
	}
	pthread_mutex_unlock(&ctx->mutex);
	return first;
}

/*
 * The nearest scope, from @ctx to its root, that has ended. A parent tells its
 * children one after another; to look at it makes them end all at once.
 */
static struct ctx *nearest_ended(struct ctx *ctx)
{
	while (ctx != NULL && ctx_cause_now(ctx) == CTX_NONE) {
		ctx = ctx->parent;
	}
	return ctx;
}

/* Settle the cause from what ancestors and the clock say, if they do. */
static enum ctx_cause look(struct ctx *ctx)
{
	struct ctx *ended = nearest_ended(ctx);

	if (ended == ctx) {
		return ctx_cause_now(ctx);
	}
	if (ended != NULL) {
		(void)ctx_settle(ctx, ctx_cause_now(ended), &ended->status);
	} else if (ctx->deadline_ns != CLOCK_NEVER &&
		   clock_now_ns() >= ctx->deadline_ns) {
		(void)ctx_settle(ctx, CTX_DEADLINE, NULL);
	}
	return ctx_cause_now(ctx);
}

bool ctx_ended(struct ctx *ctx)
{
	return look(ctx) != CTX_NONE;
}

enum ctx_cause ctx_cause(struct ctx *ctx, struct status *ret_status)
{
	enum ctx_cause cause = look(ctx);

	if (ret_status != NULL) {
		*ret_status = cause == CTX_NONE ? status_ok() : ctx->status;
	}
	return cause;
}

/* ---- hooks -------------------------------------------------------------- */

/* The list: under the mutex. */
static void list_append(struct ctx *ctx, struct ctx_hook *hook)
{
	hook->prev = ctx->last;
	hook->next = NULL;
	if (ctx->last != NULL) {
		ctx->last->next = hook;
	} else {
		ctx->first = hook;
	}
	ctx->last = hook;
	hook->linked = true;
}

static void list_remove(struct ctx *ctx, struct ctx_hook *hook)
{
	if (hook->prev != NULL) {
		hook->prev->next = hook->next;
	} else {
		ctx->first = hook->next;
	}
	if (hook->next != NULL) {
		hook->next->prev = hook->prev;
	} else {
		ctx->last = hook->prev;
	}
	hook->prev = hook->next = NULL;
	hook->linked = false;
}

bool ctx_hook_add(struct ctx *ctx, struct ctx_hook *hook)
{
	bool open;

	if (ctx_ended(ctx)) {
		return false;
	}
	pthread_mutex_lock(&ctx->mutex);
	BUG_IF(hook->linked, "hook is added already");
	open = ctx_cause_now(ctx) == CTX_NONE;
	if (open) {
		list_append(ctx, hook);
	}
	pthread_mutex_unlock(&ctx->mutex);
	return open;
}

bool ctx_hook_remove(struct ctx *ctx, struct ctx_hook *hook)
{
	bool linked;

	pthread_mutex_lock(&ctx->mutex);
	linked = hook->linked;
	if (linked) {
		list_remove(ctx, hook);
	}
	pthread_mutex_unlock(&ctx->mutex);
	return linked;
}

/* One leaves the list at a time: until then its owner can take it back. */
void ctx_fire(struct ctx *ctx)
{
	struct ctx_hook *hook;

	pthread_mutex_lock(&ctx->mutex);
	if (!ctx->fired) {
		ctx->fired = true;
		while ((hook = ctx->first) != NULL) {
			list_remove(ctx, hook);
			pthread_mutex_unlock(&ctx->mutex);
			hook->fn(hook, ctx);
			pthread_mutex_lock(&ctx->mutex);
		}
	}
	pthread_mutex_unlock(&ctx->mutex);
}

bool ctx_end(struct ctx *ctx, enum ctx_cause cause, const struct status *status)
{
	bool first;

	BUG_IF(cause <= CTX_NONE || cause >= CTX_CAUSE_NR,
	       "a scope ends with a cause");
	first = ctx_settle(ctx, cause, status);
	ctx_fire(ctx);
	return first;
}
