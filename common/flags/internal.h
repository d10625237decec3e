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

/* ---- one flag ----------------------------------------------------------- */

/* Store @text in the flag's value, or say what would be right. */
MUSTCHECK enum status_code flag_set(const struct flag *flag, const char *text,
				    struct status *reterr);

/* "ECHO_HTTP_PORT" */
void flag_env_name(const struct flags *flags, const struct flag *flag,
		   char ret[ENV_NAME_SIZE]);

/* Of a table, or NULL; @table may be NULL. */
const struct flag *flag_find(const struct flag *table, const char *name,
			     size_t size);

/* ---- reading the command line ------------------------------------------- */

/* Where the reading of the arguments stands. */
struct args {
	const struct flags *flags;
	char **next;
	char **end;
	/* The chosen command, or NULL where none is yet or there are none. */
	const struct flags_command *command;
	bool implied;		   /* the command was not named */
	size_t arguments_n;	   /* positional arguments so far */
	bool given[FLAGS_MAX];	   /* of flags->table */
	bool given_own[FLAGS_MAX]; /* of command->table */
};

/* Stop the process where what is declared does not hold together. */
void command_check(const struct flags *flags);
/* Set the defaults of all commands, and empty all arguments. */
void command_defaults(const struct flags *flags);
/* A flag of the chosen command, or NULL. One of the fallback chooses that,
 * where no command has been named. */
const struct flag *command_flag(struct args *args, const char *name,
				size_t size);
/* Something that is no flag: a command, or an argument. */
MUSTCHECK enum flags_outcome command_take(struct args *args, const char *text,
					  struct status *reterr);
/* Whether everything is there that must be. */
MUSTCHECK enum flags_outcome command_finish(struct args *args,
					    struct status *reterr);

/* A flag that is in no table that counts. */
enum flags_outcome command_unknown_flag(const struct args *args,
					const char *name, size_t size,
					struct status *reterr);

void table_defaults(const struct flag *table);

/* Of the program, or of one of its commands. */
void usage_print(const struct flags *flags, const struct flags_command *command,
		 FILE *out);

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
void nearest_consider_table(struct nearest *nearest, const struct flag *table);

#endif
