#include "metrics/metrics.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "metrics/internal.h"

enum { LABELS_MAX = 8 };

const struct histogram_bound metrics_histogram_bounds[HISTOGRAM_BOUND_NR] = {
	{ 500000, "0.0005" }, { 1000000, "0.001" },  { 2500000, "0.0025" },
	{ 5000000, "0.005" }, { 10000000, "0.01" },  { 25000000, "0.025" },
	{ 50000000, "0.05" }, { 100000000, "0.1" },  { 250000000, "0.25" },
	{ 500000000, "0.5" }, { 1000000000, "1" },   { 2500000000, "2.5" },
	{ 5000000000, "5" },  { 10000000000, "10" }, { 30000000000, "30" },
};

static _Noreturn void bug(const char *what, const char *name)
{
	fprintf(stderr, "metrics: %s: '%s'\n", what, name);
	abort();
}

static void *must(void *memory)
{
	if (memory == NULL) {
		bug("out of memory", "");
	}
	return memory;
}

/* ---- names and labels --------------------------------------------------- */

static bool is_name(const char *name, bool colon)
{
	if (*name >= '0' && *name <= '9') {
		return false;
	}
	for (const char *c = name; *c != '\0'; c++) {
		bool word = (*c >= 'a' && *c <= 'z') ||
			    (*c >= 'A' && *c <= 'Z') ||
			    (*c >= '0' && *c <= '9') || *c == '_';

		if (!word && !(colon && *c == ':')) {
			return false;
		}
	}
	return *name != '\0';
}

static bool ends_in(const char *text, const char *tail)
{
	size_t size = strlen(text);
	size_t tail_size = strlen(tail);

	return size >= tail_size && strcmp(text + size - tail_size, tail) == 0;
}

static void check_name(const char *name, enum metrics_type type)
{
	if (!is_name(name, true)) {
		bug("illegal name", name);
	}
	if (ends_in(name, "_total") != (type == METRICS_COUNTER)) {
		bug("_total is how counters end, and only they", name);
	}
}

static void check_label(const char *name, enum metrics_type type)
{
	if (!is_name(name, false) || strncmp(name, "__", 2) == 0 ||
	    (type == METRICS_HISTOGRAM && strcmp(name, "le") == 0)) {
		bug("illegal label", name);
	}
}

/* Backslash, newline and, in label values, the quote. */
static void put_escaped(FILE *out, const char *text, bool quotes)
{
	for (; *text != '\0'; text++) {
		if (*text == '\n') {
			fputs("\\n", out);
			continue;
		}
		if (*text == '\\' || (quotes && *text == '"')) {
			fputc('\\', out);
		}
		fputc(*text, out);
	}
}

static char *escaped_help(const char *help)
{
	char *text;
	size_t size;
	FILE *out = must(open_memstream(&text, &size));

	put_escaped(out, help, false);
	if (fclose(out) != 0) {
		bug("out of memory", "");
	}
	return text;
}

/* @labels in order of their names, so that order does not make a series. */
static size_t sort_labels(const struct metrics_label *labels,
			  enum metrics_type type,
			  const struct metrics_label *ret[LABELS_MAX])
{
	size_t n = 0;

	for (; labels != NULL && labels->name != NULL; labels++, n++) {
		size_t at = n;

		check_label(labels->name, type);
		if (n == LABELS_MAX) {
			bug("too many labels", labels->name);
		}
		while (at > 0 && strcmp(ret[at - 1]->name, labels->name) >= 0) {
			if (strcmp(ret[at - 1]->name, labels->name) == 0) {
				bug("label given twice", labels->name);
			}
			ret[at] = ret[at - 1];
			at--;
		}
		ret[at] = labels;
	}
	return n;
}

static char *labels_text(const struct metrics_label *labels,
			 enum metrics_type type)
{
	const struct metrics_label *sorted[LABELS_MAX];
	size_t n = sort_labels(labels, type, sorted);
	char *text;
	size_t size;
	FILE *out = must(open_memstream(&text, &size));

	for (size_t i = 0; i < n; i++) {
		fprintf(out, "%s%s=\"", i == 0 ? "" : ",", sorted[i]->name);
		put_escaped(out, sorted[i]->value, true);
		fputc('"', out);
	}
	if (fclose(out) != 0) {
		bug("out of memory", "");
	}
	return text;
}

/* ---- families and series ------------------------------------------------ */

static struct family *family_get(struct metrics *metrics, const char *name,
				 const char *help, enum metrics_type type)
{
	struct family **at = &metrics->families;
	struct family *family;

	while (*at != NULL && strcmp((*at)->name, name) < 0) {
		at = &(*at)->next;
	}
	if (*at != NULL && strcmp((*at)->name, name) == 0) {
		if ((*at)->type != type) {
			bug("made before with another type", name);
		}
		return *at;
	}
	family = must(calloc(1, sizeof(*family)));
	family->name = must(strdup(name));
	family->help = escaped_help(help);
	family->type = type;
	family->next = *at;
	*at = family;
	return family;
}

/* Takes over @labels. *ret_new: it was not there before. */
static struct series *series_get(struct family *family, char *labels,
				 bool *ret_new)
{
	struct series **at = &family->series;
	struct series *series;

	while (*at != NULL && strcmp((*at)->labels, labels) < 0) {
		at = &(*at)->next;
	}
	*ret_new = *at == NULL || strcmp((*at)->labels, labels) != 0;
	if (!*ret_new) {
		free(labels);
		return *at;
	}
	series = must(aligned_alloc(CACHE_LINE, sizeof(*series)));
	memset(series, 0, sizeof(*series));
	series->labels = labels;
	series->next = *at;
	*at = series;
	return series;
}

static struct series *make(struct metrics *metrics, enum metrics_type type,
			   const char *name, const char *help,
			   const struct metrics_label *labels,
			   double (*read)(void *arg), void *arg)
{
	struct series *series;
	char *text;
	bool fresh;

	check_name(name, type);
	text = labels_text(labels, type);
	pthread_mutex_lock(&metrics->lock);
	series =
		series_get(family_get(metrics, name, help, type), text, &fresh);
	if (fresh) {
		series->read = read;
		series->arg = arg;
	} else if ((series->read != NULL) != (read != NULL)) {
		bug("made before, once to be read and once to be set", name);
	}
	pthread_mutex_unlock(&metrics->lock);
	return series;
}

struct metrics *metrics_new(void)
{
	struct metrics *metrics = must(calloc(1, sizeof(*metrics)));

	pthread_mutex_init(&metrics->lock, NULL);
	return metrics;
}

static void family_free(struct family *family)
{
	while (family->series != NULL) {
		struct series *series = family->series;

		family->series = series->next;
		free(series->labels);
		free(series);
	}
	free(family->name);
	free(family->help);
	free(family);
}

void metrics_free(struct metrics *metrics)
{
	if (metrics == NULL) {
		return;
	}
	while (metrics->families != NULL) {
		struct family *family = metrics->families;

		metrics->families = family->next;
		family_free(family);
	}
	pthread_mutex_destroy(&metrics->lock);
	free(metrics);
}

struct metrics_counter *metrics_counter(struct metrics *metrics,
					const char *name, const char *help,
					const struct metrics_label *labels)
{
	return &make(metrics, METRICS_COUNTER, name, help, labels, NULL, NULL)
			->counter;
}

struct metrics_gauge *metrics_gauge(struct metrics *metrics, const char *name,
				    const char *help,
				    const struct metrics_label *labels)
{
	return &make(metrics, METRICS_GAUGE, name, help, labels, NULL, NULL)
			->gauge;
}

void metrics_read_gauge(struct metrics *metrics, const char *name,
			const char *help, const struct metrics_label *labels,
			double (*read)(void *arg), void *arg)
{
	enum metrics_type type =
		ends_in(name, "_total") ? METRICS_COUNTER : METRICS_GAUGE;

	(void)make(metrics, type, name, help, labels, read, arg);
}

struct metrics_histogram *
metrics_histogram_seconds(struct metrics *metrics, const char *name,
			  const char *help, const struct metrics_label *labels)
{
	return &make(metrics, METRICS_HISTOGRAM, name, help, labels, NULL, NULL)
			->histogram;
}

/* ---- updates ------------------------------------------------------------ */

void metrics_inc(struct metrics_counter *counter, uint64_t by)
{
	atomic_fetch_add_explicit(&counter->value, by, memory_order_relaxed);
}

void metrics_gauge_set(struct metrics_gauge *gauge, int64_t value)
{
	atomic_store_explicit(&gauge->value, value, memory_order_relaxed);
}

void metrics_gauge_add(struct metrics_gauge *gauge, int64_t by)
{
	atomic_fetch_add_explicit(&gauge->value, by, memory_order_relaxed);
}

void metrics_observe_ns(struct metrics_histogram *histogram, int64_t ns)
{
	size_t bucket = 0;

	/* Without a branch in it, this is a few vector compares. */
	for (size_t i = 0; i < HISTOGRAM_BOUND_NR; i++) {
		bucket += ns > metrics_histogram_bounds[i].ns;
	}
	atomic_fetch_add_explicit(&histogram->buckets[bucket], 1,
				  memory_order_relaxed);
	atomic_fetch_add_explicit(&histogram->sum_ns, ns > 0 ? (uint64_t)ns : 0,
				  memory_order_relaxed);
}
