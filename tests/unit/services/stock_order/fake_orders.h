/*
 * A repository that stands before another one, and fails or waits as it is
 * told.
 */
#ifndef RESCIND_TEST_STOCK_ORDER_FAKE_ORDERS_H
#define RESCIND_TEST_STOCK_ORDER_FAKE_ORDERS_H

#include <pthread.h>
#include <stdatomic.h>

#include "stock_order/port/order_repository.h"

enum fake_call { FAKE_CREATE, FAKE_GET, FAKE_PAGE, FAKE_CHANGE, FAKE_DUE };
enum { FAKE_CALLS_NR = FAKE_DUE + 1, FAKE_HELD_MAX = 64 };

struct fake_orders {
	struct order_repository base; /* first */
	struct order_repository *real;
	/* So many calls of a kind fail with this, then they pass. */
	atomic_int failures[FAKE_CALLS_NR];
	enum status_code code;
	enum status_code health;
	/* Calls of a kind that came. */
	atomic_int calls[FAKE_CALLS_NR];
	/* What the last page was asked for. */
	size_t limit;
	bool had_cursor;
	struct order_cursor cursor;
	/* Told of each due; may be NULL. */
	void (*on_due)(void *arg);
	void *on_due_arg;
	/* Changes are held until their ctx ends, or fake_release(). */
	atomic_bool hold;
	pthread_mutex_t lock;
	size_t held_n;
	struct {
		struct ctx *ctx;
		char id[ORDER_ID_SIZE];
		order_rule_fn rule;
		order_done_fn done;
		void *arg;
	} held[FAKE_HELD_MAX];
};

void fake_orders_init(struct fake_orders *fake, struct order_repository *real);
size_t fake_orders_held(struct fake_orders *fake);
/* Pass the held changes on to the real one, which minds their ctxs. */
void fake_orders_let_go(struct fake_orders *fake);

#endif
