/* From an armed slot to the handler, and back to the pool. */
#include "rpc/call.h"

#include <stdlib.h>
#include <string.h>

#include "loop/bug.h"

/* ---- memory ------------------------------------------------------------- */

static void on_new(struct op *op, bool ok);
static void on_close(struct op *op, bool ok);

/* A call keeps its array for metadata when it goes to the pool. */
static struct rpc_call *take(struct rpc_server *server)
{
	struct rpc_call *call = server->pool;

	if (call != NULL) {
		server->pool = call->next;
		server->pool_nr--;
		return call;
	}
	call = malloc(sizeof(*call));
	BUG_IF(call == NULL, "out of memory for a call");
	grpc_metadata_array_init(&call->metadata);
	arena_init(&call->arena);
	return call;
}

static struct rpc_call *call_new(struct rpc_server *server,
				 const struct rpc_bound *method)
{
	struct rpc_call *call = take(server);
	grpc_metadata_array metadata = call->metadata;

	memset(call, 0, offsetof(struct rpc_call, arena));
	call->metadata = metadata;
	call->metadata.count = 0;
	call->server = server;
	call->method = method;
	call->holds = 1;
	call->on_new.fn = on_new;
	call->on_close.fn = on_close;
	metadata_out_init(&call->initial);
	metadata_out_init(&call->trailing);
	call_end_init(call);
	call_stream_init(call);
	server->calls++;
	return call;
}

static void free_texts(struct rpc_call *call)
{
	struct call_text *text = atomic_load(&call->texts);

	while (text != NULL) {
		struct call_text *next = text->next;

		free(text);
		text = next;
	}
}

/* Everything but the memory. */
static void release(struct rpc_call *call)
{
	if (call->gone != NULL) {
		call->gone(call->gone_arg);
	}
	if (call->counted) {
		server_call_over(call->server);
	}
	if (call->method == NULL) {
		grpc_call_details_destroy(&call->details);
	}
	if (call->ctx != NULL) {
		ctx_unref(call->ctx);
	}
	metadata_out_release(&call->initial);
	metadata_out_release(&call->trailing);
	free_texts(call);
	grpc_byte_buffer_destroy(call->inbox);
	grpc_byte_buffer_destroy(call->outbox);
	grpc_byte_buffer_destroy(call->outbox_end);
	if (call->has_reply) {
		grpc_slice_unref(call->reply);
	}
	if (call->core != NULL) {
		grpc_call_unref(call->core);
	}
	arena_clear(&call->arena);
}

static void destroy(struct rpc_call *call)
{
	grpc_metadata_array_destroy(&call->metadata);
	free(call);
}

static void call_free(struct rpc_call *call)
{
	struct rpc_server *server = call->server;

	release(call);
	if (server->pool_nr < CALLS_POOLED_MAX) {
		call->next = server->pool;
		server->pool = call;
		server->pool_nr++;
	} else {
		destroy(call);
	}
	server_call_freed(server);
}

void call_pool_free(struct rpc_server *server)
{
	while (server->pool != NULL) {
		struct rpc_call *call = server->pool;

		server->pool = call->next;
		destroy(call);
	}
}

void call_drop(struct rpc_call *call)
{
	BUG_IF(call->holds == 0, "a call came back more often than it went");
	if (--call->holds == 0) {
		call_free(call);
	}
}

/* ---- the slots ---------------------------------------------------------- */

static grpc_call_error request(struct rpc_call *call)
{
	const struct rpc_bound *method = call->method;
	grpc_server *core = call->server->core;
	grpc_completion_queue *queue = poller_queue(call->server->poller);

	if (method == NULL) {
		grpc_call_details_init(&call->details);
		return grpc_server_request_call(core, &call->core,
						&call->details, &call->metadata,
						queue, queue, &call->on_new);
	}
	/* A unary call is announced together with its message. */
	return grpc_server_request_registered_call(
		core, method->registered, &call->core, &call->deadline,
		&call->metadata, method->unary != NULL ? &call->inbox : NULL,
		queue, queue, &call->on_new);
}

void call_arm(struct rpc_server *server, const struct rpc_bound *method)
{
	struct rpc_call *call = call_new(server, method);
	grpc_call_error error = request(call);

	if (error != GRPC_CALL_OK) {
		BUG_IF(error != GRPC_CALL_ERROR_COMPLETION_QUEUE_SHUTDOWN,
		       grpc_call_error_to_string(error));
		call_drop(call);
	}
}

/* ---- cancellation ------------------------------------------------------- */

/*
 * A caller whose deadline has passed cancels, and on the wire that looks like
 * any cancellation. It comes a little before our own deadline: grpc-timeout has
 * few digits and is rounded up, and we count from when it arrived. So much
 * earlier it still was the deadline.
 */
static int64_t slack_of(int64_t timeout_ns)
{
	int64_t transit_max_ns = 50 * NS_PER_MS;
	int64_t transit_ns = timeout_ns / 10;
	int64_t rounding_ns = timeout_ns / 100;

	return (transit_ns < transit_max_ns ? transit_ns : transit_max_ns) +
	       rounding_ns;
}

void call_caller_gone(struct rpc_call *call)
{
	int64_t deadline_ns = ctx_deadline_ns(call->ctx);
	bool late = deadline_ns != CLOCK_NEVER &&
		    clock_now_ns() >= deadline_ns - call->slack_ns;

	(void)ctx_end(call->ctx, late ? CTX_DEADLINE : CTX_CALLER_CANCELLED,
		      NULL);
}

static void on_close(struct op *op, bool ok)
{
	struct rpc_call *call = call_of(on_close, op);

	(void)ok; /* It always is. */
	if (call->cancelled) {
		call->closed = true;
		if (!atomic_load(&call->finished)) {
			call_caller_gone(call);
		}
	}
	call_drop(call);
}

static void watch_close(struct rpc_call *call)
{
	grpc_op ops[1];

	memset(ops, 0, sizeof(ops));
	ops[0].op = GRPC_OP_RECV_CLOSE_ON_SERVER;
	ops[0].data.recv_close_on_server.cancelled = &call->cancelled;
	call->holds++;
	poller_start(call->core, ops, 1, &call->on_close);
}

/* ---- a new call --------------------------------------------------------- */

static void open_scope(struct rpc_call *call)
{
	int64_t deadline_ns = deadline_from_wire(call->deadline);

	call->ctx = ctx_new(call->server->ctx, deadline_ns);
	if (deadline_ns != CLOCK_NEVER) {
		call->slack_ns = slack_of(deadline_ns - call->began_ns);
	}
	metadata_set_facts(&call->metadata, call->ctx);
}

/* From here on the handler owes an end: its hold is the slot's. */
static void serve_unary(struct rpc_call *call)
{
	const struct rpc_bound *method = call->method;
	ProtobufCMessage *request;
	struct status st;

	if (message_unpack(method->input, call->inbox, &call->arena, &request,
			   &st) != STATUS_OK) {
		call_refuse(call, st.code, "%s", st.message);
		return;
	}
	/* Bytes received share a large buffer: don't pin it while we wait. */
	grpc_byte_buffer_destroy(call->inbox);
	call->inbox = NULL;
	watch_close(call);
	open_scope(call);
	method->unary(call, request, method->self);
}

static void serve_stream(struct rpc_call *call)
{
	watch_close(call);
	open_scope(call);
	call_stream_start(call);
	call->method->stream(call, call->method->self);
}

static bool is_service(const struct rpc_server *server, const char *name,
		       size_t size)
{
	for (size_t i = 0; i < server->service_nr; i++) {
		if (strlen(server->services[i]) == size &&
		    memcmp(server->services[i], name, size) == 0) {
			return true;
		}
	}
	return false;
}

static void refuse_unknown(struct rpc_call *call)
{
	const grpc_slice *slice = &call->details.method;
	char path[256];
	const char *method;

	text_clean(GRPC_SLICE_START_PTR(*slice), GRPC_SLICE_LENGTH(*slice),
		   path, sizeof(path));
	method = strrchr(path, '/');
	if (path[0] != '/' || method == path) {
		call_refuse(call, STATUS_UNIMPLEMENTED,
			    "malformed method name '%s'", path);
	} else if (is_service(call->server, path + 1,
			      (size_t)(method - path - 1))) {
		call_refuse(call, STATUS_UNIMPLEMENTED,
			    "unknown method %s of service %.*s", method + 1,
			    (int)(method - path - 1), path + 1);
	} else {
		call_refuse(call, STATUS_UNIMPLEMENTED, "unknown service %.*s",
			    (int)(method - path - 1), path + 1);
	}
}

static void refuse_stopping(struct rpc_call *call)
{
	struct rpc_server *server = call->server;

	if (server->holding) {
		call->next = server->held;
		server->held = call;
		return;
	}
	call_refuse(call, STATUS_UNAVAILABLE, "server is shutting down");
}

void call_let_go_held(struct rpc_server *server)
{
	server->holding = false;
	while (server->held != NULL) {
		struct rpc_call *call = server->held;

		server->held = call->next;
		refuse_stopping(call);
	}
}

/*
 * Count the call first and look at `stopping` then, as
 * rpc_server_stop_accepting() and rpc_server_drain() do it the other way round:
 * a drain can't miss it.
 */
static bool admit(struct rpc_call *call)
{
	struct rpc_server *server = call->server;
	size_t max = server->options.in_flight_max;

	if (!call->method->counted) {
		return true;
	}
	call->counted = true;
	if (atomic_fetch_add(&server->in_flight, 1) >= max) {
		call_refuse(call, STATUS_RESOURCE_EXHAUSTED,
			    "too many calls in flight (limit %zu)", max);
		return false;
	}
	if (atomic_load(&server->stopping)) {
		refuse_stopping(call);
		return false;
	}
	return true;
}

static void on_new(struct op *op, bool ok)
{
	struct rpc_call *call = call_of(on_new, op);

	if (!ok) {
		call_drop(call); /* The server shuts down. */
		return;
	}
	call_arm(call->server, call->method);
	call->began_ns = clock_now_ns();
	if (call->method == NULL) {
		refuse_unknown(call);
	} else if (!admit(call)) {
		return;
	} else if (call->method->unary != NULL) {
		serve_unary(call);
	} else {
		serve_stream(call);
	}
}

/* ---- what handlers ask -------------------------------------------------- */

struct ctx *rpc_call_ctx(struct rpc_call *call)
{
	return call->ctx;
}

const char *rpc_call_method(const struct rpc_call *call)
{
	return call->method->path;
}

void rpc_call_on_gone(struct rpc_call *call, void (*fn)(void *arg), void *arg)
{
	BUG_IF(call->gone != NULL, "a call's end was asked for twice");
	BUG_IF(atomic_load(&call->finished), "asked for after the end");
	call->gone = fn;
	call->gone_arg = arg;
}

/* Slices have no NUL behind; what is handed out has, and lives with the call.
 */
static const char *keep_text(struct rpc_call *call, const grpc_slice *slice)
{
	size_t size = GRPC_SLICE_LENGTH(*slice);
	struct call_text *text = malloc(sizeof(*text) + size + 1);

	BUG_IF(text == NULL, "out of memory for metadata");
	memcpy(text->text, GRPC_SLICE_START_PTR(*slice), size);
	text->text[size] = '\0';
	text->next = atomic_load(&call->texts);
	while (!atomic_compare_exchange_weak(&call->texts, &text->next, text)) {
		/* Another thread of the handler's asked, too. */
	}
	return text->text;
}

const char *rpc_call_metadata(struct rpc_call *call, const char *key,
			      size_t *ret_size)
{
	const grpc_slice *slice = metadata_find(&call->metadata, key);

	if (slice == NULL) {
		return NULL;
	}
	if (ret_size != NULL) {
		*ret_size = GRPC_SLICE_LENGTH(*slice);
	}
	return keep_text(call, slice);
}

void rpc_call_set_initial_metadata(struct rpc_call *call, const char *key,
				   const void *value, size_t size)
{
	metadata_out_add(&call->initial, key, value, size);
}

void rpc_call_set_trailing_metadata(struct rpc_call *call, const char *key,
				    const void *value, size_t size)
{
	metadata_out_add(&call->trailing, key, value, size);
}
