/* Requests under an idempotency key. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scene.h"

static void set_up(void)
{
	scene_set_up(ECHO_TWO_PHASE);
}

/* ---- what is kept: one row ------------------------------------------------
 */

static struct echo_store_outcome row;
static bool has_row;

static enum status_code find_row(void *self, db_stmt stmt,
				 const struct db_value *values, size_t values_n,
				 db_row_fn on_row, void *arg,
				 int64_t *ret_changes, struct status *reterr)
{
	const struct db_value columns[] = { db_text(row.fingerprint),
					    db_text(row.request_id),
					    db_text(row.transaction_id),
					    db_text(row.message) };

	(void)self;
	(void)ret_changes;
	(void)reterr;
	ck_assert_uint_eq(stmt, ECHO_STORE_FIND_KEY);
	ck_assert_uint_eq(values_n, 1);
	if (has_row && values[0].size == strlen(row.key) &&
	    memcmp(values[0].data, row.key, values[0].size) == 0) {
		(void)fake_row(on_row, arg, columns, 4);
	}
	return STATUS_OK;
}

static void keep_row(const char *transaction_id)
{
	row = (struct echo_store_outcome){ .key = "k1",
					   .fingerprint = "f1",
					   .request_id = "r0",
					   .message = "first" };
	snprintf(row.transaction_id, sizeof(row.transaction_id), "%s",
		 transaction_id);
	has_row = true;
}

/* ---- shorthand -------------------------------------------------------------
 */

static void ask(const char *key, const char *print)
{
	const struct exchange_ask what = { .request_id = "r1",
					   .message = "hello" };

	scene_be_sure();
	scene.world.db.exec = find_row;
	keyed_start(&scene.echo, scene.client, &what, key, print, scene_answer,
		    &scene.world.outcome);
}

/* And let the database find what it has. */
static void ask_and_look(const char *key, const char *print)
{
	ask(key, print);
	ck_assert_int_eq(scene.world.db.reads, 1);
	fake_db_complete(&scene.world.db, STATUS_OK, "");
}

static void let_it_commit(void)
{
	fake_worker_say(&scene.worker, TWOPC_VERDICT_PREPARED, "done");
	fake_db_complete(&scene.world.db, STATUS_OK, "");
	fake_worker_say(&scene.worker, TWOPC_VERDICT_COMMITTED, "");
	fake_worker_end(&scene.worker, STATUS_OK, "");
}

/* ---- tests
 * ------------------------------------------------------------------- */

START_TEST(the_first_is_worked_on_and_kept)
{
	ask_and_look("k1", "f1");
	let_it_commit();
	scene_expect(STATUS_OK, "done");
	ck_assert_int_eq(scene.how, HOW_COMMITTED);
	ck_assert_int_eq(scene.world.db.inserted[ECHO_STORE_INSERT_KEY], 1);
	ck_assert(!roster_has(&scene.echo.keys, "k1"));
}
END_TEST

START_TEST(a_repeated_one_is_told_the_first_outcome)
{
	keep_row(SCENE_STEM "-000000000000");
	ask_and_look("k1", "f1");
	ck_assert_int_eq(outcome_answers(&scene.world.outcome), 1);
	ck_assert_int_eq(scene.how, HOW_COMMITTED);
	ck_assert_str_eq(scene.request_id, "r0");
	ck_assert_str_eq(scene.world.outcome.status.message, "first");
	ck_assert_int_eq(scene.world.db.begun, 0);
	ck_assert_int_eq(atomic_load(&scene.worker.calls), 0);
	ck_assert_uint_eq(echo_live(&scene.echo), 0);
}
END_TEST

START_TEST(an_outcome_that_is_not_confirmed_is_told_as_accepted)
{
	static const char id[] = "01935d0a9c40-5f2ac04e91b3d877-000000000007";
	struct status bad;

	pthread_mutex_lock(&scene.keeper.lock);
	ck_assert_int_eq(
		twopc_registry_load(scene.keeper.registry, id, 0, &bad),
		STATUS_OK);
	pthread_mutex_unlock(&scene.keeper.lock);
	keep_row(id);
	ask_and_look("k1", "f1");
	ck_assert_int_eq(scene.how, HOW_ACCEPTED);
	ck_assert_str_eq(scene.request_id, "r0");
}
END_TEST

START_TEST(an_outcome_of_one_phase_is_committed)
{
	keep_row("");
	ask_and_look("k1", "f1");
	ck_assert_int_eq(scene.how, HOW_COMMITTED);
}
END_TEST

START_TEST(another_request_under_the_key_is_refused)
{
	keep_row("");
	ask_and_look("k1", "f2");
	ck_assert_int_eq(scene.how, HOW_KEY_TAKEN);
	ck_assert_int_eq(scene.world.outcome.status.code,
			 STATUS_FAILED_PRECONDITION);
	ck_assert_int_eq(atomic_load(&scene.worker.calls), 0);
}
END_TEST

START_TEST(while_the_first_is_under_way_the_key_is_busy)
{
	ask_and_look("k1", "f1");
	ask("k1", "f1");
	ck_assert_int_eq(scene.how, HOW_KEY_BUSY);
	ck_assert_int_eq(scene.world.outcome.status.code, STATUS_ABORTED);
	ask("k1", "f2");
	ck_assert_int_eq(scene.how, HOW_KEY_TAKEN);
	ck_assert_int_eq(outcome_answers(&scene.world.outcome), 2);
	ck_assert_int_eq(scene.world.db.reads, 1);
	let_it_commit();
	ck_assert_int_eq(scene.how, HOW_COMMITTED);
}
END_TEST

START_TEST(one_that_was_rolled_back_may_be_tried_again)
{
	ask_and_look("k1", "f1");
	fake_worker_end(&scene.worker, STATUS_UNAVAILABLE, "gone");
	ck_assert_int_eq(scene.how, HOW_FAILED);
	ck_assert_int_eq(scene.world.db.inserted[ECHO_STORE_INSERT_KEY], 0);
	ask("k1", "f2");
	fake_db_complete(&scene.world.db, STATUS_OK, "");
	let_it_commit();
	ck_assert_int_eq(scene.how, HOW_COMMITTED);
}
END_TEST

START_TEST(a_client_may_leave_while_the_key_is_looked_up)
{
	ask("k1", "f1");
	ctx_end(scene.client, CTX_CLIENT_CLOSED, NULL);
	fake_db_refuse_ended(&scene.world.db);
	ck_assert_int_eq(scene.how, HOW_FAILED);
	ck_assert_int_eq(scene.world.outcome.status.code, STATUS_CANCELLED);
	scene_expect_rolled_back("client_closed");
	ck_assert(!roster_has(&scene.echo.keys, "k1"));
}
END_TEST

START_TEST(a_look_up_that_fails_is_told)
{
	ask("k1", "f1");
	fake_db_complete(&scene.world.db, STATUS_INTERNAL, "no read");
	ck_assert_int_eq(scene.how, HOW_FAILED);
	ck_assert_str_eq(scene.world.outcome.status.message,
			 "Failed to look up the Idempotency-Key: no read");
	ck_assert_int_eq(atomic_load(&scene.worker.calls), 0);
	ck_assert(!roster_has(&scene.echo.keys, "k1"));
}
END_TEST

START_TEST(keys_are_visible_ascii)
{
	char key[ECHO_KEY_SIZE_MAX + 2];

	memset(key, 'k', sizeof(key));
	key[sizeof(key) - 1] = '\0';
	ck_assert(!keyed_is_key(key));
	key[ECHO_KEY_SIZE_MAX] = '\0';
	ck_assert(keyed_is_key(key));
	ck_assert(keyed_is_key("!~"));
	ck_assert(keyed_is_key("\"8e03978e-40d5-43dd-bc93-6894a57f9324\""));
	ck_assert(!keyed_is_key(""));
	ck_assert(!keyed_is_key("a b"));
	ck_assert(!keyed_is_key("a\t"));
	ck_assert(!keyed_is_key("a\x7f"));
	ck_assert(!keyed_is_key("\xC3\xA4"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("keyed");
	TCase *tc = tcase_create("keyed");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, set_up, scene_tear_down);
	tcase_set_timeout(tc, 20);
	tcase_add_test(tc, the_first_is_worked_on_and_kept);
	tcase_add_test(tc, a_repeated_one_is_told_the_first_outcome);
	tcase_add_test(tc,
		       an_outcome_that_is_not_confirmed_is_told_as_accepted);
	tcase_add_test(tc, an_outcome_of_one_phase_is_committed);
	tcase_add_test(tc, another_request_under_the_key_is_refused);
	tcase_add_test(tc, while_the_first_is_under_way_the_key_is_busy);
	tcase_add_test(tc, one_that_was_rolled_back_may_be_tried_again);
	tcase_add_test(tc, a_client_may_leave_while_the_key_is_looked_up);
	tcase_add_test(tc, a_look_up_that_fails_is_told);
	tcase_add_test(tc, keys_are_visible_ascii);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
