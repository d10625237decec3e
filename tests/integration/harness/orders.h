/*
 * Many clients who create orders, one after the other, over REST and gRPC at
 * the same time; and what each was told.
 *
 *	orders_start(&orders, &stock, &(struct orders_options){
 *		.kept = 32, .grpc = 32 });
 *	orders_await(&orders, 500);		// so many are acknowledged
 *	stock_stop(&stock);			// each client is sent away
 *	orders_expect_nothing_failed(&orders, "stopped under load");
 *
 * A client holds one connection, and goes home when that ends, or is going to:
 * "Connection: close", GOAWAY. It does not knock again, as the port may belong
 * to somebody else by then.
 */
#ifndef RESCIND_TEST_ORDERS_H
#define RESCIND_TEST_ORDERS_H

#include <pthread.h>
#include <stdatomic.h>

#include "harness/stock.h"

enum order_end {
	/* Acknowledged: 201, or a StockOrder. */
	ORDER_ACCEPTED,
	/* Told that it was not taken: 503, the status of a call that failed,
	 * or that it was not looked at (GOAWAY, REFUSED_STREAM). */
	ORDER_REFUSED,
	/* It never was a request: the connection had ended before all of it
	 * had been sent. */
	ORDER_UNSENT,
	/* Over gRPC: it was on its way when the server said that it goes
	 * (GOAWAY), and the connection ended before anything was said of it.
	 * gRPC's core hangs up when nothing is in flight any more, and what it
	 * has to say of a call that has just come may go down with that. No
	 * handler has seen it, and a gRPC library says UNAVAILABLE. */
	ORDER_CROSSED,
	/* All of it was sent on a connection that was open then and that
	 * nobody had announced to close, and there was no answer. */
	ORDER_LOST,
	/* Any other answer. */
	ORDER_WRONG,
	ORDER_END_NR,
};

struct order_try {
	char key[32]; /* its Idempotency-Key, if keys are wanted */
	char id[37];  /* of the order, where it was accepted */
	enum order_end end;
	int status;	 /* HTTP's */
	char reason[96]; /* what a refusal over REST says */
	bool blamed;	 /* the database is said to be why it was refused */
	bool market;
};

struct orders_options {
	size_t kept;  /* clients over HTTP who keep their connection */
	size_t fresh; /* clients over HTTP with a connection for each order;
		       * those end when there is no answer to one */
	size_t grpc;  /* clients over gRPC, with a connection each */
	bool keys;    /* each order has a key of its own */
	size_t orders_max; /* a client's; 0: until it is sent away */
};

struct orders_client {
	struct orders *orders;
	size_t index;
	pthread_t thread;
	struct order_try *tries;
	size_t tries_n;
	size_t capacity;
};

struct orders {
	const struct stock *stock;
	struct orders_options options;
	struct orders_client *clients;
	size_t clients_n;
	atomic_bool enough;
	bool joined;

	pthread_mutex_t lock; /* what follows */
	pthread_cond_t changed;
	size_t ends[ORDER_END_NR];
	size_t connected;
	size_t busy; /* clients that have not ended */
};

/* Those who keep their connection have it when this returns. */
void orders_start(struct orders *orders, const struct stock *stock,
		  const struct orders_options *options);
/* Wait until @n orders have ended so, over all clients; stops the test when
 * all clients end before. */
void orders_await(struct orders *orders, enum order_end end, size_t n);
/* Let each client finish the order that it is at, and end. */
void orders_enough(struct orders *orders);
/* Wait until all clients have ended. Again is harmless. */
void orders_wait(struct orders *orders);
void orders_free(struct orders *orders);

/* How many have ended so by now. */
size_t orders_count(struct orders *orders, enum order_end end);
/* Call @fn for each try; after orders_wait(). */
void orders_each(struct orders *orders,
		 void (*fn)(const struct order_try *attempt, void *arg),
		 void *arg);

/*
 * Each acknowledged order is in the database @db, once. Returns how many are
 * in there that were not acknowledged; those of others count, too.
 */
size_t orders_expect_stored(struct orders *orders, const char *db);

/*
 * What must be true after any stop in order, which has happened: who sent a
 * whole request had an answer, who was acknowledged is in the database, and
 * nobody else is. Waits for the clients, tells the numbers of @what, and frees.
 */
void orders_expect_nothing_lost(struct orders *orders, const char *what);
/* And who was refused was so because the server stops, and not because a part
 * that it stands on has stopped before. */
void orders_expect_nothing_failed(struct orders *orders, const char *what);

/* The numbers, on stdout, for whoever reads the log. */
void orders_print(struct orders *orders, const char *what);

#endif
