/*
 * What the files of an exchange share; nothing outside includes it.
 *
 * exchange.c: life, the news that come in and the answer that goes out.
 * exchange_steps.c: the states, opening, and the ends.
 * exchange_one.c: one phase.
 * exchange_two.c: two phases.
 */
#ifndef RESCIND_ECHO_EXCHANGE_INTERNAL_H
#define RESCIND_ECHO_EXCHANGE_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "echo/exchange.h"
#include "loop/loop.h"

struct exchange {
	struct echo *echo;
	struct ctx *ctx; /* the client's */
	/*
	 * Of what must not end with the client: in one phase the transaction,
	 * in two phases the stream to the worker.
	 */
	struct ctx *own_ctx;
	exchange_answer_fn answer;
	void *answer_arg;
	int64_t begun_ns;
	/* One each: whoever steps it at start, the hook, and the trial, the
	 * call or stream, the commit and the timer while they are under way. */
	atomic_int refs;

	pthread_mutex_t lock; /* what follows */
	enum exchange_state state;
	struct db_txn *txn; /* ours until the commit is asked for */
	const char *message;
	struct echo_store_outcome *keep; /* may be NULL */
	struct roster_node live;	 /* by request id, until the answer */
	struct ctx_hook hook;
	bool ended;	       /* news: the client's ctx has ended */
	bool tried;	       /* news: the trial is over, or not needed */
	bool trying;	       /* a trial is, or was, under way */
	bool answer_due;       /* for exchange_leave(): tell the client */
	bool accepted;	       /* and that the worker is yet to confirm */
	int64_t ended_ns;      /* when we heard of it, 0 for never */
	int64_t commit_ns;     /* when the commit was asked for, 0 for never */
	enum echo_doubt doubt; /* why it is tried */
	enum ctx_cause cause;

	/* One phase. */
	struct worker_call call;
	struct loop_timer timer;
	bool replied;	      /* news: the worker answered */
	bool stored;	      /* news: the commit is over */
	bool out_of_patience; /* news: the commit took too long */
	bool waiting_long;    /* the timer was started */
	bool give_up_due;     /* for exchange_leave(): end own_ctx */

	/* Two phases. */
	struct twopc_coordinator twopc;
	struct twopc_entry *entry; /* until the coordinator is over */
	struct worker_link link;

	/* What the news carried, then the outcome. Once the worker said yes its
	 * text is the worker's. */
	struct status outcome;
	char request_id[]; /* copied */
};

#define EXCHANGE_OF(member, pointer)                                           \
	((struct exchange *)((char *)(pointer)-offsetof(struct exchange,       \
							member)))

/* ---- exchange.c --------------------------------------------------------- */

void exchange_get(struct exchange *ex);
void exchange_put(struct exchange *ex);
/*
 * Unlock, then do what the steps decided and what may come back to us or take
 * other locks.
 */
void exchange_leave(struct exchange *ex);
/* db_done_fn of the trial; drops a reference. */
void exchange_on_tried(const struct status *status, void *arg);
/* The worker has committed what was rolled back here. Without the lock. */
void exchange_tell_diverged(const struct exchange *ex);

/* ---- exchange_steps.c; all with the lock held --------------------------- */

/* Act on the news. After each of them. */
void exchange_step(struct exchange *ex);
/* The one door through which an exchange changes its state. */
void exchange_move(struct exchange *ex, enum exchange_state to);
/* Answer; nothing of the client's is waited for any more. */
void exchange_finish(struct exchange *ex);
/* Undo, and answer with ex->outcome. */
void exchange_roll_back(struct exchange *ex, enum ctx_cause cause);

/* Make of ex->outcome what the client is told, and why it ends:
 * its ctx ended before the point of no return; */
enum ctx_cause exchange_why_ended(struct exchange *ex);
/* the outcome is the worker's refusal, or why it can't be reached; */
enum ctx_cause exchange_why_failed(struct exchange *ex);
/* it is the database's refusal of @what. */
enum ctx_cause exchange_why_refused(struct exchange *ex, const char *what);

/* What is asked to be kept under a key joins the row; ex->outcome is the
 * worker's yes. */
MUSTCHECK enum status_code exchange_keep(struct exchange *ex,
					 const char *transaction_id,
					 struct status *reterr);

/* What to say of a database that kept us waiting. */
void exchange_locked(struct exchange *ex, struct status *ret_status);

/* ---- exchange_one.c ----------------------------------------------------- */

void exchange_one_begin(struct exchange *ex);
void exchange_one_step(struct exchange *ex);
/* The timer may still run. */
void exchange_one_finish(struct exchange *ex);

/* ---- exchange_two.c ----------------------------------------------------- */

void exchange_two_begin(struct exchange *ex);
/* The client's ctx has ended. */
void exchange_two_abandon(struct exchange *ex);

#endif
