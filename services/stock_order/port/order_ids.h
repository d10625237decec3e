/*
 * Port through which the service names new orders.
 * Implementations: random_ids (production), a counting one (tests).
 */
#ifndef RESCIND_STOCK_ORDER_PORT_ORDER_IDS_H
#define RESCIND_STOCK_ORDER_PORT_ORDER_IDS_H

#include "stock_order/domain/order.h"

struct order_ids {
	/*
	 * Write a name that no order has or had: a UUID of version 4 as text,
	 * in lower case, with its NUL. Any thread, never blocks.
	 */
	void (*make)(struct order_ids *ids, char ret_id[ORDER_ID_SIZE]);
};

#endif
