#include "db/sqlite_writer.h"

#include <stdlib.h>

#include "db/sqlite_conn.h"
#include "db/sqlite_error.h"
#include "failpoint/failpoint.h"

/* ---- life --------------------------------------------------------------- */

static int prepare_all(struct writer *writer)
{
	const struct staged_tables *tables = &writer->plan->tables;
	const struct {
		const char *sql;
		sqlite3_stmt **stmt;
	} own[] = {
		{ "BEGIN IMMEDIATE", &writer->begin },
		{ "COMMIT", &writer->commit },
		{ "ROLLBACK", &writer->rollback },
		{ "SAVEPOINT member", &writer->savepoint },
		{ "RELEASE member", &writer->release },
		{ "ROLLBACK TO member", &writer->undo },
	};
	sqlite3 *db = writer->session.db;
	int rc = SQLITE_OK;

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		if (rc == SQLITE_OK) {
			rc = conn_prepare(db, own[i].sql, own[i].stmt);
		}
	}
	for (size_t i = 0; i < tables->n && rc == SQLITE_OK; i++) {
		rc = conn_prepare(db, tables->tables[i].insert_sql,
				  &writer->inserts[i]);
	}
	return rc;
}

enum status_code writer_init(struct writer *writer, sqlite3 *db,
			     const struct image_plan *plan,
			     struct status *reterr)
{
	int rc;

	*writer = (struct writer){ .plan = plan };
	writer->inserts = calloc(plan->tables.n + 1, sizeof(sqlite3_stmt *));
	if (writer->inserts == NULL) {
		sqlite_bug("out of memory");
	}
	if (session_init(&writer->session, db, plan->statements,
			 plan->statements_n, false, reterr) != STATUS_OK) {
		return reterr->code;
	}
	wal_init(&writer->wal, db);
	rc = prepare_all(writer);
	return rc == SQLITE_OK ? STATUS_OK : sqlite_fail(db, rc, reterr);
}

void writer_release(struct writer *writer)
{
	sqlite3_stmt *own[] = { writer->begin,	  writer->commit,
				writer->rollback, writer->savepoint,
				writer->release,  writer->undo };

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		sqlite3_finalize(own[i]);
	}
	for (size_t i = 0; i < writer->plan->tables.n; i++) {
		sqlite3_finalize(writer->inserts[i]);
	}
	free(writer->inserts);
	session_release(&writer->session);
}

/* ---- the group ---------------------------------------------------------- */

int writer_begin(struct writer *writer)
{
	int rc;

	session_reset(&writer->session);
	FAILPOINT("db.begin.before");
	rc = conn_run(writer->begin);
	FAILPOINT("db.begin.after");
	return rc;
}

int writer_commit(struct writer *writer)
{
	int rc;

	FAILPOINT("db.commit.before");
	rc = conn_run(writer->commit);
	FAILPOINT("db.commit.after");
	return rc;
}

void writer_rollback(struct writer *writer)
{
	if (!sqlite3_get_autocommit(writer->session.db)) {
		/* In WAL it only forgets pages; an error undoes as well. */
		(void)conn_run(writer->rollback);
	}
}

/* ---- a member ----------------------------------------------------------- */

/* Foreign keys that are checked at COMMIT would fail the members together. */
static bool leaves_dangling_keys(sqlite3 *db)
{
	int unresolved = 0;
	int highest = 0;

	(void)sqlite3_db_status(db, SQLITE_DBSTATUS_DEFERRED_FKS, &unresolved,
				&highest, 0);
	return unresolved != 0;
}

/* Whether the group's transaction is as it should be. */
static bool is_whole(struct session *session)
{
	if (session->broken_rc != SQLITE_OK) {
		return false;
	}
	if (!sqlite3_get_autocommit(session->db)) {
		return true;
	}
	/* ON CONFLICT ROLLBACK, RAISE(ROLLBACK): it took the others along. */
	session->broken_rc = SQLITE_ABORT_ROLLBACK;
	status_set(&session->broken, STATUS_ABORTED,
		   "the group was rolled back by a conflict clause of one of "
		   "its members");
	return false;
}

static bool run_or_break(struct session *session, sqlite3_stmt *stmt)
{
	int rc = conn_run(stmt);

	if (rc != SQLITE_OK) {
		(void)session_fail(session, rc, NULL);
		session->broken_rc = rc;
		(void)sqlite_fail(session->db, rc, &session->broken);
	}
	return rc == SQLITE_OK;
}

static void run_job(struct writer *writer, struct job *job)
{
	struct session *session = &writer->session;
	enum status_code code;

	session->failed_rc = SQLITE_OK;
	code = job->kind->run(job, session, &job->status);
	job->status.code = code;
	if (code == STATUS_OK && leaves_dangling_keys(session->db)) {
		status_set(&job->status, STATUS_FAILED_PRECONDITION,
			   "FOREIGN KEY constraint failed");
	}
}

bool writer_member(struct writer *writer, struct job *job)
{
	struct session *session = &writer->session;

	FAILPOINT("db.member.before");
	if (!run_or_break(session, writer->savepoint)) {
		return false;
	}
	run_job(writer, job);
	FAILPOINT("db.member.after");
	if (!is_whole(session)) {
		return false;
	}
	if (job->status.code != STATUS_OK &&
	    !run_or_break(session, writer->undo)) {
		return false;
	}
	return run_or_break(session, writer->release);
}

/* ---- publishing --------------------------------------------------------- */

/* The image's row stays put while the file's statement runs: no copy. */
static int bind_column(sqlite3_stmt *insert, int at, sqlite3_stmt *row)
{
	int column = at - 1;

	switch (sqlite3_column_type(row, column)) {
	case SQLITE_INTEGER:
		return sqlite3_bind_int64(insert, at,
					  sqlite3_column_int64(row, column));
	case SQLITE_FLOAT:
		return sqlite3_bind_double(insert, at,
					   sqlite3_column_double(row, column));
	case SQLITE_TEXT:
		return sqlite3_bind_text(
			insert, at,
			(const char *)sqlite3_column_text(row, column),
			sqlite3_column_bytes(row, column), SQLITE_STATIC);
	case SQLITE_BLOB:
		/* Without a pointer it would be NULL instead of empty. */
		if (sqlite3_column_bytes(row, column) == 0) {
			return sqlite3_bind_zeroblob(insert, at, 0);
		}
		return sqlite3_bind_blob(
			insert, at, sqlite3_column_blob(row, column),
			sqlite3_column_bytes(row, column), SQLITE_STATIC);
	default:
		return sqlite3_bind_null(insert, at);
	}
}

static int copy_row(sqlite3_stmt *insert, sqlite3_stmt *row, int columns_n)
{
	int rc = SQLITE_OK;

	for (int at = 1; at <= columns_n && rc == SQLITE_OK; at++) {
		rc = bind_column(insert, at, row);
	}
	return rc == SQLITE_OK ? conn_run(insert) : rc;
}

static int copy_table(sqlite3_stmt *insert, sqlite3_stmt *rows, int columns_n)
{
	int rc;

	while ((rc = sqlite3_step(rows)) == SQLITE_ROW) {
		rc = copy_row(insert, rows, columns_n);
		if (rc != SQLITE_OK) {
			break;
		}
	}
	(void)sqlite3_reset(rows);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

enum status_code writer_publish(struct writer *writer, struct image *image,
				struct status *reterr)
{
	const struct staged_tables *tables = &writer->plan->tables;

	for (size_t i = 0; i < tables->n; i++) {
		int rc = copy_table(writer->inserts[i], image->selects[i],
				    tables->tables[i].columns_n);

		if (rc != SQLITE_OK) {
			return session_fail(&writer->session, rc, reterr);
		}
	}
	return STATUS_OK;
}

/* ---- probing ------------------------------------------------------------ */

bool writer_is_orphaned(struct writer *writer)
{
	int moved = 0;

	/* Who can't tell leaves it alone. */
	(void)sqlite3_file_control(writer->session.db, "main",
				   SQLITE_FCNTL_HAS_MOVED, &moved);
	return moved != 0;
}

static int rewrite_version(sqlite3 *db)
{
	int64_t version;
	char *sql;
	int rc = conn_query_int(db, "PRAGMA user_version", &version);

	if (rc != SQLITE_OK) {
		return rc;
	}
	sql = sqlite3_mprintf("PRAGMA user_version=%lld", (long long)version);
	if (sql == NULL) {
		return SQLITE_NOMEM;
	}
	rc = conn_exec(db, sql);
	sqlite3_free(sql);
	return rc;
}

int writer_probe(struct writer *writer)
{
	int rc = writer_begin(writer);

	if (rc == SQLITE_OK) {
		rc = rewrite_version(writer->session.db);
	}
	if (rc == SQLITE_OK) {
		rc = writer_commit(writer);
	}
	writer_rollback(writer);
	return rc;
}
