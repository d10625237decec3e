#include "db/db.h"

#include <string.h>

/* ---- values ------------------------------------------------------------- */

struct db_value db_null(void)
{
	return (struct db_value){ .type = DB_NULL };
}

struct db_value db_integer(int64_t value)
{
	return (struct db_value){ .type = DB_INTEGER, .integer = value };
}

struct db_value db_real(double value)
{
	return (struct db_value){ .type = DB_REAL, .real = value };
}

struct db_value db_text(const char *text)
{
	if (text == NULL) {
		return db_null();
	}
	return db_text_n(text, strlen(text));
}

struct db_value db_text_n(const char *text, size_t size)
{
	return (struct db_value){ .type = DB_TEXT, .data = text, .size = size };
}

struct db_value db_blob(const void *data, size_t size)
{
	return (struct db_value){ .type = DB_BLOB, .data = data, .size = size };
}

/* ---- dispatch ----------------------------------------------------------- */

enum status_code db_txn_begin(struct db *db, struct ctx *ctx,
			      struct db_txn **ret_txn, struct status *reterr)
{
	return db->ops->txn_begin(db, ctx, ret_txn, reterr);
}

enum status_code db_txn_insert(struct db_txn *txn, db_stmt stmt,
			       const struct db_value *values, size_t values_n,
			       struct status *reterr)
{
	return txn->ops->txn_insert(txn, stmt, values, values_n, reterr);
}

void db_txn_commit(struct db_txn *txn, db_done_fn done, void *arg)
{
	txn->ops->txn_commit(txn, done, arg);
}

void db_txn_rollback(struct db_txn *txn)
{
	txn->ops->txn_rollback(txn);
}

bool db_row_is_null(const struct db_row *row, int column)
{
	return row->ops->row_is_null(row, column);
}

int64_t db_row_integer(const struct db_row *row, int column)
{
	return row->ops->row_integer(row, column);
}

double db_row_real(const struct db_row *row, int column)
{
	return row->ops->row_real(row, column);
}

const char *db_row_text(const struct db_row *row, int column, size_t *ret_size)
{
	return row->ops->row_text(row, column, ret_size);
}

enum status_code db_exec(struct db_session *session, db_stmt stmt,
			 const struct db_value *values, size_t values_n,
			 db_row_fn on_row, void *arg, int64_t *ret_changes,
			 struct status *reterr)
{
	return session->ops->exec(session, stmt, values, values_n, on_row, arg,
				  ret_changes, reterr);
}

void db_immediate(struct db *db, struct ctx *ctx, db_body_fn body,
		  db_done_fn done, void *arg)
{
	db->ops->immediate(db, ctx, body, done, arg);
}

void db_read(struct db *db, struct ctx *ctx, db_body_fn body, db_done_fn done,
	     void *arg)
{
	db->ops->read(db, ctx, body, done, arg);
}

enum status_code db_health(struct db *db, struct status *reterr)
{
	return db->ops->health(db, reterr);
}

void db_stats(struct db *db, struct db_stats *ret_stats)
{
	db->ops->stats(db, ret_stats);
}

void db_close(struct db *db)
{
	if (db != NULL) {
		db->ops->close(db);
	}
}
