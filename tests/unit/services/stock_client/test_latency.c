#include "stock_order/client/latency.h"

#include "suite.h"

static struct latency latency;

/* At or above the true value, and less than a hundredth. */
static void expect_near(unsigned percent, int64_t ns)
{
	int64_t told = latency_percentile(&latency, percent);

	ck_assert_msg(told >= ns && told - ns <= ns / 100,
		      "p%u is %lld, not %lld", percent, (long long)told,
		      (long long)ns);
}

START_TEST(nothing_takes_no_time)
{
	ck_assert_int_eq(latency_percentile(&latency, 50), 0);
	ck_assert_int_eq(latency_percentile(&latency, 100), 0);
}
END_TEST

START_TEST(one_is_every_percentile_of_itself)
{
	latency_add(&latency, 1234567);
	for (unsigned percent = 1; percent <= 100; percent++) {
		ck_assert_int_eq(latency_percentile(&latency, percent),
				 1234567);
	}
}
END_TEST

START_TEST(percentiles_are_by_rank)
{
	for (int64_t i = 1000; i >= 1; i--) {
		latency_add(&latency, i * 1000);
	}
	expect_near(1, 10 * 1000);
	expect_near(50, 500 * 1000);
	expect_near(90, 900 * 1000);
	expect_near(99, 990 * 1000);
	ck_assert_int_eq(latency_percentile(&latency, 100), 1000 * 1000);
	ck_assert_int_eq(latency.max_ns, 1000 * 1000);
	ck_assert_uint_eq(latency.count, 1000);
}
END_TEST

START_TEST(few_are_rounded_up_to_the_next_rank)
{
	latency_add(&latency, 1);
	latency_add(&latency, 2);
	latency_add(&latency, 3);
	ck_assert_int_eq(latency_percentile(&latency, 33), 1);
	ck_assert_int_eq(latency_percentile(&latency, 34), 2);
	ck_assert_int_eq(latency_percentile(&latency, 50), 2);
	ck_assert_int_eq(latency_percentile(&latency, 67), 3);
}
END_TEST

START_TEST(one_slow_in_a_hundred_shows_in_the_maximum_alone)
{
	for (int i = 0; i < 99; i++) {
		latency_add(&latency, 100);
	}
	latency_add(&latency, INT64_MAX);
	ck_assert_int_eq(latency_percentile(&latency, 99), 100);
	ck_assert_int_eq(latency_percentile(&latency, 100), INT64_MAX);
	ck_assert_int_eq(latency.max_ns, INT64_MAX);
}
END_TEST

/* Around each power of two, where ranges change their width. */
START_TEST(every_size_is_told_within_a_hundredth)
{
	for (int shift = 0; shift < 63; shift++) {
		for (int64_t off = -1; off <= 1; off++) {
			int64_t ns = ((int64_t)1 << shift) + off;

			latency = (struct latency){ 0 };
			latency_add(&latency, ns);
			latency_add(&latency, INT64_MAX);
			expect_near(50, ns);
		}
	}
}
END_TEST

START_TEST(a_clock_that_stepped_back_counts_as_no_time)
{
	latency_add(&latency, -5);
	ck_assert_uint_eq(latency.count, 1);
	ck_assert_int_eq(latency_percentile(&latency, 50), 0);
}
END_TEST

static void set_up(void)
{
	latency = (struct latency){ 0 };
}

int main(void)
{
	TCase *tc = tcase_create("latency");

	tcase_add_checked_fixture(tc, set_up, NULL);
	tcase_add_test(tc, nothing_takes_no_time);
	tcase_add_test(tc, one_is_every_percentile_of_itself);
	tcase_add_test(tc, percentiles_are_by_rank);
	tcase_add_test(tc, few_are_rounded_up_to_the_next_rank);
	tcase_add_test(tc, one_slow_in_a_hundred_shows_in_the_maximum_alone);
	tcase_add_test(tc, every_size_is_told_within_a_hundredth);
	tcase_add_test(tc, a_clock_that_stepped_back_counts_as_no_time);
	return run_case(tc, "latency");
}
