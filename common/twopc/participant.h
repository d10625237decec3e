/*
 * One stream of an exchange, as the participant sees it. What is on disk
 * decides (rule.h); this says when to ask the disk what, and what to say then.
 *
 *	open ──> working ──> preparing ──> prepared ──> committing ──> committed
 *	  │         │            │          │    │          │  │           ^
 *	  │         │            │          │    v          │  └─> refused │
 *	  │         │            │          │ undoing ──────│──────────────┘
 *	  │         v refused, v │          │    │          │
 *	  └────> rolled back <───┤          │    │          │ failed
 *	                ^        │          │    │          v
 *	                └────────│──────────│────┴──> left in doubt
 *	                         └──────────┴─ lost ──────^
 *
 * (An order that comes early or alone takes the same paths from where it finds
 * the machine: the table has them all.)
 *
 *	open           nothing was said yet
 *	working        the owner does the work; nothing is durable
 *	preparing      the row is on its way to the disk
 *	prepared       it is there, the coordinator was told, and nothing is
 *	               decided here any more. No lock is held, no transaction
 *	               and no thread
 *	committing     the coordinator decided: that is on its way to the disk
 *	undoing        the rollback is
 *	committed      and the coordinator was told. For good
 *	rolled back    the same
 *	refused        a commit that can't be: there is nothing to commit
 *	left in doubt  the row is there, but not this stream: the coordinator
 *	               will come by another way. For good, as far as the stream
 *	               goes
 *
 * Until the row is on its way the participant may roll back by itself, and does
 * so when the link is lost (the caller left, its deadline passed, this process
 * stops). While it is on its way, the write is hurried (TWOPC_HURRY): refused
 * where it still can be. Once it is there, the coordinator alone decides.
 *
 * Orders may come in any state, twice and out of order. A commit or rollback
 * with no prepare before it on this stream goes to the disk, which knows (the
 * stream may be a second one). Of a commit and a rollback, the first counts; a
 * coordinator that keeps to the protocol never sends both.
 *
 * Pure, as coordinator.h. What the events mean:
 *
 *	PREPARE, COMMIT, ROLLBACK   the message arrived
 *	LINK_LOST     the stream is over: nothing can be sent
 *	WORK_DONE     answers TWOPC_WORK
 *	WORK_FAILED   it can't be done, or has to be given up (invalid, no room,
 *	              this process stops while the caller is still there); the
 *	              owner knows the status. Ignored where it is too late
 *	STORED_...    answers TWOPC_STORE_...: what the record says, by its
 *	              verdict: twopc_participant_stored()
 *
 * WORK_DONE and STORED_... come exactly when asked for (WORK_DONE not after
 * TWOPC_STOP_WORK); else they are a bug and stop the process.
 */
#ifndef RESCIND_TWOPC_PARTICIPANT_H
#define RESCIND_TWOPC_PARTICIPANT_H

#include <stdbool.h>

#include "twopc/rule.h"

#define TWOPC_PARTICIPANT_STATES(X)                                            \
	X(OPEN, "open",                                                        \
	  TO(WORKING) | TO(COMMITTING) | TO(UNDOING) | TO(ROLLED_BACK))        \
	X(WORKING, "working",                                                  \
	  TO(PREPARING) | TO(COMMITTING) | TO(ROLLED_BACK))                    \
	X(PREPARING, "preparing",                                              \
	  TO(PREPARED) | TO(COMMITTING) | TO(UNDOING) | TO(COMMITTED) |        \
		  TO(ROLLED_BACK) | TO(IN_DOUBT))                              \
	X(PREPARED, "prepared", TO(COMMITTING) | TO(UNDOING) | TO(IN_DOUBT))   \
	X(COMMITTING, "committing",                                            \
	  TO(COMMITTED) | TO(REFUSED) | TO(IN_DOUBT))                          \
	X(UNDOING, "undoing", TO(COMMITTED) | TO(ROLLED_BACK) | TO(IN_DOUBT))  \
	X(COMMITTED, "committed", 0)                                           \
	X(ROLLED_BACK, "rolled back", 0)                                       \
	X(REFUSED, "refused", 0)                                               \
	X(IN_DOUBT, "left in doubt", 0)

enum twopc_participant_state {
#define TWOPC_PARTICIPANT_ENUM(symbol, name, moves) TWOPC_PARTICIPANT_##symbol,
	TWOPC_PARTICIPANT_STATES(TWOPC_PARTICIPANT_ENUM)
#undef TWOPC_PARTICIPANT_ENUM
		TWOPC_PARTICIPANT_STATE_NR
};
const char *twopc_participant_state_name(enum twopc_participant_state state);
/* Whether the table allows it. */
bool twopc_participant_may_move(enum twopc_participant_state from,
				enum twopc_participant_state to);

#define TWOPC_PARTICIPANT_EVENTS(X)                                            \
	X(PREPARE, "prepare")                                                  \
	X(COMMIT, "commit")                                                    \
	X(ROLLBACK, "rollback")                                                \
	X(LINK_LOST, "link lost")                                              \
	X(WORK_DONE, "work done")                                              \
	X(WORK_FAILED, "work failed")                                          \
	X(STORED_PREPARED, "stored: prepared")                                 \
	X(STORED_COMMITTED, "stored: committed")                               \
	X(STORED_ROLLED_BACK, "stored: rolled back")                           \
	X(STORED_UNKNOWN, "stored: unknown")                                   \
	X(STORE_FAILED, "store failed")

enum twopc_participant_event {
#define TWOPC_PARTICIPANT_EVENT_ENUM(symbol, name) TWOPC_AT_##symbol,
	TWOPC_PARTICIPANT_EVENTS(TWOPC_PARTICIPANT_EVENT_ENUM)
#undef TWOPC_PARTICIPANT_EVENT_ENUM
		TWOPC_PARTICIPANT_EVENT_NR
};
const char *twopc_participant_event_name(enum twopc_participant_event event);
/* The event that tells the record's verdict. */
enum twopc_participant_event
twopc_participant_stored(enum twopc_verdict verdict);

/* As enum twopc_coordinator_todo: bits, to be done in this order. */
enum twopc_participant_todo {
	TWOPC_WORK = 1 << 0,	  /* begin; may be done within the call */
	TWOPC_STOP_WORK = 1 << 1, /* and undo it; no WORK_DONE from now on */
	/* Carry out the order at the record; the stream's ctx may end it ... */
	TWOPC_STORE_PREPARE = 1 << 2,
	/* ... but not these two: on the process's own ctx. */
	TWOPC_STORE_COMMIT = 1 << 3,
	TWOPC_STORE_ROLLBACK = 1 << 4,
	/* End the ctx of the prepare that is under way, if it has one. */
	TWOPC_HURRY = 1 << 5,
	TWOPC_SEND_PREPARED = 1 << 6,
	TWOPC_SEND_COMMITTED = 1 << 7,	 /* and end the stream with OK */
	TWOPC_SEND_ROLLED_BACK = 1 << 8, /* the same */
	/* End the stream with the status of the work or of the record. */
	TWOPC_REFUSE = 1 << 9,
	/* Over, exactly once; what arrives later is ignored. */
	TWOPC_FINISH = 1 << 10,
};

/* Zeroed: open. Read it freely, change it by steps alone. */
struct twopc_participant {
	enum twopc_participant_state state;
	bool link_lost;	   /* while something is on its way to the disk */
	bool commit_due;   /* came while preparing */
	bool rollback_due; /* the same; not both */
};

void twopc_participant_init(struct twopc_participant *participant);
/* The set of enum twopc_participant_todo; 0 where there is nothing to do. */
unsigned twopc_participant_step(struct twopc_participant *participant,
				enum twopc_participant_event event);
bool twopc_participant_is_over(const struct twopc_participant *participant);

#endif
