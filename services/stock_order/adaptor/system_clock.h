/* The clock of the system, which is what orders are dated by. */
#ifndef RESCIND_STOCK_ORDER_ADAPTOR_SYSTEM_CLOCK_H
#define RESCIND_STOCK_ORDER_ADAPTOR_SYSTEM_CLOCK_H

#include "stock_order/port/order_clock.h"

/* One for all; nothing to release. */
struct order_clock *system_clock(void);

#endif
