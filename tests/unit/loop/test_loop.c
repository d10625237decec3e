#include <check.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>

#include "loop/loop.h"

static struct loop *loop;
static char trail[32];
static size_t trail_size;

static void setup(void)
{
	struct status err;

	ck_assert_int_eq(loop_new(&loop, &err), STATUS_OK);
	trail_size = 0;
}

static void teardown(void)
{
	loop_free(loop);
}

static void mark(char c)
{
	ck_assert_uint_lt(trail_size, sizeof(trail) - 1);
	trail[trail_size++] = c;
	trail[trail_size] = '\0';
}

/* A task that leaves its letter. */
struct letter {
	struct loop_task task;
	char c;
};

static void mark_letter(struct loop_task *task)
{
	mark(((struct letter *)task)->c);
}

static void mark_and_stop(struct loop_task *task)
{
	mark_letter(task);
	loop_stop(loop);
}

START_TEST(tasks_run_in_the_order_in_which_they_were_posted)
{
	struct letter a = { { .fn = mark_letter }, 'a' };
	struct letter b = { { .fn = mark_letter }, 'b' };
	struct letter c = { { .fn = mark_and_stop }, 'c' };

	loop_post(loop, &a.task);
	loop_post(loop, &b.task);
	loop_post(loop, &c.task);
	loop_run(loop);
	ck_assert_str_eq(trail, "abc");
}
END_TEST

START_TEST(a_stop_leaves_queued_tasks_for_the_next_run)
{
	struct letter a = { { .fn = mark_and_stop }, 'a' };
	struct letter b = { { .fn = mark_and_stop }, 'b' };

	loop_post(loop, &a.task);
	loop_post(loop, &b.task);
	loop_run(loop);
	ck_assert_str_eq(trail, "a");
	loop_run(loop);
	ck_assert_str_eq(trail, "ab");
}
END_TEST

START_TEST(a_stop_before_the_run_ends_it_at_once)
{
	struct letter a = { { .fn = mark_letter }, 'a' };

	loop_post(loop, &a.task);
	loop_stop(loop);
	loop_run(loop);
	ck_assert_uint_eq(trail_size, 0);
}
END_TEST

static void post_again_thrice(struct loop_task *task)
{
	mark_letter(task);
	if (trail_size < 3) {
		loop_post(loop, task);
	} else {
		loop_stop(loop);
	}
}

START_TEST(a_task_may_post_itself_again)
{
	struct letter a = { { .fn = post_again_thrice }, 'a' };

	loop_post(loop, &a.task);
	loop_run(loop);
	ck_assert_str_eq(trail, "aaa");
}
END_TEST

/* A task that posts itself for good must not keep timers from being served. */
static void post_again(struct loop_task *task)
{
	loop_post(loop, task);
}

static void stop_on_timer(struct loop_timer *timer, int64_t late_ns)
{
	(void)timer;
	ck_assert_int_ge(late_ns, 0);
	loop_stop(loop);
}

START_TEST(endless_tasks_do_not_starve_timers)
{
	struct loop_task task = { .fn = post_again };
	struct loop_timer timer = { .fn = stop_on_timer };

	loop_post(loop, &task);
	loop_timer_start(loop, &timer, clock_now_ns() + NS_PER_MS);
	loop_run(loop);
}
END_TEST

/* ---- turn callbacks ----------------------------------------------------- */

static int64_t mark_turn(struct loop_turn *turn)
{
	(void)turn;
	mark('t');
	return CLOCK_NEVER;
}

START_TEST(turn_callbacks_run_after_the_tasks_of_the_turn)
{
	struct loop_turn turn = { .fn = mark_turn };
	struct letter a = { { .fn = mark_letter }, 'a' };
	struct letter b = { { .fn = post_again_thrice }, 'b' };

	loop_turn_add(loop, &turn);
	loop_post(loop, &a.task);
	loop_post(loop, &b.task);
	loop_run(loop);
	ck_assert_str_eq(trail, "abtb");
}
END_TEST

static int64_t wake_soon_then_stop(struct loop_turn *turn)
{
	(void)turn;
	mark('t');
	if (trail_size == 4) {
		loop_stop(loop);
	}
	return clock_now_ns() + NS_PER_MS;
}

START_TEST(a_turn_callback_limits_how_long_the_loop_sleeps)
{
	struct loop_turn turn = { .fn = wake_soon_then_stop };
	int64_t start_ns = clock_now_ns();

	loop_turn_add(loop, &turn);
	loop_run(loop);
	ck_assert_str_eq(trail, "tttt");
	ck_assert_int_ge(clock_now_ns() - start_ns, 3 * NS_PER_MS);
}
END_TEST

/* ---- threads ------------------------------------------------------------ */

struct ask {
	struct loop_task task;
	sem_t answered;
	bool current;
};

static void answer(struct loop_task *task)
{
	struct ask *ask = (struct ask *)task;

	ask->current = loop_is_current(loop);
	sem_post(&ask->answered);
}

START_TEST(a_sleeping_loop_is_woken_by_a_post_from_another_thread)
{
	struct status err;
	struct ask ask = { .task = { .fn = answer } };

	sem_init(&ask.answered, 0, 0);
	ck_assert_int_eq(loop_start_thread(loop, &err), STATUS_OK);
	for (int i = 0; i < 100; i++) {
		loop_post(loop, &ask.task);
		sem_wait(&ask.answered);
		ck_assert(ask.current);
	}
	ck_assert(!loop_is_current(loop));
}
END_TEST

START_TEST(freeing_drops_what_is_queued)
{
	struct letter a = { { .fn = mark_letter }, 'a' };

	loop_post(loop, &a.task);
	loop_free(loop);
	loop = NULL;
	ck_assert_uint_eq(trail_size, 0);
}
END_TEST

START_TEST(more_turn_callbacks_than_there_is_room_for_stop_the_process)
{
	struct loop_turn turns[9] = { { .fn = mark_turn } };

	for (size_t i = 0; i < 9; i++) {
		loop_turn_add(loop, &turns[i]);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("loop");
	TCase *tc = tcase_create("loop");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, tasks_run_in_the_order_in_which_they_were_posted);
	tcase_add_test(tc, a_stop_leaves_queued_tasks_for_the_next_run);
	tcase_add_test(tc, a_stop_before_the_run_ends_it_at_once);
	tcase_add_test(tc, a_task_may_post_itself_again);
	tcase_add_test(tc, endless_tasks_do_not_starve_timers);
	tcase_add_test(tc, turn_callbacks_run_after_the_tasks_of_the_turn);
	tcase_add_test(tc, a_turn_callback_limits_how_long_the_loop_sleeps);
	tcase_add_test(tc,
		       a_sleeping_loop_is_woken_by_a_post_from_another_thread);
	tcase_add_test(tc, freeing_drops_what_is_queued);
	tcase_add_test_raise_signal(
		tc, more_turn_callbacks_than_there_is_room_for_stop_the_process,
		SIGABRT);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
