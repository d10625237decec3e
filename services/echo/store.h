/*
 * Where requests are kept: the schema, and the statements as the database port
 * counts them. Names no database product; the program that opens the database
 * hands these to its adapter.
 */
#ifndef RESCIND_ECHO_STORE_H
#define RESCIND_ECHO_STORE_H

#include "db/db.h"

/* Creates what is missing. */
extern const char echo_store_schema[];
/* The tables that staged transactions insert into; ends in NULL. */
extern const char *const echo_store_tables[];

enum echo_store_stmt {
	ECHO_STORE_INSERT,
	ECHO_STORE_TRY_INSERT,
	ECHO_STORE_TRY_DELETE,
	ECHO_STORE_STMT_NR,
};
extern const char *const echo_store_statements[ECHO_STORE_STMT_NR];

/* Insert a request into @txn; the texts are borrowed for the call. */
MUSTCHECK enum status_code echo_store_insert(struct db_txn *txn,
					     const char *request_id,
					     const char *message,
					     struct status *reterr);

/*
 * Bodies of immediate transactions that prove something of the database at this
 * moment and leave nothing behind; @arg is unused.
 *
 * That no other program keeps it locked: by being run at all. Costs no sync.
 */
enum status_code echo_store_try_lock(struct db_session *session, void *arg,
				     struct status *reterr);
/* And that the disk takes writes: by a row that no request can have. */
enum status_code echo_store_try_write(struct db_session *session, void *arg,
				      struct status *reterr);

#endif
