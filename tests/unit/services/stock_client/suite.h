/* The main() of these tests: one case, nothing else. */
#ifndef RESCIND_TEST_STOCK_CLIENT_SUITE_H
#define RESCIND_TEST_STOCK_CLIENT_SUITE_H

#include <check.h>
#include <stdlib.h>

/* Run @tcase; the exit code. */
static inline int run_case(TCase *tcase, const char *name)
{
	Suite *suite = suite_create(name);
	SRunner *runner;
	int failed;

	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif
