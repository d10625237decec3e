/*
 * A background task that fills MARKET orders which have been PENDING for some
 * time.
 *
 *              ┌────────────────────┐
 *              v                    │
 *           resting ──> looking ──> filling
 *              └────────────┴──────────┴─────> finished
 *
 *   resting    waits on a timer, until the next order can be due
 *   looking    asks the repository what is due
 *   filling    up to 64 orders are being filled
 *   finished   for good; on demand, without resting first
 *
 * An order that is cancelled while the filler is about to fill it stays
 * cancelled: the rule is applied to the order as it is stored. An order that
 * can't be filled because of the repository stays PENDING and is tried again
 * after a rest.
 *
 * Threads: what it decides it decides on the loop's thread, which must run
 * until it is finished; it holds no thread of its own.
 */
#ifndef RESCIND_STOCK_ORDER_SERVICE_ORDER_FILLER_H
#define RESCIND_STOCK_ORDER_SERVICE_ORDER_FILLER_H

#include "ctx/ctx.h"
#include "status/status.h"
#include "stock_order/port/order_clock.h"
#include "stock_order/port/order_repository.h"

struct order_filler;

struct order_filler_options {
	struct order_repository *orders;
	struct order_clock *clock;
	/* What it works under, and whose loop it rests on; a reference is
	 * taken. Nothing is filled any more when it has ended. */
	struct ctx *ctx;
	/* How long an order is PENDING first. At least 0. */
	int64_t fill_after_ns;
	/* Told of each order that was filled; any thread, may be NULL. */
	void (*on_filled)(const struct order *order, void *arg);
	/* Told of the repository's trouble; the loop's thread, may be NULL. */
	void (*on_trouble)(const struct status *status, void *arg);
	void *arg;
};

/* Begin. Any thread. Never NULL. */
struct order_filler *
order_filler_start(const struct order_filler_options *options);

/*
 * On the loop's thread. @filled: orders that were filled since the finish was
 * asked for. @status: OK where everything that was due then has been filled, or
 * cancelled by others; otherwise what is left stays PENDING, and the code says
 * why: DEADLINE_EXCEEDED, the ctx's, or the repository's.
 */
typedef void (*order_filler_done_fn)(const struct status *status,
				     uint64_t filled, void *arg);

/*
 * Fill what is due at this instant, and stop. Begins nothing at @deadline_ns
 * (monotonic) or later. @done is called exactly once, after this has returned.
 * Any thread; to be called once at most.
 */
void order_filler_finish(struct order_filler *filler, int64_t deadline_ns,
			 order_filler_done_fn done, void *arg);

/*
 * From inside @done on. A filler that was started must be finished first. NULL
 * is fine.
 */
void order_filler_free(struct order_filler *filler);

#endif
