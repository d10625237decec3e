/*
 * The writer's thread. Whatever has gathered in its queue while it synced the
 * last group makes the next one: natural batching, no timer.
 *
 * While another program has the file's lock, jobs stay in the queue, where
 * their ctx reaches them, and the lane tries again every few milliseconds; it
 * hands out refusals at once meanwhile.
 *
 * When the database fails, it tries to write about once a second even if
 * nobody asks, so that its health is known.
 */
#ifndef RESCIND_DB_SQLITE_LANE_H
#define RESCIND_DB_SQLITE_LANE_H

#include <pthread.h>
#include <stdatomic.h>

#include "db/sqlite_health.h"
#include "db/sqlite_queue.h"
#include "db/sqlite_writer.h"

struct lane {
	struct job_queue queue;
	struct health health;
	void (*on_fatal)(const struct status *status, void *arg);
	void *on_fatal_arg;
	atomic_ulong groups;
	atomic_ulong sync_ns;
	pthread_t thread;

	/* The thread's own from here on. */
	struct writer writer;
	struct job **members;
	size_t members_n;
	size_t group_max;
	int64_t locked_since_ns; /* 0: not locked by another program */
	int64_t backoff_ns;
	int64_t retry_at_ns; /* CLOCK_NEVER where there is nothing to do */
	int64_t probe_at_ns;
	int64_t tidy_at_ns;
};

/*
 * Takes over @db (also on failure), which needs no more of its creator's
 * thread. lane->on_fatal is to be set before.
 */
MUSTCHECK enum status_code lane_init(struct lane *lane, sqlite3 *db,
				     const struct image_plan *plan,
				     size_t group_max, struct status *reterr);
MUSTCHECK enum status_code lane_start(struct lane *lane, struct status *reterr);
/* Finish what is queued, empty the log, end the thread. */
void lane_stop(struct lane *lane);
/* Close. */
void lane_release(struct lane *lane);

#endif
