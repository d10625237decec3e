/*
 * What the rules of a service need around them in a test: a loop on a thread of
 * its own, a root scope, metrics, and a log that can be read back.
 */
#ifndef RESCIND_TEST_WORLD_H
#define RESCIND_TEST_WORLD_H

#include "ctx/ctx.h"
#include "fake_db.h"
#include "loop/loop.h"
#include "metrics/metrics.h"
#include "ops/work_metrics.h"
#include "outcome.h"

struct world {
	struct loop *loop;
	struct ctx *root;
	struct metrics *metrics;
	struct work_metrics *work_metrics;
	struct fake_db db;
	struct outcome outcome;
	int log_fd;
};

/* @service labels the metrics. */
void world_init(struct world *world, const char *service);
/* Ends the loop; checks what the fakes can check. */
void world_release(struct world *world);

/* Whether the log has a line with @text, so far. */
bool world_logged(struct world *world, const char *text);
/* Whether the metrics page has the line "<series> <value>". */
bool world_counted(struct world *world, const char *series, int value);

/* Wait until the loop is done with what it does now: it may still hold what
 * has given its answer. */
void world_settle(struct world *world);

/* Run @fn on the loop's thread, and wait until it has run. */
void world_on_loop(struct world *world, void (*fn)(void *arg), void *arg);

/* Wait until the loop has served every timer that is due by now. */
void world_serve_timers(struct world *world);

/* Keep the loop's thread busy until the instant, as a stopped process would. */
void world_block_loop(struct world *world, int64_t until_ns);

/* Wait until @ctx has ended (a test that waits 5 s has failed); when it did. */
int64_t world_await_end(struct ctx *ctx);

#endif
