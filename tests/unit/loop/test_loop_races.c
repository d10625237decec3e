/* What holds only if no interleaving of threads breaks it. */
#include <check.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "loop/loop.h"

enum {
	POSTERS = 4,
	ROUNDS = 20000,
	STARTERS = 3,
	TIMER_ROUNDS = 5000,
	LIFE_S = 100
};

static struct loop *loop;

static void setup(void)
{
	struct status err;

	ck_assert_int_eq(loop_new(&loop, &err), STATUS_OK);
	ck_assert_int_eq(loop_start_thread(loop, &err), STATUS_OK);
}

static void teardown(void)
{
	loop_free(loop);
}

static void run_threads(pthread_t *threads, int count, void *(*fn)(void *),
			void *args, size_t arg_size)
{
	for (int i = 0; i < count; i++) {
		pthread_create(&threads[i], NULL, fn,
			       (char *)args + (size_t)i * arg_size);
	}
	for (int i = 0; i < count; i++) {
		pthread_join(threads[i], NULL);
	}
}

/* ---- posting: a lost wake-up would leave a poster waiting for good ------ */

struct poster {
	struct loop_task task;
	sem_t done;
	int ran; /* the loop's */
};

static void on_task(struct loop_task *task)
{
	struct poster *poster = (struct poster *)task;

	poster->ran++;
	sem_post(&poster->done);
}

static void *post_and_wait(void *arg)
{
	struct poster *poster = arg;

	for (int i = 0; i < ROUNDS; i++) {
		loop_post(loop, &poster->task);
		sem_wait(&poster->done);
	}
	return NULL;
}

START_TEST(no_post_is_lost_while_the_loop_falls_asleep)
{
	struct poster posters[POSTERS];
	pthread_t threads[POSTERS];

	memset(posters, 0, sizeof(posters));
	for (int i = 0; i < POSTERS; i++) {
		posters[i].task.fn = on_task;
		sem_init(&posters[i].done, 0, 0);
	}
	/* One poster lets the loop sleep each time, four seldom do. */
	run_threads(threads, 1, post_and_wait, posters, sizeof(posters[0]));
	run_threads(threads, POSTERS, post_and_wait, posters,
		    sizeof(posters[0]));
	ck_assert_int_eq(posters[0].ran, 2 * ROUNDS);
	ck_assert_int_eq(posters[1].ran, ROUNDS);
}
END_TEST

/* ---- order: many tasks of one thread among those of others -------------- */

enum { BURST = 1000 };

struct numbered {
	struct loop_task task;
	int *seen;
	int number;
	sem_t *all;
};

struct burst {
	struct numbered tasks[BURST];
	int seen;
	sem_t all;
};

static void on_numbered(struct loop_task *task)
{
	struct numbered *n = (struct numbered *)task;

	ck_assert_int_eq(*n->seen, n->number);
	*n->seen = n->number + 1;
	if (*n->seen == BURST) {
		sem_post(n->all);
	}
}

static void *post_burst(void *arg)
{
	struct burst *burst = arg;

	for (int i = 0; i < BURST; i++) {
		burst->tasks[i] = (struct numbered){
			{ .fn = on_numbered }, &burst->seen, i, &burst->all
		};
		loop_post(loop, &burst->tasks[i].task);
	}
	sem_wait(&burst->all);
	return NULL;
}

START_TEST(tasks_of_one_thread_keep_their_order_among_those_of_others)
{
	struct burst *bursts = calloc(POSTERS, sizeof(*bursts));
	pthread_t threads[POSTERS];

	for (int i = 0; i < POSTERS; i++) {
		sem_init(&bursts[i].all, 0, 0);
	}
	run_threads(threads, POSTERS, post_burst, bursts, sizeof(*bursts));
	for (int i = 0; i < POSTERS; i++) {
		ck_assert_int_eq(bursts[i].seen, BURST);
	}
	free(bursts);
}
END_TEST

/* ---- timers: a stop and an expiry at the same instant ------------------- */

struct starter {
	struct loop_timer timer;
	sem_t ran;
	unsigned seed;
	int stopped, expired;
};

static void on_timer(struct loop_timer *timer, int64_t late_ns)
{
	ck_assert_int_ge(late_ns, 0);
	sem_post(&((struct starter *)timer)->ran);
}

/* Exactly one of the two must be true: it was stopped, or its callback runs. */
static void *start_and_stop(void *arg)
{
	struct starter *s = arg;

	for (int i = 0; i < TIMER_ROUNDS; i++) {
		int64_t at_ns = clock_now_ns() + rand_r(&s->seed) % 20000;

		loop_timer_start(loop, &s->timer, at_ns);
		while (clock_now_ns() < at_ns) {
		}
		if (loop_timer_stop(loop, &s->timer)) {
			s->stopped++;
		} else {
			sem_wait(&s->ran);
			s->expired++;
		}
		ck_assert_int_eq(sem_trywait(&s->ran), -1);
	}
	return NULL;
}

START_TEST(a_timer_is_either_stopped_or_runs_never_both_never_neither)
{
	struct starter starters[STARTERS];
	pthread_t threads[STARTERS];

	memset(starters, 0, sizeof(starters));
	for (int i = 0; i < STARTERS; i++) {
		starters[i].timer.fn = on_timer;
		starters[i].seed = (unsigned)i;
		sem_init(&starters[i].ran, 0, 0);
	}
	run_threads(threads, STARTERS, start_and_stop, starters,
		    sizeof(starters[0]));
	for (int i = 0; i < STARTERS; i++) {
		ck_assert_int_eq(starters[i].stopped + starters[i].expired,
				 TIMER_ROUNDS);
	}
}
END_TEST

/* A timer that is armed while the loop falls asleep must still wake it. */
static void *start_and_wait(void *arg)
{
	struct starter *s = arg;

	for (int i = 0; i < TIMER_ROUNDS; i++) {
		loop_timer_start(loop, &s->timer,
				 clock_now_ns() + rand_r(&s->seed) % 5000);
		sem_wait(&s->ran);
	}
	return NULL;
}

START_TEST(no_timer_is_lost_while_the_loop_falls_asleep)
{
	struct starter s = { .timer = { .fn = on_timer } };
	pthread_t thread;

	sem_init(&s.ran, 0, 0);
	run_threads(&thread, 1, start_and_wait, &s, sizeof(s));
	ck_assert_int_eq(sem_trywait(&s.ran), -1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("loop races");
	TCase *tc = tcase_create("races");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tc, LIFE_S);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, no_post_is_lost_while_the_loop_falls_asleep);
	tcase_add_test(
		tc, tasks_of_one_thread_keep_their_order_among_those_of_others);
	tcase_add_test(
		tc, a_timer_is_either_stopped_or_runs_never_both_never_neither);
	tcase_add_test(tc, no_timer_is_lost_while_the_loop_falls_asleep);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
