/*
 * The transactions of a coordinator that are not over: what its resolver looks
 * at to tell a participant what becomes of the ones that it holds in doubt.
 *
 *	(begin) ──> live ──> decided ──> settled ──> (forgotten)
 *	              │         \           ^
 *	              v          v          │
 *	           (gone)      orphaned ────┘
 *	                         ^
 *	(load) ──────────────────┘
 *
 *	live      may still be decided either way: left alone
 *	decided   its exchange tells the participant: left alone
 *	orphaned  decided, and the resolver has to tell
 *	settled   the participant has confirmed; the decision is still on disk
 *	absent    not decided, and never will be: roll back (presumed abort); or
 *	          over in every respect
 *	later     not ours to judge: an id that this process has not given out;
 *	          a process that took over the database has
 *
 * For that to be right, a transaction is entered before Prepare is sent, and
 * stays until it is certain that no decision was or will be written, or until
 * the decision's deletion is on disk. Ids are given out here, in order, so that
 * the lowest one held is the bound below which everything is over: the
 * participant is told (twopc_registry_low()), and need not remember more.
 *
 * Pure: no clock, thread or lock. The process has one, and one mutex around it
 * and the resolver; that mutex is a leaf: an exchange takes it under its own,
 * never the other way round.
 *
 * An owner's entry is its own until twopc_registry_release(), whatever happens
 * to the transaction meanwhile:
 *
 *	twopc_registry_begin(&registry, ex, now_ns, &ex->entry, reterr);
 *	...
 *	if (todo & TWOPC_MARKS)
 *		twopc_registry_mark(&registry, ex->entry, todo, now_ns);
 *	if (todo & TWOPC_END)
 *		twopc_registry_release(&registry, ex->entry);
 */
#ifndef RESCIND_TWOPC_REGISTRY_H
#define RESCIND_TWOPC_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "status/status.h"
#include "twopc/coordinator.h"
#include "twopc/id.h"
#include "twopc/rule.h"

#define TWOPC_STANDINGS(X)                                                     \
	X(ABSENT, "absent")                                                    \
	X(LATER, "later")                                                      \
	X(LIVE, "live")                                                        \
	X(DECIDED, "decided")                                                  \
	X(ORPHANED, "orphaned")                                                \
	X(SETTLED, "settled")

enum twopc_standing {
#define TWOPC_STANDING_ENUM(symbol, name) TWOPC_##symbol##_STANDING,
	TWOPC_STANDINGS(TWOPC_STANDING_ENUM)
#undef TWOPC_STANDING_ENUM
		TWOPC_STANDING_NR
};
const char *twopc_standing_name(enum twopc_standing standing);

struct twopc_registry;
struct twopc_entry;

/*
 * @stem is this start's (decisions.h); @entries_max bounds the table.
 * Stops the process where there is no memory, as all here.
 */
struct twopc_registry *twopc_registry_new(const char *stem, size_t entries_max);
/* Entries that were not released are freed as well. NULL is fine. */
void twopc_registry_free(struct twopc_registry *registry);

/* ---- for exchanges ------------------------------------------------------ */

/*
 * Enter a transaction of @owner (not NULL), with the next id.
 * RESOURCE_EXHAUSTED when the table is full.
 */
MUSTCHECK enum status_code twopc_registry_begin(struct twopc_registry *registry,
						void *owner, int64_t now_ns,
						struct twopc_entry **ret_entry,
						struct status *reterr);
/* Valid until the entry is released. Needs no lock. */
const char *twopc_entry_id(const struct twopc_entry *entry);
/* Do the MARKs of a coordinator's update; others in @todo are ignored. */
void twopc_registry_mark(struct twopc_registry *registry,
			 struct twopc_entry *entry, unsigned todo,
			 int64_t now_ns);
/* The owner is done with it; a live one is gone. Once. */
void twopc_registry_release(struct twopc_registry *registry,
			    struct twopc_entry *entry);

/* ---- for the start ------------------------------------------------------ */

/*
 * A decision that was found on disk, orphaned; in ascending order, before the
 * first is begun. INVALID_ARGUMENT for an id that can't be one of ours,
 * RESOURCE_EXHAUSTED when the table is full.
 */
MUSTCHECK enum status_code twopc_registry_load(struct twopc_registry *registry,
					       const char *id, int64_t now_ns,
					       struct status *reterr);

/* ---- for the resolver --------------------------------------------------- */

enum twopc_standing twopc_registry_look(const struct twopc_registry *registry,
					const char *id);
/* How many stand so; 0 for ABSENT and LATER. */
size_t twopc_registry_count(const struct twopc_registry *registry,
			    enum twopc_standing standing);
/* Everything below is over, and will be for ever. */
void twopc_registry_low(const struct twopc_registry *registry,
			char ret_id[TWOPC_ID_SIZE]);
/*
 * The ids of those that stand so above @after ("" for the very first), in
 * ascending order, @items_max at most; how many there were.
 */
size_t twopc_registry_collect(const struct twopc_registry *registry,
			      enum twopc_standing standing, const char *after,
			      struct twopc_item *ret_items, size_t items_max);
/* An orphaned one was confirmed; its owner, if it still has one, is kept for
 * twopc_registry_take_confirmed(). Others are left as they are. */
void twopc_registry_settle(struct twopc_registry *registry, const char *id);
/* The deletion of a settled one's decision is on disk. */
void twopc_registry_forget(struct twopc_registry *registry, const char *id);
/*
 * One by one, the owners whose transactions the resolver has settled: each is
 * alive as long as the lock is held, so take a reference to it, then, without
 * the lock, give it TWOPC_CONFIRMED. NULL when there is none left.
 */
void *twopc_registry_take_confirmed(struct twopc_registry *registry);

/* ---- for people --------------------------------------------------------- */

struct twopc_registry_stats {
	size_t by_standing[TWOPC_STANDING_NR];
	/* When the oldest that is decided and not confirmed was decided (or
	 * loaded); CLOCK_NEVER for none. */
	int64_t oldest_ns;
};
void twopc_registry_stats(const struct twopc_registry *registry,
			  struct twopc_registry_stats *ret_stats);

struct twopc_view {
	char id[TWOPC_ID_SIZE];
	enum twopc_standing standing;
	int64_t since_ns; /* when it came to stand so */
};
/* Up to @n above @after ("" for the first), ascending; how many there were. */
size_t twopc_registry_page(const struct twopc_registry *registry,
			   const char *after, struct twopc_view *ret_views,
			   size_t n);

#endif
