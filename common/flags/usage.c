#include <stdlib.h>
#include <string.h>

#include "flags/internal.h"

enum { LEFT_SIZE = 256 };

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
		[FLAG_TYPE_DECIMAL] = " decimal",
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
