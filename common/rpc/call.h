/*
 * Private to the server: its state and that of its calls.
 *
 * A call is confined to the poller's thread. What users call from other threads
 * fills in one of three requests (receive, send, end) and posts it. `holds`
 * count what still has to come back to the poller: tags of gRPC, deferred ops,
 * and the handler's end. The last one to come frees the call:
 *
 *	armed --tag--> refused: one batch {close, status} --tag--> freed
 *	          \--> handed to its handler:
 *	                   close  |--------tag (cancelled or not)--->|
 *	                   handler|---end posted-->| status --tag--->| freed
 *	                   receive, send: a tag each ...............>|
 */
#ifndef RESCIND_RPC_CALL_H
#define RESCIND_RPC_CALL_H

#include <grpc/grpc.h>
#include <pthread.h>
#include <stdatomic.h>

#include "rpc/listener.h"
#include "rpc/message.h"
#include "rpc/metadata.h"
#include "rpc/poller.h"
#include "rpc/server.h"
#include "rpc/server_internal.h"

enum {
	ARMED_A_METHOD = 8, /* slots for calls to come */
	ARMED_GENERIC = 4,  /* for calls of unknown methods */
	CALLS_POOLED_MAX = 512,
	SERVICES_MAX = 64,
};

/* A method with a handler. */
struct rpc_bound {
	struct rpc_bound *next;
	struct rpc_server *server;
	char *path; /* "/package.Service/Method" */
	const ProtobufCMessageDescriptor *input;
	rpc_unary_fn unary;
	rpc_stream_fn stream;
	void *self;
	bool counted;
	void *registered; /* gRPC's */
};

struct rpc_server {
	struct ctx *ctx; /* of which the calls' are children */
	struct loop *loop;
	struct rpc_poller *poller;
	struct rpc_server_options options;
	grpc_server *core;
	grpc_server_credentials *credentials;
	struct listener listener; /* plaintext */
	bool listening;		  /* the listener was opened */
	uint16_t port;
	bool started;

	struct schema_index *schemas;
	const char *services[SERVICES_MAX];
	size_t service_nr;
	struct rpc_bound *methods;

	atomic_size_t in_flight;
	atomic_bool stopping;

	/* Drain: whoever clears `awaited` posts `drained`. */
	atomic_bool awaited;
	struct loop_task drained;
	bool drain_pending; /* the loop's: asked for, not answered */
	bool freed;	    /* meanwhile: the answer frees the memory */
	void (*on_drained)(void *arg);
	void *on_drained_arg;

	/* The poller's. */
	struct post arm;
	struct post hold;
	struct post let_go;
	bool holding; /* what is refused waits in `held` for the farewell */
	struct rpc_call *held;
	struct rpc_call *pool;
	size_t pool_nr;
	size_t calls; /* alive, armed ones too */
	struct op on_shutdown;
	bool shut_down;
	bool all_let_go; /* and none will be held any more */

	/* Nothing is left: waited for by rpc_server_free(). */
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	bool gone;
};

struct rpc_call {
	struct rpc_server *server;
	const struct rpc_bound *method; /* NULL in a generic slot */
	grpc_call *core;
	struct rpc_call *next; /* in the pool, or held */
	unsigned holds;

	/* What gRPC fills in. */
	grpc_metadata_array metadata;
	gpr_timespec deadline;
	grpc_call_details details; /* of a generic slot */
	grpc_byte_buffer *inbox;
	int cancelled;

	struct op on_new;
	struct op on_close;
	struct op on_received;
	struct op on_sent;
	struct op on_end;

	struct ctx *ctx;
	int64_t began_ns;
	int64_t slack_ns; /* how early the caller's deadline may be */
	bool counted;	  /* in in_flight */
	bool closed;	  /* the stream is: nothing can be sent */

	void (*gone)(void *arg); /* the user's, may be NULL */
	void *gone_arg;

	/* Metadata to send, and texts handed out. */
	struct metadata_out initial;
	struct metadata_out trailing;
	bool initial_sent;
	_Atomic(struct call_text *) texts;

	/* The end. */
	atomic_bool finished; /* the handler has asked for it */
	struct post post_end;
	struct status end;
	enum ctx_cause cause;
	bool has_reply;
	grpc_slice reply;
	grpc_byte_buffer *outbox_end;

	/* Receiving: a stream's. */
	struct ctx_hook hook; /* tells a receive that the ctx has ended */
	struct op on_ctx_ended;
	struct op on_tell;
	struct post post_receive;
	rpc_receive_fn asked; /* by the user, until the poller takes it */
	void *asked_arg;
	rpc_receive_fn receive;
	void *receive_arg;
	bool receiving; /* RECV_MESSAGE is out */
	bool ctx_over;

	/* Sending: a stream's. */
	struct post post_send;
	atomic_bool send_busy;
	grpc_slice message;
	grpc_byte_buffer *outbox;
	rpc_sent_fn sent;
	void *sent_arg;
	bool sending;	/* SEND_MESSAGE is out */
	bool end_waits; /* for it */

	struct arena arena; /* of the request */
};

struct call_text {
	struct call_text *next;
	char text[];
};

#define call_of(member, pointer)                                               \
	((struct rpc_call *)((char *)(pointer)-offsetof(struct rpc_call,       \
							member)))

/* ---- server.c ----------------------------------------------------------- */

/* A counted call is over. */
void server_call_over(struct rpc_server *server);
/* A call's memory is given back. */
void server_call_freed(struct rpc_server *server);

/* ---- accepting: call.c -------------------------------------------------- */

/* Wait for one call of @method, or of any other where NULL. Poller's thread. */
void call_arm(struct rpc_server *server, const struct rpc_bound *method);
/* Refuse the calls that are held, and hold no more. Poller's thread. */
void call_let_go_held(struct rpc_server *server);
/* Free what is pooled. */
void call_pool_free(struct rpc_server *server);
/* One of the things that a call waits for has come back. */
void call_drop(struct rpc_call *call);
/* End the ctx of a call whose caller has gone. */
void call_caller_gone(struct rpc_call *call);

/* ---- ending: call_end.c ------------------------------------------------- */

void call_end_init(struct rpc_call *call);
/* Answer a call that goes to no handler. */
void call_refuse(struct rpc_call *call, enum status_code code, const char *fmt,
		 ...) PRINTF_LIKE(3, 4);
/* Send the status, now that nothing of the handler's is on its way. */
void call_send_status(struct rpc_call *call);
/* Send the initial metadata, in the batch that sends first. */
grpc_op call_initial_metadata(struct rpc_call *call);

/* ---- streams: call_stream.c --------------------------------------------- */

void call_stream_init(struct rpc_call *call);
/* Begin to watch the ctx. */
void call_stream_start(struct rpc_call *call);
/* The handler has finished: stop watching the ctx. */
void call_stream_stop(struct rpc_call *call);

#endif
