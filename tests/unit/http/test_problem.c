#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "http/problem.h"

static struct http_problem problem;

static void setup(void)
{
	problem = (struct http_problem){
		.status = 503,
		.title = "Service Unavailable",
		.detail = "no worker",
		.instance = "/echo",
		.request_id = "r-1",
		.code = "UNAVAILABLE",
	};
}

static char *write_text(void)
{
	size_t size;
	char *text = http_problem_text(&problem, &size);

	text = realloc(text, size + 1);
	ck_assert_ptr_nonnull(text);
	text[size] = '\0';
	ck_assert_uint_eq(strlen(text), size);
	return text;
}

START_TEST(all_members_are_written)
{
	char *text = write_text();

	ck_assert_str_eq(text,
			 "{\"type\":\"about:blank\","
			 "\"title\":\"Service Unavailable\",\"status\":503,"
			 "\"detail\":\"no worker\",\"instance\":\"/echo\","
			 "\"request_id\":\"r-1\",\"code\":\"UNAVAILABLE\"}\n");
	free(text);
}
END_TEST

START_TEST(an_unknown_request_id_is_left_out)
{
	char *text;

	problem.request_id = "";
	text = write_text();
	ck_assert_ptr_null(strstr(text, "request_id"));
	free(text);
}
END_TEST

START_TEST(texts_are_escaped)
{
	char *text;

	problem.detail = "\"\\\n\x01\x7F\xC3\xA9\xFF.";
	text = write_text();
	ck_assert_ptr_nonnull(strstr(text, "\"detail\":\"\\\"\\\\\\n\\u0001"
					   "\\u007f\xC3\xA9\xEF\xBF\xBD.\""));
	free(text);
}
END_TEST

START_TEST(the_path_stays_a_uri)
{
	char *text;

	problem.instance = "/a b\"\\\xC3<%41";
	text = write_text();
	ck_assert_ptr_nonnull(
		strstr(text, "\"instance\":\"/a%20b%22%5C%C3%3C%41\""));
	free(text);
}
END_TEST

START_TEST(nothing_outgrows_the_buffer)
{
	char worst[8001];
	char *text;

	memset(worst, '\x01', sizeof(worst) - 1);
	worst[sizeof(worst) - 1] = '\0';
	problem.detail = problem.title = problem.request_id = worst;
	problem.instance = worst + sizeof(worst) - 1025;
	text = write_text();
	ck_assert_uint_gt(strlen(text), 3 * 6 * 8000);
	free(text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("http_problem");
	TCase *tc = tcase_create("problem");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, all_members_are_written);
	tcase_add_test(tc, an_unknown_request_id_is_left_out);
	tcase_add_test(tc, texts_are_escaped);
	tcase_add_test(tc, the_path_stays_a_uri);
	tcase_add_test(tc, nothing_outgrows_the_buffer);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
