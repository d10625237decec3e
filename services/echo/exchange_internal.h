/*
 * What the files of an exchange share; nothing outside includes it.
 *
 * exchange.c: life, the news that come in and the answer that goes out.
 * exchange_steps.c: the states, and what an exchange does in each.
 */
#ifndef RESCIND_ECHO_EXCHANGE_INTERNAL_H
#define RESCIND_ECHO_EXCHANGE_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "echo/exchange.h"
#include "loop/loop.h"

struct exchange {
	struct echo *echo;
	struct ctx *ctx;     /* the client's */
	struct ctx *txn_ctx; /* the transaction's own */
	exchange_answer_fn answer;
	void *answer_arg;
	int64_t begun_ns;
	/* One each: whoever steps it at start, the hook, and the trial,
	 * the call, the commit and the timer while they are under way. */
	atomic_int refs;

	pthread_mutex_t lock; /* what follows */
	enum exchange_state state;
	struct db_txn *txn; /* ours until the commit is asked for */
	const char *message;
	struct ctx_hook hook;
	struct loop_timer timer;
	struct worker_call call;
	bool ended;	       /* news: the client's ctx has ended */
	bool tried;	       /* news: the trial is over, or not needed */
	bool replied;	       /* news: the worker answered */
	bool stored;	       /* news: the commit is over */
	bool out_of_patience;  /* news: the commit took too long */
	bool trying;	       /* a trial is, or was, under way */
	bool waiting_long;     /* the timer was started */
	bool give_up_due;      /* for exchange_leave(): end txn_ctx */
	bool answer_due;       /* for exchange_leave(): tell the client */
	int64_t ended_ns;      /* when we heard of it, 0 for never */
	int64_t commit_ns;     /* when the commit was asked for, 0 for never */
	enum echo_doubt doubt; /* why it is tried */
	enum ctx_cause cause;
	/* What the news carried, then the outcome. While committing its text
	 * is the worker's. */
	struct status outcome;
	char request_id[]; /* copied */
};

/* exchange.c */
void exchange_get(struct exchange *ex);
void exchange_put(struct exchange *ex);
/* db_done_fn of the trial and of the commit; each drops a reference. */
void exchange_on_tried(const struct status *status, void *arg);
void exchange_on_stored(const struct status *status, void *arg);

/* exchange_steps.c */
/* Act on the news. With the lock held, after each of them. */
void exchange_step(struct exchange *ex);
/* What to say of a database that kept us waiting. */
void exchange_locked(struct exchange *ex, struct status *ret_status);

#endif
