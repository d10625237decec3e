#include "stock_order/client/tally.h"

#include <string.h>

#include "suite.h"

static struct tally tally;

static void answer(enum status_code code, int times)
{
	for (int i = 0; i < times; i++) {
		tally_send(&tally);
		tally_answer(&tally, code, 1000);
	}
}

START_TEST(each_outcome_is_counted_as_what_it_is)
{
	answer(STATUS_OK, 3);
	answer(STATUS_INVALID_ARGUMENT, 2);
	answer(STATUS_CANCELLED, 1);
	ck_assert_uint_eq(tally.sent, 6);
	ck_assert_uint_eq(tally.accepted, 3);
	ck_assert_uint_eq(tally.failed, 2);
	ck_assert_uint_eq(tally.cancelled, 1);
	ck_assert_uint_eq(tally.latency.count, 3);
}
END_TEST

START_TEST(when_none_failed_all_is_well)
{
	ck_assert_int_eq(tally_exit(&tally), CLIENT_EXIT_OK);
	answer(STATUS_CANCELLED, 1);
	ck_assert_int_eq(tally_exit(&tally), CLIENT_EXIT_OK);
	answer(STATUS_OK, 1);
	ck_assert_int_eq(tally_exit(&tally), CLIENT_EXIT_OK);
}
END_TEST

START_TEST(what_all_failures_have_in_common_is_told)
{
	answer(STATUS_UNAVAILABLE, 3);
	ck_assert_int_eq(tally_exit(&tally), CLIENT_EXIT_UNREACHABLE);
	answer(STATUS_CANCELLED, 1);
	ck_assert_int_eq(tally_exit(&tally), CLIENT_EXIT_UNREACHABLE);
	answer(STATUS_DEADLINE_EXCEEDED, 1);
	ck_assert_int_eq(tally_exit(&tally), CLIENT_EXIT_FAILED);
	answer(STATUS_UNAVAILABLE, 1);
	ck_assert_int_eq(tally_exit(&tally), CLIENT_EXIT_FAILED);
}
END_TEST

START_TEST(one_accepted_makes_the_rest_some_failures)
{
	answer(STATUS_DEADLINE_EXCEEDED, 2);
	ck_assert_int_eq(tally_exit(&tally), CLIENT_EXIT_TIMEOUT);
	answer(STATUS_OK, 1);
	ck_assert_int_eq(tally_exit(&tally), CLIENT_EXIT_FAILED);
}
END_TEST

static const struct {
	enum status_code code;
	enum client_exit exit;
} exits[] = {
	{ STATUS_OK, 0 },
	{ STATUS_CANCELLED, 1 },
	{ STATUS_UNKNOWN, 1 },
	{ STATUS_INVALID_ARGUMENT, 2 },
	{ STATUS_DEADLINE_EXCEEDED, 6 },
	{ STATUS_NOT_FOUND, 3 },
	{ STATUS_ALREADY_EXISTS, 4 },
	{ STATUS_PERMISSION_DENIED, 1 },
	{ STATUS_RESOURCE_EXHAUSTED, 1 },
	{ STATUS_FAILED_PRECONDITION, 4 },
	{ STATUS_ABORTED, 4 },
	{ STATUS_OUT_OF_RANGE, 2 },
	{ STATUS_UNIMPLEMENTED, 1 },
	{ STATUS_INTERNAL, 1 },
	{ STATUS_UNAVAILABLE, 7 },
	{ STATUS_DATA_LOSS, 1 },
	{ STATUS_UNAUTHENTICATED, 1 },
};

START_TEST(every_status_has_an_exit_code)
{
	ck_assert_uint_eq(sizeof(exits) / sizeof(exits[0]), STATUS_CODE_NR);
	for (size_t i = 0; i < STATUS_CODE_NR; i++) {
		ck_assert_int_eq(client_exit_of(exits[i].code), exits[i].exit);
	}
	ck_assert_int_eq(client_exit_of((enum status_code)99), 1);
}
END_TEST

START_TEST(help_has_a_line_for_each_exit_code)
{
	ck_assert_ptr_nonnull(strstr(CLIENT_EXIT_NOTES, "Exit codes:\n  0  "));
	ck_assert_ptr_nonnull(
		strstr(CLIENT_EXIT_NOTES, "\n  3  there is no such order\n"));
	ck_assert_ptr_nonnull(strstr(CLIENT_EXIT_NOTES, "\n  7  no server"));
}
END_TEST

static void set_up(void)
{
	tally = (struct tally){ 0 };
}

int main(void)
{
	TCase *tc = tcase_create("tally");

	tcase_add_checked_fixture(tc, set_up, NULL);
	tcase_add_test(tc, each_outcome_is_counted_as_what_it_is);
	tcase_add_test(tc, when_none_failed_all_is_well);
	tcase_add_test(tc, what_all_failures_have_in_common_is_told);
	tcase_add_test(tc, one_accepted_makes_the_rest_some_failures);
	tcase_add_test(tc, every_status_has_an_exit_code);
	tcase_add_test(tc, help_has_a_line_for_each_exit_code);
	return run_case(tc, "tally");
}
