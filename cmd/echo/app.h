/*
 * The parts of this program. start.c makes them, stop.c says how each of them
 * stops and releases them, main.c runs them.
 */
#ifndef RESCIND_CMD_ECHO_APP_H
#define RESCIND_CMD_ECHO_APP_H

#include "config.h"
#include "echo/grpc_worker.h"
#include "echo/http_edge.h"
#include "lifecycle/lifecycle.h"
#include "loop/loop.h"
#include "metrics/metrics.h"
#include "ops/ops_http.h"

/* All that this program is made of, in the order in which it is made. */
struct app {
	struct config config;
	size_t descriptors;
	size_t in_flight_max;
	struct loop *loop;
	struct ctx *root;
	struct metrics *metrics;
	struct work_metrics *work_metrics;
	struct http_server *http;
	struct db *db;
	struct rpc_poller *poller;
	struct rpc_channel *channel;
	struct grpc_worker worker;
	struct echo echo;
	struct http_edge edge;
	struct ops_http ops;
	struct lifecycle *lifecycle;
	struct lifecycle_part *exchanges_part;
	struct lifecycle_part *http_part;
};

/* Make and start everything; on failure app_release() what there is. */
MUSTCHECK enum status_code app_start(struct app *app, struct status *reterr);
/* Release what the ladder did not close, because it never ran, and the rest. */
void app_release(struct app *app);

/* How the parts stop; registered in this order. */
extern const struct lifecycle_ops app_db_part;
extern const struct lifecycle_ops app_exchanges_part;
extern const struct lifecycle_ops app_http_part;

#endif
