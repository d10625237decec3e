/* UUIDs of version 4 from the kernel's random numbers (RFC 9562, 5.4). */
#ifndef RESCIND_STOCK_ORDER_ADAPTOR_RANDOM_IDS_H
#define RESCIND_STOCK_ORDER_ADAPTOR_RANDOM_IDS_H

#include "stock_order/port/order_ids.h"

/* One for all; nothing to release. Numbers are fetched for many ids at once,
 * for each thread its own; not to be used on both sides of a fork(). */
struct order_ids *random_ids(void);

#endif
