/* What a point does at a pass, within one process. */
#include <check.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "failpoint/failpoint.h"

enum { PATIENCE_MS = 20000, OWN_CODE = 5 };

static void pass_plain(void)
{
	FAILPOINT("here.plain");
}

static int pass_failing(void)
{
	FAILPOINT_DEFINE(at, "here.failing", true);

	return failpoint_pass(&at, OWN_CODE);
}

static struct failpoint_cell *cell(const char *name)
{
	struct failpoint_cell *found = failpoint_cell(name);

	ck_assert_ptr_nonnull(found);
	return found;
}

static void arm(const char *orders)
{
	struct status err = status_ok();

	ck_assert_msg(failpoint_arm(orders, &err) == STATUS_OK, "%s",
		      err.message);
}

START_TEST(passes_are_counted)
{
	for (int i = 0; i < 3; i++) {
		pass_plain();
	}
	ck_assert_uint_eq(atomic_load(&cell("here.plain")->passes), 3);
	ck_assert_uint_eq(atomic_load(&cell("here.plain")->struck), 0);
	ck_assert_uint_eq(atomic_load(&cell("here.failing")->passes), 0);
	ck_assert_ptr_null(failpoint_cell("here.not"));
}
END_TEST

START_TEST(it_fails_at_the_pass_that_was_named_and_then_no_more)
{
	ck_assert_int_eq(pass_failing(), 0);
	arm("here.failing=fail@2");
	ck_assert_int_eq(pass_failing(), 0);
	ck_assert_int_eq(pass_failing(), OWN_CODE);
	ck_assert_int_eq(pass_failing(), 0);
	ck_assert_uint_eq(atomic_load(&cell("here.failing")->struck), 1);
	ck_assert_uint_eq(atomic_load(&cell("here.failing")->passes), 4);
}
END_TEST

START_TEST(it_fails_from_then_on_until_told_otherwise)
{
	arm("here.failing=fail:13@2+");
	ck_assert_int_eq(pass_failing(), 0);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(pass_failing(), 13);
	}
	arm("here.failing=off");
	ck_assert_int_eq(pass_failing(), 0);
	ck_assert_uint_eq(atomic_load(&cell("here.failing")->struck), 3);
}
END_TEST

static const struct {
	const char *orders;
	const char *says;
} refused[] = {
	{ "here.not=kill", "no point 'here.not'" },
	{ "here.plain", "'here.plain' is not of the form" },
	{ "", "'' is not of the form" },
	{ "here.plain=kill,", "'' is not of the form" },
	{ "here.plain=dance", "here.plain: 'dance'" },
	{ "here.plain=fail", "here.plain: this point can't fail" },
	{ "here.plain=kill@2,here.failing=fail@", "here.failing: 'fail@'" },
	{ "a.name.that.is.so.long.that.it.can.be.no.point.of.a.program.anywhere"
	  ".in.this.world=kill@3,here.plain=kill,and.then.some.more.of.it=stop",
	  "no point 'a.name" },
};
enum { REFUSED = sizeof(refused) / sizeof(refused[0]) };

START_TEST(an_order_that_makes_no_sense_is_refused)
{
	struct status err;

	ck_assert_int_eq(failpoint_arm(refused[_i].orders, &err),
			 STATUS_INVALID_ARGUMENT);
	ck_assert_msg(strstr(err.message, refused[_i].says) != NULL, "%s",
		      err.message);
}
END_TEST

/* ---- threads ------------------------------------------------------------ */

static void *pass_on_a_thread(void *arg)
{
	(void)arg;
	pass_plain();
	return NULL;
}

START_TEST(a_stall_lasts_until_the_release)
{
	struct failpoint_cell *point = cell("here.plain");
	pthread_t threads[2];

	arm("here.plain=stall@1+");
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(pthread_create(&threads[i], NULL,
						pass_on_a_thread, NULL),
				 0);
	}
	ck_assert(failpoint_cell_await(point, 2, PATIENCE_MS));
	for (int i = 0; i < 2; i++) {
		ck_assert_int_ne(pthread_tryjoin_np(threads[i], NULL), 0);
	}
	arm("here.plain=off");
	failpoint_cell_release(point);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	}
	pass_plain(); /* a release is not kept for later */
	ck_assert_uint_eq(atomic_load(&point->passes), 3);
}
END_TEST

START_TEST(a_release_before_a_stall_does_not_count)
{
	pthread_t thread;

	failpoint_cell_release(cell("here.plain"));
	arm("here.plain=stall");
	ck_assert_int_eq(pthread_create(&thread, NULL, pass_on_a_thread, NULL),
			 0);
	ck_assert(failpoint_cell_await(cell("here.plain"), 1, PATIENCE_MS));
	ck_assert_int_ne(pthread_tryjoin_np(thread, NULL), 0);
	failpoint_cell_release(cell("here.plain"));
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
}
END_TEST

START_TEST(a_stall_for_a_time_ends_by_itself)
{
	arm("here.plain=stall:5ms");
	pass_plain();
	ck_assert_uint_eq(atomic_load(&cell("here.plain")->struck), 1);
}
END_TEST

static void *pass_many_times(void *arg)
{
	int *failed = arg;

	for (int i = 0; i < 10000; i++) {
		*failed += pass_failing() != 0;
	}
	return NULL;
}

START_TEST(of_all_threads_one_gets_there)
{
	enum { THREADS = 4 };
	pthread_t threads[THREADS];
	int failed[THREADS] = { 0 };
	int sum = 0;

	arm("here.failing=fail@12345");
	for (int i = 0; i < THREADS; i++) {
		ck_assert_int_eq(pthread_create(&threads[i], NULL,
						pass_many_times, &failed[i]),
				 0);
	}
	for (int i = 0; i < THREADS; i++) {
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
		sum += failed[i];
	}
	ck_assert_int_eq(sum, 1);
	ck_assert_uint_eq(atomic_load(&cell("here.failing")->passes),
			  THREADS * 10000);
}
END_TEST

/* ---- processes ---------------------------------------------------------- */

/* Passes @n times in a child; what is behind the last is seen in *ret_done. */
static int pass_in_a_child(const char *orders, int n, int *ret_done)
{
	int *done = mmap(NULL, sizeof(int), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int wait_status;
	pid_t pid;

	ck_assert_ptr_ne(done, MAP_FAILED);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		arm(orders);
		for (int i = 0; i < n; i++) {
			pass_plain();
			++*done;
		}
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &wait_status, WUNTRACED), pid);
	*ret_done = *done;
	if (WIFSTOPPED(wait_status)) {
		ck_assert_int_eq(WSTOPSIG(wait_status), SIGSTOP);
		ck_assert_int_eq(kill(pid, SIGCONT), 0);
		ck_assert_int_eq(waitpid(pid, &wait_status, 0), pid);
		ck_assert(WIFEXITED(wait_status));
		ck_assert_int_eq(*done, n);
	}
	(void)munmap(done, sizeof(int));
	return wait_status;
}

START_TEST(kill_is_death_at_that_very_pass)
{
	int done;
	int wait_status = pass_in_a_child("here.plain=kill@3", 10, &done);

	ck_assert(WIFSIGNALED(wait_status));
	ck_assert_int_eq(WTERMSIG(wait_status), SIGKILL);
	ck_assert_int_eq(done, 2);
}
END_TEST

START_TEST(stop_is_a_stop_at_that_very_pass)
{
	int done;
	int wait_status = pass_in_a_child("here.plain=stop@4", 10, &done);

	ck_assert(WIFEXITED(wait_status));
	ck_assert_int_eq(WEXITSTATUS(wait_status), 0);
	ck_assert_int_eq(done, 3);
}
END_TEST

START_TEST(an_order_for_later_changes_nothing_now)
{
	int done;

	ck_assert_int_eq(pass_in_a_child("here.plain=kill@11", 10, &done), 0);
	ck_assert_int_eq(done, 10);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("failpoint");
	TCase *tc = tcase_create("pass");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tc, 50);
	tcase_add_test(tc, passes_are_counted);
	tcase_add_test(tc,
		       it_fails_at_the_pass_that_was_named_and_then_no_more);
	tcase_add_test(tc, it_fails_from_then_on_until_told_otherwise);
	tcase_add_loop_test(tc, an_order_that_makes_no_sense_is_refused, 0,
			    REFUSED);
	tcase_add_test(tc, a_stall_lasts_until_the_release);
	tcase_add_test(tc, a_release_before_a_stall_does_not_count);
	tcase_add_test(tc, a_stall_for_a_time_ends_by_itself);
	tcase_add_test(tc, of_all_threads_one_gets_there);
	tcase_add_test(tc, kill_is_death_at_that_very_pass);
	tcase_add_test(tc, stop_is_a_stop_at_that_very_pass);
	tcase_add_test(tc, an_order_for_later_changes_nothing_now);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
