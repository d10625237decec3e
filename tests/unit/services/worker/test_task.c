#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "worker/store.h"
#include "worker/task.h"
#include "world.h"

static struct world world;
static struct worker worker;
static struct ctx *call; /* the caller's */

static void set_up(void)
{
	world_init(&world, "worker");
	worker = (struct worker){ .db = &world.db.db,
				  .metrics = world.work_metrics,
				  .work_ns = 2 * NS_PER_MS };
	call = ctx_new(world.root, CLOCK_NEVER);
}

static void tear_down(void)
{
	ctx_unref(call);
	world_release(&world);
	ck_assert_uint_eq(atomic_load(&worker.live), 0);
}

/* Another caller, with a deadline. */
static void call_with_deadline(int64_t timeout_ns)
{
	ctx_unref(call);
	call = ctx_new(world.root, clock_now_ns() + timeout_ns);
}

static void start(void)
{
	task_start(&worker, call, "t1", "data", outcome_answer, &world.outcome);
}

static void expect(enum status_code code, const char *message)
{
	ck_assert_int_eq(outcome_answers(&world.outcome), 1);
	ck_assert_int_eq(world.outcome.status.code, code);
	ck_assert_str_eq(world.outcome.status.message, message);
}

static void expect_rolled_back(const char *cause)
{
	char text[128];

	ck_assert(world_logged(&world, "TRANSACTION ROLLED BACK for "
				       "task_id=t1"));
	snprintf(text, sizeof(text), "cause=%s", cause);
	ck_assert(world_logged(&world, text));
	snprintf(text, sizeof(text),
		 "rescind_transactions_total{cause=\"%s\","
		 "outcome=\"rolled_back\",service=\"worker\"}",
		 cause);
	ck_assert_msg(world_counted(&world, text, 1), "%s", text);
}

/* ---- all goes well ------------------------------------------------------ */

START_TEST(a_task_is_inserted_worked_on_and_committed)
{
	start();
	ck_assert_str_eq(world.db.last_values[0], "t1");
	ck_assert_str_eq(world.db.last_values[1], "data");
	ck_assert_uint_eq(world.db.last_stmt, WORKER_STORE_INSERT);
	ck_assert_int_eq(outcome_answers(&world.outcome), 0);
	fake_db_await(&world.db);
	ck_assert_int_eq(outcome_answers(&world.outcome), 0);
	fake_db_complete(&world.db, STATUS_OK, "");
	expect(STATUS_OK, "Work completed for task t1");
	ck_assert(world_logged(&world, "Inserted task record for task_id=t1"));
	ck_assert(world_logged(&world, "TRANSACTION COMMITTED for task_id=t1"));
	ck_assert(world_counted(&world,
				"rescind_transactions_total{cause=\"finished\","
				"outcome=\"committed\",service=\"worker\"}",
				1));
}
END_TEST

START_TEST(it_works_as_long_as_it_is_told_to)
{
	int64_t began_ns = clock_now_ns();

	worker.work_ns = 30 * NS_PER_MS;
	start();
	fake_db_await(&world.db);
	ck_assert_int_ge(clock_now_ns() - began_ns, worker.work_ns);
	fake_db_complete(&world.db, STATUS_OK, "");
}
END_TEST

START_TEST(without_work_it_commits_at_once)
{
	worker.work_ns = 0;
	start();
	ck_assert(fake_db_waits(&world.db));
	fake_db_complete(&world.db, STATUS_OK, "");
	expect(STATUS_OK, "Work completed for task t1");
}
END_TEST

/* ---- the database refuses ----------------------------------------------- */

START_TEST(begin_fails)
{
	world.db.begin_code = STATUS_RESOURCE_EXHAUSTED;
	start();
	expect(STATUS_RESOURCE_EXHAUSTED,
	       "failed to start transaction: no begin");
	expect_rolled_back("database");
	ck_assert_int_eq(world.db.rolled_back, 0);
}
END_TEST

START_TEST(insert_fails)
{
	world.db.insert_code = STATUS_INTERNAL;
	start();
	expect(STATUS_INTERNAL, "failed to insert task: no insert");
	expect_rolled_back("database");
	ck_assert_int_eq(world.db.rolled_back, 1);
}
END_TEST

START_TEST(commit_fails_with_each_code)
{
	enum status_code code = (enum status_code)_i;

	worker.work_ns = 0;
	start();
	fake_db_complete(&world.db, code, "no commit");
	expect(code, "failed to commit: no commit");
	expect_rolled_back("database");
	ck_assert(!world_logged(&world, "Context cancelled"));
}
END_TEST

/* ---- the caller leaves -------------------------------------------------- */

START_TEST(a_caller_that_leaves_while_it_works_rolls_back_at_once)
{
	worker.work_ns = (int64_t)60 * NS_PER_S;
	start();
	ctx_end(call, CTX_CALLER_CANCELLED, NULL);
	expect(STATUS_CANCELLED, "work cancelled");
	ck_assert_int_eq(world.db.rolled_back, 1);
	ck_assert(world_logged(&world, "Context cancelled for task_id=t1"));
	expect_rolled_back("caller_cancelled");
	ck_assert(world_counted(&world,
				"rescind_cancel_to_rollback_seconds_count{"
				"service=\"worker\"}",
				1));
}
END_TEST

START_TEST(the_deadline_passes_while_it_works)
{
	worker.work_ns = (int64_t)60 * NS_PER_S;
	call_with_deadline(10 * NS_PER_MS);
	start();
	outcome_wait(&world.outcome, 1);
	expect(STATUS_DEADLINE_EXCEEDED, "the deadline passed");
	ck_assert_int_eq(world.db.rolled_back, 1);
	expect_rolled_back("deadline");
}
END_TEST

START_TEST(the_process_stops_while_it_works)
{
	worker.work_ns = (int64_t)60 * NS_PER_S;
	start();
	ctx_end(call, CTX_SHUTDOWN, NULL);
	expect(STATUS_UNAVAILABLE, "the server is shutting down");
	expect_rolled_back("shutdown");
}
END_TEST

START_TEST(a_caller_that_has_left_begins_nothing)
{
	ctx_end(call, CTX_CALLER_CANCELLED, NULL);
	start();
	expect(STATUS_CANCELLED, "work cancelled");
	ck_assert_int_eq(world.db.begun, 0);
}
END_TEST

START_TEST(a_commit_that_waits_is_refused_when_the_caller_leaves)
{
	worker.work_ns = 0;
	start();
	ctx_end(call, CTX_CALLER_CANCELLED, NULL);
	ck_assert_int_eq(outcome_answers(&world.outcome), 0);
	fake_db_refuse_ended(&world.db);
	expect(STATUS_CANCELLED, "work cancelled");
	expect_rolled_back("caller_cancelled");
}
END_TEST

START_TEST(a_commit_that_is_under_way_stands_when_the_caller_leaves)
{
	worker.work_ns = 0;
	start();
	ctx_end(call, CTX_CALLER_CANCELLED, NULL);
	fake_db_complete(&world.db, STATUS_OK, "");
	expect(STATUS_OK, "Work completed for task t1");
	ck_assert(!world_logged(&world, "ROLLED BACK"));
}
END_TEST

START_TEST(leaving_after_the_answer_changes_nothing)
{
	worker.work_ns = 0;
	start();
	fake_db_complete(&world.db, STATUS_OK, "");
	ctx_end(call, CTX_CALLER_CANCELLED, NULL);
	expect(STATUS_OK, "Work completed for task t1");
}
END_TEST

/* ---- time --------------------------------------------------------------- */

START_TEST(a_locked_database_is_told_before_the_deadline)
{
	int64_t gave_up_ns;

	worker.work_ns = 0;
	call_with_deadline(300 * NS_PER_MS);
	start();
	gave_up_ns = world_await_end(world.db.txn_ctx);
	/* Had the deadline come first, that would be the cause. */
	ck_assert_int_eq(ctx_cause(world.db.txn_ctx, NULL), CTX_DATABASE);
	ck_assert_int_ge(gave_up_ns, ctx_deadline_ns(call) - 31 * NS_PER_MS);
	fake_db_refuse_ended(&world.db);
	expect(STATUS_UNAVAILABLE, "failed to commit: database is locked");
	expect_rolled_back("database");
}
END_TEST

START_TEST(a_long_deadline_is_used_up_to_its_last_50_ms)
{
	int64_t gave_up_ns;

	worker.work_ns = 0;
	call_with_deadline(900 * NS_PER_MS);
	start();
	gave_up_ns = world_await_end(world.db.txn_ctx);
	ck_assert_int_eq(ctx_cause(world.db.txn_ctx, NULL), CTX_DATABASE);
	ck_assert_int_ge(gave_up_ns, ctx_deadline_ns(call) - 51 * NS_PER_MS);
	fake_db_refuse_ended(&world.db);
}
END_TEST

START_TEST(what_the_database_says_of_itself_is_told)
{
	worker.work_ns = 0;
	world.db.health_code = STATUS_RESOURCE_EXHAUSTED;
	call_with_deadline(500 * NS_PER_MS);
	start();
	world_await_end(world.db.txn_ctx);
	fake_db_refuse_ended(&world.db);
	expect(STATUS_UNAVAILABLE, "failed to commit: disk is sulking");
}
END_TEST

START_TEST(the_lock_may_come_free_in_time)
{
	worker.work_ns = 0;
	call_with_deadline(300 * NS_PER_MS);
	start();
	world_await_end(world.db.txn_ctx);
	fake_db_complete(&world.db, STATUS_OK, "");
	expect(STATUS_OK, "Work completed for task t1");
}
END_TEST

struct stop {
	int64_t for_ns;
	struct loop_timer *news; /* to be served just after it; may be NULL */
};

/* On the loop's thread, so that no timer is served before the stop. */
static void start_and_stop(void *arg)
{
	const struct stop *stop = arg;
	int64_t until_ns;

	start();
	until_ns = clock_now_ns() + stop->for_ns;
	if (stop->news != NULL) {
		loop_timer_start(world.loop, stop->news,
				 until_ns + 2 * NS_PER_MS);
	}
	while (clock_now_ns() < until_ns) {
	}
}

START_TEST(a_deadline_that_passed_while_the_process_was_stopped_counts)
{
	struct stop stop = { .for_ns = 60 * NS_PER_MS };

	worker.work_ns = 10 * NS_PER_MS;
	call_with_deadline(30 * NS_PER_MS);
	/* The work's timer comes first, and would commit. */
	world_on_loop(&world, start_and_stop, &stop);
	outcome_wait(&world.outcome, 1);
	expect(STATUS_DEADLINE_EXCEEDED, "the deadline passed");
	ck_assert_int_eq(world.db.committed, 0);
}
END_TEST

static void end_call(struct loop_timer *timer, int64_t late_ns)
{
	(void)timer, (void)late_ns;
	ctx_end(call, CTX_CALLER_CANCELLED, NULL);
}

START_TEST(news_of_the_time_of_a_stop_come_before_the_commit)
{
	struct loop_timer news = { .fn = end_call };
	struct stop stop = { .for_ns = 150 * NS_PER_MS, .news = &news };

	worker.work_ns = 10 * NS_PER_MS;
	world_on_loop(&world, start_and_stop, &stop);
	outcome_wait(&world.outcome, 1);
	expect(STATUS_CANCELLED, "work cancelled");
	ck_assert_int_eq(world.db.committed, 0);
}
END_TEST

START_TEST(after_a_stop_without_news_the_task_commits)
{
	struct stop stop = { .for_ns = 150 * NS_PER_MS };

	worker.work_ns = 10 * NS_PER_MS;
	world_on_loop(&world, start_and_stop, &stop);
	fake_db_await(&world.db);
	fake_db_complete(&world.db, STATUS_OK, "");
	expect(STATUS_OK, "Work completed for task t1");
}
END_TEST

START_TEST(more_time_after_a_stop_is_given_once)
{
	struct stop stop = { .for_ns = 150 * NS_PER_MS };

	worker.work_ns = 10 * NS_PER_MS;
	world_on_loop(&world, start_and_stop, &stop);
	world_serve_timers(&world);
	world_block_loop(&world, clock_now_ns() + 200 * NS_PER_MS);
	world_serve_timers(&world);
	ck_assert(fake_db_waits(&world.db));
	fake_db_complete(&world.db, STATUS_OK, "");
}
END_TEST

/* ---- races -------------------------------------------------------------- */

static void *leave(void *arg)
{
	(void)arg;
	ctx_end(call, CTX_CALLER_CANCELLED, NULL);
	return NULL;
}

START_TEST(one_answer_whichever_of_commit_and_leaving_is_first)
{
	worker.work_ns = 0;
	for (int round = 1; round <= 300; round++) {
		pthread_t thread;

		start();
		pthread_create(&thread, NULL, leave, NULL);
		fake_db_complete(&world.db, STATUS_OK, "");
		pthread_join(thread, NULL);
		ck_assert_int_eq(outcome_answers(&world.outcome), round);
		call_with_deadline((int64_t)60 * NS_PER_S);
	}
}
END_TEST

START_TEST(one_answer_whichever_of_timer_and_leaving_is_first)
{
	worker.work_ns = 50 * NS_PER_US;
	for (int round = 1; round <= 300; round++) {
		start();
		if (round % 2 == 0) { /* so that both orders happen */
			fake_db_await(&world.db);
		}
		ctx_end(call, CTX_CALLER_CANCELLED, NULL);
		if (fake_db_waits(&world.db)) {
			fake_db_refuse_ended(&world.db);
		}
		outcome_wait(&world.outcome, round);
		ck_assert_int_eq(outcome_answers(&world.outcome), round);
		call_with_deadline((int64_t)60 * NS_PER_S);
	}
}
END_TEST

/* ---- bounds and names --------------------------------------------------- */

START_TEST(a_task_needs_a_name_of_bounded_size)
{
	char id[TASK_ID_SIZE_MAX + 2];
	struct status bad;

	ck_assert_int_eq(work_validate("", "", &bad), STATUS_INVALID_ARGUMENT);
	ck_assert_str_eq(bad.message, "task_id must not be empty");
	memset(id, 'x', sizeof(id));
	id[TASK_ID_SIZE_MAX + 1] = '\0';
	ck_assert_int_eq(work_validate(id, "", &bad), STATUS_INVALID_ARGUMENT);
	ck_assert_str_eq(bad.message, "task_id must not exceed 256 bytes");
	id[TASK_ID_SIZE_MAX] = '\0';
	ck_assert_int_eq(work_validate(id, "", &bad), STATUS_OK);
}
END_TEST

START_TEST(data_is_of_bounded_size)
{
	static char data[TASK_DATA_SIZE_MAX + 2];
	struct status bad;

	memset(data, 'x', TASK_DATA_SIZE_MAX + 1);
	ck_assert_int_eq(work_validate("t", data, &bad),
			 STATUS_INVALID_ARGUMENT);
	ck_assert_str_eq(bad.message, "data must not exceed 65536 bytes");
	data[TASK_DATA_SIZE_MAX] = '\0';
	ck_assert_int_eq(work_validate("t", data, &bad), STATUS_OK);
}
END_TEST

START_TEST(a_task_that_is_not_valid_touches_nothing)
{
	task_start(&worker, call, "", "x", outcome_answer, &world.outcome);
	expect(STATUS_INVALID_ARGUMENT, "task_id must not be empty");
	ck_assert_int_eq(world.db.begun, 0);
}
END_TEST

START_TEST(an_answered_task_moves_nowhere)
{
	for (int to = 0; to < TASK_STATE_NR; to++) {
		ck_assert(!task_may_move(TASK_ANSWERED, (enum task_state)to));
		ck_assert(!task_may_move((enum task_state)to, TASK_OPENING));
		ck_assert_str_ne(task_state_name((enum task_state)to), "?");
	}
	ck_assert(!task_may_move(TASK_WORKING, TASK_ANSWERED));
	ck_assert_str_eq(task_state_name(TASK_ROLLING_BACK), "rolling back");
}
END_TEST

static void add_outcomes(TCase *tc)
{
	tcase_add_test(tc, a_task_is_inserted_worked_on_and_committed);
	tcase_add_test(tc, it_works_as_long_as_it_is_told_to);
	tcase_add_test(tc, without_work_it_commits_at_once);
	tcase_add_test(tc, begin_fails);
	tcase_add_test(tc, insert_fails);
	tcase_add_loop_test(tc, commit_fails_with_each_code, 1, STATUS_CODE_NR);
	tcase_add_test(tc,
		       a_caller_that_leaves_while_it_works_rolls_back_at_once);
	tcase_add_test(tc, the_deadline_passes_while_it_works);
	tcase_add_test(tc, the_process_stops_while_it_works);
	tcase_add_test(tc, a_caller_that_has_left_begins_nothing);
	tcase_add_test(tc,
		       a_commit_that_waits_is_refused_when_the_caller_leaves);
	tcase_add_test(
		tc, a_commit_that_is_under_way_stands_when_the_caller_leaves);
	tcase_add_test(tc, leaving_after_the_answer_changes_nothing);
}

static void add_time(TCase *tc)
{
	tcase_add_test(tc, a_locked_database_is_told_before_the_deadline);
	tcase_add_test(tc, a_long_deadline_is_used_up_to_its_last_50_ms);
	tcase_add_test(tc, more_time_after_a_stop_is_given_once);
	tcase_add_test(tc, what_the_database_says_of_itself_is_told);
	tcase_add_test(tc, the_lock_may_come_free_in_time);
	tcase_add_test(
		tc,
		a_deadline_that_passed_while_the_process_was_stopped_counts);
	tcase_add_test(tc, news_of_the_time_of_a_stop_come_before_the_commit);
	tcase_add_test(tc, after_a_stop_without_news_the_task_commits);
	tcase_add_test(tc, one_answer_whichever_of_commit_and_leaving_is_first);
	tcase_add_test(tc, one_answer_whichever_of_timer_and_leaving_is_first);
	tcase_add_test(tc, a_task_needs_a_name_of_bounded_size);
	tcase_add_test(tc, data_is_of_bounded_size);
	tcase_add_test(tc, a_task_that_is_not_valid_touches_nothing);
	tcase_add_test(tc, an_answered_task_moves_nowhere);
}

int main(void)
{
	Suite *suite = suite_create("task");
	TCase *tc = tcase_create("task");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_set_timeout(tc, 20);
	add_outcomes(tc);
	add_time(tc);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
