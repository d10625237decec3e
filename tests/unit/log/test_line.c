#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "log/line.h"

static struct line line;

static void setup(void)
{
	line_init(&line);
}

static void expect(const char *text)
{
	ck_assert_uint_lt(line.length, LINE_SIZE);
	line.text[line.length] = '\0';
	ck_assert_str_eq(line.text, text);
	line_init(&line);
}

static void expect_escaped(const char *from, enum line_escape escape,
			   const char *to)
{
	line_put_escaped(&line, from, 1000, escape);
	expect(to);
}

START_TEST(numbers_of_all_sizes)
{
	line_put_int(&line, 0);
	expect("0");
	line_put_int(&line, INT64_MIN);
	expect("-9223372036854775808");
	line_put_int(&line, INT64_MAX);
	expect("9223372036854775807");
	line_put_digits(&line, 42, 6);
	expect("000042");
	line_put_digits(&line, UINT64_MAX, 1);
	expect("18446744073709551615");
	line_put_hex(&line, (const uint8_t *)"\x00\x7f\xff", 3);
	expect("007fff");
}
END_TEST

START_TEST(control_characters_never_reach_the_line)
{
	char text[2] = "";

	for (int c = 1; c < 256; c++) {
		for (int escape = 0; escape < 3; escape++) {
			text[0] = (char)c;
			line_put_escaped(&line, text, 100,
					 (enum line_escape)escape);
			for (size_t i = 0; i < line.length; i++) {
				ck_assert_int_ge(line.text[i], 0x20);
				ck_assert_int_lt(line.text[i], 0x7f);
			}
			line_init(&line);
		}
	}
}
END_TEST

START_TEST(each_style_escapes_in_its_way)
{
	const char *text = "a\n\x01\x7f\"\\b\xff";

	expect_escaped(text, LINE_ESCAPE_MESSAGE, "a\\n\\x01\\x7f\"\\\\b\\xff");
	expect_escaped(text, LINE_ESCAPE_QUOTED,
		       "a\\n\\x01\\x7f\\\"\\\\b\\xff");
	expect_escaped(text, LINE_ESCAPE_JSON,
		       "a\\n\\u0001\\u007f\\\"\\\\b\\ufffd");
}
END_TEST

START_TEST(well_formed_utf8_stays)
{
	const char *text = "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80 "
			   "\xed\x9f\xbf\xee\x80\x80 \xf4\x8f\xbf\xbf";

	expect_escaped(text, LINE_ESCAPE_JSON, text);
	expect_escaped(text, LINE_ESCAPE_MESSAGE, text);
}
END_TEST

/* Overlong, surrogate, too large, cut short, continuation alone. */
static const struct {
	const char *from, *to;
} malformed[] = {
	{ "\xc0\xaf", "\\xc0\\xaf" },
	{ "\xe0\x80\xaf", "\\xe0\\x80\\xaf" },
	{ "\xf0\x80\x80\xaf", "\\xf0\\x80\\x80\\xaf" },
	{ "\xed\xa0\x80", "\\xed\\xa0\\x80" },
	{ "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80" },
	{ "\xe2\x82", "\\xe2\\x82" },
	{ "\xf0\x9f\x98", "\\xf0\\x9f\\x98" },
	{ "\xc3", "\\xc3" },
	{ "\x80x", "\\x80x" },
	{ "\xc3\xc3\xa9", "\\xc3\xc3\xa9" },
};

START_TEST(malformed_utf8_is_shown_byte_by_byte)
{
	expect_escaped(malformed[_i].from, LINE_ESCAPE_MESSAGE,
		       malformed[_i].to);
}
END_TEST

START_TEST(characters_that_break_or_reorder_a_line_are_escaped)
{
	/* NEL, line separator, right-to-left override and isolate */
	expect_escaped("\xc2\x85|\xe2\x80\xa8|\xe2\x80\xae|\xe2\x81\xa6",
		       LINE_ESCAPE_JSON, "\\u0085|\\u2028|\\u202e|\\u2066");
}
END_TEST

START_TEST(what_is_too_long_is_cut_between_characters)
{
	line_put_escaped(&line, "abcdef", 6, LINE_ESCAPE_JSON);
	expect("abcdef");
	line_put_escaped(&line, "abcdefg", 6, LINE_ESCAPE_JSON);
	expect("abcdef...");
	line_put_escaped(&line, "abcd\xe2\x82\xac", 6, LINE_ESCAPE_JSON);
	expect("abcd...");
	line_put_escaped(&line, "abcd\x01", 6, LINE_ESCAPE_JSON);
	expect("abcd...");
	line_put_escaped(&line, "ab\x01", 8, LINE_ESCAPE_JSON);
	expect("ab\\u0001");
}
END_TEST

START_TEST(a_full_line_takes_all_or_nothing)
{
	line.limit = 4;
	line_put(&line, "abc", 3);
	line_put(&line, "de", 2);
	ck_assert(line.full);
	line_put(&line, "f", 1);
	expect("abcf");
}
END_TEST

START_TEST(values_that_could_be_misread_need_quotes)
{
	ck_assert(!line_needs_quotes("plain-value_1/2:3"));
	ck_assert(line_needs_quotes(""));
	ck_assert(line_needs_quotes("two words"));
	ck_assert(line_needs_quotes("a=b"));
	ck_assert(line_needs_quotes("say \"x\""));
	ck_assert(line_needs_quotes("tab\there"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("line");
	TCase *tc = tcase_create("line");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, numbers_of_all_sizes);
	tcase_add_test(tc, control_characters_never_reach_the_line);
	tcase_add_test(tc, each_style_escapes_in_its_way);
	tcase_add_test(tc, well_formed_utf8_stays);
	tcase_add_loop_test(tc, malformed_utf8_is_shown_byte_by_byte, 0,
			    sizeof(malformed) / sizeof(malformed[0]));
	tcase_add_test(tc, characters_that_break_or_reorder_a_line_are_escaped);
	tcase_add_test(tc, what_is_too_long_is_cut_between_characters);
	tcase_add_test(tc, a_full_line_takes_all_or_nothing);
	tcase_add_test(tc, values_that_could_be_misread_need_quotes);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
