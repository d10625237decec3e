#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "json/json.h"

static const struct {
	const char *text;
	const char *escaped;
} cases[] = {
	{ "", "" },
	{ "plain text", "plain text" },
	{ "\"quoted\" \\ slash/", "\\\"quoted\\\" \\\\ slash/" },
	{ "a\nb\rc\td", "a\\nb\\rc\\td" },
	{ "\x01\x1F\x7F", "\\u0001\\u001f\\u007f" },
	{ "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80",
	  "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80" },
	/* Lone, cut short, overlong, surrogate, beyond the last code point. */
	{ "\xFFx", "\xEF\xBF\xBDx" },
	{ "\xC3", "\xEF\xBF\xBD" },
	{ "\xC0\xAF", "\xEF\xBF\xBD\xEF\xBF\xBD" },
	{ "\xE0\x80\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD" },
	{ "\xED\xA0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD" },
	{ "\xF4\x90\x80\x80",
	  "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD" },
};
enum { CASE_NR = sizeof(cases) / sizeof(cases[0]) };

START_TEST(any_bytes_become_the_content_of_a_string)
{
	size_t size = strlen(cases[_i].text);
	char *buf = malloc(JSON_ESCAPED_MAX(size) + 1);
	size_t escaped = json_escape(buf, cases[_i].text, size);

	ck_assert_uint_le(escaped, JSON_ESCAPED_MAX(size));
	buf[escaped] = '\0';
	ck_assert_str_eq(buf, cases[_i].escaped);
	free(buf);
}
END_TEST

START_TEST(nul_is_a_byte_like_others)
{
	char buf[JSON_ESCAPED_MAX(3)];

	ck_assert_uint_eq(json_escape(buf, "a\0b", 3), 8);
	ck_assert_mem_eq(buf, "a\\u0000b", 8);
}
END_TEST

START_TEST(the_most_fills_the_room_and_no_more)
{
	char text[100], *buf = malloc(JSON_ESCAPED_MAX(sizeof(text)));

	memset(text, '\x01', sizeof(text));
	ck_assert_uint_eq(json_escape(buf, text, sizeof(text)),
			  JSON_ESCAPED_MAX(sizeof(text)));
	free(buf);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("json_escape");
	TCase *tc = tcase_create("escape");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tc, any_bytes_become_the_content_of_a_string, 0,
			    CASE_NR);
	tcase_add_test(tc, nul_is_a_byte_like_others);
	tcase_add_test(tc, the_most_fills_the_room_and_no_more);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
