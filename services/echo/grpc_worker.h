/*
 * The worker port over gRPC: worker.WorkerService/DoWork on an rpc_channel.
 *
 *	grpc_worker_init(&worker, channel);
 *	echo.worker = &worker.port;
 *
 * A worker that answers without an error but not with success is told as
 * ABORTED. What the generated code makes stops here.
 */
#ifndef RESCIND_ECHO_GRPC_WORKER_H
#define RESCIND_ECHO_GRPC_WORKER_H

#include "echo/worker_port.h"
#include "loop/loop.h"
#include "rpc/channel.h"

struct grpc_worker {
	struct worker_port port;
	struct rpc_channel *channel;
	struct loop *loop;
	struct loop_timer keep;
	bool connected; /* as last seen, for the log */
};

/* @channel is borrowed. */
void grpc_worker_init(struct grpc_worker *worker, struct rpc_channel *channel);

/*
 * Connect, and keep connected: a channel that lost its connection does not make
 * a new one by itself, and the next request would have to wait for it. Loop
 * thread.
 */
void grpc_worker_keep_connected(struct grpc_worker *worker, struct loop *loop);
/* Before the channel is freed. Loop thread. */
void grpc_worker_release(struct grpc_worker *worker);

#endif
