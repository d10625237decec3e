/*
 * One transaction, as its coordinator sees it: two phases, presumed abort, one
 * participant.
 *
 *	open ──> preparing ──> deciding ──> committing ──> committed
 *	  │       │   │         │ │  │          │ lost        ^
 *	  │       │   │ left    │ │  │ lost     v             │
 *	  │       │   │         │ │  `────> resolving ─────────┤
 *	  │       │   v refused │ │              │ left        .
 *	  │   no, │ aborting <──´ │              v             .
 *	  │  lost │   │           │ refused, handed over . . . .
 *	  v       v   v           v and lost
 *	  `─────> aborted <───────´
 *
 *	open         the owner gets ready; nothing was said to anybody
 *	preparing    Prepare was sent; nothing is durable here
 *	deciding     the participant voted yes: the decision (the owner's own
 *	             rows, and that it is so) is on its way to the disk
 *	committing   decided: Commit was sent, Committed is waited for
 *	resolving    decided, and the link is lost: the resolver sends it, and
 *	             the client still waits
 *	handed over  the same, and nobody waits any more. For good
 *	committed    the participant has confirmed. For good
 *	aborting     never decided: Rollback was sent, and the client has its
 *	             answer; only to know whether the participant heard of it
 *	aborted      for good
 *
 * The point of no return is the decision's own commit: what the client does
 * later changes nothing. No decision means abort: nothing is written for that,
 * and a participant that does not hear of it is told by the resolver.
 *
 * Pure: an event in, a set of things to do out. No socket, file, clock, thread
 * or lock. The owner holds its own lock around twopc_coordinator_step() and
 * keeps the order in which updates are done; e.g.
 *
 *	unsigned todo = twopc_coordinator_step(&ex->twopc, TWOPC_VOTED_YES);
 *
 *	if (todo & TWOPC_DECIDE)
 *		... insert the decision, db_txn_commit(), then TWOPC_DECIDED
 *
 * What the events mean:
 *
 *	BEGIN             the owner is ready, and has its registry entry; one
 *	                  that can't get ready says ABANDONED instead
 *	VOTED_YES         Prepared arrived
 *	VOTED_NO          refused, and it is certain that nothing is prepared
 *	                  there; say LINK_LOST where that is not certain (the
 *	                  transport's own UNAVAILABLE, DEADLINE_EXCEEDED,
 *	                  CANCELLED)
 *	LINK_LOST         the stream is over, or can't be begun; nothing more
 *	                  can be sent or will come
 *	CONFIRMED         Committed arrived, on the stream or by the resolver
 *	ROLLED_BACK       RolledBack arrived
 *	ABANDONED         nobody waits for the outcome any more, or may: the
 *	                  client left, its deadline (or one of the owner's)
 *	                  passed, the process stops. Any number of times
 *	DECIDED           answers TWOPC_DECIDE: it is on disk
 *	DECISION_REFUSED  answers TWOPC_DECIDE: nothing of it is in the
 *	                  database. (An owner that can't know which must not go
 *	                  on at all: a failed sync stops the process.)
 *
 * Those of the network may come at any time, late, twice and in any order; what
 * makes no sense any more is ignored. BEGIN, DECIDED and DECISION_REFUSED are
 * the owner's own: where they can't be, they are a bug and stop the process.
 *
 * The stream should have a deadline (the client's, and a bound of its own): a
 * transaction that is committing holds its place in the registry, and with it
 * all that the participant remembers of later ones, until the link says
 * something or ends.
 */
#ifndef RESCIND_TWOPC_COORDINATOR_H
#define RESCIND_TWOPC_COORDINATOR_H

#include <stdbool.h>

#define TWOPC_COORDINATOR_STATES(X)                                            \
	X(OPEN, "open", TO(PREPARING) | TO(ABORTED))                           \
	X(PREPARING, "preparing", TO(DECIDING) | TO(ABORTING) | TO(ABORTED))   \
	X(DECIDING, "deciding",                                                \
	  TO(COMMITTING) | TO(RESOLVING) | TO(HANDED_OVER) | TO(ABORTING) |    \
		  TO(ABORTED))                                                 \
	X(COMMITTING, "committing",                                            \
	  TO(COMMITTED) | TO(RESOLVING) | TO(HANDED_OVER))                     \
	X(RESOLVING, "resolving", TO(COMMITTED) | TO(HANDED_OVER))             \
	X(ABORTING, "aborting", TO(ABORTED))                                   \
	X(COMMITTED, "committed", 0)                                           \
	X(HANDED_OVER, "handed over", 0)                                       \
	X(ABORTED, "aborted", 0)

enum twopc_coordinator_state {
#define TWOPC_COORDINATOR_ENUM(symbol, name, moves) TWOPC_COORDINATOR_##symbol,
	TWOPC_COORDINATOR_STATES(TWOPC_COORDINATOR_ENUM)
#undef TWOPC_COORDINATOR_ENUM
		TWOPC_COORDINATOR_STATE_NR
};
const char *twopc_coordinator_state_name(enum twopc_coordinator_state state);
/* Whether the table allows it. */
bool twopc_coordinator_may_move(enum twopc_coordinator_state from,
				enum twopc_coordinator_state to);

#define TWOPC_COORDINATOR_EVENTS(X)                                            \
	X(BEGIN, "begin")                                                      \
	X(VOTED_YES, "voted yes")                                              \
	X(VOTED_NO, "voted no")                                                \
	X(LINK_LOST, "link lost")                                              \
	X(CONFIRMED, "confirmed")                                              \
	X(ROLLED_BACK, "rolled back")                                          \
	X(ABANDONED, "abandoned")                                              \
	X(DECIDED, "decided")                                                  \
	X(DECISION_REFUSED, "decision refused")

enum twopc_coordinator_event {
#define TWOPC_COORDINATOR_EVENT_ENUM(symbol, name) TWOPC_##symbol,
	TWOPC_COORDINATOR_EVENTS(TWOPC_COORDINATOR_EVENT_ENUM)
#undef TWOPC_COORDINATOR_EVENT_ENUM
		TWOPC_COORDINATOR_EVENT_NR
};
const char *twopc_coordinator_event_name(enum twopc_coordinator_event event);

/*
 * What is to be done, as bits; to be done in this order, and, but for ANSWER
 * and END, before the next event is stepped (under the owner's lock; none of it
 * waits).
 */
enum twopc_coordinator_todo {
	/* Roll back the owner's staged rows; not after DECIDE. */
	TWOPC_UNDO = 1 << 0,
	/* Tell the registry: twopc_registry_mark() takes the whole set. */
	TWOPC_MARK_DECIDED = 1 << 1,
	TWOPC_MARK_ORPHANED = 1 << 2, /* decided, for the resolver to tell */
	TWOPC_MARK_SETTLED = 1 << 3,  /* confirmed */
	TWOPC_MARK_GONE = 1 << 4,     /* not decided, and never will be */
	TWOPC_SEND_PREPARE = 1 << 5,
	TWOPC_SEND_COMMIT = 1 << 6,
	TWOPC_SEND_ROLLBACK = 1 << 7,
	/* Commit the staged rows and the decision in one transaction, once. */
	TWOPC_DECIDE = 1 << 8,
	/* Something may be in doubt: twopc_resolver_step(NUDGE). */
	TWOPC_NUDGE = 1 << 9,
	/* The peer says what it can't: to be logged as a warning. */
	TWOPC_CONTRADICTION = 1 << 10,
	/* The client's answer: exactly one of the three, exactly once. */
	TWOPC_ANSWER_COMMITTED = 1 << 11, /* in both (200) */
	TWOPC_ANSWER_ACCEPTED = 1 << 12,  /* decided, will be in both (202) */
	TWOPC_ANSWER_ABORTED = 1 << 13,	  /* in neither; the owner knows why */
	/*
	 * Over, exactly once: release the entry, drop the stream if there is
	 * one still. What arrives later is ignored.
	 */
	TWOPC_END = 1 << 14,
};
enum {
	TWOPC_MARKS = TWOPC_MARK_DECIDED | TWOPC_MARK_ORPHANED |
		      TWOPC_MARK_SETTLED | TWOPC_MARK_GONE,
	TWOPC_ANSWERS = TWOPC_ANSWER_COMMITTED | TWOPC_ANSWER_ACCEPTED |
			TWOPC_ANSWER_ABORTED,
};

/* Zeroed: open. Read it freely, change it by steps alone. */
struct twopc_coordinator {
	enum twopc_coordinator_state state;
	bool abandoned; /* nobody waits any more */
	bool answered;
	bool link_lost; /* while deciding */
};

void twopc_coordinator_init(struct twopc_coordinator *coordinator);
/* The set of enum twopc_coordinator_todo; 0 where there is nothing to do. */
unsigned twopc_coordinator_step(struct twopc_coordinator *coordinator,
				enum twopc_coordinator_event event);
/* Whether the end's update was given: no event does anything any more. */
bool twopc_coordinator_is_over(const struct twopc_coordinator *coordinator);

#endif
