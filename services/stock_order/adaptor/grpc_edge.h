/*
 * stockorder.StockOrderService on an rpc_server. What the generated code makes
 * stops here.
 *
 * Codes are edge_work.h's; texts begin with what failed: "failed to create
 * order: ...", "failed to list orders: ...", "failed to cancel order: ...",
 * but for "order not found: <id>" of GetOrder.
 *
 * CreateOrder takes the metadata idempotency-key: the same key and order give
 * the first answer, with the trailing metadata idempotent-replayed: true; the
 * same key with another order is ALREADY_EXISTS.
 *
 * ListOrders: with a page_size that many orders at most (500 at most). Without,
 * as many as fit into a message of about 3 MB, which clients take without being
 * told to; where that is not all, next_page_token tells where to go on. Such an
 * answer is packed as it is gathered, page by page; GRPC_EDGE_WHOLE_MAX are
 * gathered at once, beyond that a list which does not end with its first page
 * is RESOURCE_EXHAUSTED.
 */
#ifndef RESCIND_STOCK_ORDER_ADAPTOR_GRPC_EDGE_H
#define RESCIND_STOCK_ORDER_ADAPTOR_GRPC_EDGE_H

#include <stdatomic.h>

#include "rpc/server.h"
#include "stock_order/adaptor/edge_work.h"

/* The name under which health is told. */
#define STOCK_ORDER_SERVICE_NAME "stockorder.StockOrderService"

enum {
	/* Bytes of a request at most: far more than any that is valid. */
	GRPC_EDGE_MESSAGE_MAX = 64 * 1024,
	/* A list is not gathered further once it has so many bytes; the page
	 * that reaches it goes out, too, and is below 1 MB. */
	GRPC_EDGE_LIST_BYTES = 3 * 1000 * 1000,
	/* Lists of several pages that are gathered at once. */
	GRPC_EDGE_WHOLE_MAX = 16,
};

struct grpc_edge {
	struct order_edge base; /* first */
	atomic_uint wholes;	/* being gathered */
};

/* Before the server starts. @edge must outlive it. */
MUSTCHECK enum status_code grpc_edge_add(struct rpc_server *server,
					 struct grpc_edge *edge,
					 struct status *reterr);

/* An rpc_server_options.on_end that counts; @arg is the struct work_metrics. */
void grpc_edge_on_end(const char *method, const struct status *status,
		      enum ctx_cause cause, int64_t duration_ns, void *arg);

#endif
