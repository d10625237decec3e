/*
 * All that an edge stands on: a world, the service over a repository in memory
 * with a gate in front, a clock whose seconds pass from call to call, and ids
 * that count.
 */
#ifndef RESCIND_TEST_STOCK_ORDER_SHOP_H
#define RESCIND_TEST_STOCK_ORDER_SHOP_H

#include "gate_orders.h"
#include "stock_order/adaptor/edge_work.h"
#include "stock_order/adaptor/memory_orders.h"
#include "world.h"

struct shop {
	struct world world;
	struct memory_orders *memory;
	struct gate_orders gate;
	struct order_clock clock;
	struct order_ids ids;
	struct order_service service;
	struct order_edge edge;
};

/* The first order is created at this instant, the next a second later. */
#define SHOP_OPENS_US	INT64_C(1763389667537422)
#define SHOP_FIRST_TIME "2025-11-17T14:27:47.537422Z"
#define SHOP_FIRST_ID	"00000000-0000-4000-8000-000000000001"
#define SHOP_SECOND_ID	"00000000-0000-4000-8000-000000000002"

/* One at a time. */
void shop_open(struct shop *shop);
void shop_close(struct shop *shop);

/* Put @n orders in, whose symbols are "S1" to "S<n>", in this order. */
void shop_stock(struct shop *shop, int n, const char *description);

#endif
