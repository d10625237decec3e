/*
 * What every connection needs: opening, running SQL, binding values. Nothing
 * here knows threads; a connection belongs to one at a time (NOMUTEX).
 */
#ifndef RESCIND_DB_SQLITE_CONN_H
#define RESCIND_DB_SQLITE_CONN_H

#include <sqlite3.h>

#include "db/db.h"

/*
 * Open with extended result codes. Once per process it also switches off
 * SQLite's memory statistics (a global lock on every allocation) and keeps
 * statement journals in memory, unless the program set SQLite up itself.
 */
MUSTCHECK enum status_code conn_open(const char *path, int flags,
				     const char *vfs, sqlite3 **ret_db,
				     struct status *reterr);

/* Run one or more statements, ignoring rows. A SQLite result code. */
int conn_exec(sqlite3 *db, const char *sql);

/* Prepare a statement that lives as long as its connection. */
int conn_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **ret_stmt);

/* Step a statement without rows to its end, and reset it: SQLITE_OK or not. */
int conn_run(sqlite3_stmt *stmt);

/* The first column of the first row of @sql as a number. */
int conn_query_int(sqlite3 *db, const char *sql, int64_t *ret_value);

/* Bind @values, borrowed until the statement is reset. */
int conn_bind(sqlite3_stmt *stmt, const struct db_value *values,
	      size_t values_n);

#endif
