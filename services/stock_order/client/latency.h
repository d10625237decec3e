/*
 * How long many things took, in a room that does not grow: counters of ranges,
 * each less than a hundredth as wide as what it counts, from nanoseconds up.
 *
 * Thread-safety: none; pure.
 */
#ifndef RESCIND_STOCK_ORDER_CLIENT_LATENCY_H
#define RESCIND_STOCK_ORDER_CLIENT_LATENCY_H

#include <stdint.h>

enum {
	/* Values of up to this many bits have a counter each, larger ones share
	 * 2^(LATENCY_BITS - 1) counters for each power of two. */
	LATENCY_BITS = 8,
	LATENCY_HALF = 1 << (LATENCY_BITS - 1),
	LATENCY_RANGES = (63 - LATENCY_BITS + 2) * LATENCY_HALF,
};

/* All zero is an empty one. */
struct latency {
	uint64_t count;
	int64_t max_ns;
	uint64_t ranges[LATENCY_RANGES];
};

/* Below 0 counts as 0. */
void latency_add(struct latency *latency, int64_t ns);

/*
 * The time within which @percent (1 to 100) of them were over: the end of the
 * range that the one of that rank is in, so less than a hundredth above it, and
 * never above the longest. 0 for none.
 */
int64_t latency_percentile(const struct latency *latency, unsigned percent);

#endif
