#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "flags/flags.h"

static int64_t parsed(const char *text)
{
	struct status err = status_ok();
	int64_t ns = -1;

	ck_assert_msg(duration_parse(text, &ns, &err) == STATUS_OK, "%s",
		      err.message);
	return ns;
}

START_TEST(units_and_fractions_add_up)
{
	ck_assert_int_eq(parsed("0"), 0);
	ck_assert_int_eq(parsed("0s"), 0);
	ck_assert_int_eq(parsed("500ms"), 500000000);
	ck_assert_int_eq(parsed("3s"), 3000000000);
	ck_assert_int_eq(parsed("1m30s"), 90000000000);
	ck_assert_int_eq(parsed("1.5h"), 5400000000000);
	ck_assert_int_eq(parsed("250us"), 250000);
	ck_assert_int_eq(parsed("250\xC2\xB5s"), 250000);
	ck_assert_int_eq(parsed("250\xCE\xBCs"), 250000);
	ck_assert_int_eq(parsed("10ns"), 10);
	ck_assert_int_eq(parsed("1h2m3s4ms5us6ns"), 3723004005006);
	ck_assert_int_eq(parsed("0.000000001s"), 1);
}
END_TEST

START_TEST(what_is_finer_than_a_nanosecond_is_cut_off)
{
	ck_assert_int_eq(parsed("1.9ns"), 1);
	ck_assert_int_eq(parsed("0.3333333333333333333333333333s"), 333333333);
	ck_assert_int_eq(parsed("0.1234567890123456789012345678901234567890s"),
			 123456789);
	ck_assert_int_eq(parsed("0.99999999999999999999h"), 3599999999999);
}
END_TEST

START_TEST(the_largest_fits_and_one_more_does_not)
{
	struct status err;
	int64_t ns = -1;

	ck_assert_int_eq(parsed("9223372036854775807ns"), INT64_MAX);
	ck_assert_int_eq(duration_parse("9223372036854775808ns", &ns, &err),
			 STATUS_INVALID_ARGUMENT);
	ck_assert_int_eq(duration_parse("9223372036s855ms", &ns, &err),
			 STATUS_INVALID_ARGUMENT);
	ck_assert_int_eq(duration_parse("99999999999h", &ns, &err),
			 STATUS_INVALID_ARGUMENT);
	ck_assert_int_eq(duration_parse("99999999999999999999999s", &ns, &err),
			 STATUS_INVALID_ARGUMENT);
	ck_assert_int_eq(ns, -1);
}
END_TEST

static const char *const wrong[] = {
	"",	 "s",	   "3",	   "00",
	"-1s",	 "+1s",	   "1 s",  " 1s",
	"1s ",	 "1x",	   "1.s",  ".5s",
	"1..5s", "1s1m",   "1s1s", "1us1\xC2\xB5s",
	"1S",	 "1e3s",   "inf",  "0x1s",
	"1sm",	 "1.5.5s", "1d",   "1\xC2s",
};

START_TEST(what_is_no_duration_is_refused)
{
	struct status err = status_ok();
	int64_t ns = -1;

	ck_assert_int_eq(duration_parse(wrong[_i], &ns, &err),
			 STATUS_INVALID_ARGUMENT);
	ck_assert_int_eq(ns, -1);
	ck_assert_ptr_nonnull(strstr(err.message, "is not a duration such as"));
}
END_TEST

START_TEST(a_message_about_hostile_text_is_one_short_printable_line)
{
	char text[5000];
	struct status err;
	int64_t ns;

	memset(text, 'x', sizeof(text));
	memcpy(text, "a\nb\x1B\xFF", 5);
	text[sizeof(text) - 1] = '\0';
	ck_assert_int_eq(duration_parse(text, &ns, &err),
			 STATUS_INVALID_ARGUMENT);
	ck_assert_uint_lt(strlen(err.message), 200);
	ck_assert_int_eq(strncmp(err.message, "'a?b??xxx", 9), 0);
	ck_assert_ptr_nonnull(strstr(err.message, "x...'"));
}
END_TEST

static const struct {
	int64_t ns;
	const char *text;
} formats[] = {
	{ 0, "0s" },
	{ 1, "1ns" },
	{ 1500, "1.5us" },
	{ 500000000, "500ms" },
	{ 1234567, "1.234567ms" },
	{ 1000000000, "1s" },
	{ 1500000000, "1.5s" },
	{ 90000000000, "1m30s" },
	{ 3600000000000, "1h" },
	{ 3600000000001, "1h0.000000001s" },
	{ 60050000000, "1m0.05s" },
	{ INT64_MAX, "2562047h47m16.854775807s" },
	{ -1500000000, "-1.5s" },
	{ INT64_MIN, "-2562047h47m16.854775808s" },
};

START_TEST(a_duration_is_shown_as_it_would_be_written)
{
	char text[DURATION_TEXT_SIZE];

	duration_format(formats[_i].ns, text, sizeof(text));
	ck_assert_str_eq(text, formats[_i].text);
}
END_TEST

START_TEST(what_is_shown_parses_back)
{
	uint64_t x = 88172645463325252u + (uint64_t)_i;
	char text[DURATION_TEXT_SIZE];

	for (int i = 0; i < 10000; i++) {
		int64_t ns;

		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		ns = (int64_t)(x >> (1 + i % 63));
		duration_format(ns, text, sizeof(text));
		ck_assert_msg(parsed(text) == ns, "%s", text);
	}
}
END_TEST

START_TEST(a_small_buffer_cuts_the_text)
{
	char text[4] = "xxx";

	duration_format(90000000000, text, sizeof(text));
	ck_assert_str_eq(text, "1m3");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("duration");
	TCase *tc = tcase_create("duration");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tc, units_and_fractions_add_up);
	tcase_add_test(tc, what_is_finer_than_a_nanosecond_is_cut_off);
	tcase_add_test(tc, the_largest_fits_and_one_more_does_not);
	tcase_add_loop_test(tc, what_is_no_duration_is_refused, 0,
			    sizeof(wrong) / sizeof(wrong[0]));
	tcase_add_test(
		tc, a_message_about_hostile_text_is_one_short_printable_line);
	tcase_add_loop_test(tc, a_duration_is_shown_as_it_would_be_written, 0,
			    sizeof(formats) / sizeof(formats[0]));
	tcase_add_loop_test(tc, what_is_shown_parses_back, 0, 4);
	tcase_add_test(tc, a_small_buffer_cuts_the_text);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
