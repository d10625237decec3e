#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "metrics/internal.h"

static uint64_t load(const _Atomic uint64_t *value)
{
	return atomic_load_explicit(value, memory_order_relaxed);
}

/* name{labels} or name, and the blank before the value. */
static void put_name(FILE *out, const char *name, const char *suffix,
		     const char *labels)
{
	if (labels[0] == '\0') {
		fprintf(out, "%s%s ", name, suffix);
	} else {
		fprintf(out, "%s%s{%s} ", name, suffix, labels);
	}
}

/* The fewest digits that give @value back. */
static void put_double(FILE *out, double value)
{
	char text[40];

	if (isnan(value)) {
		fputs("NaN\n", out);
		return;
	}
	if (isinf(value)) {
		fputs(value > 0 ? "+Inf\n" : "-Inf\n", out);
		return;
	}
	for (int digits = 15; digits <= 17; digits++) {
		(void)snprintf(text, sizeof(text), "%.*g", digits, value);
		if (strtod(text, NULL) >= value &&
		    strtod(text, NULL) <= value) {
			break;
		}
	}
	fprintf(out, "%s\n", text);
}

static void put_histogram(FILE *out, const char *name,
			  const struct series *series)
{
	const struct metrics_histogram *h = &series->histogram;
	const char *comma = series->labels[0] == '\0' ? "" : ",";
	uint64_t sum_ns = load(&h->sum_ns);
	uint64_t count = 0;

	for (size_t i = 0; i < HISTOGRAM_BOUND_NR; i++) {
		count += load(&h->buckets[i]);
		fprintf(out, "%s_bucket{%s%sle=\"%s\"} %" PRIu64 "\n", name,
			series->labels, comma, metrics_histogram_bounds[i].le,
			count);
	}
	count += load(&h->buckets[HISTOGRAM_BOUND_NR]);
	fprintf(out, "%s_bucket{%s%sle=\"+Inf\"} %" PRIu64 "\n", name,
		series->labels, comma, count);
	put_name(out, name, "_sum", series->labels);
	fprintf(out, "%" PRIu64 ".%09" PRIu64 "\n", sum_ns / 1000000000,
		sum_ns % 1000000000);
	put_name(out, name, "_count", series->labels);
	fprintf(out, "%" PRIu64 "\n", count);
}

static void put_series(FILE *out, const struct family *family,
		       const struct series *series)
{
	if (family->type == METRICS_HISTOGRAM) {
		put_histogram(out, family->name, series);
		return;
	}
	put_name(out, family->name, "", series->labels);
	if (series->read != NULL) {
		put_double(out, series->read(series->arg));
	} else if (family->type == METRICS_COUNTER) {
		fprintf(out, "%" PRIu64 "\n", load(&series->counter.value));
	} else {
		fprintf(out, "%" PRId64 "\n",
			atomic_load_explicit(&series->gauge.value,
					     memory_order_relaxed));
	}
}

static void put_family(FILE *out, const struct family *family)
{
	static const char *const types[] = {
		[METRICS_COUNTER] = "counter",
		[METRICS_GAUGE] = "gauge",
		[METRICS_HISTOGRAM] = "histogram",
	};

	fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", family->name, family->help,
		family->name, types[family->type]);
	for (const struct series *s = family->series; s != NULL; s = s->next) {
		put_series(out, family, s);
	}
}

char *metrics_render(struct metrics *metrics, size_t *ret_size)
{
	char *page = NULL;
	FILE *out = open_memstream(&page, ret_size);

	if (out == NULL) {
		goto out_of_memory;
	}
	pthread_mutex_lock(&metrics->lock);
	for (struct family *f = metrics->families; f != NULL; f = f->next) {
		put_family(out, f);
	}
	pthread_mutex_unlock(&metrics->lock);
	if (fclose(out) != 0) {
		goto out_of_memory;
	}
	return page;

out_of_memory:
	fprintf(stderr, "metrics: out of memory\n");
	abort();
}
