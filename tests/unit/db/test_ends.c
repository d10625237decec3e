/* What the end of a ctx does to a transaction, at every stage of its life. */
#include <check.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "fixture.h"
#include "suite.h"

static struct fixture f;
static const struct db_value row[] = {
	{ .type = DB_TEXT, .data = "x", .size = 1 }, { .type = DB_NULL }
};

static void setup(void)
{
	memset(&f, 0, sizeof(f));
	fixture_open(&f);
}

static void teardown(void)
{
	fixture_release(&f);
}

static int64_t rolled_back(void)
{
	struct db_stats stats;

	db_stats(f.db, &stats);
	ck_assert_uint_eq(stats.staged_open, 0);
	return (int64_t)stats.rolled_back;
}

START_TEST(begin_after_the_end_is_refused)
{
	struct ctx *ctx = open_ctx(&f);
	struct db_txn *txn;
	struct status err;

	ctx_end(ctx, CTX_CLIENT_CLOSED, NULL);
	ck_assert_int_eq(db_txn_begin(f.db, ctx, &txn, &err), STATUS_CANCELLED);
	ck_assert_int_eq(err.code, STATUS_CANCELLED);
	ck_assert_int_eq(rolled_back(), 1);
	ctx_unref(ctx);
}
END_TEST

START_TEST(the_end_undoes_an_open_transaction_at_once)
{
	struct ctx *ctx = open_ctx(&f);
	struct db_txn *txn = stage_item(&f, ctx, "a");
	struct status err;

	ctx_end(ctx, CTX_CLIENT_CLOSED, NULL);
	ck_assert_int_eq(rolled_back(), 1);
	ck_assert_int_eq(db_txn_insert(txn, INSERT_ITEM, row, 2, &err),
			 STATUS_CANCELLED);
	db_txn_rollback(txn);
	ck_assert_int_eq(rolled_back(), 1);
	ctx_unref(ctx);
}
END_TEST

START_TEST(commit_after_the_end_is_refused)
{
	struct ctx *ctx = open_ctx(&f);
	struct db_txn *txn = stage_item(&f, ctx, "a");
	struct outcome o;

	outcome_init(&o);
	ctx_end(ctx, CTX_SHUTDOWN, NULL);
	db_txn_commit(txn, outcome_done, &o);
	ck_assert_int_eq(outcome_wait(&o, 1), STATUS_UNAVAILABLE);
	ck_assert_int_eq(raw_int(&f, "SELECT count(*) FROM items"), 0);
	ck_assert_int_eq(rolled_back(), 1);
	ctx_unref(ctx);
}
END_TEST

START_TEST(the_end_takes_a_commit_out_of_a_locked_queue)
{
	struct ctx *ctx = open_ctx(&f);
	struct ctx *other = open_ctx(&f);
	struct outcome leaves, stays;

	outcome_init(&leaves);
	outcome_init(&stays);
	raw_exec(&f, "BEGIN IMMEDIATE");
	db_txn_commit(stage_item(&f, ctx, "leaves"), outcome_done, &leaves);
	db_txn_commit(stage_item(&f, other, "stays"), outcome_done, &stays);
	ck_assert_int_eq(outcome_count(&leaves), 0);
	ctx_end(ctx, CTX_CLIENT_RESET, NULL);
	/* The lock is still held: only the end can have brought this. */
	ck_assert_int_eq(outcome_wait(&leaves, 1), STATUS_CANCELLED);
	ck_assert_int_eq(outcome_count(&stays), 0);
	raw_exec(&f, "COMMIT");
	ck_assert_int_eq(outcome_wait(&stays, 1), STATUS_OK);
	ck_assert_int_eq(raw_int(&f, "SELECT count(*) FROM items"
				     " WHERE name = 'stays'"),
			 1);
	ck_assert_int_eq(raw_int(&f, "SELECT count(*) FROM items"), 1);
	ctx_unref(ctx);
	ctx_unref(other);
}
END_TEST

START_TEST(a_deadline_is_served_while_another_program_has_the_lock)
{
	struct ctx *ctx =
		ctx_new(f.root, clock_now_ns() + 50 * (int64_t)NS_PER_MS);
	struct outcome o;

	outcome_init(&o);
	raw_exec(&f, "BEGIN IMMEDIATE");
	db_txn_commit(stage_item(&f, ctx, "a"), outcome_done, &o);
	ck_assert_int_eq(outcome_wait(&o, 1), STATUS_DEADLINE_EXCEEDED);
	raw_exec(&f, "COMMIT");
	ck_assert_int_eq(raw_int(&f, "SELECT count(*) FROM items"), 0);
	ctx_unref(ctx);
}
END_TEST

START_TEST(a_lock_held_for_long_shows_in_health)
{
	struct ctx *ctx = open_ctx(&f);
	struct outcome o;
	struct status err;
	const struct timespec tick = { .tv_nsec = NS_PER_MS };
	int64_t until_ns = clock_now_ns() + 10 * (int64_t)NS_PER_S;

	outcome_init(&o);
	raw_exec(&f, "BEGIN IMMEDIATE");
	db_txn_commit(stage_item(&f, ctx, "a"), outcome_done, &o);
	while (db_health(f.db, &err) == STATUS_OK) {
		ck_assert(clock_now_ns() < until_ns);
		nanosleep(&tick, NULL); /* health has no event to wait for */
	}
	ck_assert_ptr_nonnull(strstr(err.message, "locked"));
	raw_exec(&f, "COMMIT");
	ck_assert_int_eq(outcome_wait(&o, 1), STATUS_OK);
	ck_assert_int_eq(db_health(f.db, &err), STATUS_OK);
	ctx_unref(ctx);
}
END_TEST

/* A loop that nobody runs: its timers are never served. */
START_TEST(a_deadline_that_no_timer_served_refuses_the_commit)
{
	struct loop *dead;
	struct ctx *root;
	struct ctx *ctx;
	struct outcome o;
	struct status err;
	int64_t deadline_ns = clock_now_ns() + 100 * (int64_t)NS_PER_MS;

	outcome_init(&o);
	ck_assert_int_eq(loop_new(&dead, &err), STATUS_OK);
	ck_assert_int_eq(ctx_root(dead, &root, &err), STATUS_OK);
	ctx = ctx_new(root, deadline_ns);
	raw_exec(&f, "BEGIN IMMEDIATE");
	db_txn_commit(stage_item(&f, ctx, "a"), outcome_done, &o);
	while (clock_now_ns() < deadline_ns) {
		sched_yield();
	}
	raw_exec(&f, "COMMIT");
	ck_assert_int_eq(outcome_wait(&o, 1), STATUS_DEADLINE_EXCEEDED);
	ck_assert_int_eq(raw_int(&f, "SELECT count(*) FROM items"), 0);
	ctx_unref(ctx);
	ctx_unref(root);
	loop_free(dead);
}
END_TEST

START_TEST(an_end_after_the_commit_changes_nothing)
{
	struct ctx *ctx = open_ctx(&f);
	struct outcome o;

	outcome_init(&o);
	db_txn_commit(stage_item(&f, ctx, "a"), outcome_done, &o);
	ck_assert_int_eq(outcome_wait(&o, 1), STATUS_OK);
	ctx_end(ctx, CTX_CLIENT_CLOSED, NULL);
	ck_assert_int_eq(outcome_count(&o), 1);
	ck_assert_int_eq(raw_int(&f, "SELECT count(*) FROM items"), 1);
	ck_assert_int_eq(rolled_back(), 0);
	ctx_unref(ctx);
}
END_TEST

/* The owner's mutex may be held while it ends a ctx: no completion inside. */
static pthread_mutex_t owner = PTHREAD_MUTEX_INITIALIZER;

static void done_under_owner(const struct status *status, void *arg)
{
	pthread_mutex_lock(&owner);
	pthread_mutex_unlock(&owner);
	outcome_done(status, arg);
}

START_TEST(no_completion_runs_inside_the_call_that_ends)
{
	struct ctx *ctx = open_ctx(&f);
	struct outcome o;

	outcome_init(&o);
	raw_exec(&f, "BEGIN IMMEDIATE");
	pthread_mutex_lock(&owner);
	db_txn_commit(stage_item(&f, ctx, "a"), done_under_owner, &o);
	ctx_end(ctx, CTX_CLIENT_CLOSED, NULL);
	ck_assert_int_eq(outcome_count(&o), 0);
	pthread_mutex_unlock(&owner);
	ck_assert_int_eq(outcome_wait(&o, 1), STATUS_CANCELLED);
	raw_exec(&f, "COMMIT");
	ctx_unref(ctx);
}
END_TEST

/* ---- a storm ------------------------------------------------------------ */

enum { STORM = 2000, WINDOW = 64 };

struct victim {
	struct ctx *ctx;
	atomic_bool ready;
};
static struct victim victims[STORM];

/* Ends every other ctx, at whatever stage it is. */
static void *end_them(void *arg)
{
	(void)arg;
	for (int i = 0; i < STORM; i++) {
		while (!atomic_load(&victims[i].ready)) {
			sched_yield();
		}
		if (i % 2) {
			ctx_end(victims[i].ctx, CTX_CLIENT_RESET, NULL);
		}
		ctx_unref(victims[i].ctx);
	}
	return NULL;
}

/* Begin, insert, commit, whatever becomes of the ctx; true if it began. */
static bool storm_one(int i, struct outcome *o)
{
	char name[16];
	struct db_value values[] = { db_null(), db_null() };
	struct status err;
	struct db_txn *txn;

	snprintf(name, sizeof(name), "n%d", i);
	values[0] = db_text(name);
	if (db_txn_begin(f.db, victims[i].ctx, &txn, &err) != STATUS_OK) {
		return false;
	}
	if (db_txn_insert(txn, INSERT_ITEM, values, 2, &err) != STATUS_OK) {
		db_txn_rollback(txn);
		return false;
	}
	db_txn_commit(txn, outcome_done, o);
	return true;
}

START_TEST(in_a_storm_the_file_has_what_was_told)
{
	struct outcome o;
	pthread_t thread;
	int begun = 0;

	outcome_init(&o);
	pthread_create(&thread, NULL, end_them, NULL);
	for (int i = 0; i < STORM; i++) {
		victims[i].ctx = open_ctx(&f);
		ctx_ref(victims[i].ctx);
		atomic_store(&victims[i].ready, true);
		begun += storm_one(i, &o);
		ctx_unref(victims[i].ctx);
		if (begun > WINDOW) {
			outcome_wait(&o, begun - WINDOW);
		}
	}
	pthread_join(thread, NULL);
	outcome_wait(&o, begun);
	ck_assert_int_eq(o.by_code[STATUS_OK] + o.by_code[STATUS_CANCELLED],
			 begun);
	ck_assert_int_ge(o.by_code[STATUS_OK], STORM / 2);
	ck_assert_int_eq(raw_int(&f, "SELECT count(*) FROM items"),
			 o.by_code[STATUS_OK]);
	ck_assert_int_eq(rolled_back(), STORM - o.by_code[STATUS_OK]);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("ends");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, begin_after_the_end_is_refused);
	tcase_add_test(tc, the_end_undoes_an_open_transaction_at_once);
	tcase_add_test(tc, commit_after_the_end_is_refused);
	tcase_add_test(tc, the_end_takes_a_commit_out_of_a_locked_queue);
	tcase_add_test(tc,
		       a_deadline_is_served_while_another_program_has_the_lock);
	tcase_add_test(tc, a_lock_held_for_long_shows_in_health);
	tcase_add_test(tc, a_deadline_that_no_timer_served_refuses_the_commit);
	tcase_add_test(tc, an_end_after_the_commit_changes_nothing);
	tcase_add_test(tc, no_completion_runs_inside_the_call_that_ends);
	tcase_add_test(tc, in_a_storm_the_file_has_what_was_told);
	return suite_run("ends", tc);
}
