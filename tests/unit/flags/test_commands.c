/* Commands, and arguments that stand by themselves. */
#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "flags/flags.h"

static struct config {
	size_t command;
	const char *target;
	uint64_t count;
	uint64_t limit;
	uint64_t quantity; /* of run and of create */
	const char *id;
	const char *note;
	const char *key;
} c;

enum { RUN, CREATE, GET, LIST };

static const struct flag table[] = {
	FLAG_STRING("target", &c.target, "localhost:1", "where it is"), FLAG_END
};
static const struct flag run_table[] = {
	FLAG_UINT("count", &c.count, "7", 0, 99, "how many"),
	FLAG_UINT("quantity", &c.quantity, "100", 1, 999, "how much of each"),
	FLAG_END
};
static const struct flag create_table[] = {
	FLAG_UINT("quantity", &c.quantity, "1", 1, 999, "how much"),
	FLAG_STRING("key", &c.key, NULL, "makes it safe to ask again"), FLAG_END
};
static const struct flag list_table[] = {
	FLAG_UINT("limit", &c.limit, "20", 0, 99, "at most"), FLAG_END
};
static const struct flag_argument get_arguments[] = {
	FLAG_ARGUMENT("ID", &c.id, "which one"),
	FLAG_ARGUMENT_OPTIONAL("NOTE", &c.note, "why"), FLAG_ARGUMENT_END
};
static const struct flags_command commands[] = {
	{ "run", "send one a second", run_table, NULL },
	{ "create", "make one", create_table, NULL },
	{ "get", "print one", NULL, get_arguments },
	{ "list", "print all", list_table, NULL },
	FLAGS_COMMAND_END
};
static const struct flags with_fallback = {
	.program = "orders",
	.summary = "Asks for orders.",
	.env_prefix = "ORDERS",
	.version = "1.2.3",
	.table = table,
	.notes = "Exit codes:\n  0  well\n",
	.commands = commands,
	.fallback = "run",
	.command = &c.command,
};
static struct flags flags;

static struct status err;

static void set_up(void)
{
	flags = with_fallback;
}

/* Parse the arguments that @line holds, split at blanks. */
static enum flags_outcome parse(const char *line)
{
	static char text[1024];
	char *argv[32] = { text };
	int argc = 1;
	char *rest = NULL;

	memset(&c, 0xFF, sizeof(c));
	err = status_ok();
	(void)snprintf(text, sizeof(text), "orders %s", line);
	(void)strtok_r(text, " ", &rest);
	while ((argv[argc] = strtok_r(NULL, " ", &rest)) != NULL) {
		argc++;
	}
	return flags_parse(&flags, argc, argv, &err);
}

static void assert_parsed(const char *line)
{
	ck_assert_msg(parse(line) == FLAGS_RUN, "%s: %s", line, err.message);
}

static void assert_refused(const char *line, const char *message)
{
	ck_assert_int_eq(parse(line), FLAGS_INVALID);
	ck_assert_str_eq(err.message, message);
	ck_assert_int_eq(err.code, STATUS_INVALID_ARGUMENT);
}

/* ---- commands ----------------------------------------------------------- */

START_TEST(a_command_has_flags_and_arguments_of_its_own)
{
	assert_parsed("list -limit 3");
	ck_assert_uint_eq(c.command, LIST);
	ck_assert_uint_eq(c.limit, 3);
	assert_parsed("get abc");
	ck_assert_uint_eq(c.command, GET);
	ck_assert_str_eq(c.id, "abc");
	ck_assert_ptr_null(c.note);
	/* What belongs to others has its default. */
	ck_assert_uint_eq(c.limit, 20);
	ck_assert_uint_eq(c.count, 7);
}
END_TEST

static const char *const spellings[] = {
	"-target=x get abc why",    "get -target=x abc why",
	"get abc -target x why",    "get abc why --target=x",
	"-target x get -- abc why", "-target x -- get abc why",
};

START_TEST(flags_of_all_commands_may_stand_anywhere)
{
	assert_parsed(spellings[_i]);
	ck_assert_uint_eq(c.command, GET);
	ck_assert_str_eq(c.target, "x");
	ck_assert_str_eq(c.id, "abc");
	ck_assert_str_eq(c.note, "why");
}
END_TEST

START_TEST(behind_two_dashes_nothing_is_a_flag)
{
	assert_parsed("get -- -target --");
	ck_assert_str_eq(c.id, "-target");
	ck_assert_str_eq(c.note, "--");
	ck_assert_str_eq(c.target, "localhost:1");
}
END_TEST

START_TEST(the_fallback_needs_no_name)
{
	assert_parsed("");
	ck_assert_uint_eq(c.command, RUN);
	assert_parsed("-target=x");
	ck_assert_uint_eq(c.command, RUN);
	assert_parsed("-target=x -count=3 -quantity=5");
	ck_assert_uint_eq(c.command, RUN);
	ck_assert_uint_eq(c.count, 3);
	ck_assert_uint_eq(c.quantity, 5);
}
END_TEST

START_TEST(a_default_is_that_of_the_chosen_command)
{
	assert_parsed("run");
	ck_assert_uint_eq(c.quantity, 100);
	assert_parsed("create");
	ck_assert_uint_eq(c.quantity, 1);
	assert_parsed("-count=1");
	ck_assert_uint_eq(c.quantity, 100);
}
END_TEST

START_TEST(without_a_fallback_a_command_must_be_named)
{
	flags.fallback = NULL;
	assert_refused("", "a command is missing: see -help");
	assert_refused("-target=x", "a command is missing: see -help");
	assert_refused("-count=3", "flag -count belongs to the command 'run', "
				   "which goes before it");
	assert_parsed("list");
	ck_assert_uint_eq(c.command, LIST);
}
END_TEST

START_TEST(the_environment_sets_the_chosen_command_s_flags)
{
	setenv("ORDERS_LIMIT", "5", 1);
	setenv("ORDERS_TARGET", "there", 1);
	setenv("ORDERS_COUNT", "many", 1);
	assert_parsed("list");
	ck_assert_uint_eq(c.limit, 5);
	ck_assert_str_eq(c.target, "there");
	assert_parsed("list -limit=6");
	ck_assert_uint_eq(c.limit, 6);
	assert_refused("run",
		       "environment ORDERS_COUNT: 'many' is not a number "
		       "from 0 to 99");
	assert_refused("", "environment ORDERS_COUNT: 'many' is not a number "
			   "from 0 to 99");
}
END_TEST

static const struct {
	const char *line;
	const char *message;
} refused[] = {
	{ "lsit", "unknown command 'lsit': did you mean 'list'?" },
	{ "gte abc", "unknown command 'gte': did you mean 'get'?" },
	{ "remove", "unknown command 'remove': see -help" },
	{ "-", "unknown command '-': see -help" },
	{ "a\x01", "unknown command 'a?': see -help" },
	{ "get", "the argument ID is missing: see -help" },
	{ "get a b c", "'c' is one argument too many: see -help" },
	{ "list a",
	  "unexpected argument 'a': there are only flags, see -help" },
	{ "run run",
	  "unexpected argument 'run': there are only flags, see -help" },
	{ "-count=3 list",
	  "'list' comes too late: a command goes before its own flags" },
	{ "-count=3 lsit", "unknown command 'lsit': did you mean 'list'?" },
	{ "get a -limit=3", "flag -limit belongs to the command 'list'" },
	{ "-limit=3 list", "flag -limit belongs to the command 'list', which "
			   "goes before it" },
	{ "list -limti=3", "unknown flag -limti: did you mean -limit?" },
	{ "-cuont=3", "unknown flag -cuont: did you mean -count?" },
	{ "list -limit=x", "flag -limit: 'x' is not a number from 0 to 99" },
};

START_TEST(an_error_is_one_clear_line)
{
	assert_refused(refused[_i].line, refused[_i].message);
}
END_TEST

/* ---- arguments without commands ----------------------------------------- */

static void without_commands(void)
{
	flags.commands = NULL;
	flags.fallback = NULL;
	flags.command = NULL;
	flags.arguments = get_arguments;
}

START_TEST(a_program_without_commands_may_have_arguments)
{
	without_commands();
	assert_parsed("abc -target=x why");
	ck_assert_str_eq(c.id, "abc");
	ck_assert_str_eq(c.note, "why");
	ck_assert_str_eq(c.target, "x");
	assert_parsed("get");
	ck_assert_str_eq(c.id, "get");
	ck_assert_ptr_null(c.note);
	assert_refused("", "the argument ID is missing: see -help");
	assert_refused("a b c", "'c' is one argument too many: see -help");
}
END_TEST

/* ---- help --------------------------------------------------------------- */

/* What @line makes the program print, up to one buffer. */
static const char *printed(const char *line)
{
	static char text[8192];
	FILE *file = tmpfile();
	int out = dup(STDOUT_FILENO);
	size_t size;

	fflush(stdout);
	dup2(fileno(file), STDOUT_FILENO);
	ck_assert_int_eq(parse(line), FLAGS_EXIT);
	fflush(stdout);
	dup2(out, STDOUT_FILENO);
	close(out);
	rewind(file);
	size = fread(text, 1, sizeof(text) - 1, file);
	text[size] = '\0';
	fclose(file);
	return text;
}

#define ASSERT_HAS(text, part)                                                 \
	ck_assert_msg(strstr(text, part) != NULL, "lacks \"%s\":\n%s", part,   \
		      text)

START_TEST(help_lists_the_commands)
{
	const char *text = printed("-help");

	ASSERT_HAS(text, "orders: Asks for orders.\n\n"
			 "Usage: orders [flags] [COMMAND ...]\n\n");
	ASSERT_HAS(text, "\nCommands; where none is named, run is meant:\n"
			 "  run            send one a second\n");
	ASSERT_HAS(text, "\n  get ID [NOTE]  print one\n");
	ASSERT_HAS(text, "\"orders COMMAND -help\" prints");
	ASSERT_HAS(text, "\n  -target text  where it is (default localhost:1; "
			 "environment ORDERS_TARGET)\n");
	ASSERT_HAS(text, "\n\nExit codes:\n  0  well\n");
	ck_assert_ptr_null(strstr(text, "-limit"));
}
END_TEST

START_TEST(help_of_a_command_lists_what_is_its_own)
{
	const char *text = printed("get -help");

	ASSERT_HAS(text, "orders get: print one\n\n"
			 "Usage: orders get [flags] ID [NOTE]\n\n"
			 "Arguments:\n"
			 "  ID    which one\n"
			 "  NOTE  why\n\n");
	ASSERT_HAS(text, "\n  -target text  ");
	ASSERT_HAS(text, "\n\nExit codes:\n");
	text = printed("-target=x list -limit=3 -h");
	ASSERT_HAS(text, "Usage: orders list [flags]\n\n");
	ASSERT_HAS(text, "\n  -limit number  at most (default 20; environment "
			 "ORDERS_LIMIT)\n"
			 "  -target text   where it is");
	ck_assert_ptr_null(strstr(text, "-count"));
}
END_TEST

START_TEST(help_of_a_program_with_arguments_names_them)
{
	without_commands();
	ASSERT_HAS(printed("-help"), "Usage: orders [flags] ID [NOTE]\n\n"
				     "Arguments:\n  ID    which one\n");
}
END_TEST

/* ---- what does not hold together ---------------------------------------- */

static const struct flag_argument disordered[] = {
	FLAG_ARGUMENT_OPTIONAL("NOTE", &c.note, "why"),
	FLAG_ARGUMENT("ID", &c.id, "which one"), FLAG_ARGUMENT_END
};

static void fallback_unknown(void)
{
	flags.fallback = "walk";
}

static void fallback_with_arguments(void)
{
	flags.fallback = "get";
}

static void command_untold(void)
{
	flags.command = NULL;
}

static void arguments_disordered(void)
{
	without_commands();
	flags.arguments = disordered;
}

static void (*const breakers[])(void) = {
	fallback_unknown,
	fallback_with_arguments,
	command_untold,
	arguments_disordered,
};

START_TEST(a_declaration_that_does_not_hold_together_stops_the_program)
{
	breakers[_i]();
	(void)!freopen("/dev/null", "w", stderr);
	(void)!parse("x");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("commands");
	TCase *tc = tcase_create("commands");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, set_up, NULL);
	tcase_add_test(tc, a_command_has_flags_and_arguments_of_its_own);
	tcase_add_loop_test(tc, flags_of_all_commands_may_stand_anywhere, 0,
			    sizeof(spellings) / sizeof(spellings[0]));
	tcase_add_test(tc, behind_two_dashes_nothing_is_a_flag);
	tcase_add_test(tc, the_fallback_needs_no_name);
	tcase_add_test(tc, a_default_is_that_of_the_chosen_command);
	tcase_add_test(tc, without_a_fallback_a_command_must_be_named);
	tcase_add_test(tc, the_environment_sets_the_chosen_command_s_flags);
	tcase_add_loop_test(tc, an_error_is_one_clear_line, 0,
			    sizeof(refused) / sizeof(refused[0]));
	tcase_add_test(tc, a_program_without_commands_may_have_arguments);
	tcase_add_test(tc, help_lists_the_commands);
	tcase_add_test(tc, help_of_a_command_lists_what_is_its_own);
	tcase_add_test(tc, help_of_a_program_with_arguments_names_them);
	tcase_add_loop_test_raise_signal(
		tc, a_declaration_that_does_not_hold_together_stops_the_program,
		SIGABRT, 0, sizeof(breakers) / sizeof(breakers[0]));
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
