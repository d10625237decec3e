/*
 * A server and a client of tester.Tester in one process, over loopback.
 * Everything here waits for events, at most PATIENCE_S.
 */
#ifndef RPC_FIXTURE_H
#define RPC_FIXTURE_H

#include <check.h>
#include <pthread.h>
#include <stdint.h>

#include "ctx/ctx.h"
#include "loop/loop.h"
#include "rpc/channel.h"
#include "rpc/server.h"
#include "tester.pb-c.h"
#include "tester_schema.h"

enum { PATIENCE_S = 20, WAITING_MAX = 16, SEEN_MAX = 64 };

/* Something that comes to pass on another thread. */
struct signal {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	unsigned count;
};
void signal_init(struct signal *signal);
void signal_raise(struct signal *signal);
/* Wait until it was raised @count times in all. */
void signal_await(struct signal *signal, unsigned count);
bool signal_await_ms(struct signal *signal, unsigned count, int64_t ms);

/* What the server's handlers saw; under `mutex`. */
struct seen {
	pthread_mutex_t mutex;
	struct rpc_call *waiting[WAITING_MAX];
	size_t waiting_nr;
	enum ctx_cause cause; /* of the last ctx that ended */
	struct status end;    /* of the last receive that ended */
	unsigned ends;	      /* how often one was told of the ctx's end */
	char request_id[128];
	struct trace trace;
	char method[128]; /* of the last on_end */
	struct status status;
	enum ctx_cause end_cause;
	int64_t duration_ns;
	struct signal arrived; /* at Wait or Listen */
	struct signal ended;   /* a ctx */
	struct signal over;    /* on_end */
	struct signal gone;    /* a call of Listen */
};

struct fixture {
	struct loop *loop;
	struct ctx *root;
	struct rpc_poller *poller;
	struct rpc_server_options server_options;
	struct rpc_server *server;
	struct rpc_channel_options channel_options;
	struct rpc_channel *channel;
	char target[64];
	struct seen seen;
	struct signal drained;
};

/* Nothing runs yet: options may be changed. */
void fixture_init(struct fixture *f);
void fixture_start_server(struct fixture *f);
void fixture_start_client(struct fixture *f);
/* All three. */
void fixture_start(struct fixture *f);
void fixture_stop_client(struct fixture *f);
void fixture_stop_server(struct fixture *f);
void fixture_stop(struct fixture *f);

/* Run @fn on the loop's thread and wait for it. */
void fixture_on_loop(struct fixture *f, void (*fn)(struct fixture *f));

/* Answer the calls that wait in Wait. */
void fixture_release(struct fixture *f);

/* ---- a unary call ------------------------------------------------------- */

struct outcome {
	struct signal done;
	struct status status;
	char text[4096];
	int32_t number;
	size_t blob_size;
	bool has_response;
	/* The trailing metadata `trailing_key`, if it was there. */
	const char *trailing_key;
	char trailing[1024];
	size_t trailing_size;
	int64_t at_ns;
};

/* A fresh ctx below the root; @timeout_ms < 0: no deadline. */
struct ctx *fixture_ctx(struct fixture *f, int64_t timeout_ms);
void call_begin(struct fixture *f, struct ctx *ctx, const char *method,
		const Tester__Text *request,
		const struct rpc_metadata *metadata, struct outcome *outcome);
void outcome_init(struct outcome *outcome);
void outcome_await(struct outcome *outcome);
/* Begin and await, with ten seconds' deadline. */
void call_text(struct fixture *f, const char *method, const char *text,
	       struct outcome *outcome);
void call_message(struct fixture *f, const char *method,
		  const Tester__Text *request, struct outcome *outcome);

/* ---- a stream ----------------------------------------------------------- */

struct flow {
	struct fixture *f;
	struct rpc_stream *stream;
	struct signal received;
	struct signal sent;
	struct signal ended;
	char text[65536]; /* of all messages, one after another */
	bool sent_ok;	  /* the last one */
	bool sent_lost;	  /* any of them was not */
	bool receive_on;  /* ask for the next at once */
	struct status status;
	bool kept; /* the test releases the stream, not its end */
};
void flow_open(struct flow *flow, struct fixture *f, struct ctx *ctx,
	       const char *method);
/* The same with a first message, and a receive of the first that comes. */
void flow_begin(struct flow *flow, struct fixture *f, struct ctx *ctx,
		const char *method, const Tester__Text *first);
/* And wait until it was taken. */
void flow_send(struct flow *flow, const char *text);
/* Don't wait; @last half-closes. */
void flow_post(struct flow *flow, const char *text, bool last);

/* ---- processes ---------------------------------------------------------- */

/*
 * A child that calls Wait on the port that it is told, with @timeout_ms. To be
 * made before fixture_init(), since gRPC does not survive a fork.
 */
struct caller {
	pid_t pid;
	int fd;
};
void caller_fork(struct caller *caller, int64_t timeout_ms);
void caller_call(const struct caller *caller, uint16_t port);
void caller_kill(struct caller *caller);

/* A connected socket that speaks no HTTP/2 of its own. */
int raw_connect(uint16_t port);
void connect_to(int fd, uint16_t port);
/* Until the peer has closed or reset; false when PATIENCE_S passed. */
bool raw_await_close(int fd);

/* Run the suites of @tc; the exit code. */
int run_case(TCase *tc, const char *name);

#endif
