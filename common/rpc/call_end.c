/* How a call ends: the handler's end, refusals, the status on the wire. */
#include <stdlib.h>
#include <string.h>

#include "loop/bug.h"
#include "rpc/call.h"

static const char key_details[] = "grpc-status-details-bin";

/* ---- the status --------------------------------------------------------- */

static void over(struct rpc_call *call)
{
	const struct rpc_server_options *options = &call->server->options;

	if (options->on_end != NULL) {
		options->on_end(
			call->method != NULL ? call->method->path : "(unknown)",
			&call->end, call->cause,
			clock_now_ns() - call->began_ns, options->on_end_arg);
	}
	call_drop(call);
}

/* Whether it reached the caller nobody can know. */
static void on_end(struct op *op, bool ok)
{
	(void)ok;
	over(call_of(on_end, op));
}

grpc_op call_initial_metadata(struct rpc_call *call)
{
	grpc_op op;

	memset(&op, 0, sizeof(op));
	op.op = GRPC_OP_SEND_INITIAL_METADATA;
	op.data.send_initial_metadata.count = call->initial.count;
	op.data.send_initial_metadata.metadata = call->initial.items;
	call->initial_sent = true;
	return op;
}

static grpc_op reply_op(struct rpc_call *call)
{
	grpc_op op;

	call->outbox_end = grpc_raw_byte_buffer_create(&call->reply, 1);
	memset(&op, 0, sizeof(op));
	op.op = GRPC_OP_SEND_MESSAGE;
	op.data.send_message.send_message = call->outbox_end;
	return op;
}

static grpc_op status_op(struct rpc_call *call, grpc_slice *text)
{
	grpc_op op;

	memset(&op, 0, sizeof(op));
	op.op = GRPC_OP_SEND_STATUS_FROM_SERVER;
	op.data.send_status_from_server.trailing_metadata_count =
		call->trailing.count;
	op.data.send_status_from_server.trailing_metadata =
		call->trailing.items;
	op.data.send_status_from_server.status =
		(grpc_status_code)call->end.code;
	op.data.send_status_from_server.status_details = text;
	return op;
}

static grpc_op close_op(struct rpc_call *call)
{
	grpc_op op;

	memset(&op, 0, sizeof(op));
	op.op = GRPC_OP_RECV_CLOSE_ON_SERVER;
	op.data.recv_close_on_server.cancelled = &call->cancelled;
	return op;
}

/* One batch, so one write and one tag. */
static void start_end(struct rpc_call *call, bool with_close)
{
	grpc_slice text = status_text_to_wire(&call->end);
	grpc_op ops[4];
	size_t n = 0;

	if (!call->initial_sent) {
		ops[n++] = call_initial_metadata(call);
	}
	if (call->has_reply) {
		ops[n++] = reply_op(call);
	}
	ops[n++] = status_op(call, &text);
	if (with_close) {
		ops[n++] = close_op(call);
	}
	poller_start(call->core, ops, n, &call->on_end);
	grpc_slice_unref(text);
}

void call_send_status(struct rpc_call *call)
{
	if (call->closed) {
		over(call); /* There is nobody to send it to. */
	} else {
		start_end(call, false);
	}
}

void call_refuse(struct rpc_call *call, enum status_code code, const char *fmt,
		 ...)
{
	va_list args;

	va_start(args, fmt);
	status_vset(&call->end, code, fmt, args);
	va_end(args);
	atomic_store(&call->finished, true);
	start_end(call, true);
}

/* ---- the handler's end -------------------------------------------------- */

static void on_post_end(struct post *post)
{
	struct rpc_call *call = call_of(post_end, post);

	call_stream_stop(call);
	if (call->sending) {
		call->end_waits = true;
	} else {
		call_send_status(call);
	}
}

void call_end_init(struct rpc_call *call)
{
	call->on_end.fn = on_end;
	call->post_end.fn = on_post_end;
}

/* The last thing that the handler's thread may do with @call. */
static void finish(struct rpc_call *call)
{
	static const struct status answered = { STATUS_CANCELLED,
						"the call was answered" };

	BUG_IF(atomic_exchange(&call->finished, true),
	       "a call was ended twice");
	(void)ctx_end(call->ctx, CTX_FINISHED, &answered);
	call->cause = ctx_cause(call->ctx, NULL);
	poller_run(call->server->poller, &call->post_end);
}

static void reply(struct rpc_call *call, grpc_slice response)
{
	call->reply = response;
	call->has_reply = true;
	call->end.code = STATUS_OK;
	finish(call);
}

void rpc_call_reply(struct rpc_call *call, const ProtobufCMessage *response)
{
	reply(call, message_pack(response));
}

void rpc_call_reply_packed(struct rpc_call *call, void *bytes, size_t size)
{
	reply(call, size > 0 ? grpc_slice_new(bytes, size, free)
			     : grpc_empty_slice());
}

void rpc_call_finish(struct rpc_call *call, const struct status *status,
		     const void *details, size_t details_size)
{
	call->end.code = status->code;
	memcpy(call->end.message, status->message, strlen(status->message) + 1);
	if (details != NULL) {
		metadata_out_add(&call->trailing, key_details, details,
				 details_size);
	}
	finish(call);
}
