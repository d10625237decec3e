#include <check.h>
#include <stdio.h>
#include <string.h>

#include "fixture.h"
#include "suite.h"

static struct fixture f;

static void setup(void)
{
	memset(&f, 0, sizeof(f));
	fixture_open(&f);
}

static void teardown(void)
{
	fixture_release(&f);
}

START_TEST(committed_rows_are_in_the_file)
{
	ck_assert_int_eq(commit_item(&f, "a", NULL), STATUS_OK);
	ck_assert_int_eq(raw_int(&f, "SELECT count(*) FROM items"
				     " WHERE name = 'a' AND note = 'note'"),
			 1);
}
END_TEST

START_TEST(open_rows_are_not_in_the_file)
{
	struct ctx *ctx = open_ctx(&f);
	struct db_txn *txn = stage_item(&f, ctx, "a");

	ck_assert_int_eq(raw_int(&f, "SELECT count(*) FROM items"), 0);
	raw_exec(&f, "BEGIN IMMEDIATE; ROLLBACK"); /* it holds no lock */
	db_txn_rollback(txn);
	ctx_unref(ctx);
	ck_assert_int_eq(raw_int(&f, "SELECT count(*) FROM items"), 0);
}
END_TEST

START_TEST(defaults_of_the_image_are_carried_over)
{
	struct ctx *ctx = open_ctx(&f);
	struct outcome o;

	outcome_init(&o);
	db_txn_commit(stage_item(&f, ctx, "a"), outcome_done, &o);
	ck_assert_int_eq(outcome_wait(&o, 1), STATUS_OK);
	ck_assert_int_le(raw_int(&f, "SELECT abs(strftime('%s','now') -"
				     " strftime('%s', created_at)) FROM items"),
			 30);
	ctx_unref(ctx);
}
END_TEST

/* A schema with a trigger, and an index on what it writes. */
START_TEST(triggers_run_once_when_the_rows_are_published)
{
	static const char schema[] =
		"CREATE TABLE IF NOT EXISTS items (id INTEGER PRIMARY KEY,"
		" name TEXT NOT NULL UNIQUE, note TEXT);"
		"CREATE TABLE IF NOT EXISTS log (name TEXT);"
		"CREATE INDEX IF NOT EXISTS \"log's \"\"own\"\"\" ON log "
		"(name);"
		"CREATE TRIGGER IF NOT EXISTS logs AFTER INSERT ON items"
		" BEGIN INSERT INTO log VALUES (NEW.name); END;";
	static const char *const staged[] = { "items", "log", NULL };
	struct fixture g;

	fixture_init(&g);
	g.options.schema = schema;
	g.options.staged_tables = staged;
	g.options.statements_n = INSERT_ITEM + 1;
	fixture_open(&g);
	ck_assert_int_eq(commit_item(&g, "a", NULL), STATUS_OK);
	ck_assert_int_eq(raw_int(&g, "SELECT count(*) FROM log"), 1);
	ck_assert_int_eq(raw_int(&g, "SELECT count(*) FROM sqlite_schema"
				     " WHERE name IN ('logs',"
				     " 'log''s \"own\"')"),
			 2);
	/* A UNIQUE one still checks the rows before they are published. */
	ck_assert_int_eq(commit_item(&g, "a", NULL), STATUS_ALREADY_EXISTS);
	ck_assert_int_eq(raw_int(&g, "SELECT count(*) FROM log"), 1);
	fixture_release(&g);
}
END_TEST

START_TEST(ids_are_given_by_the_file)
{
	raw_exec(&f, "INSERT INTO items (id, name) VALUES (41, 'raw')");
	ck_assert_int_eq(commit_item(&f, "a", NULL), STATUS_OK);
	ck_assert_int_eq(raw_int(&f, "SELECT id FROM items WHERE name = 'a'"),
			 42);
}
END_TEST

START_TEST(rows_of_several_tables_arrive_together)
{
	const struct db_value thing[] = { db_integer(-7), db_real(1.5),
					  db_text_n("x\0y", 3),
					  db_blob("\1\0\2", 3) };
	const struct db_value empty[] = { db_null(), db_null(), db_text(""),
					  db_blob(NULL, 0) };
	struct ctx *ctx = open_ctx(&f);
	struct db_txn *txn = stage_item(&f, ctx, "a");
	struct outcome o;
	struct status err;

	outcome_init(&o);
	ck_assert_int_eq(db_txn_insert(txn, INSERT_THING, thing, 4, &err),
			 STATUS_OK);
	ck_assert_int_eq(db_txn_insert(txn, INSERT_THING, empty, 4, &err),
			 STATUS_OK);
	db_txn_commit(txn, outcome_done, &o);
	ck_assert_int_eq(outcome_wait(&o, 1), STATUS_OK);
	ck_assert_int_eq(raw_int(&f, "SELECT count(*) FROM things WHERE"
				     " i = -7 AND r = 1.5 AND b = x'010002'"
				     " AND hex(t) = '780079'"),
			 1);
	ck_assert_int_eq(raw_int(&f, "SELECT count(*) FROM things WHERE"
				     " i IS NULL AND r IS NULL AND t = ''"
				     " AND b = x''"),
			 1);
	ck_assert_int_eq(raw_int(&f, "SELECT count(*) FROM items"), 1);
	ctx_unref(ctx);
}
END_TEST

START_TEST(an_image_used_again_has_no_old_rows)
{
	for (int i = 0; i < 50; i++) {
		char name[16];
		struct ctx *ctx = open_ctx(&f);

		snprintf(name, sizeof(name), "n%d", i);
		if (i % 2) {
			db_txn_rollback(stage_item(&f, ctx, name));
		} else {
			ck_assert_int_eq(commit_item(&f, name, NULL),
					 STATUS_OK);
		}
		ctx_unref(ctx);
	}
	ck_assert_int_eq(raw_int(&f, "SELECT count(*) FROM items"), 25);
}
END_TEST

START_TEST(conflict_with_the_file_fails_that_member_alone)
{
	static const char *const names[] = { "a", "taken", "b" };
	struct outcome o[3];
	struct ctx *ctx = open_ctx(&f);

	raw_exec(&f, "INSERT INTO items (name) VALUES ('taken')");
	raw_exec(&f, "BEGIN IMMEDIATE"); /* so that they share a group */
	for (int i = 0; i < 3; i++) {
		outcome_init(&o[i]);
		db_txn_commit(stage_item(&f, ctx, names[i]), outcome_done,
			      &o[i]);
	}
	raw_exec(&f, "COMMIT");
	ck_assert_int_eq(outcome_wait(&o[0], 1), STATUS_OK);
	ck_assert_int_eq(outcome_wait(&o[1], 1), STATUS_ALREADY_EXISTS);
	ck_assert_ptr_nonnull(strstr(o[1].last.message, "items.name"));
	ck_assert_int_eq(outcome_wait(&o[2], 1), STATUS_OK);
	ck_assert_int_eq(raw_int(&f, "SELECT count(*) FROM items"), 3);
	ck_assert_int_eq(db_health(f.db, NULL), STATUS_OK);
	ctx_unref(ctx);
}
END_TEST

START_TEST(a_failed_member_leaves_none_of_its_rows)
{
	const struct db_value thing[] = { db_integer(1), db_null(), db_null(),
					  db_null() };
	struct ctx *ctx = open_ctx(&f);
	struct db_txn *txn = stage_item(&f, ctx, "taken");
	struct outcome o;
	struct status err;

	outcome_init(&o);
	ck_assert_int_eq(commit_item(&f, "taken", NULL), STATUS_OK);
	ck_assert_int_eq(db_txn_insert(txn, INSERT_THING, thing, 4, &err),
			 STATUS_OK);
	db_txn_commit(txn, outcome_done, &o);
	ck_assert_int_eq(outcome_wait(&o, 1), STATUS_ALREADY_EXISTS);
	ck_assert_int_eq(raw_int(&f, "SELECT count(*) FROM things"), 0);
	ctx_unref(ctx);
}
END_TEST

START_TEST(insert_refused_by_the_image_ends_the_transaction)
{
	const struct db_value no_name[] = { db_null(), db_null() };
	struct ctx *ctx = open_ctx(&f);
	struct db_txn *txn = stage_item(&f, ctx, "a");
	struct outcome o;
	struct status err;

	outcome_init(&o);
	ck_assert_int_eq(db_txn_insert(txn, INSERT_ITEM, no_name, 2, &err),
			 STATUS_FAILED_PRECONDITION);
	ck_assert_ptr_nonnull(strstr(err.message, "NOT NULL"));
	db_txn_commit(txn, outcome_done, &o);
	ck_assert_int_eq(outcome_wait(&o, 1), STATUS_FAILED_PRECONDITION);
	ck_assert_int_eq(raw_int(&f, "SELECT count(*) FROM items"), 0);
	ctx_unref(ctx);
}
END_TEST

START_TEST(a_child_without_parent_fails_alone)
{
	const struct db_value parent[] = { db_text("nobody") };
	struct ctx *ctx = open_ctx(&f);
	struct db_txn *child;
	struct db_txn *other;
	struct outcome o[2];
	struct status err;

	outcome_init(&o[0]);
	outcome_init(&o[1]);
	ck_assert_int_eq(db_txn_begin(f.db, ctx, &child, &err), STATUS_OK);
	ck_assert_int_eq(db_txn_insert(child, INSERT_CHILD, parent, 1, &err),
			 STATUS_OK);
	other = stage_item(&f, ctx, "a");
	raw_exec(&f, "BEGIN IMMEDIATE");
	db_txn_commit(child, outcome_done, &o[0]);
	db_txn_commit(other, outcome_done, &o[1]);
	raw_exec(&f, "COMMIT");
	ck_assert_int_eq(outcome_wait(&o[0], 1), STATUS_FAILED_PRECONDITION);
	ck_assert_int_eq(outcome_wait(&o[1], 1), STATUS_OK);
	ck_assert_int_eq(raw_int(&f, "SELECT count(*) FROM children"), 0);
	ctx_unref(ctx);
}
END_TEST

START_TEST(a_conflict_that_rolls_back_all_is_told_to_all)
{
	const struct db_value one[] = { db_integer(1) };
	struct ctx *ctx = open_ctx(&f);
	struct db_txn *tyrant;
	struct db_txn *other;
	struct outcome o[2];
	struct status err;

	outcome_init(&o[0]);
	outcome_init(&o[1]);
	raw_exec(&f, "INSERT INTO tyrants VALUES (1)");
	other = stage_item(&f, ctx, "a");
	ck_assert_int_eq(db_txn_begin(f.db, ctx, &tyrant, &err), STATUS_OK);
	ck_assert_int_eq(db_txn_insert(tyrant, INSERT_TYRANT, one, 1, &err),
			 STATUS_OK);
	raw_exec(&f, "BEGIN IMMEDIATE");
	db_txn_commit(other, outcome_done, &o[0]);
	db_txn_commit(tyrant, outcome_done, &o[1]);
	raw_exec(&f, "COMMIT");
	ck_assert_int_eq(outcome_wait(&o[0], 1), STATUS_ABORTED);
	ck_assert_int_eq(outcome_wait(&o[1], 1), STATUS_ALREADY_EXISTS);
	ck_assert_int_eq(raw_int(&f, "SELECT count(*) FROM items"), 0);
	ck_assert_int_eq(commit_item(&f, "b", NULL), STATUS_OK);
	ctx_unref(ctx);
}
END_TEST

START_TEST(a_thousand_at_once_are_all_kept)
{
	enum { N = 1000 };
	static struct db_txn *txns[N];
	struct ctx *ctx = open_ctx(&f);
	struct db_stats stats;
	struct outcome o;

	outcome_init(&o);
	for (int i = 0; i < N; i++) {
		char name[16];

		snprintf(name, sizeof(name), "n%d", i);
		txns[i] = stage_item(&f, ctx, name);
	}
	db_stats(f.db, &stats);
	ck_assert_uint_eq(stats.staged_open, N);
	for (int i = 0; i < N; i++) {
		db_txn_commit(txns[i], outcome_done, &o);
	}
	outcome_wait(&o, N);
	ck_assert_int_eq(o.by_code[STATUS_OK], N);
	ck_assert_int_eq(raw_int(&f, "SELECT count(*) FROM items"), N);
	db_stats(f.db, &stats);
	ck_assert_uint_eq(stats.staged_open, 0);
	ck_assert_uint_eq(stats.committed, N);
	ck_assert_uint_lt(stats.groups, N / 2); /* they shared */
	ck_assert_uint_gt(stats.sync_ns, 0);
	ctx_unref(ctx);
}
END_TEST

START_TEST(one_more_than_the_bound_is_refused)
{
	struct ctx *ctx = open_ctx(&f);
	struct db_txn *txns[3];
	struct status err;

	fixture_close(&f);
	f.options.staged_max = 2;
	fixture_open(&f);
	txns[0] = stage_item(&f, ctx, "a");
	txns[1] = stage_item(&f, ctx, "b");
	ck_assert_int_eq(db_txn_begin(f.db, ctx, &txns[2], &err),
			 STATUS_RESOURCE_EXHAUSTED);
	db_txn_rollback(txns[0]);
	txns[2] = stage_item(&f, ctx, "c");
	db_txn_rollback(txns[1]);
	db_txn_rollback(txns[2]);
	ctx_unref(ctx);
}
END_TEST

START_TEST(rollbacks_and_conflicts_are_counted_apart)
{
	struct ctx *ctx = open_ctx(&f);
	struct db_stats stats;

	ck_assert_int_eq(commit_item(&f, "a", NULL), STATUS_OK);
	ck_assert_int_eq(commit_item(&f, "a", NULL), STATUS_ALREADY_EXISTS);
	db_txn_rollback(stage_item(&f, ctx, "b"));
	db_stats(f.db, &stats);
	ck_assert_uint_eq(stats.committed, 1);
	ck_assert_uint_eq(stats.failed, 1);
	ck_assert_uint_eq(stats.rolled_back, 1);
	ck_assert_uint_eq(stats.queued, 0);
	ctx_unref(ctx);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("staged");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, committed_rows_are_in_the_file);
	tcase_add_test(tc, open_rows_are_not_in_the_file);
	tcase_add_test(tc, defaults_of_the_image_are_carried_over);
	tcase_add_test(tc, triggers_run_once_when_the_rows_are_published);
	tcase_add_test(tc, ids_are_given_by_the_file);
	tcase_add_test(tc, rows_of_several_tables_arrive_together);
	tcase_add_test(tc, an_image_used_again_has_no_old_rows);
	tcase_add_test(tc, conflict_with_the_file_fails_that_member_alone);
	tcase_add_test(tc, a_failed_member_leaves_none_of_its_rows);
	tcase_add_test(tc, insert_refused_by_the_image_ends_the_transaction);
	tcase_add_test(tc, a_child_without_parent_fails_alone);
	tcase_add_test(tc, a_conflict_that_rolls_back_all_is_told_to_all);
	tcase_add_test(tc, a_thousand_at_once_are_all_kept);
	tcase_add_test(tc, one_more_than_the_bound_is_refused);
	tcase_add_test(tc, rollbacks_and_conflicts_are_counted_apart);
	return suite_run("staged", tc);
}
