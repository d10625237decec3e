/* The write-ahead log: its length, and how its pages leave it. */
#include <check.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "fixture.h"
#include "suite.h"

enum { MB = 1 << 20 };

static struct fixture f;

static void setup(void)
{
	memset(&f, 0, sizeof(f));
	fixture_open_ready(&f);
}

static void teardown(void)
{
	fixture_release(&f);
}

static void commit_megabyte(int i)
{
	static char note[MB];
	struct ctx *ctx = open_ctx(&f);
	char name[16];
	struct db_value values[2] = { db_null(), db_blob(note, MB) };
	struct db_txn *txn;
	struct outcome o;
	struct status err;

	outcome_init(&o);
	snprintf(name, sizeof(name), "n%d", i);
	values[0] = db_text(name);
	ck_assert_int_eq(db_txn_begin(f.db, ctx, &txn, &err), STATUS_OK);
	ck_assert_int_eq(db_txn_insert(txn, INSERT_ITEM, values, 2, &err),
			 STATUS_OK);
	db_txn_commit(txn, outcome_done, &o);
	ck_assert_int_eq(outcome_wait(&o, 1), STATUS_OK);
	ctx_unref(ctx);
}

/* Wait until @holds (10 ms steps: a file's size has no event). */
static void wait_until(bool (*holds)(void))
{
	const struct timespec tick = { .tv_nsec = 10 * NS_PER_MS };
	int64_t until_ns = clock_now_ns() + 20 * (int64_t)NS_PER_S;

	while (!holds()) {
		ck_assert(clock_now_ns() < until_ns);
		nanosleep(&tick, NULL);
	}
}

START_TEST(it_has_its_length_from_the_start)
{
	ck_assert_int_eq(log_size(&f), 5 * MB);
	commit_megabyte(0);
	ck_assert_int_eq(log_size(&f), 5 * MB);
}
END_TEST

START_TEST(it_is_begun_again_instead_of_growing)
{
	for (int i = 0; i < 60; i++) {
		commit_megabyte(i);
		ck_assert_int_le(log_size(&f), 6 * MB);
	}
	ck_assert_int_eq(raw_int(&f, "SELECT sum(length(note)) FROM items"),
			 60 * (int64_t)MB);
}
END_TEST

static bool rows_are_in_the_file(void)
{
	struct stat st;

	return stat(f.path, &st) == 0 && st.st_size > MB;
}

START_TEST(its_pages_are_moved_in_a_pause)
{
	commit_megabyte(0);
	ck_assert(!rows_are_in_the_file());
	wait_until(rows_are_in_the_file);
	ck_assert_int_eq(log_size(&f), 5 * MB);
}
END_TEST

static bool it_has_its_length_again(void)
{
	return log_size(&f) == 5 * MB;
}

START_TEST(it_grows_while_a_reader_stays_and_shrinks_in_a_pause)
{
	raw_exec(&f, "BEGIN; SELECT count(*) FROM items");
	for (int i = 0; i < 30; i++) {
		commit_megabyte(i);
	}
	ck_assert_int_gt(log_size(&f), 25 * MB);
	raw_exec(&f, "COMMIT");
	commit_megabyte(100);
	wait_until(it_has_its_length_again);
	ck_assert_int_eq(raw_int(&f, "SELECT count(*) FROM items"), 31);
}
END_TEST

START_TEST(after_a_crash_zeros_are_no_transactions)
{
	char copy[80];
	char command[600];
	sqlite3 *db;

	commit_megabyte(0);
	snprintf(copy, sizeof(copy), "%s/copy.db", f.dir);
	snprintf(command, sizeof(command), "cp %s %s && cp %s-wal %s-wal",
		 f.path, copy, f.path, copy);
	ck_assert_int_eq(system(command), 0);
	sqlite3_close(f.raw);
	ck_assert_int_eq(sqlite3_open(copy, &f.raw), SQLITE_OK);
	ck_assert_int_eq(raw_int(&f, "SELECT count(*) FROM items"), 1);
	ck_assert_int_eq(raw_int(&f, "SELECT integrity_check = 'ok'"
				     " FROM pragma_integrity_check"),
			 1);
	sqlite3_close(f.raw);
	ck_assert_int_eq(unlink(copy), 0);
	ck_assert_int_eq(sqlite3_open(f.path, &db), SQLITE_OK);
	f.raw = db;
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("log");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, it_has_its_length_from_the_start);
	tcase_add_test(tc, it_is_begun_again_instead_of_growing);
	tcase_add_test(tc, its_pages_are_moved_in_a_pause);
	tcase_add_test(tc,
		       it_grows_while_a_reader_stays_and_shrinks_in_a_pause);
	tcase_add_test(tc, after_a_crash_zeros_are_no_transactions);
	return suite_run("log", tc);
}
