/*
 * Where requests are kept: the schema, and the statements as the database port
 * counts them. Names no database product; the program that opens the database
 * hands these to its adapter.
 */
#ifndef RESCIND_ECHO_STORE_H
#define RESCIND_ECHO_STORE_H

#include "db/db.h"
#include "twopc/decisions_sql.h"
#include "twopc/id.h"

enum {
	ECHO_REQUEST_ID_SIZE_MAX = 256,
	ECHO_MESSAGE_SIZE_MAX = 16 * 1024,
	ECHO_KEY_SIZE_MAX = 255,
	ECHO_FINGERPRINT_SIZE = 33, /* hex, and NUL */
};

/* Creates what is missing. */
extern const char echo_store_schema[];
/* The tables that staged transactions insert into; ends in NULL. */
extern const char *const echo_store_tables[];

enum echo_store_stmt {
	ECHO_STORE_INSERT,
	ECHO_STORE_TRY_INSERT,
	ECHO_STORE_TRY_DELETE,
	ECHO_STORE_FIND,
	ECHO_STORE_FIND_DECIDED,
	ECHO_STORE_INSERT_KEY,
	ECHO_STORE_FIND_KEY,
	ECHO_STORE_TWOPC, /* those of twopc/decisions.h */
	ECHO_STORE_STMT_NR =
		(int)ECHO_STORE_TWOPC + (int)TWOPC_DECISIONS_STMT_NR,
};
extern const char *const echo_store_statements[ECHO_STORE_STMT_NR];

/* ---- requests ----------------------------------------------------------- */

/* Insert a request into @txn; the texts are borrowed for the call. */
MUSTCHECK enum status_code echo_store_insert(struct db_txn *txn,
					     const char *request_id,
					     const char *message,
					     struct status *reterr);

/* What became of a request, as a read finds it. */
struct echo_store_find {
	const char *request_id;
	bool found;
	/* Called for each transaction under that name whose decision is still
	 * on disk: confirmed a moment ago, or not yet. */
	void (*on_decided)(const char *transaction_id, void *arg);
	void *arg;
};
/* Body of a read; @arg: struct echo_store_find. */
enum status_code echo_store_find(struct db_session *session, void *arg,
				 struct status *reterr);

/* ---- idempotency keys --------------------------------------------------- */

/* An outcome that is kept under a key. */
struct echo_store_outcome {
	char key[ECHO_KEY_SIZE_MAX + 1];
	char fingerprint[ECHO_FINGERPRINT_SIZE]; /* of what was asked */
	char request_id[ECHO_REQUEST_ID_SIZE_MAX + 1];
	char transaction_id[TWOPC_ID_SIZE]; /* "": in one phase */
	char message[STATUS_MESSAGE_SIZE];
};
/* Into the transaction of the request itself. */
MUSTCHECK enum status_code
echo_store_insert_key(struct db_txn *txn,
		      const struct echo_store_outcome *outcome,
		      struct status *reterr);

struct echo_store_find_key {
	struct echo_store_outcome outcome; /* the key is given */
	bool found;
};
/* Body of a read; @arg: struct echo_store_find_key. */
enum status_code echo_store_find_key(struct db_session *session, void *arg,
				     struct status *reterr);

/* ---- trials ------------------------------------------------------------- */

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
