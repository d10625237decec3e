/*
 * A gRPC server for plain C.
 *
 *	static void say_hello(struct rpc_call *call,
 *			      const ProtobufCMessage *request, void *self)
 *	{
 *		const Greeter__HelloRequest *hello = (const void *)request;
 *		...
 *		rpc_call_reply(call, &reply.base);
 *	}
 *
 *	static const struct rpc_method methods[] = {
 *		{ "SayHello", .unary = say_hello },
 *		{ NULL }
 *	};
 *	rpc_server_add_service(server, &greeter__greeter__descriptor,
 *			       &greeter_schema, methods, self, reterr);
 *
 * A call is a scope: rpc_call_ctx() has the caller's deadline and ends when the
 * caller cancels, its connection drops (CTX_CALLER_CANCELLED), the deadline
 * passes (CTX_DEADLINE) or the server stops (CTX_SHUTDOWN). Metadata request-id
 * and traceparent are set on it. It ends as CTX_FINISHED when the handler ends
 * the call. A cancellation in the last moments before the deadline counts as
 * the deadline's: it is how callers tell of theirs, a little earlier than ours.
 *
 * A handler runs on the poller's thread and must not block. It owes exactly one
 * end (rpc_call_reply() or rpc_call_finish()), at once or later, from any
 * thread, also when the ctx has ended meanwhile. Until then the call, the
 * request and all that is reachable from them stay valid; after it nothing is.
 *
 * Refused before any handler: unknown service or method (UNIMPLEMENTED),
 * bytes that are not the request's message, or nested deeper than 64
 * (INVALID_ARGUMENT), strings that are not UTF-8 or contain NUL
 * (INVALID_ARGUMENT), messages over message_max (RESOURCE_EXHAUSTED), more than
 * in_flight_max calls (RESOURCE_EXHAUSTED), draining (UNAVAILABLE).
 */
#ifndef RESCIND_RPC_SERVER_H
#define RESCIND_RPC_SERVER_H

#include "loop/loop.h"
#include "rpc/rpc.h"

struct rpc_server;
struct rpc_call;

struct rpc_server_options {
	const char *listen;	/* "localhost" (both loopbacks), "*", address */
	uint16_t port;		/* 0 picks one, the same for all addresses */
	size_t in_flight_max;	/* calls at once; health, reflection and methods
				 * marked `always` are free */
	size_t connections_max; /* plaintext only (our own accept loop) */
	size_t streams_max;	/* concurrent streams a connection */
	size_t message_max;	/* bytes received */
	int64_t keepalive_ns;	/* ping after this much silence; default 10 s */
	int64_t keepalive_timeout_ns; /* dead after this much more; default 5 s
				       */
	const struct rpc_tls *tls;    /* NULL: plaintext */
	/*
	 * When a call is over, on the poller's thread. May be NULL. @cause is
	 * that of its ctx: CTX_FINISHED where nothing else came first, CTX_NONE
	 * where no handler was called. @method is one that is served, or
	 * "(unknown)".
	 */
	void (*on_end)(const char *method, const struct status *status,
		       enum ctx_cause cause, int64_t duration_ns, void *arg);
	void *on_end_arg;
};
void rpc_server_options_init(struct rpc_server_options *options);

/* ---- handlers ----------------------------------------------------------- */

typedef void (*rpc_unary_fn)(struct rpc_call *call,
			     const ProtobufCMessage *request, void *self);
/*
 * A streaming method starts here; it then receives (rpc_call_receive) and sends
 * (rpc_call_send) as its kind allows.
 */
typedef void (*rpc_stream_fn)(struct rpc_call *call, void *self);

struct rpc_method {
	const char *name;   /* as in the .proto; NULL ends a list */
	rpc_unary_fn unary; /* one of the two, as the schema says */
	rpc_stream_fn stream;
	/* Counts against no limit, is served while draining, and not awaited
	 * by it: for what others need in order to be done. Bound it yourself.
	 */
	bool always;
};

/*
 * Bind (errors: port taken -> ALREADY_EXISTS, bad address -> INVALID_ARGUMENT)
 * without accepting yet. @root is the parent of every call's ctx; its loop
 * accepts the connections.
 */
MUSTCHECK enum status_code
rpc_server_new(struct ctx *root, struct rpc_poller *poller,
	       const struct rpc_server_options *options,
	       struct rpc_server **ret_server, struct status *reterr);
/*
 * Serve @service. Every method of @schema needs a handler of the right kind,
 * or is answered UNIMPLEMENTED; a handler that names no method is an error.
 * @self is handed to every handler. Before start.
 */
MUSTCHECK enum status_code rpc_server_add_service(
	struct rpc_server *server, const ProtobufCServiceDescriptor *service,
	const struct rpc_schema *schema, const struct rpc_method *methods,
	void *self, struct status *reterr);
MUSTCHECK enum status_code rpc_server_start(struct rpc_server *server,
					    struct status *reterr);
uint16_t rpc_server_port(const struct rpc_server *server);
/* Calls inside handlers, health and reflection not counted. Any thread. */
size_t rpc_server_in_flight(const struct rpc_server *server);
/* Open connections of clients; 0 with TLS, where gRPC accepts them. */
size_t rpc_server_connections(const struct rpc_server *server);

/* ---- stopping: loop thread ---------------------------------------------- */

/*
 * Accept no more connections; answer new calls UNAVAILABLE. (With TLS, where
 * gRPC accepts, connections are taken until rpc_server_free(), and their calls
 * answered UNAVAILABLE.)
 */
void rpc_server_stop_accepting(struct rpc_server *server);
/* Call @done on the loop thread once no call is in flight. */
void rpc_server_drain(struct rpc_server *server, void (*done)(void *arg),
		      void *arg);
/* End the ctx of every call in flight with CTX_SHUTDOWN. */
void rpc_server_cancel(struct rpc_server *server);
/*
 * GOAWAY, cancel what is left, free. Blocks briefly: clients get 10 ms for a
 * last call, which is answered UNAVAILABLE behind the GOAWAY, and 20 ms to
 * leave; handlers must end their calls without the loop's help, since that is
 * the thread that waits (ten seconds; then the process stops). NULL is fine.
 */
void rpc_server_free(struct rpc_server *server);

/* ---- a call ------------------------------------------------------------- */

struct ctx *rpc_call_ctx(struct rpc_call *call);
/* "/worker.WorkerService/DoWork" */
const char *rpc_call_method(const struct rpc_call *call);
/*
 * Have @fn called once, on the poller's thread, when nothing of the call is
 * left that could call its user: where a user frees what it gave to its
 * callbacks, which may be running while another thread ends the call. The call
 * can't be used any more in there. Before the end, at most once.
 */
void rpc_call_on_gone(struct rpc_call *call, void (*fn)(void *arg), void *arg);
/* The first value of request metadata @key, or NULL. A NUL is behind it. */
const char *rpc_call_metadata(struct rpc_call *call, const char *key,
			      size_t *ret_size);

/* Metadata to send ahead of the first message. Copied. Before any send or end.
 */
void rpc_call_set_initial_metadata(struct rpc_call *call, const char *key,
				   const void *value, size_t size);
/* Metadata to send with the status. Copied. Before the end. */
void rpc_call_set_trailing_metadata(struct rpc_call *call, const char *key,
				    const void *value, size_t size);

/*
 * End a call with OK and @response (serialized before it returns): the only
 * message of a unary or client-streaming one, or the last of another's stream,
 * which then costs no write of its own. A send may be pending.
 */
void rpc_call_reply(struct rpc_call *call, const ProtobufCMessage *response);
/* The same with a response that is serialized already: @size bytes (0 and NULL
 * for an empty message), malloc'ed, which become the call's. */
void rpc_call_reply_packed(struct rpc_call *call, void *bytes, size_t size);
/*
 * End any call with @status. @details (may be NULL) is a serialized
 * google.rpc.Status for grpc-status-details-bin; copied.
 */
void rpc_call_finish(struct rpc_call *call, const struct status *status,
		     const void *details, size_t details_size);

/*
 * Receive the next message of a client- or bidirectional-streaming call, one at
 * a time. @fn is called on the poller's thread, never inside this call:
 * a message (valid inside fn), or NULL with *end: OK when the caller
 * half-closed, INVALID_ARGUMENT for garbage, the ctx's code when it ended. Must
 * not be asked for again before fn was called. A call can be finished with a
 * receive pending; fn is then not called.
 */
typedef void (*rpc_receive_fn)(struct rpc_call *call,
			       const ProtobufCMessage *message,
			       const struct status *end, void *arg);
void rpc_call_receive(struct rpc_call *call, rpc_receive_fn fn, void *arg);

/*
 * Send one message of a server- or bidirectional-streaming call (serialized
 * before it returns). @fn (may be NULL), on the poller's thread, says that the
 * flow control has taken it (true) or that the stream is gone (false); at most
 * one send may be pending. A call can be finished with a send pending; fn is
 * then not called, the message still goes out before the status.
 */
typedef void (*rpc_sent_fn)(struct rpc_call *call, bool ok, void *arg);
void rpc_call_send(struct rpc_call *call, const ProtobufCMessage *message,
		   rpc_sent_fn fn, void *arg);

#endif
