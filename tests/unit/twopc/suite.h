/* What the test files of twopc share: their main(), and bugs that stop. */
#ifndef RESCIND_TEST_TWOPC_SUITE_H
#define RESCIND_TEST_TWOPC_SUITE_H

#include <check.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static inline int suite_run(const char *name, TCase *tc)
{
	Suite *suite = suite_create(name);
	SRunner *runner;
	int failed;

	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* Whether @fn(@arg) calls abort(); in a process of its own. */
static inline bool aborts(void (*fn)(void *arg), void *arg)
{
	pid_t pid = fork();
	int how;

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		(void)!freopen("/dev/null", "w", stderr);
		fn(arg);
		_exit(EXIT_SUCCESS);
	}
	ck_assert_int_eq(waitpid(pid, &how, 0), pid);
	return WIFSIGNALED(how) && WTERMSIG(how) == SIGABRT;
}

#endif
