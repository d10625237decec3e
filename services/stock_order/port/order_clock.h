/*
 * Port through which the service learns what time it is.
 * Implementations: system_clock (production), a hand-driven one (tests).
 */
#ifndef RESCIND_STOCK_ORDER_PORT_ORDER_CLOCK_H
#define RESCIND_STOCK_ORDER_PORT_ORDER_CLOCK_H

#include <stdint.h>

struct order_clock {
	/*
	 * Microseconds since 1970, UTC. May step back, as clocks that are set
	 * do. Any thread, never blocks.
	 */
	int64_t (*now_us)(struct order_clock *clock);
};

#endif
