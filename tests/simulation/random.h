/*
 * Numbers that look random and are the same for the same seed, everywhere:
 * splitmix64 (public domain, Sebastiano Vigna).
 */
#ifndef RESCIND_SIMULATION_RANDOM_H
#define RESCIND_SIMULATION_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

struct random {
	uint64_t state;
};

static inline uint64_t random_next(struct random *random)
{
	uint64_t z = random->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

/* From @low up to and including @high. */
static inline int64_t random_in(struct random *random, int64_t low,
				int64_t high)
{
	return low +
	       (int64_t)(random_next(random) % ((uint64_t)(high - low) + 1));
}

static inline bool random_percent(struct random *random, int percent)
{
	return (int)(random_next(random) % 100) < percent;
}

/* Of a thousand. */
static inline bool random_permille(struct random *random, int permille)
{
	return (int)(random_next(random) % 1000) < permille;
}

#endif
