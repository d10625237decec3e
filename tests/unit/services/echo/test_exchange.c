/* What exchanges of both kinds do alike: opening, and not opening. */
#include <check.h>
#include <stdlib.h>

#include "echo/store.h"
#include "scene.h"

static void set_up_one(void)
{
	scene_set_up(ECHO_ONE_PHASE);
}

static void set_up_two(void)
{
	scene_set_up(ECHO_TWO_PHASE);
}

static bool is_two_phase(void)
{
	return scene.echo.commit == ECHO_TWO_PHASE;
}

/* From the worker's being asked to the answer. */
static void let_it_commit(void)
{
	if (is_two_phase()) {
		fake_worker_say(&scene.worker, TWOPC_VERDICT_PREPARED, "yes");
		fake_db_complete(&scene.world.db, STATUS_OK, "");
		fake_worker_say(&scene.worker, TWOPC_VERDICT_COMMITTED, "");
		fake_worker_end(&scene.worker, STATUS_OK, "");
	} else {
		fake_worker_reply(&scene.worker, STATUS_OK, "yes");
		fake_db_complete(&scene.world.db, STATUS_OK, "");
	}
}

static bool is_under_way(void)
{
	return atomic_load(&scene.worker.link) != NULL ||
	       atomic_load(&scene.worker.call) != NULL;
}

/* The worker is done with it, without a yes. */
static void let_it_fail(void)
{
	if (is_two_phase()) {
		fake_worker_end(&scene.worker, STATUS_ABORTED, "");
	} else {
		fake_worker_reply(&scene.worker, STATUS_ABORTED, "");
	}
}

/* ---- the database refuses ----------------------------------------------- */

START_TEST(begin_fails_and_the_worker_is_not_called)
{
	scene.world.db.begin_code = STATUS_RESOURCE_EXHAUSTED;
	scene_start();
	scene_expect(STATUS_RESOURCE_EXHAUSTED,
		     "Failed to start transaction: no begin");
	scene_expect_rolled_back("database");
	ck_assert_int_eq(atomic_load(&scene.worker.calls), 0);
}
END_TEST

START_TEST(insert_fails_and_the_worker_is_not_called)
{
	scene.world.db.insert_code = STATUS_INTERNAL;
	scene_start();
	scene_expect(STATUS_INTERNAL, "Failed to insert request: no insert");
	scene_expect_rolled_back("database");
	ck_assert_int_eq(scene.world.db.rolled_back, 1);
	ck_assert_int_eq(atomic_load(&scene.worker.calls), 0);
}
END_TEST

START_TEST(a_client_that_has_left_begins_nothing)
{
	ctx_end(scene.client, CTX_CLIENT_RESET, NULL);
	scene_start();
	ck_assert_int_eq(scene.world.outcome.status.code, STATUS_CANCELLED);
	ck_assert_int_eq(scene.world.db.begun, 0);
	ck_assert_int_eq(atomic_load(&scene.worker.calls), 0);
}
END_TEST

/* ---- a database in doubt ------------------------------------------------ */

START_TEST(a_database_in_doubt_is_tried_before_anything_begins)
{
	scene_start_in_doubt();
	ck_assert_int_eq(scene.world.db.begun, 0);
	ck_assert_int_eq(atomic_load(&scene.worker.calls), 0);
	fake_db_complete(&scene.world.db, STATUS_OK, "");
	ck_assert_int_eq(scene.world.db.executed, 2); /* a row comes and goes */
	ck_assert_int_eq(atomic_load(&scene.worker.calls), 1);
	ck_assert_int_ne(echo_doubt(&scene.echo), ECHO_MAYBE_FULL);
	let_it_commit();
	scene_expect(STATUS_OK, "yes");
}
END_TEST

START_TEST(the_lock_alone_is_tried_some_time_after_a_write)
{
	scene_be_sure();
	atomic_store(&scene.echo.locked_ns, clock_now_ns() - 11 * NS_PER_MS);
	scene_begin();
	ck_assert_int_eq(scene.world.db.begun, 0);
	fake_db_complete(&scene.world.db, STATUS_OK, "");
	ck_assert_int_eq(scene.world.db.executed, 0);
	ck_assert_int_eq(scene.world.db.begun, 1);
	ck_assert_int_eq(atomic_load(&scene.worker.calls), 1);
	let_it_fail();
}
END_TEST

START_TEST(a_write_is_tried_5_s_after_the_last)
{
	atomic_store(&scene.echo.written_ns,
		     clock_now_ns() - (int64_t)5 * NS_PER_S);
	ck_assert_int_eq(echo_doubt(&scene.echo), ECHO_MAYBE_FULL);
	echo_note_lock(&scene.echo);
	ck_assert_int_eq(echo_doubt(&scene.echo), ECHO_MAYBE_FULL);
}
END_TEST

START_TEST(a_database_that_took_a_write_just_now_is_not_tried)
{
	scene_start();
	ck_assert_int_eq(scene.world.db.immediate, 0);
	ck_assert_int_eq(scene.world.db.begun, 1);
	let_it_fail();
}
END_TEST

START_TEST(a_database_that_refuses_the_trial_fails_the_request_alone)
{
	scene_start_in_doubt();
	fake_db_complete(&scene.world.db, STATUS_RESOURCE_EXHAUSTED,
			 "disk is full");
	scene_expect(STATUS_RESOURCE_EXHAUSTED,
		     "Failed to start transaction: disk is full");
	scene_expect_rolled_back("database");
	ck_assert_int_eq(atomic_load(&scene.worker.calls), 0);
}
END_TEST

START_TEST(a_locked_database_is_told_when_the_deadline_passes)
{
	scene_client(10 * NS_PER_MS);
	scene_start_in_doubt();
	outcome_wait(&scene.world.outcome, 1);
	scene_expect(STATUS_UNAVAILABLE,
		     "Failed to start transaction: database is locked");
	scene_expect_rolled_back("database");
	ck_assert_int_eq(atomic_load(&scene.worker.calls), 0);
	fake_db_complete(&scene.world.db, STATUS_DEADLINE_EXCEEDED, "");
}
END_TEST

static void refuse_after_the_deadline(void *arg)
{
	(void)arg;
	while (clock_now_ns() <= ctx_deadline_ns(scene.client)) {
	}
	fake_db_complete(&scene.world.db, STATUS_DEADLINE_EXCEEDED, "");
}

START_TEST(the_database_may_notice_the_deadline_first)
{
	scene_client(200 * NS_PER_MS);
	scene_start_in_doubt();
	world_on_loop(&scene.world, refuse_after_the_deadline, NULL);
	ck_assert_int_eq(scene.world.outcome.status.code, STATUS_UNAVAILABLE);
	scene_expect_rolled_back("database");
}
END_TEST

START_TEST(a_client_may_leave_while_the_database_is_tried)
{
	scene_start_in_doubt();
	ctx_end(scene.client, CTX_CLIENT_RESET, NULL);
	ck_assert_int_eq(scene.world.outcome.status.code, STATUS_CANCELLED);
	scene_expect_rolled_back("client_reset");
	fake_db_complete(&scene.world.db, STATUS_OK, "");
	ck_assert_int_eq(scene.world.db.begun, 0);
	ck_assert_int_eq(outcome_answers(&scene.world.outcome), 1);
}
END_TEST

/* ---- stopping ---------------------------------------------------------- */

static void on_drained(void *arg)
{
	atomic_fetch_add((atomic_int *)arg, 1);
}

START_TEST(drained_is_told_when_the_last_exchange_is_over)
{
	atomic_int drained = 0;

	scene_start();
	echo_drain(&scene.echo, on_drained, &drained);
	ck_assert_int_eq(atomic_load(&drained), 0);
	ctx_end(scene.client, CTX_SHUTDOWN, NULL);
	ck_assert_int_eq(atomic_load(&drained), 0);
	let_it_fail();
	ck_assert_int_eq(atomic_load(&drained), 1);
}
END_TEST

START_TEST(without_exchanges_drained_is_told_at_once)
{
	atomic_int drained = 0;

	echo_drain(&scene.echo, on_drained, &drained);
	ck_assert_int_eq(atomic_load(&drained), 1);
}
END_TEST

/* ---- races ------------------------------------------------------------- */

static void *leave(void *arg)
{
	(void)arg;
	ctx_end(scene.client, CTX_CLIENT_CLOSED, NULL);
	return NULL;
}

START_TEST(one_answer_whichever_of_trial_and_leaving_is_first)
{
	for (int round = 1; round <= 300; round++) {
		pthread_t thread;

		scene_start_in_doubt();
		pthread_create(&thread, NULL, leave, NULL);
		fake_db_complete(&scene.world.db, STATUS_OK, "");
		pthread_join(thread, NULL);
		if (is_under_way()) {
			let_it_fail();
		}
		ck_assert_int_eq(outcome_answers(&scene.world.outcome), round);
		ck_assert_uint_eq(echo_live(&scene.echo), 0);
		scene_client((int64_t)60 * NS_PER_S);
	}
}
END_TEST

/* ---- names ------------------------------------------------------------- */

START_TEST(an_answered_exchange_moves_nowhere)
{
	for (int to = 0; to < EXCHANGE_STATE_NR; to++) {
		enum exchange_state state = (enum exchange_state)to;

		ck_assert(!exchange_may_move(EXCHANGE_ANSWERED, state));
		ck_assert(!exchange_may_move(state, EXCHANGE_OPENING));
		ck_assert_str_ne(exchange_state_name(state), "?");
	}
	ck_assert(!exchange_may_move(EXCHANGE_OPENING, EXCHANGE_COMMITTING));
	ck_assert(!exchange_may_move(EXCHANGE_CALLING, EXCHANGE_ANSWERED));
}
END_TEST

static void add_all(Suite *suite, const char *name, void (*set_up)(void))
{
	TCase *tc = tcase_create(name);

	tcase_add_checked_fixture(tc, set_up, scene_tear_down);
	tcase_set_timeout(tc, 20);
	tcase_add_test(tc, begin_fails_and_the_worker_is_not_called);
	tcase_add_test(tc, insert_fails_and_the_worker_is_not_called);
	tcase_add_test(tc, a_client_that_has_left_begins_nothing);
	tcase_add_test(tc, a_database_in_doubt_is_tried_before_anything_begins);
	tcase_add_test(tc, the_lock_alone_is_tried_some_time_after_a_write);
	tcase_add_test(tc, a_write_is_tried_5_s_after_the_last);
	tcase_add_test(tc, a_database_that_took_a_write_just_now_is_not_tried);
	tcase_add_test(
		tc, a_database_that_refuses_the_trial_fails_the_request_alone);
	tcase_add_test(tc, a_locked_database_is_told_when_the_deadline_passes);
	tcase_add_test(tc, the_database_may_notice_the_deadline_first);
	tcase_add_test(tc, a_client_may_leave_while_the_database_is_tried);
	tcase_add_test(tc, drained_is_told_when_the_last_exchange_is_over);
	tcase_add_test(tc, without_exchanges_drained_is_told_at_once);
	tcase_add_test(tc, one_answer_whichever_of_trial_and_leaving_is_first);
	tcase_add_test(tc, an_answered_exchange_moves_nowhere);
	suite_add_tcase(suite, tc);
}

int main(void)
{
	Suite *suite = suite_create("exchange");
	SRunner *runner = srunner_create(suite);
	int failed;

	add_all(suite, "one phase", set_up_one);
	add_all(suite, "two phases", set_up_two);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
