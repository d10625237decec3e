#include <check.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "stock_order/adaptor/time_text.h"
#include "suite.h"

#define INSTANT_US INT64_C(1763393267537422) /* 2025-11-17 15:27:47.537422 */

static char text[TIME_TEXT_SIZE];

static int64_t parse(const char *from)
{
	int64_t us = -1;

	ck_assert_msg(time_text_parse(from, strlen(from), &us), "%s", from);
	return us;
}

static void refuses(const char *from)
{
	int64_t us = 77;

	ck_assert_msg(!time_text_parse(from, strlen(from), &us), "%s", from);
	ck_assert_int_eq(us, 77);
}

START_TEST(an_instant_is_written_in_both_forms)
{
	ck_assert_uint_eq(time_text_sql(INSTANT_US, text), 32);
	ck_assert_str_eq(text, "2025-11-17 15:27:47.537422+00:00");
	ck_assert_uint_eq(time_text_rfc3339(INSTANT_US, text), 27);
	ck_assert_str_eq(text, "2025-11-17T15:27:47.537422Z");
	time_text_rfc3339(0, text);
	ck_assert_str_eq(text, "1970-01-01T00:00:00.000000Z");
	time_text_rfc3339(-1, text);
	ck_assert_str_eq(text, "1969-12-31T23:59:59.999999Z");
}
END_TEST

START_TEST(days_are_those_of_the_c_library)
{
	/* Some 380 years: each day of the year at each hour. */
	for (int64_t s = -5000000000; s < 7000000000; s += 300007) {
		time_t at = (time_t)s;
		char expected[32];
		struct tm tm;

		gmtime_r(&at, &tm);
		strftime(expected, sizeof(expected), "%Y-%m-%d %H:%M:%S", &tm);
		time_text_sql(s * 1000000 + 5, text);
		ck_assert_int_eq(strncmp(text, expected, 19), 0);
		ck_assert_str_eq(text + 19, ".000005+00:00");
		ck_assert_int_eq(parse(text), s * 1000000 + 5);
	}
}
END_TEST

START_TEST(what_is_out_of_range_is_written_as_the_nearest)
{
	time_text_sql(INT64_MIN, text);
	ck_assert_str_eq(text, "0000-01-01 00:00:00.000000+00:00");
	time_text_sql(INT64_MAX, text);
	ck_assert_str_eq(text, "9999-12-31 23:59:59.999999+00:00");
	ck_assert_int_eq(parse("9999-12-31 23:59:59.999999+00:00"),
			 INT64_C(253402300799999999));
	ck_assert_int_eq(parse("0000-01-01T00:00:00Z"),
			 INT64_C(-62167219200000000));
}
END_TEST

START_TEST(texts_sort_as_instants_do)
{
	static const int64_t instants[] = { INT64_MIN,	-1000001, -1,
					    0,		999999,	  1000000,
					    INSTANT_US, INT64_MAX };
	char last[TIME_TEXT_SIZE] = "";

	for (size_t i = 0; i < sizeof(instants) / sizeof(instants[0]); i++) {
		time_text_sql(instants[i], text);
		ck_assert_int_lt(strcmp(last, text), 0);
		memcpy(last, text, sizeof(last));
	}
}
END_TEST

START_TEST(all_that_others_write_is_read)
{
	static const char *const same[] = {
		"2025-11-17 15:27:47.537422+00:00",
		"2025-11-17 22:27:47.537422+07:00",
		"2025-11-17 15:27:47.537422123+00:00",
		"2025-11-17 05:57:47.537422-09:30",
		"2025-11-18T05:27:47.537422999+14:00",
		"2025-11-17T15:27:47.537422Z",
	};

	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		ck_assert_int_eq(parse(same[i]), INSTANT_US);
	}
	ck_assert_int_eq(parse("1970-01-01 00:00:01Z"), 1000000);
	ck_assert_int_eq(parse("1970-01-01 00:00:00.5Z"), 500000);
	ck_assert_int_eq(parse("2024-02-29 00:00:00Z"),
			 INT64_C(1709164800000000));
	ck_assert_int_eq(parse("2000-02-29 00:00:00Z"),
			 INT64_C(951782400000000));
}
END_TEST

START_TEST(nothing_else_is_read)
{
	static const char *const bad[] = {
		"",
		"2025-11-17",
		"2025-11-17 15:27:47",
		"2025-11-17 15:27:47+0700",
		"2025-11-17 15:27:47+07",
		"2025-11-17 15:27:47+24:00",
		"2025-11-17 15:27:47+07:60",
		"2025-11-17_15:27:47Z",
		"2025-11-17 15:27:47.Z",
		"2025-11-17 15:27:47.1234567890Z",
		"2025-11-17 15:27:47Z ",
		" 2025-11-17 15:27:47Z",
		"2025-00-17 15:27:47Z",
		"2025-13-17 15:27:47Z",
		"2025-11-00 15:27:47Z",
		"2025-11-31 15:27:47Z",
		"2025-02-29 15:27:47Z",
		"1900-02-29 15:27:47Z",
		"2025-11-17 24:00:00Z",
		"2025-11-17 15:60:47Z",
		"2025-11-17 15:27:60Z",
		"2025-11-17 1a:27:47Z",
		"now",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		refuses(bad[i]);
	}
}
END_TEST

START_TEST(a_text_that_is_cut_anywhere_is_refused)
{
	static const char whole[] = "2025-11-17 15:27:47.537422+00:00";
	int64_t us;

	for (size_t size = 0; size < sizeof(whole) - 1; size++) {
		ck_assert(!time_text_parse(whole, size, &us));
	}
	ck_assert(time_text_parse(whole, sizeof(whole) - 1, &us));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("time_text");
	TCase *tc = tcase_create("all");

	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, an_instant_is_written_in_both_forms);
	tcase_add_test(tc, days_are_those_of_the_c_library);
	tcase_add_test(tc, what_is_out_of_range_is_written_as_the_nearest);
	tcase_add_test(tc, texts_sort_as_instants_do);
	tcase_add_test(tc, all_that_others_write_is_read);
	tcase_add_test(tc, nothing_else_is_read);
	tcase_add_test(tc, a_text_that_is_cut_anywhere_is_refused);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
