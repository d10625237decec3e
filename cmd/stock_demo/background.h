/*
 * The background work: market orders that are filled after some time. A part of
 * the ladder, which drains when what was due is filled, and which can be told
 * to finish by a hook before any part stops. Without -fill-after it is nothing,
 * and all of this does nothing.
 *
 * Thread-safety: loop thread, or before it runs.
 */
#ifndef RESCIND_CMD_STOCK_DEMO_BACKGROUND_H
#define RESCIND_CMD_STOCK_DEMO_BACKGROUND_H

#include "program/program.h"
#include "stock_order/service/order_filler.h"

struct stock_background {
	struct program *program;
	struct lifecycle_part *part; /* NULL: there is no background work */
	struct lifecycle_hook *hook;
	struct ctx *ctx;
	struct order_filler *filler;
	struct metrics_counter *filled;
	bool finishing;
	bool finished;
};

/* Register it as a part: after what it works on, before what gives it work. */
void stock_background_add(struct stock_background *background,
			  struct program *program);
/* Finish it in a hook, which may take @share_percent of the shutdown timeout.
 * What is not finished by then stays PENDING, in the database. */
void stock_background_add_hook(struct stock_background *background,
			       unsigned share_percent);

/* Begin, if it was registered. The last step of a start. */
void stock_background_start(struct stock_background *background,
			    struct order_repository *orders,
			    struct order_clock *clock, int64_t fill_after_ns);

#endif
