/*
 * The registry as its files see it: families (one name, help and type) of
 * series (one set of labels), both in order of their text.
 */
#ifndef RESCIND_METRICS_INTERNAL_H
#define RESCIND_METRICS_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "metrics/metrics.h"

enum { HISTOGRAM_BOUND_NR = 15, CACHE_LINE = 64 };

enum metrics_type { METRICS_COUNTER, METRICS_GAUGE, METRICS_HISTOGRAM };

struct metrics_counter {
	_Atomic uint64_t value;
};

struct metrics_gauge {
	_Atomic int64_t value;
};

/* Each bucket counts for itself; rendering adds them up. */
struct metrics_histogram {
	_Atomic uint64_t buckets[HISTOGRAM_BOUND_NR + 1];
	_Atomic uint64_t sum_ns;
};

struct histogram_bound {
	int64_t ns;
	const char *le; /* in seconds, as the page has it */
};
extern const struct histogram_bound
	metrics_histogram_bounds[HISTOGRAM_BOUND_NR];

struct series {
	/* First, so that threads which update two series share no line. */
	_Alignas(CACHE_LINE) union {
		struct metrics_counter counter;
		struct metrics_gauge gauge;
		struct metrics_histogram histogram;
	};
	struct series *next;
	double (*read)(void *arg); /* instead of the above */
	void *arg;
	char *labels; /* a="x",b="y": escaped, sorted; "" for none */
};

struct family {
	struct family *next;
	char *name;
	char *help; /* escaped */
	enum metrics_type type;
	struct series *series;
};

struct metrics {
	pthread_mutex_t lock; /* the lists; values need none */
	struct family *families;
};

#endif
