#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "echo/exchange.h"
#include "echo/store.h"
#include "fake_worker.h"
#include "world.h"

static struct world world;
static struct fake_worker peer;
static struct echo echo;
static struct ctx *client;

static void set_up(void)
{
	world_init(&world, "echo");
	fake_worker_init(&peer);
	echo_init(&echo);
	echo.root = ctx_new(world.root, CLOCK_NEVER);
	echo.db = &world.db.db;
	echo.worker = &peer.port;
	echo.metrics = world.work_metrics;
	client = ctx_new(world.root, CLOCK_NEVER);
}

static void tear_down(void)
{
	if (atomic_load(&peer.call) != NULL) { /* it was cancelled */
		fake_worker_reply(&peer, STATUS_CANCELLED, "cancelled");
	}
	world_settle(&world);
	ck_assert_uint_eq(echo_live(&echo), 0);
	fake_worker_release(&peer);
	ctx_unref(client);
	world_release(&world);
	ctx_unref(echo.root);
}

/* Another client, with a deadline. */
static void client_with_deadline(int64_t timeout_ns)
{
	ctx_unref(client);
	client = ctx_new(world.root, clock_now_ns() + timeout_ns);
}

/* The database has just taken a write, however slow this test is. */
static void be_sure(void)
{
	atomic_store(&echo.written_ns, CLOCK_NEVER);
	atomic_store(&echo.locked_ns, CLOCK_NEVER);
}

static void start(void)
{
	be_sure();
	exchange_start(&echo, client, "r1", "hello", outcome_answer,
		       &world.outcome);
}

/* The same with a database of which nothing is known. */
static void start_in_doubt(void)
{
	echo_note_write(&echo, false);
	exchange_start(&echo, client, "r1", "hello", outcome_answer,
		       &world.outcome);
}

/* Up to the worker's yes, the commit under way. */
static void start_and_commit(void)
{
	start();
	fake_worker_reply(&peer, STATUS_OK, "Work completed for task r1");
	ck_assert(fake_db_waits(&world.db));
}

static void expect(enum status_code code, const char *message)
{
	ck_assert_int_eq(outcome_answers(&world.outcome), 1);
	ck_assert_int_eq(world.outcome.status.code, code);
	ck_assert_str_eq(world.outcome.status.message, message);
}

static bool counted(const char *outcome, const char *cause)
{
	char series[160];

	snprintf(series, sizeof(series),
		 "rescind_transactions_total{cause=\"%s\",outcome=\"%s\","
		 "service=\"echo\"}",
		 cause, outcome);
	return world_counted(&world, series, 1);
}

static bool diverged(void)
{
	return world_counted(&world, "rescind_diverged_total{service=\"echo\"}",
			     1) &&
	       world_logged(&world, "The worker has committed what was rolled "
				    "back here, request_id=r1");
}

static void expect_rolled_back(const char *cause)
{
	char text[64];

	snprintf(text, sizeof(text), "cause=%s", cause);
	ck_assert(world_logged(&world, "TRANSACTION ROLLED BACK for "
				       "request_id=r1"));
	ck_assert(world_logged(&world, text));
	ck_assert_msg(counted("rolled_back", cause), "%s", cause);
	ck_assert(!world_logged(&world, "COMMITTED"));
}

/* ---- all goes well ------------------------------------------------------ */

START_TEST(a_request_is_inserted_worked_on_and_committed)
{
	start();
	ck_assert_uint_eq(world.db.last_stmt, ECHO_STORE_INSERT);
	ck_assert_str_eq(world.db.last_values[0], "r1");
	ck_assert_str_eq(world.db.last_values[1], "hello");
	ck_assert_str_eq(peer.task_id, "r1");
	ck_assert_str_eq(peer.data, "hello");
	ck_assert_int_eq(world.db.committed, 0);
	fake_worker_reply(&peer, STATUS_OK, "Work completed for task r1");
	ck_assert_int_eq(outcome_answers(&world.outcome), 0);
	fake_db_complete(&world.db, STATUS_OK, "");
	expect(STATUS_OK, "Work completed for task r1");
	ck_assert(world_logged(&world,
			       "TRANSACTION COMMITTED for request_id=r1"));
	ck_assert(counted("committed", "finished"));
	ck_assert(!diverged());
}
END_TEST

START_TEST(the_worker_is_called_with_the_clients_scope)
{
	client_with_deadline((int64_t)60 * NS_PER_S);
	start();
	ck_assert_int_eq(ctx_deadline_ns(peer.ctx), ctx_deadline_ns(client));
	ctx_end(client, CTX_CLIENT_CLOSED, NULL);
	ck_assert(ctx_ended(peer.ctx));
}
END_TEST

/* ---- the database refuses ----------------------------------------------- */

START_TEST(begin_fails_and_the_worker_is_not_called)
{
	world.db.begin_code = STATUS_RESOURCE_EXHAUSTED;
	start();
	expect(STATUS_RESOURCE_EXHAUSTED,
	       "Failed to start transaction: no begin");
	expect_rolled_back("database");
	ck_assert_int_eq(atomic_load(&peer.calls), 0);
}
END_TEST

START_TEST(insert_fails_and_the_worker_is_not_called)
{
	world.db.insert_code = STATUS_INTERNAL;
	start();
	expect(STATUS_INTERNAL, "Failed to insert request: no insert");
	expect_rolled_back("database");
	ck_assert_int_eq(world.db.rolled_back, 1);
	ck_assert_int_eq(atomic_load(&peer.calls), 0);
}
END_TEST

START_TEST(commit_fails_with_each_code_and_the_divergence_is_told)
{
	enum status_code code = (enum status_code)_i;

	start_and_commit();
	fake_db_complete(&world.db, code, "no commit");
	expect(code, "Failed to commit: no commit");
	ck_assert(diverged());
	ck_assert(counted("rolled_back", "database"));
	ck_assert_int_eq(echo_doubt(&echo), ECHO_MAYBE_FULL);
}
END_TEST

/* ---- the worker refuses ------------------------------------------------- */

START_TEST(the_worker_refuses_with_each_code)
{
	enum status_code code = (enum status_code)_i;
	char text[128];

	start();
	fake_worker_reply(&peer, code, "no work");
	snprintf(text, sizeof(text),
		 "Worker failed: rpc error: code = %s desc = no work",
		 status_code_go_name(code));
	expect(code, text);
	expect_rolled_back(code == STATUS_DEADLINE_EXCEEDED ? "deadline"
							    : "peer_failed");
	ck_assert_int_eq(world.db.rolled_back, 1);
	ck_assert_int_eq(world.db.committed, 0);
}
END_TEST

/* ---- the client leaves -------------------------------------------------- */

START_TEST(a_client_that_leaves_while_the_worker_works_rolls_back_at_once)
{
	start();
	ctx_end(client, CTX_CLIENT_CLOSED, NULL);
	ck_assert_int_eq(outcome_answers(&world.outcome), 1);
	ck_assert_int_eq(world.outcome.status.code, STATUS_CANCELLED);
	ck_assert_int_eq(world.db.rolled_back, 1);
	expect_rolled_back("client_closed");
	ck_assert(world_counted(
		&world,
		"rescind_cancel_to_rollback_seconds_count{service=\"echo\"}",
		1));
	/* The exchange stays until the cancelled call is over. */
	ck_assert_uint_eq(echo_live(&echo), 1);
	fake_worker_reply(&peer, STATUS_CANCELLED, "cancelled");
	ck_assert_uint_eq(echo_live(&echo), 0);
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

	start();
	ctx_end(client, ways[_i].cause, NULL);
	ck_assert_int_eq(world.outcome.status.code, ways[_i].code);
	expect_rolled_back(ctx_cause_name(ways[_i].cause));
}
END_TEST

START_TEST(a_client_that_has_left_begins_nothing)
{
	ctx_end(client, CTX_CLIENT_RESET, NULL);
	start();
	ck_assert_int_eq(world.outcome.status.code, STATUS_CANCELLED);
	ck_assert_int_eq(world.db.begun, 0);
	ck_assert_int_eq(atomic_load(&peer.calls), 0);
}
END_TEST

START_TEST(a_yes_that_crosses_the_leaving_is_told_as_divergence)
{
	start();
	ctx_end(client, CTX_CLIENT_CLOSED, NULL);
	fake_worker_reply(&peer, STATUS_OK, "Work completed for task r1");
	expect_rolled_back("client_closed");
	ck_assert_int_eq(world.db.committed, 0);
	ck_assert(diverged());
}
END_TEST

START_TEST(after_the_workers_yes_the_commit_stands_though_the_client_leaves)
{
	start_and_commit();
	ctx_end(client, CTX_CLIENT_CLOSED, NULL);
	ck_assert(!ctx_ended(world.db.txn_ctx));
	ck_assert_int_eq(outcome_answers(&world.outcome), 0);
	fake_db_complete(&world.db, STATUS_OK, "");
	expect(STATUS_OK, "Work completed for task r1");
	ck_assert(counted("committed", "finished"));
}
END_TEST

START_TEST(after_the_workers_yes_the_deadline_does_not_undo_the_commit)
{
	client_with_deadline(200 * NS_PER_MS);
	start_and_commit();
	world_await_end(client);
	ck_assert(!ctx_ended(world.db.txn_ctx));
	fake_db_complete(&world.db, STATUS_OK, "");
	expect(STATUS_OK, "Work completed for task r1");
}
END_TEST

START_TEST(leaving_after_the_answer_changes_nothing)
{
	start_and_commit();
	fake_db_complete(&world.db, STATUS_OK, "");
	ctx_end(client, CTX_CLIENT_CLOSED, NULL);
	expect(STATUS_OK, "Work completed for task r1");
}
END_TEST

/* ---- time --------------------------------------------------------------- */

START_TEST(the_deadline_passes_while_the_worker_works)
{
	client_with_deadline(10 * NS_PER_MS);
	start();
	outcome_wait(&world.outcome, 1);
	expect(STATUS_DEADLINE_EXCEEDED,
	       "Worker failed: rpc error: code = DeadlineExceeded desc = the "
	       "deadline passed");
	expect_rolled_back("deadline");
}
END_TEST

START_TEST(the_worker_notices_the_deadline_first)
{
	client_with_deadline((int64_t)60 * NS_PER_S);
	start();
	fake_worker_reply(&peer, STATUS_DEADLINE_EXCEEDED, "too late");
	expect(STATUS_DEADLINE_EXCEEDED,
	       "Worker failed: rpc error: code = DeadlineExceeded desc = too "
	       "late");
	expect_rolled_back("deadline");
}
END_TEST

static void reply_after_the_deadline(void *arg)
{
	(void)arg;
	while (clock_now_ns() <= ctx_deadline_ns(client)) {
	}
	fake_worker_reply(&peer, STATUS_UNAVAILABLE, "gone");
}

START_TEST(a_deadline_that_no_timer_has_served_yet_is_told_as_such)
{
	client_with_deadline(200 * NS_PER_MS);
	start();
	world_on_loop(&world, reply_after_the_deadline, NULL);
	ck_assert_int_eq(world.outcome.status.code, STATUS_DEADLINE_EXCEEDED);
	expect_rolled_back("deadline");
}
END_TEST

START_TEST(a_commit_that_finds_the_database_locked_is_given_up)
{
	int64_t began_ns = clock_now_ns();

	client_with_deadline(200 * NS_PER_MS);
	start_and_commit();
	ck_assert_int_ge(world_await_end(world.db.txn_ctx),
			 began_ns + ECHO_COMMIT_PATIENCE_NS);
	fake_db_refuse_ended(&world.db);
	expect(STATUS_UNAVAILABLE, "Failed to commit: database is locked");
	ck_assert(counted("rolled_back", "database"));
	ck_assert(diverged());
}
END_TEST

START_TEST(a_commit_waits_until_the_deadline_though_the_client_left)
{
	client_with_deadline(400 * NS_PER_MS);
	start_and_commit();
	ctx_end(client, CTX_CLIENT_CLOSED, NULL);
	ck_assert_int_ge(world_await_end(world.db.txn_ctx),
			 ctx_deadline_ns(client));
	fake_db_refuse_ended(&world.db);
	ck_assert_int_eq(world.outcome.status.code, STATUS_UNAVAILABLE);
}
END_TEST

/* ---- a database in doubt ------------------------------------------------ */

START_TEST(a_database_in_doubt_is_tried_before_anything_begins)
{
	start_in_doubt();
	ck_assert_int_eq(world.db.begun, 0);
	ck_assert_int_eq(atomic_load(&peer.calls), 0);
	fake_db_complete(&world.db, STATUS_OK, "");
	ck_assert_int_eq(world.db.executed, 2); /* a row comes and goes */
	ck_assert_int_eq(atomic_load(&peer.calls), 1);
	ck_assert_int_ne(echo_doubt(&echo), ECHO_MAYBE_FULL);
	fake_worker_reply(&peer, STATUS_OK, "yes");
	fake_db_complete(&world.db, STATUS_OK, "");
	expect(STATUS_OK, "yes");
}
END_TEST

START_TEST(the_lock_alone_is_tried_some_time_after_a_write)
{
	be_sure();
	atomic_store(&echo.locked_ns, clock_now_ns() - 11 * NS_PER_MS);
	exchange_start(&echo, client, "r1", "hello", outcome_answer,
		       &world.outcome);
	ck_assert_int_eq(world.db.begun, 0);
	fake_db_complete(&world.db, STATUS_OK, "");
	ck_assert_int_eq(world.db.executed, 0);
	ck_assert_int_eq(world.db.begun, 1);
	ck_assert_int_eq(atomic_load(&peer.calls), 1);
	fake_worker_reply(&peer, STATUS_ABORTED, "");
}
END_TEST

START_TEST(a_write_is_tried_5_s_after_the_last)
{
	atomic_store(&echo.written_ns, clock_now_ns() - (int64_t)5 * NS_PER_S);
	ck_assert_int_eq(echo_doubt(&echo), ECHO_MAYBE_FULL);
	echo_note_lock(&echo);
	ck_assert_int_eq(echo_doubt(&echo), ECHO_MAYBE_FULL);
}
END_TEST

START_TEST(a_database_that_took_a_write_just_now_is_not_tried)
{
	start();
	ck_assert_int_eq(world.db.immediate, 0);
	ck_assert_int_eq(world.db.begun, 1);
	fake_worker_reply(&peer, STATUS_ABORTED, "");
}
END_TEST

START_TEST(a_database_that_refuses_the_trial_fails_the_request_alone)
{
	start_in_doubt();
	fake_db_complete(&world.db, STATUS_RESOURCE_EXHAUSTED, "disk is full");
	expect(STATUS_RESOURCE_EXHAUSTED,
	       "Failed to start transaction: disk is full");
	expect_rolled_back("database");
	ck_assert_int_eq(atomic_load(&peer.calls), 0);
}
END_TEST

START_TEST(a_locked_database_is_told_when_the_deadline_passes)
{
	client_with_deadline(10 * NS_PER_MS);
	start_in_doubt();
	outcome_wait(&world.outcome, 1);
	expect(STATUS_UNAVAILABLE,
	       "Failed to start transaction: database is locked");
	expect_rolled_back("database");
	ck_assert_int_eq(atomic_load(&peer.calls), 0);
	fake_db_complete(&world.db, STATUS_DEADLINE_EXCEEDED, "");
}
END_TEST

static void refuse_after_the_deadline(void *arg)
{
	(void)arg;
	while (clock_now_ns() <= ctx_deadline_ns(client)) {
	}
	fake_db_complete(&world.db, STATUS_DEADLINE_EXCEEDED, "");
}

START_TEST(the_database_may_notice_the_deadline_first)
{
	client_with_deadline(200 * NS_PER_MS);
	start_in_doubt();
	world_on_loop(&world, refuse_after_the_deadline, NULL);
	ck_assert_int_eq(world.outcome.status.code, STATUS_UNAVAILABLE);
	expect_rolled_back("database");
}
END_TEST

START_TEST(a_client_may_leave_while_the_database_is_tried)
{
	start_in_doubt();
	ctx_end(client, CTX_CLIENT_RESET, NULL);
	ck_assert_int_eq(world.outcome.status.code, STATUS_CANCELLED);
	expect_rolled_back("client_reset");
	fake_db_complete(&world.db, STATUS_OK, "");
	ck_assert_int_eq(world.db.begun, 0);
	ck_assert_int_eq(outcome_answers(&world.outcome), 1);
}
END_TEST

/* ---- stopping ----------------------------------------------------------- */

static void on_drained(void *arg)
{
	atomic_fetch_add((atomic_int *)arg, 1);
}

START_TEST(drained_is_told_when_the_last_exchange_is_over)
{
	atomic_int drained = 0;

	start();
	echo_drain(&echo, on_drained, &drained);
	ck_assert_int_eq(atomic_load(&drained), 0);
	ctx_end(client, CTX_SHUTDOWN, NULL);
	ck_assert_int_eq(atomic_load(&drained), 0);
	fake_worker_reply(&peer, STATUS_CANCELLED, "");
	ck_assert_int_eq(atomic_load(&drained), 1);
}
END_TEST

START_TEST(without_exchanges_drained_is_told_at_once)
{
	atomic_int drained = 0;

	echo_drain(&echo, on_drained, &drained);
	ck_assert_int_eq(atomic_load(&drained), 1);
}
END_TEST

static void cancel(void *arg)
{
	echo_cancel(arg);
}

START_TEST(a_commit_that_hangs_does_not_hold_up_a_forced_stop)
{
	start_and_commit();
	world_on_loop(&world, cancel, &echo);
	world_await_end(world.db.txn_ctx);
	fake_db_refuse_ended(&world.db);
	ck_assert_int_eq(world.outcome.status.code, STATUS_UNAVAILABLE);
	ck_assert(counted("rolled_back", "shutdown"));
}
END_TEST

/* ---- races -------------------------------------------------------------- */

static void *leave(void *arg)
{
	(void)arg;
	ctx_end(client, CTX_CLIENT_CLOSED, NULL);
	return NULL;
}

/* Whichever is first: one answer, and the database's part agrees with it. */
START_TEST(one_answer_whichever_of_yes_and_leaving_is_first)
{
	for (int round = 1; round <= 300; round++) {
		pthread_t thread;

		start();
		pthread_create(&thread, NULL, leave, NULL);
		fake_worker_reply(&peer, STATUS_OK, "yes");
		if (fake_db_waits(&world.db)) {
			fake_db_complete(&world.db, STATUS_OK, "");
			ck_assert_int_eq(world.outcome.status.code, STATUS_OK);
		}
		pthread_join(thread, NULL);
		ck_assert_int_eq(outcome_answers(&world.outcome), round);
		ck_assert_uint_eq(echo_live(&echo), 0);
		client_with_deadline((int64_t)60 * NS_PER_S);
	}
}
END_TEST

START_TEST(one_answer_whichever_of_trial_and_leaving_is_first)
{
	for (int round = 1; round <= 300; round++) {
		pthread_t thread;

		start_in_doubt();
		pthread_create(&thread, NULL, leave, NULL);
		fake_db_complete(&world.db, STATUS_OK, "");
		pthread_join(thread, NULL);
		if (atomic_load(&peer.call) != NULL) {
			fake_worker_reply(&peer, STATUS_CANCELLED, "");
		}
		ck_assert_int_eq(outcome_answers(&world.outcome), round);
		ck_assert_uint_eq(echo_live(&echo), 0);
		client_with_deadline((int64_t)60 * NS_PER_S);
	}
}
END_TEST

/* ---- names -------------------------------------------------------------- */

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

static void add_outcomes(TCase *tc)
{
	tcase_add_test(tc, a_request_is_inserted_worked_on_and_committed);
	tcase_add_test(tc, the_worker_is_called_with_the_clients_scope);
	tcase_add_test(tc, begin_fails_and_the_worker_is_not_called);
	tcase_add_test(tc, insert_fails_and_the_worker_is_not_called);
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
	tcase_add_test(tc, a_client_that_has_left_begins_nothing);
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
	tcase_add_test(tc, one_answer_whichever_of_trial_and_leaving_is_first);
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
	tcase_add_test(tc, a_database_in_doubt_is_tried_before_anything_begins);
	tcase_add_test(tc, the_lock_alone_is_tried_some_time_after_a_write);
	tcase_add_test(tc, a_write_is_tried_5_s_after_the_last);
	tcase_add_test(tc, a_database_that_took_a_write_just_now_is_not_tried);
	tcase_add_test(
		tc, a_database_that_refuses_the_trial_fails_the_request_alone);
	tcase_add_test(tc, a_locked_database_is_told_when_the_deadline_passes);
	tcase_add_test(tc, the_database_may_notice_the_deadline_first);
	tcase_add_test(tc, a_client_may_leave_while_the_database_is_tried);
}

int main(void)
{
	Suite *suite = suite_create("exchange");
	TCase *tc = tcase_create("exchange");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_set_timeout(tc, 20);
	add_outcomes(tc);
	add_leaving(tc);
	add_time(tc);
	tcase_add_test(tc, drained_is_told_when_the_last_exchange_is_over);
	tcase_add_test(tc, without_exchanges_drained_is_told_at_once);
	tcase_add_test(tc, a_commit_that_hangs_does_not_hold_up_a_forced_stop);
	tcase_add_test(tc, an_answered_exchange_moves_nowhere);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
