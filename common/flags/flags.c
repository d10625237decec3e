#include "flags/flags.h"

#include <stdlib.h>
#include <string.h>

#include "flags/internal.h"

/* ---- defaults and environment ------------------------------------------- */

static void set_default(const struct flag *flag)
{
	struct status err = status_ok();
	const char *text = flag->fallback != NULL ? flag->fallback : "";

	if (flag_set(flag, text, &err) != STATUS_OK) {
		fprintf(stderr, "flags: default of -%s: %s\n", flag->name,
			err.message);
		abort();
	}
}

void table_defaults(const struct flag *table)
{
	for (; table != NULL && table->name != NULL; table++) {
		set_default(table);
	}
}

static enum flags_outcome parse_environment(const struct flags *flags,
					    const struct flag *table,
					    const bool *given,
					    struct status *reterr)
{
	for (size_t i = 0; table != NULL && table[i].name != NULL; i++) {
		char name[ENV_NAME_SIZE];
		const char *value;

		flag_env_name(flags, &table[i], name);
		value = given[i] ? NULL : getenv(name);
		if (value == NULL || *value == '\0') {
			continue;
		}
		if (flag_set(&table[i], value, reterr) != STATUS_OK) {
			(void)status_wrap(reterr, "environment %s", name);
			return FLAGS_INVALID;
		}
	}
	return FLAGS_RUN;
}

/* ---- the command line --------------------------------------------------- */

const struct flag *flag_find(const struct flag *table, const char *name,
			     size_t size)
{
	for (; table != NULL && table->name != NULL; table++) {
		if (strlen(table->name) == size &&
		    memcmp(table->name, name, size) == 0) {
			return table;
		}
	}
	return NULL;
}

static bool is_word(const char *name, size_t size, const char *word)
{
	return strlen(word) == size && memcmp(name, word, size) == 0;
}

/* What every program answers by itself, unless its tables have the name. */
static enum flags_outcome builtin(const struct args *args, const char *name,
				  size_t size, struct status *reterr)
{
	const struct flags *flags = args->flags;

	if (is_word(name, size, "help") || is_word(name, size, "h")) {
		usage_print(flags, args->command, stdout);
		return FLAGS_EXIT;
	}
	if (is_word(name, size, "version")) {
		printf("%s %s\n", flags->program, flags->version);
		fflush(stdout);
		return FLAGS_EXIT;
	}
	return command_unknown_flag(args, name, size, reterr);
}

/* The value that belongs to @flag: after "=", or the next argument. */
static const char *take_value(struct args *args, const struct flag *flag,
			      const char *equals)
{
	if (equals != NULL) {
		return equals + 1;
	}
	if (flag->type == FLAG_TYPE_BOOL) {
		return "true";
	}
	return args->next < args->end ? *args->next++ : NULL;
}

static enum flags_outcome set_from_argument(struct args *args,
					    const struct flag *flag,
					    const char *equals, bool *given,
					    struct status *reterr)
{
	const char *value = take_value(args, flag, equals);

	if (value == NULL) {
		(void)status_set(reterr, STATUS_INVALID_ARGUMENT,
				 "flag -%s needs a value", flag->name);
		return FLAGS_INVALID;
	}
	if (flag_set(flag, value, reterr) != STATUS_OK) {
		(void)status_wrap(reterr, "flag -%s", flag->name);
		return FLAGS_INVALID;
	}
	*given = true;
	return FLAGS_RUN;
}

/* One argument that begins with a dash and is more than one. */
static enum flags_outcome parse_one(struct args *args, const char *text,
				    struct status *reterr)
{
	const char *name = text + (text[1] == '-' ? 2 : 1);
	const char *equals = strchr(name, '=');
	size_t size = equals != NULL ? (size_t)(equals - name) : strlen(name);
	const struct flag *flag;

	if (size == 0 || *name == '-') {
		(void)status_set(reterr, STATUS_INVALID_ARGUMENT,
				 "'%s' is not a flag: -name=value is",
				 quote(text).text);
		return FLAGS_INVALID;
	}
	flag = flag_find(args->flags->table, name, size);
	if (flag != NULL) {
		return set_from_argument(
			args, flag, equals,
			&args->given[flag - args->flags->table], reterr);
	}
	flag = command_flag(args, name, size);
	if (flag == NULL) {
		return builtin(args, name, size, reterr);
	}
	return set_from_argument(args, flag, equals,
				 &args->given_own[flag - args->command->table],
				 reterr);
}

static enum flags_outcome parse_arguments(struct args *args,
					  struct status *reterr)
{
	enum flags_outcome outcome = FLAGS_RUN;
	bool flags_over = false;

	while (outcome == FLAGS_RUN && args->next < args->end) {
		const char *text = *args->next++;

		if (!flags_over && strcmp(text, "--") == 0) {
			flags_over = true;
		} else if (!flags_over && text[0] == '-' && text[1] != '\0') {
			outcome = parse_one(args, text, reterr);
		} else {
			outcome = command_take(args, text, reterr);
		}
	}
	return outcome == FLAGS_RUN ? command_finish(args, reterr) : outcome;
}

enum flags_outcome flags_parse(const struct flags *flags, int argc, char **argv,
			       struct status *reterr)
{
	struct args args = {
		.flags = flags,
		.next = argc > 0 ? argv + 1 : argv,
		.end = argv + (argc > 0 ? argc : 0),
	};
	enum flags_outcome outcome;

	command_check(flags);
	table_defaults(flags->table);
	command_defaults(flags);
	outcome = parse_arguments(&args, reterr);
	if (outcome == FLAGS_RUN) {
		outcome = parse_environment(flags, flags->table, args.given,
					    reterr);
	}
	if (outcome == FLAGS_RUN && args.command != NULL) {
		outcome = parse_environment(flags, args.command->table,
					    args.given_own, reterr);
	}
	return outcome;
}
