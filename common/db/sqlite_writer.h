/*
 * The one connection that writes to the file, and the steps of a group
 * transaction on it. It neither waits nor retries; its user does.
 *
 *	rc = writer_begin(w);
 *	if (writer_member(w, job)) ...		// once a member, until false
 *	rc = writer_commit(w);			// or writer_rollback(w)
 *
 * Threads: the lane's alone.
 */
#ifndef RESCIND_DB_SQLITE_WRITER_H
#define RESCIND_DB_SQLITE_WRITER_H

#include "db/sqlite_image.h"
#include "db/sqlite_job.h"
#include "db/sqlite_session.h"
#include "db/sqlite_wal.h"

struct writer {
	struct session session; /* first: what jobs run on */
	const struct image_plan *plan;
	sqlite3_stmt *begin, *commit, *rollback;
	sqlite3_stmt *savepoint, *release, *undo;
	sqlite3_stmt **inserts; /* by staged table */
	struct wal wal;
};

/* Take over the session of the file's connection (also on failure). */
MUSTCHECK enum status_code writer_init(struct writer *writer, sqlite3 *db,
				       const struct image_plan *plan,
				       struct status *reterr);
void writer_release(struct writer *writer);

/* SQLite's result codes. */
int writer_begin(struct writer *writer);
int writer_commit(struct writer *writer);
/* Undo the group; SQLite may have done so by itself. */
void writer_rollback(struct writer *writer);

/*
 * Run one member, whose effects stay or are undone alone; job->status says how
 * it went. False when the group can't go on: session.broken says why.
 */
bool writer_member(struct writer *writer, struct job *job);

/* Insert the rows of an image's transaction. */
enum status_code writer_publish(struct writer *writer, struct image *image,
				struct status *reterr);

/* Whether the file at the database's path is not, or not any more, the one that
 * is open here: removed, renamed, or another in its place. */
bool writer_is_orphaned(struct writer *writer);

/* Prove that the file can be written, by writing what it has already. */
int writer_probe(struct writer *writer);

#endif
