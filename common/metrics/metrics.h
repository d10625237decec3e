/*
 * Counters, gauges and histograms in the Prometheus text format.
 *
 *	static struct metrics_counter *ended[CTX_CAUSE_NR];
 *	ended[c] = metrics_counter(m, "rescind_transactions_total",
 *		"Transactions ended", METRICS_LABELS({"outcome", "committed"},
 *						     {"cause", "finished"}));
 *	metrics_inc(ended[c], 1);
 *
 * Series are made at start and live as long as the registry; updating one is a
 * relaxed atomic add from any thread. Series of one name share help and type
 * and differ in labels. Making the same series twice, in whatever order its
 * labels are given, gives the same object. Counters' names end in _total, no
 * other's.
 *
 * The page is ordered by name, then by labels (which are sorted too), so that
 * two pages differ only where values do.
 *
 * Thread-safety: everything but metrics_free(), from any thread; making and
 * rendering take a lock, updating takes none.
 * Source: Prometheus exposition format 0.0.4.
 */
#ifndef RESCIND_METRICS_H
#define RESCIND_METRICS_H

#include <stddef.h>
#include <stdint.h>

struct metrics;
struct metrics_counter;
struct metrics_gauge;
struct metrics_histogram;

struct metrics_label {
	const char *name; /* NULL ends a list */
	const char *value;
};
#define METRICS_LABELS(...)                                                    \
	((const struct metrics_label[]){ __VA_ARGS__, { NULL, NULL } })

struct metrics *metrics_new(void);
void metrics_free(struct metrics *metrics);

/* Names and labels are copied; an illegal name is a bug and stops the process.
 */
struct metrics_counter *metrics_counter(struct metrics *metrics,
					const char *name, const char *help,
					const struct metrics_label *labels);
struct metrics_gauge *metrics_gauge(struct metrics *metrics, const char *name,
				    const char *help,
				    const struct metrics_label *labels);
/* A gauge (or, by its _total name, counter) read when scraped. @read is called
 * on the scraping thread and must not make series. Made twice, the first @read
 * stays. */
void metrics_read_gauge(struct metrics *metrics, const char *name,
			const char *help, const struct metrics_label *labels,
			double (*read)(void *arg), void *arg);
/* Buckets in seconds from 0.5 ms to 30 s. */
struct metrics_histogram *
metrics_histogram_seconds(struct metrics *metrics, const char *name,
			  const char *help, const struct metrics_label *labels);

void metrics_inc(struct metrics_counter *counter, uint64_t by);
void metrics_gauge_set(struct metrics_gauge *gauge, int64_t value);
void metrics_gauge_add(struct metrics_gauge *gauge, int64_t by);
/* Less than 0 counts as 0. */
void metrics_observe_ns(struct metrics_histogram *histogram, int64_t ns);

/* process_resident_memory_bytes, process_open_fds, process_max_fds,
 * process_start_time_seconds, process_cpu_seconds_total,
 * rescind_build_info{version}. */
void metrics_add_process(struct metrics *metrics, const char *version);

/* The whole page, malloc'ed and NUL-terminated, the caller's to free. */
char *metrics_render(struct metrics *metrics, size_t *ret_size);

#define METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

#endif
