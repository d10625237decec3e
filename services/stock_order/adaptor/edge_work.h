/*
 * What the edges of both protocols do alike: a request's deadline, the codes
 * that its failure goes out with, and what is counted of it.
 */
#ifndef RESCIND_STOCK_ORDER_ADAPTOR_EDGE_WORK_H
#define RESCIND_STOCK_ORDER_ADAPTOR_EDGE_WORK_H

#include <stdbool.h>

#include "ctx/ctx.h"
#include "ops/work_metrics.h"
#include "status/status.h"
#include "stock_order/service/order_service.h"

/*
 * The one table of failures. X(code of the service, HTTP status, gRPC code).
 * Any other code is a fault of ours: 500, INTERNAL.
 */
#define EDGE_ERRORS(X)                                                         \
	/* The caller's: the same request would fail again. */                 \
	X(INVALID_ARGUMENT, 400, INVALID_ARGUMENT)                             \
	X(NOT_FOUND, 404, NOT_FOUND)                                           \
	X(FAILED_PRECONDITION, 409, FAILED_PRECONDITION)                       \
	X(ALREADY_EXISTS, 422, ALREADY_EXISTS)                                 \
	/* Its end, from outside. */                                           \
	X(CANCELLED, 499, CANCELLED)                                           \
	X(DEADLINE_EXCEEDED, 504, DEADLINE_EXCEEDED)                           \
	/* The storage's: never a 4xx. */                                      \
	X(RESOURCE_EXHAUSTED, 503, RESOURCE_EXHAUSTED)                         \
	X(UNAVAILABLE, 503, UNAVAILABLE)                                       \
	X(ABORTED, 503, UNAVAILABLE)                                           \
	X(DATA_LOSS, 500, DATA_LOSS)                                           \
	X(INTERNAL, 500, INTERNAL)

/* What a cancel that succeeded says. */
#define EDGE_CANCELLED_TEXT "order cancelled successfully"

int edge_http_status(enum status_code code);
enum status_code edge_rpc_code(enum status_code code);

/* What an edge works with. */
struct order_edge {
	struct order_service *service;
	struct work_metrics *metrics;
	/* How long a request may take; a list that is streamed may take
	 * longer. */
	int64_t timeout_ns;
};

/* One request, from its arrival to its answer. */
struct edge_work {
	const struct order_edge *edge;
	struct ctx *ctx; /* ends with the caller's, or at the deadline */
	int64_t began_ns;
};

void edge_work_begin(struct edge_work *work, const struct order_edge *edge,
		     struct ctx *parent);

/*
 * It has @outcome: counts, logs trouble of the storage, and releases the ctx.
 * @changes: that it was to change something, so that it counts as a transaction
 * - committed, or rolled back where the request was in order and fell to its
 * end or to the storage.
 */
void edge_work_end(struct edge_work *work, const struct status *outcome,
		   bool changes);

#endif
