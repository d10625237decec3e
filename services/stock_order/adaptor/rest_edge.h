/*
 * Orders over HTTP.
 *
 *	POST /api/orders	201, the order		400 413 415 422
 *	GET  /api/orders	200, an array		400
 *	GET  /api/orders/{id}	200, the order		404
 *	POST /api/orders/{id}/cancel
 *				200, {"message":...}	404 409
 *	GET  /health		200, {"status":"healthy"}
 *
 * and 499, 500, 503, 504 as edge_work.h has them. What goes out is JSON and
 * ends in a line end; failures are {"error":"..."}, which the server has to be
 * told (http_options.error_style).
 *
 * Create: the body is json_order.h's, of type application/json, 64 KB at most
 * (http_options.body_max). A field Idempotency-Key makes it safe to be sent
 * again: the same key and order give the first answer, with the field
 * Idempotent-Replayed: true; the same key with another order is 422.
 *
 * List: newest first. Without a query all orders, streamed, of which a few
 * hundred are held at a time; when the storage fails in the middle the
 * connection is cut, so that nobody takes a part for the whole. Of lists that
 * are longer than these few hundred REST_EDGE_STREAMS_MAX are under way at
 * once, and more are 503: a client may take its time. With ?limit=n
 * (1 and up, 500 at most are given) or ?page_token=t (from the page before) a
 * page: where another follows, the field X-Next-Page-Token has its token and
 * Link, rel="next", its address.
 */
#ifndef RESCIND_STOCK_ORDER_ADAPTOR_REST_EDGE_H
#define RESCIND_STOCK_ORDER_ADAPTOR_REST_EDGE_H

#include <stdatomic.h>

#include "http/http.h"
#include "stock_order/adaptor/edge_work.h"

/* Lists that are streamed at once: each may hold 1.5 MB of text. */
enum { REST_EDGE_STREAMS_MAX = 128 };

struct rest_edge {
	struct order_edge base; /* first */
	atomic_uint streams;	/* under way */
};

/* Before the server starts. @edge must outlive it. */
void rest_edge_add(struct http_server *server, struct rest_edge *edge);

/*
 * An http_options.on_end: counts, and logs a line "METHOD URI REMOTE" a
 * request. @arg: struct work_metrics.
 */
void rest_edge_on_end(struct http_request *request, const struct http_end *end,
		      void *arg);

#endif
