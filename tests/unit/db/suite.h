/* The main() that every test file of db has. */
#ifndef RESCIND_TEST_DB_SUITE_H
#define RESCIND_TEST_DB_SUITE_H

#include <check.h>
#include <stdlib.h>

/* @other may be NULL. */
static inline int suite_run_two(const char *name, TCase *tc, TCase *other)
{
	Suite *suite = suite_create(name);
	SRunner *runner;
	int failed;

	suite_add_tcase(suite, tc);
	if (other != NULL) {
		suite_add_tcase(suite, other);
	}
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static inline int suite_run(const char *name, TCase *tc)
{
	return suite_run_two(name, tc, NULL);
}

#endif
