#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "echo/store.h"
#include "scene.h"

static void set_up(void)
{
	scene_set_up(ECHO_ONE_PHASE);
}

/* Up to the worker's yes, the commit under way. */
static void start_and_commit(void)
{
	scene_start();
	fake_worker_reply(&scene.worker, STATUS_OK,
			  "Work completed for task r1");
	ck_assert(fake_db_waits(&scene.world.db));
}

static bool diverged(void)
{
	return world_counted(&scene.world,
			     "rescind_diverged_total{service=\"echo\"}", 1) &&
	       world_logged(&scene.world,
			    "The worker has committed what was rolled "
			    "back here, request_id=r1");
}

/* ---- all goes well ------------------------------------------------------ */

START_TEST(a_request_is_inserted_worked_on_and_committed)
{
	scene_start();
	ck_assert_uint_eq(scene.world.db.last_stmt, ECHO_STORE_INSERT);
	ck_assert_str_eq(scene.world.db.last_values[0], "r1");
	ck_assert_str_eq(scene.world.db.last_values[1], "hello");
	ck_assert_str_eq(scene.worker.task_id, "r1");
	ck_assert_str_eq(scene.worker.data, "hello");
	ck_assert_int_eq(scene.world.db.committed, 0);
	fake_worker_reply(&scene.worker, STATUS_OK,
			  "Work completed for task r1");
	ck_assert_int_eq(outcome_answers(&scene.world.outcome), 0);
	fake_db_complete(&scene.world.db, STATUS_OK, "");
	scene_expect(STATUS_OK, "Work completed for task r1");
	ck_assert(world_logged(&scene.world,
			       "TRANSACTION COMMITTED for request_id=r1"));
	ck_assert(scene_counted("committed", "finished"));
	ck_assert(!diverged());
}
END_TEST

START_TEST(the_worker_is_called_with_the_clients_scope)
{
	scene_client((int64_t)60 * NS_PER_S);
	scene_start();
	ck_assert_int_eq(ctx_deadline_ns(scene.worker.ctx),
			 ctx_deadline_ns(scene.client));
	ctx_end(scene.client, CTX_CLIENT_CLOSED, NULL);
	ck_assert(ctx_ended(scene.worker.ctx));
}
END_TEST

/* ---- the database refuses ----------------------------------------------- */

START_TEST(commit_fails_with_each_code_and_the_divergence_is_told)
{
	enum status_code code = (enum status_code)_i;

	start_and_commit();
	fake_db_complete(&scene.world.db, code, "no commit");
	scene_expect(code, "Failed to commit: no commit");
	ck_assert(diverged());
	ck_assert(scene_counted("rolled_back", "database"));
	ck_assert_int_eq(echo_doubt(&scene.echo), ECHO_MAYBE_FULL);
}
END_TEST

/* ---- the worker refuses ------------------------------------------------- */

START_TEST(the_worker_refuses_with_each_code)
{
	enum status_code code = (enum status_code)_i;
	char text[128];

	scene_start();
	fake_worker_reply(&scene.worker, code, "no work");
	snprintf(text, sizeof(text),
		 "Worker failed: rpc error: code = %s desc = no work",
		 status_code_go_name(code));
	scene_expect(code, text);
	scene_expect_rolled_back(
		code == STATUS_DEADLINE_EXCEEDED ? "deadline" : "peer_failed");
	ck_assert_int_eq(scene.world.db.rolled_back, 1);
	ck_assert_int_eq(scene.world.db.committed, 0);
}
END_TEST

/* ---- the client leaves -------------------------------------------------- */

START_TEST(a_client_that_leaves_while_the_worker_works_rolls_back_at_once)
{
	scene_start();
	ctx_end(scene.client, CTX_CLIENT_CLOSED, NULL);
	ck_assert_int_eq(outcome_answers(&scene.world.outcome), 1);
	ck_assert_int_eq(scene.world.outcome.status.code, STATUS_CANCELLED);
	ck_assert_int_eq(scene.world.db.rolled_back, 1);
	scene_expect_rolled_back("client_closed");
	ck_assert(world_counted(
		&scene.world,
		"rescind_cancel_to_rollback_seconds_count{service=\"echo\"}",
		1));
	/* The exchange stays until the cancelled call is over. */
	ck_assert_uint_eq(echo_live(&scene.echo), 1);
	fake_worker_reply(&scene.worker, STATUS_CANCELLED, "cancelled");
	ck_assert_uint_eq(echo_live(&scene.echo), 0);
	ck_assert(!diverged());
}
END_TEST

START_TEST(the_cause_is_told_for_every_way_to_leave)
{
	static const struct {
		enum ctx_cause cause;
		enum status_code code;
	} ways[] = {
		{ CTX_CLIENT_CLOSED, STATUS_CANCELLED },
		{ CTX_CLIENT_RESET, STATUS_CANCELLED },
		{ CTX_DEADLINE, STATUS_DEADLINE_EXCEEDED },
		{ CTX_SHUTDOWN, STATUS_UNAVAILABLE },
	};

	scene_start();
	ctx_end(scene.client, ways[_i].cause, NULL);
	ck_assert_int_eq(scene.world.outcome.status.code, ways[_i].code);
	scene_expect_rolled_back(ctx_cause_name(ways[_i].cause));
}
END_TEST

START_TEST(a_yes_that_crosses_the_leaving_is_told_as_divergence)
{
	scene_start();
	ctx_end(scene.client, CTX_CLIENT_CLOSED, NULL);
	fake_worker_reply(&scene.worker, STATUS_OK,
			  "Work completed for task r1");
	scene_expect_rolled_back("client_closed");
	ck_assert_int_eq(scene.world.db.committed, 0);
	ck_assert(diverged());
}
END_TEST

START_TEST(after_the_workers_yes_the_commit_stands_though_the_client_leaves)
{
	start_and_commit();
	ctx_end(scene.client, CTX_CLIENT_CLOSED, NULL);
	ck_assert(!ctx_ended(scene.world.db.txn_ctx));
	ck_assert_int_eq(outcome_answers(&scene.world.outcome), 0);
	fake_db_complete(&scene.world.db, STATUS_OK, "");
	scene_expect(STATUS_OK, "Work completed for task r1");
	ck_assert(scene_counted("committed", "finished"));
}
END_TEST

START_TEST(after_the_workers_yes_the_deadline_does_not_undo_the_commit)
{
	scene_client(200 * NS_PER_MS);
	start_and_commit();
	world_await_end(scene.client);
	ck_assert(!ctx_ended(scene.world.db.txn_ctx));
	fake_db_complete(&scene.world.db, STATUS_OK, "");
	scene_expect(STATUS_OK, "Work completed for task r1");
}
END_TEST

START_TEST(leaving_after_the_answer_changes_nothing)
{
	start_and_commit();
	fake_db_complete(&scene.world.db, STATUS_OK, "");
	ctx_end(scene.client, CTX_CLIENT_CLOSED, NULL);
	scene_expect(STATUS_OK, "Work completed for task r1");
}
END_TEST

/* ---- time --------------------------------------------------------------- */

START_TEST(the_deadline_passes_while_the_worker_works)
{
	scene_client(10 * NS_PER_MS);
	scene_start();
	outcome_wait(&scene.world.outcome, 1);
	scene_expect(
		STATUS_DEADLINE_EXCEEDED,
		"Worker failed: rpc error: code = DeadlineExceeded desc = the "
		"deadline passed");
	scene_expect_rolled_back("deadline");
}
END_TEST

START_TEST(the_worker_notices_the_deadline_first)
{
	scene_client((int64_t)60 * NS_PER_S);
	scene_start();
	fake_worker_reply(&scene.worker, STATUS_DEADLINE_EXCEEDED, "too late");
	scene_expect(
		STATUS_DEADLINE_EXCEEDED,
		"Worker failed: rpc error: code = DeadlineExceeded desc = too "
		"late");
	scene_expect_rolled_back("deadline");
}
END_TEST

static void reply_after_the_deadline(void *arg)
{
	(void)arg;
	while (clock_now_ns() <= ctx_deadline_ns(scene.client)) {
	}
	fake_worker_reply(&scene.worker, STATUS_UNAVAILABLE, "gone");
}

START_TEST(a_deadline_that_no_timer_has_served_yet_is_told_as_such)
{
	scene_client(200 * NS_PER_MS);
	scene_start();
	world_on_loop(&scene.world, reply_after_the_deadline, NULL);
	ck_assert_int_eq(scene.world.outcome.status.code,
			 STATUS_DEADLINE_EXCEEDED);
	scene_expect_rolled_back("deadline");
}
END_TEST

START_TEST(a_commit_that_finds_the_database_locked_is_given_up)
{
	int64_t began_ns = clock_now_ns();

	scene_client(200 * NS_PER_MS);
	start_and_commit();
	ck_assert_int_ge(world_await_end(scene.world.db.txn_ctx),
			 began_ns + ECHO_COMMIT_PATIENCE_NS);
	fake_db_refuse_ended(&scene.world.db);
	scene_expect(STATUS_UNAVAILABLE,
		     "Failed to commit: database is locked");
	ck_assert(scene_counted("rolled_back", "database"));
	ck_assert(diverged());
}
END_TEST

START_TEST(a_commit_waits_until_the_deadline_though_the_client_left)
{
	scene_client(400 * NS_PER_MS);
	start_and_commit();
	ctx_end(scene.client, CTX_CLIENT_CLOSED, NULL);
	ck_assert_int_ge(world_await_end(scene.world.db.txn_ctx),
			 ctx_deadline_ns(scene.client));
	fake_db_refuse_ended(&scene.world.db);
	ck_assert_int_eq(scene.world.outcome.status.code, STATUS_UNAVAILABLE);
}
END_TEST

/* ---- stopping ----------------------------------------------------------- */

static void cancel(void *arg)
{
	echo_cancel(arg);
}

START_TEST(a_commit_that_hangs_does_not_hold_up_a_forced_stop)
{
	start_and_commit();
	world_on_loop(&scene.world, cancel, &scene.echo);
	world_await_end(scene.world.db.txn_ctx);
	fake_db_refuse_ended(&scene.world.db);
	ck_assert_int_eq(scene.world.outcome.status.code, STATUS_UNAVAILABLE);
	ck_assert(scene_counted("rolled_back", "shutdown"));
}
END_TEST

/* ---- races -------------------------------------------------------------- */

static void *leave(void *arg)
{
	(void)arg;
	ctx_end(scene.client, CTX_CLIENT_CLOSED, NULL);
	return NULL;
}

/* Whichever is first: one answer, and the database's part agrees with it. */
START_TEST(one_answer_whichever_of_yes_and_leaving_is_first)
{
	for (int round = 1; round <= 300; round++) {
		pthread_t thread;

		scene_start();
		pthread_create(&thread, NULL, leave, NULL);
		fake_worker_reply(&scene.worker, STATUS_OK, "yes");
		if (fake_db_waits(&scene.world.db)) {
			fake_db_complete(&scene.world.db, STATUS_OK, "");
			ck_assert_int_eq(scene.world.outcome.status.code,
					 STATUS_OK);
		}
		pthread_join(thread, NULL);
		ck_assert_int_eq(outcome_answers(&scene.world.outcome), round);
		ck_assert_uint_eq(echo_live(&scene.echo), 0);
		scene_client((int64_t)60 * NS_PER_S);
	}
}
END_TEST

static void add_outcomes(TCase *tc)
{
	tcase_add_test(tc, a_request_is_inserted_worked_on_and_committed);
	tcase_add_test(tc, the_worker_is_called_with_the_clients_scope);
	tcase_add_loop_test(
		tc, commit_fails_with_each_code_and_the_divergence_is_told, 1,
		STATUS_CODE_NR);
	tcase_add_loop_test(tc, the_worker_refuses_with_each_code, 1,
			    STATUS_CODE_NR);
}

static void add_leaving(TCase *tc)
{
	tcase_add_test(
		tc,
		a_client_that_leaves_while_the_worker_works_rolls_back_at_once);
	tcase_add_loop_test(tc, the_cause_is_told_for_every_way_to_leave, 0, 4);
	tcase_add_test(tc,
		       a_yes_that_crosses_the_leaving_is_told_as_divergence);
	tcase_add_test(
		tc,
		after_the_workers_yes_the_commit_stands_though_the_client_leaves);
	tcase_add_test(
		tc,
		after_the_workers_yes_the_deadline_does_not_undo_the_commit);
	tcase_add_test(tc, leaving_after_the_answer_changes_nothing);
	tcase_add_test(tc, one_answer_whichever_of_yes_and_leaving_is_first);
}

static void add_time(TCase *tc)
{
	tcase_add_test(tc, the_deadline_passes_while_the_worker_works);
	tcase_add_test(tc, the_worker_notices_the_deadline_first);
	tcase_add_test(tc,
		       a_deadline_that_no_timer_has_served_yet_is_told_as_such);
	tcase_add_test(tc, a_commit_that_finds_the_database_locked_is_given_up);
	tcase_add_test(
		tc, a_commit_waits_until_the_deadline_though_the_client_left);
}

int main(void)
{
	Suite *suite = suite_create("exchange_one");
	TCase *tc = tcase_create("one phase");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, set_up, scene_tear_down);
	tcase_set_timeout(tc, 20);
	add_outcomes(tc);
	add_leaving(tc);
	add_time(tc);
	tcase_add_test(tc, a_commit_that_hangs_does_not_hold_up_a_forced_stop);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
