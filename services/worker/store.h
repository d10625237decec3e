/*
 * Where tasks are kept, and what is prepared of them: the schema, and the
 * statements as the database port counts them. Names no database product; the
 * program that opens the database hands these to its adapter.
 */
#ifndef RESCIND_WORKER_STORE_H
#define RESCIND_WORKER_STORE_H

#include "db/db.h"
#include "twopc/prepared.h"

/* Creates what is missing. */
extern const char worker_store_schema[];
/* The tables that staged transactions insert into; ends in NULL. */
extern const char *const worker_store_tables[];

enum {
	WORKER_STORE_INSERT,
	WORKER_STORE_TWOPC, /* the first of those of twopc/prepared.h */
	WORKER_STORE_STMT_NR = WORKER_STORE_TWOPC + TWOPC_PREPARED_STMT_NR,
};
extern const char *const worker_store_statements[WORKER_STORE_STMT_NR];

/* Insert a task into @txn; the texts are borrowed for the call. */
MUSTCHECK enum status_code worker_store_insert(struct db_txn *txn,
					       const char *task_id,
					       const char *data,
					       struct status *reterr);

/* The same, of a task that was prepared, in an immediate transaction. */
MUSTCHECK enum status_code
worker_store_apply(struct db_session *session, const char *task_id,
		   const char *data, size_t data_size, struct status *reterr);

#endif
