/*
 * What is in doubt at a worker: prepared, and not decided by its coordinator
 * yet. That is so for a moment in each exchange; what stays so is to be seen:
 *
 *	in the log, when the process starts and finds some
 *	rescind_in_doubt{service}
 *	rescind_in_doubt_oldest_seconds{service}
 *
 * The record is asked for it once a second, if there were orders since, and
 * never for more than a fiftieth of the time. What the record remembers of
 * coordinators that never come back is dropped here, too, now and then.
 *
 * Threads: doubt_changed(), any; the rest, the loop's, or while it does not
 * run.
 */
#ifndef RESCIND_WORKER_DOUBT_H
#define RESCIND_WORKER_DOUBT_H

#include <stdatomic.h>

#include "loop/loop.h"
#include "ops/work_metrics.h"
#include "twopc/prepared.h"

struct doubt {
	struct twopc_prepared record;
	struct ctx *ctx;
	struct loop_timer timer;
	struct twopc_summary summary;
	struct twopc_expiry expiry;
	int64_t expire_ns;	    /* when to, next */
	bool told;		    /* at the start */
	atomic_bool changed;	    /* since it was asked last */
	atomic_bool asking;	    /* the summary is under way */
	atomic_bool expiring;	    /* the expiry is */
	int64_t asked_ns;	    /* when the summary was begun */
	atomic_int_fast64_t due_ns; /* when it may be again */
	atomic_int_fast64_t in_doubt;
	atomic_int_fast64_t oldest_ms; /* Unix time; 0 for none */
};

/*
 * Begin to watch @db, whose statements of twopc/prepared.h begin at @base. @ctx
 * ends what is under way; it and @db stay valid until that has ended.
 */
void doubt_start(struct doubt *doubt, struct db *db, db_stmt base,
		 struct ctx *ctx, struct work_metrics *metrics);
/* Look no more. What is under way ends with the database. */
void doubt_stop(struct doubt *doubt);

/* An order was carried out. */
void doubt_changed(struct doubt *doubt);

#endif
