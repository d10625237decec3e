#include <check.h>
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log/log.h"

/* The log goes to an unlinked file, from which a test reads it back. */
static int fd;
static struct loop *loop;
static struct ctx *root;
static char text[64 * 1024];

static void setup(void)
{
	char path[] = "/tmp/rescind-test-log-XXXXXX";
	struct status err;

	fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	unlink(path);
	ck_assert_int_eq(loop_new(&loop, &err), STATUS_OK);
	ck_assert_int_eq(ctx_root(loop, &root, &err), STATUS_OK);
}

static void teardown(void)
{
	log_close();
	ctx_unref(root);
	loop_free(loop);
	close(fd);
}

static void open_log(enum log_format format)
{
	const struct log_options options = { .component = "WORKER",
					     .level = LOG_INFO,
					     .format = format,
					     .fd = fd };
	struct status err;

	ck_assert_int_eq(log_init(&options, &err), STATUS_OK);
}

/* What was logged so far. */
static const char *logged(void)
{
	ssize_t size;

	log_flush();
	size = pread(fd, text, sizeof(text) - 1, 0);
	ck_assert_int_ge(size, 0);
	text[size] = '\0';
	return text;
}

/* What was logged, as one object of JSON in one line. */
static json_t *logged_json(void)
{
	json_error_t error;
	json_t *object;

	logged();
	ck_assert_ptr_eq(strchr(text, '\n'), text + strlen(text) - 1);
	object = json_loads(text, JSON_REJECT_DUPLICATES, &error);
	ck_assert_msg(object != NULL, "%s in %s", error.text, text);
	return object;
}

static const char *member(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	ck_assert_msg(value != NULL, "no text '%s' in %s", key, text);
	return value;
}

static struct ctx *request(void)
{
	struct ctx *ctx = ctx_new(root, CLOCK_NEVER);
	struct trace trace = trace_continue(
		"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");

	ctx_set_request_id(ctx, "r1");
	ctx_set_trace(ctx, &trace);
	return ctx;
}

START_TEST(a_text_line_has_time_level_component_message_and_fields)
{
	struct ctx *ctx = request();

	open_log(LOG_TEXT);
	log_info(ctx,
		 LOG_FIELDS(LOG_INT("rows", 1), LOG_STR("cause", "finished"),
			    LOG_MS("took_ms", 1234567)),
		 "TRANSACTION COMMITTED for task_id=%s", "t1");
	ctx_unref(ctx);
	logged();
	ck_assert_uint_gt(strlen(text), 28);
	ck_assert_int_eq(text[10], 'T');
	ck_assert_int_eq(text[19], '.');
	ck_assert_str_eq(text + 26,
			 "Z INFO  [WORKER] TRANSACTION COMMITTED for "
			 "task_id=t1 request_id=r1 "
			 "trace_id=0af7651916cd43dd8448eb211c80319c rows=1 "
			 "cause=finished took_ms=1.234\n");
}
END_TEST

START_TEST(a_json_line_parses_and_has_the_same_members)
{
	struct ctx *ctx = request();
	json_t *object;

	open_log(LOG_JSON);
	log_warn(ctx,
		 LOG_FIELDS(LOG_INT("rows", -1), LOG_STR("cause", "deadline"),
			    LOG_MS("took_ms", -2500000)),
		 "say \"%s\"", "hello");
	ctx_unref(ctx);
	object = logged_json();
	ck_assert_str_eq(member(object, "level"), "warn");
	ck_assert_str_eq(member(object, "component"), "WORKER");
	ck_assert_str_eq(member(object, "msg"), "say \"hello\"");
	ck_assert_str_eq(member(object, "request_id"), "r1");
	ck_assert_str_eq(member(object, "trace_id"),
			 "0af7651916cd43dd8448eb211c80319c");
	ck_assert_str_eq(member(object, "cause"), "deadline");
	ck_assert_uint_eq(strlen(member(object, "ts")), 27);
	ck_assert_int_eq(json_integer_value(json_object_get(object, "rows")),
			 -1);
	ck_assert_int_eq(json_integer_value(json_object_get(object, "pid")),
			 getpid());
	ck_assert_double_eq(json_real_value(json_object_get(object, "took_ms")),
			    -2.5);
	json_decref(object);
}
END_TEST

/* Everything a client could put into a value, in one string. */
static void fill_with_all_bytes(char *bytes)
{
	for (int c = 1; c < 256; c++) {
		bytes[c - 1] = (char)c;
	}
	bytes[255] = '\0';
}

START_TEST(what_a_client_sent_stays_in_one_line_of_json)
{
	char bytes[256];
	json_t *object;

	fill_with_all_bytes(bytes);
	open_log(LOG_JSON);
	log_info(NULL, LOG_FIELDS(LOG_STR("value", bytes)), "%s", bytes);
	object = logged_json();
	ck_assert_int_eq(strncmp(member(object, "msg"), bytes, 0x7f), 0);
	ck_assert_int_eq(strncmp(member(object, "value"), bytes, 0x7f), 0);
	json_decref(object);
}
END_TEST

START_TEST(what_a_client_sent_stays_in_one_line_of_text)
{
	open_log(LOG_TEXT);
	log_info(NULL, LOG_FIELDS(LOG_STR("id", "x y=1\nINFO \"fake\"")),
		 "got %s", "\x1b[2J\r\nfake line");
	ck_assert_str_eq(logged() + 26,
			 "Z INFO  [WORKER] got \\x1b[2J\\r\\nfake line "
			 "id=\"x y=1\\nINFO \\\"fake\\\"\"\n");
}
END_TEST

START_TEST(an_overlong_line_is_cut_and_still_parses)
{
	char *huge = malloc(20001);
	json_t *object;

	memset(huge, '\x01', 20000);
	huge[20000] = '\0';
	open_log(LOG_JSON);
	log_info(NULL,
		 LOG_FIELDS(LOG_STR("a", huge), LOG_STR("b", huge),
			    LOG_STR("c", huge), LOG_STR("d", huge),
			    LOG_INT("e", 1)),
		 "%s", huge);
	object = logged_json();
	ck_assert(json_is_true(json_object_get(object, "cut")));
	ck_assert_uint_gt(strlen(member(object, "msg")), 600);
	ck_assert_uint_gt(strlen(member(object, "c")), 150);
	ck_assert_ptr_null(json_object_get(object, "d"));
	ck_assert_int_eq(json_integer_value(json_object_get(object, "e")), 1);
	json_decref(object);
	free(huge);
}
END_TEST

START_TEST(fields_without_a_text_are_empty)
{
	open_log(LOG_TEXT);
	log_info(root, LOG_FIELDS(LOG_STR("cause", NULL)), "x");
	ck_assert_str_eq(logged() + 26, "Z INFO  [WORKER] x cause=\"\"\n");
}
END_TEST

START_TEST(lines_below_the_level_are_left_out)
{
	open_log(LOG_TEXT);
	log_debug(NULL, NULL, "unseen");
	ck_assert_str_eq(logged(), "");
	log_set_level(LOG_ERROR);
	ck_assert(!log_enabled(LOG_WARN));
	log_warn(NULL, NULL, "unseen");
	ck_assert_str_eq(logged(), "");
	log_set_level(LOG_DEBUG);
	log_debug(NULL, NULL, "seen");
	ck_assert_str_eq(logged() + 26, "Z DEBUG [WORKER] seen\n");
}
END_TEST

START_TEST(without_init_lines_go_to_stderr_at_once)
{
	ck_assert_int_eq(dup2(fd, STDERR_FILENO), STDERR_FILENO);
	log_error(NULL, NULL, "too early");
	ck_assert_int_gt(pread(fd, text, sizeof(text), 0), 0);
	ck_assert_ptr_nonnull(strstr(text, "ERROR [test_log] too early\n"));
}
END_TEST

START_TEST(after_the_close_lines_are_written_at_once)
{
	open_log(LOG_TEXT);
	log_info(NULL, NULL, "first");
	log_close();
	log_info(NULL, NULL, "second");
	ck_assert_int_gt(pread(fd, text, sizeof(text), 0), 0);
	ck_assert_ptr_nonnull(strstr(text, "first\n"));
	ck_assert_ptr_nonnull(strstr(text, "second\n"));
}
END_TEST

START_TEST(a_second_init_stops_the_process)
{
	open_log(LOG_TEXT);
	open_log(LOG_TEXT);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("log");
	TCase *tc = tcase_create("log");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc,
		       a_text_line_has_time_level_component_message_and_fields);
	tcase_add_test(tc, a_json_line_parses_and_has_the_same_members);
	tcase_add_test(tc, what_a_client_sent_stays_in_one_line_of_json);
	tcase_add_test(tc, what_a_client_sent_stays_in_one_line_of_text);
	tcase_add_test(tc, an_overlong_line_is_cut_and_still_parses);
	tcase_add_test(tc, fields_without_a_text_are_empty);
	tcase_add_test(tc, lines_below_the_level_are_left_out);
	tcase_add_test(tc, without_init_lines_go_to_stderr_at_once);
	tcase_add_test(tc, after_the_close_lines_are_written_at_once);
	tcase_add_test_raise_signal(tc, a_second_init_stops_the_process,
				    SIGABRT);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
