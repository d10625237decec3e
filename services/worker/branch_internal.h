/*
 * What the files of a branch share; nothing outside includes it.
 *
 * branch.c: life, and the news that come in.
 * branch_steps.c: what the participant says is to be done, done.
 */
#ifndef RESCIND_WORKER_BRANCH_INTERNAL_H
#define RESCIND_WORKER_BRANCH_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "loop/loop.h"
#include "worker/branch.h"
#include "worker/order.h"
#include "worker/payload.h"

struct branch {
	struct worker *worker;
	struct ctx *call; /* the stream's */
	/* Its child: the work and the prepare hang on it, and end with it when
	 * we lose patience, or are told to roll back. */
	struct ctx *ctx;
	const struct branch_link *link;
	void *link_arg;
	int64_t begun_ns;
	/* One each: the owner, the hook, the timer while it runs, the order
	 * while it is under way. */
	atomic_int refs;
	char coordinator[TWOPC_NAME_SIZE_MAX + 1];
	char id[TWOPC_NAME_SIZE_MAX + 1];

	pthread_mutex_t lock; /* what follows */
	struct twopc_participant twopc;
	struct db_txn *txn;	/* open while it works */
	struct payload payload; /* once there was work */
	struct ctx_hook hook;
	struct loop_timer timer;
	struct order order; /* one at a time */
	bool caught_up;	    /* the timer was late, and was given more time */
	bool prepared;	    /* here, by us */
	bool half_closed;   /* no more orders will come */
	bool lost;	    /* the stream is */
	int64_t ended_ns;   /* when we heard of an end from outside, or 0 */
	enum ctx_cause cause;
	/* How the stream is to end where all was not said. */
	struct status outcome;
};

/* branch.c */
void branch_get(struct branch *branch);
/* order.done; drops a reference. */
void branch_on_stored(struct order *order, const struct status *status);
/* The stream's ctx has ended; with the lock held. */
void branch_lose_call(struct branch *branch);

/* branch_steps.c; all with the lock held */
void branch_step(struct branch *branch, enum twopc_participant_event event);
/* The stream is lost; branch->cause and ->outcome say why. */
void branch_lose(struct branch *branch);
/* Have the timer served at @at_ns; it is not running. */
void branch_set_alarm(struct branch *branch, int64_t at_ns);
/* The work's timer was served, in time. */
void branch_finish_work(struct branch *branch);
/* What is prepared can't be decided on this stream any more. */
void branch_leave_in_doubt(struct branch *branch);

#endif
