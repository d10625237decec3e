/* Receiving and sending on a server's streams. */
#include "loop/bug.h"
#include "rpc/call.h"

#include <string.h>

/* ---- receiving ---------------------------------------------------------- */

static void tell_end(struct rpc_call *call, const struct status *end)
{
	rpc_receive_fn fn = call->receive;

	call->receive = NULL;
	fn(call, NULL, end, call->receive_arg);
}

/* Tell a waiting receive, if there is one, that the ctx has ended. */
static void tell_ctx_end(struct rpc_call *call)
{
	struct status end;

	if (call->receive == NULL || atomic_load(&call->finished)) {
		return;
	}
	(void)ctx_cause(call->ctx, &end);
	tell_end(call, &end);
}

static void on_tell(struct op *op, bool ok)
{
	struct rpc_call *call = call_of(on_tell, op);

	(void)ok;
	tell_ctx_end(call);
	call_drop(call);
}

static void on_ctx_ended(struct op *op, bool ok)
{
	struct rpc_call *call = call_of(on_ctx_ended, op);

	(void)ok;
	call->ctx_over = true;
	tell_ctx_end(call);
	call_drop(call);
}

/* On whichever thread ends the ctx; the hook's hold goes with the op. */
static void on_hook(struct ctx_hook *hook, struct ctx *ctx)
{
	struct rpc_call *call = call_of(hook, hook);

	(void)ctx;
	poller_defer(call->server->poller, &call->on_ctx_ended);
}

static void deliver(struct rpc_call *call, grpc_byte_buffer *bytes)
{
	rpc_receive_fn fn = call->receive;
	ProtobufCMessage *message;
	struct status st = status_ok();

	if (bytes == NULL ||
	    message_unpack(call->method->input, bytes, &call->arena, &message,
			   &st) != STATUS_OK) {
		tell_end(call, &st); /* Half-closed, or garbage. */
		return;
	}
	call->receive = NULL;
	fn(call, message, NULL, call->receive_arg);
	arena_clear(&call->arena);
}

/*
 * No message: half-closed, or broken. Only the latter is an end of the ctx,
 * which then tells the receive.
 */
static bool is_broken(const struct rpc_call *call, bool ok)
{
	return !ok || (call->inbox == NULL &&
		       grpc_call_failed_before_recv_message(call->core));
}

static void on_received(struct op *op, bool ok)
{
	struct rpc_call *call = call_of(on_received, op);
	bool broken = is_broken(call, ok);
	grpc_byte_buffer *bytes = call->inbox;

	call->receiving = false;
	call->inbox = NULL;
	if (call->receive == NULL || atomic_load(&call->finished)) {
		/* Nobody waits any more. */
	} else if (broken) {
		call_caller_gone(call);
	} else {
		deliver(call, bytes);
	}
	grpc_byte_buffer_destroy(bytes);
	call_drop(call);
}

static void start_receive(struct rpc_call *call)
{
	grpc_op ops[1];

	memset(ops, 0, sizeof(ops));
	ops[0].op = GRPC_OP_RECV_MESSAGE;
	ops[0].data.recv_message.recv_message = &call->inbox;
	call->receiving = true;
	poller_start(call->core, ops, 1, &call->on_received);
}

static void on_post_receive(struct post *post)
{
	struct rpc_call *call = call_of(post_receive, post);

	BUG_IF(call->receive != NULL, "a receive was asked for twice");
	call->receive = call->asked;
	call->receive_arg = call->asked_arg;
	if (call->ctx_over) {
		call->holds++;
		poller_defer(call->server->poller, &call->on_tell);
	} else if (!call->receiving) {
		call->holds++;
		start_receive(call);
	}
}

void rpc_call_receive(struct rpc_call *call, rpc_receive_fn fn, void *arg)
{
	BUG_IF(call->method->stream == NULL, "a unary call has one message");
	call->asked = fn;
	call->asked_arg = arg;
	poller_run(call->server->poller, &call->post_receive);
}

/* ---- sending ------------------------------------------------------------ */

/* A stream that takes nothing is broken: the ctx ends before the handler hears.
 */
static void tell_sent(struct rpc_call *call, bool ok)
{
	if (!ok) {
		call_caller_gone(call);
	}
	if (call->sent != NULL) {
		call->sent(call, ok, call->sent_arg);
	}
}

static void on_sent(struct op *op, bool ok)
{
	struct rpc_call *call = call_of(on_sent, op);

	grpc_byte_buffer_destroy(call->outbox);
	call->outbox = NULL;
	call->sending = false;
	atomic_store(&call->send_busy, false);
	if (call->end_waits) {
		call_send_status(call);
	} else if (!atomic_load(&call->finished)) {
		tell_sent(call, ok);
	}
	call_drop(call);
}

static void on_post_send(struct post *post)
{
	struct rpc_call *call = call_of(post_send, post);
	grpc_op ops[2];
	size_t n = 0;

	call->outbox = grpc_raw_byte_buffer_create(&call->message, 1);
	grpc_slice_unref(call->message);
	if (!call->initial_sent) {
		ops[n++] = call_initial_metadata(call);
	}
	memset(&ops[n], 0, sizeof(ops[n]));
	ops[n].op = GRPC_OP_SEND_MESSAGE;
	ops[n].data.send_message.send_message = call->outbox;
	call->sending = true;
	call->holds++;
	poller_start(call->core, ops, n + 1, &call->on_sent);
}

void rpc_call_send(struct rpc_call *call, const ProtobufCMessage *message,
		   rpc_sent_fn fn, void *arg)
{
	BUG_IF(call->method->stream == NULL, "a unary call is replied to");
	BUG_IF(atomic_load(&call->finished), "a send after the end");
	BUG_IF(atomic_exchange(&call->send_busy, true),
	       "a send while another is pending");
	call->message = message_pack(message);
	call->sent = fn;
	call->sent_arg = arg;
	poller_run(call->server->poller, &call->post_send);
}

/* ---- life --------------------------------------------------------------- */

void call_stream_init(struct rpc_call *call)
{
	call->hook.fn = on_hook;
	call->on_ctx_ended.fn = on_ctx_ended;
	call->on_tell.fn = on_tell;
	call->on_received.fn = on_received;
	call->on_sent.fn = on_sent;
	call->post_receive.fn = on_post_receive;
	call->post_send.fn = on_post_send;
}

void call_stream_start(struct rpc_call *call)
{
	call->holds++;
	if (!ctx_hook_add(call->ctx, &call->hook)) {
		call->ctx_over = true;
		call->holds--;
	}
}

void call_stream_stop(struct rpc_call *call)
{
	if (call->method->stream != NULL &&
	    ctx_hook_remove(call->ctx, &call->hook)) {
		call_drop(call); /* The handler's hold is still there. */
	}
}
