#include "db/sqlite_reader.h"

#include "db/sqlite_conn.h"
#include "db/sqlite_error.h"

/* Another program that recovers or leaves the log holds us up for so long. */
#define RETRY_NS (2 * (int64_t)NS_PER_MS)
/* Reads that share a snapshot at most: nobody may keep one for long. */
enum { BATCH_MAX = 64 };

/* BEGIN alone takes no snapshot; the first look at the file does. */
static int take_snapshot(struct reader *reader)
{
	int rc = conn_run(reader->begin);

	if (rc == SQLITE_OK) {
		rc = conn_run(reader->look);
	}
	return rc;
}

static void drop_snapshot(struct reader *reader)
{
	if (!sqlite3_get_autocommit(reader->session.db)) {
		(void)conn_run(reader->end); /* nothing to lose */
	}
}

static void run_read(struct reader *reader, struct job *job)
{
	struct session *session = &reader->session;

	if (job_start(job)) {
		session_reset(session);
		session->ctx = job->ctx;
		job->status.code = job->kind->run(job, session, &job->status);
		session->ctx = NULL;
	}
	job_finish(job);
	if (sqlite3_get_autocommit(session->db)) {
		(void)take_snapshot(reader); /* an error took it along */
	}
}

static void fail_read(struct job *job, const struct status *why)
{
	if (job_start(job)) {
		job->status = *why;
	}
	job_finish(job);
}

static void do_work(struct reader *reader)
{
	/* Who asks from here on may know of later commits. */
	size_t n = queue_length(&reader->queue);
	struct job *jobs[BATCH_MAX];
	struct status why = status_ok();
	int rc = take_snapshot(reader);

	if (sqlite_is_busy(rc)) {
		drop_snapshot(reader);
		reader->retry_at_ns = clock_now_ns() + RETRY_NS;
		return;
	}
	if (rc != SQLITE_OK) {
		(void)sqlite_fail(reader->session.db, rc, &why);
	}
	n = queue_take(&reader->queue, jobs, n < BATCH_MAX ? n : BATCH_MAX);
	for (size_t i = 0; i < n; i++) {
		if (rc == SQLITE_OK) {
			run_read(reader, jobs[i]);
		} else {
			fail_read(jobs[i], &why);
		}
	}
	drop_snapshot(reader);
}

static bool turn(struct reader *reader)
{
	bool may_work = reader->retry_at_ns == CLOCK_NEVER;
	struct job_list refused;
	struct job *job;

	switch (queue_wait(&reader->queue, may_work, reader->retry_at_ns,
			   &refused)) {
	case QUEUE_REFUSED:
		while ((job = job_list_pop(&refused)) != NULL) {
			job_finish(job);
		}
		return true;
	case QUEUE_WORK:
		do_work(reader);
		return true;
	case QUEUE_TIME:
		reader->retry_at_ns = CLOCK_NEVER;
		return true;
	case QUEUE_CLOSED:
		break;
	}
	return false;
}

static void *reader_main(void *arg)
{
	struct reader *reader = arg;

	pthread_setname_np(pthread_self(), "db-reader");
	while (turn(reader)) {
	}
	return NULL;
}

enum status_code reader_init(struct reader *reader, sqlite3 *db,
			     const char *const *statements, size_t statements_n,
			     struct status *reterr)
{
	int rc;

	queue_init(&reader->queue);
	reader->retry_at_ns = CLOCK_NEVER;
	if (session_init(&reader->session, db, statements, statements_n, true,
			 reterr) != STATUS_OK) {
		return reterr->code;
	}
	rc = conn_exec(db, "PRAGMA query_only=ON");
	if (rc == SQLITE_OK) {
		rc = conn_prepare(db, "BEGIN", &reader->begin);
	}
	if (rc == SQLITE_OK) {
		rc = conn_prepare(db, "SELECT 1 FROM sqlite_schema LIMIT 1",
				  &reader->look);
	}
	if (rc == SQLITE_OK) {
		rc = conn_prepare(db, "ROLLBACK", &reader->end);
	}
	return rc == SQLITE_OK ? STATUS_OK : sqlite_fail(db, rc, reterr);
}

enum status_code reader_start(struct reader *reader, struct status *reterr)
{
	int err = pthread_create(&reader->thread, NULL, reader_main, reader);

	if (err != 0) {
		return status_set_errno(reterr, STATUS_RESOURCE_EXHAUSTED, err,
					"start a thread");
	}
	return STATUS_OK;
}

void reader_stop(struct reader *reader)
{
	queue_close(&reader->queue);
	pthread_join(reader->thread, NULL);
}

void reader_release(struct reader *reader)
{
	sqlite3_finalize(reader->begin);
	sqlite3_finalize(reader->look);
	sqlite3_finalize(reader->end);
	session_release(&reader->session);
	queue_release(&reader->queue);
}
