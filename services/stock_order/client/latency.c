#include "stock_order/client/latency.h"

#include <stddef.h>

/*
 * A value of n bits, n above LATENCY_BITS, is told apart by its LATENCY_BITS
 * highest ones, of which the first is always set: each n has LATENCY_HALF
 * ranges. Smaller values are their own range, which is the same as n =
 * LATENCY_BITS and those below it.
 */
static size_t range_of(uint64_t value)
{
	unsigned shift = 0;

	while (value >> shift >= 2 * LATENCY_HALF) {
		shift++;
	}
	return shift * LATENCY_HALF + (size_t)(value >> shift);
}

/* The largest value of a range. */
static uint64_t range_end(size_t range)
{
	size_t shift = range < 2 * LATENCY_HALF ? 0 : range / LATENCY_HALF - 1;
	uint64_t top = range - shift * LATENCY_HALF;

	return ((top + 1) << shift) - 1;
}

void latency_add(struct latency *latency, int64_t ns)
{
	int64_t value = ns > 0 ? ns : 0;

	latency->ranges[range_of((uint64_t)value)]++;
	latency->count++;
	if (value > latency->max_ns) {
		latency->max_ns = value;
	}
}

/* The rank, from 1, of the one that @percent of them do not exceed. */
static uint64_t rank_of(uint64_t count, unsigned percent)
{
	return count / 100 * percent + (count % 100 * percent + 99) / 100;
}

int64_t latency_percentile(const struct latency *latency, unsigned percent)
{
	uint64_t rank = rank_of(latency->count, percent);
	uint64_t passed = 0;
	uint64_t end = 0;

	for (size_t i = 0; i < LATENCY_RANGES && passed < rank; i++) {
		passed += latency->ranges[i];
		end = range_end(i);
	}
	return end < (uint64_t)latency->max_ns ? (int64_t)end : latency->max_ns;
}
