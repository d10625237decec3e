/*
 * WorkerService.Exchange: a stream of orders, as a branch. What the generated
 * code makes stops here. The receive is always armed, so that an order is heard
 * whatever is going on; sends go out one at a time, and while one does only the
 * latest thing to say is kept, which says all that matters.
 */
#ifndef RESCIND_WORKER_EXCHANGE_EDGE_H
#define RESCIND_WORKER_EXCHANGE_EDGE_H

#include "rpc/server.h"

/* The rpc_stream_fn; @self is the struct worker. */
void exchange_edge(struct rpc_call *call, void *self);

#endif
