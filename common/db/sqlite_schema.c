#include "db/sqlite_schema.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "db/sqlite_conn.h"
#include "db/sqlite_error.h"

/* Columns of PRAGMA table_xinfo. */
enum {
	XINFO_NAME = 1,
	XINFO_TYPE,
	XINFO_NOTNULL,
	XINFO_DEFAULT,
	XINFO_PK,
	XINFO_HIDDEN
};

static int open_columns(sqlite3 *db, const char *table, sqlite3_stmt **ret_stmt)
{
	int rc = conn_prepare(
		db, "SELECT * FROM pragma_table_xinfo(?) ORDER BY cid",
		ret_stmt);

	if (rc == SQLITE_OK) {
		rc = sqlite3_bind_text(*ret_stmt, 1, table, -1, SQLITE_STATIC);
	}
	return rc;
}

static const char *text_at(sqlite3_stmt *stmt, int column)
{
	const char *text = (const char *)sqlite3_column_text(stmt, column);

	return text != NULL ? text : "";
}

/* ---- comparing ---------------------------------------------------------- */

static bool same_column(sqlite3_stmt *a, sqlite3_stmt *b)
{
	return sqlite3_stricmp(text_at(a, XINFO_NAME),
			       text_at(b, XINFO_NAME)) == 0 &&
	       sqlite3_stricmp(text_at(a, XINFO_TYPE),
			       text_at(b, XINFO_TYPE)) == 0 &&
	       strcmp(text_at(a, XINFO_DEFAULT), text_at(b, XINFO_DEFAULT)) ==
		       0 &&
	       sqlite3_column_int(a, XINFO_NOTNULL) ==
		       sqlite3_column_int(b, XINFO_NOTNULL) &&
	       sqlite3_column_int(a, XINFO_PK) ==
		       sqlite3_column_int(b, XINFO_PK) &&
	       sqlite3_column_int(a, XINFO_HIDDEN) ==
		       sqlite3_column_int(b, XINFO_HIDDEN);
}

/* As it reads in CREATE TABLE, for the message; sqlite3_free() it. */
static char *describe(sqlite3_stmt *stmt)
{
	const char *type = text_at(stmt, XINFO_TYPE);
	const char *fallback = text_at(stmt, XINFO_DEFAULT);
	bool key = sqlite3_column_int(stmt, XINFO_PK) > 0;
	bool notnull = sqlite3_column_int(stmt, XINFO_NOTNULL) != 0;

	return sqlite3_mprintf(
		"'%s%s%s%s%s%s%s'", text_at(stmt, XINFO_NAME),
		type[0] != '\0' ? " " : "", type, key ? " PRIMARY KEY" : "",
		notnull ? " NOT NULL" : "",
		fallback[0] != '\0' ? " DEFAULT " : "", fallback);
}

/* Column @at differs; NULL is for the side that has no such column. */
static enum status_code differ(const char *table, int at, sqlite3_stmt *want,
			       sqlite3_stmt *have, struct status *reterr)
{
	char *want_text = want != NULL ? describe(want) : NULL;
	char *have_text = have != NULL ? describe(have) : NULL;

	if (have_text == NULL) {
		status_set(reterr, STATUS_FAILED_PRECONDITION,
			   "column %d, %s, is missing", at, want_text);
	} else if (want_text == NULL) {
		status_set(reterr, STATUS_FAILED_PRECONDITION,
			   "column %d, %s, is unknown", at, have_text);
	} else {
		status_set(reterr, STATUS_FAILED_PRECONDITION,
			   "column %d is %s, not %s", at, have_text, want_text);
	}
	sqlite3_free(want_text);
	sqlite3_free(have_text);
	return status_wrap(reterr, "table '%s' has another schema", table);
}

static enum status_code compare_columns(sqlite3_stmt *want, sqlite3_stmt *have,
					sqlite3 *file, const char *table,
					struct status *reterr)
{
	for (int at = 1;; at++) {
		int want_step = sqlite3_step(want);
		int have_step = sqlite3_step(have);

		if (have_step != SQLITE_ROW && have_step != SQLITE_DONE) {
			return sqlite_fail(file, have_step, reterr);
		}
		if (at == 1 && have_step == SQLITE_DONE) {
			return status_set(reterr, STATUS_FAILED_PRECONDITION,
					  "there is no table '%s'", table);
		}
		if (want_step == SQLITE_DONE && have_step == SQLITE_DONE) {
			return STATUS_OK;
		}
		if (want_step != have_step || !same_column(want, have)) {
			return differ(table, at,
				      want_step == SQLITE_ROW ? want : NULL,
				      have_step == SQLITE_ROW ? have : NULL,
				      reterr);
		}
	}
}

enum status_code schema_compare(sqlite3 *image, sqlite3 *file, const char *name,
				struct status *reterr)
{
	sqlite3_stmt *want = NULL;
	sqlite3_stmt *have = NULL;
	enum status_code code;
	int rc = open_columns(image, name, &want);

	if (rc != SQLITE_OK) {
		code = sqlite_fail(image, rc, reterr);
	} else if ((rc = open_columns(file, name, &have)) != SQLITE_OK) {
		code = sqlite_fail(file, rc, reterr);
	} else {
		code = compare_columns(want, have, file, name, reterr);
	}
	sqlite3_finalize(want);
	sqlite3_finalize(have);
	return code;
}

/* ---- the statements that carry rows ------------------------------------- */

/* Whether the table has a rowid, and so may have an alias of it. */
static bool has_rowid(sqlite3 *db, const char *table)
{
	char *sql = sqlite3_mprintf("SELECT rowid FROM \"%w\"", table);
	sqlite3_stmt *stmt = NULL;
	bool has = sql != NULL &&
		   sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK;

	sqlite3_finalize(stmt);
	sqlite3_free(sql);
	return has;
}

/* Columns of the primary key: an alias of the rowid stands alone in it. */
static int key_columns(sqlite3_stmt *columns)
{
	int n = 0;

	while (sqlite3_step(columns) == SQLITE_ROW) {
		n += sqlite3_column_int(columns, XINFO_PK) > 0;
	}
	(void)sqlite3_reset(columns);
	return n;
}

static bool is_carried(sqlite3_stmt *column, bool rowid_alias_possible)
{
	if (sqlite3_column_int(column, XINFO_HIDDEN) != 0) {
		return false; /* generated: the file computes it too */
	}
	return !(rowid_alias_possible &&
		 sqlite3_column_int(column, XINFO_PK) > 0 &&
		 sqlite3_stricmp(text_at(column, XINFO_TYPE), "INTEGER") == 0);
}

static void append_columns(sqlite3_stmt *columns, bool alias_possible,
			   sqlite3_str *names, sqlite3_str *marks, int *ret_n)
{
	int n = 0;

	while (sqlite3_step(columns) == SQLITE_ROW) {
		if (is_carried(columns, alias_possible)) {
			sqlite3_str_appendf(names, "%s\"%w\"", n ? "," : "",
					    text_at(columns, XINFO_NAME));
			sqlite3_str_appendf(marks, "%s?", n ? "," : "");
			n++;
		}
	}
	*ret_n = n;
}

static enum status_code make_statements(struct staged_table *table,
					sqlite3 *image, sqlite3_stmt *columns,
					struct status *reterr)
{
	bool rowid = has_rowid(image, table->name);
	bool alias_possible = rowid && key_columns(columns) == 1;
	sqlite3_str *names = sqlite3_str_new(image);
	sqlite3_str *marks = sqlite3_str_new(image);
	char *names_text;
	char *marks_text;

	append_columns(columns, alias_possible, names, marks,
		       &table->columns_n);
	names_text = sqlite3_str_finish(names);
	marks_text = sqlite3_str_finish(marks);
	if (table->columns_n > 0) {
		table->select_sql = sqlite3_mprintf(
			"SELECT %s FROM \"%w\"%s", names_text, table->name,
			rowid ? " ORDER BY rowid" : "");
		table->insert_sql =
			sqlite3_mprintf("INSERT INTO \"%w\"(%s) VALUES(%s)",
					table->name, names_text, marks_text);
	}
	sqlite3_free(names_text);
	sqlite3_free(marks_text);
	if (table->select_sql == NULL || table->insert_sql == NULL) {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "the schema makes no table '%s' with columns "
				  "to insert",
				  table->name);
	}
	return STATUS_OK;
}

static enum status_code table_init(struct staged_table *table, sqlite3 *image,
				   const char *name, struct status *reterr)
{
	sqlite3_stmt *columns = NULL;
	enum status_code code;
	int rc = open_columns(image, name, &columns);

	table->name = name;
	code = rc == SQLITE_OK ? make_statements(table, image, columns, reterr)
			       : sqlite_fail(image, rc, reterr);
	sqlite3_finalize(columns);
	return code;
}

enum status_code staged_tables_init(struct staged_tables *tables,
				    sqlite3 *image, const char *const *names,
				    struct status *reterr)
{
	size_t n = 0;

	while (names != NULL && names[n] != NULL) {
		n++;
	}
	tables->n = n;
	tables->tables = calloc(n > 0 ? n : 1, sizeof(*tables->tables));
	if (tables->tables == NULL) {
		sqlite_bug("out of memory");
	}
	for (size_t i = 0; i < n; i++) {
		if (table_init(&tables->tables[i], image, names[i], reterr) !=
		    STATUS_OK) {
			staged_tables_release(tables);
			return reterr->code;
		}
	}
	return STATUS_OK;
}

void staged_tables_release(struct staged_tables *tables)
{
	for (size_t i = 0; tables->tables != NULL && i < tables->n; i++) {
		sqlite3_free(tables->tables[i].select_sql);
		sqlite3_free(tables->tables[i].insert_sql);
	}
	free(tables->tables);
	*tables = (struct staged_tables){ 0 };
}
