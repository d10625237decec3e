#include "flags/flags.h"

#include <stdlib.h>
#include <string.h>

#include "flags/internal.h"

/* Where the reading of the arguments stands. */
struct args {
	const struct flags *flags;
	char **next;
	char **end;
	bool given[FLAGS_MAX];
};

static void check_table(const struct flags *flags)
{
	size_t n = 0;

	while (flags->table[n].name != NULL) {
		n++;
	}
	if (n > FLAGS_MAX) {
		fprintf(stderr, "flags: %zu flags, at most %d\n", n, FLAGS_MAX);
		abort();
	}
}

static const struct flag *find(const struct flags *flags, const char *name,
			       size_t size)
{
	for (const struct flag *f = flags->table; f->name != NULL; f++) {
		if (strlen(f->name) == size &&
		    memcmp(f->name, name, size) == 0) {
			return f;
		}
	}
	return NULL;
}

static bool is_word(const char *name, size_t size, const char *word)
{
	return strlen(word) == size && memcmp(name, word, size) == 0;
}

static const char *nearest_flag(const struct flags *flags, const char *name)
{
	struct nearest nearest;

	nearest_begin(&nearest, name);
	for (const struct flag *f = flags->table; f->name != NULL; f++) {
		nearest_consider(&nearest, f->name);
	}
	nearest_consider(&nearest, "help");
	nearest_consider(&nearest, "version");
	return nearest.found;
}

static enum flags_outcome unknown(const struct flags *flags, const char *name,
				  size_t size, struct status *reterr)
{
	char word[64];
	const char *nearest;

	(void)snprintf(word, sizeof(word), "%.*s",
		       size < sizeof(word) ? (int)size : (int)sizeof(word),
		       name);
	nearest = nearest_flag(flags, word);
	if (nearest != NULL) {
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

/* What every program answers by itself, unless its table has the name. */
static enum flags_outcome builtin(const struct flags *flags, const char *name,
				  size_t size, struct status *reterr)
{
	if (is_word(name, size, "help") || is_word(name, size, "h")) {
		usage_print(flags, stdout);
		return FLAGS_EXIT;
	}
	if (is_word(name, size, "version")) {
		printf("%s %s\n", flags->program, flags->version);
		fflush(stdout);
		return FLAGS_EXIT;
	}
	return unknown(flags, name, size, reterr);
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
					    const char *equals,
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
	args->given[flag - args->flags->table] = true;
	return FLAGS_RUN;
}

static enum flags_outcome positional(const char *text, struct status *reterr)
{
	(void)status_set(reterr, STATUS_INVALID_ARGUMENT,
			 "unexpected argument '%s': there are only flags, see "
			 "-help",
			 quote(text).text);
	return FLAGS_INVALID;
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
	flag = find(args->flags, name, size);
	if (flag == NULL) {
		return builtin(args->flags, name, size, reterr);
	}
	return set_from_argument(args, flag, equals, reterr);
}

static enum flags_outcome parse_arguments(struct args *args,
					  struct status *reterr)
{
	enum flags_outcome outcome = FLAGS_RUN;

	while (outcome == FLAGS_RUN && args->next < args->end) {
		const char *text = *args->next++;

		if (strcmp(text, "--") == 0) {
			return args->next == args->end
				       ? FLAGS_RUN
				       : positional(*args->next, reterr);
		}
		outcome = text[0] == '-' && text[1] != '\0'
				  ? parse_one(args, text, reterr)
				  : positional(text, reterr);
	}
	return outcome;
}

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

static enum flags_outcome parse_environment(const struct args *args,
					    struct status *reterr)
{
	const struct flags *flags = args->flags;

	for (size_t i = 0; flags->table[i].name != NULL; i++) {
		char name[ENV_NAME_SIZE];
		const char *value;

		flag_env_name(flags, &flags->table[i], name);
		value = args->given[i] ? NULL : getenv(name);
		if (value == NULL || *value == '\0') {
			continue;
		}
		if (flag_set(&flags->table[i], value, reterr) != STATUS_OK) {
			(void)status_wrap(reterr, "environment %s", name);
			return FLAGS_INVALID;
		}
	}
	return FLAGS_RUN;
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

	check_table(flags);
	for (const struct flag *f = flags->table; f->name != NULL; f++) {
		set_default(f);
	}
	outcome = parse_arguments(&args, reterr);
	if (outcome != FLAGS_RUN) {
		return outcome;
	}
	return parse_environment(&args, reterr);
}
