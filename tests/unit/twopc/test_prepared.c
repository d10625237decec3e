/* The participant's record, in a real database. */
#include <stdio.h>
#include <string.h>

#include "store.h"
#include "suite.h"
#include "vfs.h"

#define A "coordinator-a"
#define B "coordinator-b"

static struct store s;

static void setup(void)
{
	fault_vfs_register(false);
	store_init(&s);
}

static void teardown(void)
{
	store_release(&s);
}

static enum twopc_verdict prepare(const char *coordinator, const char *id)
{
	return order(&s, TWOPC_ORDER_PREPARE, coordinator, id);
}

static enum twopc_verdict commit(const char *coordinator, const char *id)
{
	return order(&s, TWOPC_ORDER_COMMIT, coordinator, id);
}

static enum twopc_verdict roll_back(const char *coordinator, const char *id)
{
	return order(&s, TWOPC_ORDER_ROLLBACK, coordinator, id);
}

static int64_t works(void)
{
	return raw_int(&s, "SELECT count(*) FROM work");
}

static int64_t state_of(const char *id)
{
	char sql[256];

	snprintf(sql, sizeof(sql),
		 "SELECT ifnull(max(state), 0) FROM twopc_prepared"
		 " WHERE transaction_id = '%s'",
		 id);
	return raw_int(&s, sql);
}

/* ---- orders -------------------------------------------------------------- */

START_TEST(prepared_work_is_there_but_not_done)
{
	ck_assert_int_eq(prepare(A, "1"), TWOPC_VERDICT_PREPARED);
	ck_assert_int_eq(s.outcome.last.code, STATUS_OK);
	ck_assert_int_eq(state_of("1"), TWOPC_ROW_PREPARED);
	ck_assert_int_eq(works(), 0);
	ck_assert_int_eq(s.applied, 0);
}
END_TEST

START_TEST(a_commit_does_the_work_once)
{
	ck_assert_int_eq(prepare(A, "1"), TWOPC_VERDICT_PREPARED);
	ck_assert_int_eq(commit(A, "1"), TWOPC_VERDICT_COMMITTED);
	ck_assert_int_eq(raw_int(&s, "SELECT count(*) FROM work"
				     " WHERE what = '1'"),
			 1);
	ck_assert_int_eq(raw_int(&s, "SELECT payload IS NULL"
				     " FROM twopc_prepared"),
			 1);
	/* Again, and whatever else comes late. */
	ck_assert_int_eq(commit(A, "1"), TWOPC_VERDICT_COMMITTED);
	ck_assert_int_eq(s.outcome.last.code, STATUS_OK);
	ck_assert_int_eq(prepare(A, "1"), TWOPC_VERDICT_COMMITTED);
	ck_assert_int_eq(roll_back(A, "1"), TWOPC_VERDICT_COMMITTED);
	ck_assert_int_eq(s.outcome.last.code, STATUS_FAILED_PRECONDITION);
	ck_assert_int_eq(s.applied, 1);
	ck_assert_int_eq(works(), 1);
}
END_TEST

START_TEST(a_rollback_leaves_a_tombstone)
{
	ck_assert_int_eq(prepare(A, "1"), TWOPC_VERDICT_PREPARED);
	ck_assert_int_eq(prepare(A, "1"), TWOPC_VERDICT_PREPARED);
	ck_assert_int_eq(roll_back(A, "1"), TWOPC_VERDICT_ROLLED_BACK);
	ck_assert_int_eq(state_of("1"), TWOPC_ROW_ROLLED_BACK);
	ck_assert_int_eq(roll_back(A, "1"), TWOPC_VERDICT_ROLLED_BACK);
	ck_assert_int_eq(s.outcome.last.code, STATUS_OK);
	ck_assert_int_eq(prepare(A, "1"), TWOPC_VERDICT_ROLLED_BACK);
	ck_assert_int_eq(s.outcome.last.code, STATUS_ABORTED);
	ck_assert_int_eq(commit(A, "1"), TWOPC_VERDICT_ROLLED_BACK);
	ck_assert_int_eq(s.outcome.last.code, STATUS_FAILED_PRECONDITION);
	ck_assert_int_eq(works(), 0);
}
END_TEST

START_TEST(it_is_told_what_an_order_has_changed)
{
	(void)prepare(A, "1");
	ck_assert_int_eq(s.effect, TWOPC_EFFECT_ADD_PREPARED);
	(void)prepare(A, "1");
	ck_assert_int_eq(s.effect, TWOPC_EFFECT_NONE);
	s.refuse_with = STATUS_INTERNAL;
	(void)commit(A, "1");
	ck_assert_int_eq(s.effect, TWOPC_EFFECT_NONE);
	s.refuse_with = STATUS_OK;
	(void)commit(A, "1");
	ck_assert_int_eq(s.effect, TWOPC_EFFECT_APPLY);
	(void)commit(A, "1");
	ck_assert_int_eq(s.effect, TWOPC_EFFECT_NONE);
	(void)roll_back(A, "2");
	ck_assert_int_eq(s.effect, TWOPC_EFFECT_ADD_ROLLED_BACK);
	(void)prepare(A, "3");
	(void)roll_back(A, "3");
	ck_assert_int_eq(s.effect, TWOPC_EFFECT_UNDO);
	(void)roll_back(A, "3");
	ck_assert_int_eq(s.effect, TWOPC_EFFECT_NONE);
}
END_TEST

START_TEST(a_rollback_that_comes_first_refuses_the_prepare)
{
	ck_assert_int_eq(roll_back(A, "1"), TWOPC_VERDICT_ROLLED_BACK);
	ck_assert_int_eq(prepare(A, "1"), TWOPC_VERDICT_ROLLED_BACK);
	ck_assert_int_eq(state_of("1"), TWOPC_ROW_ROLLED_BACK);
}
END_TEST

START_TEST(a_commit_of_what_is_unknown_is_an_error)
{
	ck_assert_int_eq(commit(A, "1"), TWOPC_VERDICT_UNKNOWN);
	ck_assert_int_eq(s.outcome.last.code, STATUS_NOT_FOUND);
	ck_assert_ptr_nonnull(strstr(s.outcome.last.message, "transaction 1"));
	ck_assert_int_eq(state_of("1"), TWOPC_ROW_NONE);
	ck_assert_int_eq(works(), 0);
}
END_TEST

START_TEST(coordinators_do_not_see_each_other)
{
	ck_assert_int_eq(prepare(A, "1"), TWOPC_VERDICT_PREPARED);
	ck_assert_int_eq(commit(B, "1"), TWOPC_VERDICT_UNKNOWN);
	ck_assert_int_eq(roll_back(B, "1"), TWOPC_VERDICT_ROLLED_BACK);
	ck_assert_int_eq(commit(A, "1"), TWOPC_VERDICT_COMMITTED);
	ck_assert_int_eq(works(), 1);
}
END_TEST

/* The apply function's rows and the mark stand or fall together. */
START_TEST(work_that_is_refused_stays_prepared)
{
	ck_assert_int_eq(prepare(A, "1"), TWOPC_VERDICT_PREPARED);
	s.refuse_with = STATUS_RESOURCE_EXHAUSTED;
	ck_assert_int_eq(commit(A, "1"), TWOPC_VERDICT_FAILED);
	ck_assert_int_eq(s.outcome.last.code, STATUS_RESOURCE_EXHAUSTED);
	ck_assert_int_eq(s.applied, 1);
	ck_assert_int_eq(works(), 0);
	ck_assert_int_eq(state_of("1"), TWOPC_ROW_PREPARED);
	s.refuse_with = STATUS_OK;
	ck_assert_int_eq(commit(A, "1"), TWOPC_VERDICT_COMMITTED);
	ck_assert_int_eq(works(), 1);
}
END_TEST

START_TEST(what_is_prepared_outlives_the_process)
{
	ck_assert_int_eq(prepare(A, "1"), TWOPC_VERDICT_PREPARED);
	ck_assert_int_eq(prepare(A, "2"), TWOPC_VERDICT_PREPARED);
	ck_assert_int_eq(commit(A, "2"), TWOPC_VERDICT_COMMITTED);
	store_close(&s);
	store_open(&s);
	ck_assert_int_eq(commit(A, "1"), TWOPC_VERDICT_COMMITTED);
	ck_assert_int_eq(commit(A, "2"), TWOPC_VERDICT_COMMITTED);
	ck_assert_int_eq(works(), 2);
}
END_TEST

START_TEST(an_order_whose_ctx_has_ended_is_not_carried_out)
{
	struct ctx *root = s.root;
	struct status why = status_make(STATUS_CANCELLED, "left");

	s.root = ctx_new(root, CLOCK_NEVER);
	ctx_end(s.root, CTX_CLIENT_RESET, &why);
	ck_assert_int_eq(prepare(A, "1"), TWOPC_VERDICT_FAILED);
	ck_assert_int_eq(s.outcome.last.code, STATUS_CANCELLED);
	ck_assert_int_eq(state_of("1"), TWOPC_ROW_NONE);
	ctx_unref(s.root);
	s.root = root;
}
END_TEST

START_TEST(names_are_checked)
{
	char name[TWOPC_NAME_SIZE_MAX + 2];

	memset(name, 'x', sizeof(name));
	name[TWOPC_NAME_SIZE_MAX + 1] = '\0';
	ck_assert_int_eq(prepare(A, name), TWOPC_VERDICT_FAILED);
	ck_assert_int_eq(s.outcome.last.code, STATUS_INVALID_ARGUMENT);
	ck_assert_int_eq(prepare(name, "1"), TWOPC_VERDICT_FAILED);
	ck_assert_int_eq(prepare("", "1"), TWOPC_VERDICT_FAILED);
	ck_assert_int_eq(prepare(A, ""), TWOPC_VERDICT_FAILED);
	ck_assert_int_eq(prepare(A, name + 1), TWOPC_VERDICT_PREPARED);
}
END_TEST

START_TEST(a_state_that_does_not_exist_is_data_loss)
{
	raw_exec(&s, "INSERT INTO twopc_prepared VALUES ('" A "', '1', 9, NULL,"
		     " 0)");
	ck_assert_int_eq(commit(A, "1"), TWOPC_VERDICT_FAILED);
	ck_assert_int_eq(s.outcome.last.code, STATUS_DATA_LOSS);
}
END_TEST

static void on_done(struct twopc_request *request, const struct status *status)
{
	(void)request;
	outcome_done(&s.outcome, status);
}

START_TEST(payloads_are_bytes)
{
	static char big[64 * 1024];
	struct twopc_request request = {
		.order = TWOPC_ORDER_PREPARE,
		.coordinator = A,
		.id = "1",
		.payload = big,
		.payload_size = sizeof(big),
		.done = on_done,
	};

	memset(big, 'b', sizeof(big));
	twopc_prepared_do(&s.prepared, s.root, &request);
	ck_assert_int_eq(outcome_next(&s.outcome), STATUS_OK);
	ck_assert_int_eq(commit(A, "1"), TWOPC_VERDICT_COMMITTED);
	ck_assert_int_eq(raw_int(&s, "SELECT length(what) FROM work"),
			 (int64_t)sizeof(big));
	request.id = "2";
	request.payload = "a\0b";
	request.payload_size = 3;
	twopc_prepared_do(&s.prepared, s.root, &request);
	ck_assert_int_eq(outcome_next(&s.outcome), STATUS_OK);
	ck_assert_int_eq(commit(A, "2"), TWOPC_VERDICT_COMMITTED);
	ck_assert_int_eq(raw_int(&s, "SELECT count(*) FROM work WHERE"
				     " CAST(what AS BLOB) = x'610062'"),
			 1);
	request.id = "3";
	request.payload = "";
	request.payload_size = 0;
	twopc_prepared_do(&s.prepared, s.root, &request);
	ck_assert_int_eq(outcome_next(&s.outcome), STATUS_OK);
	ck_assert_int_eq(commit(A, "3"), TWOPC_VERDICT_COMMITTED);
	ck_assert_int_eq(raw_int(&s, "SELECT count(*) FROM work"
				     " WHERE what = ''"),
			 1);
}
END_TEST

/* Orders of one transaction at once, whichever comes first. */
START_TEST(orders_at_once_come_to_one_outcome)
{
	enum { TRANSACTIONS = 40 };
	struct twopc_request requests[TRANSACTIONS][3];
	char ids[TRANSACTIONS][8];
	int64_t committed;

	for (int i = 0; i < TRANSACTIONS; i++) {
		snprintf(ids[i], sizeof(ids[i]), "%03d", i);
		ck_assert_int_eq(prepare(A, ids[i]), TWOPC_VERDICT_PREPARED);
	}
	for (int i = 0; i < TRANSACTIONS; i++) {
		for (int order = 0; order < 3; order++) {
			requests[i][order] = (struct twopc_request){
				.order = (enum twopc_order)((order + i) % 3),
				.coordinator = A,
				.id = ids[i],
				.payload = "",
				.done = on_done,
			};
			twopc_prepared_do(&s.prepared, s.root,
					  &requests[i][order]);
		}
	}
	(void)outcome_wait(&s.outcome, 3 * TRANSACTIONS);
	committed = raw_int(&s, "SELECT count(*) FROM twopc_prepared"
				" WHERE state = 2");
	ck_assert_int_eq(works(), committed);
	ck_assert_int_gt(committed, 0);
	ck_assert_int_lt(committed, TRANSACTIONS);
	for (int i = 0; i < TRANSACTIONS; i++) {
		enum twopc_verdict last = requests[i][2].verdict;

		ck_assert(last == TWOPC_VERDICT_COMMITTED ||
			  last == TWOPC_VERDICT_ROLLED_BACK);
		ck_assert_int_eq(roll_back(A, ids[i]), last);
	}
}
END_TEST

/*
 * Rolled back, then a commit that is refused for it, in one group that does not
 * get to the disk: neither is true, so neither may be said.
 */
START_TEST(what_a_failed_group_found_is_not_told)
{
	struct twopc_request requests[2] = {
		{ .order = TWOPC_ORDER_ROLLBACK,
		  .coordinator = A,
		  .id = "1",
		  .done = on_done },
		{ .order = TWOPC_ORDER_COMMIT,
		  .coordinator = A,
		  .id = "1",
		  .done = on_done },
	};

	store_close(&s);
	s.options.vfs = FAULT_VFS;
	store_open(&s);
	ck_assert_int_eq(prepare(A, "1"), TWOPC_VERDICT_PREPARED);
	raw_exec(&s, "BEGIN IMMEDIATE"); /* so that they form a group */
	twopc_prepared_do(&s.prepared, s.root, &requests[0]);
	twopc_prepared_do(&s.prepared, s.root, &requests[1]);
	fault_arm("vfs.write", 1, SQLITE_FULL, true);
	raw_exec(&s, "ROLLBACK");
	(void)outcome_wait(&s.outcome, 2);
	fault_disarm();
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(requests[i].verdict, TWOPC_VERDICT_FAILED);
	}
	ck_assert_int_eq(s.outcome.last.code, STATUS_RESOURCE_EXHAUSTED);
	ck_assert_int_eq(commit(A, "1"), TWOPC_VERDICT_COMMITTED);
	ck_assert_int_eq(works(), 1);
}
END_TEST

/* ---- sealing ------------------------------------------------------------- */

static void on_sealed(struct twopc_seal *seal, const struct status *status)
{
	(void)seal;
	outcome_done(&s.outcome, status);
}

static int64_t seal(const char *coordinator, const char *bound)
{
	struct twopc_seal seal = { .coordinator = coordinator,
				   .over_below = bound,
				   .done = on_sealed };

	twopc_prepared_seal(&s.prepared, s.root, &seal);
	ck_assert_int_eq(outcome_next(&s.outcome), STATUS_OK);
	return seal.dropped;
}

START_TEST(what_is_over_is_dropped_and_never_comes_back)
{
	(void)prepare(A, "1");
	(void)commit(A, "1");
	(void)roll_back(A, "2");
	(void)prepare(A, "3");
	(void)prepare(A, "4");
	(void)commit(A, "4");
	(void)prepare(B, "1");
	(void)commit(B, "1");
	ck_assert_int_eq(seal(A, "4"), 2);
	ck_assert_int_eq(commit(A, "1"), TWOPC_VERDICT_UNKNOWN);
	ck_assert_int_eq(s.outcome.last.code, STATUS_NOT_FOUND);
	ck_assert_int_eq(prepare(A, "1"), TWOPC_VERDICT_UNKNOWN);
	ck_assert_int_eq(s.outcome.last.code, STATUS_FAILED_PRECONDITION);
	ck_assert_int_eq(roll_back(A, "2"), TWOPC_VERDICT_UNKNOWN);
	ck_assert_int_eq(s.outcome.last.code, STATUS_OK);
	/* What is prepared stays, and what is above, and what is another's. */
	ck_assert_int_eq(commit(A, "3"), TWOPC_VERDICT_COMMITTED);
	ck_assert_int_eq(commit(A, "4"), TWOPC_VERDICT_COMMITTED);
	ck_assert_int_eq(prepare(A, "5"), TWOPC_VERDICT_PREPARED);
	ck_assert_int_eq(commit(B, "1"), TWOPC_VERDICT_COMMITTED);
	ck_assert_int_eq(works(), 4);
}
END_TEST

START_TEST(a_bound_never_goes_back)
{
	ck_assert_int_eq(seal(A, "5"), 0);
	ck_assert_int_eq(seal(A, "3"), 0);
	ck_assert_int_eq(prepare(A, "4"), TWOPC_VERDICT_UNKNOWN);
	ck_assert_int_eq(prepare(A, "5"), TWOPC_VERDICT_PREPARED);
}
END_TEST

START_TEST(what_is_over_leaves_no_tombstone)
{
	(void)prepare(A, "1");
	ck_assert_int_eq(seal(A, "5"), 0);
	ck_assert_int_eq(roll_back(A, "1"), TWOPC_VERDICT_ROLLED_BACK);
	ck_assert_int_eq(state_of("1"), TWOPC_ROW_NONE);
	ck_assert_int_eq(roll_back(A, "1"), TWOPC_VERDICT_UNKNOWN);
	ck_assert_int_eq(s.outcome.last.code, STATUS_OK);
	ck_assert_int_eq(works(), 0);
}
END_TEST

START_TEST(a_late_bound_drops_nothing_above_itself)
{
	ck_assert_int_eq(seal(A, "5"), 0);
	(void)roll_back(A, "6");
	ck_assert_int_eq(seal(A, "3"), 0);
	ck_assert_int_eq(state_of("6"), TWOPC_ROW_ROLLED_BACK);
}
END_TEST

START_TEST(many_rows_are_dropped_in_steps)
{
	raw_exec(&s, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL"
		     " SELECT i + 1 FROM n WHERE i < 1000)"
		     " INSERT INTO twopc_prepared"
		     " SELECT '" A "', printf('%06d', i), 2 + i % 2, NULL, 0"
		     " FROM n");
	ck_assert_int_eq(seal(A, "000513"), 512);
	ck_assert_int_eq(seal(A, "9"), 488);
	ck_assert_int_eq(raw_int(&s, "SELECT count(*) FROM twopc_prepared"), 0);
}
END_TEST

START_TEST(a_bound_without_a_name_is_refused)
{
	struct twopc_seal bad = { .coordinator = A,
				  .over_below = "",
				  .done = on_sealed };

	twopc_prepared_seal(&s.prepared, s.root, &bad);
	ck_assert_int_eq(outcome_next(&s.outcome), STATUS_INVALID_ARGUMENT);
}
END_TEST

/* ---- expiry -------------------------------------------------------------- */

static void on_expired(struct twopc_expiry *expiry, const struct status *status)
{
	(void)expiry;
	outcome_done(&s.outcome, status);
}

static int64_t expire(int64_t now_ms)
{
	struct twopc_expiry expiry = { .now_ms = now_ms, .done = on_expired };

	twopc_prepared_expire(&s.prepared, s.root, &expiry);
	ck_assert_int_eq(outcome_next(&s.outcome), STATUS_OK);
	return expiry.dropped;
}

START_TEST(only_tombstones_expire)
{
	const int64_t age_ms = TWOPC_TOMBSTONE_MS;

	raw_exec(&s, "INSERT INTO twopc_prepared VALUES"
		     " ('" A "', '1', 1, x'61', 1000),"
		     " ('" A "', '2', 2, NULL, 1000),"
		     " ('" A "', '3', 3, NULL, 1000),"
		     " ('" A "', '4', 3, NULL, 2000)");
	ck_assert_int_eq(expire(1000 + age_ms), 0);
	ck_assert_int_eq(expire(1001 + age_ms), 1);
	ck_assert_int_eq(state_of("3"), TWOPC_ROW_NONE);
	ck_assert_int_eq(expire(INT64_C(1) << 40), 1);
	ck_assert_int_eq(state_of("1"), TWOPC_ROW_PREPARED);
	ck_assert_int_eq(state_of("2"), TWOPC_ROW_COMMITTED);
}
END_TEST

START_TEST(bounds_of_coordinators_long_silent_expire)
{
	raw_exec(&s, "INSERT INTO twopc_over VALUES ('" A "', '5', 1000),"
		     " ('" B "', '5', 1000)");
	raw_exec(&s, "INSERT INTO twopc_prepared VALUES"
		     " ('" B "', '1', 1, x'61', 1000)");
	ck_assert_int_eq(expire(1000 + TWOPC_SEAL_MS), 0);
	ck_assert_int_eq(expire(1001 + TWOPC_SEAL_MS), 1);
	ck_assert_int_eq(raw_int(&s, "SELECT count(*) FROM twopc_over"
				     " WHERE coordinator = '" B "'"),
			 1);
}
END_TEST

/* ---- looking ------------------------------------------------------------- */

static void on_listed(struct twopc_listing *listing,
		      const struct status *status)
{
	(void)listing;
	outcome_done(&s.outcome, status);
}

static struct twopc_prepared_row rows[3];

static struct twopc_listing list(const char *coordinator, bool in_doubt_only,
				 const char *after_coordinator,
				 const char *after_id)
{
	struct twopc_listing listing = {
		.coordinator = coordinator,
		.in_doubt_only = in_doubt_only,
		.after_coordinator = after_coordinator,
		.after_id = after_id,
		.rows = rows,
		.rows_max = 3,
		.done = on_listed,
	};

	memset(rows, 0, sizeof(rows));
	twopc_prepared_list(&s.prepared, s.root, &listing);
	ck_assert_int_eq(outcome_next(&s.outcome), STATUS_OK);
	return listing;
}

static void fill_with_some(void)
{
	(void)prepare(A, "1");
	(void)prepare(A, "2");
	(void)commit(A, "2");
	(void)prepare(A, "3");
	(void)roll_back(A, "3");
	(void)prepare(A, "4");
	(void)prepare(A, "5");
	(void)prepare(A, "6");
	(void)prepare(B, "1");
}

START_TEST(a_coordinators_doubts_are_listed_in_pages)
{
	struct twopc_listing listing;

	fill_with_some();
	listing = list(A, true, "", "");
	ck_assert_uint_eq(listing.rows_n, 3);
	ck_assert(listing.more);
	ck_assert_str_eq(rows[0].id, "1");
	ck_assert_str_eq(rows[1].id, "4");
	ck_assert_str_eq(rows[2].id, "5");
	ck_assert_str_eq(rows[2].coordinator, A);
	ck_assert_int_eq(rows[2].row, TWOPC_ROW_PREPARED);
	ck_assert_int_gt(rows[2].changed_ms, INT64_C(1600000000000));
	listing = list(A, true, "", "5");
	ck_assert_uint_eq(listing.rows_n, 1);
	ck_assert(!listing.more);
	ck_assert_str_eq(rows[0].id, "6");
	listing = list(B, true, "", "");
	ck_assert_uint_eq(listing.rows_n, 1);
	ck_assert_str_eq(rows[0].coordinator, B);
	listing = list("nobody", true, "", "");
	ck_assert_uint_eq(listing.rows_n, 0);
}
END_TEST

START_TEST(everything_is_listed_in_pages)
{
	struct twopc_listing listing;

	fill_with_some();
	listing = list("", false, "", "");
	ck_assert(listing.more);
	ck_assert_int_eq(rows[1].row, TWOPC_ROW_COMMITTED);
	ck_assert_int_eq(rows[2].row, TWOPC_ROW_ROLLED_BACK);
	listing = list("", false, A, "5");
	ck_assert_uint_eq(listing.rows_n, 2);
	ck_assert(!listing.more);
	ck_assert_str_eq(rows[0].id, "6");
	ck_assert_str_eq(rows[1].coordinator, B);
	listing = list("", true, A, "6");
	ck_assert_uint_eq(listing.rows_n, 1);
	ck_assert_str_eq(rows[0].coordinator, B);
}
END_TEST

static void on_summarized(struct twopc_summary *summary,
			  const struct status *status)
{
	(void)summary;
	outcome_done(&s.outcome, status);
}

START_TEST(the_summary_counts_what_is_in_doubt)
{
	struct twopc_summary summary = { .done = on_summarized };

	twopc_prepared_summarize(&s.prepared, s.root, &summary);
	ck_assert_int_eq(outcome_next(&s.outcome), STATUS_OK);
	ck_assert_int_eq(summary.in_doubt, 0);
	ck_assert_int_eq(summary.oldest_ms, 0);
	raw_exec(&s, "INSERT INTO twopc_prepared VALUES"
		     " ('" A "', '1', 1, x'61', 1000),"
		     " ('" A "', '2', 2, NULL, 500),"
		     " ('" B "', '3', 1, x'61', 900)");
	twopc_prepared_summarize(&s.prepared, s.root, &summary);
	ck_assert_int_eq(outcome_next(&s.outcome), STATUS_OK);
	ck_assert_int_eq(summary.in_doubt, 2);
	ck_assert_int_eq(summary.oldest_ms, 900);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("prepared");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, prepared_work_is_there_but_not_done);
	tcase_add_test(tc, a_commit_does_the_work_once);
	tcase_add_test(tc, a_rollback_leaves_a_tombstone);
	tcase_add_test(tc, it_is_told_what_an_order_has_changed);
	tcase_add_test(tc, a_rollback_that_comes_first_refuses_the_prepare);
	tcase_add_test(tc, a_commit_of_what_is_unknown_is_an_error);
	tcase_add_test(tc, coordinators_do_not_see_each_other);
	tcase_add_test(tc, work_that_is_refused_stays_prepared);
	tcase_add_test(tc, what_is_prepared_outlives_the_process);
	tcase_add_test(tc, an_order_whose_ctx_has_ended_is_not_carried_out);
	tcase_add_test(tc, names_are_checked);
	tcase_add_test(tc, a_state_that_does_not_exist_is_data_loss);
	tcase_add_test(tc, payloads_are_bytes);
	tcase_add_test(tc, orders_at_once_come_to_one_outcome);
	tcase_add_test(tc, what_a_failed_group_found_is_not_told);
	tcase_add_test(tc, what_is_over_is_dropped_and_never_comes_back);
	tcase_add_test(tc, a_bound_never_goes_back);
	tcase_add_test(tc, what_is_over_leaves_no_tombstone);
	tcase_add_test(tc, a_late_bound_drops_nothing_above_itself);
	tcase_add_test(tc, many_rows_are_dropped_in_steps);
	tcase_add_test(tc, a_bound_without_a_name_is_refused);
	tcase_add_test(tc, only_tombstones_expire);
	tcase_add_test(tc, bounds_of_coordinators_long_silent_expire);
	tcase_add_test(tc, a_coordinators_doubts_are_listed_in_pages);
	tcase_add_test(tc, everything_is_listed_in_pages);
	tcase_add_test(tc, the_summary_counts_what_is_in_doubt);
	return suite_run("twopc prepared", tc);
}
