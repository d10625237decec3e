/* What is in doubt, as people see it. */
#include <check.h>
#include <stdlib.h>

#include "fake_record.h"
#include "worker/store.h"
#include "worker/worker.h"
#include "world.h"

static struct world world;
static struct worker worker;
static struct fake_record record;

static void set_up(void)
{
	world_init(&world, "worker");
	worker = (struct worker){ .db = &world.db.db,
				  .metrics = world.work_metrics };
	fake_record_attach(&record, &world.db, WORKER_STORE_TWOPC);
}

static void on_loop_close(void *arg)
{
	worker_close(arg);
}

static void tear_down(void)
{
	world_on_loop(&world, on_loop_close, &worker);
	ck_assert(!loop_timer_stop(world.loop, &worker.doubt.timer));
	while (fake_db_waits(&world.db)) {
		fake_db_refuse_ended(&world.db);
	}
	worker_release(&worker);
	worker_release(&worker);
	world_release(&world);
}

static void on_loop_open(void *arg)
{
	worker_open(arg, world.root);
}

static void open_worker(void)
{
	world_on_loop(&world, on_loop_open, &worker);
}

static bool shown(int n)
{
	return world_counted(&world, "rescind_in_doubt{service=\"worker\"}", n);
}

START_TEST(what_is_found_at_the_start_is_warned_of)
{
	fake_record_set(&record, "c", "1", TWOPC_ROW_PREPARED, "", 0);
	fake_record_set(&record, "c", "2", TWOPC_ROW_COMMITTED, "", 0);
	fake_record_set(&record, "d", "1", TWOPC_ROW_PREPARED, "", 0);
	open_worker();
	fake_db_complete(&world.db, STATUS_OK, "");
	ck_assert(shown(2));
	ck_assert(world_logged(&world, "WARN"));
	ck_assert(world_logged(&world, "Transactions are in doubt until their "
				       "coordinators come back in_doubt=2 "
				       "oldest_s="));
	/* Those rows say that they are from 1970. */
	ck_assert(!world_counted(&world,
				 "rescind_in_doubt_oldest_seconds{service="
				 "\"worker\"}",
				 0));
}
END_TEST

START_TEST(nothing_found_is_not_worth_a_word)
{
	open_worker();
	fake_db_complete(&world.db, STATUS_OK, "");
	ck_assert(shown(0));
	ck_assert(!world_logged(&world, "in doubt"));
	ck_assert(world_counted(&world,
				"rescind_in_doubt_oldest_seconds{service="
				"\"worker\"}",
				0));
}
END_TEST

START_TEST(it_is_asked_for_again_after_an_order)
{
	open_worker();
	fake_db_complete(&world.db, STATUS_OK, "");
	fake_db_complete(&world.db, STATUS_OK, ""); /* what was expired */
	ck_assert_int_eq(record.expiries, 1);
	fake_record_set(&record, "c", "1", TWOPC_ROW_PREPARED, "", 0);
	doubt_changed(&worker.doubt);
	fake_db_await(&world.db);
	fake_db_complete(&world.db, STATUS_OK, "");
	ck_assert(shown(1));
	/* The warning is for the start. */
	ck_assert(!world_logged(&world, "are in doubt"));
}
END_TEST

START_TEST(a_look_that_fails_is_repeated)
{
	fake_record_set(&record, "c", "1", TWOPC_ROW_PREPARED, "", 0);
	open_worker();
	fake_db_complete(&world.db, STATUS_UNAVAILABLE, "no disk");
	fake_db_complete(&world.db, STATUS_OK, ""); /* what was expired */
	ck_assert(shown(0));
	fake_db_await(&world.db);
	fake_db_complete(&world.db, STATUS_OK, "");
	ck_assert(shown(1));
	ck_assert(world_logged(&world, "are in doubt"));
}
END_TEST

START_TEST(an_expiry_that_fails_is_told_and_ignored)
{
	open_worker();
	fake_db_complete(&world.db, STATUS_OK, "");
	fake_db_complete(&world.db, STATUS_UNAVAILABLE, "no disk");
	ck_assert(world_logged(&world, "could not be dropped, ignoring: no "
				       "disk"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("doubt");
	TCase *tc = tcase_create("doubt");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_set_timeout(tc, 20);
	tcase_add_test(tc, what_is_found_at_the_start_is_warned_of);
	tcase_add_test(tc, nothing_found_is_not_worth_a_word);
	tcase_add_test(tc, it_is_asked_for_again_after_an_order);
	tcase_add_test(tc, a_look_that_fails_is_repeated);
	tcase_add_test(tc, an_expiry_that_fails_is_told_and_ignored);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
