#include "stock_order/adaptor/memory_orders.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct key {
	const struct order *order; /* the repository's */
	char text[];
};

struct memory_orders {
	struct order_repository base; /* first */
	size_t max;
	pthread_mutex_t lock; /* what follows */
	/* Never moved once they are in; the newest first. */
	struct order **orders;
	size_t orders_n;
	/* The same ones by id. */
	struct order **by_id;
	struct key **keys; /* by text */
	size_t keys_n;
};

static void *allocate(size_t size)
{
	void *object = malloc(size);

	if (object == NULL) {
		abort();
	}
	return object;
}

/* ---- sorted arrays ------------------------------------------------------ */

/* <0 where @item comes before what is looked for. */
typedef int (*compare_fn)(const void *item, const void *sought);

/* Where @sought is or would be. */
static size_t place_of(void *const *items, size_t n, compare_fn compare,
		       const void *sought)
{
	size_t low = 0;
	size_t high = n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare(items[middle], sought) < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low;
}

static void put_at(void **items, size_t n, size_t place, void *item)
{
	memmove(items + place + 1, items + place, (n - place) * sizeof(*items));
	items[place] = item;
}

static int compare_newest(const void *item, const void *sought)
{
	return order_compare_newest(item, sought);
}

static int compare_id(const void *item, const void *sought)
{
	return strcmp(((const struct order *)item)->id, sought);
}

static int compare_key(const void *item, const void *sought)
{
	return strcmp(((const struct key *)item)->text, sought);
}

static struct order *find_order(struct memory_orders *orders, const char *id)
{
	size_t place = place_of((void *const *)orders->by_id, orders->orders_n,
				compare_id, id);
	bool found = place < orders->orders_n &&
		     strcmp(orders->by_id[place]->id, id) == 0;

	return found ? orders->by_id[place] : NULL;
}

static const struct key *find_key(struct memory_orders *orders,
				  const char *text)
{
	size_t place = place_of((void *const *)orders->keys, orders->keys_n,
				compare_key, text);
	bool found = place < orders->keys_n &&
		     strcmp(orders->keys[place]->text, text) == 0;

	return found ? orders->keys[place] : NULL;
}

/* There is room. */
static struct order *put_order(struct memory_orders *orders,
			       const struct order *order)
{
	struct order *copy = allocate(sizeof(*copy));
	size_t n = orders->orders_n;

	*copy = *order;
	put_at((void **)orders->orders, n,
	       place_of((void *const *)orders->orders, n, compare_newest,
			order),
	       copy);
	put_at((void **)orders->by_id, n,
	       place_of((void *const *)orders->by_id, n, compare_id, order->id),
	       copy);
	orders->orders_n++;
	return copy;
}

/* There is room: there are never more keys than orders. */
static void put_key(struct memory_orders *orders, const char *text,
		    const struct order *order)
{
	size_t size = strlen(text) + 1;
	struct key *key = allocate(sizeof(*key) + size);

	key->order = order;
	memcpy(key->text, text, size);
	put_at((void **)orders->keys, orders->keys_n,
	       place_of((void *const *)orders->keys, orders->keys_n,
			compare_key, text),
	       key);
	orders->keys_n++;
}

/* ---- asking ------------------------------------------------------------- */

/* Under the lock from here to leave(), unless the ctx has ended. */
static bool enter(struct memory_orders *orders, struct ctx *ctx,
		  struct status *ret_status)
{
	pthread_mutex_lock(&orders->lock);
	if (!ctx_ended(ctx)) {
		*ret_status = status_ok();
		return true;
	}
	pthread_mutex_unlock(&orders->lock);
	(void)ctx_cause(ctx, ret_status);
	return false;
}

static void leave(struct memory_orders *orders)
{
	pthread_mutex_unlock(&orders->lock);
}

/* ---- create ------------------------------------------------------------- */

/* *ret_order is the order that the completion gets. */
static enum order_created replay(const struct key *key,
				 const struct order *order,
				 struct order *ret_order)
{
	if (!order_same_terms(key->order, order)) {
		return ORDER_KEY_TAKEN;
	}
	*ret_order = *key->order;
	order_rewind(ret_order);
	return ORDER_REPLAYED;
}

static void store(struct memory_orders *orders, const struct order *order,
		  const char *key, struct status *ret_status)
{
	if (orders->orders_n == orders->max) {
		status_set(ret_status, STATUS_RESOURCE_EXHAUSTED,
			   "there are %zu orders already", orders->max);
	} else if (find_order(orders, order->id) != NULL) {
		status_set(ret_status, STATUS_INTERNAL,
			   "there is an order %s already", order->id);
	} else {
		const struct order *stored = put_order(orders, order);

		if (key != NULL) {
			put_key(orders, key, stored);
		}
	}
}

static void do_create(struct order_repository *self, struct ctx *ctx,
		      const struct order *order, const char *key,
		      order_created_fn done, void *arg)
{
	struct memory_orders *orders = (struct memory_orders *)self;
	enum order_created how = ORDER_CREATED;
	struct order result = *order;
	struct status status;

	if (enter(orders, ctx, &status)) {
		const struct key *known =
			key == NULL ? NULL : find_key(orders, key);

		if (known != NULL) {
			how = replay(known, order, &result);
		} else {
			store(orders, order, key, &status);
		}
		leave(orders);
	}
	done(&status, how,
	     status.code == STATUS_OK && how != ORDER_KEY_TAKEN ? &result
								: NULL,
	     arg);
}

/* ---- get, change -------------------------------------------------------- */

static struct order *need_order(struct memory_orders *orders, const char *id,
				struct status *ret_status)
{
	struct order *order = find_order(orders, id);

	if (order == NULL) {
		status_set(ret_status, STATUS_NOT_FOUND, "order not found: %s",
			   id);
	}
	return order;
}

/* @rule may be NULL. */
static void look_up(struct order_repository *self, struct ctx *ctx,
		    const char *id, order_rule_fn rule, order_done_fn done,
		    void *arg)
{
	struct memory_orders *orders = (struct memory_orders *)self;
	struct order result;
	struct status status;

	if (enter(orders, ctx, &status)) {
		struct order *order = need_order(orders, id, &status);

		if (order != NULL) {
			result = *order;
			if (rule != NULL) {
				status.code = rule(&result, arg, &status);
			}
		}
		if (status.code == STATUS_OK) {
			order->status = result.status;
			order->updated_at_us = result.updated_at_us;
		}
		leave(orders);
	}
	done(&status, status.code == STATUS_OK ? &result : NULL, arg);
}

static void do_get(struct order_repository *self, struct ctx *ctx,
		   const char *id, order_done_fn done, void *arg)
{
	look_up(self, ctx, id, NULL, done, arg);
}

/* ---- page --------------------------------------------------------------- */

/* The place of the first order after @after. */
static size_t place_after(struct memory_orders *orders,
			  const struct order_cursor *after)
{
	struct order sought;
	size_t place;

	if (after == NULL) {
		return 0;
	}
	sought.created_at_us = after->created_at_us;
	memcpy(sought.id, after->id, sizeof(sought.id));
	place = place_of((void *const *)orders->orders, orders->orders_n,
			 compare_newest, &sought);
	if (place < orders->orders_n &&
	    order_compare_newest(orders->orders[place], &sought) == 0) {
		place++;
	}
	return place;
}

static void do_page(struct order_repository *self, struct ctx *ctx,
		    const struct order_cursor *after, size_t limit,
		    order_page_fn done, void *arg)
{
	struct memory_orders *orders = (struct memory_orders *)self;
	struct order *page = allocate(limit * sizeof(*page));
	size_t n = 0;
	bool more = false;
	struct status status;

	if (enter(orders, ctx, &status)) {
		size_t place = place_after(orders, after);

		for (; place < orders->orders_n && n < limit; place++) {
			page[n++] = *orders->orders[place];
		}
		more = place < orders->orders_n;
		leave(orders);
	}
	done(&status, n == 0 ? NULL : page, n, more, arg);
	free(page);
}

/* ---- due ---------------------------------------------------------------- */

/* The oldest is the last. */
static size_t collect_due(struct memory_orders *orders, int64_t until_us,
			  size_t limit, char (*ids)[ORDER_ID_SIZE],
			  int64_t *ret_next_us)
{
	size_t n = 0;

	*ret_next_us = INT64_MAX;
	for (size_t i = orders->orders_n; i > 0 && n < limit; i--) {
		const struct order *order = orders->orders[i - 1];

		if (order->status != ORDER_STATUS_PENDING ||
		    order->type != ORDER_TYPE_MARKET) {
			continue;
		}
		if (order->created_at_us > until_us) {
			*ret_next_us = order->created_at_us;
			break;
		}
		memcpy(ids[n++], order->id, ORDER_ID_SIZE);
	}
	return n;
}

static void do_due(struct order_repository *self, struct ctx *ctx,
		   int64_t until_us, size_t limit, order_due_fn done, void *arg)
{
	struct memory_orders *orders = (struct memory_orders *)self;
	char(*ids)[ORDER_ID_SIZE] = allocate(limit * sizeof(*ids));
	int64_t next_us = INT64_MAX;
	size_t n = 0;
	struct status status;

	if (enter(orders, ctx, &status)) {
		n = collect_due(orders, until_us, limit, ids, &next_us);
		leave(orders);
	}
	done(&status, (const char(*)[ORDER_ID_SIZE])ids, n, next_us, arg);
	free(ids);
}

/* ---- life --------------------------------------------------------------- */

static enum status_code do_health(struct order_repository *self,
				  struct status *reterr)
{
	(void)self;
	(void)reterr;
	return STATUS_OK;
}

struct memory_orders *memory_orders_new(size_t orders_max)
{
	static const struct order_repository_ops ops = {
		.create = do_create,
		.get = do_get,
		.page = do_page,
		.change = look_up,
		.due = do_due,
		.health = do_health,
	};
	struct memory_orders *orders = allocate(sizeof(*orders));
	size_t size = (orders_max + 1) * sizeof(void *);

	*orders = (struct memory_orders){ .base = { .ops = &ops },
					  .max = orders_max };
	orders->orders = allocate(size);
	orders->by_id = allocate(size);
	orders->keys = allocate(size);
	pthread_mutex_init(&orders->lock, NULL);
	return orders;
}

void memory_orders_free(struct memory_orders *orders)
{
	if (orders == NULL) {
		return;
	}
	for (size_t i = 0; i < orders->orders_n; i++) {
		free(orders->orders[i]);
	}
	for (size_t i = 0; i < orders->keys_n; i++) {
		free(orders->keys[i]);
	}
	free(orders->orders);
	free(orders->by_id);
	free(orders->keys);
	pthread_mutex_destroy(&orders->lock);
	free(orders);
}

struct order_repository *memory_orders_repository(struct memory_orders *orders)
{
	return &orders->base;
}
