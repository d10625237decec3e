#include "stock_order/client/run_text.h"

#include <string.h>

#include "suite.h"

static char text[RUN_LINE_SIZE];

static void expect_outcome(enum status_code code, const char *message,
			   const char *id, const char *line)
{
	const struct order_outcome outcome = {
		.number = 7,
		.status = status_make(code, "%s", message),
		.id = id,
		.took_ns = 1204567,
	};
	size_t size = run_text_outcome(&outcome, text, sizeof(text));

	ck_assert_str_eq(text, line);
	ck_assert_uint_eq(size, strlen(line));
}

START_TEST(an_outcome_is_a_line)
{
	expect_outcome(STATUS_OK, "", "6f8e", "7 accepted 1.204ms 6f8e\n");
	expect_outcome(STATUS_UNAVAILABLE, "connection refused", NULL,
		       "7 failed 1.204ms UNAVAILABLE: connection refused\n");
	expect_outcome(STATUS_CANCELLED, "not waited for", NULL,
		       "7 cancelled 1.204ms\n");
}
END_TEST

START_TEST(what_a_server_says_can_t_command_the_terminal)
{
	expect_outcome(STATUS_INTERNAL, "a\x1b[2Jb\r\nc\t\x7f", NULL,
		       "7 failed 1.204ms INTERNAL: a?[2Jb??c??\n");
	expect_outcome(STATUS_OK, "", "i\nd", "7 accepted 1.204ms i?d\n");
	/* C1: U+009B is an escape to some terminals. */
	expect_outcome(STATUS_INTERNAL, "x\xC2\x9By", NULL,
		       "7 failed 1.204ms INTERNAL: x"
		       "\?\?y\n");
	/* Not UTF-8: an escape of eight bits, alone and cut. */
	expect_outcome(STATUS_INTERNAL, "x\x9By\xC3", NULL,
		       "7 failed 1.204ms INTERNAL: x?y?\n");
	expect_outcome(STATUS_INTERNAL, "caf\xC3\xA9 \xE2\x82\xAC", NULL,
		       "7 failed 1.204ms INTERNAL: caf\xC3\xA9 "
		       "\xE2\x82\xAC\n");
}
END_TEST

START_TEST(the_longest_reason_fits)
{
	char long_message[STATUS_MESSAGE_SIZE];

	memset(long_message, 'x', sizeof(long_message) - 1);
	long_message[sizeof(long_message) - 1] = '\0';
	const struct order_outcome outcome = {
		.number = UINT64_MAX,
		.status = status_make(STATUS_FAILED_PRECONDITION, "%s",
				      long_message),
		.took_ns = INT64_MAX,
	};
	size_t size = run_text_outcome(&outcome, text, sizeof(text));

	ck_assert_uint_eq(size, strlen(text));
	ck_assert_int_eq(text[size - 1], '\n');
	ck_assert_ptr_nonnull(strstr(text, long_message));
}
END_TEST

static const struct {
	int64_t ns;
	const char *text;
} times[] = {
	{ 0, "0s" },
	{ 1, "1ns" },
	{ 311245, "311.245us" },
	{ 999999, "999.999us" },
	{ 1000000, "1ms" },
	{ 1204567, "1.204ms" },
	{ 999999999, "999.999ms" },
	{ 1000000000, "1s" },
	{ 2500400600, "2.5s" },
	{ 61234567890, "1m1.234s" },
};

START_TEST(a_time_has_three_digits_behind_the_point)
{
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		char told[RUN_TIME_SIZE];

		run_text_time(times[i].ns, told);
		ck_assert_str_eq(told, times[i].text);
	}
}
END_TEST

static struct tally tally;

static void fill_tally(void)
{
	static const enum status_code codes[] = { STATUS_OK, STATUS_OK,
						  STATUS_UNAVAILABLE,
						  STATUS_CANCELLED };

	tally = (struct tally){ 0 };
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		tally_send(&tally);
		tally_answer(&tally, codes[i], (int64_t)(i + 1) * NS_PER_S);
	}
}

START_TEST(the_summary_counts_and_times)
{
	size_t size;

	fill_tally();
	size = run_text_summary(&tally, text, sizeof(text));
	ck_assert_uint_eq(size, strlen(text));
	ck_assert_str_eq(text, "sent 4, accepted 2, failed 1, cancelled 1\n"
			       "latency p50 1.002s, p90 2s, p99 2s, max 2s\n");
}
END_TEST

START_TEST(the_summary_of_nothing_has_no_times)
{
	tally = (struct tally){ 0 };
	(void)run_text_summary(&tally, text, sizeof(text));
	ck_assert_str_eq(text, "sent 0, accepted 0, failed 0, cancelled 0\n"
			       "latency unknown: no order was accepted\n");
}
END_TEST

START_TEST(progress_is_one_line_that_fits)
{
	fill_tally();
	(void)run_text_progress(&tally, 80, text, sizeof(text));
	ck_assert_str_eq(text, "sent 4, accepted 2, failed 1, cancelled 1, p50 "
			       "1.002s");
	ck_assert_uint_eq(run_text_progress(&tally, 10, text, sizeof(text)),
			  10);
	ck_assert_str_eq(text, "sent 4, ac");
	ck_assert_uint_eq(run_text_progress(&tally, 0, text, sizeof(text)), 0);
}
END_TEST

START_TEST(too_little_room_cuts_off)
{
	char small[16];

	fill_tally();
	memset(small, 'x', sizeof(small));
	ck_assert_uint_eq(run_text_summary(&tally, small, sizeof(small)),
			  sizeof(small) - 1);
	ck_assert_str_eq(small, "sent 4, accepte");
	ck_assert_uint_eq(run_text_progress(&tally, 80, small, sizeof(small)),
			  sizeof(small) - 1);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("run_text");

	tcase_add_test(tc, an_outcome_is_a_line);
	tcase_add_test(tc, what_a_server_says_can_t_command_the_terminal);
	tcase_add_test(tc, the_longest_reason_fits);
	tcase_add_test(tc, a_time_has_three_digits_behind_the_point);
	tcase_add_test(tc, the_summary_counts_and_times);
	tcase_add_test(tc, the_summary_of_nothing_has_no_times);
	tcase_add_test(tc, progress_is_one_line_that_fits);
	tcase_add_test(tc, too_little_room_cuts_off);
	return run_case(tc, "run_text");
}
