/* Immediate transactions and reads. */
#include <check.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "fixture.h"
#include "suite.h"

static struct fixture f;
static struct ctx *ctx;

/* What bodies work with, and their completion. */
struct run {
	struct outcome outcome; /* first */
	int64_t count, changes;
	char note[32];
	size_t note_size;
	enum status_code refuse_with;
	atomic_bool began;
	struct status inner;
};

static void setup(void)
{
	memset(&f, 0, sizeof(f));
	fixture_open(&f);
	ctx = open_ctx(&f);
}

static void teardown(void)
{
	ctx_unref(ctx);
	fixture_release(&f);
}

static void run_init(struct run *run)
{
	memset(run, 0, sizeof(*run));
	outcome_init(&run->outcome);
}

static bool take_count(const struct db_row *row, void *arg)
{
	struct run *run = arg;

	run->count = db_row_integer(row, 0);
	return true;
}

static bool take_note(const struct db_row *row, void *arg)
{
	struct run *run = arg;

	ck_assert(!db_row_is_null(row, 1));
	snprintf(run->note, sizeof(run->note), "%s",
		 db_row_text(row, 0, &run->note_size));
	return true;
}

/* ---- bodies ------------------------------------------------------------- */

static enum status_code count_items(struct db_session *session, void *arg,
				    struct status *reterr)
{
	return db_exec(session, COUNT_ITEMS, NULL, 0, take_count, arg, NULL,
		       reterr);
}

/* Insert "b", rename the note of "a", see both, and do as told. */
static enum status_code change(struct db_session *session, void *arg,
			       struct status *reterr)
{
	const struct db_value b[] = { db_text("b"), db_null() };
	const struct db_value set[] = { db_text("changed"), db_text("a") };
	struct run *run = arg;

	if (db_exec(session, INSERT_ITEM, b, 2, NULL, NULL, NULL, reterr) !=
		    STATUS_OK ||
	    db_exec(session, SET_NOTE, set, 2, NULL, NULL, &run->changes,
		    reterr) != STATUS_OK ||
	    db_exec(session, NOTE_OF_ITEM, &set[1], 1, take_note, run, NULL,
		    reterr) != STATUS_OK ||
	    count_items(session, run, reterr) != STATUS_OK) {
		return reterr->code;
	}
	if (run->refuse_with != STATUS_OK) {
		return status_set(reterr, run->refuse_with, "as told");
	}
	return STATUS_OK;
}

/* Insert an item that is there; swallow the error and insert another. */
static enum status_code insert_in_spite(struct db_session *session, void *arg,
					struct status *reterr)
{
	const struct db_value a[] = { db_text("a"), db_null() };
	const struct db_value b[] = { db_text("b"), db_null() };
	struct run *run = arg;

	if (db_exec(session, INSERT_ITEM, a, 2, NULL, NULL, NULL,
		    &run->inner) == STATUS_OK) {
		return status_set(reterr, STATUS_INTERNAL, "no conflict");
	}
	return db_exec(session, INSERT_ITEM, b, 2, NULL, NULL, NULL, reterr);
}

static enum status_code delete_item(struct db_session *session, void *arg,
				    struct status *reterr)
{
	const struct db_value a[] = { db_text("a") };

	return db_exec(session, DELETE_ITEM, a, 1, NULL, NULL,
		       &((struct run *)arg)->changes, reterr);
}

static enum status_code count_forever(struct db_session *session, void *arg,
				      struct status *reterr)
{
	struct run *run = arg;

	atomic_store(&run->began, true);
	return db_exec(session, COUNT_FOREVER, NULL, 0, NULL, NULL, NULL,
		       reterr);
}

static enum status_code mark(struct db_session *session, void *arg,
			     struct status *reterr)
{
	(void)session;
	(void)reterr;
	atomic_store(&((struct run *)arg)->began, true);
	return STATUS_OK;
}

/* ---- immediate ---------------------------------------------------------- */

START_TEST(a_body_sees_and_changes_the_file)
{
	struct run run;

	run_init(&run);
	ck_assert_int_eq(commit_item(&f, "a", NULL), STATUS_OK);
	db_immediate(f.db, ctx, change, outcome_done, &run);
	ck_assert_int_eq(outcome_wait(&run.outcome, 1), STATUS_OK);
	ck_assert_int_eq(run.changes, 1);
	ck_assert_str_eq(run.note, "changed");
	ck_assert_uint_eq(run.note_size, strlen("changed"));
	ck_assert_int_eq(run.count, 2);
	ck_assert_int_eq(raw_int(&f, "SELECT count(*) FROM items"
				     " WHERE note = 'changed'"),
			 1);
}
END_TEST

START_TEST(a_body_that_refuses_undoes_itself_alone)
{
	struct db_stats stats;
	struct outcome other;
	struct run run;

	run_init(&run);
	outcome_init(&other);
	run.refuse_with = STATUS_ABORTED;
	ck_assert_int_eq(commit_item(&f, "a", NULL), STATUS_OK);
	raw_exec(&f, "BEGIN IMMEDIATE");
	db_txn_commit(stage_item(&f, ctx, "c"), outcome_done, &other);
	db_immediate(f.db, ctx, change, outcome_done, &run);
	raw_exec(&f, "COMMIT");
	ck_assert_int_eq(outcome_wait(&run.outcome, 1), STATUS_ABORTED);
	ck_assert_str_eq(run.outcome.last.message, "as told");
	ck_assert_int_eq(outcome_wait(&other, 1), STATUS_OK);
	ck_assert_int_eq(raw_int(&f, "SELECT count(*) FROM items"
				     " WHERE name IN ('a', 'c')"
				     " AND note = 'note'"),
			 2);
	ck_assert_int_eq(raw_int(&f, "SELECT count(*) FROM items"), 2);
	db_stats(f.db, &stats);
	ck_assert_uint_eq(stats.rolled_back, 1);
	ck_assert_uint_eq(stats.failed, 0);
}
END_TEST

START_TEST(a_body_may_go_on_after_a_conflict)
{
	struct run run;

	run_init(&run);
	ck_assert_int_eq(commit_item(&f, "a", NULL), STATUS_OK);
	db_immediate(f.db, ctx, insert_in_spite, outcome_done, &run);
	ck_assert_int_eq(outcome_wait(&run.outcome, 1), STATUS_OK);
	ck_assert_int_eq(run.inner.code, STATUS_ALREADY_EXISTS);
	ck_assert_int_eq(raw_int(&f, "SELECT count(*) FROM items"), 2);
}
END_TEST

START_TEST(a_body_whose_ctx_has_ended_is_not_run)
{
	struct run run;

	run_init(&run);
	ctx_end(ctx, CTX_DEADLINE, NULL);
	db_immediate(f.db, ctx, mark, outcome_done, &run);
	ck_assert_int_eq(outcome_wait(&run.outcome, 1),
			 STATUS_DEADLINE_EXCEEDED);
	ck_assert(!atomic_load(&run.began));
}
END_TEST

START_TEST(the_end_takes_a_body_out_of_a_locked_queue)
{
	struct run run;

	run_init(&run);
	raw_exec(&f, "BEGIN IMMEDIATE");
	db_immediate(f.db, ctx, mark, outcome_done, &run);
	ctx_end(ctx, CTX_CALLER_CANCELLED, NULL);
	ck_assert_int_eq(outcome_wait(&run.outcome, 1), STATUS_CANCELLED);
	raw_exec(&f, "COMMIT");
	ck_assert(!atomic_load(&run.began));
}
END_TEST

START_TEST(deleting_what_children_need_fails_alone)
{
	struct run run;

	run_init(&run);
	raw_exec(&f, "INSERT INTO items (name) VALUES ('a');"
		     "INSERT INTO children VALUES ('a')");
	db_immediate(f.db, ctx, delete_item, outcome_done, &run);
	ck_assert_int_eq(outcome_wait(&run.outcome, 1),
			 STATUS_FAILED_PRECONDITION);
	ck_assert_int_eq(run.changes, 1);
	ck_assert_int_eq(raw_int(&f, "SELECT count(*) FROM items"), 1);
}
END_TEST

/* ---- reads -------------------------------------------------------------- */

START_TEST(a_read_sees_what_was_committed_before)
{
	struct run run;

	for (int i = 0; i < 100; i++) {
		char name[16];

		snprintf(name, sizeof(name), "n%d", i);
		ck_assert_int_eq(commit_item(&f, name, NULL), STATUS_OK);
		run_init(&run);
		db_read(f.db, ctx, count_items, outcome_done, &run);
		ck_assert_int_eq(outcome_wait(&run.outcome, 1), STATUS_OK);
		ck_assert_int_eq(run.count, i + 1);
	}
}
END_TEST

START_TEST(a_read_goes_on_while_another_program_writes)
{
	struct run run;

	run_init(&run);
	raw_exec(&f, "BEGIN IMMEDIATE; INSERT INTO items (name) VALUES ('a')");
	db_read(f.db, ctx, count_items, outcome_done, &run);
	ck_assert_int_eq(outcome_wait(&run.outcome, 1), STATUS_OK);
	ck_assert_int_eq(run.count, 0);
	raw_exec(&f, "COMMIT");
}
END_TEST

START_TEST(a_read_that_writes_is_refused)
{
	struct run run;

	run_init(&run);
	db_read(f.db, ctx, delete_item, outcome_done, &run);
	ck_assert_int_eq(outcome_wait(&run.outcome, 1),
			 STATUS_FAILED_PRECONDITION);
}
END_TEST

START_TEST(a_long_read_is_cut_when_its_ctx_ends)
{
	struct ctx *doomed = open_ctx(&f);
	struct run run, next;

	run_init(&run);
	run_init(&next);
	db_read(f.db, doomed, count_forever, outcome_done, &run);
	while (!atomic_load(&run.began)) {
		sched_yield();
	}
	db_read(f.db, ctx, count_items, outcome_done, &next);
	ctx_end(doomed, CTX_CLIENT_CLOSED, NULL);
	ck_assert_int_eq(outcome_wait(&run.outcome, 1), STATUS_CANCELLED);
	ck_assert_int_eq(outcome_wait(&next.outcome, 1), STATUS_OK);
	ctx_unref(doomed);
}
END_TEST

START_TEST(a_long_read_is_cut_at_its_deadline)
{
	struct ctx *late =
		ctx_new(f.root, clock_now_ns() + 30 * (int64_t)NS_PER_MS);
	struct run run;

	run_init(&run);
	db_read(f.db, late, count_forever, outcome_done, &run);
	ck_assert_int_eq(outcome_wait(&run.outcome, 1),
			 STATUS_DEADLINE_EXCEEDED);
	ctx_unref(late);
}
END_TEST

START_TEST(reads_are_no_transactions_in_the_statistics)
{
	struct db_stats stats;
	struct run run;

	run_init(&run);
	db_read(f.db, ctx, count_items, outcome_done, &run);
	outcome_wait(&run.outcome, 1);
	db_stats(f.db, &stats);
	ck_assert_uint_eq(stats.committed, 0);
	ck_assert_uint_eq(stats.groups, 0);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("bodies");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, a_body_sees_and_changes_the_file);
	tcase_add_test(tc, a_body_that_refuses_undoes_itself_alone);
	tcase_add_test(tc, a_body_may_go_on_after_a_conflict);
	tcase_add_test(tc, a_body_whose_ctx_has_ended_is_not_run);
	tcase_add_test(tc, the_end_takes_a_body_out_of_a_locked_queue);
	tcase_add_test(tc, deleting_what_children_need_fails_alone);
	tcase_add_test(tc, a_read_sees_what_was_committed_before);
	tcase_add_test(tc, a_read_goes_on_while_another_program_writes);
	tcase_add_test(tc, a_read_that_writes_is_refused);
	tcase_add_test(tc, a_long_read_is_cut_when_its_ctx_ends);
	tcase_add_test(tc, a_long_read_is_cut_at_its_deadline);
	tcase_add_test(tc, reads_are_no_transactions_in_the_statistics);
	return suite_run("bodies", tc);
}
