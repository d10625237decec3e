/*
 * The thread of reads, on a connection of its own that can't write. Reads that
 * wait at the same time share one snapshot, taken after all of them were asked
 * for: each sees everything that was committed before.
 */
#ifndef RESCIND_DB_SQLITE_READER_H
#define RESCIND_DB_SQLITE_READER_H

#include "db/sqlite_queue.h"
#include "db/sqlite_session.h"

struct reader {
	struct job_queue queue;
	pthread_t thread;

	/* The thread's own from here on. */
	struct session session;
	sqlite3_stmt *begin, *look, *end;
	int64_t retry_at_ns;
};

/* Takes over @db (also on failure). */
MUSTCHECK enum status_code reader_init(struct reader *reader, sqlite3 *db,
				       const char *const *statements,
				       size_t statements_n,
				       struct status *reterr);
MUSTCHECK enum status_code reader_start(struct reader *reader,
					struct status *reterr);
/* Finish what is queued, end the thread. */
void reader_stop(struct reader *reader);
/* Close. */
void reader_release(struct reader *reader);

#endif
