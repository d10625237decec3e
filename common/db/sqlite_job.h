/*
 * A piece of work for a thread of the database, which its ctx can undo until
 * that thread has begun it. Staged transactions, immediate ones and reads are
 * jobs; what differs between them is a struct job_kind.
 *
 *                  ctx ends                 ctx ends
 *          OPEN ------------> UNDONE     QUEUED -----> REFUSED
 *           |  \                |  \        |             |
 *           |   \--- submit ----|---\--> (QUEUED)         |
 *        abandon               submit -> (REFUSED)     finish
 *           |                   |           | start       |
 *           v     abandon       v           v             v
 *         ENDED <---------------+        RUNNING ----> ENDED
 *
 * OPEN and UNDONE are the caller's; QUEUED, RUNNING and REFUSED the thread's.
 * What a job holds is released at the instant in which it leaves OPEN or QUEUED
 * for UNDONE or REFUSED, by the thread that ended the ctx; only the completion
 * waits for the database's thread.
 *
 * Locks: job before queue; neither is held while a completion or a hook runs.
 */
#ifndef RESCIND_DB_SQLITE_JOB_H
#define RESCIND_DB_SQLITE_JOB_H

#include <pthread.h>
#include <stdatomic.h>

#include "ctx/ctx.h"
#include "db/db.h"

struct job;
struct session;

struct job_kind {
	/* Do the work, on the queue's thread. */
	enum status_code (*run)(struct job *job, struct session *session,
				struct status *reterr);
	/* Release what it holds, at once. Under the job's lock, no I/O. */
	void (*undo)(struct job *job);
	/* The last reference is gone: recycle or free. */
	void (*recycle)(struct job *job);
};

enum job_state {
	JOB_ENDED, /* also: not begun */
	JOB_OPEN,
	JOB_UNDONE,
	JOB_QUEUED,
	JOB_RUNNING,
	JOB_REFUSED,
	JOB_STATE_NR
};

/* Counters of db_stats(), shared by all jobs of a database. */
struct job_counters {
	atomic_ulong committed, rolled_back, failed, staged_open;
};

struct job {
	const struct job_kind *kind;
	struct job_queue *queue;
	struct job_counters *counters;
	struct job *next, *prev; /* the queue's own */
	bool waiting;		 /* the queue's own */
	atomic_int refs;	 /* the owner's and the hook's */
	struct ctx *ctx;
	struct ctx_hook hook;
	pthread_mutex_t lock; /* over state and, until it runs, the rest */
	enum job_state state;
	db_done_fn done;
	void *arg;
	bool declined; /* it asked to be undone, the database would have */
	/* Why it is UNDONE or REFUSED; how it RAN. */
	struct status status;
};

void job_init(struct job *job, const struct job_kind *kind,
	      struct job_queue *queue, struct job_counters *counters);
void job_release(struct job *job);

/*
 * OPEN, with a hook on @ctx and a reference to it. When @ctx has ended the job
 * is UNDONE, and the ctx's code is returned; it is still to be abandoned or
 * submitted.
 */
MUSTCHECK enum status_code job_open(struct job *job, struct ctx *ctx,
				    struct status *reterr);

/*
 * Take the lock for work in OPEN; STATUS_OK until the ctx has ended, its code
 * afterwards (and then the lock is not held).
 */
MUSTCHECK enum status_code job_enter(struct job *job, struct status *reterr);
/*
 * Let go. Where @code is not OK the work went wrong: the job is UNDONE, and
 * that is what its completion would be told.
 */
void job_leave(struct job *job, enum status_code code,
	       const struct status *err);

/* Hand over to the queue's thread: @done is called there, once. */
void job_submit(struct job *job, db_done_fn done, void *arg);
/* As job_submit(), for one that is refused from the start. */
void job_submit_refused(struct job *job, const struct status *why,
			db_done_fn done, void *arg);
/* Undo and give back. */
void job_abandon(struct job *job);

/* ---- on the queue's thread ---------------------------------------------- */

/*
 * The last look at the ctx, by clock too: true when the job is RUNNING now,
 * false when it is REFUSED.
 */
MUSTCHECK bool job_start(struct job *job);
/*
 * RUNNING or REFUSED -> ENDED: counts, lets go of the ctx, and calls the
 * completion with job->status.
 */
void job_finish(struct job *job);

const char *job_state_name(enum job_state state);

#endif
