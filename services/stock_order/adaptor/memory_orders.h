/*
 * The repository in memory, for tests: what is in it is gone with the process.
 * Completions are called before the function that asked returns.
 */
#ifndef RESCIND_STOCK_ORDER_ADAPTOR_MEMORY_ORDERS_H
#define RESCIND_STOCK_ORDER_ADAPTOR_MEMORY_ORDERS_H

#include "stock_order/port/order_repository.h"

struct memory_orders;

/* Empty, of @orders_max orders and as many keys: beyond that a create is
 * RESOURCE_EXHAUSTED. Never NULL. */
struct memory_orders *memory_orders_new(size_t orders_max);
/* Nobody may be calling it. NULL is fine. */
void memory_orders_free(struct memory_orders *orders);

struct order_repository *memory_orders_repository(struct memory_orders *orders);

#endif
