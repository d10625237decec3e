#include <check.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "loop/loop.h"

static struct loop *loop;
static int counts[2];

static void setup(void)
{
	struct status err;

	loop_block_signals();
	ck_assert_int_eq(loop_new(&loop, &err), STATUS_OK);
	counts[0] = counts[1] = 0;
}

static void teardown(void)
{
	loop_free(loop);
}

static void count_first(struct loop_signal *signal, int signo)
{
	ck_assert_int_eq(signal->signo, signo);
	counts[0]++;
	loop_stop(loop);
}

static void count_second(struct loop_signal *signal, int signo)
{
	ck_assert_int_eq(signal->signo, signo);
	counts[1]++;
}

static void add(struct loop_signal *signal)
{
	struct status err;

	ck_assert_int_eq(loop_signal_add(loop, signal, &err), STATUS_OK);
}

START_TEST(a_signal_reaches_all_who_asked_for_it)
{
	struct loop_signal first = { .fn = count_first, .signo = SIGTERM };
	struct loop_signal second = { .fn = count_second, .signo = SIGTERM };

	add(&first);
	add(&second);
	kill(getpid(), SIGTERM);
	loop_run(loop);
	ck_assert_int_eq(counts[0], 1);
	ck_assert_int_eq(counts[1], 1);
}
END_TEST

START_TEST(a_signal_reaches_only_those_who_asked_for_it)
{
	struct loop_signal first = { .fn = count_first, .signo = SIGTERM };
	struct loop_signal second = { .fn = count_second, .signo = SIGHUP };

	add(&first);
	add(&second);
	kill(getpid(), SIGTERM);
	loop_run(loop);
	ck_assert_int_eq(counts[0], 1);
	ck_assert_int_eq(counts[1], 0);
}
END_TEST

static void *raise_one(void *arg)
{
	kill(getpid(), *(int *)arg);
	return NULL;
}

START_TEST(a_sleeping_loop_is_woken_by_a_signal)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGUSR1 };
	struct loop_signal added[4];
	int signo;
	pthread_t thread;

	for (int i = 0; i < 4; i++) {
		added[i] = (struct loop_signal){ .fn = count_first,
						 .signo = signals[i] };
		add(&added[i]);
	}
	for (int i = 0; i < 4; i++) {
		signo = signals[i];
		pthread_create(&thread, NULL, raise_one, &signo);
		loop_run(loop);
		pthread_join(thread, NULL);
		ck_assert_int_eq(counts[0], i + 1);
	}
}
END_TEST

START_TEST(a_signal_that_is_not_blocked_is_refused)
{
	struct loop_signal signal = { .fn = count_first, .signo = SIGUSR2 };
	struct status err;

	ck_assert_int_eq(loop_signal_add(loop, &signal, &err),
			 STATUS_FAILED_PRECONDITION);
	ck_assert_str_eq(err.message, "signal 12 is not blocked");
}
END_TEST

START_TEST(a_write_to_a_closed_pipe_is_an_error_and_no_signal)
{
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	close(fds[0]);
	ck_assert_int_eq(write(fds[1], "x", 1), -1);
	close(fds[1]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("signals");
	TCase *tc = tcase_create("signals");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_signal_reaches_all_who_asked_for_it);
	tcase_add_test(tc, a_signal_reaches_only_those_who_asked_for_it);
	tcase_add_test(tc, a_sleeping_loop_is_woken_by_a_signal);
	tcase_add_test(tc, a_signal_that_is_not_blocked_is_refused);
	tcase_add_test(tc, a_write_to_a_closed_pipe_is_an_error_and_no_signal);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
