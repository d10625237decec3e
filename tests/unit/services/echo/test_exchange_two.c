/* Two phases, with everybody doing what the test says. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "echo/store.h"
#include "scene.h"

enum { INSERT_DECISION = ECHO_STORE_TWOPC + TWOPC_DECISIONS_INSERT };

static void set_up(void)
{
	scene_set_up(ECHO_TWO_PHASE);
}

/* ---- shorthand ----------------------------------------------------------- */

static void say_prepared(void)
{
	fake_worker_say(&scene.worker, TWOPC_VERDICT_PREPARED,
			"Work completed for task r1");
}

/* Up to the worker's yes, the decision on its way. */
static void start_and_decide(void)
{
	scene_start();
	say_prepared();
	ck_assert(fake_db_waits(&scene.world.db));
}

/* Up to the decision on disk, the worker told. */
static void start_and_commit(void)
{
	start_and_decide();
	fake_db_complete(&scene.world.db, STATUS_OK, "");
	ck_assert_int_eq(atomic_load(&scene.worker.commits), 1);
}

static void say_committed(void)
{
	fake_worker_say(&scene.worker, TWOPC_VERDICT_COMMITTED, "");
	fake_worker_end(&scene.worker, STATUS_OK, "");
}

static void say_rolled_back(void)
{
	fake_worker_say(&scene.worker, TWOPC_VERDICT_ROLLED_BACK, "");
	fake_worker_end(&scene.worker, STATUS_OK, "");
}

static void expect_committed(void)
{
	scene_expect(STATUS_OK, "Work completed for task r1");
	ck_assert(world_logged(&scene.world,
			       "TRANSACTION COMMITTED for request_id=r1"));
	ck_assert(scene_counted("committed", "finished"));
	ck_assert(!world_logged(&scene.world, "ROLLED BACK"));
	ck_assert(!world_logged(&scene.world, "CONTRADICTION"));
}

static void expect_standing(enum twopc_standing standing)
{
	ck_assert_str_eq(twopc_standing_name(scene_standing()),
			 twopc_standing_name(standing));
}

/* The resolver has heard that the worker has committed. */
static void confirm_by_resolver(void)
{
	void *owner;

	pthread_mutex_lock(&scene.keeper.lock);
	twopc_registry_settle(scene.keeper.registry, SCENE_ID);
	owner = twopc_registry_take_confirmed(scene.keeper.registry);
	ck_assert_ptr_nonnull(owner);
	exchange_take(owner);
	pthread_mutex_unlock(&scene.keeper.lock);
	exchange_confirmed(owner);
}

/* ---- all goes well ------------------------------------------------------- */

START_TEST(a_request_is_prepared_decided_and_confirmed)
{
	scene_start();
	ck_assert_uint_eq(scene.world.db.last_stmt, ECHO_STORE_INSERT);
	ck_assert_str_eq(scene.world.db.last_values[0], "r1");
	ck_assert_str_eq(scene.world.db.last_values[1], "hello");
	ck_assert_str_eq(scene.worker.task_id, "r1");
	ck_assert_str_eq(scene.worker.data, "hello");
	ck_assert_str_eq(scene.worker.coordinator, SCENE_COORDINATOR);
	ck_assert_str_eq(scene.worker.transaction_id, SCENE_ID);
	expect_standing(TWOPC_LIVE_STANDING);
	ck_assert(roster_has(&scene.echo.requests, "r1"));
	say_prepared();
	ck_assert_uint_eq(scene.world.db.last_stmt, INSERT_DECISION);
	ck_assert_str_eq(scene.world.db.last_values[0], SCENE_ID);
	ck_assert_str_eq(scene.world.db.last_values[1], "worker:1");
	ck_assert_str_eq(scene.world.db.last_values[2], "r1");
	ck_assert_int_eq(atomic_load(&scene.worker.commits), 0);
	fake_db_complete(&scene.world.db, STATUS_OK, "");
	ck_assert_int_eq(atomic_load(&scene.worker.commits), 1);
	expect_standing(TWOPC_DECIDED_STANDING);
	ck_assert_int_eq(outcome_answers(&scene.world.outcome), 0);
	say_committed();
	expect_committed();
	ck_assert_int_eq(scene.how, HOW_COMMITTED);
	expect_standing(TWOPC_SETTLED_STANDING);
	ck_assert_uint_eq(echo_live(&scene.echo), 0);
	ck_assert_int_eq(scene.world.db.committed, 1);
}
END_TEST

START_TEST(the_stream_has_the_clients_deadline_and_facts_but_not_its_end)
{
	struct trace trace = trace_continue(NULL);

	trace.present = true;
	scene_client((int64_t)60 * NS_PER_S);
	ctx_set_request_id(scene.client, "r1");
	ctx_set_trace(scene.client, &trace);
	scene_start();
	ck_assert_int_eq(ctx_deadline_ns(scene.worker.ctx),
			 ctx_deadline_ns(scene.client));
	ck_assert_str_eq(ctx_request_id(scene.worker.ctx), "r1");
	ck_assert_mem_eq(ctx_trace(scene.worker.ctx)->trace_id, trace.trace_id,
			 sizeof(trace.trace_id));
	ctx_end(scene.client, CTX_CLIENT_CLOSED, NULL);
	ck_assert(!ctx_ended(scene.worker.ctx));
	say_rolled_back();
}
END_TEST

/* ---- the client leaves --------------------------------------------------- */

START_TEST(a_client_that_leaves_while_the_worker_works_rolls_back_at_once)
{
	scene_start();
	ctx_end(scene.client, CTX_CLIENT_CLOSED, NULL);
	ck_assert_int_eq(atomic_load(&scene.worker.rollbacks), 1);
	ck_assert_int_eq(outcome_answers(&scene.world.outcome), 1);
	ck_assert_int_eq(scene.world.outcome.status.code, STATUS_CANCELLED);
	ck_assert_int_eq(scene.world.db.rolled_back, 1);
	scene_expect_rolled_back("client_closed");
	ck_assert(world_counted(
		&scene.world,
		"rescind_cancel_to_rollback_seconds_count{service=\"echo\"}",
		1));
	expect_standing(TWOPC_ABSENT_STANDING);
	/* The exchange stays until the worker has heard. */
	ck_assert_uint_eq(echo_live(&scene.echo), 1);
	say_rolled_back();
	ck_assert_uint_eq(echo_live(&scene.echo), 0);
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

START_TEST(a_yes_that_crosses_the_leaving_is_no_yes)
{
	scene_start();
	ctx_end(scene.client, CTX_CLIENT_CLOSED, NULL);
	say_prepared();
	ck_assert(!fake_db_waits(&scene.world.db));
	ck_assert_int_eq(atomic_load(&scene.worker.commits), 0);
	say_rolled_back();
	scene_expect_rolled_back("client_closed");
}
END_TEST

START_TEST(a_client_may_leave_until_the_decision_is_on_disk)
{
	start_and_decide();
	ctx_end(scene.client, CTX_CLIENT_CLOSED, NULL);
	ck_assert_int_eq(outcome_answers(&scene.world.outcome), 0);
	fake_db_refuse_ended(&scene.world.db);
	ck_assert_int_eq(scene.world.outcome.status.code, STATUS_CANCELLED);
	scene_expect_rolled_back("client_closed");
	ck_assert_int_eq(atomic_load(&scene.worker.rollbacks), 1);
	expect_standing(TWOPC_ABSENT_STANDING);
	say_rolled_back();
}
END_TEST

START_TEST(a_decision_that_is_on_disk_stands_though_the_client_left)
{
	start_and_decide();
	ctx_end(scene.client, CTX_CLIENT_CLOSED, NULL);
	fake_db_complete(&scene.world.db, STATUS_OK, "");
	expect_committed();
	ck_assert_int_eq(scene.how, HOW_ACCEPTED);
	ck_assert_int_eq(atomic_load(&scene.worker.commits), 1);
	ck_assert_int_eq(atomic_load(&scene.worker.rollbacks), 0);
	say_committed();
	expect_standing(TWOPC_SETTLED_STANDING);
}
END_TEST

START_TEST(leaving_after_the_decision_changes_nothing)
{
	start_and_commit();
	ctx_end(scene.client, CTX_CLIENT_CLOSED, NULL);
	expect_committed();
	ck_assert_int_eq(scene.how, HOW_ACCEPTED);
	expect_standing(TWOPC_DECIDED_STANDING);
	say_committed();
	ck_assert_int_eq(outcome_answers(&scene.world.outcome), 1);
	expect_standing(TWOPC_SETTLED_STANDING);
}
END_TEST

/* ---- the worker refuses ---------------------------------------------------
 */

START_TEST(the_worker_refuses_with_each_code)
{
	enum status_code code = (enum status_code)_i;
	char text[128];

	if (code == STATUS_UNIMPLEMENTED) {
		return; /* says more, below */
	}
	scene_start();
	fake_worker_end(&scene.worker, code, "no work");
	snprintf(text, sizeof(text),
		 "Worker failed: rpc error: code = %s desc = no work",
		 status_code_go_name(code));
	scene_expect(code, text);
	scene_expect_rolled_back(
		code == STATUS_DEADLINE_EXCEEDED ? "deadline" : "peer_failed");
	ck_assert_int_eq(scene.world.db.rolled_back, 1);
	expect_standing(TWOPC_ABSENT_STANDING);
	ck_assert_uint_eq(echo_live(&scene.echo), 0);
}
END_TEST

START_TEST(a_worker_without_the_exchange_is_told_with_the_flag_to_use)
{
	scene_start();
	fake_worker_end(&scene.worker, STATUS_UNIMPLEMENTED, "no Exchange");
	ck_assert_int_eq(scene.world.outcome.status.code, STATUS_UNIMPLEMENTED);
	ck_assert_ptr_nonnull(strstr(scene.world.outcome.status.message,
				     "-commit=one-phase"));
	ck_assert(world_logged(&scene.world, "echo needs -commit=one-phase"));
}
END_TEST

START_TEST(a_worker_that_ends_without_a_word_has_failed)
{
	scene_start();
	fake_worker_end(&scene.worker, STATUS_OK, "");
	scene_expect(STATUS_UNAVAILABLE,
		     "Worker failed: rpc error: code = Unavailable desc = the "
		     "worker ended the exchange without a word");
}
END_TEST

START_TEST(a_worker_that_rolls_back_by_itself_has_failed)
{
	scene_start();
	fake_worker_say(&scene.worker, TWOPC_VERDICT_ROLLED_BACK, "so sorry");
	scene_expect(STATUS_ABORTED,
		     "Worker failed: rpc error: code = Aborted desc = the "
		     "worker rolled back: so sorry");
	fake_worker_end(&scene.worker, STATUS_OK, "");
}
END_TEST

START_TEST(a_worker_that_commits_by_itself_is_a_contradiction)
{
	scene_start();
	say_committed();
	ck_assert_int_eq(scene.world.outcome.status.code, STATUS_INTERNAL);
	ck_assert(world_logged(&scene.world, "CONTRADICTION"));
	ck_assert(world_counted(
		&scene.world, "rescind_contradictions_total{service=\"echo\"}",
		1));
}
END_TEST

/* Whether the resolver has been told that something may be in doubt. */
static bool nudged(void)
{
	bool is;

	world_settle(&scene.world);
	pthread_mutex_lock(&scene.keeper.lock);
	is = scene.keeper.resolver.nudged;
	pthread_mutex_unlock(&scene.keeper.lock);
	return is;
}

START_TEST(only_what_may_be_prepared_at_the_worker_nudges_the_resolver)
{
	static const struct {
		enum status_code code;
		bool in_doubt;
	} ends[] = {
		{ STATUS_UNAVAILABLE, true },
		{ STATUS_DEADLINE_EXCEEDED, true },
		{ STATUS_CANCELLED, true },
		{ STATUS_INTERNAL, true },
		{ STATUS_UNKNOWN, true },
		{ STATUS_OK, true },
		{ STATUS_RESOURCE_EXHAUSTED, false },
		{ STATUS_INVALID_ARGUMENT, false },
		{ STATUS_UNIMPLEMENTED, false },
	};

	twopc_keeper_start(&scene.keeper);
	ck_assert_int_eq(atomic_load(&scene.peer.lists), 1);
	scene_start();
	fake_worker_end(&scene.worker, ends[_i].code, "");
	ck_assert(nudged() == ends[_i].in_doubt);
}
END_TEST

/* ---- the database refuses -------------------------------------------------
 */

START_TEST(a_decision_that_fails_with_each_code_rolls_back_both)
{
	enum status_code code = (enum status_code)_i;

	start_and_decide();
	fake_db_complete(&scene.world.db, code, "no commit");
	scene_expect(code, "Failed to commit: no commit");
	scene_expect_rolled_back("database");
	ck_assert_int_eq(atomic_load(&scene.worker.rollbacks), 1);
	ck_assert_int_eq(atomic_load(&scene.worker.commits), 0);
	ck_assert_int_eq(echo_doubt(&scene.echo), ECHO_MAYBE_FULL);
	say_rolled_back();
}
END_TEST

START_TEST(a_decision_that_can_not_be_written_rolls_back_both)
{
	scene_start();
	scene.world.db.insert_code = STATUS_INTERNAL;
	say_prepared();
	scene_expect(STATUS_INTERNAL, "Failed to commit: no insert");
	ck_assert_int_eq(scene.world.db.rolled_back, 1);
	ck_assert_int_eq(scene.world.db.committed, 0);
	ck_assert_int_eq(atomic_load(&scene.worker.rollbacks), 1);
	say_rolled_back();
}
END_TEST

START_TEST(no_place_in_the_registry_is_told_before_the_worker_is_asked)
{
	pthread_mutex_lock(&scene.keeper.lock);
	twopc_registry_free(scene.keeper.registry);
	scene.keeper.registry = twopc_registry_new(SCENE_STEM, 0);
	pthread_mutex_unlock(&scene.keeper.lock);
	scene_start();
	ck_assert_int_eq(scene.world.outcome.status.code,
			 STATUS_RESOURCE_EXHAUSTED);
	ck_assert_int_eq(atomic_load(&scene.worker.calls), 0);
	ck_assert_int_eq(scene.world.db.rolled_back, 1);
}
END_TEST

/* ---- the link is lost ------------------------------------------------------
 */

START_TEST(lost_while_deciding_it_is_handed_over_when_it_was_decided)
{
	start_and_decide();
	fake_worker_end(&scene.worker, STATUS_UNAVAILABLE, "gone");
	ck_assert_int_eq(outcome_answers(&scene.world.outcome), 0);
	fake_db_complete(&scene.world.db, STATUS_OK, "");
	expect_standing(TWOPC_ORPHANED_STANDING);
	ck_assert(world_logged(&scene.world, "HANDED OVER request_id=r1"));
	ck_assert(world_logged(&scene.world, "transaction=" SCENE_ID));
	ck_assert_int_eq(outcome_answers(&scene.world.outcome), 0);
	ctx_end(scene.client, CTX_DEADLINE, NULL);
	expect_committed();
	ck_assert_int_eq(scene.how, HOW_ACCEPTED);
	ck_assert_uint_eq(echo_live(&scene.echo), 0);
}
END_TEST

START_TEST(lost_while_deciding_and_refused_leaves_nothing)
{
	start_and_decide();
	fake_worker_end(&scene.worker, STATUS_UNAVAILABLE, "gone");
	fake_db_complete(&scene.world.db, STATUS_UNAVAILABLE, "no commit");
	scene_expect(STATUS_UNAVAILABLE, "Failed to commit: no commit");
	expect_standing(TWOPC_ABSENT_STANDING);
	ck_assert_uint_eq(echo_live(&scene.echo), 0);
}
END_TEST

START_TEST(lost_after_the_decision_the_client_waits_for_the_resolver)
{
	start_and_commit();
	fake_worker_end(&scene.worker, STATUS_UNAVAILABLE, "gone");
	expect_standing(TWOPC_ORPHANED_STANDING);
	ck_assert_int_eq(outcome_answers(&scene.world.outcome), 0);
	confirm_by_resolver();
	expect_committed();
	ck_assert_int_eq(scene.how, HOW_COMMITTED);
	ck_assert_uint_eq(echo_live(&scene.echo), 0);
}
END_TEST

START_TEST(a_worker_that_is_silent_past_the_deadline_is_202)
{
	scene_client(50 * NS_PER_MS);
	start_and_commit();
	outcome_wait(&scene.world.outcome, 1);
	expect_committed();
	ck_assert_int_eq(scene.how, HOW_ACCEPTED);
	fake_worker_end(&scene.worker, STATUS_DEADLINE_EXCEEDED, "too late");
	expect_standing(TWOPC_ORPHANED_STANDING);
	ck_assert(world_logged(&scene.world, "HANDED OVER request_id=r1"));
}
END_TEST

START_TEST(late_news_of_what_is_over_do_no_harm)
{
	start_and_commit();
	fake_worker_say(&scene.worker, TWOPC_VERDICT_COMMITTED, "");
	fake_worker_say(&scene.worker, TWOPC_VERDICT_COMMITTED, "");
	fake_worker_say(&scene.worker, TWOPC_VERDICT_PREPARED, "");
	fake_worker_say(&scene.worker, TWOPC_VERDICT_FAILED, "");
	fake_worker_end(&scene.worker, STATUS_UNAVAILABLE, "gone");
	expect_committed();
	expect_standing(TWOPC_SETTLED_STANDING);
}
END_TEST

/* ---- time ------------------------------------------------------------------
 */

START_TEST(the_deadline_passes_while_the_worker_works)
{
	scene_client(10 * NS_PER_MS);
	scene_start();
	outcome_wait(&scene.world.outcome, 1);
	scene_expect(STATUS_DEADLINE_EXCEEDED,
		     "Worker failed: rpc error: code = DeadlineExceeded desc = "
		     "the deadline passed");
	scene_expect_rolled_back("deadline");
	ck_assert_int_eq(atomic_load(&scene.worker.rollbacks), 1);
}
END_TEST

static void end_after_the_deadline(void *arg)
{
	(void)arg;
	while (clock_now_ns() <= ctx_deadline_ns(scene.client)) {
	}
	fake_worker_end(&scene.worker, STATUS_UNAVAILABLE, "gone");
}

START_TEST(a_deadline_that_no_timer_has_served_yet_is_told_as_such)
{
	scene_client(200 * NS_PER_MS);
	scene_start();
	world_on_loop(&scene.world, end_after_the_deadline, NULL);
	ck_assert_int_eq(scene.world.outcome.status.code,
			 STATUS_DEADLINE_EXCEEDED);
	scene_expect_rolled_back("deadline");
}
END_TEST

START_TEST(a_decision_that_comes_too_late_is_told_as_the_deadline)
{
	scene_client(50 * NS_PER_MS);
	start_and_decide();
	(void)world_await_end(scene.client);
	fake_db_refuse_ended(&scene.world.db);
	ck_assert_int_eq(scene.world.outcome.status.code,
			 STATUS_DEADLINE_EXCEEDED);
	scene_expect_rolled_back("deadline");
	say_rolled_back();
}
END_TEST

START_TEST(a_decision_that_finds_the_database_locked_is_told_as_that)
{
	scene_client(ECHO_COMMIT_PATIENCE_NS + 100 * NS_PER_MS);
	start_and_decide();
	(void)world_await_end(scene.client);
	fake_db_refuse_ended(&scene.world.db);
	scene_expect(STATUS_UNAVAILABLE,
		     "Failed to commit: database is locked");
	scene_expect_rolled_back("database");
	say_rolled_back();
}
END_TEST

/* ---- stopping ---------------------------------------------------------------
 */

static void cancel(void *arg)
{
	echo_cancel(arg);
}

START_TEST(a_forced_stop_answers_202_to_what_is_decided)
{
	start_and_commit();
	ctx_end(scene.client, CTX_SHUTDOWN, NULL);
	expect_committed();
	ck_assert_int_eq(scene.how, HOW_ACCEPTED);
	/* And does not wait for a worker that is silent. */
	world_on_loop(&scene.world, cancel, &scene.echo);
	(void)world_await_end(scene.worker.ctx);
	fake_worker_end(&scene.worker, STATUS_UNAVAILABLE, "stopping");
	ck_assert_uint_eq(echo_live(&scene.echo), 0);
	expect_standing(TWOPC_ORPHANED_STANDING);
}
END_TEST

/* ---- keys
 * -------------------------------------------------------------------- */

START_TEST(what_is_kept_under_a_key_is_decided_along)
{
	struct echo_store_outcome keep = { .key = "k1", .fingerprint = "f1" };
	const struct exchange_ask ask = { "r1", "hello", &keep };

	scene_be_sure();
	exchange_start(&scene.echo, scene.client, &ask, scene_answer,
		       &scene.world.outcome);
	say_prepared();
	ck_assert_int_eq(scene.world.db.inserted[INSERT_DECISION], 1);
	ck_assert_int_eq(scene.world.db.inserted[ECHO_STORE_INSERT_KEY], 1);
	ck_assert_str_eq(scene.world.db.last_values[0], "k1");
	ck_assert_str_eq(scene.world.db.last_values[1], "f1");
	ck_assert_str_eq(scene.world.db.last_values[2], "r1");
	ck_assert_str_eq(scene.world.db.last_values[3], SCENE_ID);
	ck_assert_str_eq(scene.world.db.last_values[4],
			 "Work completed for task r1");
	fake_db_complete(&scene.world.db, STATUS_OK, "");
	say_committed();
	expect_committed();
}
END_TEST

START_TEST(a_key_that_can_not_be_kept_rolls_back_both)
{
	struct echo_store_outcome keep = { .key = "k1", .fingerprint = "f1" };
	const struct exchange_ask ask = { "r1", "hello", &keep };

	scene_be_sure();
	scene.world.db.insert_code = STATUS_ALREADY_EXISTS;
	scene.world.db.insert_stmt = ECHO_STORE_INSERT_KEY;
	exchange_start(&scene.echo, scene.client, &ask, scene_answer,
		       &scene.world.outcome);
	say_prepared();
	scene_expect(STATUS_ALREADY_EXISTS, "Failed to commit: no insert");
	ck_assert_int_eq(atomic_load(&scene.worker.rollbacks), 1);
	say_rolled_back();
}
END_TEST

/* ---- races
 * -------------------------------------------------------------------- */

static void *leave(void *arg)
{
	(void)arg;
	ctx_end(scene.client, CTX_CLIENT_CLOSED, NULL);
	return NULL;
}

static void end_round(void)
{
	if (atomic_load(&scene.worker.rollbacks) > 0) {
		say_rolled_back();
	} else {
		say_committed();
	}
	atomic_store(&scene.worker.rollbacks, 0);
	atomic_store(&scene.worker.commits, 0);
}

/* Whichever is first: one answer, and one order that agrees with it. */
START_TEST(one_answer_whichever_of_yes_and_leaving_is_first)
{
	for (int round = 1; round <= 300; round++) {
		pthread_t thread;
		bool decided;

		scene_start();
		pthread_create(&thread, NULL, leave, NULL);
		say_prepared();
		decided = fake_db_waits(&scene.world.db);
		if (decided) {
			fake_db_complete(&scene.world.db, STATUS_OK, "");
		}
		pthread_join(thread, NULL);
		ck_assert_int_eq(atomic_load(&scene.worker.commits), decided);
		ck_assert_int_eq(atomic_load(&scene.worker.rollbacks),
				 !decided);
		end_round();
		ck_assert_int_eq(outcome_answers(&scene.world.outcome), round);
		ck_assert_int_eq(scene.how != HOW_FAILED, decided);
		ck_assert_uint_eq(echo_live(&scene.echo), 0);
		scene_client((int64_t)60 * NS_PER_S);
	}
}
END_TEST

static void *lose_link(void *arg)
{
	(void)arg;
	fake_worker_end(&scene.worker, STATUS_UNAVAILABLE, "gone");
	return NULL;
}

START_TEST(one_answer_whichever_of_decision_and_loss_is_first)
{
	for (int round = 1; round <= 300; round++) {
		pthread_t thread;

		scene_start();
		say_prepared();
		pthread_create(&thread, NULL, lose_link, NULL);
		fake_db_complete(&scene.world.db, STATUS_OK, "");
		ctx_end(scene.client, CTX_DEADLINE, NULL);
		pthread_join(thread, NULL);
		ck_assert_int_eq(outcome_answers(&scene.world.outcome), round);
		ck_assert_int_eq(scene.how, HOW_ACCEPTED);
		ck_assert_uint_eq(echo_live(&scene.echo), 0);
		scene_client((int64_t)60 * NS_PER_S);
	}
}
END_TEST

static void add_leaving(TCase *tc)
{
	tcase_add_test(
		tc,
		a_client_that_leaves_while_the_worker_works_rolls_back_at_once);
	tcase_add_loop_test(tc, the_cause_is_told_for_every_way_to_leave, 0, 4);
	tcase_add_test(tc, a_yes_that_crosses_the_leaving_is_no_yes);
	tcase_add_test(tc, a_client_may_leave_until_the_decision_is_on_disk);
	tcase_add_test(
		tc, a_decision_that_is_on_disk_stands_though_the_client_left);
	tcase_add_test(tc, leaving_after_the_decision_changes_nothing);
	tcase_add_test(tc, one_answer_whichever_of_yes_and_leaving_is_first);
}

static void add_refusals(TCase *tc)
{
	tcase_add_loop_test(tc, the_worker_refuses_with_each_code, 1,
			    STATUS_CODE_NR);
	tcase_add_test(
		tc, a_worker_without_the_exchange_is_told_with_the_flag_to_use);
	tcase_add_test(tc, a_worker_that_ends_without_a_word_has_failed);
	tcase_add_test(tc, a_worker_that_rolls_back_by_itself_has_failed);
	tcase_add_test(tc, a_worker_that_commits_by_itself_is_a_contradiction);
	tcase_add_loop_test(
		tc, only_what_may_be_prepared_at_the_worker_nudges_the_resolver,
		0, 9);
	tcase_add_loop_test(
		tc, a_decision_that_fails_with_each_code_rolls_back_both, 1,
		STATUS_CODE_NR);
	tcase_add_test(tc, a_decision_that_can_not_be_written_rolls_back_both);
	tcase_add_test(
		tc,
		no_place_in_the_registry_is_told_before_the_worker_is_asked);
}

static void add_losses(TCase *tc)
{
	tcase_add_test(
		tc, lost_while_deciding_it_is_handed_over_when_it_was_decided);
	tcase_add_test(tc, lost_while_deciding_and_refused_leaves_nothing);
	tcase_add_test(
		tc, lost_after_the_decision_the_client_waits_for_the_resolver);
	tcase_add_test(tc, a_worker_that_is_silent_past_the_deadline_is_202);
	tcase_add_test(tc, late_news_of_what_is_over_do_no_harm);
	tcase_add_test(tc, one_answer_whichever_of_decision_and_loss_is_first);
}

static void add_time(TCase *tc)
{
	tcase_add_test(tc, the_deadline_passes_while_the_worker_works);
	tcase_add_test(tc,
		       a_deadline_that_no_timer_has_served_yet_is_told_as_such);
	tcase_add_test(tc,
		       a_decision_that_comes_too_late_is_told_as_the_deadline);
	tcase_add_test(
		tc, a_decision_that_finds_the_database_locked_is_told_as_that);
	tcase_add_test(tc, a_forced_stop_answers_202_to_what_is_decided);
}

int main(void)
{
	Suite *suite = suite_create("exchange_two");
	TCase *tc = tcase_create("two phases");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, set_up, scene_tear_down);
	tcase_set_timeout(tc, 20);
	tcase_add_test(tc, a_request_is_prepared_decided_and_confirmed);
	tcase_add_test(
		tc,
		the_stream_has_the_clients_deadline_and_facts_but_not_its_end);
	add_leaving(tc);
	add_refusals(tc);
	add_losses(tc);
	add_time(tc);
	tcase_add_test(tc, what_is_kept_under_a_key_is_decided_along);
	tcase_add_test(tc, a_key_that_can_not_be_kept_rolls_back_both);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
