#include "page.h"

#include <check.h>
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAMES_MAX = 64, LINE_SIZE = 2048 };

/* What is known of the page so far. */
struct page {
	const char *line;
	char seen[NAMES_MAX][128]; /* families, in order */
	size_t seen_nr;
	char name[128]; /* of the current family */
	char type[32];
	bool typed;
	double bucket; /* histogram: the last cumulative count */
	double bound;
	char bucket_labels[LINE_SIZE];
	bool bucket_inf;
};

static void expect(const struct page *page, bool condition, const char *what)
{
	ck_assert_msg(condition, "%s: %.*s", what,
		      (int)strcspn(page->line, "\n"), page->line);
}

static size_t name_length(const char *at, bool colon)
{
	size_t n = 0;

	while (isalpha((unsigned char)at[n]) || at[n] == '_' ||
	       (colon && at[n] == ':') ||
	       (n > 0 && isdigit((unsigned char)at[n]))) {
		n++;
	}
	return n;
}

/* # HELP name text */
static void read_help(struct page *page, const char *at)
{
	size_t n = name_length(at, true);

	expect(page, n > 0 && n < 100 && at[n] == ' ', "HELP without name");
	expect(page, at[n + 1] != '\n', "HELP without text");
	(void)snprintf(page->name, sizeof(page->name), "%.*s", (int)n, at);
	for (size_t i = 0; i < page->seen_nr; i++) {
		expect(page, strcmp(page->seen[i], page->name) != 0,
		       "family in two places");
	}
	expect(page,
	       page->seen_nr == 0 ||
		       strcmp(page->seen[page->seen_nr - 1], page->name) < 0,
	       "families out of order");
	ck_assert_uint_lt(page->seen_nr, NAMES_MAX);
	strcpy(page->seen[page->seen_nr++], page->name);
	page->typed = false;
	page->bucket_labels[0] = '\0';
	page->bucket_inf = true;
	for (at += n; *at != '\n'; at++) {
		if (*at == '\\') {
			at++;
			expect(page, *at == '\\' || *at == 'n', "HELP escape");
		}
	}
}

/* # TYPE name type */
static void read_type(struct page *page, const char *at)
{
	size_t n = name_length(at, true);

	expect(page,
	       strlen(page->name) == n && !page->typed &&
		       strncmp(at, page->name, n) == 0,
	       "TYPE does not follow its HELP");
	expect(page, sscanf(at + n, " %31[a-z]\n", page->type) == 1, "TYPE");
	expect(page,
	       strcmp(page->type, "counter") == 0 ||
		       strcmp(page->type, "gauge") == 0 ||
		       strcmp(page->type, "histogram") == 0,
	       "unknown type");
	expect(page,
	       (strcmp(page->type, "counter") == 0) ==
		       (n > 6 && strncmp(at + n - 6, "_total", 6) == 0),
	       "_total and counter go together");
	page->typed = true;
}

/* Past {labels}; the le label's value goes to @ret_le, the others are kept. */
static const char *read_labels(struct page *page, const char *at, char *ret_le,
			       char *ret_others)
{
	*ret_le = *ret_others = '\0';
	if (*at != '{') {
		return at;
	}
	do {
		const char *begin = ++at;
		size_t n = name_length(at, false);

		expect(page, n > 0 && strncmp(at + n, "=\"", 2) == 0, "label");
		for (at += n + 2; *at != '"'; at++) {
			expect(page, *at != '\n' && *at != '\0', "open quote");
			if (*at == '\\') {
				at++;
				expect(page, strchr("\\n\"", *at) != NULL,
				       "label escape");
			}
		}
		at++;
		if (n == 2 && strncmp(begin, "le", 2) == 0) {
			(void)snprintf(ret_le, 64, "%.*s",
				       (int)(at - begin - 5), begin + 4);
		} else {
			(void)snprintf(ret_others + strlen(ret_others),
				       LINE_SIZE - strlen(ret_others), "%.*s,",
				       (int)(at - begin), begin);
		}
	} while (*at == ',');
	expect(page, *at == '}', "labels don't end");
	return at + 1;
}

static void check_bucket(struct page *page, const char *le, const char *others,
			 double value)
{
	double bound = strtod(le, NULL);

	expect(page, *le != '\0', "bucket without le");
	if (strcmp(others, page->bucket_labels) != 0 || page->bucket_inf) {
		expect(page, page->bucket_inf, "buckets without +Inf");
		strcpy(page->bucket_labels, others);
	} else {
		expect(page, value >= page->bucket, "buckets not cumulative");
		expect(page, bound > page->bound, "le not ascending");
	}
	page->bucket_inf = strcmp(le, "+Inf") == 0;
	page->bucket = value;
	page->bound = bound;
}

static void check_histogram(struct page *page, const char *suffix,
			    const char *le, const char *others, double value)
{
	if (strncmp(suffix, "_bucket", 7) == 0) {
		check_bucket(page, le, others, value);
		return;
	}
	expect(page, page->bucket_inf, "buckets without +Inf");
	expect(page, strcmp(others, page->bucket_labels) == 0,
	       "sum and count belong to their buckets");
	if (strncmp(suffix, "_count", 6) == 0) {
		expect(page, value >= page->bucket && value <= page->bucket,
		       "count is not the +Inf bucket");
	} else {
		expect(page, strncmp(suffix, "_sum", 4) == 0, "suffix");
	}
}

static void read_sample(struct page *page)
{
	size_t n = strlen(page->name);
	size_t whole = name_length(page->line, true);
	char le[64];
	char others[LINE_SIZE];
	const char *at;
	char *end;
	double value;

	expect(page, page->typed && strncmp(page->line, page->name, n) == 0,
	       "sample outside its family");
	at = read_labels(page, page->line + whole, le, others);
	expect(page, *at == ' ', "no blank before the value");
	value = strtod(at + 1, &end);
	expect(page, end > at + 1 && *end == '\n', "value");
	if (strcmp(page->type, "histogram") == 0) {
		check_histogram(page, page->line + n, le, others, value);
	} else {
		expect(page, whole == n && *le == '\0', "name");
	}
	expect(page, strcmp(page->type, "gauge") == 0 || value >= 0,
	       "less than nothing");
}

void page_check(const char *text)
{
	static struct page page;

	memset(&page, 0, sizeof(page));
	for (page.line = text; *page.line != '\0';) {
		expect(&page, strchr(page.line, '\n') != NULL, "no newline");
		if (strncmp(page.line, "# HELP ", 7) == 0) {
			read_help(&page, page.line + 7);
		} else if (strncmp(page.line, "# TYPE ", 7) == 0) {
			read_type(&page, page.line + 7);
		} else {
			read_sample(&page);
		}
		page.line += strcspn(page.line, "\n") + 1;
	}
}

double page_value(const char *text, const char *series)
{
	size_t n = strlen(series);

	for (const char *line = text; *line != '\0';
	     line += strcspn(line, "\n") + 1) {
		if (strncmp(line, series, n) == 0 && line[n] == ' ') {
			return strtod(line + n + 1, NULL);
		}
	}
	ck_abort_msg("no series %s in:\n%s", series, text);
	return 0;
}
