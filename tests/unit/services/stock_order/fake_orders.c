#include "fake_orders.h"

#include <check.h>
#include <string.h>

/* Whether a call is to fail, as *ret_status says. */
static bool fails(struct fake_orders *fake, enum fake_call call,
		  struct status *ret_status)
{
	atomic_fetch_add(&fake->calls[call], 1);
	if (atomic_load(&fake->failures[call]) == 0) {
		return false;
	}
	atomic_fetch_sub(&fake->failures[call], 1);
	status_set(ret_status, fake->code, "no luck");
	return true;
}

static void do_create(struct order_repository *self, struct ctx *ctx,
		      const struct order *order, const char *key,
		      order_created_fn done, void *arg)
{
	struct fake_orders *fake = (struct fake_orders *)self;
	struct status why;

	if (fails(fake, FAKE_CREATE, &why)) {
		done(&why, ORDER_CREATED, NULL, arg);
		return;
	}
	fake->real->ops->create(fake->real, ctx, order, key, done, arg);
}

static void do_get(struct order_repository *self, struct ctx *ctx,
		   const char *id, order_done_fn done, void *arg)
{
	struct fake_orders *fake = (struct fake_orders *)self;
	struct status why;

	if (fails(fake, FAKE_GET, &why)) {
		done(&why, NULL, arg);
		return;
	}
	fake->real->ops->get(fake->real, ctx, id, done, arg);
}

static void do_page(struct order_repository *self, struct ctx *ctx,
		    const struct order_cursor *after, size_t limit,
		    order_page_fn done, void *arg)
{
	struct fake_orders *fake = (struct fake_orders *)self;
	struct status why;

	fake->limit = limit;
	fake->had_cursor = after != NULL;
	if (after != NULL) {
		fake->cursor = *after;
	}
	if (fails(fake, FAKE_PAGE, &why)) {
		done(&why, NULL, 0, false, arg);
		return;
	}
	fake->real->ops->page(fake->real, ctx, after, limit, done, arg);
}

static void hold(struct fake_orders *fake, struct ctx *ctx, const char *id,
		 order_rule_fn rule, order_done_fn done, void *arg)
{
	size_t at;

	pthread_mutex_lock(&fake->lock);
	at = fake->held_n++;
	ck_assert_uint_lt(at, FAKE_HELD_MAX);
	fake->held[at].ctx = ctx;
	memcpy(fake->held[at].id, id, strlen(id) + 1);
	fake->held[at].rule = rule;
	fake->held[at].done = done;
	fake->held[at].arg = arg;
	pthread_mutex_unlock(&fake->lock);
}

static void do_change(struct order_repository *self, struct ctx *ctx,
		      const char *id, order_rule_fn rule, order_done_fn done,
		      void *arg)
{
	struct fake_orders *fake = (struct fake_orders *)self;
	struct status why;

	if (fails(fake, FAKE_CHANGE, &why)) {
		done(&why, NULL, arg);
	} else if (atomic_load(&fake->hold)) {
		hold(fake, ctx, id, rule, done, arg);
	} else {
		fake->real->ops->change(fake->real, ctx, id, rule, done, arg);
	}
}

static void do_due(struct order_repository *self, struct ctx *ctx,
		   int64_t until_us, size_t limit, order_due_fn done, void *arg)
{
	struct fake_orders *fake = (struct fake_orders *)self;
	struct status why;

	if (fake->on_due != NULL) {
		fake->on_due(fake->on_due_arg);
	}
	if (fails(fake, FAKE_DUE, &why)) {
		done(&why, NULL, 0, INT64_MAX, arg);
		return;
	}
	fake->real->ops->due(fake->real, ctx, until_us, limit, done, arg);
}

static enum status_code do_health(struct order_repository *self,
				  struct status *reterr)
{
	struct fake_orders *fake = (struct fake_orders *)self;

	return fake->health == STATUS_OK
		       ? STATUS_OK
		       : status_set(reterr, fake->health, "not well");
}

void fake_orders_init(struct fake_orders *fake, struct order_repository *real)
{
	static const struct order_repository_ops ops = {
		.create = do_create,
		.get = do_get,
		.page = do_page,
		.change = do_change,
		.due = do_due,
		.health = do_health,
	};

	memset(fake, 0, sizeof(*fake));
	fake->base.ops = &ops;
	fake->real = real;
	pthread_mutex_init(&fake->lock, NULL);
}

size_t fake_orders_held(struct fake_orders *fake)
{
	size_t n;

	pthread_mutex_lock(&fake->lock);
	n = fake->held_n;
	pthread_mutex_unlock(&fake->lock);
	return n;
}

void fake_orders_let_go(struct fake_orders *fake)
{
	size_t n = fake_orders_held(fake);

	atomic_store(&fake->hold, false);
	fake->held_n = 0;
	for (size_t i = 0; i < n; i++) {
		fake->real->ops->change(fake->real, fake->held[i].ctx,
					fake->held[i].id, fake->held[i].rule,
					fake->held[i].done, fake->held[i].arg);
	}
}
