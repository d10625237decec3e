#include "echo/store.h"

const char echo_store_schema[] =
	"CREATE TABLE IF NOT EXISTS echo_requests ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" request_id TEXT NOT NULL,"
	" message TEXT NOT NULL,"
	" created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP"
	");";

const char *const echo_store_tables[] = { "echo_requests", NULL };

/* Ids count up from 1: a negative one collides with nothing, and does not
 * change what the next will be. */
const char *const echo_store_statements[ECHO_STORE_STMT_NR] = {
	[ECHO_STORE_INSERT] = "INSERT INTO echo_requests (request_id, message)"
			      " VALUES (?, ?)",
	[ECHO_STORE_TRY_INSERT] =
		"INSERT INTO echo_requests (id, request_id, message)"
		" VALUES (-1, '', '')",
	[ECHO_STORE_TRY_DELETE] = "DELETE FROM echo_requests WHERE id = -1",
};

enum status_code echo_store_insert(struct db_txn *txn, const char *request_id,
				   const char *message, struct status *reterr)
{
	const struct db_value values[] = { db_text(request_id),
					   db_text(message) };

	return db_txn_insert(txn, ECHO_STORE_INSERT, values, 2, reterr);
}

enum status_code echo_store_try_lock(struct db_session *session, void *arg,
				     struct status *reterr)
{
	(void)session;
	(void)arg;
	(void)reterr;
	return STATUS_OK;
}

enum status_code echo_store_try_write(struct db_session *session, void *arg,
				      struct status *reterr)
{
	enum status_code code;

	(void)arg;
	code = db_exec(session, ECHO_STORE_TRY_INSERT, NULL, 0, NULL, NULL,
		       NULL, reterr);
	if (code != STATUS_OK) {
		return code;
	}
	return db_exec(session, ECHO_STORE_TRY_DELETE, NULL, 0, NULL, NULL,
		       NULL, reterr);
}
