/*
 * An exchange: a client's request, its transaction here, and the worker's part.
 *
 *   opening ──> exchanging ───────────────> answered
 *     │ │            │                       ^  ^
 *     │ │            v                       │  │
 *     │ │       rolling back ────────────────┘  │
 *     │ │        ^   ^    ^                     │
 *     │ └────────┘   │    │                     │
 *     └──────> calling ──> committing ──────────┘
 *
 *   opening       waits, where that is in doubt, until the database takes
 *                 writes; then begins a staged transaction and inserts the row
 *   exchanging    two phases (-commit=two-phase): prepare, decide, commit;
 *                 twopc/coordinator.h has what happens in it, exchange_two.c
 *                 does it
 *   calling       one phase (-commit=one-phase): the worker works on it
 *   committing    one phase: the worker said yes, the row is on its way to the
 *                 disk
 *   rolling back  the transaction is undone; passed through without a wait
 *   answered      for good; what still comes in concerns the worker alone
 *
 * No thread and no lock is held while anything is waited for.
 *
 * In two phases the point of no return is our own commit, in which the row and
 * the decision that it is to be kept go to the disk together. Before it, the
 * end of the client's ctx (it left, its deadline passed, this process stops)
 * rolls back at once, on the thread that ended it, and the worker is told in
 * the same instant; the staged transaction hangs on that ctx, so that also a
 * commit that still waits for its turn is refused. After it nothing undoes it:
 * the client has its yes when the worker has confirmed, or, where that is not
 * in time, is told that it will be completed, and the keeper sees to that
 * (twopc/keeper.h), in this process or its successor.
 *
 * In one phase it is the worker's yes. After it our commit stands whatever
 * becomes of the client, since the worker has committed: the transaction does
 * not hang on the client's ctx but on a scope of its own. Only the database can
 * then refuse. Where another program keeps it locked past the deadline (and at
 * least for a quarter of a second, so that no deadline that passes a moment
 * after the yes undoes it), the commit is given up: UNAVAILABLE. That one, and
 * a commit that the disk refuses, leave the worker with a row that is not here;
 * so does a cancellation that crosses the worker's yes. It is logged as a
 * warning and counted in rescind_diverged_total.
 *
 * The worker is not asked while it is in doubt whether our database can be
 * written at all: where this process has not held the write lock within the
 * last 10 ms, it takes it once (which costs no sync); where the last write
 * failed, or is more than 5 s old, it tries one. So a request that finds the
 * database locked waits for it within its deadline, and neither process has
 * begun anything; past the deadline it is told UNAVAILABLE, not
 * DEADLINE_EXCEEDED, since it was not the work that took too long.
 *
 * How failures are told: the code is that of what failed, and the text begins
 * "Failed to start transaction", "Failed to insert request", "Failed to commit"
 * or "Worker failed: rpc error: code = <Code> desc = <text>".
 *
 * Threads: an exchange is stepped from whichever thread has news (the client's,
 * the worker's, the database's, the one that ends the ctx), under its own
 * mutex. The answer is given outside that mutex.
 */
#ifndef RESCIND_ECHO_EXCHANGE_H
#define RESCIND_ECHO_EXCHANGE_H

#include "ctx/ctx.h"
#include "echo/echo.h"
#include "echo/store.h"

#define EXCHANGE_STATES(X)                                                     \
	X(OPENING, "opening", TO(EXCHANGING) | TO(CALLING) | TO(ROLLING_BACK)) \
	X(EXCHANGING, "exchanging", TO(ANSWERED) | TO(ROLLING_BACK))           \
	X(CALLING, "calling", TO(COMMITTING) | TO(ROLLING_BACK))               \
	X(COMMITTING, "committing", TO(ANSWERED) | TO(ROLLING_BACK))           \
	X(ROLLING_BACK, "rolling back", TO(ANSWERED))                          \
	X(ANSWERED, "answered", 0)

enum exchange_state {
#define EXCHANGE_ENUM(symbol, name, moves) EXCHANGE_##symbol,
	EXCHANGE_STATES(EXCHANGE_ENUM)
#undef EXCHANGE_ENUM
		EXCHANGE_STATE_NR
};
const char *exchange_state_name(enum exchange_state state);
/* Whether the table allows it. */
bool exchange_may_move(enum exchange_state from, enum exchange_state to);

/* What is asked for. */
struct exchange_ask {
	const char *request_id; /* copied */
	const char *message;	/* must stay until the answer */
	/*
	 * Not NULL: kept with the row, under its key, for whoever asks again;
	 * key and fingerprint are given, the rest is filled in. Must stay until
	 * the answer.
	 */
	struct echo_store_outcome *keep;
};

enum exchange_how {
	HOW_COMMITTED, /* on disk in both processes */
	HOW_ACCEPTED, /* on disk here; the worker is yet to confirm, and will */
	HOW_FAILED,   /* not on disk, and never will be */
	/* Of requests under a key (keyed.h): nothing was begun, since the first
	 * under that key is under way, or asked for something else. */
	HOW_KEY_BUSY,
	HOW_KEY_TAKEN,
};

/* Committed and accepted have code OK and the worker's message. */
struct exchange_outcome {
	enum exchange_how how;
	const struct status *status;
	const char *request_id;
};

/* Exactly once, on any thread, possibly inside exchange_start(). */
typedef void (*exchange_answer_fn)(const struct exchange_outcome *outcome,
				   void *arg);

/* Begin. @ctx is the client's, with the deadline, and is referenced. */
void exchange_start(struct echo *echo, struct ctx *ctx,
		    const struct exchange_ask *ask, exchange_answer_fn answer,
		    void *arg);

/* For twopc_keeper_options, whose owners exchanges are. */
void exchange_take(void *owner);
void exchange_confirmed(void *owner);

#endif
