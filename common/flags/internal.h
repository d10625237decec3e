/*
 * What the files of this library share. Not installed, not for others.
 */
#ifndef RESCIND_FLAGS_INTERNAL_H
#define RESCIND_FLAGS_INTERNAL_H

#include "flags/flags.h"

enum { QUOTE_SIZE = 96, ENV_NAME_SIZE = 128 };

/* @text for an error message: one line, ASCII, "..." where it was cut. */
struct quote {
	char text[QUOTE_SIZE];
};
struct quote quote(const char *text);

/* Store @text in the flag's value, or say what would be right. */
MUSTCHECK enum status_code flag_set(const struct flag *flag, const char *text,
				    struct status *reterr);

/* "ECHO_HTTP_PORT" */
void flag_env_name(const struct flags *flags, const struct flag *flag,
		   char ret[ENV_NAME_SIZE]);

void usage_print(const struct flags *flags, FILE *out);

/*
 * The candidate that @word was probably meant to be: begin, consider each, and
 * `found` is the nearest of them, or NULL when none is near.
 */
struct nearest {
	const char *word;
	const char *found;
	size_t distance_max; /* only what is nearer than this is taken */
};
void nearest_begin(struct nearest *nearest, const char *word);
void nearest_consider(struct nearest *nearest, const char *candidate);

#endif
