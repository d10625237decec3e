#include <check.h>
#include <stdlib.h>

#include "text/instant.h"

START_TEST(instants_are_told_in_utc)
{
	static const struct {
		int64_t ms;
		const char *text;
	} cases[] = {
		{ 0, "1970-01-01T00:00:00.000Z" },
		{ 1738324800123, "2025-01-31T12:00:00.123Z" },
		{ 951782399999, "2000-02-28T23:59:59.999Z" },
		{ 951782400000, "2000-02-29T00:00:00.000Z" },
		{ -1, "1969-12-31T23:59:59.999Z" },
		{ -1000, "1969-12-31T23:59:59.000Z" },
		{ 253402300799999, "9999-12-31T23:59:59.999Z" },
		{ 253402300800000, "?" },
		{ INT64_MAX, "?" },
		{ INT64_MIN, "?" },
	};
	char text[INSTANT_TEXT_SIZE];

	ck_assert_str_eq(instant_format(cases[_i].ms, text), cases[_i].text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("instant");
	TCase *tc = tcase_create("instant");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tc, instants_are_told_in_utc, 0, 10);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
