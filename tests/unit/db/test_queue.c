/* The queue between the callers of a database and one of its threads. */
#include <check.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "db/sqlite_queue.h"
#include "suite.h"

static struct job_queue queue;
static struct job jobs[4];
static struct job_list refused;

static void setup(void)
{
	memset(jobs, 0, sizeof(jobs));
	queue_init(&queue);
}

static void teardown(void)
{
	queue_release(&queue);
}

/* The thread: sleeps without end, with or without an eye for work. */
struct sleeper {
	pthread_t thread;
	bool look_at_work;
	enum queue_news news;
};

static void *sleep_for_news(void *arg)
{
	struct sleeper *sleeper = arg;

	sleeper->news = queue_wait(&queue, sleeper->look_at_work, CLOCK_NEVER,
				   &refused);
	return NULL;
}

static bool is_asleep(void)
{
	bool asleep;

	pthread_mutex_lock(&queue.lock);
	asleep = queue.sleeping || queue.napping;
	pthread_mutex_unlock(&queue.lock);
	return asleep;
}

static void start(struct sleeper *sleeper, bool look_at_work)
{
	const struct timespec tick = { .tv_nsec = NS_PER_MS };

	sleeper->look_at_work = look_at_work;
	pthread_create(&sleeper->thread, NULL, sleep_for_news, sleeper);
	while (!is_asleep()) {
		nanosleep(&tick, NULL);
	}
}

static enum queue_news news_of(struct sleeper *sleeper)
{
	pthread_join(sleeper->thread, NULL);
	return sleeper->news;
}

START_TEST(jobs_come_out_in_order_and_in_groups)
{
	struct job *taken[3];

	for (int i = 0; i < 4; i++) {
		queue_post(&queue, &jobs[i], false);
	}
	ck_assert_int_eq(queue_wait(&queue, true, CLOCK_NEVER, &refused),
			 QUEUE_WORK);
	ck_assert_uint_eq(queue_take(&queue, taken, 3), 3);
	ck_assert_ptr_eq(taken[0], &jobs[0]);
	ck_assert_ptr_eq(taken[2], &jobs[2]);
	ck_assert_uint_eq(queue_take(&queue, taken, 3), 1);
	ck_assert_ptr_eq(taken[0], &jobs[3]);
	ck_assert_uint_eq(queue_length(&queue), 0);
}
END_TEST

START_TEST(refused_jobs_go_before_those_that_wait)
{
	queue_post(&queue, &jobs[0], false);
	queue_post(&queue, &jobs[1], false);
	queue_post(&queue, &jobs[2], false);
	queue_refuse(&queue, &jobs[1]);
	ck_assert_int_eq(queue_wait(&queue, true, CLOCK_NEVER, &refused),
			 QUEUE_REFUSED);
	ck_assert_uint_eq(refused.n, 1);
	ck_assert_ptr_eq(job_list_pop(&refused), &jobs[1]);
	ck_assert_uint_eq(queue_length(&queue), 2);
}
END_TEST

START_TEST(a_job_that_was_taken_is_not_refused_any_more)
{
	struct job *taken[1];

	queue_post(&queue, &jobs[0], false);
	ck_assert_uint_eq(queue_take(&queue, taken, 1), 1);
	queue_refuse(&queue, &jobs[0]);
	ck_assert_int_eq(queue_wait(&queue, true, 0, &refused), QUEUE_TIME);
}
END_TEST

START_TEST(work_wakes_one_who_sleeps)
{
	struct sleeper sleeper;

	start(&sleeper, true);
	queue_post(&queue, &jobs[0], false);
	ck_assert_int_eq(news_of(&sleeper), QUEUE_WORK);
}
END_TEST

START_TEST(a_refusal_wakes_one_who_waits_for_a_lock)
{
	struct sleeper sleeper;

	queue_post(&queue, &jobs[0], false);
	start(&sleeper, false);
	queue_post(&queue, &jobs[1], false);
	ck_assert(is_asleep()); /* work is no news to him */
	queue_refuse(&queue, &jobs[0]);
	ck_assert_int_eq(news_of(&sleeper), QUEUE_REFUSED);
}
END_TEST

START_TEST(closing_is_news_when_nothing_waits)
{
	struct sleeper sleeper;
	struct status why;

	start(&sleeper, true);
	queue_close(&queue);
	ck_assert_int_eq(news_of(&sleeper), QUEUE_CLOSED);
	ck_assert(!queue_admits(&queue, &why));
	ck_assert_int_eq(why.code, STATUS_UNAVAILABLE);
	queue_post(&queue, &jobs[0], false);
	ck_assert_int_eq(queue_wait(&queue, true, CLOCK_NEVER, &refused),
			 QUEUE_WORK);
}
END_TEST

START_TEST(a_full_queue_admits_no_more)
{
	static struct job many[QUEUE_MAX];
	struct status why;

	for (size_t i = 0; i < QUEUE_MAX; i++) {
		ck_assert(queue_admits(&queue, &why));
		queue_post(&queue, &many[i], false);
	}
	ck_assert(!queue_admits(&queue, &why));
	ck_assert_int_eq(why.code, STATUS_RESOURCE_EXHAUSTED);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("queue");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, jobs_come_out_in_order_and_in_groups);
	tcase_add_test(tc, refused_jobs_go_before_those_that_wait);
	tcase_add_test(tc, a_job_that_was_taken_is_not_refused_any_more);
	tcase_add_test(tc, work_wakes_one_who_sleeps);
	tcase_add_test(tc, a_refusal_wakes_one_who_waits_for_a_lock);
	tcase_add_test(tc, closing_is_news_when_nothing_waits);
	tcase_add_test(tc, a_full_queue_admits_no_more);
	return suite_run("queue", tc);
}
