#include "worker/store.h"

const char worker_store_schema[] =
	"CREATE TABLE IF NOT EXISTS worker_tasks ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" task_id TEXT NOT NULL,"
	" data TEXT NOT NULL,"
	" created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP"
	");" TWOPC_PREPARED_SCHEMA;

const char *const worker_store_tables[] = { "worker_tasks", NULL };

const char *const worker_store_statements[WORKER_STORE_STMT_NR] = {
	[WORKER_STORE_INSERT] =
		"INSERT INTO worker_tasks (task_id, data) VALUES (?, ?)",
	TWOPC_PREPARED_STATEMENTS(WORKER_STORE_TWOPC)
};

enum status_code worker_store_insert(struct db_txn *txn, const char *task_id,
				     const char *data, struct status *reterr)
{
	const struct db_value values[] = { db_text(task_id), db_text(data) };

	return db_txn_insert(txn, WORKER_STORE_INSERT, values, 2, reterr);
}

enum status_code worker_store_apply(struct db_session *session,
				    const char *task_id, const char *data,
				    size_t data_size, struct status *reterr)
{
	const struct db_value values[] = { db_text(task_id),
					   db_text_n(data, data_size) };

	return db_exec(session, WORKER_STORE_INSERT, values, 2, NULL, NULL,
		       NULL, reterr);
}
