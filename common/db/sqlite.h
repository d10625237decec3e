/*
 * The SQLite adapter of db/db.h: WAL, synchronous=FULL, one writer thread and
 * one reader thread a database file, a pool of private memory-only connections
 * for staged transactions.
 */
#ifndef RESCIND_DB_SQLITE_H
#define RESCIND_DB_SQLITE_H

#include "db/db.h"

/*
 * Statements that a staged transaction may use are plain INSERT ... VALUES into
 * one of the staged tables; to use another one there stops the process. What
 * such an INSERT says about conflicts (OR IGNORE, OR REPLACE) holds among the
 * rows of its own transaction alone; a conflict with the file's rows fails the
 * transaction. All statements can be used in immediate transactions, those that
 * do not write also in reads.
 *
 * Foreign keys are enforced in the file, at the end of each transaction where
 * they are deferred. A conflict clause that rolls back (ON CONFLICT ROLLBACK,
 * RAISE(ROLLBACK)) takes along the whole group, whose members are told ABORTED:
 * better not to have any.
 *
 * Other programs may read and write the file meanwhile. While one holds its
 * write lock, commits wait within their ctx; db_health() says so after a
 * second.
 */
struct db_sqlite_options {
	const char *path;
	/*
	 * Statements that make the schema where it is missing (CREATE TABLE IF
	 * NOT EXISTS ...), run at open on the file and on every private image.
	 */
	const char *schema;
	/*
	 * Names of the tables that staged transactions insert into, ending in
	 * NULL. At publish every column but an INTEGER PRIMARY KEY (which the
	 * file assigns) is carried over. Triggers are run then, in the file
	 * alone.
	 */
	const char *const *staged_tables;
	/* What db_stmt counts into. Must outlive the database. */
	const char *const *statements;
	size_t statements_n;
	/* Open staged transactions at most (default 4096 when 0). */
	size_t staged_max;
	/* Private connections kept ready when idle (default 8 when 0). */
	size_t staged_idle;
	/* Members of a group at most (default 256 when 0). */
	size_t group_max;
	/* SQLite VFS to use, NULL for the default (tests inject faults here).
	 */
	const char *vfs;
	/* A sync failed: must not return. NULL: log to stderr and _exit(75). */
	void (*on_fatal)(const struct status *status, void *arg);
	void *on_fatal_arg;
};

/*
 * Open or create. INVALID_ARGUMENT/FAILED_PRECONDITION with one clear line for:
 * not a database, another schema (each staged table is compared column by
 * column), no permission, no such directory.
 */
MUSTCHECK enum status_code
db_sqlite_open(const struct db_sqlite_options *options, struct db **ret_db,
	       struct status *reterr);

#endif
