/* The pool of images, and how it grows and shrinks. */
#include <check.h>
#include <time.h>

#include "db/sqlite_pool.h"
#include "loop/clock.h"
#include "suite.h"

enum { MAX = 200, KEEP = 4 };

static const char schema[] = "CREATE TABLE t (a TEXT UNIQUE)";
static const char *const tables[] = { "t", NULL };
static const char *const statements[] = {
	"INSERT INTO t VALUES (?)",
	"INSERT INTO t VALUES (?), (?)",
	"SELECT a FROM t",
	"INSERT INTO t SELECT a FROM t",
	"INSERT INTO t VALUES (?) ON CONFLICT DO UPDATE SET a = 1",
	"DELETE FROM t",
	"INSERT INTO t VALUES (?) RETURNING a",
};
enum { STATEMENTS = sizeof(statements) / sizeof(statements[0]) };

static struct image_plan plan;
static struct image_pool pool;
static struct image *images[MAX];

static void setup(void)
{
	struct status err;

	ck_assert_int_eq(image_plan_init(&plan, schema, tables, statements,
					 STATEMENTS, &err),
			 STATUS_OK);
	ck_assert_int_eq(pool_init(&pool, &plan, MAX, KEEP, &err), STATUS_OK);
}

static void teardown(void)
{
	pool_release(&pool);
	image_plan_release(&plan);
}

static size_t idle(void)
{
	size_t n;

	pthread_mutex_lock(&pool.lock);
	n = pool.idle_n;
	pthread_mutex_unlock(&pool.lock);
	return n;
}

static void wait_for_idle(size_t least, size_t most)
{
	const struct timespec tick = { .tv_nsec = NS_PER_MS };
	int64_t until_ns = clock_now_ns() + 20 * (int64_t)NS_PER_S;

	while (idle() < least || idle() > most) {
		ck_assert_msg(clock_now_ns() < until_ns, "%zu idle", idle());
		nanosleep(&tick, NULL); /* the helper tells nobody */
	}
}

static void take_all(void)
{
	struct status err;

	for (size_t i = 0; i < MAX; i++) {
		ck_assert_int_eq(pool_take(&pool, &images[i], &err), STATUS_OK);
	}
}

static void give_all(void)
{
	for (size_t i = 0; i < MAX; i++) {
		pool_give_back(&pool, images[i]);
	}
}

START_TEST(plain_inserts_alone_can_be_staged)
{
	static const bool expected[STATEMENTS] = { true, true };

	for (size_t i = 0; i < STATEMENTS; i++) {
		ck_assert_msg(plan.stageable[i] == expected[i], "%s",
			      statements[i]);
	}
}
END_TEST

START_TEST(spare_images_are_opened_ahead)
{
	wait_for_idle(KEEP, KEEP);
}
END_TEST

START_TEST(spares_that_were_used_up_are_replaced)
{
	struct status err;

	wait_for_idle(KEEP, KEEP);
	for (size_t i = 0; i < KEEP; i++) {
		ck_assert_int_eq(pool_take(&pool, &images[i], &err), STATUS_OK);
	}
	wait_for_idle(KEEP / 2, KEEP + 1);
	for (size_t i = 0; i < KEEP; i++) {
		pool_give_back(&pool, images[i]);
	}
}
END_TEST

START_TEST(more_than_the_bound_are_refused)
{
	struct image *one_more;
	struct status err;

	take_all();
	ck_assert_int_eq(pool_take(&pool, &one_more, &err),
			 STATUS_RESOURCE_EXHAUSTED);
	give_all();
}
END_TEST

START_TEST(superfluous_images_are_closed_after_a_burst)
{
	take_all();
	give_all();
	ck_assert_uint_ge(idle(), MAX);
	wait_for_idle(KEEP, KEEP);
}
END_TEST

START_TEST(a_pool_that_was_shut_refuses)
{
	struct image *image;
	struct status err;

	pool_shut(&pool);
	ck_assert_int_eq(pool_take(&pool, &image, &err), STATUS_UNAVAILABLE);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("pool");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, plain_inserts_alone_can_be_staged);
	tcase_add_test(tc, spare_images_are_opened_ahead);
	tcase_add_test(tc, spares_that_were_used_up_are_replaced);
	tcase_add_test(tc, more_than_the_bound_are_refused);
	tcase_add_test(tc, superfluous_images_are_closed_after_a_burst);
	tcase_add_test(tc, a_pool_that_was_shut_refuses);
	return suite_run("pool", tc);
}
