/*
 * The monotonic clock, in nanoseconds, and the value that means "never".
 * All deadlines in the project are instants of this clock.
 */
#ifndef RESCIND_CLOCK_H
#define RESCIND_CLOCK_H

#include <stdint.h>
#include <time.h>

#define CLOCK_NEVER INT64_MAX

enum {
	NS_PER_US = 1000,
	NS_PER_MS = 1000 * 1000,
	NS_PER_S = 1000 * 1000 * 1000,
};

static inline int64_t clock_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

/* @at_ns + @delta_ns, or CLOCK_NEVER where that does not fit. */
static inline int64_t clock_add_ns(int64_t at_ns, int64_t delta_ns)
{
	int64_t sum;

	return __builtin_add_overflow(at_ns, delta_ns, &sum) ? CLOCK_NEVER
							     : sum;
}

#endif
