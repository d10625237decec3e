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
/* The known flag that @name was probably meant to be, or NULL. */
const char *usage_nearest(const struct flags *flags, const char *name);

#endif
