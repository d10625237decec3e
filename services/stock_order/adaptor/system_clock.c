#include "stock_order/adaptor/system_clock.h"

#include <time.h>

static int64_t now_us(struct order_clock *clock)
{
	struct timespec ts;

	(void)clock;
	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

struct order_clock *system_clock(void)
{
	static struct order_clock system = { .now_us = now_us };

	return &system;
}
