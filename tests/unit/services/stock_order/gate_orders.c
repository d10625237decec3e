#include "gate_orders.h"

#include <check.h>
#include <time.h>

enum { PATIENCE_S = 20 };

/* Count a call; true, and *ret_why, when it is the one that fails. */
static bool fails(struct gate_orders *gate, struct status *ret_why)
{
	bool now;

	pthread_mutex_lock(&gate->lock);
	now = ++gate->calls == gate->fail_at;
	*ret_why = gate->failure;
	pthread_mutex_unlock(&gate->lock);
	return now;
}

static void gate_create(struct order_repository *self, struct ctx *ctx,
			const struct order *order, const char *key,
			order_created_fn done, void *arg)
{
	struct gate_orders *gate = (struct gate_orders *)self;
	struct status why;

	if (fails(gate, &why)) {
		done(&why, ORDER_CREATED, NULL, arg);
	} else {
		gate->behind->ops->create(gate->behind, ctx, order, key, done,
					  arg);
	}
}

static void gate_get(struct order_repository *self, struct ctx *ctx,
		     const char *id, order_done_fn done, void *arg)
{
	struct gate_orders *gate = (struct gate_orders *)self;
	struct status why;

	if (fails(gate, &why)) {
		done(&why, NULL, arg);
	} else {
		gate->behind->ops->get(gate->behind, ctx, id, done, arg);
	}
}

static void pass(struct gate_orders *gate, const struct gate_page *page)
{
	gate->behind->ops->page(gate->behind, page->ctx,
				page->has_after ? &page->after : NULL,
				page->limit, page->done, page->arg);
}

static bool held(struct gate_orders *gate, const struct gate_page *page)
{
	bool hold;

	pthread_mutex_lock(&gate->lock);
	hold = gate->hold_at != 0 && gate->calls >= gate->hold_at;
	if (hold) {
		ck_assert_uint_lt(gate->held_n, GATE_HELD_MAX);
		gate->held[gate->held_n++] = *page;
		pthread_cond_broadcast(&gate->changed);
	}
	pthread_mutex_unlock(&gate->lock);
	return hold;
}

static void gate_page(struct order_repository *self, struct ctx *ctx,
		      const struct order_cursor *after, size_t limit,
		      order_page_fn done, void *arg)
{
	struct gate_orders *gate = (struct gate_orders *)self;
	struct gate_page page = { .ctx = ctx,
				  .has_after = after != NULL,
				  .limit = limit,
				  .done = done,
				  .arg = arg };
	struct status why;

	if (after != NULL) {
		page.after = *after;
	}
	if (fails(gate, &why)) {
		done(&why, NULL, 0, false, arg);
	} else if (!held(gate, &page)) {
		pass(gate, &page);
	}
}

static void gate_change(struct order_repository *self, struct ctx *ctx,
			const char *id, order_rule_fn rule, order_done_fn done,
			void *arg)
{
	struct gate_orders *gate = (struct gate_orders *)self;
	struct status why;

	if (fails(gate, &why)) {
		done(&why, NULL, arg);
	} else {
		gate->behind->ops->change(gate->behind, ctx, id, rule, done,
					  arg);
	}
}

static void gate_due(struct order_repository *self, struct ctx *ctx,
		     int64_t until_us, size_t limit, order_due_fn done,
		     void *arg)
{
	struct gate_orders *gate = (struct gate_orders *)self;
	struct status why;

	if (fails(gate, &why)) {
		done(&why, NULL, 0, INT64_MAX, arg);
	} else {
		gate->behind->ops->due(gate->behind, ctx, until_us, limit, done,
				       arg);
	}
}

static enum status_code gate_health(struct order_repository *self,
				    struct status *reterr)
{
	struct gate_orders *gate = (struct gate_orders *)self;

	return gate->behind->ops->health(gate->behind, reterr);
}

static const struct order_repository_ops gate_ops = {
	.create = gate_create,
	.get = gate_get,
	.page = gate_page,
	.change = gate_change,
	.due = gate_due,
	.health = gate_health,
};

void gate_orders_init(struct gate_orders *gate, struct order_repository *behind)
{
	*gate = (struct gate_orders){ .base = { .ops = &gate_ops },
				      .behind = behind };
	pthread_mutex_init(&gate->lock, NULL);
	pthread_cond_init(&gate->changed, NULL);
}

void gate_orders_release(struct gate_orders *gate)
{
	ck_assert_uint_eq(gate->held_n, 0);
	pthread_cond_destroy(&gate->changed);
	pthread_mutex_destroy(&gate->lock);
}

void gate_orders_fail(struct gate_orders *gate, unsigned nth,
		      enum status_code code, const char *message)
{
	pthread_mutex_lock(&gate->lock);
	gate->fail_at = gate->calls + nth;
	status_set(&gate->failure, code, "%s", message);
	pthread_mutex_unlock(&gate->lock);
}

void gate_orders_hold(struct gate_orders *gate, unsigned nth)
{
	pthread_mutex_lock(&gate->lock);
	gate->hold_at = gate->calls + nth;
	pthread_mutex_unlock(&gate->lock);
}

void gate_orders_await_held(struct gate_orders *gate, size_t n)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += PATIENCE_S;
	pthread_mutex_lock(&gate->lock);
	while (gate->held_n < n) {
		ck_assert_int_eq(pthread_cond_timedwait(&gate->changed,
							&gate->lock, &until),
				 0);
	}
	pthread_mutex_unlock(&gate->lock);
}

void gate_orders_let_go(struct gate_orders *gate)
{
	struct gate_page pages[GATE_HELD_MAX];
	size_t n;

	pthread_mutex_lock(&gate->lock);
	n = gate->held_n;
	for (size_t i = 0; i < n; i++) {
		pages[i] = gate->held[i];
	}
	gate->held_n = 0;
	gate->hold_at = 0;
	pthread_mutex_unlock(&gate->lock);
	for (size_t i = 0; i < n; i++) {
		pass(gate, &pages[i]);
	}
}

unsigned gate_orders_calls(struct gate_orders *gate)
{
	unsigned calls;

	pthread_mutex_lock(&gate->lock);
	calls = gate->calls;
	pthread_mutex_unlock(&gate->lock);
	return calls;
}
