#include <check.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>

#include "loop/loop.h"
#include "loop/timers.h"

/* ---- the heap ----------------------------------------------------------- */

enum { HEAP_TIMERS = 1000 };

static struct timers heap;
static struct loop_timer heap_timers[HEAP_TIMERS];

/* Fill the heap in a jumbled order, with every instant twice. */
static void heap_setup(void)
{
	heap = (struct timers){ 0 };
	for (int i = 0; i < HEAP_TIMERS; i++) {
		heap_timers[i] =
			(struct loop_timer){ .at_ns = (i * 7919) % 500 };
		timers_insert(&heap, &heap_timers[i]);
	}
}

static void heap_teardown(void)
{
	timers_release(&heap);
}

static int pop_all_in_order(void)
{
	struct loop_timer *timer;
	int64_t before_ns = INT64_MIN;
	int count = 0;

	while ((timer = timers_pop_due(&heap, INT64_MAX)) != NULL) {
		ck_assert_int_ge(timer->at_ns, before_ns);
		ck_assert_uint_eq(timer->slot, 0);
		before_ns = timer->at_ns;
		count++;
	}
	return count;
}

START_TEST(the_heap_gives_timers_in_order)
{
	ck_assert_int_eq(timers_earliest_ns(&heap), 0);
	ck_assert_int_eq(pop_all_in_order(), HEAP_TIMERS);
	ck_assert_int_eq(timers_earliest_ns(&heap), CLOCK_NEVER);
}
END_TEST

START_TEST(the_heap_stays_in_order_when_timers_leave_its_middle)
{
	for (int i = 0; i < HEAP_TIMERS; i += 3) {
		timers_remove(&heap, &heap_timers[i]);
		ck_assert_uint_eq(heap_timers[i].slot, 0);
	}
	ck_assert_int_eq(pop_all_in_order(), HEAP_TIMERS - 334);
}
END_TEST

START_TEST(the_heap_keeps_what_is_not_due)
{
	int count = 0;

	while (timers_pop_due(&heap, 99) != NULL) {
		count++;
	}
	ck_assert_int_eq(count, 200);
	ck_assert_int_eq(timers_earliest_ns(&heap), 100);
}
END_TEST

/* ---- timers of a loop --------------------------------------------------- */

static struct loop *loop;
static char trail[16];
static size_t trail_size;

struct letter {
	struct loop_timer timer;
	char c;
	bool last;
	int64_t late_ns;
};

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

static void mark_letter(struct loop_timer *timer, int64_t late_ns)
{
	struct letter *letter = (struct letter *)timer;

	letter->late_ns = late_ns;
	trail[trail_size++] = letter->c;
	trail[trail_size] = '\0';
	if (letter->last) {
		loop_stop(loop);
	}
}

START_TEST(timers_run_in_the_order_of_their_instants)
{
	struct letter a = { { .fn = mark_letter }, 'a', true, -1 };
	struct letter b = { { .fn = mark_letter }, 'b', false, -1 };
	struct letter c = { { .fn = mark_letter }, 'c', false, -1 };
	int64_t now_ns = clock_now_ns();

	loop_timer_start(loop, &a.timer, now_ns + 3 * NS_PER_MS);
	loop_timer_start(loop, &b.timer, now_ns + 2 * NS_PER_MS);
	loop_timer_start(loop, &c.timer, 0); /* long past */
	loop_run(loop);
	ck_assert_str_eq(trail, "cba");
	ck_assert_int_ge(clock_now_ns(), now_ns + 3 * NS_PER_MS);
	ck_assert_int_ge(a.late_ns, 0);
	ck_assert_int_ge(c.late_ns, now_ns);
}
END_TEST

START_TEST(a_stopped_timer_never_runs)
{
	struct letter a = { { .fn = mark_letter }, 'a', false, -1 };
	struct letter b = { { .fn = mark_letter }, 'b', true, -1 };
	int64_t now_ns = clock_now_ns();

	loop_timer_start(loop, &a.timer, now_ns);
	loop_timer_start(loop, &b.timer, now_ns + NS_PER_MS);
	ck_assert(loop_timer_stop(loop, &a.timer));
	ck_assert(!loop_timer_stop(loop, &a.timer));
	loop_run(loop);
	ck_assert_str_eq(trail, "b");
	ck_assert(!loop_timer_stop(loop, &b.timer));
}
END_TEST

static void start_again(struct loop_timer *timer, int64_t late_ns)
{
	mark_letter(timer, late_ns);
	if (trail_size < 3) {
		loop_timer_start(loop, timer, 0);
	} else {
		loop_stop(loop);
	}
}

START_TEST(a_timer_may_be_started_again_in_its_callback)
{
	struct letter a = { { .fn = start_again }, 'a', false, -1 };

	loop_timer_start(loop, &a.timer, 0);
	loop_run(loop);
	ck_assert_str_eq(trail, "aaa");
}
END_TEST

/* Started with nothing else to wake the loop, which sleeps until far later. */
struct alarm {
	struct loop_timer timer;
	sem_t rung;
};

static void ring(struct loop_timer *timer, int64_t late_ns)
{
	(void)late_ns;
	sem_post(&((struct alarm *)timer)->rung);
}

START_TEST(an_earlier_timer_from_another_thread_is_served_in_time)
{
	struct letter far = { { .fn = mark_letter }, 'f', false, -1 };
	struct alarm alarm = { .timer = { .fn = ring } };
	struct status err;
	int64_t start_ns = clock_now_ns();

	sem_init(&alarm.rung, 0, 0);
	loop_timer_start(loop, &far.timer, start_ns + 3600LL * NS_PER_S);
	ck_assert_int_eq(loop_start_thread(loop, &err), STATUS_OK);
	for (int i = 0; i < 20; i++) {
		loop_timer_start(loop, &alarm.timer,
				 clock_now_ns() + NS_PER_MS);
		sem_wait(&alarm.rung);
	}
	ck_assert_int_ge(clock_now_ns() - start_ns, 20 * NS_PER_MS);
	ck_assert(loop_timer_stop(loop, &far.timer));
}
END_TEST

START_TEST(a_timer_that_is_started_twice_stops_the_process)
{
	struct letter a = { { .fn = mark_letter }, 'a', false, -1 };

	loop_timer_start(loop, &a.timer, CLOCK_NEVER);
	loop_timer_start(loop, &a.timer, CLOCK_NEVER);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("timers");
	TCase *in_heap = tcase_create("heap");
	TCase *in_loop = tcase_create("loop");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(in_heap, heap_setup, heap_teardown);
	tcase_add_test(in_heap, the_heap_gives_timers_in_order);
	tcase_add_test(in_heap,
		       the_heap_stays_in_order_when_timers_leave_its_middle);
	tcase_add_test(in_heap, the_heap_keeps_what_is_not_due);
	tcase_add_checked_fixture(in_loop, setup, teardown);
	tcase_add_test(in_loop, timers_run_in_the_order_of_their_instants);
	tcase_add_test(in_loop, a_stopped_timer_never_runs);
	tcase_add_test(in_loop, a_timer_may_be_started_again_in_its_callback);
	tcase_add_test(in_loop,
		       an_earlier_timer_from_another_thread_is_served_in_time);
	tcase_add_test_raise_signal(
		in_loop, a_timer_that_is_started_twice_stops_the_process,
		SIGABRT);
	suite_add_tcase(suite, in_heap);
	suite_add_tcase(suite, in_loop);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
