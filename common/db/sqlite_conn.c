#include "db/sqlite_conn.h"

#include <pthread.h>

#include "db/sqlite_error.h"

/* These fail when the program initialised SQLite before us: so be it. */
static void configure_sqlite(void)
{
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	(void)sqlite3_config(SQLITE_CONFIG_STMTJRNL_SPILL, -1);
}

enum status_code conn_open(const char *path, int flags, const char *vfs,
			   sqlite3 **ret_db, struct status *reterr)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	sqlite3 *db = NULL;
	int rc;

	pthread_once(&once, configure_sqlite);
	flags |= SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE |
		 SQLITE_OPEN_EXRESCODE;
	rc = sqlite3_open_v2(path, &db, flags, vfs);
	if (rc != SQLITE_OK) {
		enum status_code code = sqlite_fail(db, rc, reterr);

		sqlite3_close(db);
		return code;
	}
	*ret_db = db;
	return STATUS_OK;
}

int conn_exec(sqlite3 *db, const char *sql)
{
	return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

int conn_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **ret_stmt)
{
	return sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT,
				  ret_stmt, NULL);
}

int conn_run(sqlite3_stmt *stmt)
{
	int rc;

	do {
		rc = sqlite3_step(stmt);
	} while (rc == SQLITE_ROW);
	(void)sqlite3_reset(stmt); /* says again what step said */
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

int conn_query_int(sqlite3 *db, const char *sql, int64_t *ret_value)
{
	sqlite3_stmt *stmt;
	int rc = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);
	int step;

	if (rc != SQLITE_OK) {
		return rc;
	}
	step = sqlite3_step(stmt);
	if (step == SQLITE_ROW) {
		*ret_value = sqlite3_column_int64(stmt, 0);
	}
	rc = sqlite3_finalize(stmt);
	return rc == SQLITE_OK && step == SQLITE_DONE ? SQLITE_EMPTY : rc;
}

static int bind_value(sqlite3_stmt *stmt, int at, const struct db_value *value)
{
	/* SQLite takes a NULL pointer for NULL, whatever the size. */
	const char *data = value->data != NULL ? value->data : "";

	switch (value->type) {
	case DB_NULL:
		return sqlite3_bind_null(stmt, at);
	case DB_INTEGER:
		return sqlite3_bind_int64(stmt, at, value->integer);
	case DB_REAL:
		return sqlite3_bind_double(stmt, at, value->real);
	case DB_TEXT:
		return sqlite3_bind_text64(stmt, at, data, value->size,
					   SQLITE_STATIC, SQLITE_UTF8);
	case DB_BLOB:
		return sqlite3_bind_blob64(stmt, at, data, value->size,
					   SQLITE_STATIC);
	}
	sqlite_bug("no such type of value: %d", (int)value->type);
}

int conn_bind(sqlite3_stmt *stmt, const struct db_value *values,
	      size_t values_n)
{
	int rc = SQLITE_OK;

	if ((size_t)sqlite3_bind_parameter_count(stmt) != values_n) {
		sqlite_bug("%zu values for: %s", values_n, sqlite3_sql(stmt));
	}
	for (size_t i = 0; i < values_n && rc == SQLITE_OK; i++) {
		rc = bind_value(stmt, (int)i + 1, &values[i]);
	}
	return rc;
}
