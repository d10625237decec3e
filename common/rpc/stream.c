/*
 * A client's stream. Confined to the poller's thread but for what users post,
 * and for the beginning, which the loop's thread may start itself.
 */
#include <stdlib.h>
#include <string.h>

#include "loop/bug.h"
#include "rpc/client.h"

/* A message on its way out. */
struct sending {
	struct post post;
	struct rpc_stream *stream;
	struct sending *next; /* waits behind the one before it */
	grpc_slice message;
	bool last; /* the half-close goes along */
};

struct rpc_stream {
	struct rpc_channel *channel;
	const struct channel_method *method;
	struct ctx *ctx;
	struct ctx_hook hook;
	atomic_uint refs; /* user, poller, hook, posts on their way */
	grpc_call *core;
	const struct rpc_stream_callbacks *callbacks;
	void *arg;

	/* The poller's: what gRPC still has to give back, and the end. */
	unsigned tags;
	bool ended; /* on_end was called */

	struct post post_open;
	struct post post_begin;
	struct op on_opened;
	struct metadata_out metadata;

	struct op on_status;
	grpc_metadata_array initial;
	grpc_metadata_array trailing;
	grpc_status_code code;
	grpc_slice text;

	struct post post_receive;
	struct op on_received;
	grpc_byte_buffer *inbox;

	atomic_bool cancelled; /* by the user */

	struct sending sends[RPC_SENDS_MAX];
	atomic_uint sends_taken;      /* a bit each */
	struct sending *send;	      /* whose batch is out */
	struct sending *first, *last; /* that wait for it */
	struct op on_sent;
	grpc_byte_buffer *outbox;

	struct post post_close;
	struct op on_closed;

	struct arena arena;
};

#define stream_of(member, pointer)                                             \
	((struct rpc_stream *)((char *)(pointer)-offsetof(struct rpc_stream,   \
							  member)))

/* ---- life --------------------------------------------------------------- */

static void destroy(struct rpc_stream *stream)
{
	grpc_byte_buffer_destroy(stream->inbox);
	grpc_byte_buffer_destroy(stream->outbox);
	grpc_metadata_array_destroy(&stream->initial);
	grpc_metadata_array_destroy(&stream->trailing);
	grpc_slice_unref(stream->text);
	metadata_out_release(&stream->metadata);
	arena_clear(&stream->arena);
	grpc_call_unref(stream->core);
	ctx_unref(stream->ctx);
	free(stream);
}

static void drop(struct rpc_stream *stream)
{
	struct rpc_channel *channel = stream->channel;

	if (atomic_fetch_sub(&stream->refs, 1) == 1) {
		destroy(stream);
		channel_calls_drop(channel);
	}
}

static void end(struct rpc_stream *stream)
{
	struct status status;
	struct rpc_metadata trailing;

	if (ctx_hook_remove(stream->ctx, &stream->hook)) {
		drop(stream); /* The hook's: ours is still there. */
	}
	status = channel_status(stream->channel, stream->ctx, stream->code,
				stream->text, atomic_load(&stream->cancelled));
	trailing = metadata_view(&stream->trailing, &stream->arena);
	stream->ended = true;
	stream->callbacks->on_end(stream, &status, &trailing, stream->arg);
	drop(stream);
}

/* A tag has come back; with the last of them, the status's among them, it ends.
 */
static void returned(struct rpc_stream *stream)
{
	if (--stream->tags == 0) {
		end(stream);
	}
}

/* ---- opening ------------------------------------------------------------ */

static void on_opened(struct op *op, bool ok)
{
	(void)ok; /* The status will tell. */
	returned(stream_of(on_opened, op));
}

static void on_status(struct op *op, bool ok)
{
	(void)ok; /* It always is. */
	returned(stream_of(on_status, op));
}

/*
 * How often a tag will come back is known before the first can: they do so on
 * the poller's thread, and the batches may be started on another.
 */
static void begin(struct rpc_stream *stream, unsigned tags)
{
	stream->tags = tags;
}

static void start_status(struct rpc_stream *stream)
{
	grpc_op ops[2];

	memset(ops, 0, sizeof(ops));
	ops[0].op = GRPC_OP_RECV_INITIAL_METADATA;
	ops[0].data.recv_initial_metadata.recv_initial_metadata =
		&stream->initial;
	ops[1].op = GRPC_OP_RECV_STATUS_ON_CLIENT;
	ops[1].data.recv_status_on_client.trailing_metadata = &stream->trailing;
	ops[1].data.recv_status_on_client.status = &stream->code;
	ops[1].data.recv_status_on_client.status_details = &stream->text;
	poller_start(stream->core, ops, 2, &stream->on_status);
}

/* The status is asked for at once, in a batch that gives back its tag last. */
static void on_post_open(struct post *post)
{
	struct rpc_stream *stream = stream_of(post_open, post);
	grpc_op op;

	begin(stream, 2);
	start_status(stream);
	op = channel_metadata_op(stream->channel, &stream->metadata);
	poller_start(stream->core, &op, 1, &stream->on_opened);
	drop(stream);
}

/* ---- what users ask ----------------------------------------------------- */

/* The post holds the stream: on_end may come before it is looked at. */
static void run(struct rpc_stream *stream, struct post *post)
{
	atomic_fetch_add(&stream->refs, 1);
	poller_run(stream->channel->poller, post);
}

static void on_received(struct op *op, bool ok)
{
	struct rpc_stream *stream = stream_of(on_received, op);
	grpc_byte_buffer *bytes = stream->inbox;
	ProtobufCMessage *message;
	struct status st;

	stream->inbox = NULL;
	if (!ok || bytes == NULL) {
		/* No more of them: the status is on its way. */
	} else if (message_unpack(stream->method->method->output, bytes,
				  &stream->arena, &message, &st) == STATUS_OK) {
		stream->callbacks->on_message(stream, message, stream->arg);
	} else {
		grpc_call_cancel_with_status(stream->core, GRPC_STATUS_INTERNAL,
					     st.message, NULL);
	}
	arena_clear(&stream->arena);
	grpc_byte_buffer_destroy(bytes);
	returned(stream);
}

static void start_receive(struct rpc_stream *stream)
{
	grpc_op ops[1];

	memset(ops, 0, sizeof(ops));
	ops[0].op = GRPC_OP_RECV_MESSAGE;
	ops[0].data.recv_message.recv_message = &stream->inbox;
	poller_start(stream->core, ops, 1, &stream->on_received);
}

static void on_post_receive(struct post *post)
{
	struct rpc_stream *stream = stream_of(post_receive, post);

	if (!stream->ended) {
		stream->tags++;
		start_receive(stream);
	}
	drop(stream);
}

void rpc_stream_receive(struct rpc_stream *stream)
{
	run(stream, &stream->post_receive);
}

/* ---- sending ------------------------------------------------------------ */

/* Any thread. */
static struct sending *take_send(struct rpc_stream *stream,
				 const ProtobufCMessage *message, bool last)
{
	for (unsigned i = 0; i < RPC_SENDS_MAX; i++) {
		struct sending *send = &stream->sends[i];

		if ((atomic_fetch_or(&stream->sends_taken, 1U << i) &
		     1U << i) == 0) {
			send->message = message_pack(message);
			send->last = last;
			send->next = NULL;
			return send;
		}
	}
	bug_stop(__FILE__, __LINE__, "too many sends wait for their turn");
}

static void give_back(struct rpc_stream *stream, struct sending *send)
{
	unsigned bit = 1U << (unsigned)(send - stream->sends);

	atomic_fetch_and(&stream->sends_taken, ~bit);
}

/* The ops behind @ops[n] that send it; how many they all are. */
static size_t fill_send(struct rpc_stream *stream, struct sending *send,
			grpc_op *ops, size_t n)
{
	stream->send = send;
	stream->outbox = grpc_raw_byte_buffer_create(&send->message, 1);
	grpc_slice_unref(send->message);
	memset(&ops[n], 0, 2 * sizeof(ops[n]));
	ops[n].op = GRPC_OP_SEND_MESSAGE;
	ops[n++].data.send_message.send_message = stream->outbox;
	if (send->last) {
		ops[n++].op = GRPC_OP_SEND_CLOSE_FROM_CLIENT;
	}
	return n;
}

static void start_send(struct rpc_stream *stream, struct sending *send)
{
	grpc_op ops[2];
	size_t n = fill_send(stream, send, ops, 0);

	stream->tags++;
	poller_start(stream->core, ops, n, &stream->on_sent);
}

static void start_next_send(struct rpc_stream *stream)
{
	struct sending *send = stream->first;

	if (send != NULL) {
		stream->first = send->next;
		start_send(stream, send);
	}
}

static void on_sent(struct op *op, bool ok)
{
	struct rpc_stream *stream = stream_of(on_sent, op);

	grpc_byte_buffer_destroy(stream->outbox);
	stream->outbox = NULL;
	give_back(stream, stream->send);
	stream->send = NULL;
	start_next_send(stream);
	if (stream->callbacks->on_sent != NULL) {
		stream->callbacks->on_sent(stream, ok, stream->arg);
	}
	returned(stream);
}

static void wait_for_turn(struct rpc_stream *stream, struct sending *send)
{
	if (stream->first != NULL) {
		stream->last->next = send;
	} else {
		stream->first = send;
	}
	stream->last = send;
}

static void on_post_send(struct post *post)
{
	struct sending *send = (struct sending *)post; /* its first */
	struct rpc_stream *stream = send->stream;

	if (stream->ended) {
		grpc_slice_unref(send->message);
		give_back(stream, send);
	} else if (stream->send != NULL) {
		wait_for_turn(stream, send);
	} else {
		start_send(stream, send);
	}
	drop(stream);
}

void rpc_stream_send(struct rpc_stream *stream, const ProtobufCMessage *message)
{
	run(stream, &take_send(stream, message, false)->post);
}

void rpc_stream_send_last(struct rpc_stream *stream,
			  const ProtobufCMessage *message)
{
	run(stream, &take_send(stream, message, true)->post);
}

static void on_closed(struct op *op, bool ok)
{
	(void)ok; /* The status will tell. */
	returned(stream_of(on_closed, op));
}

static void on_post_close(struct post *post)
{
	struct rpc_stream *stream = stream_of(post_close, post);
	grpc_op ops[1];

	if (!stream->ended) {
		memset(ops, 0, sizeof(ops));
		ops[0].op = GRPC_OP_SEND_CLOSE_FROM_CLIENT;
		stream->tags++;
		poller_start(stream->core, ops, 1, &stream->on_closed);
	}
	drop(stream);
}

void rpc_stream_close_send(struct rpc_stream *stream)
{
	run(stream, &stream->post_close);
}

void rpc_stream_cancel(struct rpc_stream *stream)
{
	atomic_store(&stream->cancelled, true);
	grpc_call_cancel(stream->core, NULL);
}

void rpc_stream_release(struct rpc_stream *stream)
{
	if (stream != NULL) {
		drop(stream);
	}
}

/* ---- making ------------------------------------------------------------- */

/* Three batches, of which the one that sends takes the metadata along. */
static void start_all(struct rpc_stream *stream)
{
	struct sending *send = stream->send;
	grpc_op ops[3];
	size_t n;

	begin(stream, 3);
	start_status(stream);
	ops[0] = channel_metadata_op(stream->channel, &stream->metadata);
	n = fill_send(stream, send, ops, 1);
	start_receive(stream);
	poller_start(stream->core, ops, n, &stream->on_sent);
}

static void on_post_begin(struct post *post)
{
	struct rpc_stream *stream = stream_of(post_begin, post);

	start_all(stream);
	drop(stream);
}

static void on_hook(struct ctx_hook *hook, struct ctx *ctx)
{
	struct rpc_stream *stream = stream_of(hook, hook);

	(void)ctx;
	grpc_call_cancel(stream->core, NULL);
	drop(stream);
}

static void init_ops(struct rpc_stream *stream)
{
	stream->hook.fn = on_hook;
	stream->post_open.fn = on_post_open;
	stream->post_begin.fn = on_post_begin;
	stream->post_receive.fn = on_post_receive;
	stream->post_close.fn = on_post_close;
	stream->on_opened.fn = on_opened;
	stream->on_status.fn = on_status;
	stream->on_received.fn = on_received;
	stream->on_sent.fn = on_sent;
	stream->on_closed.fn = on_closed;
	for (size_t i = 0; i < RPC_SENDS_MAX; i++) {
		stream->sends[i].post.fn = on_post_send;
		stream->sends[i].stream = stream;
	}
}

static struct rpc_stream *
stream_new(struct rpc_channel *channel, struct ctx *ctx,
	   const ProtobufCServiceDescriptor *service, const char *method,
	   const struct rpc_metadata *metadata,
	   const struct rpc_stream_callbacks *callbacks, void *arg)
{
	struct rpc_stream *stream = calloc(1, sizeof(*stream));

	BUG_IF(stream == NULL, "out of memory for a stream");
	stream->channel = channel;
	stream->method = channel_method(channel, service, method);
	stream->ctx = ctx_ref(ctx);
	stream->callbacks = callbacks;
	stream->arg = arg;
	stream->text = grpc_empty_slice();
	init_ops(stream);
	arena_init(&stream->arena);
	channel_metadata(&stream->metadata, ctx, metadata);
	channel_calls_add(channel);
	stream->core = channel_call(channel, stream->method, ctx);
	atomic_init(&stream->refs, 3); /* the user's, poller's and hook's */
	if (!ctx_hook_add(ctx, &stream->hook)) {
		on_hook(&stream->hook, ctx);
	}
	return stream;
}

struct rpc_stream *rpc_stream_open(struct rpc_channel *channel, struct ctx *ctx,
				   const ProtobufCServiceDescriptor *service,
				   const char *method,
				   const struct rpc_metadata *metadata,
				   const struct rpc_stream_callbacks *callbacks,
				   void *arg)
{
	struct rpc_stream *stream = stream_new(channel, ctx, service, method,
					       metadata, callbacks, arg);

	run(stream, &stream->post_open);
	return stream;
}

struct rpc_stream *
rpc_stream_begin(struct rpc_channel *channel, struct ctx *ctx,
		 const ProtobufCServiceDescriptor *service, const char *method,
		 const struct rpc_metadata *metadata,
		 const struct rpc_stream_callbacks *callbacks, void *arg,
		 const ProtobufCMessage *first)
{
	struct rpc_stream *stream = stream_new(channel, ctx, service, method,
					       metadata, callbacks, arg);

	stream->send = take_send(stream, first, false);
	if (loop_is_current(ctx_loop(ctx))) {
		start_all(stream);
	} else {
		run(stream, &stream->post_begin);
	}
	return stream;
}
