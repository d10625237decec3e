/* What a database file of ours holds, read as any other program would. */
#ifndef RESCIND_TEST_ROWS_H
#define RESCIND_TEST_ROWS_H

#include <sqlite3.h>

#include "harness/scratch.h"

/* Rows of @table whose @column is @id. */
int rows_with(const char *db, const char *table, const char *column,
	      const char *id);
/* One number. */
int rows_query(const char *db, const char *sql);
/* Call @fn with the first column of each row, in order. */
void rows_each(const char *db, const char *sql,
	       void (*fn)(const char *text, void *arg), void *arg);
/* Execute, for writing. */
void rows_exec(const char *db, const char *sql);

/* Hold the write lock, as another program would, until rows_unlock(). */
sqlite3 *rows_lock(const char *db);
void rows_unlock(sqlite3 *lock);

/* ---- the pair's ---------------------------------------------------------- */

int echo_rows(const char *db, const char *request_id);
int worker_rows(const char *db, const char *task_id);

#endif
