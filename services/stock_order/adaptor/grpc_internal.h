/* What the files of the gRPC edge share. Nothing outside includes it. */
#ifndef RESCIND_STOCK_ORDER_ADAPTOR_GRPC_INTERNAL_H
#define RESCIND_STOCK_ORDER_ADAPTOR_GRPC_INTERNAL_H

#include "stock_order.pb-c.h"
#include "stock_order/adaptor/grpc_edge.h"

/* An order as a message; its texts are the order's, so it must not move. */
struct grpc_order {
	Stockorder__StockOrder message;
	Google__Protobuf__Timestamp created_at;
	Google__Protobuf__Timestamp updated_at;
};

void grpc_order_init(struct grpc_order *ret, const struct order *order);

/* End @call with the code of edge_work.h, and "@what: " before the text where
 * @what is given. */
void grpc_fail(struct rpc_call *call, const char *what,
	       const struct status *outcome);

/* The handler of ListOrders. @self: struct grpc_edge. */
void grpc_list(struct rpc_call *call, const ProtobufCMessage *request,
	       void *self);

#endif
