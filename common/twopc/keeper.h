/*
 * What keeps a coordinating process's word: the registry, the resolver and the
 * decisions on disk, held together under one lock. It gives exchanges their
 * entries, and does what the resolver asks for: through a port to the
 * participant, and the database. Nothing here waits for anything.
 *
 *	twopc_keeper_init(&keeper, &options);
 *	twopc_keeper_open(&keeper, opened, self);	// reads the decisions
 *	...
 *	twopc_keeper_start(&keeper);		// the resolver's rounds begin
 *	...
 *	if (twopc_keeper_begin(&keeper, ex, &ex->entry, reterr) == STATUS_OK)
 *		...
 *	twopc_keeper_mark(&keeper, &ex->entry, todo);	// after each step
 *	...
 *	twopc_keeper_drain(&keeper, drained, self);	// a last round
 *	twopc_keeper_close(&keeper);
 *	...					// free peer, close database
 *	twopc_keeper_release(&keeper);
 *
 * Its lock is a leaf: exchanges call it with theirs held, and it calls owners
 * without any.
 *
 * What is told: a warning when transactions stay in doubt because the
 * participant can't be asked, and when that is over; each one that was
 * resolved; an error for what can't be (rule.h).
 *
 * Threads: init and release, before and after all others; the rest, any.
 */
#ifndef RESCIND_TWOPC_KEEPER_H
#define RESCIND_TWOPC_KEEPER_H

#include <pthread.h>

#include "ctx/ctx.h"
#include "loop/loop.h"
#include "ops/work_metrics.h"
#include "twopc/decisions.h"
#include "twopc/registry.h"
#include "twopc/resolver.h"

/* ---- the port to the participant ---------------------------------------- */

struct twopc_peer;

/*
 * A call under way. Answered exactly once, on any thread, never inside the call
 * that asks; what is passed is valid inside the function. Other than STATUS_OK
 * brings no results.
 */
struct twopc_peer_call {
	void (*listed)(struct twopc_peer_call *call,
		       const struct status *status, const char *const *ids,
		       size_t ids_n, bool more);
	/* As many verdicts as there were items. */
	void (*resolved)(struct twopc_peer_call *call,
			 const struct status *status,
			 const enum twopc_verdict *verdicts);
};

/* What is passed stays until the answer; calls end with @ctx. */
struct twopc_peer_ops {
	/* What it holds prepared of @coordinator, above @after, ascending,
	 * @ids_max at most. */
	void (*list)(struct twopc_peer *peer, struct ctx *ctx,
		     const char *coordinator, const char *after, size_t ids_max,
		     struct twopc_peer_call *call);
	/* Carry out the orders, then take note that all below @over_below is
	 * over ("": nothing). */
	void (*resolve)(struct twopc_peer *peer, struct ctx *ctx,
			const char *coordinator, const struct twopc_item *items,
			size_t items_n, const char *over_below,
			struct twopc_peer_call *call);
};

/* The first member of an implementation's own struct. */
struct twopc_peer {
	const struct twopc_peer_ops *ops;
};

/* ---- the keeper --------------------------------------------------------- */

/* All borrowed. */
struct twopc_keeper_options {
	struct ctx *root; /* parent of the scopes of what is asked */
	struct db *db;
	db_stmt base; /* where the statements of decisions.h begin */
	struct twopc_peer *peer;
	const char *participant; /* what it is called in decisions */
	size_t entries_max;	 /* of the registry */
	struct work_metrics *metrics;
	/*
	 * The transaction of @owner was confirmed to the resolver. take() is
	 * called under the lock and takes a reference; confirmed() without it,
	 * gives the owner TWOPC_CONFIRMED and drops the reference.
	 */
	void (*take)(void *owner);
	void (*confirmed)(void *owner);
};

struct twopc_keeper {
	struct twopc_keeper_options options;
	struct twopc_decisions decisions; /* who we are */
	struct ctx *ctx;		  /* of all that is asked */

	/* Opening. */
	struct twopc_opening opening;
	void (*opened)(const struct status *status, void *arg);
	void *opened_arg;
	struct twopc_item *loaded; /* ids alone */
	size_t loaded_n, loaded_capacity;

	pthread_mutex_t lock; /* what follows */
	struct twopc_registry *registry;
	struct twopc_resolver resolver;
	bool started;
	bool stopped;
	bool unwell; /* what was asked last has failed */
	struct loop_timer timer;
	bool nudged; /* the timer is for a nudge */

	void (*drained)(void *arg); /* once the round it waits for is over */
	void *drained_arg;
	uint64_t drained_round;

	enum twopc_job job; /* under way */
	pthread_cond_t idle;

	/* The business of whoever does the job. */
	struct ctx *job_ctx;
	struct twopc_peer_call call;
	struct twopc_forgetting forgetting;
};

void twopc_keeper_init(struct twopc_keeper *keeper,
		       const struct twopc_keeper_options *options);
/*
 * Find out who we are, and load what was decided. @opened is called once, on
 * the database's thread; before it, and after it failed, there can be no
 * exchange. Ends with CTX_SHUTDOWN by twopc_keeper_stop().
 */
void twopc_keeper_open(struct twopc_keeper *keeper,
		       void (*opened)(const struct status *status, void *arg),
		       void *arg);
/*
 * What opening does once the database has said who we are; for owners that know
 * it otherwise.
 */
void twopc_keeper_assume(struct twopc_keeper *keeper, const char *coordinator,
			 const char *stem);
/* Have the resolver begin. After the opening. */
void twopc_keeper_start(struct twopc_keeper *keeper);
/* One more round, after which nothing is under way; @drained is then called
 * once, possibly inside. After the last exchange. */
void twopc_keeper_drain(struct twopc_keeper *keeper, void (*drained)(void *arg),
			void *arg);
/* Ask for nothing any more; what is under way ends with CTX_SHUTDOWN. Fine on
 * zeros. */
void twopc_keeper_stop(struct twopc_keeper *keeper);
/* The same, and wait until nothing is under way: before the peer is freed, and
 * not on a thread on which it answers. Fine on zeros. */
void twopc_keeper_close(struct twopc_keeper *keeper);
/* After that, once the database is closed, on the loop's thread or when it has
 * ended. Fine on zeros. */
void twopc_keeper_release(struct twopc_keeper *keeper);

/* ---- for exchanges ------------------------------------------------------ */

/* As twopc_registry_begin(). */
MUSTCHECK enum status_code twopc_keeper_begin(struct twopc_keeper *keeper,
					      void *owner,
					      struct twopc_entry **ret_entry,
					      struct status *reterr);
/* Do the MARKs of an update, and release the entry where it has an END: *entry
 * is then NULL. */
void twopc_keeper_mark(struct twopc_keeper *keeper, struct twopc_entry **entry,
		       unsigned todo);
/* TWOPC_NUDGE. */
void twopc_keeper_nudge(struct twopc_keeper *keeper);
/* The participant is there (again). */
void twopc_keeper_reached(struct twopc_keeper *keeper);

/* ---- for people --------------------------------------------------------- */

enum twopc_standing twopc_keeper_look(struct twopc_keeper *keeper,
				      const char *id);
/* Show in options.metrics what is decided and not confirmed. After the opening.
 */
void twopc_keeper_watch(struct twopc_keeper *keeper);

#endif
