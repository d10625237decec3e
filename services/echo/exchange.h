/*
 * An exchange: a client's request, its transaction here, and the worker's part.
 *
 *   opening ──> calling ──> committing ──> answered
 *      \           \             \            /
 *       \-----------\─────────> rolling back ┘
 *
 *   opening       waits, where that is in doubt, until the database takes
 *                 writes; then begins a staged transaction and inserts the row
 *   calling       the worker works on it; no thread and no lock is held here
 *   committing    the worker said yes: the row is on its way to the disk
 *   rolling back  the transaction is undone; passed through without a wait
 *   answered      for good; what still comes in is ignored
 *
 * The point of no return is the worker's yes. Before it, the end of the
 * client's ctx (it left, its deadline passed, this process stops) rolls back at
 * once, on the thread that ended it, and the worker is cancelled along. After
 * it the commit stands whatever becomes of the client, since the worker has
 * committed: the transaction does not hang on the client's ctx but on a scope
 * of its own. Only the database can then refuse. Where another program keeps it
 * locked past the deadline (and at least for a quarter of a second, so that no
 * deadline that passes a moment after the yes undoes it), the commit is given
 * up: UNAVAILABLE. That one, and a commit that the disk refuses, leave the
 * worker with a row that is not here. It is logged as a warning and counted in
 * rescind_diverged_total.
 *
 * To keep that from happening to a database that can't be written at all, the
 * worker is not called while that is in doubt: where this process has not held
 * the write lock within the last 10 ms, it takes it once (which costs no sync);
 * where the last write failed, or is more than 5 s old, it tries one. So a
 * request that finds the database locked waits for it within its deadline, and
 * neither process has begun anything; past the deadline it is told UNAVAILABLE,
 * not DEADLINE_EXCEEDED, since it was not the work that took too long.
 *
 * A future exchange in two phases puts its states (preparing, prepared,
 * deciding) between calling and committing: a move is a line of the table, and
 * the point of no return moves to the decision's own commit.
 *
 * How failures are told: the code is that of what failed, and the text begins
 * "Failed to start transaction", "Failed to insert request", "Failed to commit"
 * or "Worker failed: rpc error: code = <Code> desc = <text>".
 *
 * Threads: an exchange is stepped from whichever thread has news (the client's,
 * the worker call's, the database's, the one that ends the ctx), under its own
 * mutex. The answer is given outside that mutex.
 */
#ifndef RESCIND_ECHO_EXCHANGE_H
#define RESCIND_ECHO_EXCHANGE_H

#include "ctx/ctx.h"
#include "echo/echo.h"

#define EXCHANGE_STATES(X)                                                     \
	X(OPENING, "opening", TO(CALLING) | TO(ROLLING_BACK))                  \
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

/*
 * The outcome, exactly once, on any thread, possibly inside exchange_start().
 * With code OK the request is on disk in both processes and the message is the
 * worker's; otherwise it is not on disk here.
 */
typedef void (*exchange_answer_fn)(const struct status *outcome, void *arg);

/*
 * Begin. @ctx is the client's, with the deadline, and is referenced;
 * @request_id is copied; @message must stay until the answer.
 */
void exchange_start(struct echo *echo, struct ctx *ctx, const char *request_id,
		    const char *message, exchange_answer_fn answer, void *arg);

#endif
