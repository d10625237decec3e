/*
 * A connection to the file with all statements prepared, as a body sees it
 * through db_exec(). The writer and the reader have one each.
 *
 * Threads: the one whose connection it is.
 */
#ifndef RESCIND_DB_SQLITE_SESSION_H
#define RESCIND_DB_SQLITE_SESSION_H

#include <sqlite3.h>

#include "db/db.h"

struct session {
	struct db_session base; /* first */
	sqlite3 *db;
	sqlite3_stmt **stmts;
	size_t stmts_n;
	bool readonly;
	/* Who runs now; a read is cut when this has ended. NULL: not cut. */
	struct ctx *ctx;
	/* The first failure that the database reported, SQLITE_OK for none. */
	int failed_rc;
	/* The first that concerns the whole group, with its text. */
	int broken_rc;
	struct status broken;
};

/*
 * Take over the open connection @db (also on failure). INVALID_ARGUMENT naming
 * the statement that does not compile.
 */
MUSTCHECK enum status_code session_init(struct session *session, sqlite3 *db,
					const char *const *statements,
					size_t statements_n, bool readonly,
					struct status *reterr);
/* Closes the connection; an empty or released one is fine. */
void session_release(struct session *session);

/* Forget failures, before the next user. */
void session_reset(struct session *session);

/* Remember @rc, say it in @reterr, and answer its code. */
enum status_code session_fail(struct session *session, int rc,
			      struct status *reterr);

/* The functions of struct db_ops. */
enum status_code session_exec(struct db_session *base, db_stmt stmt,
			      const struct db_value *values, size_t values_n,
			      db_row_fn on_row, void *arg, int64_t *ret_changes,
			      struct status *reterr);
bool row_is_null(const struct db_row *base, int column);
int64_t row_integer(const struct db_row *base, int column);
double row_real(const struct db_row *base, int column);
const char *row_text(const struct db_row *base, int column, size_t *ret_size);

#endif
