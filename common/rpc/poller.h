/*
 * The poller: one completion queue of gRPC and the one thread that serves it.
 *
 * Everything that a call of ours owns is confined to that thread; gRPC's
 * batches are started there. Other threads hand over work in two ways:
 *
 * - poller_run(): a post, which starts batches and must call no code of users.
 *   Posts of one thread run in order. They gather in an outbox, for which a
 *   sleeping poller is woken once (a kick), so that a thread that ends hundreds
 *   of calls in a row pays for a list insertion each, and no system call.
 * - poller_defer(): an op, which arrives through the queue like any tag of
 * gRPC, and may call users: for callbacks that must not run inside the call
 * that asked for them.
 */
#ifndef RESCIND_RPC_POLLER_H
#define RESCIND_RPC_POLLER_H

#include <grpc/grpc.h>
#include <stdatomic.h>

#include "rpc/rpc.h"

/* What every tag points at. */
struct op {
	void (*fn)(struct op *op, bool ok);
};

struct post {
	void (*fn)(struct post *post);
	struct post *next; /* the poller's own */
};

grpc_completion_queue *poller_queue(struct rpc_poller *poller);

/* True on the poller's thread. */
bool poller_is_current(const struct rpc_poller *poller);

/*
 * Run @post on the poller's thread: at once when called there (after all that
 * was posted before), else soon. A post that waits must not be posted again.
 */
void poller_run(struct rpc_poller *poller, struct post *post);
/* The same, but never at once. */
void poller_post(struct rpc_poller *poller, struct post *post);

/* Call op->fn(op, true) on the poller's thread, soon. Any thread. */
void poller_defer(struct rpc_poller *poller, struct op *op);

/* Start a batch that can't be refused, except by a mistake of ours. */
void poller_start(grpc_call *call, const grpc_op *ops, size_t n, struct op *op);

#endif
