/*
 * What the exchanges of a process share: the parts they work with, how many of
 * them there are, and whether the database is known to take writes.
 * Thread-safety: any thread, after it was filled.
 */
#ifndef RESCIND_ECHO_ECHO_H
#define RESCIND_ECHO_ECHO_H

#include <stdatomic.h>

#include "ctx/ctx.h"
#include "db/db.h"
#include "echo/roster.h"
#include "echo/worker_port.h"
#include "ops/work_metrics.h"
#include "twopc/keeper.h"

/* How a worker and we come to keep the same. */
enum echo_commit {
	ECHO_TWO_PHASE,
	ECHO_ONE_PHASE, /* for workers that know only the single call */
};

/* Fill the first six after echo_init(), before the first exchange. */
struct echo {
	/* Parent of the scopes that do not end with their clients. */
	struct ctx *root;
	struct db *db;
	struct worker_port *worker;
	struct work_metrics *metrics;
	enum echo_commit commit;
	struct twopc_keeper *keeper; /* open */

	struct roster requests;	    /* by request id, those not answered */
	struct roster keys;	    /* by idempotency key, the same */
	struct loop_timer patience; /* of echo_cancel() */
	atomic_size_t live; /* exchanges, and one that echo_drain() drops */
	atomic_bool draining;
	_Atomic int64_t written_ns; /* when the database last took a write */
	_Atomic int64_t locked_ns;  /* when we last had its write lock */
	void (*on_drained)(void *arg);
	void *on_drained_arg;
};
void echo_init(struct echo *echo);

/* Exchanges that are not over, those waiting for a cancelled call included. */
size_t echo_live(const struct echo *echo);
/*
 * Call @done (any thread, possibly inside this call) once none is left. Only
 * once, and after new ones are kept out.
 */
void echo_drain(struct echo *echo, void (*done)(void *arg), void *arg);
/*
 * What does not end with its client's scope is given this long, then root ends:
 * in one phase commits whose worker said yes, in two phases the exchanges'
 * streams, in which a worker is still told. Loop thread, once.
 */
enum { ECHO_COMMIT_PATIENCE_NS = 250 * NS_PER_MS };
void echo_cancel(struct echo *echo);
/* After the last exchange, before root is released. Loop thread. */
void echo_release(struct echo *echo);

/* ---- for exchanges ------------------------------------------------------ */

void echo_enter(struct echo *echo);
void echo_leave(struct echo *echo);

/*
 * What may keep the database from taking the next write, judged from the last
 * ones: a lock comes and goes in no time, a disk fills up more slowly.
 */
enum echo_doubt {
	ECHO_SURE,	   /* it was written to within the last 10 ms */
	ECHO_MAYBE_LOCKED, /* not that, but within the last 5 s */
	ECHO_MAYBE_FULL,   /* not even that, or the last write failed */
};
enum echo_doubt echo_doubt(const struct echo *echo);

/* We had the write lock; the database has taken a write, or refused one. */
void echo_note_lock(struct echo *echo);
void echo_note_write(struct echo *echo, bool taken);

#endif
