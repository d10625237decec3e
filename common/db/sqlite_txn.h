/* Staged transactions: the functions of struct db_ops. */
#ifndef RESCIND_DB_SQLITE_TXN_H
#define RESCIND_DB_SQLITE_TXN_H

#include "db/db.h"

enum status_code txn_begin(struct db *db, struct ctx *ctx,
			   struct db_txn **ret_txn, struct status *reterr);
enum status_code txn_insert(struct db_txn *txn, db_stmt stmt,
			    const struct db_value *values, size_t values_n,
			    struct status *reterr);
void txn_commit(struct db_txn *txn, db_done_fn done, void *arg);
void txn_rollback(struct db_txn *txn);

#endif
