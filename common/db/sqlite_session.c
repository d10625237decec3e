#include "db/sqlite_session.h"

#include <stdlib.h>

#include "db/sqlite_conn.h"
#include "db/sqlite_error.h"
#include "db/sqlite_open.h"

/* Instructions between two looks at the ctx: some 20 us. */
enum { LOOK_EVERY = 1000 };

struct row {
	struct db_row base; /* first */
	sqlite3_stmt *stmt;
};

/* ---- life --------------------------------------------------------------- */

/* SQLite asks whether to go on with a long statement: not once it is moot. */
static int is_moot(void *arg)
{
	struct session *session = arg;

	return session->ctx != NULL && ctx_ended(session->ctx);
}

static enum status_code prepare_all(struct session *session,
				    const char *const *statements,
				    struct status *reterr)
{
	for (size_t i = 0; i < session->stmts_n; i++) {
		int rc = conn_prepare(session->db, statements[i],
				      &session->stmts[i]);

		if (rc != SQLITE_OK) {
			(void)sqlite_fail(session->db, rc, reterr);
			status_wrap(reterr, "statement %zu", i);
			reterr->code = STATUS_INVALID_ARGUMENT;
			return reterr->code;
		}
	}
	return STATUS_OK;
}

enum status_code session_init(struct session *session, sqlite3 *db,
			      const char *const *statements,
			      size_t statements_n, bool readonly,
			      struct status *reterr)
{
	*session = (struct session){ .base = { .ops = &sqlite_ops },
				     .db = db,
				     .stmts_n = statements_n,
				     .readonly = readonly };
	session->stmts = calloc(statements_n + 1, sizeof(sqlite3_stmt *));
	if (session->stmts == NULL) {
		sqlite_bug("out of memory");
	}
	if (readonly) {
		sqlite3_progress_handler(db, LOOK_EVERY, is_moot, session);
	}
	return prepare_all(session, statements, reterr);
}

void session_release(struct session *session)
{
	for (size_t i = 0; i < session->stmts_n; i++) {
		sqlite3_finalize(session->stmts[i]);
	}
	free(session->stmts);
	if (sqlite3_close(session->db) != SQLITE_OK) {
		sqlite_bug("close: %s", sqlite3_errmsg(session->db));
	}
	*session = (struct session){ 0 };
}

/* ---- failures ----------------------------------------------------------- */

void session_reset(struct session *session)
{
	session->failed_rc = SQLITE_OK;
	session->broken_rc = SQLITE_OK;
}

enum status_code session_fail(struct session *session, int rc,
			      struct status *reterr)
{
	struct status err;

	if (session->readonly && (rc & 0xFF) == SQLITE_INTERRUPT &&
	    session->ctx != NULL) {
		(void)ctx_cause(session->ctx, &err);
	} else {
		(void)sqlite_fail(session->db, rc, &err);
	}
	if (session->failed_rc == SQLITE_OK) {
		session->failed_rc = rc;
	}
	if (session->broken_rc == SQLITE_OK && sqlite_is_group_failure(rc)) {
		session->broken_rc = rc;
		session->broken = err;
	}
	if (reterr != NULL) {
		*reterr = err;
	}
	return err.code;
}

/* ---- executing ---------------------------------------------------------- */

static sqlite3_stmt *stmt_of(struct session *session, db_stmt stmt)
{
	if (stmt >= session->stmts_n) {
		sqlite_bug("there is no statement %u", stmt);
	}
	if (sqlite3_stmt_busy(session->stmts[stmt])) {
		sqlite_bug("executed inside its own row callback: %s",
			   sqlite3_sql(session->stmts[stmt]));
	}
	return session->stmts[stmt];
}

/* Rows to @on_row until it has enough; SQLITE_OK or what went wrong. */
static int step_rows(sqlite3_stmt *stmt, db_row_fn on_row, void *arg)
{
	struct row row = { .base = { .ops = &sqlite_ops }, .stmt = stmt };
	int rc;

	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		if (on_row != NULL && !on_row(&row.base, arg)) {
			return SQLITE_OK;
		}
	}
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static enum status_code execute(struct session *session, sqlite3_stmt *stmt,
				db_row_fn on_row, void *arg,
				struct status *reterr)
{
	enum status_code code = STATUS_OK;
	int rc = step_rows(stmt, on_row, arg);

	if (rc != SQLITE_OK) {
		code = session_fail(session, rc, reterr);
	}
	(void)sqlite3_reset(stmt); /* says again what step said */
	return code;
}

enum status_code session_exec(struct db_session *base, db_stmt stmt_index,
			      const struct db_value *values, size_t values_n,
			      db_row_fn on_row, void *arg, int64_t *ret_changes,
			      struct status *reterr)
{
	struct session *session = (struct session *)base;
	sqlite3_stmt *stmt = stmt_of(session, stmt_index);
	bool reads = sqlite3_stmt_readonly(stmt);
	enum status_code code;
	int rc;

	if (session->readonly && !reads) {
		return status_set(reterr, STATUS_FAILED_PRECONDITION,
				  "a read can't write: %s", sqlite3_sql(stmt));
	}
	rc = conn_bind(stmt, values, values_n);
	if (rc != SQLITE_OK) {
		return session_fail(session, rc, reterr);
	}
	code = execute(session, stmt, on_row, arg, reterr);
	if (code == STATUS_OK && ret_changes != NULL) {
		*ret_changes = reads ? 0 : sqlite3_changes64(session->db);
	}
	return code;
}

/* ---- rows --------------------------------------------------------------- */

static sqlite3_stmt *stmt_of_row(const struct db_row *base)
{
	return ((const struct row *)base)->stmt;
}

bool row_is_null(const struct db_row *base, int column)
{
	return sqlite3_column_type(stmt_of_row(base), column) == SQLITE_NULL;
}

int64_t row_integer(const struct db_row *base, int column)
{
	return sqlite3_column_int64(stmt_of_row(base), column);
}

double row_real(const struct db_row *base, int column)
{
	return sqlite3_column_double(stmt_of_row(base), column);
}

const char *row_text(const struct db_row *base, int column, size_t *ret_size)
{
	sqlite3_stmt *stmt = stmt_of_row(base);
	const char *text = (const char *)sqlite3_column_text(stmt, column);

	if (ret_size != NULL) {
		*ret_size = (size_t)sqlite3_column_bytes(stmt, column);
	}
	return text != NULL ? text : "";
}
