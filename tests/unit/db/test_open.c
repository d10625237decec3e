/* Opening, closing, and what is refused at the door. */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fixture.h"
#include "suite.h"

static struct fixture f;

static void setup(void)
{
	fixture_init(&f);
}

static void teardown(void)
{
	fixture_release(&f);
}

static void put_file(const char *content)
{
	int fd = open(f.path, O_CREAT | O_WRONLY | O_TRUNC, 0644);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, content, strlen(content)),
			 (ssize_t)strlen(content));
	close(fd);
}

static void put_database(const char *sql)
{
	ck_assert_int_eq(sqlite3_open(f.path, &f.raw), SQLITE_OK);
	raw_exec(&f, sql);
	sqlite3_close(f.raw);
	f.raw = NULL;
}

/* Refused with @code, in one line that names the file and says @text. */
static void expect_refused(enum status_code code, const char *text)
{
	struct status err = status_ok();

	ck_assert_int_ne(db_sqlite_open(&f.options, &f.db, &err), STATUS_OK);
	ck_assert_msg(err.code == code, "%s: %s", status_code_name(err.code),
		      err.message);
	ck_assert_msg(strstr(err.message, text) != NULL, "%s", err.message);
	ck_assert_msg(strstr(err.message, f.options.path) != NULL, "%s",
		      err.message);
	ck_assert_ptr_null(strchr(err.message, '\n'));
}

START_TEST(a_close_leaves_one_clean_file)
{
	fixture_open(&f);
	ck_assert_int_eq(commit_item(&f, "a", NULL), STATUS_OK);
	ck_assert(file_exists(&f, "-wal"));
	fixture_close(&f);
	ck_assert(!file_exists(&f, "-wal"));
	ck_assert(!file_exists(&f, "-shm"));
	fixture_open(&f);
	ck_assert_int_eq(raw_int(&f, "SELECT count(*) FROM items"), 1);
}
END_TEST

START_TEST(a_close_finishes_what_is_queued)
{
	enum { N = 500 };
	struct ctx *ctx;
	struct outcome o;

	fixture_open(&f);
	ctx = open_ctx(&f);
	outcome_init(&o);
	for (int i = 0; i < N; i++) {
		char name[16];

		snprintf(name, sizeof(name), "n%d", i);
		db_txn_commit(stage_item(&f, ctx, name), outcome_done, &o);
	}
	fixture_close(&f);
	ck_assert_int_eq(outcome_count(&o), N);
	ck_assert_int_eq(o.by_code[STATUS_OK], N);
	fixture_open(&f);
	ck_assert_int_eq(raw_int(&f, "SELECT count(*) FROM items"), N);
	ctx_unref(ctx);
}
END_TEST

START_TEST(a_close_does_not_wait_for_ever_for_a_lock)
{
	struct ctx *ctx;
	struct outcome o;

	fixture_open(&f);
	ctx = open_ctx(&f);
	outcome_init(&o);
	raw_exec(&f, "BEGIN IMMEDIATE");
	db_txn_commit(stage_item(&f, ctx, "a"), outcome_done, &o);
	db_close(f.db);
	f.db = NULL;
	ck_assert_int_eq(outcome_wait(&o, 1), STATUS_UNAVAILABLE);
	raw_exec(&f, "COMMIT");
	ck_assert_int_eq(raw_int(&f, "SELECT count(*) FROM items"), 0);
	ctx_unref(ctx);
}
END_TEST

static void expect_orphaned(const char *item)
{
	struct status why;

	ck_assert_int_eq(commit_item(&f, item, &why), STATUS_UNAVAILABLE);
	ck_assert_str_eq(why.message, "the database file was moved or removed");
	ck_assert_int_eq(db_health(f.db, &why), STATUS_UNAVAILABLE);
}

/* A yes would be lost with the process. */
START_TEST(a_file_that_is_moved_while_it_is_open_takes_nothing)
{
	char elsewhere[128];

	snprintf(elsewhere, sizeof(elsewhere), "%s.old", f.path);
	fixture_open(&f);
	ck_assert_int_eq(commit_item(&f, "before", NULL), STATUS_OK);
	ck_assert_int_eq(rename(f.path, elsewhere), 0);
	expect_orphaned("moved");
	ck_assert_int_eq(rename(elsewhere, f.path), 0);
	ck_assert_int_eq(commit_item(&f, "after", NULL), STATUS_OK);
	ck_assert_int_eq(db_health(f.db, NULL), STATUS_OK);
	ck_assert_int_eq(raw_int(&f, "SELECT count(*) FROM items"), 2);
	ck_assert_int_eq(unlink(f.path), 0);
	expect_orphaned("removed");
}
END_TEST

START_TEST(an_existing_database_in_another_mode_is_taken_over)
{
	put_database("PRAGMA journal_mode=DELETE;"
		     "CREATE TABLE items (id INTEGER PRIMARY KEY AUTOINCREMENT,"
		     " name TEXT NOT NULL UNIQUE, note TEXT,"
		     " created_at DATETIME DEFAULT CURRENT_TIMESTAMP);"
		     "INSERT INTO items (name) VALUES ('old')");
	fixture_open(&f);
	ck_assert_int_eq(commit_item(&f, "new", NULL), STATUS_OK);
	ck_assert_int_eq(raw_int(&f, "SELECT count(*) FROM items"), 2);
}
END_TEST

START_TEST(a_file_that_is_no_database_is_refused)
{
	put_file("This is a text, long enough to be looked at as a header of a "
		 "database file, which it is not, however long one looks at "
		 "it.\n");
	expect_refused(STATUS_FAILED_PRECONDITION, "not a database");
}
END_TEST

START_TEST(another_type_of_a_column_is_refused)
{
	put_database("CREATE TABLE things (i INTEGER, r TEXT, t TEXT, b BLOB)");
	expect_refused(STATUS_FAILED_PRECONDITION,
		       "'things' has another schema: column 2 is 'r TEXT', "
		       "not 'r REAL'");
}
END_TEST

START_TEST(a_missing_column_is_refused)
{
	put_database("CREATE TABLE things (i INTEGER, r REAL, t TEXT)");
	expect_refused(STATUS_FAILED_PRECONDITION,
		       "column 4, 'b BLOB', is missing");
}
END_TEST

START_TEST(a_superfluous_column_is_refused)
{
	put_database("CREATE TABLE things (i INTEGER, r REAL, t TEXT, b BLOB,"
		     " z INT NOT NULL DEFAULT 7)");
	expect_refused(STATUS_FAILED_PRECONDITION,
		       "column 5, 'z INT NOT NULL DEFAULT 7', is unknown");
}
END_TEST

START_TEST(a_missing_directory_is_refused)
{
	f.options.path = "/nonexistent/place/t.db";
	expect_refused(STATUS_INVALID_ARGUMENT, "No such file or directory");
}
END_TEST

START_TEST(a_directory_is_refused)
{
	f.options.path = f.dir;
	expect_refused(STATUS_INVALID_ARGUMENT, "unable to open");
}
END_TEST

/* Root may write anywhere: be somebody else, in this test's own process. */
START_TEST(a_file_without_permission_to_write_is_refused)
{
	fixture_open(&f);
	fixture_close(&f);
	ck_assert_int_eq(chmod(f.path, 0444), 0);
	ck_assert_int_eq(chmod(f.dir, 0755), 0);
	if (geteuid() == 0) {
		ck_assert_int_eq(seteuid(65534), 0);
	}
	expect_refused(STATUS_FAILED_PRECONDITION, "no permission to write");
	if (getuid() == 0) {
		ck_assert_int_eq(seteuid(0), 0);
	}
}
END_TEST

START_TEST(a_statement_that_does_not_compile_is_named)
{
	static const char *const bad[] = { "SELECT 1", "SELECT x FROM items" };

	f.options.statements = bad;
	f.options.statements_n = 2;
	expect_refused(STATUS_INVALID_ARGUMENT,
		       "statement 1: no such column: x");
}
END_TEST

START_TEST(a_schema_that_does_not_compile_is_refused)
{
	struct status err;

	f.options.schema = "CREATE TABLE (";
	ck_assert_int_eq(db_sqlite_open(&f.options, &f.db, &err),
			 STATUS_INVALID_ARGUMENT);
	ck_assert_ptr_nonnull(strstr(err.message, "syntax error"));
}
END_TEST

START_TEST(a_staged_table_that_the_schema_lacks_is_refused)
{
	static const char *const tables[] = { "nowhere", NULL };
	struct status err;

	f.options.staged_tables = tables;
	ck_assert_int_eq(db_sqlite_open(&f.options, &f.db, &err),
			 STATUS_INVALID_ARGUMENT);
	ck_assert_ptr_nonnull(strstr(err.message, "nowhere"));
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("open");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, a_close_leaves_one_clean_file);
	tcase_add_test(tc, a_close_finishes_what_is_queued);
	tcase_add_test(tc, a_close_does_not_wait_for_ever_for_a_lock);
	tcase_add_test(tc, a_file_that_is_moved_while_it_is_open_takes_nothing);
	tcase_add_test(tc, an_existing_database_in_another_mode_is_taken_over);
	tcase_add_test(tc, a_file_that_is_no_database_is_refused);
	tcase_add_test(tc, another_type_of_a_column_is_refused);
	tcase_add_test(tc, a_missing_column_is_refused);
	tcase_add_test(tc, a_superfluous_column_is_refused);
	tcase_add_test(tc, a_missing_directory_is_refused);
	tcase_add_test(tc, a_directory_is_refused);
	tcase_add_test(tc, a_file_without_permission_to_write_is_refused);
	tcase_add_test(tc, a_statement_that_does_not_compile_is_named);
	tcase_add_test(tc, a_schema_that_does_not_compile_is_refused);
	tcase_add_test(tc, a_staged_table_that_the_schema_lacks_is_refused);
	return suite_run("open", tc);
}
