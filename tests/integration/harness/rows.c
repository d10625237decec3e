#include "harness/rows.h"

#include <stdio.h>

enum { BUSY_MS = 10000 };

static sqlite3 *open_db(const char *path, int flags)
{
	sqlite3 *db = NULL;
	int rc = sqlite3_open_v2(path, &db, flags, NULL);

	ck_assert_msg(rc == SQLITE_OK, "open %s: %s", path, sqlite3_errstr(rc));
	sqlite3_busy_timeout(db, BUSY_MS);
	return db;
}

static sqlite3_stmt *prepare(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *stmt = NULL;

	ck_assert_msg(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK,
		      "%s: %s", sql, sqlite3_errmsg(db));
	return stmt;
}

static int step_number(sqlite3 *db, sqlite3_stmt *stmt)
{
	int rc = sqlite3_step(stmt);

	ck_assert_msg(rc == SQLITE_ROW, "step: %s", sqlite3_errmsg(db));
	return sqlite3_column_int(stmt, 0);
}

int rows_with(const char *path, const char *table, const char *column,
	      const char *id)
{
	sqlite3 *db = open_db(path, SQLITE_OPEN_READONLY);
	sqlite3_stmt *stmt;
	char sql[256];
	int n;

	snprintf(sql, sizeof(sql), "SELECT COUNT(*) FROM %s WHERE %s = ?",
		 table, column);
	stmt = prepare(db, sql);
	sqlite3_bind_text(stmt, 1, id, -1, SQLITE_STATIC);
	n = step_number(db, stmt);
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	return n;
}

int rows_query(const char *path, const char *sql)
{
	sqlite3 *db = open_db(path, SQLITE_OPEN_READONLY);
	sqlite3_stmt *stmt = prepare(db, sql);
	int n = step_number(db, stmt);

	sqlite3_finalize(stmt);
	sqlite3_close(db);
	return n;
}

void rows_each(const char *path, const char *sql,
	       void (*fn)(const char *text, void *arg), void *arg)
{
	sqlite3 *db = open_db(path, SQLITE_OPEN_READONLY);
	sqlite3_stmt *stmt = prepare(db, sql);
	int rc;

	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		fn((const char *)sqlite3_column_text(stmt, 0), arg);
	}
	ck_assert_msg(rc == SQLITE_DONE, "%s: %s", sql, sqlite3_errmsg(db));
	sqlite3_finalize(stmt);
	sqlite3_close(db);
}

static void exec(sqlite3 *db, const char *sql)
{
	char *error = NULL;
	int rc = sqlite3_exec(db, sql, NULL, NULL, &error);

	ck_assert_msg(rc == SQLITE_OK, "%s: %s", sql, error);
}

void rows_exec(const char *path, const char *sql)
{
	sqlite3 *db = open_db(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);

	exec(db, sql);
	sqlite3_close(db);
}

sqlite3 *rows_lock(const char *path)
{
	sqlite3 *db = open_db(path, SQLITE_OPEN_READWRITE);

	exec(db, "BEGIN IMMEDIATE");
	return db;
}

void rows_unlock(sqlite3 *lock)
{
	exec(lock, "ROLLBACK");
	sqlite3_close(lock);
}

int echo_rows(const char *db, const char *request_id)
{
	return rows_with(db, "echo_requests", "request_id", request_id);
}

int worker_rows(const char *db, const char *task_id)
{
	return rows_with(db, "worker_tasks", "task_id", task_id);
}
