/* A branch, step by step: the database does what the test says. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake_record.h"
#include "fake_stream.h"
#include "worker/branch.h"
#include "worker/payload.h"
#include "worker/store.h"
#include "world.h"

#define C "coordinator"

static struct world world;
static struct worker worker;
static struct fake_record record;
static struct fake_stream stream;
static struct ctx *call; /* the stream's */
static struct branch *branch;

static void set_up(void)
{
	world_init(&world, "worker");
	worker = (struct worker){ .db = &world.db.db,
				  .metrics = world.work_metrics,
				  .ctx = ctx_new(world.root, CLOCK_NEVER) };
	fake_record_attach(&record, &world.db, WORKER_STORE_TWOPC);
	fake_stream_init(&stream);
	call = ctx_new(world.root, CLOCK_NEVER);
	branch = NULL;
}

static void close_stream(void)
{
	if (branch != NULL) {
		ck_assert_int_eq(stream.ends, 1);
		branch_put(branch);
		branch = NULL;
	}
}

static void tear_down(void)
{
	close_stream();
	ctx_unref(call);
	worker_close(&worker);
	world_settle(&world); /* The last call may be under way. */
	worker_release(&worker);
	fake_stream_release(&stream);
	world_release(&world);
	ck_assert_uint_eq(atomic_load(&worker.live), 0);
}

/* ---- what the tests say -------------------------------------------------- */

static void open_stream(void)
{
	branch = branch_new(&worker, call, C, "1", &fake_stream_link, &stream);
}

/* After the end of one: another stream of the same transaction. */
static void open_another(void)
{
	close_stream();
	fake_stream_release(&stream);
	fake_stream_init(&stream);
	ctx_unref(call);
	call = ctx_new(world.root, CLOCK_NEVER);
	open_stream();
}

static void call_with_deadline(int64_t timeout_ns)
{
	ctx_unref(call);
	call = ctx_new(world.root, clock_now_ns() + timeout_ns);
}

static void start(void)
{
	open_stream();
	branch_prepare(branch, "t1", "data");
}

static void stored(void)
{
	fake_db_complete(&world.db, STATUS_OK, "");
}

static void start_prepared(void)
{
	start();
	stored();
	ck_assert_int_eq(stream.said_of[TWOPC_VERDICT_PREPARED], 1);
	ck_assert_int_eq(stream.ends, 0);
}

/* On the loop's thread, so that no timer is served meanwhile. */
static void start_on_loop(void *arg)
{
	call_with_deadline(*(const int64_t *)arg);
	start();
}

static void start_prepared_on_loop(void *arg)
{
	call_with_deadline(*(const int64_t *)arg);
	start_prepared();
}

static void leave(void)
{
	ctx_end(call, CTX_CALLER_CANCELLED, NULL);
}

static enum twopc_row row(void)
{
	return fake_record_get(&record, C, "1");
}

static void hold(enum twopc_row state)
{
	struct payload payload = { 0 };

	payload_make(&payload, "t0", "held");
	fake_record_set(&record, C, "1", state, payload.bytes, payload.size);
	payload_release(&payload);
}

static void expect_end(enum status_code code, const char *message)
{
	ck_assert_int_eq(stream.ends, 1);
	ck_assert_int_eq(stream.end.code, code);
	ck_assert_str_eq(stream.end.message, message);
}

static void expect_said(enum twopc_verdict verdict, const char *message)
{
	ck_assert_int_eq(stream.said_of[verdict], 1);
	ck_assert_str_eq(stream.message, message);
	expect_end(STATUS_OK, "");
}

static bool counted(const char *outcome, const char *cause, int n)
{
	char series[160];

	snprintf(series, sizeof(series),
		 "rescind_transactions_total{cause=\"%s\",outcome=\"%s\","
		 "service=\"worker\"}",
		 cause, outcome);
	return world_counted(&world, series, n);
}

static void expect_committed(const char *task_id)
{
	char text[128];

	snprintf(text, sizeof(text), "TRANSACTION COMMITTED for task_id=%s",
		 task_id);
	ck_assert(world_logged(&world, text));
	ck_assert(counted("committed", "finished", 1));
	ck_assert_int_eq(record.inserts, 1);
	ck_assert_str_eq(record.task_id, task_id);
}

static void expect_rolled_back(const char *cause)
{
	char text[128];

	ck_assert(
		world_logged(&world, "TRANSACTION ROLLED BACK for task_id=t1"));
	snprintf(text, sizeof(text), "cause=%s", cause);
	ck_assert(world_logged(&world, text));
	ck_assert_msg(counted("rolled_back", cause, 1), "%s", cause);
	ck_assert_int_eq(record.inserts, 0);
	ck_assert_int_eq(world.db.begun, world.db.rolled_back);
}

static void expect_in_doubt(void)
{
	ck_assert(world_logged(&world,
			       "TRANSACTION LEFT IN DOUBT for task_id=t1 "
			       "transaction=1 coordinator=" C));
	ck_assert(!world_logged(&world, "ROLLED BACK"));
	ck_assert_int_eq(row(), TWOPC_ROW_PREPARED);
	ck_assert_int_eq(record.inserts, 0);
}

/* ---- all goes well ------------------------------------------------------ */

START_TEST(a_branch_works_is_prepared_and_committed)
{
	worker.work_ns = 2 * NS_PER_MS;
	start();
	ck_assert_str_eq(world.db.last_values[0], "t1");
	ck_assert_str_eq(world.db.last_values[1], "data");
	ck_assert(world_logged(&world, "Inserted task record for task_id=t1"));
	fake_db_await(&world.db);
	ck_assert_int_eq(stream.said, 0); /* Not before it is on disk. */
	stored();
	ck_assert_int_eq(stream.said_of[TWOPC_VERDICT_PREPARED], 1);
	ck_assert_int_eq(stream.ends, 0);
	ck_assert_int_eq(row(), TWOPC_ROW_PREPARED);
	ck_assert_int_eq(record.inserts, 0);
	ck_assert_int_eq(world.db.rolled_back, 1); /* It was for checking. */

	branch_commit(branch);
	ck_assert_int_eq(stream.said, 1);
	stored();
	expect_said(TWOPC_VERDICT_COMMITTED, "Work completed for task t1");
	ck_assert_int_eq(row(), TWOPC_ROW_COMMITTED);
	ck_assert_str_eq(record.data, "data");
	expect_committed("t1");
	ck_assert_int_eq(world.db.committed, 0);
	ck_assert_int_eq(world.db.immediate, 2);
}
END_TEST

START_TEST(it_works_as_long_as_it_is_told_to)
{
	int64_t began_ns = clock_now_ns();

	worker.work_ns = 30 * NS_PER_MS;
	start();
	fake_db_await(&world.db);
	ck_assert_int_ge(clock_now_ns() - began_ns, worker.work_ns);
	stored();
	branch_rollback(branch);
	stored();
}
END_TEST

START_TEST(a_commit_may_come_before_it_is_prepared)
{
	start();
	branch_commit(branch);
	stored();
	stored();
	expect_said(TWOPC_VERDICT_COMMITTED, "Work completed for task t1");
	expect_committed("t1");
}
END_TEST

/* ---- the coordinator rolls back ------------------------------------------ */

START_TEST(a_rollback_while_it_works_is_done_at_once)
{
	worker.work_ns = (int64_t)60 * NS_PER_S;
	start();
	branch_rollback(branch);
	expect_said(TWOPC_VERDICT_ROLLED_BACK, "Rolled back 1");
	ck_assert(world_logged(&world, "Context cancelled for task_id=t1"));
	expect_rolled_back("caller_cancelled");
	ck_assert(world_counted(&world,
				"rescind_cancel_to_rollback_seconds_count{"
				"service=\"worker\"}",
				1));
	ck_assert_int_eq(world.db.immediate, 0);
}
END_TEST

START_TEST(a_rollback_hurries_the_prepare)
{
	start();
	branch_rollback(branch);
	branch_rollback(branch);
	fake_db_refuse_ended(&world.db);
	expect_said(TWOPC_VERDICT_ROLLED_BACK, "Rolled back 1");
	expect_rolled_back("caller_cancelled");
	ck_assert_int_eq(row(), TWOPC_ROW_NONE);
}
END_TEST

START_TEST(a_rollback_that_the_prepare_crossed_undoes_it)
{
	start();
	branch_rollback(branch);
	stored(); /* the prepare after all */
	ck_assert_int_eq(stream.said, 0);
	stored();
	expect_said(TWOPC_VERDICT_ROLLED_BACK, "Rolled back 1");
	expect_rolled_back("caller_cancelled");
	ck_assert_int_eq(row(), TWOPC_ROW_ROLLED_BACK);
}
END_TEST

START_TEST(what_is_prepared_is_rolled_back)
{
	start_prepared();
	branch_rollback(branch);
	ck_assert_int_eq(stream.said, 1);
	stored();
	expect_said(TWOPC_VERDICT_ROLLED_BACK, "Rolled back 1");
	expect_rolled_back("caller_cancelled");
	ck_assert_int_eq(row(), TWOPC_ROW_ROLLED_BACK);
}
END_TEST

/* Its coordinator has said meanwhile that it is over: nothing of it stays. */
START_TEST(what_is_prepared_and_over_is_dropped)
{
	start_prepared();
	snprintf(record.below, sizeof(record.below), "2");
	branch_rollback(branch);
	stored();
	expect_said(TWOPC_VERDICT_ROLLED_BACK, "Rolled back 1");
	expect_rolled_back("caller_cancelled");
	ck_assert_int_eq(row(), TWOPC_ROW_NONE);
}
END_TEST

START_TEST(a_rollback_long_before_the_deadline_is_the_callers)
{
	worker.work_ns = (int64_t)60 * NS_PER_S;
	call_with_deadline((int64_t)60 * NS_PER_S);
	start();
	branch_rollback(branch);
	expect_rolled_back("caller_cancelled");
}
END_TEST

/* On the loop's thread, so that the deadline's own timer comes later. */
static void roll_back_late(void *arg)
{
	(void)arg;
	call_with_deadline(500 * NS_PER_MS);
	start();
	while (clock_now_ns() < ctx_deadline_ns(call) - 10 * NS_PER_MS) {
	}
	branch_rollback(branch);
}

START_TEST(a_rollback_just_before_the_deadline_is_the_deadlines)
{
	worker.work_ns = (int64_t)60 * NS_PER_S;
	world_on_loop(&world, roll_back_late, NULL);
	expect_said(TWOPC_VERDICT_ROLLED_BACK, "Rolled back 1");
	expect_rolled_back("deadline");
}
END_TEST

/* ---- the caller leaves -------------------------------------------------- */

START_TEST(a_caller_that_leaves_while_it_works_rolls_back_at_once)
{
	worker.work_ns = (int64_t)60 * NS_PER_S;
	start();
	leave();
	ck_assert_int_eq(stream.said, 0);
	expect_end(STATUS_CANCELLED, "work cancelled");
	ck_assert(world_logged(&world, "Context cancelled for task_id=t1"));
	expect_rolled_back("caller_cancelled");
	ck_assert_int_eq(world.db.immediate, 0);
}
END_TEST

START_TEST(the_deadline_passes_while_it_works)
{
	int64_t deadline_ns = 200 * NS_PER_MS;

	worker.work_ns = (int64_t)60 * NS_PER_S;
	world_on_loop(&world, start_on_loop, &deadline_ns);
	fake_stream_await_end(&stream);
	expect_end(STATUS_DEADLINE_EXCEEDED, "the deadline passed");
	expect_rolled_back("deadline");
}
END_TEST

START_TEST(the_process_stops_while_it_works)
{
	worker.work_ns = (int64_t)60 * NS_PER_S;
	start();
	ctx_end(call, CTX_SHUTDOWN, NULL);
	expect_end(STATUS_UNAVAILABLE, "the server is shutting down");
	expect_rolled_back("shutdown");
}
END_TEST

START_TEST(a_caller_that_has_left_begins_nothing)
{
	leave();
	start();
	expect_end(STATUS_CANCELLED, "work cancelled");
	ck_assert_int_eq(world.db.begun, 0);
	ck_assert_int_eq(stream.said, 0);
}
END_TEST

START_TEST(a_prepare_that_waits_is_refused_when_the_caller_leaves)
{
	start();
	leave();
	ck_assert_int_eq(stream.ends, 0);
	fake_db_refuse_ended(&world.db);
	expect_end(STATUS_CANCELLED, "work cancelled");
	expect_rolled_back("caller_cancelled");
	ck_assert_int_eq(row(), TWOPC_ROW_NONE);
}
END_TEST

START_TEST(a_prepare_that_is_under_way_stands_when_the_caller_leaves)
{
	start();
	leave();
	stored();
	ck_assert_int_eq(stream.said, 0);
	expect_end(STATUS_CANCELLED, "work cancelled");
	expect_in_doubt();
}
END_TEST

START_TEST(what_is_prepared_is_left_in_doubt_whatever_ends_the_stream)
{
	static const enum ctx_cause causes[] = { CTX_CALLER_CANCELLED,
						 CTX_DEADLINE, CTX_SHUTDOWN };

	start_prepared();
	ctx_end(call, causes[_i], NULL);
	ck_assert_int_eq(stream.ends, 1);
	ck_assert_int_ne(stream.end.code, STATUS_OK);
	expect_in_doubt();
	ck_assert(world_logged(&world, ctx_cause_name(causes[_i])));
	ck_assert_int_eq(world.db.immediate, 1);
}
END_TEST

START_TEST(the_deadline_does_not_touch_what_is_prepared)
{
	int64_t deadline_ns = 200 * NS_PER_MS;

	world_on_loop(&world, start_prepared_on_loop, &deadline_ns);
	fake_stream_await_end(&stream);
	expect_end(STATUS_DEADLINE_EXCEEDED, "the deadline passed");
	expect_in_doubt();
}
END_TEST

START_TEST(a_commit_is_carried_out_although_the_caller_leaves)
{
	start_prepared();
	branch_commit(branch);
	leave();
	ck_assert_int_eq(stream.ends, 0);
	/* Nor has what it hangs on ended. */
	ck_assert(!ctx_ended(world.db.waits[0].ctx));
	stored();
	expect_end(STATUS_CANCELLED, "work cancelled");
	ck_assert_int_eq(row(), TWOPC_ROW_COMMITTED);
	expect_committed("t1");
}
END_TEST

START_TEST(a_rollback_is_carried_out_although_the_caller_leaves)
{
	start_prepared();
	branch_rollback(branch);
	leave();
	ck_assert(!ctx_ended(world.db.waits[0].ctx));
	stored();
	ck_assert_int_eq(stream.ends, 1);
	ck_assert_int_eq(row(), TWOPC_ROW_ROLLED_BACK);
	expect_rolled_back("caller_cancelled");
}
END_TEST

START_TEST(leaving_after_the_end_changes_nothing)
{
	start_prepared();
	branch_commit(branch);
	stored();
	leave();
	branch_rollback(branch);
	branch_commit(branch);
	branch_prepare(branch, "t1", "data");
	branch_half_close(branch);
	expect_said(TWOPC_VERDICT_COMMITTED, "Work completed for task t1");
	ck_assert_int_eq(stream.said, 2);
	expect_committed("t1");
}
END_TEST

/* ---- the caller says nothing more ---------------------------------------- */

START_TEST(a_half_closed_stream_works_on_and_is_left_in_doubt)
{
	worker.work_ns = 2 * NS_PER_MS;
	start();
	branch_half_close(branch);
	ck_assert_int_eq(stream.ends, 0);
	fake_db_await(&world.db);
	stored();
	expect_said(TWOPC_VERDICT_PREPARED, "Work completed for task t1");
	expect_in_doubt();
}
END_TEST

START_TEST(a_half_close_when_prepared_leaves_it_in_doubt)
{
	start_prepared();
	branch_half_close(branch);
	expect_end(STATUS_OK, "");
	expect_in_doubt();
}
END_TEST

START_TEST(a_half_close_behind_the_commit_is_the_usual_end)
{
	start_prepared();
	branch_commit(branch);
	branch_half_close(branch);
	stored();
	expect_said(TWOPC_VERDICT_COMMITTED, "Work completed for task t1");
	ck_assert(!world_logged(&world, "IN DOUBT"));
}
END_TEST

/* ---- the database refuses ----------------------------------------------- */

START_TEST(begin_fails)
{
	world.db.begin_code = STATUS_RESOURCE_EXHAUSTED;
	start();
	expect_end(STATUS_RESOURCE_EXHAUSTED,
		   "failed to start transaction: no begin");
	expect_rolled_back("database");
}
END_TEST

START_TEST(insert_fails)
{
	world.db.insert_code = STATUS_INTERNAL;
	start();
	expect_end(STATUS_INTERNAL, "failed to insert task: no insert");
	expect_rolled_back("database");
	ck_assert_int_eq(world.db.rolled_back, 1);
}
END_TEST

START_TEST(prepare_fails_with_each_code)
{
	enum status_code code = (enum status_code)_i;

	start();
	fake_db_complete(&world.db, code, "no room");
	expect_end(code, "failed to prepare: no room");
	ck_assert_int_eq(stream.said, 0);
	expect_rolled_back("database");
	ck_assert(!world_logged(&world, "Context cancelled"));
}
END_TEST

START_TEST(commit_fails_and_what_is_prepared_stays)
{
	start_prepared();
	branch_commit(branch);
	fake_db_complete(&world.db, STATUS_UNAVAILABLE, "no disk");
	expect_end(STATUS_UNAVAILABLE, "failed to commit: no disk");
	expect_in_doubt();
	ck_assert(counted("committed", "finished", 0));

	open_another();
	branch_commit(branch);
	stored();
	expect_said(TWOPC_VERDICT_COMMITTED, "Work completed for task t1");
	expect_committed("t1");
}
END_TEST

START_TEST(rollback_fails_and_what_is_prepared_stays)
{
	start_prepared();
	branch_rollback(branch);
	fake_db_complete(&world.db, STATUS_UNAVAILABLE, "no disk");
	expect_end(STATUS_UNAVAILABLE, "failed to roll back: no disk");
	expect_in_doubt();
}
END_TEST

START_TEST(a_stop_gives_a_commit_that_waits_one_more_second)
{
	start_prepared();
	branch_commit(branch);
	ctx_end(call, CTX_SHUTDOWN, NULL);
	ck_assert(!ctx_ended(worker.ctx));
	world_await_end(worker.ctx);
	fake_db_refuse_ended(&world.db);
	expect_end(STATUS_UNAVAILABLE, "the server is shutting down");
	expect_in_doubt();
}
END_TEST

START_TEST(at_the_end_of_the_process_a_commit_that_waits_is_refused)
{
	start_prepared();
	branch_commit(branch);
	ctx_end(call, CTX_SHUTDOWN, NULL);
	ck_assert_int_eq(stream.ends, 0);
	ctx_end(worker.ctx, CTX_SHUTDOWN, NULL);
	fake_db_refuse_ended(&world.db);
	expect_end(STATUS_UNAVAILABLE, "the server is shutting down");
	expect_in_doubt();
}
END_TEST

/* ---- orders alone, twice and out of order -------------------------------- */

START_TEST(a_commit_of_what_is_not_known_is_not_found)
{
	open_stream();
	branch_commit(branch);
	stored();
	ck_assert_int_eq(stream.said, 0);
	expect_end(STATUS_NOT_FOUND, "transaction 1 is not known here, so it "
				     "can't be committed");
	ck_assert_int_eq(row(), TWOPC_ROW_NONE);
	ck_assert(world_logged(&world, "ERROR"));
	ck_assert(world_logged(&world, "CONTRADICTION: asked to commit "
				       "transaction=1, which is unknown here "
				       "coordinator=" C));
	ck_assert(world_counted(
		&world, "rescind_contradictions_total{service=\"worker\"}", 1));
}
END_TEST

START_TEST(a_second_stream_commits_what_is_prepared)
{
	hold(TWOPC_ROW_PREPARED);
	open_stream();
	branch_commit(branch);
	stored();
	expect_said(TWOPC_VERDICT_COMMITTED, "Work completed for task t0");
	expect_committed("t0");
	ck_assert(world_logged(&world, "by=stream"));
	ck_assert(world_counted(&world,
				"rescind_resolved_total{outcome=\"committed\","
				"service=\"worker\"}",
				1));
}
END_TEST

START_TEST(a_second_stream_rolls_back_what_is_prepared)
{
	hold(TWOPC_ROW_PREPARED);
	open_stream();
	branch_rollback(branch);
	stored();
	expect_said(TWOPC_VERDICT_ROLLED_BACK, "Rolled back 1");
	ck_assert_int_eq(row(), TWOPC_ROW_ROLLED_BACK);
	ck_assert(world_logged(&world,
			       "TRANSACTION ROLLED BACK for transaction=1 "
			       "coordinator=" C " by=stream"));
	ck_assert(
		world_counted(&world,
			      "rescind_resolved_total{outcome=\"rolled_back\","
			      "service=\"worker\"}",
			      1));
}
END_TEST

START_TEST(a_commit_after_the_end_has_the_same_outcome)
{
	hold(TWOPC_ROW_COMMITTED);
	open_stream();
	branch_commit(branch);
	stored();
	expect_said(TWOPC_VERDICT_COMMITTED, "Work completed for 1");
	ck_assert_int_eq(record.inserts, 0);
	ck_assert(!world_logged(&world, "TRANSACTION COMMITTED"));
}
END_TEST

START_TEST(a_commit_of_what_was_rolled_back_is_refused)
{
	hold(TWOPC_ROW_ROLLED_BACK);
	open_stream();
	branch_commit(branch);
	stored();
	expect_end(STATUS_FAILED_PRECONDITION,
		   "transaction 1 is rolled back, so it can't be committed");
	ck_assert(world_logged(&world, "CONTRADICTION"));
}
END_TEST

START_TEST(a_rollback_of_what_is_not_known_is_remembered)
{
	open_stream();
	branch_rollback(branch);
	stored();
	expect_said(TWOPC_VERDICT_ROLLED_BACK, "Rolled back 1");
	ck_assert_int_eq(row(), TWOPC_ROW_ROLLED_BACK);
	ck_assert(!world_logged(&world, "TRANSACTION ROLLED BACK"));
}
END_TEST

START_TEST(a_rollback_of_what_is_committed_says_so)
{
	hold(TWOPC_ROW_COMMITTED);
	open_stream();
	branch_rollback(branch);
	stored();
	expect_said(TWOPC_VERDICT_COMMITTED, "Work completed for 1");
	ck_assert(world_logged(&world, "CONTRADICTION: asked to rollback "
				       "transaction=1, which is committed"));
}
END_TEST

START_TEST(a_prepare_after_the_rollback_is_rolled_back)
{
	hold(TWOPC_ROW_ROLLED_BACK);
	start();
	stored();
	expect_said(TWOPC_VERDICT_ROLLED_BACK, "Rolled back 1");
	expect_rolled_back("caller_cancelled");
	ck_assert(world_logged(&world, "transaction 1 was rolled back"));
}
END_TEST

START_TEST(a_prepare_of_what_is_over_is_refused)
{
	snprintf(record.below, sizeof(record.below), "2");
	start();
	stored();
	expect_end(STATUS_FAILED_PRECONDITION, "transaction 1 is over");
	expect_rolled_back("caller_cancelled");
	ck_assert_int_eq(row(), TWOPC_ROW_NONE);
}
END_TEST

START_TEST(a_prepare_after_the_commit_is_committed)
{
	hold(TWOPC_ROW_COMMITTED);
	start();
	stored();
	expect_said(TWOPC_VERDICT_COMMITTED, "Work completed for task t1");
	ck_assert_int_eq(record.inserts, 0);
	ck_assert(world_logged(&world, "CONTRADICTION"));
}
END_TEST

START_TEST(a_second_prepare_is_prepared_once)
{
	hold(TWOPC_ROW_PREPARED);
	start_prepared();
	branch_prepare(branch, "t1", "data");
	ck_assert_int_eq(stream.said_of[TWOPC_VERDICT_PREPARED], 2);
	ck_assert_uint_eq(record.rows_n, 1);
	branch_commit(branch);
	branch_prepare(branch, "t1", "data");
	branch_commit(branch);
	branch_rollback(branch);
	stored();
	/* What the first one prepared. */
	expect_said(TWOPC_VERDICT_COMMITTED, "Work completed for task t0");
	ck_assert_int_eq(record.inserts, 1);
}
END_TEST

START_TEST(a_commit_while_it_works_is_that_of_another_stream)
{
	hold(TWOPC_ROW_PREPARED);
	worker.work_ns = (int64_t)60 * NS_PER_S;
	start();
	branch_commit(branch);
	ck_assert_int_eq(world.db.rolled_back, 1);
	stored();
	expect_said(TWOPC_VERDICT_COMMITTED, "Work completed for task t0");
	expect_committed("t0");
	ck_assert(world_logged(&world, "by=stream"));
}
END_TEST

START_TEST(a_commit_while_it_works_commits_nothing_of_it)
{
	worker.work_ns = (int64_t)60 * NS_PER_S;
	start();
	branch_commit(branch);
	stored();
	ck_assert_int_eq(stream.end.code, STATUS_NOT_FOUND);
	expect_rolled_back("caller_cancelled");
	ck_assert_int_eq(row(), TWOPC_ROW_NONE);
}
END_TEST

/* Whoever did it has told it. */
START_TEST(what_a_resolver_has_ended_is_not_told_twice)
{
	start_prepared();
	record.rows[0].row =
		_i == 0 ? TWOPC_ROW_COMMITTED : TWOPC_ROW_ROLLED_BACK;
	if (_i == 0) {
		branch_commit(branch);
	} else {
		branch_rollback(branch);
	}
	stored();
	ck_assert_int_eq(stream.said, 2);
	expect_end(STATUS_OK, "");
	ck_assert(!world_logged(&world, "TRANSACTION COMMITTED"));
	ck_assert(!world_logged(&world, "TRANSACTION ROLLED BACK"));
	ck_assert(counted("committed", "finished", 0));
	ck_assert(counted("rolled_back", "caller_cancelled", 0));
}
END_TEST

START_TEST(what_was_prepared_by_a_later_version_is_not_lost)
{
	fake_record_set(&record, C, "1", TWOPC_ROW_PREPARED, "9t1\0x", 5);
	open_stream();
	branch_commit(branch);
	stored();
	ck_assert_int_eq(stream.end.code, STATUS_DATA_LOSS);
	ck_assert_int_eq(row(), TWOPC_ROW_PREPARED);
	ck_assert_int_eq(record.inserts, 0);
}
END_TEST

/* ---- what makes no sense ------------------------------------------------- */

START_TEST(a_task_that_is_not_valid_touches_nothing)
{
	open_stream();
	branch_prepare(branch, "", "x");
	expect_end(STATUS_INVALID_ARGUMENT, "work: task_id must not be empty");
	ck_assert_int_eq(world.db.begun, 0);
	ck_assert(!world_logged(&world, "ROLLED BACK"));
}
END_TEST

START_TEST(other_work_on_the_same_stream_breaks_it)
{
	start_prepared();
	branch_prepare(branch, "t1", "other");
	expect_end(STATUS_INVALID_ARGUMENT,
		   "work must not change in mid-stream");
	expect_in_doubt();
}
END_TEST

START_TEST(a_stream_that_breaks_while_it_works_rolls_back)
{
	struct status garbage = status_make(STATUS_INVALID_ARGUMENT, "garbage");

	worker.work_ns = (int64_t)60 * NS_PER_S;
	start();
	branch_break(branch, &garbage);
	expect_end(STATUS_INVALID_ARGUMENT, "garbage");
	expect_rolled_back("caller_cancelled");
}
END_TEST

START_TEST(a_stream_that_breaks_leaves_what_is_prepared)
{
	struct status garbage = status_make(STATUS_INVALID_ARGUMENT, "garbage");

	start_prepared();
	branch_break(branch, &garbage);
	branch_break(branch, &garbage);
	expect_end(STATUS_INVALID_ARGUMENT, "garbage");
	expect_in_doubt();
}
END_TEST

/* ---- time --------------------------------------------------------------- */

START_TEST(a_locked_database_is_told_before_the_deadline)
{
	struct ctx *waits;
	int64_t gave_up_ns;

	call_with_deadline(NS_PER_S);
	start();
	waits = world.db.waits[0].ctx;
	gave_up_ns = world_await_end(waits);
	/* Had the deadline come first, that would be the cause. */
	ck_assert_int_eq(ctx_cause(waits, NULL), CTX_DATABASE);
	ck_assert_int_ge(gave_up_ns, ctx_deadline_ns(call) - 51 * NS_PER_MS);
	fake_db_refuse_ended(&world.db);
	expect_end(STATUS_UNAVAILABLE, "failed to prepare: database is locked");
	expect_rolled_back("database");
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

START_TEST(a_locked_database_is_why_although_the_deadline_passes_then)
{
	call_with_deadline(NS_PER_S);
	start();
	world_await_end(world.db.waits[0].ctx);
	world_await_end(call);
	world_settle(&world);
	fake_db_refuse_ended(&world.db);
	expect_end(STATUS_UNAVAILABLE, "failed to prepare: database is locked");
	expect_rolled_back("database");
}
END_TEST

START_TEST(a_deadline_that_passed_while_the_process_was_stopped_counts)
{
	struct stop stop = { .for_ns = 60 * NS_PER_MS };

	worker.work_ns = 10 * NS_PER_MS;
	call_with_deadline(30 * NS_PER_MS);
	/* The work's timer comes first, and would prepare. */
	world_on_loop(&world, start_and_stop, &stop);
	fake_stream_await_end(&stream);
	expect_end(STATUS_DEADLINE_EXCEEDED, "the deadline passed");
	ck_assert_int_eq(world.db.immediate, 0);
}
END_TEST

static void wait_past_the_deadline(void)
{
	while (clock_now_ns() <= ctx_deadline_ns(call)) {
	}
}

/* On the loop's thread, which serves the deadline's timer later. */
static void prepare_then_be_refused(void *arg)
{
	(void)arg;
	call_with_deadline(200 * NS_PER_MS);
	start();
	wait_past_the_deadline();
	fake_db_complete(&world.db, STATUS_DEADLINE_EXCEEDED, "too late");
}

static void fail_to_begin(void *arg)
{
	(void)arg;
	call_with_deadline(200 * NS_PER_MS);
	open_stream();
	wait_past_the_deadline();
	world.db.begin_code = STATUS_DEADLINE_EXCEEDED;
	branch_prepare(branch, "t1", "data");
}

START_TEST(the_database_may_notice_the_deadline_first)
{
	world_on_loop(&world, _i == 0 ? prepare_then_be_refused : fail_to_begin,
		      NULL);
	expect_end(STATUS_DEADLINE_EXCEEDED, "the deadline passed");
	expect_rolled_back("deadline");
}
END_TEST

static void say_rollback(struct loop_timer *timer, int64_t late_ns)
{
	(void)timer, (void)late_ns;
	branch_rollback(branch);
}

START_TEST(news_of_the_time_of_a_stop_come_before_the_prepare)
{
	struct loop_timer news = { .fn = say_rollback };
	struct stop stop = { .for_ns = 150 * NS_PER_MS, .news = &news };

	worker.work_ns = 10 * NS_PER_MS;
	world_on_loop(&world, start_and_stop, &stop);
	fake_stream_await_end(&stream);
	world_settle(&world); /* It borrows our reference. */
	expect_said(TWOPC_VERDICT_ROLLED_BACK, "Rolled back 1");
	ck_assert_int_eq(world.db.immediate, 0);
}
END_TEST

START_TEST(after_a_stop_without_news_it_is_prepared)
{
	struct stop stop = { .for_ns = 150 * NS_PER_MS };

	worker.work_ns = 10 * NS_PER_MS;
	world_on_loop(&world, start_and_stop, &stop);
	fake_db_await(&world.db);
	stored();
	ck_assert_int_eq(stream.said_of[TWOPC_VERDICT_PREPARED], 1);
	branch_rollback(branch);
	stored();
}
END_TEST

/* ---- races -------------------------------------------------------------- */

static void *leave_thread(void *arg)
{
	(void)arg;
	leave();
	return NULL;
}

static void reopen(void)
{
	fake_stream_await_end(&stream);
	open_another();
	record.rows_n = 0;
}

START_TEST(one_end_whichever_of_prepare_and_leaving_is_first)
{
	open_stream();
	for (int round = 0; round < 300; round++) {
		pthread_t thread;

		branch_prepare(branch, "t1", "data");
		pthread_create(&thread, NULL, leave_thread, NULL);
		stored();
		pthread_join(thread, NULL);
		ck_assert_int_eq(row(), TWOPC_ROW_PREPARED);
		ck_assert_int_eq(stream.ends, 1);
		reopen();
	}
	branch_break(branch, &stream.end);
}
END_TEST

START_TEST(one_end_whichever_of_commit_and_leaving_is_first)
{
	open_stream();
	for (int round = 0; round < 300; round++) {
		pthread_t thread;

		branch_prepare(branch, "t1", "data");
		stored();
		branch_commit(branch);
		pthread_create(&thread, NULL, leave_thread, NULL);
		stored();
		pthread_join(thread, NULL);
		ck_assert_int_eq(row(), TWOPC_ROW_COMMITTED);
		ck_assert_int_eq(stream.ends, 1);
		reopen();
	}
	branch_break(branch, &stream.end);
}
END_TEST

START_TEST(one_end_whichever_of_timer_and_leaving_is_first)
{
	worker.work_ns = 50 * NS_PER_US;
	open_stream();
	for (int round = 0; round < 300; round++) {
		branch_prepare(branch, "t1", "data");
		if (round % 2 == 0) { /* so that both orders happen */
			fake_db_await(&world.db);
		}
		leave();
		if (fake_db_waits(&world.db)) {
			fake_db_refuse_ended(&world.db);
		}
		ck_assert_int_eq(row(), TWOPC_ROW_NONE);
		reopen();
	}
	branch_break(branch, &stream.end);
}
END_TEST

static void add_orders(TCase *tc)
{
	tcase_add_test(tc, a_branch_works_is_prepared_and_committed);
	tcase_add_test(tc, it_works_as_long_as_it_is_told_to);
	tcase_add_test(tc, a_commit_may_come_before_it_is_prepared);
	tcase_add_test(tc, a_rollback_while_it_works_is_done_at_once);
	tcase_add_test(tc, a_rollback_hurries_the_prepare);
	tcase_add_test(tc, a_rollback_that_the_prepare_crossed_undoes_it);
	tcase_add_test(tc, what_is_prepared_is_rolled_back);
	tcase_add_test(tc, what_is_prepared_and_over_is_dropped);
	tcase_add_test(tc, a_rollback_long_before_the_deadline_is_the_callers);
	tcase_add_test(tc,
		       a_rollback_just_before_the_deadline_is_the_deadlines);
	tcase_add_test(tc, a_commit_of_what_is_not_known_is_not_found);
	tcase_add_test(tc, a_second_stream_commits_what_is_prepared);
	tcase_add_test(tc, a_second_stream_rolls_back_what_is_prepared);
	tcase_add_test(tc, a_commit_after_the_end_has_the_same_outcome);
	tcase_add_test(tc, a_commit_of_what_was_rolled_back_is_refused);
	tcase_add_test(tc, a_rollback_of_what_is_not_known_is_remembered);
	tcase_add_test(tc, a_rollback_of_what_is_committed_says_so);
	tcase_add_test(tc, a_prepare_after_the_rollback_is_rolled_back);
	tcase_add_test(tc, a_prepare_of_what_is_over_is_refused);
	tcase_add_test(tc, a_prepare_after_the_commit_is_committed);
	tcase_add_test(tc, a_second_prepare_is_prepared_once);
	tcase_add_test(tc, a_commit_while_it_works_is_that_of_another_stream);
	tcase_add_test(tc, a_commit_while_it_works_commits_nothing_of_it);
	tcase_add_loop_test(tc, what_a_resolver_has_ended_is_not_told_twice, 0,
			    2);
	tcase_add_test(tc, what_was_prepared_by_a_later_version_is_not_lost);
	tcase_add_test(tc, a_task_that_is_not_valid_touches_nothing);
	tcase_add_test(tc, other_work_on_the_same_stream_breaks_it);
	tcase_add_test(tc, a_stream_that_breaks_while_it_works_rolls_back);
	tcase_add_test(tc, a_stream_that_breaks_leaves_what_is_prepared);
}

static void add_leaving(TCase *tc)
{
	tcase_add_test(tc,
		       a_caller_that_leaves_while_it_works_rolls_back_at_once);
	tcase_add_test(tc, the_deadline_passes_while_it_works);
	tcase_add_test(tc, the_process_stops_while_it_works);
	tcase_add_test(tc, a_caller_that_has_left_begins_nothing);
	tcase_add_test(tc,
		       a_prepare_that_waits_is_refused_when_the_caller_leaves);
	tcase_add_test(
		tc, a_prepare_that_is_under_way_stands_when_the_caller_leaves);
	tcase_add_loop_test(
		tc, what_is_prepared_is_left_in_doubt_whatever_ends_the_stream,
		0, 3);
	tcase_add_test(tc, the_deadline_does_not_touch_what_is_prepared);
	tcase_add_test(tc, a_commit_is_carried_out_although_the_caller_leaves);
	tcase_add_test(tc,
		       a_rollback_is_carried_out_although_the_caller_leaves);
	tcase_add_test(tc, leaving_after_the_end_changes_nothing);
	tcase_add_test(tc, a_half_closed_stream_works_on_and_is_left_in_doubt);
	tcase_add_test(tc, a_half_close_when_prepared_leaves_it_in_doubt);
	tcase_add_test(tc, a_half_close_behind_the_commit_is_the_usual_end);
}

static void add_database(TCase *tc)
{
	tcase_add_test(tc, begin_fails);
	tcase_add_test(tc, insert_fails);
	tcase_add_loop_test(tc, prepare_fails_with_each_code, 1,
			    STATUS_CODE_NR);
	tcase_add_test(tc, commit_fails_and_what_is_prepared_stays);
	tcase_add_test(tc, rollback_fails_and_what_is_prepared_stays);
	tcase_add_test(tc, a_stop_gives_a_commit_that_waits_one_more_second);
	tcase_add_test(
		tc, at_the_end_of_the_process_a_commit_that_waits_is_refused);
	tcase_add_test(tc, a_locked_database_is_told_before_the_deadline);
	tcase_add_test(
		tc, a_locked_database_is_why_although_the_deadline_passes_then);
	tcase_add_test(
		tc,
		a_deadline_that_passed_while_the_process_was_stopped_counts);
	tcase_add_loop_test(tc, the_database_may_notice_the_deadline_first, 0,
			    2);
	tcase_add_test(tc, news_of_the_time_of_a_stop_come_before_the_prepare);
	tcase_add_test(tc, after_a_stop_without_news_it_is_prepared);
	tcase_add_test(tc, one_end_whichever_of_prepare_and_leaving_is_first);
	tcase_add_test(tc, one_end_whichever_of_commit_and_leaving_is_first);
	tcase_add_test(tc, one_end_whichever_of_timer_and_leaving_is_first);
}

int main(void)
{
	Suite *suite = suite_create("branch");
	TCase *tc = tcase_create("branch");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_set_timeout(tc, 20);
	add_orders(tc);
	add_leaving(tc);
	add_database(tc);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
