#include "db/sqlite_lane.h"

#include <stdlib.h>

#include "db/sqlite_error.h"
#include "failpoint/failpoint.h"

#define BACKOFF_MIN_NS (1 * (int64_t)NS_PER_MS)
#define BACKOFF_MAX_NS (10 * (int64_t)NS_PER_MS)
/* A lock held longer than this by another program is a matter of health. */
#define LOCKED_LONG_NS (1 * (int64_t)NS_PER_S)
/* How long a close, or a COMMIT, waits for another program's lock. */
#define PATIENCE_NS    (5 * (int64_t)NS_PER_S)
#define PROBE_EVERY_NS (1 * (int64_t)NS_PER_S)
/* After such a pause in writing, the log is tidied. */
#define IDLE_NS (5 * (int64_t)NS_PER_S)

/* ---- failures ----------------------------------------------------------- */

static _Noreturn void die(struct lane *lane, int rc)
{
	struct status err;

	(void)sqlite_fail(lane->writer.session.db, rc, &err);
	err.code = STATUS_DATA_LOSS;
	status_wrap(&err, "what the disk holds is unknown");
	lane->on_fatal(&err, lane->on_fatal_arg);
	sqlite_bug("on_fatal has returned");
}

static void die_of_failed_sync(struct lane *lane, int rc)
{
	if (sqlite_is_sync_failure(rc)) {
		die(lane, rc);
	}
}

static void became_ill(struct lane *lane, const struct status *why)
{
	health_set(&lane->health, why);
	lane->probe_at_ns = clock_now_ns() + PROBE_EVERY_NS;
}

static void became_well(struct lane *lane)
{
	struct status ok = status_ok();

	health_set(&lane->health, &ok);
	lane->probe_at_ns = CLOCK_NEVER;
}

static void probe(struct lane *lane)
{
	int rc = writer_is_orphaned(&lane->writer)
			 ? SQLITE_READONLY_DBMOVED
			 : writer_probe(&lane->writer);
	struct status why;

	die_of_failed_sync(lane, rc);
	if (rc == SQLITE_OK) {
		became_well(lane);
		return;
	}
	(void)sqlite_fail(lane->writer.session.db, rc, &why);
	became_ill(lane, &why);
}

/* ---- the log ------------------------------------------------------------ */

/* Tolerated unless a sync failed: it is for speed alone. */
static void lengthen_log(struct lane *lane)
{
	int rc = writer_begin(&lane->writer);

	if (rc == SQLITE_OK) {
		rc = wal_lengthen(&lane->writer.wal);
		writer_rollback(&lane->writer);
	}
	die_of_failed_sync(lane, rc);
}

static void checkpoint(struct lane *lane)
{
	die_of_failed_sync(lane, wal_checkpoint(&lane->writer.wal));
}

static void empty_log(struct lane *lane)
{
	die_of_failed_sync(lane, wal_empty(&lane->writer.wal));
}

/* In a pause: nobody waits for it, and a start after a crash has less to do. */
static void tidy_log(struct lane *lane)
{
	if (wal_is_oversized(&lane->writer.wal)) {
		empty_log(lane);
		lengthen_log(lane);
	} else {
		checkpoint(lane);
	}
}

/* ---- waiting for other programs ----------------------------------------- */

static void finish_list(struct job_list *list)
{
	struct job *job;

	while ((job = job_list_pop(list)) != NULL) {
		job_finish(job);
	}
}

/* The next instant to try again at. */
static int64_t back_off(struct lane *lane)
{
	int64_t now = clock_now_ns();

	if (lane->locked_since_ns == 0) {
		lane->locked_since_ns = now;
		lane->backoff_ns = BACKOFF_MIN_NS;
	} else if (lane->backoff_ns * 2 < BACKOFF_MAX_NS) {
		lane->backoff_ns *= 2;
	} else {
		lane->backoff_ns = BACKOFF_MAX_NS;
	}
	return now + lane->backoff_ns;
}

static int64_t locked_for_ns(const struct lane *lane)
{
	return lane->locked_since_ns == 0
		       ? 0
		       : clock_now_ns() - lane->locked_since_ns;
}

static void fail_members(struct lane *lane, const struct status *why);
static void start_members(struct lane *lane, size_t from);

/* BEGIN was refused: leave the jobs queued, where their ctx finds them. */
static void wait_for_lock(struct lane *lane)
{
	struct status why =
		status_make(STATUS_UNAVAILABLE, "locked by another program");

	lane->retry_at_ns = back_off(lane);
	if (locked_for_ns(lane) > LOCKED_LONG_NS) {
		became_ill(lane, &why);
	}
	if (locked_for_ns(lane) > PATIENCE_NS &&
	    queue_is_closing(&lane->queue)) {
		lane->members_n = queue_take(&lane->queue, lane->members,
					     lane->group_max);
		start_members(lane, 0);
		fail_members(lane, &why);
	}
}

static void got_lock(struct lane *lane)
{
	lane->locked_since_ns = 0;
	lane->retry_at_ns = CLOCK_NEVER;
}

/* Commit, in spite of others; the members are committed to it. */
static int commit_patiently(struct lane *lane)
{
	int rc;

	while (sqlite_is_busy(rc = writer_commit(&lane->writer)) &&
	       locked_for_ns(lane) < PATIENCE_NS) {
		int64_t until_ns = back_off(lane);
		struct job_list refused;

		while (queue_wait(&lane->queue, false, until_ns, &refused) ==
		       QUEUE_REFUSED) {
			finish_list(&refused);
		}
	}
	got_lock(lane);
	return rc;
}

/* ---- a group ------------------------------------------------------------ */

/* Of the members from @from on, those that can't start leave at once. */
static void start_members(struct lane *lane, size_t from)
{
	size_t kept = from;

	for (size_t i = from; i < lane->members_n; i++) {
		struct job *job = lane->members[i];

		if (job_start(job)) {
			lane->members[kept++] = job;
		} else {
			job_finish(job);
		}
	}
	lane->members_n = kept;
}

static void finish_members(struct lane *lane)
{
	size_t n = lane->members_n;

	lane->members_n = 0;
	for (size_t i = 0; i < n; i++) {
		FAILPOINT("db.completion.before");
		job_finish(lane->members[i]);
		FAILPOINT("db.completion.after");
	}
}

/* What failed by itself keeps its own reason. */
static void fail_members(struct lane *lane, const struct status *why)
{
	for (size_t i = 0; i < lane->members_n; i++) {
		if (lane->members[i]->status.code == STATUS_OK) {
			lane->members[i]->status = *why;
		}
	}
	finish_members(lane);
}

/*
 * Run each member right after the last look at its ctx. False when the group
 * broke; *ret_succeeded says how many members have something to commit.
 */
static bool run_members(struct lane *lane, size_t *ret_succeeded)
{
	size_t taken = lane->members_n;
	bool whole = true;

	*ret_succeeded = 0;
	lane->members_n = 0;
	for (size_t i = 0; i < taken; i++) {
		struct job *job = lane->members[i];

		if (!job_start(job)) {
			job_finish(job);
			continue;
		}
		lane->members[lane->members_n++] = job;
		if (whole) {
			whole = writer_member(&lane->writer, job);
			*ret_succeeded += job->status.code == STATUS_OK;
		}
	}
	return whole;
}

/* Undo, tell all, and look after the database where it is at fault. */
static void break_group(struct lane *lane, int rc, const struct status *why)
{
	die_of_failed_sync(lane, rc);
	writer_rollback(&lane->writer);
	if (rc != SQLITE_ABORT_ROLLBACK) {
		became_ill(lane, why);
	}
	fail_members(lane, why);
}

/*
 * The frames of the failed commit may be whole in the log, where a crash would
 * revive them after their members were told that they failed. Write something
 * harmless over the first of them: a frame is valid only after the one before.
 */
static void void_frames(struct lane *lane, int rc)
{
	int again;

	if (!sqlite_leaves_frames(rc)) {
		return;
	}
	writer_rollback(&lane->writer);
	again = writer_probe(&lane->writer);
	if (again != SQLITE_OK && !sqlite_leaves_frames(again)) {
		die(lane, again);
	}
}

static void commit_group(struct lane *lane)
{
	int64_t began_ns = clock_now_ns();
	int rc = commit_patiently(lane);
	int64_t ended_ns = clock_now_ns();
	struct status why;

	if (rc != SQLITE_OK) {
		(void)sqlite_fail(lane->writer.session.db, rc, &why);
		die_of_failed_sync(lane, rc);
		void_frames(lane, rc);
		break_group(lane, rc, &why);
		return;
	}
	atomic_fetch_add_explicit(&lane->groups, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&lane->sync_ns,
				  (unsigned long)(ended_ns - began_ns),
				  memory_order_relaxed);
	lane->tidy_at_ns = ended_ns + IDLE_NS;
	became_well(lane);
	finish_members(lane);
	if (wal_is_full(&lane->writer.wal)) {
		checkpoint(lane);
	}
}

static void run_group(struct lane *lane)
{
	struct session *session = &lane->writer.session;
	size_t succeeded;

	if (!run_members(lane, &succeeded)) {
		break_group(lane, session->broken_rc, &session->broken);
	} else if (succeeded > 0) {
		commit_group(lane);
	} else {
		writer_rollback(&lane->writer);
		finish_members(lane);
	}
}

/* What is written to a file without a name is gone with the process. */
static int begin_group(struct lane *lane)
{
	return writer_is_orphaned(&lane->writer) ? SQLITE_READONLY_DBMOVED
						 : writer_begin(&lane->writer);
}

static void do_work(struct lane *lane)
{
	int rc = begin_group(lane);
	struct status why;

	if (sqlite_is_busy(rc)) {
		wait_for_lock(lane);
		return;
	}
	got_lock(lane);
	lane->members_n =
		queue_take(&lane->queue, lane->members, lane->group_max);
	if (rc == SQLITE_OK) {
		run_group(lane);
		return;
	}
	(void)sqlite_fail(lane->writer.session.db, rc, &why);
	start_members(lane, 0);
	break_group(lane, rc, &why);
}

/* ---- the thread --------------------------------------------------------- */

static int64_t earliest(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static void do_what_is_due(struct lane *lane)
{
	int64_t now = clock_now_ns();

	if (lane->retry_at_ns <= now) {
		lane->retry_at_ns = CLOCK_NEVER;
		if (queue_length(&lane->queue) == 0) {
			lane->locked_since_ns = 0; /* nobody waits any more */
		}
	}
	if (lane->probe_at_ns <= now) {
		probe(lane);
	}
	if (lane->tidy_at_ns <= now) {
		lane->tidy_at_ns = CLOCK_NEVER;
		tidy_log(lane);
	}
}

static bool turn(struct lane *lane)
{
	bool may_work = lane->retry_at_ns == CLOCK_NEVER;
	int64_t until_ns =
		earliest(lane->retry_at_ns,
			 earliest(lane->probe_at_ns, lane->tidy_at_ns));
	struct job_list refused;

	switch (queue_wait(&lane->queue, may_work, until_ns, &refused)) {
	case QUEUE_REFUSED:
		finish_list(&refused);
		return true;
	case QUEUE_WORK:
		do_work(lane);
		return true;
	case QUEUE_TIME:
		do_what_is_due(lane);
		return true;
	case QUEUE_CLOSED:
		break;
	}
	return false;
}

static void *lane_main(void *arg)
{
	struct lane *lane = arg;

	pthread_setname_np(pthread_self(), "db-writer");
	lengthen_log(lane);
	while (turn(lane)) {
	}
	empty_log(lane);
	return NULL;
}

enum status_code lane_init(struct lane *lane, sqlite3 *db,
			   const struct image_plan *plan, size_t group_max,
			   struct status *reterr)
{
	queue_init(&lane->queue);
	health_init(&lane->health);
	lane->group_max = group_max;
	lane->retry_at_ns = CLOCK_NEVER;
	lane->probe_at_ns = CLOCK_NEVER;
	lane->tidy_at_ns = CLOCK_NEVER;
	lane->members = calloc(group_max, sizeof(struct job *));
	if (lane->members == NULL) {
		sqlite_bug("out of memory");
	}
	return writer_init(&lane->writer, db, plan, reterr);
}

enum status_code lane_start(struct lane *lane, struct status *reterr)
{
	int err = pthread_create(&lane->thread, NULL, lane_main, lane);

	if (err != 0) {
		return status_set_errno(reterr, STATUS_RESOURCE_EXHAUSTED, err,
					"start a thread");
	}
	return STATUS_OK;
}

void lane_stop(struct lane *lane)
{
	queue_close(&lane->queue);
	pthread_join(lane->thread, NULL);
}

void lane_release(struct lane *lane)
{
	writer_release(&lane->writer);
	free(lane->members);
	health_release(&lane->health);
	queue_release(&lane->queue);
}
