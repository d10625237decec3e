/*
 * A gRPC client for plain C. A call takes a ctx: its deadline becomes the
 * call's (grpc-timeout), and when the ctx ends the call is cancelled on the
 * wire.
 *
 *	rpc_unary(channel, ctx, &worker__worker_service__descriptor, "DoWork",
 *		  &request.base, NULL, on_done, self);
 *
 * request-id and traceparent of the ctx travel as metadata. Connections are
 * kept alive by pings and made anew with a short back-off (100 ms to 1 s); a
 * call on a channel that can't connect fails at once with UNAVAILABLE, unless
 * wait_for_ready is set.
 *
 * A reply of CANCELLED that we did not ask for is told as UNAVAILABLE: the
 * server went away. A call that fails with UNAVAILABLE makes the channel
 * connect anew at once (at most every 50 ms), so that a server that comes back
 * is found by the next call or the one after it.
 *
 * Calls made on the loop's thread or the poller's are started there. A call
 * made on any other thread is handed to the poller, which costs that thread
 * little.
 */
#ifndef RESCIND_RPC_CHANNEL_H
#define RESCIND_RPC_CHANNEL_H

#include "rpc/rpc.h"

struct rpc_channel;

struct rpc_channel_options {
	const char *target;	      /* host:port */
	size_t message_max;	      /* bytes received; default 4 MB */
	int64_t keepalive_ns;	      /* default 10 s */
	int64_t keepalive_timeout_ns; /* default 5 s */
	bool wait_for_ready;
	const struct rpc_tls *tls;   /* NULL: plaintext */
	const char *tls_server_name; /* NULL: the target's host */
};
void rpc_channel_options_init(struct rpc_channel_options *options);

MUSTCHECK enum status_code
rpc_channel_new(struct rpc_poller *poller,
		const struct rpc_channel_options *options,
		struct rpc_channel **ret_channel, struct status *reterr);
/* Every call on it must have ended, every stream been released. NULL is fine.
 */
void rpc_channel_free(struct rpc_channel *channel);

/* Connected now? With @connect, begin connecting if idle. Any thread. */
bool rpc_channel_is_ready(struct rpc_channel *channel, bool connect);
/* Try to connect now, though an attempt has just failed: as a call that fails
 * does (at most every 50 ms). Any thread. */
void rpc_channel_hurry(struct rpc_channel *channel);

/* ---- unary -------------------------------------------------------------- */

/*
 * The outcome, on the poller's thread, exactly once, never inside rpc_unary().
 * @response is NULL unless @status is OK, and valid inside the function.
 * When the ctx ended first @status carries the ctx's code and text; but an OK
 * that has arrived stays an OK: what the server did, it did.
 * @trailing is the server's trailing metadata.
 */
typedef void (*rpc_unary_done_fn)(const struct status *status,
				  const ProtobufCMessage *response,
				  const struct rpc_metadata *trailing,
				  void *arg);

/*
 * The request is serialized and the metadata copied before it returns. Bytes of
 * metadata that HTTP/2 can't carry are percent-encoded, except in "-bin" keys.
 */
void rpc_unary(struct rpc_channel *channel, struct ctx *ctx,
	       const ProtobufCServiceDescriptor *service, const char *method,
	       const ProtobufCMessage *request,
	       const struct rpc_metadata *metadata, rpc_unary_done_fn done,
	       void *arg);

/* ---- streams of all three kinds ----------------------------------------- */

struct rpc_stream;

struct rpc_stream_callbacks {
	/* One message has arrived; the next is asked for with
	 * rpc_stream_receive(). Valid inside the function. */
	void (*on_message)(struct rpc_stream *stream,
			   const ProtobufCMessage *message, void *arg);
	/* A send was taken by flow control, or the stream is gone. */
	void (*on_sent)(struct rpc_stream *stream, bool ok, void *arg);
	/*
	 * Exactly once, and the last of them. Messages that have arrived come
	 * first: without a receive they hold it up, until the ctx ends or the
	 * stream is cancelled.
	 */
	void (*on_end)(struct rpc_stream *stream, const struct status *status,
		       const struct rpc_metadata *trailing, void *arg);
};

/*
 * Open a stream; it is the caller's until rpc_stream_release(). All callbacks
 * come on the poller's thread, never inside a call made here, and may come
 * before this returns. The functions below may be called from any thread; on a
 * stream that has ended they do nothing.
 */
struct rpc_stream *rpc_stream_open(struct rpc_channel *channel, struct ctx *ctx,
				   const ProtobufCServiceDescriptor *service,
				   const char *method,
				   const struct rpc_metadata *metadata,
				   const struct rpc_stream_callbacks *callbacks,
				   void *arg);
/*
 * rpc_stream_open(), rpc_stream_send(@first) and rpc_stream_receive() at once,
 * for half of what they cost one by one; on the loop's thread it is under way
 * when this returns.
 */
struct rpc_stream *
rpc_stream_begin(struct rpc_channel *channel, struct ctx *ctx,
		 const ProtobufCServiceDescriptor *service, const char *method,
		 const struct rpc_metadata *metadata,
		 const struct rpc_stream_callbacks *callbacks, void *arg,
		 const ProtobufCMessage *first);
/* Ask for one message: on_message, or nothing when the stream has ended. */
void rpc_stream_receive(struct rpc_stream *stream);
/*
 * Serialized before it returns. Those that come before on_sent of the one
 * before wait for their turn, in the order in which one thread asks for them;
 * more than RPC_SENDS_MAX at once are a bug and stop the process.
 */
enum { RPC_SENDS_MAX = 4 };
void rpc_stream_send(struct rpc_stream *stream,
		     const ProtobufCMessage *message);
/* The last one, and that no more will come (half-close), in one go. */
void rpc_stream_send_last(struct rpc_stream *stream,
			  const ProtobufCMessage *message);
/* No more sends (half-close). After on_sent of the last one. */
void rpc_stream_close_send(struct rpc_stream *stream);
/* Cancel it on the wire; on_end follows. */
void rpc_stream_cancel(struct rpc_stream *stream);
/*
 * Give the stream back, once; inside on_end is fine, and so is before it: the
 * stream then goes on by itself to its end. NULL is fine.
 */
void rpc_stream_release(struct rpc_stream *stream);

#endif
