/*
 * Private to the client: a channel and what its calls share.
 *
 * Calls are made on any thread and end on the poller's. They hold two
 * references to themselves: one of the poller's, for the tags of gRPC, and one
 * of the hook in the ctx, which cancels the call on whichever thread ends the
 * ctx. Whichever is dropped last gives the memory back.
 */
#ifndef RESCIND_RPC_CLIENT_H
#define RESCIND_RPC_CLIENT_H

#include <grpc/grpc.h>
#include <pthread.h>
#include <stdatomic.h>

#include "rpc/channel.h"
#include "rpc/message.h"
#include "rpc/metadata.h"
#include "rpc/poller.h"

/* A method that was called once: its handle in gRPC. Never removed. */
struct channel_method {
	struct channel_method *next;
	const ProtobufCServiceDescriptor *service;
	const ProtobufCMethodDescriptor *method;
	char *path;
	void *handle;
};

struct rpc_channel {
	struct rpc_poller *poller;
	grpc_channel *core;
	bool wait_for_ready;
	_Atomic(struct channel_method *) methods;
	atomic_int_fast64_t hurried_ns;

	pthread_mutex_t mutex; /* guards the rest */
	pthread_cond_t idle;
	size_t calls; /* whose memory is in use */
	struct unary *pool;
	size_t pool_nr;
};

/* Aborts when @service has no method @name. Any thread. */
const struct channel_method *
channel_method(struct rpc_channel *channel,
	       const ProtobufCServiceDescriptor *service, const char *name);

/* A call that will have the ctx's deadline. */
grpc_call *channel_call(struct rpc_channel *channel,
			const struct channel_method *method,
			const struct ctx *ctx);

/* What is sent ahead: the ctx's facts and @metadata (may be NULL). */
void channel_metadata(struct metadata_out *out, const struct ctx *ctx,
		      const struct rpc_metadata *metadata);
/* The op that sends it. */
grpc_op channel_metadata_op(const struct rpc_channel *channel,
			    const struct metadata_out *out);

/*
 * What to tell of a call that ended as gRPC says: an OK stands; else, where the
 * ctx has ended, that is the reason. CANCELLED without being @cancelled by us
 * is the server's doing.
 */
struct status channel_status(struct rpc_channel *channel, struct ctx *ctx,
			     grpc_status_code code, grpc_slice text,
			     bool cancelled);

/* Count the memory of calls, which the channel outlives. */
void channel_calls_add(struct rpc_channel *channel);
void channel_calls_drop(struct rpc_channel *channel);

/* unary.c */
void unary_pool_free(struct rpc_channel *channel);

#endif
