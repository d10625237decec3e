#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "text/utf8.h"

/* The first and the last of each size and lead byte. */
static const struct {
	const char *text;
	uint32_t point;
} characters[] = {
	{ "a", 'a' },
	{ "\x7F", 0x7F },
	{ "\xC2\x80", 0x80 },
	{ "\xDF\xBF", 0x7FF },
	{ "\xE0\xA0\x80", 0x800 },
	{ "\xE2\x82\xAC", 0x20AC },
	{ "\xED\x9F\xBF", 0xD7FF },
	{ "\xEE\x80\x80", 0xE000 },
	{ "\xEF\xBF\xBF", 0xFFFF },
	{ "\xF0\x90\x80\x80", 0x10000 },
	{ "\xF4\x8F\xBF\xBF", 0x10FFFF },
};
enum { CHARACTER_NR = sizeof(characters) / sizeof(characters[0]) };

START_TEST(a_character_has_its_size_and_code_point)
{
	const char *text = characters[_i].text;
	uint32_t point = 0;

	ck_assert_uint_eq(utf8_size(text, strlen(text)), strlen(text));
	ck_assert_uint_eq(utf8_decode(text, UTF8_SIZE_MAX, &point),
			  strlen(text));
	ck_assert_uint_eq(point, characters[_i].point);
	ck_assert(utf8_is_valid(text, strlen(text)));
}
END_TEST

START_TEST(a_character_that_is_cut_is_none)
{
	const char *text = characters[_i].text;
	uint32_t point = 7;

	for (size_t size = 0; size < strlen(text); size++) {
		ck_assert_uint_eq(utf8_size(text, size), 0);
		ck_assert_uint_eq(utf8_decode(text, size, &point), 0);
		ck_assert(size == 0 || !utf8_is_valid(text, size));
	}
	ck_assert_uint_eq(point, 7);
}
END_TEST

/* Continuation alone, overlong, surrogates, beyond the last, never used, a
 * wrong byte at each place. */
static const char *const malformed[] = {
	"\x80",
	"\xBF",
	"\xC0\xAF",
	"\xC1\xBF",
	"\xE0\x80\xAF",
	"\xE0\x9F\xBF",
	"\xF0\x80\x80\xAF",
	"\xF0\x8F\xBF\xBF",
	"\xED\xA0\x80",
	"\xED\xBF\xBF",
	"\xF4\x90\x80\x80",
	"\xF5\x80\x80\x80",
	"\xFE",
	"\xFF",
	"\xC3(",
	"\xE2(\xA1",
	"\xE2\x82(",
	"\xF0(\x8C\xBC",
	"\xF0\x90(\xBC",
	"\xF0\x90\x8C(",
	"\xC3\xC3\xA9",
};
enum { MALFORMED_NR = sizeof(malformed) / sizeof(malformed[0]) };

START_TEST(what_is_malformed_is_none)
{
	ck_assert_uint_eq(utf8_size(malformed[_i], strlen(malformed[_i])), 0);
	ck_assert(!utf8_is_valid(malformed[_i], strlen(malformed[_i])));
}
END_TEST

START_TEST(one_bad_byte_spoils_a_text_wherever_it_stands)
{
	char text[33];

	memset(text, 'x', sizeof(text));
	ck_assert(utf8_is_valid(text, sizeof(text)));
	for (size_t i = 0; i < sizeof(text); i++) {
		text[i] = '\xFF';
		ck_assert(!utf8_is_valid(text, sizeof(text)));
		text[i] = 'x';
	}
}
END_TEST

START_TEST(nothing_and_nul_are_text)
{
	ck_assert(utf8_is_valid("", 0));
	ck_assert(utf8_is_valid("a\0b", 3));
	ck_assert_uint_eq(utf8_size("\0", 1), 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("utf8");
	TCase *tc = tcase_create("utf8");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tc, a_character_has_its_size_and_code_point, 0,
			    CHARACTER_NR);
	tcase_add_loop_test(tc, a_character_that_is_cut_is_none, 0,
			    CHARACTER_NR);
	tcase_add_loop_test(tc, what_is_malformed_is_none, 0, MALFORMED_NR);
	tcase_add_test(tc, one_bad_byte_spoils_a_text_wherever_it_stands);
	tcase_add_test(tc, nothing_and_nul_are_text);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
