/* The main() of a test executable: its tests, one case, nothing else. */
#ifndef RESCIND_TEST_SUITE_H
#define RESCIND_TEST_SUITE_H

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "harness/scratch.h"

/* One test may take this long before it is ended as failed. */
enum { SUITE_TEST_S_MAX = 120 };

/*
 * @tests ends in NULL. With RESCIND_ONLY in the environment, only those whose
 * name has that text in it. The exit code: failed or not.
 */
static inline int suite_run_within(const char *name, const TTest *const *tests,
				   int seconds_each)
{
	Suite *suite = suite_create(name);
	TCase *tcase = tcase_create(name);
	SRunner *runner = srunner_create(suite);
	const char *only = getenv("RESCIND_ONLY");
	int failed;

	tcase_set_timeout(tcase, seconds_each);
	for (; *tests != NULL; tests++) {
		if (only == NULL || strstr((*tests)->name, only) != NULL) {
			tcase_add_test(tcase, *tests);
		}
	}
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static inline int suite_run(const char *name, const TTest *const *tests)
{
	return suite_run_within(name, tests, SUITE_TEST_S_MAX);
}

#endif
