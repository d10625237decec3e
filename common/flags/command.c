/* Commands and positional arguments: which are there, which are meant. */
#include <stdlib.h>
#include <string.h>

#include "flags/internal.h"

/* ---- what is declared --------------------------------------------------- */

static _Noreturn void stop(const char *what, const char *name)
{
	fprintf(stderr, "flags: %s: %s\n", name, what);
	abort();
}

static void check_table(const struct flag *table, const char *name)
{
	size_t n = 0;

	while (table != NULL && table[n].name != NULL) {
		n++;
	}
	if (n > FLAGS_MAX) {
		stop("too many flags", name);
	}
}

static void check_arguments(const struct flag_argument *argument,
			    const char *name)
{
	bool optional = false;

	for (; argument != NULL && argument->name != NULL; argument++) {
		if (optional && !argument->optional) {
			stop("an argument follows one that may be left out",
			     name);
		}
		optional = argument->optional;
	}
}

static const struct flags_command *find_command(const struct flags *flags,
						const char *name)
{
	const struct flags_command *command = flags->commands;

	for (; command != NULL && command->name != NULL; command++) {
		if (strcmp(command->name, name) == 0) {
			return command;
		}
	}
	return NULL;
}

static void check_commands(const struct flags *flags)
{
	if (flags->command == NULL || flags->arguments != NULL) {
		stop("commands want to be told apart, and have the arguments",
		     flags->program);
	}
	if (flags->fallback != NULL &&
	    (find_command(flags, flags->fallback) == NULL ||
	     find_command(flags, flags->fallback)->arguments != NULL)) {
		stop("the fallback is no command, or takes arguments",
		     flags->program);
	}
	for (const struct flags_command *c = flags->commands; c->name != NULL;
	     c++) {
		check_table(c->table, c->name);
		check_arguments(c->arguments, c->name);
	}
}

void command_check(const struct flags *flags)
{
	check_table(flags->table, flags->program);
	check_arguments(flags->arguments, flags->program);
	if (flags->commands != NULL) {
		check_commands(flags);
	}
}

static void empty_arguments(const struct flag_argument *argument)
{
	for (; argument != NULL && argument->name != NULL; argument++) {
		*argument->value = NULL;
	}
}

void command_defaults(const struct flags *flags)
{
	const struct flags_command *command = flags->commands;

	empty_arguments(flags->arguments);
	for (; command != NULL && command->name != NULL; command++) {
		table_defaults(command->table);
		empty_arguments(command->arguments);
	}
}

/* ---- what is said ------------------------------------------------------- */

/* Its defaults go before those of commands that share its variables. */
static void choose(struct args *args, const struct flags_command *command)
{
	args->command = command;
	table_defaults(command->table);
	*args->flags->command = (size_t)(command - args->flags->commands);
}

/* The one that the flags which now come belong to, or NULL. */
static const struct flags_command *current(const struct args *args)
{
	const struct flags *flags = args->flags;

	if (args->command != NULL || flags->fallback == NULL) {
		return args->command;
	}
	return find_command(flags, flags->fallback);
}

static void imply(struct args *args)
{
	const struct flags_command *command = current(args);

	if (args->command == NULL && command != NULL) {
		choose(args, command);
		args->implied = true;
	}
}

const struct flag *command_flag(struct args *args, const char *name,
				size_t size)
{
	const struct flags_command *command = current(args);
	const struct flag *flag =
		command != NULL ? flag_find(command->table, name, size) : NULL;

	if (flag != NULL) {
		imply(args);
	}
	return flag;
}

static enum flags_outcome unknown_command(const struct flags *flags,
					  const char *name,
					  struct status *reterr)
{
	const struct flags_command *command = flags->commands;
	struct nearest nearest;

	nearest_begin(&nearest, name);
	for (; command->name != NULL; command++) {
		nearest_consider(&nearest, command->name);
	}
	if (nearest.found != NULL) {
		(void)status_set(reterr, STATUS_INVALID_ARGUMENT,
				 "unknown command '%s': did you mean '%s'?",
				 quote(name).text, nearest.found);
	} else {
		(void)status_set(reterr, STATUS_INVALID_ARGUMENT,
				 "unknown command '%s': see -help",
				 quote(name).text);
	}
	return FLAGS_INVALID;
}

static enum flags_outcome take_argument(struct args *args,
					const struct flag_argument *arguments,
					const char *text, struct status *reterr)
{
	const struct flag_argument *argument = arguments;

	if (argument == NULL) {
		(void)status_set(reterr, STATUS_INVALID_ARGUMENT,
				 "unexpected argument '%s': there are only "
				 "flags, see -help",
				 quote(text).text);
		return FLAGS_INVALID;
	}
	for (size_t i = 0; i < args->arguments_n; i++) {
		argument++;
	}
	if (argument->name == NULL) {
		(void)status_set(reterr, STATUS_INVALID_ARGUMENT,
				 "'%s' is one argument too many: see -help",
				 quote(text).text);
		return FLAGS_INVALID;
	}
	*argument->value = text;
	args->arguments_n++;
	return FLAGS_RUN;
}

enum flags_outcome command_take(struct args *args, const char *text,
				struct status *reterr)
{
	const struct flags *flags = args->flags;
	const struct flags_command *command;

	if (flags->commands == NULL) {
		return take_argument(args, flags->arguments, text, reterr);
	}
	if (args->command != NULL && !args->implied) {
		return take_argument(args, args->command->arguments, text,
				     reterr);
	}
	command = find_command(flags, text);
	if (command == NULL) {
		return unknown_command(flags, text, reterr);
	}
	if (args->implied) {
		(void)status_set(reterr, STATUS_INVALID_ARGUMENT,
				 "'%s' comes too late: a command goes before "
				 "its own flags",
				 command->name);
		return FLAGS_INVALID;
	}
	choose(args, command);
	return FLAGS_RUN;
}

enum flags_outcome command_finish(struct args *args, struct status *reterr)
{
	const struct flags *flags = args->flags;
	const struct flag_argument *missing = flags->arguments;

	imply(args);
	if (flags->commands != NULL && args->command == NULL) {
		(void)status_set(reterr, STATUS_INVALID_ARGUMENT,
				 "a command is missing: see -help");
		return FLAGS_INVALID;
	}
	if (args->command != NULL) {
		missing = args->command->arguments;
	}
	if (missing == NULL) {
		return FLAGS_RUN;
	}
	missing += args->arguments_n;
	if (missing->name != NULL && !missing->optional) {
		(void)status_set(reterr, STATUS_INVALID_ARGUMENT,
				 "the argument %s is missing: see -help",
				 missing->name);
		return FLAGS_INVALID;
	}
	return FLAGS_RUN;
}

/* ---- flags that are not there ------------------------------------------- */

static const struct flags_command *find_owner(const struct flags *flags,
					      const char *name)
{
	const struct flags_command *command = flags->commands;

	for (; command != NULL && command->name != NULL; command++) {
		if (flag_find(command->table, name, strlen(name)) != NULL) {
			return command;
		}
	}
	return NULL;
}

static const char *nearest_flag(const struct args *args, const char *name)
{
	const struct flags_command *command = current(args);
	struct nearest nearest;

	nearest_begin(&nearest, name);
	nearest_consider_table(&nearest, args->flags->table);
	if (command != NULL) {
		nearest_consider_table(&nearest, command->table);
	}
	nearest_consider(&nearest, "help");
	nearest_consider(&nearest, "version");
	return nearest.found;
}

enum flags_outcome command_unknown_flag(const struct args *args,
					const char *name, size_t size,
					struct status *reterr)
{
	const struct flags_command *owner;
	const char *nearest;
	char word[64];

	(void)snprintf(word, sizeof(word), "%.*s",
		       size < sizeof(word) ? (int)size : (int)sizeof(word),
		       name);
	owner = find_owner(args->flags, word);
	nearest = nearest_flag(args, word);
	if (owner != NULL) {
		(void)status_set(
			reterr, STATUS_INVALID_ARGUMENT,
			"flag -%s belongs to the command '%s'%s", word,
			owner->name,
			args->command == NULL ? ", which goes before it" : "");
	} else if (nearest != NULL) {
		(void)status_set(reterr, STATUS_INVALID_ARGUMENT,
				 "unknown flag -%s: did you mean -%s?",
				 quote(word).text, nearest);
	} else {
		(void)status_set(reterr, STATUS_INVALID_ARGUMENT,
				 "unknown flag -%s: see -help",
				 quote(word).text);
	}
	return FLAGS_INVALID;
}
