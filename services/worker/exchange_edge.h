/*
 * WorkerService.Exchange: a stream of orders, as a branch. What the generated
 * code makes stops here. A receive is armed, so that an order is heard whatever
 * is going on, until one has come that ends the transaction: no other counts
 * then.
 */
#ifndef RESCIND_WORKER_EXCHANGE_EDGE_H
#define RESCIND_WORKER_EXCHANGE_EDGE_H

#include "rpc/server.h"

/* The rpc_stream_fn; @self is the struct worker. */
void exchange_edge(struct rpc_call *call, void *self);

#endif
