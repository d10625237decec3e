/*
 * WorkerService.ListTransactions and ResolveTransactions, for those who resolve
 * what is in doubt: they are served when the server is full, and while it
 * drains, and bounded by themselves.
 */
#ifndef RESCIND_WORKER_TRANSACTIONS_EDGE_H
#define RESCIND_WORKER_TRANSACTIONS_EDGE_H

#include "rpc/server.h"

enum {
	LIST_PAGE_MAX = 1000,
	/* Calls of both at once; more are RESOURCE_EXHAUSTED. */
	INQUIRIES_MAX = 64,
};

/* The rpc_unary_fn of each; @self is the struct worker. */
void list_transactions(struct rpc_call *call, const ProtobufCMessage *request,
		       void *self);
void resolve_transactions(struct rpc_call *call,
			  const ProtobufCMessage *request, void *self);

#endif
