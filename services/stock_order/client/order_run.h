/*
 * One order after another, at an interval, until told to stop.
 *
 *	  RESTING ──due──> SENDING ──answer──> REPORTING ──reported──> RESTING
 *	     │                 │                   │
 *	   stop              stop: cancelled     last one, or stopped
 *	     └──────────> OVER <───────────────────┘
 *
 *   resting    waits until the next order is due
 *   sending    an order is on its way; a stop cancels it, and its end is
 *              waited for all the same
 *   reporting  its outcome is being told; no other is sent meanwhile, so that
 *              whoever can't take in what is told holds up the sending
 *   over       for good
 *
 * Orders are due at the start and every interval after it, whatever each takes;
 * those whose time has passed while another was out are left out.
 *
 * Threads: everything here on the loop's.
 */
#ifndef RESCIND_STOCK_ORDER_CLIENT_ORDER_RUN_H
#define RESCIND_STOCK_ORDER_CLIENT_ORDER_RUN_H

#include "stock_order/client/order_sender.h"
#include "stock_order/client/tally.h"
#include "stock_order/port/order_ids.h"

/* X(symbol, name, states that may follow). */
#define ORDER_RUN_STATES(X)                                                    \
	X(RESTING, "resting", TO(SENDING) | TO(OVER))                          \
	X(SENDING, "sending", TO(REPORTING))                                   \
	X(REPORTING, "reporting", TO(RESTING) | TO(OVER))                      \
	X(OVER, "over", 0)

enum order_run_state {
#define ORDER_RUN_ENUM(symbol, name, moves) ORDER_RUN_##symbol,
	ORDER_RUN_STATES(ORDER_RUN_ENUM)
#undef ORDER_RUN_ENUM
};

/* What became of one order. Its texts are valid inside the function. */
struct order_outcome {
	uint64_t number;      /* from 1 */
	struct status status; /* CANCELLED: by a stop */
	const char *id;	      /* NULL unless OK */
	int64_t took_ns;
};

struct order_run_options {
	struct loop *loop;
	struct ctx *root; /* a request's ctx is a child of it */
	struct order_sender *sender;
	struct order_draft draft; /* its texts outlive the run */
	int64_t interval_ns;	  /* 0: one after another */
	uint64_t count;		  /* 0: no end of them */
	int64_t timeout_ns;	  /* of each order; above 0 */
	struct order_ids *keys;	  /* a fresh one for each order; NULL: none */

	/* Once for each order; order_run_reported() must follow. */
	void (*on_outcome)(const struct order_outcome *outcome, void *arg);
	/* Once, at the end, never inside a call made here. */
	void (*on_over)(void *arg);
	void *arg;
};

struct order_run {
	struct order_run_options options;
	enum order_run_state state;
	struct tally tally;
	bool stopping;
	int64_t due_ns;	 /* of the next order */
	int64_t sent_ns; /* of the one that is out */
	struct ctx *ctx; /* of that one */
	char key[ORDER_ID_SIZE];
	struct loop_timer timer;
	struct loop_task over;
};

/* Begin; the first order is due at once. @run stays until on_over. */
void order_run_start(struct order_run *run,
		     const struct order_run_options *options);
/* What became of the last order has been told; go on. Inside on_outcome or
 * later. */
void order_run_reported(struct order_run *run);
/* Send no more, and cancel the one that is out. Again is fine. */
void order_run_stop(struct order_run *run);

const char *order_run_state_name(enum order_run_state state);

/* When the order after that of @due_ns is due, at @now_ns. */
int64_t order_run_next_ns(int64_t due_ns, int64_t interval_ns, int64_t now_ns);

#endif
