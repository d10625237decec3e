/* Orders in batches, and what is sealed behind them. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "fake_record.h"
#include "worker/payload.h"
#include "worker/resolution.h"
#include "worker/store.h"
#include "world.h"

static struct world world;
static struct worker worker;
static struct fake_record record;
static struct ctx *call;

static struct {
	int answers;
	struct status status;
	enum twopc_verdict verdicts[RESOLUTIONS_MAX];
	size_t n;
} told;

static void set_up(void)
{
	world_init(&world, "worker");
	worker = (struct worker){ .db = &world.db.db,
				  .metrics = world.work_metrics };
	fake_record_attach(&record, &world.db, WORKER_STORE_TWOPC);
	call = ctx_new(world.root, CLOCK_NEVER);
	told.answers = 0;
}

static void tear_down(void)
{
	ctx_unref(call);
	world_release(&world);
}

static void answer(const struct status *status,
		   const enum twopc_verdict *verdicts, size_t n, void *arg)
{
	ck_assert_ptr_eq(arg, &told);
	told.answers++;
	told.status = *status;
	told.n = n;
	for (size_t i = 0; i < n; i++) {
		told.verdicts[i] = verdicts[i];
	}
}

static void hold(const char *id, enum twopc_row row)
{
	struct payload payload = { 0 };

	payload_make(&payload, id, "held");
	fake_record_set(&record, "c", id, row, payload.bytes, payload.size);
	payload_release(&payload);
}

static void complete_all(void)
{
	while (fake_db_waits(&world.db)) {
		fake_db_complete(&world.db, STATUS_OK, "");
	}
}

START_TEST(each_order_has_its_verdict)
{
	struct resolution *r = resolution_new(&worker, "c", 5);

	hold("1", TWOPC_ROW_PREPARED);
	hold("2", TWOPC_ROW_PREPARED);
	hold("3", TWOPC_ROW_COMMITTED);
	resolution_add(r, "1", TWOPC_ORDER_COMMIT);
	resolution_add(r, "2", TWOPC_ORDER_ROLLBACK);
	resolution_add(r, "3", TWOPC_ORDER_COMMIT);
	resolution_add(r, "4", TWOPC_ORDER_COMMIT);
	resolution_add(r, "1", TWOPC_ORDER_COMMIT);
	resolution_start(r, call, "", answer, &told);
	/* All at once, so that they share a sync. */
	ck_assert_uint_eq(fake_db_waiting(&world.db), 5);
	ck_assert_int_eq(told.answers, 0);
	complete_all();
	ck_assert_int_eq(told.answers, 1);
	ck_assert_int_eq(told.status.code, STATUS_OK);
	ck_assert_uint_eq(told.n, 5);
	ck_assert_int_eq(told.verdicts[0], TWOPC_VERDICT_COMMITTED);
	ck_assert_int_eq(told.verdicts[1], TWOPC_VERDICT_ROLLED_BACK);
	ck_assert_int_eq(told.verdicts[2], TWOPC_VERDICT_COMMITTED);
	ck_assert_int_eq(told.verdicts[3], TWOPC_VERDICT_UNKNOWN);
	ck_assert_int_eq(told.verdicts[4], TWOPC_VERDICT_COMMITTED);
	ck_assert_int_eq(record.inserts, 1);
	ck_assert_str_eq(record.task_id, "1");
	ck_assert(world_logged(&world,
			       "TRANSACTION COMMITTED for task_id=1 "
			       "transaction=1 coordinator=c by=resolver"));
	ck_assert(world_logged(&world,
			       "TRANSACTION ROLLED BACK for transaction=2 "
			       "coordinator=c by=resolver"));
	ck_assert(world_logged(&world, "CONTRADICTION: asked to commit "
				       "transaction=4"));
	ck_assert(world_counted(&world,
				"rescind_resolved_total{outcome=\"committed\","
				"service=\"worker\"}",
				1));
	ck_assert(
		world_counted(&world,
			      "rescind_resolved_total{outcome=\"rolled_back\","
			      "service=\"worker\"}",
			      1));
}
END_TEST

START_TEST(what_is_over_is_sealed_behind_the_orders)
{
	struct resolution *r = resolution_new(&worker, "c", 1);

	hold("1", TWOPC_ROW_PREPARED);
	resolution_add(r, "1", TWOPC_ORDER_COMMIT);
	resolution_start(r, call, "5", answer, &told);
	fake_db_complete(&world.db, STATUS_OK, "");
	ck_assert_int_eq(told.answers, 0);
	ck_assert_str_eq(record.below, "");
	fake_db_complete(&world.db, STATUS_OK, "");
	ck_assert_int_eq(told.answers, 1);
	ck_assert_int_eq(told.status.code, STATUS_OK);
	ck_assert_str_eq(record.below, "5");
	ck_assert_int_eq(told.verdicts[0], TWOPC_VERDICT_COMMITTED);
}
END_TEST

START_TEST(a_seal_may_come_alone)
{
	struct resolution *r = resolution_new(&worker, "c", 0);

	resolution_start(r, call, "5", answer, &told);
	complete_all();
	ck_assert_int_eq(told.answers, 1);
	ck_assert_str_eq(record.below, "5");
	ck_assert_uint_eq(told.n, 0);
}
END_TEST

START_TEST(nothing_at_all_is_answered_at_once)
{
	struct resolution *r = resolution_new(&worker, "c", 0);

	resolution_start(r, call, "", answer, &told);
	ck_assert_int_eq(told.answers, 1);
	ck_assert_int_eq(told.status.code, STATUS_OK);
}
END_TEST

START_TEST(a_seal_that_fails_is_told)
{
	struct resolution *r = resolution_new(&worker, "c", 0);

	resolution_start(r, call, "5", answer, &told);
	fake_db_complete(&world.db, STATUS_UNAVAILABLE, "no disk");
	ck_assert_int_eq(told.answers, 1);
	ck_assert_int_eq(told.status.code, STATUS_UNAVAILABLE);
}
END_TEST

START_TEST(a_caller_that_leaves_ends_what_waits)
{
	struct resolution *r = resolution_new(&worker, "c", 2);

	hold("1", TWOPC_ROW_PREPARED);
	hold("2", TWOPC_ROW_PREPARED);
	resolution_add(r, "1", TWOPC_ORDER_COMMIT);
	resolution_add(r, "2", TWOPC_ORDER_COMMIT);
	resolution_start(r, call, "", answer, &told);
	fake_db_complete(&world.db, STATUS_OK, "");
	ctx_end(call, CTX_CALLER_CANCELLED, NULL);
	fake_db_refuse_ended(&world.db);
	ck_assert_int_eq(told.answers, 1);
	ck_assert_int_eq(told.verdicts[0], TWOPC_VERDICT_COMMITTED);
	ck_assert_int_eq(told.verdicts[1], TWOPC_VERDICT_FAILED);
	ck_assert_int_eq(fake_record_get(&record, "c", "2"),
			 TWOPC_ROW_PREPARED);
}
END_TEST

START_TEST(as_many_as_there_may_be)
{
	struct resolution *r = resolution_new(&worker, "c", RESOLUTIONS_MAX);
	char id[16];

	for (int i = 0; i < RESOLUTIONS_MAX; i++) {
		snprintf(id, sizeof(id), "%04d", i);
		hold(id, TWOPC_ROW_PREPARED);
		resolution_add(r, id, TWOPC_ORDER_COMMIT);
	}
	resolution_start(r, call, "", answer, &told);
	complete_all();
	ck_assert_int_eq(told.answers, 1);
	ck_assert_int_eq(record.inserts, RESOLUTIONS_MAX);
	for (int i = 0; i < RESOLUTIONS_MAX; i++) {
		ck_assert_int_eq(told.verdicts[i], TWOPC_VERDICT_COMMITTED);
	}
}
END_TEST

START_TEST(one_that_is_not_started_is_freed)
{
	struct resolution *r = resolution_new(&worker, "c", 1);

	resolution_add(r, "1", TWOPC_ORDER_COMMIT);
	resolution_free(r);
	ck_assert(!fake_db_waits(&world.db));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("resolution");
	TCase *tc = tcase_create("resolution");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_set_timeout(tc, 20);
	tcase_add_test(tc, each_order_has_its_verdict);
	tcase_add_test(tc, what_is_over_is_sealed_behind_the_orders);
	tcase_add_test(tc, a_seal_may_come_alone);
	tcase_add_test(tc, nothing_at_all_is_answered_at_once);
	tcase_add_test(tc, a_seal_that_fails_is_told);
	tcase_add_test(tc, a_caller_that_leaves_ends_what_waits);
	tcase_add_test(tc, as_many_as_there_may_be);
	tcase_add_test(tc, one_that_is_not_started_is_freed);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
