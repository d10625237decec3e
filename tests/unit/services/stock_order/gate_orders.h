/*
 * A repository in front of another, in which a call can be made to fail or to
 * wait.
 */
#ifndef RESCIND_TEST_STOCK_ORDER_GATE_ORDERS_H
#define RESCIND_TEST_STOCK_ORDER_GATE_ORDERS_H

#include <pthread.h>
#include <stdatomic.h>

#include "stock_order/port/order_repository.h"

enum { GATE_HELD_MAX = 128 };

struct gate_page {
	struct ctx *ctx;
	struct order_cursor after;
	bool has_after;
	size_t limit;
	order_page_fn done;
	void *arg;
};

struct gate_orders {
	struct order_repository base; /* first */
	struct order_repository *behind;
	pthread_mutex_t lock; /* what follows */
	pthread_cond_t changed;
	unsigned calls;	  /* of any kind, so far */
	unsigned fail_at; /* the call that fails with `failure`; 0: none */
	struct status failure;
	unsigned hold_at; /* from this call on pages are held; 0: none */
	struct gate_page held[GATE_HELD_MAX];
	size_t held_n;
};

void gate_orders_init(struct gate_orders *gate,
		      struct order_repository *behind);
void gate_orders_release(struct gate_orders *gate);

/* The @nth call from now on (from 1) fails. */
void gate_orders_fail(struct gate_orders *gate, unsigned nth,
		      enum status_code code, const char *message);
/* Pages are held from the @nth call from now on (from 1). */
void gate_orders_hold(struct gate_orders *gate, unsigned nth);
/* Wait until @n are held. */
void gate_orders_await_held(struct gate_orders *gate, size_t n);
/* Let all go that are held, and hold no more. */
void gate_orders_let_go(struct gate_orders *gate);
/* Calls of any kind, so far. */
unsigned gate_orders_calls(struct gate_orders *gate);

#endif
