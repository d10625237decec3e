#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "echo/json_text.h"

static const struct {
	const char *text;
	const char *json;
} cases[] = {
	{ "", "\"\"" },
	{ "plain text", "\"plain text\"" },
	{ "\"quoted\" \\ slash", "\"\\\"quoted\\\" \\\\ slash\"" },
	{ "a\nb\rc\td", "\"a\\nb\\rc\\td\"" },
	{ "\x01\x1F\x7F", "\"\\u0001\\u001f\\u007f\"" },
	{ "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80",
	  "\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\"" },
	/* Lone, cut short, overlong, surrogate, beyond the last code point. */
	{ "\xFFx", "\"\xEF\xBF\xBDx\"" },
	{ "\xC3", "\"\xEF\xBF\xBD\"" },
	{ "\xC0\xAF", "\"\xEF\xBF\xBD\xEF\xBF\xBD\"" },
	{ "\xE0\x80\x80", "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"" },
	{ "\xED\xA0\x80", "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"" },
	{ "\xF4\x90\x80\x80",
	  "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"" },
};

START_TEST(text_becomes_a_json_string)
{
	char buf[256];
	size_t size = json_text(buf, cases[_i].text);

	ck_assert_str_eq(buf, cases[_i].json);
	ck_assert_uint_eq(size, strlen(buf));
	ck_assert_uint_lt(size, JSON_TEXT_SIZE_MAX(strlen(cases[_i].text)));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("json_text");
	TCase *tc = tcase_create("json_text");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tc, text_becomes_a_json_string, 0,
			    sizeof(cases) / sizeof(cases[0]));
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
