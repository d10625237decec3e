#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "ops/work_metrics.h"
#include "world.h"

static struct world world;

static void set_up(void)
{
	world_init(&world, "worker");
}

static void tear_down(void)
{
	world_release(&world);
}

START_TEST(every_cause_has_its_series)
{
	for (int c = CTX_FINISHED + 1; c < CTX_CAUSE_NR; c++) {
		char series[256];

		work_metrics_rolled_back(world.work_metrics, (enum ctx_cause)c,
					 NS_PER_MS, -1);
		snprintf(series, sizeof(series),
			 "rescind_transactions_total{cause=\"%s\","
			 "outcome=\"rolled_back\",service=\"worker\"}",
			 ctx_cause_name((enum ctx_cause)c));
		ck_assert_msg(world_counted(&world, series, 1), "%s", series);
	}
}
END_TEST

START_TEST(a_rollback_without_a_cause_is_counted_as_ours)
{
	work_metrics_rolled_back(world.work_metrics, CTX_NONE, 1, -1);
	ck_assert(world_counted(&world,
				"rescind_transactions_total{cause=\"internal\","
				"outcome=\"rolled_back\",service=\"worker\"}",
				1));
}
END_TEST

START_TEST(only_ends_from_outside_count_into_the_cancel_histogram)
{
	work_metrics_rolled_back(world.work_metrics, CTX_DATABASE, 1, -1);
	work_metrics_rolled_back(world.work_metrics, CTX_DEADLINE, 1, 0);
	ck_assert(world_counted(&world,
				"rescind_cancel_to_rollback_seconds_count{"
				"service=\"worker\"}",
				1));
	ck_assert(world_counted(&world,
				"rescind_request_duration_seconds_count{"
				"service=\"worker\"}",
				2));
}
END_TEST

START_TEST(a_duration_that_is_not_known_is_not_observed)
{
	work_metrics_committed(world.work_metrics, -1);
	work_metrics_rolled_back(world.work_metrics, CTX_DEADLINE, -1, -1);
	ck_assert(world_counted(&world,
				"rescind_transactions_total{cause=\"finished\","
				"outcome=\"committed\",service=\"worker\"}",
				1));
	ck_assert(world_counted(&world,
				"rescind_request_duration_seconds_count{"
				"service=\"worker\"}",
				0));
}
END_TEST

static double three(void *arg)
{
	(void)arg;
	return 3;
}

START_TEST(doubt_and_its_end_are_shown)
{
	work_metrics_watch_doubt(world.work_metrics, three, three, NULL);
	work_metrics_resolved(world.work_metrics, WORK_COMMITTED);
	work_metrics_resolved(world.work_metrics, WORK_ROLLED_BACK);
	work_metrics_resolved(world.work_metrics, WORK_ROLLED_BACK);
	work_metrics_contradiction(world.work_metrics);
	ck_assert(world_counted(&world, "rescind_in_doubt{service=\"worker\"}",
				3));
	ck_assert(world_counted(&world,
				"rescind_in_doubt_oldest_seconds{"
				"service=\"worker\"}",
				3));
	ck_assert(world_counted(&world,
				"rescind_resolved_total{outcome=\"committed\","
				"service=\"worker\"}",
				1));
	ck_assert(
		world_counted(&world,
			      "rescind_resolved_total{outcome=\"rolled_back\","
			      "service=\"worker\"}",
			      2));
	ck_assert(world_counted(&world,
				"rescind_contradictions_total{"
				"service=\"worker\"}",
				1));
}
END_TEST

START_TEST(responses_are_counted_by_code)
{
	work_metrics_http(world.work_metrics, 499);
	work_metrics_http(world.work_metrics, 418);
	work_metrics_rpc(world.work_metrics, WORK_SERVER, STATUS_CANCELLED);
	ck_assert(world_counted(&world,
				"rescind_http_responses_total{code="
				"\"499\",service=\"worker\"}",
				1));
	ck_assert(world_counted(&world,
				"rescind_http_responses_total{code="
				"\"other\",service=\"worker\"}",
				1));
	ck_assert(world_counted(&world,
				"rescind_rpc_calls_total{code="
				"\"CANCELLED\",service=\"worker\","
				"side=\"server\"}",
				1));
}
END_TEST

START_TEST(the_database_is_shown_as_it_is_when_asked)
{
	work_metrics_watch_db(world.work_metrics, &world.db.db);
	ck_assert(world_counted(&world, "rescind_db_usable{service=\"worker\"}",
				1));
	world.db.health_code = STATUS_UNAVAILABLE;
	ck_assert(world_counted(&world, "rescind_db_usable{service=\"worker\"}",
				0));
}
END_TEST

START_TEST(a_database_that_was_forgotten_is_not_asked)
{
	work_metrics_watch_db(world.work_metrics, &world.db.db);
	work_metrics_forget_db(world.work_metrics);
	work_metrics_forget_db(world.work_metrics);
	world.db.db.ops = NULL;
	ck_assert(world_counted(&world, "rescind_db_usable{service=\"worker\"}",
				0));
	ck_assert(world_counted(
		&world, "rescind_db_groups_total{service=\"worker\"}", 0));
}
END_TEST

START_TEST(what_was_no_transaction_has_its_duration_alone)
{
	work_metrics_answered(world.work_metrics, NS_PER_MS);
	ck_assert(world_counted(&world,
				"rescind_request_duration_seconds_count{"
				"service=\"worker\"}",
				1));
	ck_assert(world_counted(&world,
				"rescind_transactions_total{cause="
				"\"finished\",outcome=\"committed\","
				"service=\"worker\"}",
				0));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("work_metrics");
	TCase *tc = tcase_create("work_metrics");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, every_cause_has_its_series);
	tcase_add_test(tc, a_rollback_without_a_cause_is_counted_as_ours);
	tcase_add_test(tc,
		       only_ends_from_outside_count_into_the_cancel_histogram);
	tcase_add_test(tc, a_duration_that_is_not_known_is_not_observed);
	tcase_add_test(tc, doubt_and_its_end_are_shown);
	tcase_add_test(tc, responses_are_counted_by_code);
	tcase_add_test(tc, the_database_is_shown_as_it_is_when_asked);
	tcase_add_test(tc, a_database_that_was_forgotten_is_not_asked);
	tcase_add_test(tc, what_was_no_transaction_has_its_duration_alone);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
