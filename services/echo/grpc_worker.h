/*
 * The worker over gRPC: worker.WorkerService on an rpc_channel. DoWork and
 * Exchange behind the port that exchanges use (worker_port.h), ListTransactions
 * and ResolveTransactions behind the keeper's (twopc/keeper.h).
 *
 *	grpc_worker_init(&worker, channel);
 *	echo.worker = &worker.port;
 *	keeper_options.peer = &worker.peer;
 *
 * A worker that answers without an error but not with success is told as
 * ABORTED. What the generated code makes stops here.
 *
 * grpc_worker.c: the single call, and the connection.
 * grpc_exchange.c: exchanges.
 * grpc_peer.c: what the keeper asks.
 */
#ifndef RESCIND_ECHO_GRPC_WORKER_H
#define RESCIND_ECHO_GRPC_WORKER_H

#include "echo/worker_port.h"
#include "loop/loop.h"
#include "rpc/channel.h"
#include "twopc/keeper.h"

struct grpc_worker {
	struct worker_port port;
	struct twopc_peer peer;
	struct rpc_channel *channel;
	struct loop *loop;
	struct loop_timer keep;
	bool connected; /* as last seen */
	void (*reached)(void *arg);
	void *reached_arg;
	/* Of the keeper, which resolves one batch at a time. */
	struct twopc_peer_call *resolving;
	size_t resolving_n;
};

/* @channel is borrowed. */
void grpc_worker_init(struct grpc_worker *worker, struct rpc_channel *channel);

/*
 * Connect, and keep connected: a channel that lost its connection does not make
 * a new one by itself, and the next request would have to wait for it. @reached
 * (may be NULL) is called whenever there is a connection where there was none.
 * Loop thread.
 */
void grpc_worker_keep_connected(struct grpc_worker *worker, struct loop *loop,
				void (*reached)(void *arg), void *arg);
/* Before the channel is freed. Loop thread. */
void grpc_worker_release(struct grpc_worker *worker);

/* ---- between the files -------------------------------------------------- */

#define GRPC_WORKER_OF(member, pointer)                                        \
	((struct grpc_worker *)((char *)(pointer)-offsetof(struct grpc_worker, \
							   member)))

/* grpc_exchange.c */
void grpc_exchange_prepare(struct worker_port *port, struct ctx *ctx,
			   const struct worker_order *order,
			   struct worker_link *link);
void grpc_exchange_commit(struct worker_port *port, struct worker_link *link);
void grpc_exchange_rollback(struct worker_port *port, struct worker_link *link);
/* What the wire's numbers mean; FAILED for those that it does not have. */
enum twopc_verdict grpc_exchange_verdict(int wire);

/* grpc_peer.c */
extern const struct twopc_peer_ops grpc_peer_ops;

#endif
