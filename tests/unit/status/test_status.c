#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "status/status.h"

START_TEST(context_reads_from_the_outside_in)
{
	struct status st;

	ck_assert_int_eq(
		status_set(&st, STATUS_NOT_FOUND, "no order '%s'", "x"),
		STATUS_NOT_FOUND);
	ck_assert_int_eq(status_wrap(&st, "cancel order %d", 7),
			 STATUS_NOT_FOUND);
	ck_assert_str_eq(st.message, "cancel order 7: no order 'x'");
}
END_TEST

START_TEST(errno_text_is_appended)
{
	struct status st;

	status_set_errno(&st, STATUS_PERMISSION_DENIED, EACCES, "open '%s'",
			 "/x");
	ck_assert_str_eq(st.message, "open '/x': Permission denied");
}
END_TEST

START_TEST(a_message_that_does_not_fit_is_cut_between_characters)
{
	struct status st;
	char text[2000];

	for (size_t i = 0; i + 2 < sizeof(text); i += 2) {
		memcpy(text + i, "\xC3\xA9", 3);
	}
	for (int shift = 0; shift < 2; shift++) {
		size_t size;

		status_set(&st, STATUS_UNKNOWN, "%s%s", shift ? "a" : "", text);
		size = strlen(st.message);
		ck_assert_uint_lt(size, sizeof(st.message));
		ck_assert_str_eq(st.message + size - 3, "...");
		ck_assert_uint_eq((size - 3 - (size_t)shift) % 2, 0);
	}
}
END_TEST

START_TEST(every_code_has_its_name_and_http_status)
{
	ck_assert_str_eq(status_code_name(STATUS_DEADLINE_EXCEEDED),
			 "DEADLINE_EXCEEDED");
	ck_assert_str_eq(status_code_go_name(STATUS_CANCELLED), "Canceled");
	ck_assert_int_eq(status_http(STATUS_CANCELLED), 499);
	ck_assert_int_eq(status_http(STATUS_DEADLINE_EXCEEDED), 504);
	ck_assert_int_eq(status_http(STATUS_UNAVAILABLE), 503);
	for (int code = 0; code < STATUS_CODE_NR; code++) {
		ck_assert_ptr_nonnull(status_code_name((enum status_code)code));
		ck_assert_int_ge(status_http((enum status_code)code), 200);
	}
}
END_TEST

START_TEST(a_code_outside_the_list_is_unknown)
{
	ck_assert_str_eq(status_code_name((enum status_code)99), "UNKNOWN");
	ck_assert_str_eq(status_code_name((enum status_code) - 1), "UNKNOWN");
}
END_TEST

START_TEST(a_caller_may_want_only_the_code)
{
	ck_assert_int_eq(status_set(NULL, STATUS_ABORTED, "x"), STATUS_ABORTED);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("status");
	TCase *tc = tcase_create("status");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tc, context_reads_from_the_outside_in);
	tcase_add_test(tc, errno_text_is_appended);
	tcase_add_test(tc,
		       a_message_that_does_not_fit_is_cut_between_characters);
	tcase_add_test(tc, every_code_has_its_name_and_http_status);
	tcase_add_test(tc, a_code_outside_the_list_is_unknown);
	tcase_add_test(tc, a_caller_may_want_only_the_code);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
