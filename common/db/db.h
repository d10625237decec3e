/*
 * A database, and transactions that end with the scope they belong to.
 * A port: what is here names no database product. db/sqlite.h opens one.
 *
 * Two kinds of transaction.
 *
 * Staged, for work that waits on others: rows are inserted into a private,
 * memory-only image of the tables, checked there, and hold no lock, no
 * descriptor and no thread while the caller waits. db_txn_commit() publishes
 * them through the one writer of the database, in a group with whatever else is
 * waiting, and tells when they are on disk. Staged transactions insert; they do
 * not see the rows of the database.
 *
 *	struct db_txn *txn;
 *	if (db_txn_begin(db, ctx, &txn, reterr) != STATUS_OK) ...
 *	if (db_txn_insert(txn, INSERT_ECHO, values, 2, reterr) != STATUS_OK) {
 *		db_txn_rollback(txn);	// once, like free()
 *		...
 *	}
 *	... wait, call, think ...
 *	db_txn_commit(txn, on_committed, self);	// txn is not ours any more
 *
 * When the ctx of a staged transaction ends, the transaction is rolled back at
 * that instant by the thread that ended it, and a commit after that is
 * refused. A commit that is still waiting for its group is refused too: the
 * ctx is looked at once more at the last moment before the rows enter the
 * group. After that the commit stands, whatever becomes of the ctx.
 *
 * Immediate, for short read-modify-write work: a function that runs on the
 * writer's thread inside the group's transaction, sees and changes the rows of
 * the database, and whose effects are kept or undone alone.
 *
 * Failures: a conflict with the database's rows fails that member alone
 * (ALREADY_EXISTS, FAILED_PRECONDITION); disk full, read-only, a file that is
 * not at its path any more and other I/O errors fail the group (UNAVAILABLE,
 * RESOURCE_EXHAUSTED or INTERNAL) and the process lives; a failed sync calls
 * options.on_fatal, which must not return (what the disk holds is then unknown,
 * and recovery from the file is the only honest way on).
 *
 * Threads: every function may be called from any thread, a given db_txn from
 * one at a time. Completions run on the database's writer (or reader) thread,
 * never inside the call that asked for them, exactly once, and must not block.
 */
#ifndef RESCIND_DB_H
#define RESCIND_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ctx/ctx.h"
#include "status/status.h"

struct db;
struct db_txn;

/* ---- values ------------------------------------------------------------- */

enum db_type { DB_NULL, DB_INTEGER, DB_REAL, DB_TEXT, DB_BLOB };

struct db_value {
	enum db_type type;
	union {
		int64_t integer;
		double real;
		struct {
			const char *data; /* TEXT: UTF-8, need not end in NUL */
			size_t size;
		};
	};
};

struct db_value db_null(void);
struct db_value db_integer(int64_t value);
struct db_value db_real(double value);
struct db_value db_text(const char *text); /* strlen; NULL gives NULL */
struct db_value db_text_n(const char *text, size_t size);
struct db_value db_blob(const void *data, size_t size);

/*
 * A statement is an index into the list that the database was opened with
 * (options.statements of the adapter), prepared once per connection.
 */
typedef unsigned db_stmt;

/* ---- staged transactions ------------------------------------------------ */

/*
 * RESOURCE_EXHAUSTED when options.staged_max are open; the ctx's own code when
 * it has ended. Takes microseconds and does no I/O.
 */
MUSTCHECK enum status_code db_txn_begin(struct db *db, struct ctx *ctx,
					struct db_txn **ret_txn,
					struct status *reterr);

/*
 * Execute INSERT statement @stmt with @values (borrowed for the call).
 * Fails with the ctx's code once that has ended. After a failure the
 * transaction can only be rolled back.
 */
MUSTCHECK enum status_code db_txn_insert(struct db_txn *txn, db_stmt stmt,
					 const struct db_value *values,
					 size_t values_n,
					 struct status *reterr);

/*
 * @status is OK when the rows are on disk. Otherwise nothing of the
 * transaction is in the database, and the code says why: the ctx's own if it
 * ended before the rows entered the group.
 */
typedef void (*db_done_fn)(const struct status *status, void *arg);

/* Publish. @txn is not the caller's any more; @done is called exactly once. */
void db_txn_commit(struct db_txn *txn, db_done_fn done, void *arg);

/*
 * Undo and give back; to be called once on a transaction that is not
 * committed, also when its ctx has ended (there is nothing left to undo then).
 */
void db_txn_rollback(struct db_txn *txn);

/* ---- immediate transactions and reads ----------------------------------- */

/* What a body works with; valid inside the body only, on its thread only. */
struct db_session;

/* One row of a result; valid inside the row callback. Columns count from 0. */
struct db_row;
bool db_row_is_null(const struct db_row *row, int column);
int64_t db_row_integer(const struct db_row *row, int column);
double db_row_real(const struct db_row *row, int column);
/* NUL-terminated as well; "" for NULL. */
const char *db_row_text(const struct db_row *row, int column, size_t *ret_size);

/*
 * Called per row; false ends the query early (which is not an error).
 */
typedef bool (*db_row_fn)(const struct db_row *row, void *arg);

/*
 * Execute a statement inside a body. @on_row may be NULL.
 * @ret_changes (may be NULL) gets the number of rows changed.
 */
MUSTCHECK enum status_code db_exec(struct db_session *session, db_stmt stmt,
				   const struct db_value *values,
				   size_t values_n, db_row_fn on_row, void *arg,
				   int64_t *ret_changes, struct status *reterr);

/*
 * The body of an immediate transaction or of a read. Other than STATUS_OK
 * undoes what it did. Short: every other writer waits.
 */
typedef enum status_code (*db_body_fn)(struct db_session *session, void *arg,
				       struct status *reterr);

/*
 * Run @body on the writer's thread in the next group. @done as for commit.
 * Not run at all, and @done told the ctx's code, when @ctx ends before.
 */
void db_immediate(struct db *db, struct ctx *ctx, db_body_fn body,
		  db_done_fn done, void *arg);

/*
 * Run @body on the reader's thread, on one consistent snapshot; writing
 * statements fail. Long reads are cut when @ctx ends.
 */
void db_read(struct db *db, struct ctx *ctx, db_body_fn body, db_done_fn done,
	     void *arg);

/* ---- state -------------------------------------------------------------- */

/*
 * Whether the database can take writes, judged from the last thing that the
 * writer tried; after a failure the writer tries again by itself (a bounded
 * probe about once a second), so that this turns OK when the disk recovers.
 */
enum status_code db_health(struct db *db, struct status *reterr);

struct db_stats {
	uint64_t committed;   /* transactions on disk, both kinds */
	uint64_t rolled_back; /* asked for or by ctx */
	uint64_t failed;      /* refused by the database */
	uint64_t groups;      /* group transactions committed */
	uint64_t staged_open; /* staged transactions open now */
	uint64_t queued;      /* waiting for the writer now */
	uint64_t sync_ns;     /* total time spent in COMMIT */
};
void db_stats(struct db *db, struct db_stats *ret_stats);

/*
 * Refuse new work (UNAVAILABLE), finish what is queued, checkpoint and close.
 * Blocks until done; call it when nothing is in flight. NULL is fine.
 * Every staged transaction must have been ended.
 */
void db_close(struct db *db);

/* ---- what an adapter provides ------------------------------------------- */

/* Each does what the function of the same name above says. */
struct db_ops {
	enum status_code (*txn_begin)(struct db *db, struct ctx *ctx,
				      struct db_txn **ret_txn,
				      struct status *reterr);
	enum status_code (*txn_insert)(struct db_txn *txn, db_stmt stmt,
				       const struct db_value *values,
				       size_t values_n, struct status *reterr);
	void (*txn_commit)(struct db_txn *txn, db_done_fn done, void *arg);
	void (*txn_rollback)(struct db_txn *txn);
	void (*immediate)(struct db *db, struct ctx *ctx, db_body_fn body,
			  db_done_fn done, void *arg);
	void (*read)(struct db *db, struct ctx *ctx, db_body_fn body,
		     db_done_fn done, void *arg);
	enum status_code (*exec)(struct db_session *session, db_stmt stmt,
				 const struct db_value *values, size_t values_n,
				 db_row_fn on_row, void *arg,
				 int64_t *ret_changes, struct status *reterr);
	bool (*row_is_null)(const struct db_row *row, int column);
	int64_t (*row_integer)(const struct db_row *row, int column);
	double (*row_real)(const struct db_row *row, int column);
	const char *(*row_text)(const struct db_row *row, int column,
				size_t *ret_size);
	enum status_code (*health)(struct db *db, struct status *reterr);
	void (*stats)(struct db *db, struct db_stats *ret_stats);
	void (*close)(struct db *db);
};

/* The first member of an adapter's own structs. */
struct db {
	const struct db_ops *ops;
};
struct db_txn {
	const struct db_ops *ops;
};
struct db_session {
	const struct db_ops *ops;
};
struct db_row {
	const struct db_ops *ops;
};

#endif
