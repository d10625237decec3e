/* A client's unary call: one batch, one tag. */
#include <stdlib.h>
#include <string.h>

#include "loop/bug.h"
#include "rpc/client.h"

enum { UNARY_POOLED_MAX = 512 };

struct unary {
	struct rpc_channel *channel;
	const struct channel_method *method;
	struct unary *next; /* in the pool */
	struct ctx *ctx;
	struct ctx_hook hook;
	atomic_uint refs;
	grpc_call *core;
	struct op on_end;
	struct post start;

	/* What goes out. */
	grpc_slice request;
	grpc_byte_buffer *outbox;
	struct metadata_out metadata;

	/* What comes in. */
	grpc_metadata_array initial;
	grpc_metadata_array trailing;
	grpc_byte_buffer *inbox;
	grpc_status_code code;
	grpc_slice text;

	rpc_unary_done_fn done;
	void *arg;
	struct arena arena; /* of the response */
};

#define unary_of(member, pointer)                                              \
	((struct unary *)((char *)(pointer)-offsetof(struct unary, member)))

/* ---- memory ------------------------------------------------------------- */

static struct unary *create(struct rpc_channel *channel)
{
	struct unary *call = malloc(sizeof(*call));

	BUG_IF(call == NULL, "out of memory for a call");
	call->channel = channel;
	grpc_metadata_array_init(&call->initial);
	grpc_metadata_array_init(&call->trailing);
	arena_init(&call->arena);
	return call;
}

static void destroy(struct unary *call)
{
	grpc_metadata_array_destroy(&call->initial);
	grpc_metadata_array_destroy(&call->trailing);
	free(call);
}

static struct unary *take(struct rpc_channel *channel)
{
	struct unary *call;

	pthread_mutex_lock(&channel->mutex);
	channel->calls++;
	call = channel->pool;
	if (call != NULL) {
		channel->pool = call->next;
		channel->pool_nr--;
	}
	pthread_mutex_unlock(&channel->mutex);
	return call != NULL ? call : create(channel);
}

static void give(struct unary *call)
{
	struct rpc_channel *channel = call->channel;
	bool pooled;

	pthread_mutex_lock(&channel->mutex);
	pooled = channel->pool_nr < UNARY_POOLED_MAX;
	if (pooled) {
		call->next = channel->pool;
		channel->pool = call;
		channel->pool_nr++;
	}
	if (--channel->calls == 0) {
		pthread_cond_signal(&channel->idle);
	}
	pthread_mutex_unlock(&channel->mutex);
	if (!pooled) {
		destroy(call);
	}
}

void unary_pool_free(struct rpc_channel *channel)
{
	while (channel->pool != NULL) {
		struct unary *call = channel->pool;

		channel->pool = call->next;
		destroy(call);
	}
}

static void drop(struct unary *call)
{
	if (atomic_fetch_sub(&call->refs, 1) != 1) {
		return;
	}
	grpc_call_unref(call->core);
	give(call);
}

/* ---- the end ------------------------------------------------------------ */

static struct status outcome(struct unary *call, ProtobufCMessage **ret_message)
{
	struct status status = channel_status(call->channel, call->ctx,
					      call->code, call->text, false);
	struct status st;

	if (status.code != STATUS_OK) {
		return status;
	}
	if (call->inbox == NULL) {
		return status_make(STATUS_INTERNAL,
				   "the server said OK without a response");
	}
	if (message_unpack(call->method->method->output, call->inbox,
			   &call->arena, ret_message, &st) != STATUS_OK) {
		return status_make(STATUS_INTERNAL, "malformed response: %s",
				   st.message);
	}
	return status;
}

static void release_buffers(struct unary *call)
{
	grpc_byte_buffer_destroy(call->outbox);
	grpc_byte_buffer_destroy(call->inbox);
	grpc_slice_unref(call->text);
	metadata_out_release(&call->metadata);
	arena_clear(&call->arena);
}

/* All that is the poller's goes; the hook may still be running. */
static void on_end(struct op *op, bool ok)
{
	struct unary *call = unary_of(on_end, op);
	struct ctx *ctx = call->ctx;
	ProtobufCMessage *message = NULL;
	struct rpc_metadata trailing;
	struct status status;

	(void)ok; /* The status says it all. */
	if (ctx_hook_remove(ctx, &call->hook)) {
		atomic_fetch_sub(&call->refs, 1);
	}
	status = outcome(call, &message);
	trailing = metadata_view(&call->trailing, &call->arena);
	call->done(&status, message, &trailing, call->arg);
	release_buffers(call);
	drop(call);
	ctx_unref(ctx);
}

static void on_hook(struct ctx_hook *hook, struct ctx *ctx)
{
	struct unary *call = unary_of(hook, hook);

	(void)ctx;
	grpc_call_cancel(call->core, NULL);
	drop(call);
}

/* ---- the start ---------------------------------------------------------- */

static void fill_send(struct unary *call, grpc_op *ops)
{
	call->outbox = grpc_raw_byte_buffer_create(&call->request, 1);
	grpc_slice_unref(call->request);
	ops[0] = channel_metadata_op(call->channel, &call->metadata);
	ops[1].op = GRPC_OP_SEND_MESSAGE;
	ops[1].data.send_message.send_message = call->outbox;
	ops[2].op = GRPC_OP_SEND_CLOSE_FROM_CLIENT;
}

static void fill_receive(struct unary *call, grpc_op *ops)
{
	ops[0].op = GRPC_OP_RECV_INITIAL_METADATA;
	ops[0].data.recv_initial_metadata.recv_initial_metadata =
		&call->initial;
	ops[1].op = GRPC_OP_RECV_MESSAGE;
	ops[1].data.recv_message.recv_message = &call->inbox;
	ops[2].op = GRPC_OP_RECV_STATUS_ON_CLIENT;
	ops[2].data.recv_status_on_client.trailing_metadata = &call->trailing;
	ops[2].data.recv_status_on_client.status = &call->code;
	ops[2].data.recv_status_on_client.status_details = &call->text;
}

static void start(struct post *post)
{
	struct unary *call = unary_of(start, post);
	grpc_op ops[6];

	memset(ops, 0, sizeof(ops));
	fill_send(call, ops);
	fill_receive(call, ops + 3);
	poller_start(call->core, ops, 6, &call->on_end);
}

/* Its ctx has ended: nothing goes out, and done is called later. */
static void start_dead(struct unary *call)
{
	grpc_slice_unref(call->request);
	call->code = GRPC_STATUS_CANCELLED;
	atomic_fetch_sub(&call->refs, 1); /* the hook's */
	poller_defer(call->channel->poller, &call->on_end);
}

static void init(struct unary *call, struct ctx *ctx)
{
	call->ctx = ctx_ref(ctx);
	call->hook = (struct ctx_hook){ .fn = on_hook };
	atomic_init(&call->refs, 2);
	call->on_end.fn = on_end;
	call->start.fn = start;
	call->outbox = NULL;
	call->inbox = NULL;
	call->initial.count = 0;
	call->trailing.count = 0;
	call->code = GRPC_STATUS_UNKNOWN;
	call->text = grpc_empty_slice();
}

void rpc_unary(struct rpc_channel *channel, struct ctx *ctx,
	       const ProtobufCServiceDescriptor *service, const char *method,
	       const ProtobufCMessage *request,
	       const struct rpc_metadata *metadata, rpc_unary_done_fn done,
	       void *arg)
{
	struct unary *call = take(channel);

	init(call, ctx);
	call->method = channel_method(channel, service, method);
	call->done = done;
	call->arg = arg;
	call->request = message_pack(request);
	channel_metadata(&call->metadata, ctx, metadata);
	/* From the moment it is added the hook may cancel the call. */
	call->core = channel_call(channel, call->method, ctx);
	if (!ctx_hook_add(ctx, &call->hook)) {
		start_dead(call);
		return;
	}
	if (loop_is_current(ctx_loop(ctx))) {
		start(&call->start);
	} else {
		poller_run(channel->poller, &call->start);
	}
}
