#include <stdlib.h>
#include <string.h>

#include "flags/internal.h"

enum { LEFT_SIZE = 256, WORD_SIZE = 48 };

void flag_env_name(const struct flags *flags, const struct flag *flag,
		   char ret[ENV_NAME_SIZE])
{
	if (flag->env != NULL) {
		(void)snprintf(ret, ENV_NAME_SIZE, "%s", flag->env);
		return;
	}
	(void)snprintf(ret, ENV_NAME_SIZE, "%s_%s", flags->env_prefix,
		       flag->name);
	for (char *c = ret; *c != '\0'; c++) {
		if (*c == '-') {
			*c = '_';
		} else if (*c >= 'a' && *c <= 'z') {
			*c = (char)(*c - 'a' + 'A');
		}
	}
}

static void append_choices(char *left, const char *const *choices)
{
	for (int i = 0; choices[i] != NULL; i++) {
		size_t used = strlen(left);

		(void)snprintf(left + used, LEFT_SIZE - used, "%s%s",
			       i == 0 ? "" : "|", choices[i]);
	}
}

/* "-http-port number", "-log-format text|json", "-verbose" */
static void left_column(const struct flag *flag, char left[LEFT_SIZE])
{
	static const char *const words[] = {
		[FLAG_TYPE_BOOL] = "",
		[FLAG_TYPE_STRING] = " text",
		[FLAG_TYPE_UINT] = " number",
		[FLAG_TYPE_DURATION] = " duration",
		[FLAG_TYPE_CHOICE] = " ",
	};

	(void)snprintf(left, LEFT_SIZE, "-%s%s", flag->name, words[flag->type]);
	if (flag->type == FLAG_TYPE_CHOICE) {
		append_choices(left, flag->choices);
	}
}

static int left_width(const struct flags *flags)
{
	size_t width = strlen("-version");
	char left[LEFT_SIZE];

	for (const struct flag *f = flags->table; f->name != NULL; f++) {
		left_column(f, left);
		if (strlen(left) > width) {
			width = strlen(left);
		}
	}
	return (int)width;
}

static void print_flag(const struct flags *flags, const struct flag *flag,
		       int width, FILE *out)
{
	char left[LEFT_SIZE];
	char env[ENV_NAME_SIZE];

	left_column(flag, left);
	flag_env_name(flags, flag, env);
	fprintf(out, "  %-*s  %s (", width, left, flag->help);
	if (flag->fallback != NULL && flag->fallback[0] != '\0') {
		fprintf(out, "default %s; ", flag->fallback);
	}
	fprintf(out, "environment %s)\n", env);
}

void usage_print(const struct flags *flags, FILE *out)
{
	int width = left_width(flags);

	fprintf(out, "%s: %s\n\nUsage: %s [flags]\n\n", flags->program,
		flags->summary, flags->program);
	fprintf(out, "Flags, as -name=value or -name value, with one dash or "
		     "two; a flag goes before\nits environment variable, that "
		     "before the default:\n");
	for (const struct flag *f = flags->table; f->name != NULL; f++) {
		print_flag(flags, f, width, out);
	}
	fprintf(out, "  %-*s  print this list\n", width, "-help");
	fprintf(out, "  %-*s  print the version\n", width, "-version");
	fflush(out);
}

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

static void consider(const char *candidate, const char *name,
		     const char **nearest, size_t *best)
{
	size_t d = distance(name, candidate);

	if (d < *best) {
		*best = d;
		*nearest = candidate;
	}
}

const char *usage_nearest(const struct flags *flags, const char *name)
{
	const char *nearest = NULL;
	/* A third of the letters may be wrong; more is another word. */
	size_t best = strlen(name) / 3 + 1;

	for (const struct flag *f = flags->table; f->name != NULL; f++) {
		consider(f->name, name, &nearest, &best);
	}
	consider("help", name, &nearest, &best);
	consider("version", name, &nearest, &best);
	return nearest;
}
