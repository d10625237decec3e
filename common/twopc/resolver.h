/*
 * The resolver: sees to it that nothing stays in doubt, without a person.
 *
 *	idle ──> forgetting ──> committing ──> listing <──> rolling back
 *	  ^                                       │
 *	  └─────────────── sealing <──────────────┘
 *
 * One round at a time, and one job at a time in it (what there is no cause for
 * is passed over):
 *
 *	forgetting    deletes the decisions that were confirmed: FORGET, local
 *	committing    sends what was decided and has nobody else to send it
 *	listing       asks the participant what it holds prepared of ours
 *	rolling back  sends that for those of a page that are not (any more) in
 *	              the registry; then the next page
 *	sealing       tells the participant below which id all is over
 *
 * All in batches of TWOPC_BATCH_MAX. A round begins at the start, when the
 * participant is reached (again), when nudged, and by the clock: it tidies up
 * often, and lists now and then although nothing called for it, since a prepare
 * may arrive late. What fails is tried again with a delay that doubles.
 * Everything it asks for may be asked twice.
 *
 * Whether one in doubt is to be rolled back is judged when its page arrives. No
 * other job is under way then, so that what is absent from the registry at that
 * moment was absent, or prepared, when the page was made: it is not decided and
 * never will be.
 *
 * Pure, as coordinator.h: news in, the next job out. Under the registry's lock.
 * The adapter does the job and brings its outcome as the next news:
 *
 *	LIST     the ids that the participant holds prepared of this
 *	         coordinator, above resolver->after ("" for the first),
 *	         ascending, TWOPC_BATCH_MAX at most, and whether there are more
 *	         -> LISTED or FAILED
 *	RESOLVE  resolver->items[0 .. items_n), possibly none, and then
 *	         resolver->over_below ("" for nothing), in one call
 *	         -> RESOLVED with a verdict each, or FAILED (some of it may have
 *	         been done)
 *	FORGET   delete the decisions of resolver->items
 *	         -> FORGOTTEN once that is on disk, or FAILED
 *
 * What resolver-> holds for a job stays as it is until its outcome is stepped,
 * and may be read without the lock until then. Calls should have a deadline of
 * TWOPC_CALL_TIMEOUT_NS, so that one that is lost does not hold up the rest.
 */
#ifndef RESCIND_TWOPC_RESOLVER_H
#define RESCIND_TWOPC_RESOLVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "loop/clock.h"
#include "twopc/registry.h"
#include "twopc/rule.h"

enum {
	TWOPC_BATCH_MAX = 512,
	TWOPC_CALL_TIMEOUT_NS = 400 * NS_PER_MS,
};

#define TWOPC_RESOLVER_STATES(X)                                               \
	X(IDLE, "idle",                                                        \
	  TO(FORGETTING) | TO(COMMITTING) | TO(LISTING) | TO(SEALING))         \
	X(FORGETTING, "forgetting",                                            \
	  TO(IDLE) | TO(FORGETTING) | TO(COMMITTING) | TO(LISTING) |           \
		  TO(SEALING))                                                 \
	X(COMMITTING, "committing", TO(IDLE) | TO(COMMITTING) | TO(LISTING))   \
	X(LISTING, "listing",                                                  \
	  TO(IDLE) | TO(LISTING) | TO(ROLLING_BACK) | TO(SEALING))             \
	X(ROLLING_BACK, "rolling back", TO(IDLE) | TO(LISTING) | TO(SEALING))  \
	X(SEALING, "sealing", TO(IDLE))

enum twopc_resolver_state {
#define TWOPC_RESOLVER_ENUM(symbol, name, moves) TWOPC_RESOLVER_##symbol,
	TWOPC_RESOLVER_STATES(TWOPC_RESOLVER_ENUM)
#undef TWOPC_RESOLVER_ENUM
		TWOPC_RESOLVER_STATE_NR
};
const char *twopc_resolver_state_name(enum twopc_resolver_state state);
/* Whether the table allows it. */
bool twopc_resolver_may_move(enum twopc_resolver_state from,
			     enum twopc_resolver_state to);

#define TWOPC_RESOLVER_EVENTS(X)                                               \
	X(START, "start")	  /* identity and decisions are loaded */      \
	X(REACHED, "reached")	  /* the participant is there (again) */       \
	X(NUDGE, "nudge")	  /* something may be in doubt */              \
	X(TICK, "tick")		  /* update.tick_ns has come, or any time */   \
	X(LISTED, "listed")	  /* outcome of LIST */                        \
	X(RESOLVED, "resolved")	  /* outcome of RESOLVE */                     \
	X(FORGOTTEN, "forgotten") /* outcome of FORGET */                      \
	X(FAILED, "failed")	  /* outcome of any */

enum twopc_resolver_event {
#define TWOPC_RESOLVER_EVENT_ENUM(symbol, name) TWOPC_RESOLVER_ON_##symbol,
	TWOPC_RESOLVER_EVENTS(TWOPC_RESOLVER_EVENT_ENUM)
#undef TWOPC_RESOLVER_EVENT_ENUM
		TWOPC_RESOLVER_EVENT_NR
};
const char *twopc_resolver_event_name(enum twopc_resolver_event event);

/* All in nanoseconds; twopc_resolver_init() has the defaults. */
struct twopc_resolver_pace {
	int64_t tidy_ns; /* forget and seal that often, if there is cause */
	int64_t list_ns; /* list that often, without cause */
	int64_t gap_ns;	 /* between two rounds at least */
	int64_t backoff_min_ns; /* after the first failure */
	int64_t backoff_max_ns;
};

enum twopc_job {
	TWOPC_JOB_NONE,
	TWOPC_JOB_LIST,
	TWOPC_JOB_RESOLVE,
	TWOPC_JOB_FORGET,
};

struct twopc_resolver_stats {
	uint64_t rounds;
	uint64_t failures;    /* jobs that failed */
	uint64_t committed;   /* confirmed to the resolver */
	uint64_t rolled_back; /* by presumption */
	/* Verdicts that can't be (rule.h), each time that one is met. */
	uint64_t contradictions;
};

/* Read it freely (under the lock), change it by steps alone. */
struct twopc_resolver {
	struct twopc_registry *registry;
	struct twopc_resolver_pace pace;
	struct twopc_resolver_stats stats;

	/* For the job that is under way. */
	char after[TWOPC_NAME_SIZE_MAX + 1];
	struct twopc_item items[TWOPC_BATCH_MAX];
	size_t items_n;
	char over_below[TWOPC_ID_SIZE];

	/* Its own. */
	enum twopc_resolver_state state;
	bool started;
	bool nudged;	   /* a round is due soon */
	bool reached;	   /* while one is under way */
	bool full;	   /* this round commits and lists, not only tidies */
	bool more;	   /* pages, beyond this one */
	bool failed;	   /* something, in this round */
	int64_t begun_ns;  /* this round */
	int64_t ended_ns;  /* the last round */
	int64_t listed_ns; /* the last round that read the list to its end */
	int64_t backoff_ns;
	char tried[TWOPC_ID_SIZE];  /* orphans up to this one, in this round */
	char sealed[TWOPC_ID_SIZE]; /* what the participant has been told */
};

struct twopc_resolver_news {
	enum twopc_resolver_event event;
	int64_t now_ns;
	/* LISTED; borrowed. */
	const char *const *ids;
	size_t ids_n;
	bool more;
	/* RESOLVED: one for each item; borrowed. */
	const enum twopc_verdict *verdicts;
};

struct twopc_resolver_update {
	enum twopc_job job; /* to be begun now */
	/* Owners wait in twopc_registry_take_confirmed(). */
	bool confirmed;
	/* When to step TICK, whatever was said before; CLOCK_NEVER while a job
	 * is under way. */
	int64_t tick_ns;
};

void twopc_resolver_init(struct twopc_resolver *resolver,
			 struct twopc_registry *registry);
void twopc_resolver_step(struct twopc_resolver *resolver,
			 const struct twopc_resolver_news *news,
			 struct twopc_resolver_update *ret_update);

#endif
