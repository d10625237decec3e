#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "flags/flags.h"

static const char *const formats[] = { "text", "json", NULL };

static struct config {
	uint64_t port;
	uint64_t grpc_port;
	uint64_t in_flight_max;
	int64_t work_ns;
	int64_t grace_ns;
	int format;
	bool verbose;
	const char *db;
} c;

static const struct flag table[] = {
	FLAG_UINT("http-port", &c.port, "8080", 0, 65535, "port to serve on"),
	FLAG_UINT_ENV("grpc-port", &c.grpc_port, "50051", 0, 65535, "GRPC_Port",
		      "port for gRPC"),
	FLAG_UINT("max-in-flight", &c.in_flight_max, "4096", 1, UINT64_MAX,
		  "requests at once"),
	FLAG_DURATION("work", &c.work_ns, "3s", "how long a task takes"),
	{ .name = "grace",
	  .type = FLAG_TYPE_DURATION,
	  .value = &c.grace_ns,
	  .fallback = "5s",
	  .min = 1000000,
	  .max = 3600000000000,
	  .help = "how long to wait" },
	FLAG_CHOICE("log-format", &c.format, "text", formats, "how lines look"),
	FLAG_BOOL("verbose", &c.verbose, "say more"),
	FLAG_STRING("db", &c.db, "./test.db", "the database"),
	FLAG_END
};

static const struct flags flags = {
	.program = "echo",
	.summary = "answers what it was asked",
	.env_prefix = "ECHO",
	.version = "1.2.3",
	.table = table,
};

static struct status err;

/* Parse the arguments that @line holds, split at blanks. */
static enum flags_outcome parse(const char *line)
{
	static char text[1024];
	char *argv[32] = { text };
	int argc = 1;
	char *rest = NULL;

	memset(&c, 0xFF, sizeof(c));
	err = status_ok();
	(void)snprintf(text, sizeof(text), "echo %s", line);
	(void)strtok_r(text, " ", &rest);
	while ((argv[argc] = strtok_r(NULL, " ", &rest)) != NULL) {
		argc++;
	}
	return flags_parse(&flags, argc, argv, &err);
}

static void assert_refused(const char *line, const char *message)
{
	ck_assert_int_eq(parse(line), FLAGS_INVALID);
	ck_assert_str_eq(err.message, message);
	ck_assert_int_eq(err.code, STATUS_INVALID_ARGUMENT);
}

START_TEST(without_arguments_all_have_their_defaults)
{
	ck_assert_int_eq(parse(""), FLAGS_RUN);
	ck_assert_uint_eq(c.port, 8080);
	ck_assert_int_eq(c.work_ns, 3000000000);
	ck_assert_int_eq(c.grace_ns, 5000000000);
	ck_assert_int_eq(c.format, 0);
	ck_assert(!c.verbose);
	ck_assert_str_eq(c.db, "./test.db");
}
END_TEST

static const char *const spellings[] = {
	"-http-port=1 -work=2ms -log-format=json -verbose -db=x",
	"--http-port=1 --work=2ms --log-format=json --verbose --db=x",
	"-http-port 1 -work 2ms -log-format json -verbose=true -db x",
	"--http-port 1 --work 2ms --log-format json --verbose=1 --db x --",
	("-http-port=9 -db=y -work=1h -http-port=1 -work=2ms -verbose=F "
	 "-verbose=T -log-format json -db x"),
};

START_TEST(all_of_go_s_spellings_say_the_same)
{
	ck_assert_msg(parse(spellings[_i]) == FLAGS_RUN, "%s", err.message);
	ck_assert_uint_eq(c.port, 1);
	ck_assert_int_eq(c.work_ns, 2000000);
	ck_assert_int_eq(c.format, 1);
	ck_assert(c.verbose);
	ck_assert_str_eq(c.db, "x");
}
END_TEST

START_TEST(a_value_may_be_empty_or_begin_with_a_dash)
{
	ck_assert_int_eq(parse("-db="), FLAGS_RUN);
	ck_assert_str_eq(c.db, "");
	ck_assert_int_eq(parse("-db -x"), FLAGS_RUN);
	ck_assert_str_eq(c.db, "-x");
	ck_assert_int_eq(parse("-db=a=b"), FLAGS_RUN);
	ck_assert_str_eq(c.db, "a=b");
}
END_TEST

START_TEST(a_flag_goes_before_the_environment_before_the_default)
{
	setenv("ECHO_HTTP_PORT", "7", 1);
	setenv("ECHO_VERBOSE", "true", 1);
	setenv("ECHO_WORK", "", 1);
	ck_assert_int_eq(parse(""), FLAGS_RUN);
	ck_assert_uint_eq(c.port, 7);
	ck_assert(c.verbose);
	ck_assert_int_eq(c.work_ns, 3000000000);
	ck_assert_int_eq(parse("-http-port=8 -verbose=false"), FLAGS_RUN);
	ck_assert_uint_eq(c.port, 8);
	ck_assert(!c.verbose);
}
END_TEST

START_TEST(an_error_in_the_environment_names_the_variable)
{
	setenv("ECHO_HTTP_PORT", "tcp://10.0.0.1:80", 1);
	assert_refused("", "environment ECHO_HTTP_PORT: 'tcp://10.0.0.1:80' is "
			   "not a number from 0 to 65535");
	/* What a flag overrides does no harm. */
	ck_assert_int_eq(parse("-http-port=1"), FLAGS_RUN);
}
END_TEST

START_TEST(a_variable_may_have_a_name_of_its_own)
{
	setenv("GRPC_Port", "7", 1);
	setenv("ECHO_GRPC_PORT", "8", 1);
	ck_assert_int_eq(parse(""), FLAGS_RUN);
	ck_assert_uint_eq(c.grpc_port, 7);
	ck_assert_int_eq(parse("-grpc-port=9"), FLAGS_RUN);
	ck_assert_uint_eq(c.grpc_port, 9);
	setenv("GRPC_Port", "x", 1);
	assert_refused("", "environment GRPC_Port: 'x' is not a number from 0 "
			   "to 65535");
}
END_TEST

static const struct {
	const char *line;
	const char *message;
} refused[] = {
	{ "-http-port=70000",
	  "flag -http-port: '70000' is not a number from 0 to 65535" },
	{ "-http-port=-1",
	  "flag -http-port: '-1' is not a number from 0 to 65535" },
	{ "-http-port=",
	  "flag -http-port: '' is not a number from 0 to 65535" },
	{ "-http-port=0x10",
	  "flag -http-port: '0x10' is not a number from 0 to 65535" },
	{ "-http-port=99999999999999999999999",
	  "flag -http-port: '99999999999999999999999' is not a number from 0 "
	  "to 65535" },
	{ "-max-in-flight=0",
	  "flag -max-in-flight: '0' is not a number from 1 to "
	  "18446744073709551615" },
	{ "-http-port", "flag -http-port needs a value" },
	{ "--work 3",
	  "flag -work: '3' is not a duration such as 500ms, 3s or 1m30s" },
	{ "-grace=1us", "flag -grace: '1us' is not a duration from 1ms to 1h" },
	{ "-grace=2h", "flag -grace: '2h' is not a duration from 1ms to 1h" },
	{ "-log-format=xml", "flag -log-format: 'xml' is none of: text, json" },
	{ "-verbose=maybe",
	  "flag -verbose: 'maybe' is neither true nor false" },
	{ "-verbose true",
	  "unexpected argument 'true': there are only flags, see -help" },
	{ "-htp-port=1", "unknown flag -htp-port: did you mean -http-port?" },
	{ "-port=1", "unknown flag -port: did you mean -http-port?" },
	{ "-quux", "unknown flag -quux: see -help" },
	{ "-wrok=1", "unknown flag -wrok: did you mean -work?" },
	{ "-versoin", "unknown flag -versoin: did you mean -version?" },
	{ "---work=1s", "'---work=1s' is not a flag: -name=value is" },
	{ "-=1", "'-=1' is not a flag: -name=value is" },
	{ "-", "unexpected argument '-': there are only flags, see -help" },
	{ "-- x", "unexpected argument 'x': there are only flags, see -help" },
};

START_TEST(an_error_is_one_clear_line)
{
	assert_refused(refused[_i].line, refused[_i].message);
}
END_TEST

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

START_TEST(help_has_a_line_for_each_flag)
{
	static const char *const asked[] = { "-h", "-help", "--help",
					     "-work=1s --h -unknown" };
	const char *text = printed(asked[_i]);

	ck_assert_ptr_nonnull(
		strstr(text, "echo: answers what it was asked\n"));
	ck_assert_ptr_nonnull(
		strstr(text, "\n  -http-port number      port to serve on "
			     "(default 8080; environment ECHO_HTTP_PORT)\n"));
	ck_assert_ptr_nonnull(
		strstr(text, "\n  -log-format text|json  how lines look "
			     "(default text; environment ECHO_LOG_FORMAT)\n"));
	ck_assert_ptr_nonnull(
		strstr(text, "\n  -grpc-port number      port for gRPC "
			     "(default 50051; environment GRPC_Port)\n"));
	ck_assert_ptr_nonnull(strstr(text, "\n  -verbose  "));
	ck_assert_ptr_nonnull(strstr(text, "\n  -version  "));
}
END_TEST

START_TEST(version_is_program_and_version)
{
	ck_assert_str_eq(printed("--version"), "echo 1.2.3\n");
}
END_TEST

START_TEST(help_works_in_a_broken_environment)
{
	setenv("ECHO_HTTP_PORT", "many", 1);
	ck_assert_ptr_nonnull(strstr(printed("-help"), "Usage: echo [flags]"));
}
END_TEST

START_TEST(a_default_that_does_not_parse_stops_the_program)
{
	static const struct flag broken[] = {
		FLAG_UINT("n", &c.port, "many", 0, 9, "never"), FLAG_END
	};
	struct flags f = flags;
	char *argv[] = { NULL };

	f.table = broken;
	(void)!freopen("/dev/null", "w", stderr);
	(void)!flags_parse(&f, 0, argv, &err);
}
END_TEST

START_TEST(a_program_called_without_a_name_has_its_defaults)
{
	char *argv[] = { NULL };

	ck_assert_int_eq(flags_parse(&flags, 0, argv, &err), FLAGS_RUN);
	ck_assert_uint_eq(c.port, 8080);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("flags");
	TCase *tc = tcase_create("flags");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tc, without_arguments_all_have_their_defaults);
	tcase_add_loop_test(tc, all_of_go_s_spellings_say_the_same, 0,
			    sizeof(spellings) / sizeof(spellings[0]));
	tcase_add_test(tc, a_value_may_be_empty_or_begin_with_a_dash);
	tcase_add_test(tc,
		       a_flag_goes_before_the_environment_before_the_default);
	tcase_add_test(tc, an_error_in_the_environment_names_the_variable);
	tcase_add_test(tc, a_variable_may_have_a_name_of_its_own);
	tcase_add_loop_test(tc, an_error_is_one_clear_line, 0,
			    sizeof(refused) / sizeof(refused[0]));
	tcase_add_loop_test(tc, help_has_a_line_for_each_flag, 0, 4);
	tcase_add_test(tc, version_is_program_and_version);
	tcase_add_test(tc, help_works_in_a_broken_environment);
	tcase_add_test_raise_signal(
		tc, a_default_that_does_not_parse_stops_the_program, SIGABRT);
	tcase_add_test(tc, a_program_called_without_a_name_has_its_defaults);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
