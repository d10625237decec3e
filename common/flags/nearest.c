/* "Did you mean": which of the words that there are was probably meant. */
#include <string.h>

#include "flags/internal.h"

enum { WORD_SIZE = 48 };

static size_t min(size_t a, size_t b)
{
	return a < b ? a : b;
}

/*
 * Slips of the fingers that lead from @a to @b, both shorter than WORD_SIZE: a
 * letter too many, too few or wrong, or two swapped.
 */
static size_t slips(const char *a, const char *b)
{
	size_t d[WORD_SIZE][WORD_SIZE];
	size_t na = strlen(a);
	size_t nb = strlen(b);

	for (size_t i = 0; i <= na; i++) {
		for (size_t j = 0; j <= nb; j++) {
			if (i == 0 || j == 0) {
				d[i][j] = i + j;
				continue;
			}
			d[i][j] = min(min(d[i - 1][j], d[i][j - 1]) + 1,
				      d[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1]) {
				d[i][j] = min(d[i][j], d[i - 2][j - 2] + 1);
			}
		}
	}
	return d[na][nb];
}

/* "port" for "http-port", "http" as well. */
static bool is_end_of(const char *part, const char *whole)
{
	size_t np = strlen(part);
	size_t nw = strlen(whole);

	return np >= 3 && np < nw &&
	       (strcmp(whole + nw - np, part) == 0 ||
		strncmp(whole, part, np) == 0);
}

static size_t distance(const char *name, const char *candidate)
{
	if (strlen(name) >= WORD_SIZE || strlen(candidate) >= WORD_SIZE) {
		return SIZE_MAX;
	}
	return is_end_of(name, candidate) ? 1 : slips(name, candidate);
}

void nearest_begin(struct nearest *nearest, const char *word)
{
	nearest->word = word;
	nearest->found = NULL;
	/* A third of the letters may be wrong; more is another word. */
	nearest->distance_max = strlen(word) / 3 + 1;
}

void nearest_consider(struct nearest *nearest, const char *candidate)
{
	size_t d = distance(nearest->word, candidate);

	if (d < nearest->distance_max) {
		nearest->distance_max = d;
		nearest->found = candidate;
	}
}

void nearest_consider_table(struct nearest *nearest, const struct flag *table)
{
	for (; table != NULL && table->name != NULL; table++) {
		nearest_consider(nearest, table->name);
	}
}
