#include "echo/store.h"

#include <stdio.h>

const char echo_store_schema[] =
	"CREATE TABLE IF NOT EXISTS echo_requests ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" request_id TEXT NOT NULL,"
	" message TEXT NOT NULL,"
	" created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP"
	");"
	"CREATE INDEX IF NOT EXISTS echo_requests_by_request_id"
	" ON echo_requests (request_id);"
	"CREATE TABLE IF NOT EXISTS echo_idempotency ("
	" key TEXT NOT NULL PRIMARY KEY,"
	" fingerprint TEXT NOT NULL,"
	" request_id TEXT NOT NULL,"
	" transaction_id TEXT NOT NULL,"
	" message TEXT NOT NULL,"
	" created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP"
	") WITHOUT ROWID;" TWOPC_DECISIONS_SCHEMA;

const char *const echo_store_tables[] = { "echo_requests", "echo_idempotency",
					  TWOPC_DECISIONS_TABLE, NULL };

/* Ids count up from 1: a negative one collides with nothing, and does not
 * change what the next will be. */
const char *const echo_store_statements[ECHO_STORE_STMT_NR] = {
	[ECHO_STORE_INSERT] = "INSERT INTO echo_requests (request_id, message)"
			      " VALUES (?, ?)",
	[ECHO_STORE_TRY_INSERT] =
		"INSERT INTO echo_requests (id, request_id, message)"
		" VALUES (-1, '', '')",
	[ECHO_STORE_TRY_DELETE] = "DELETE FROM echo_requests WHERE id = -1",
	[ECHO_STORE_FIND] =
		"SELECT 1 FROM echo_requests WHERE request_id = ?1 LIMIT 1",
	[ECHO_STORE_FIND_DECIDED] =
		"SELECT transaction_id FROM twopc_decisions WHERE note = ?1",
	[ECHO_STORE_INSERT_KEY] =
		"INSERT INTO echo_idempotency (key, fingerprint, request_id,"
		" transaction_id, message) VALUES (?1, ?2, ?3, ?4, ?5)",
	[ECHO_STORE_FIND_KEY] =
		"SELECT fingerprint, request_id, transaction_id, message"
		" FROM echo_idempotency WHERE key = ?1",
	TWOPC_DECISIONS_STATEMENTS(ECHO_STORE_TWOPC)
};

/* ---- requests ----------------------------------------------------------- */

enum status_code echo_store_insert(struct db_txn *txn, const char *request_id,
				   const char *message, struct status *reterr)
{
	const struct db_value values[] = { db_text(request_id),
					   db_text(message) };

	return db_txn_insert(txn, ECHO_STORE_INSERT, values, 2, reterr);
}

static bool on_found(const struct db_row *row, void *arg)
{
	struct echo_store_find *find = arg;

	(void)row;
	find->found = true;
	return false;
}

static bool on_decided(const struct db_row *row, void *arg)
{
	struct echo_store_find *find = arg;

	find->on_decided(db_row_text(row, 0, NULL), find->arg);
	return true;
}

/* The decisions are few, and not looked for by name but here: no index. */
enum status_code echo_store_find(struct db_session *session, void *arg,
				 struct status *reterr)
{
	struct echo_store_find *find = arg;
	const struct db_value values[] = { db_text(find->request_id) };
	enum status_code code;

	find->found = false;
	code = db_exec(session, ECHO_STORE_FIND, values, 1, on_found, find,
		       NULL, reterr);
	if (code != STATUS_OK || !find->found) {
		return code;
	}
	return db_exec(session, ECHO_STORE_FIND_DECIDED, values, 1, on_decided,
		       find, NULL, reterr);
}

/* ---- idempotency keys --------------------------------------------------- */

enum status_code echo_store_insert_key(struct db_txn *txn,
				       const struct echo_store_outcome *outcome,
				       struct status *reterr)
{
	const struct db_value values[] = {
		db_text(outcome->key),	      db_text(outcome->fingerprint),
		db_text(outcome->request_id), db_text(outcome->transaction_id),
		db_text(outcome->message),
	};

	return db_txn_insert(txn, ECHO_STORE_INSERT_KEY, values, 5, reterr);
}

static void copy(char *to, size_t size, const struct db_row *row, int column)
{
	snprintf(to, size, "%s", db_row_text(row, column, NULL));
}

static bool on_key(const struct db_row *row, void *arg)
{
	struct echo_store_find_key *find = arg;
	struct echo_store_outcome *outcome = &find->outcome;

	find->found = true;
	copy(outcome->fingerprint, sizeof(outcome->fingerprint), row, 0);
	copy(outcome->request_id, sizeof(outcome->request_id), row, 1);
	copy(outcome->transaction_id, sizeof(outcome->transaction_id), row, 2);
	copy(outcome->message, sizeof(outcome->message), row, 3);
	return false;
}

enum status_code echo_store_find_key(struct db_session *session, void *arg,
				     struct status *reterr)
{
	struct echo_store_find_key *find = arg;
	const struct db_value values[] = { db_text(find->outcome.key) };

	find->found = false;
	return db_exec(session, ECHO_STORE_FIND_KEY, values, 1, on_key, find,
		       NULL, reterr);
}

/* ---- trials ------------------------------------------------------------- */

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
