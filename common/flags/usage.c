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

static size_t max(size_t a, size_t b)
{
	return a > b ? a : b;
}

static size_t table_width(const struct flag *table)
{
	size_t width = 0;
	char left[LEFT_SIZE];

	for (; table != NULL && table->name != NULL; table++) {
		left_column(table, left);
		width = max(width, strlen(left));
	}
	return width;
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

static void print_table(const struct flags *flags, const struct flag *table,
			size_t width, FILE *out)
{
	for (; table != NULL && table->name != NULL; table++) {
		print_flag(flags, table, (int)width, out);
	}
}

/* "", " ID", " ID [NOTE]" */
static void append_arguments(char left[LEFT_SIZE],
			     const struct flag_argument *argument)
{
	for (; argument != NULL && argument->name != NULL; argument++) {
		size_t used = strlen(left);

		(void)snprintf(left + used, LEFT_SIZE - used,
			       argument->optional ? " [%s]" : " %s",
			       argument->name);
	}
}

static void print_arguments(const struct flag_argument *arguments, FILE *out)
{
	const struct flag_argument *argument = arguments;
	size_t width = 0;

	if (argument == NULL) {
		return;
	}
	for (; argument->name != NULL; argument++) {
		width = max(width, strlen(argument->name));
	}
	fprintf(out, "Arguments:\n");
	for (argument = arguments; argument->name != NULL; argument++) {
		fprintf(out, "  %-*s  %s\n", (int)width, argument->name,
			argument->help);
	}
	fprintf(out, "\n");
}

static void command_column(const struct flags_command *command,
			   char left[LEFT_SIZE])
{
	(void)snprintf(left, LEFT_SIZE, "%s", command->name);
	append_arguments(left, command->arguments);
}

static void print_commands(const struct flags *flags, FILE *out)
{
	const struct flags_command *command = flags->commands;
	char left[LEFT_SIZE];
	size_t width = 0;

	for (; command->name != NULL; command++) {
		command_column(command, left);
		width = max(width, strlen(left));
	}
	fprintf(out, "Commands");
	if (flags->fallback != NULL) {
		fprintf(out, "; where none is named, %s is meant",
			flags->fallback);
	}
	fprintf(out, ":\n");
	for (command = flags->commands; command->name != NULL; command++) {
		command_column(command, left);
		fprintf(out, "  %-*s  %s\n", (int)width, left,
			command->summary);
	}
	fprintf(out,
		"\n\"%s COMMAND -help\" prints the flags of a command.\n\n",
		flags->program);
}

/* Up to the flags. */
static void print_head(const struct flags *flags,
		       const struct flags_command *command, FILE *out)
{
	char arguments[LEFT_SIZE] = "";

	if (command != NULL) {
		append_arguments(arguments, command->arguments);
		fprintf(out, "%s %s: %s\n\nUsage: %s %s [flags]%s\n\n",
			flags->program, command->name, command->summary,
			flags->program, command->name, arguments);
		print_arguments(command->arguments, out);
		return;
	}
	append_arguments(arguments, flags->arguments);
	fprintf(out, "%s: %s\n\nUsage: %s [flags]%s%s\n\n", flags->program,
		flags->summary, flags->program, arguments,
		flags->commands == NULL	  ? ""
		: flags->fallback != NULL ? " [COMMAND ...]"
					  : " COMMAND ...");
	print_arguments(flags->arguments, out);
	if (flags->commands != NULL) {
		print_commands(flags, out);
	}
}

void usage_print(const struct flags *flags, const struct flags_command *command,
		 FILE *out)
{
	const struct flag *own = command != NULL ? command->table : NULL;
	size_t width = max(max(table_width(flags->table), table_width(own)),
			   strlen("-version"));

	print_head(flags, command, out);
	fprintf(out, "Flags, as -name=value or -name value, with one dash or "
		     "two; a flag goes before\nits environment variable, that "
		     "before the default:\n");
	print_table(flags, own, width, out);
	print_table(flags, flags->table, width, out);
	fprintf(out, "  %-*s  print this list\n", (int)width, "-help");
	fprintf(out, "  %-*s  print the version\n", (int)width, "-version");
	if (flags->notes != NULL) {
		fprintf(out, "\n%s", flags->notes);
	}
	fflush(out);
}
