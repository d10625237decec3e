/*
 * A gRPC server of stock orders that answers what it is told, and a client of
 * it, in one process. The client's loop is run by the test.
 */
#ifndef RESCIND_TEST_FAKE_STOCK_H
#define RESCIND_TEST_FAKE_STOCK_H

#include <semaphore.h>
#include <stdatomic.h>

#include "stock_order.pb-c.h"
#include "stock_order/client/grpc_orders.h"

enum { WORD_SIZE = 2048, PAGES_MAX = 16 };

/* What all its calls are answered with: a status, or these fields. */
struct reply {
	struct status status;
	bool hang; /* until the call's ctx ends */
	Stockorder__StockOrder order;
	Google__Protobuf__Timestamp created_at;
	Google__Protobuf__Timestamp updated_at;
	size_t orders_n; /* of a page: so many times that order */
	/* The next token of each page in turn, "" from the NULL on. */
	const char *tokens[PAGES_MAX];
	size_t pages_max; /* then fail with UNAVAILABLE; 0: never */
};

/* What it has seen last. */
struct seen {
	char method[64];
	char symbol[64];
	int type, side, quantity;
	double price;
	char id[64];
	size_t pages;
	int page_sizes[PAGES_MAX];
	char tokens[PAGES_MAX][64];
	char key[300];
	bool keyed;
	sem_t arrived;
	sem_t ended; /* a ctx, in a call that hangs */
};

extern struct reply reply;
extern struct seen seen;
/* The texts of the order; a cancel is answered with the description. */
extern char id_text[WORD_SIZE];
extern char symbol_text[WORD_SIZE];
extern char description_text[WORD_SIZE];

extern struct loop *loop;
extern struct ctx *root;
extern struct grpc_orders *orders;

/* Both ends; a reply that is an order. */
void fake_stock_start(void);
/* The server alone; fake_stock_stop() need not. */
void fake_stock_stop_server(void);
void fake_stock_stop(void);

#endif
