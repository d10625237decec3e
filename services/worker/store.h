/*
 * Where tasks are kept: the schema, and the statements as the database port
 * counts them. Names no database product; the program that opens the database
 * hands these to its adapter.
 */
#ifndef RESCIND_WORKER_STORE_H
#define RESCIND_WORKER_STORE_H

#include "db/db.h"

/* Creates what is missing. */
extern const char worker_store_schema[];
/* The tables that staged transactions insert into; ends in NULL. */
extern const char *const worker_store_tables[];

enum worker_store_stmt {
	WORKER_STORE_INSERT,
	WORKER_STORE_STMT_NR,
};
extern const char *const worker_store_statements[WORKER_STORE_STMT_NR];

/* Insert a task into @txn; the texts are borrowed for the call. */
MUSTCHECK enum status_code worker_store_insert(struct db_txn *txn,
					       const char *task_id,
					       const char *data,
					       struct status *reterr);

#endif
