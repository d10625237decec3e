/* A server's life: made, started, drained, freed. */
#include <grpc/grpc_posix.h>
#include <grpc/grpc_security.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "loop/bug.h"
#include "rpc/args.h"
#include "rpc/call.h"
#include "rpc/tls.h"

enum {
	IN_FLIGHT_MAX = 4096,
	CONNECTIONS_MAX = 1024,
	STREAMS_MAX = 16384,
	MESSAGE_MAX = 4 << 20,
	METADATA_MAX = 16 << 10,
	KEEPALIVE_S = 10,
	KEEPALIVE_TIMEOUT_S = 5,
	HANDSHAKE_TIMEOUT_MS = 10000,
	/* How long callers have to make the call that we answer with our
	 * farewell. */
	HOLD_MS = 10,
	/* How long peers have to take our farewell before we hang up. */
	FAREWELL_MS = 20,
	/* How long handlers have to end calls whose ctx has ended. */
	HANDLERS_S = 10,
};

void rpc_server_options_init(struct rpc_server_options *options)
{
	memset(options, 0, sizeof(*options));
	options->listen = "localhost";
	options->in_flight_max = IN_FLIGHT_MAX;
	options->connections_max = CONNECTIONS_MAX;
	options->streams_max = STREAMS_MAX;
	options->message_max = MESSAGE_MAX;
	options->keepalive_ns = KEEPALIVE_S * (int64_t)NS_PER_S;
	options->keepalive_timeout_ns = KEEPALIVE_TIMEOUT_S * (int64_t)NS_PER_S;
}

/* ---- where calls end ---------------------------------------------------- */

static void on_drained_task(struct loop_task *task)
{
	struct rpc_server *server =
		(struct rpc_server *)((char *)task -
				      offsetof(struct rpc_server, drained));

	server->drain_pending = false;
	if (server->freed) {
		free(server);
		return;
	}
	server->on_drained(server->on_drained_arg);
}

static void tell_if_drained(struct rpc_server *server)
{
	if (atomic_load(&server->in_flight) == 0 &&
	    atomic_exchange(&server->awaited, false)) {
		loop_post(server->loop, &server->drained);
	}
}

void server_call_over(struct rpc_server *server)
{
	if (atomic_fetch_sub(&server->in_flight, 1) == 1 &&
	    atomic_load(&server->awaited)) {
		tell_if_drained(server);
	}
}

/* The last news from the poller: server may be freed while we return. */
static void tell_if_gone(struct rpc_server *server)
{
	if (!server->shut_down || server->calls > 0 || !server->all_let_go) {
		return;
	}
	pthread_mutex_lock(&server->mutex);
	server->gone = true;
	pthread_cond_signal(&server->changed);
	pthread_mutex_unlock(&server->mutex);
}

void server_call_freed(struct rpc_server *server)
{
	server->calls--;
	tell_if_gone(server);
}

static void on_shutdown(struct op *op, bool ok)
{
	struct rpc_server *server =
		(struct rpc_server *)((char *)op -
				      offsetof(struct rpc_server, on_shutdown));

	(void)ok;
	server->shut_down = true;
	tell_if_gone(server);
}

/* ---- making ------------------------------------------------------------- */

static void create_core(struct rpc_server *server)
{
	const struct rpc_server_options *options = &server->options;
	struct args args;

	args_init(&args);
	args_add_keepalive(&args, options->keepalive_ns,
			   options->keepalive_timeout_ns);
	/* Clients may ping as often as ours do, at any time. */
	args_add(&args, GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
		 options->keepalive_ns / NS_PER_MS / 2);
	args_add(&args, GRPC_ARG_HTTP2_MAX_PING_STRIKES, 0);
	args_add(&args, GRPC_ARG_MAX_CONCURRENT_STREAMS,
		 (int64_t)options->streams_max);
	args_add(&args, GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH,
		 (int64_t)options->message_max);
	args_add(&args, GRPC_ARG_MAX_METADATA_SIZE, METADATA_MAX);
	args_add(&args, GRPC_ARG_ALLOW_REUSEPORT, 0);
	args_add(&args, GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS,
		 HANDSHAKE_TIMEOUT_MS);
	server->core = grpc_server_create(&args.list, NULL);
	grpc_server_register_completion_queue(
		server->core, poller_queue(server->poller), NULL);
}

static void on_accept(struct listener *listener, int fd)
{
	struct rpc_server *server =
		(struct rpc_server *)((char *)listener -
				      offsetof(struct rpc_server, listener));

	grpc_server_add_channel_from_fd(server->core, fd, server->credentials);
}

/*
 * gRPC accepts for itself where there is TLS. Its reasons for not binding are
 * unknown to us, so we bind first, which picks the port, too.
 */
static enum status_code open_tls(struct rpc_server *server,
				 struct status *reterr)
{
	char addresses[LISTENER_ADDRESSES_MAX][LISTENER_ADDRESS_SIZE];
	struct listener *probe = &server->listener;
	size_t count = probe->count;

	for (size_t i = 0; i < count; i++) {
		memcpy(addresses[i], probe->sockets[i].address,
		       LISTENER_ADDRESS_SIZE);
	}
	listener_close(probe);
	for (size_t i = 0; i < count; i++) {
		if (grpc_server_add_http2_port(server->core, addresses[i],
					       server->credentials) == 0) {
			return status_set(
				reterr, STATUS_INVALID_ARGUMENT,
				"listen on %s: TLS certificate or key is "
				"unusable, or the port was taken just now",
				addresses[i]);
		}
	}
	return STATUS_OK;
}

static enum status_code open_listener(struct rpc_server *server,
				      struct status *reterr)
{
	const struct rpc_server_options *options = &server->options;
	struct listener *listener = &server->listener;
	enum status_code code;

	code = listener_open(listener, options->listen, options->port,
			     options->connections_max, reterr);
	if (code != STATUS_OK) {
		return code;
	}
	server->listening = true;
	server->port = listener->port;
	listener->loop = server->loop;
	listener->keepalive_ns = options->keepalive_ns;
	listener->keepalive_timeout_ns = options->keepalive_timeout_ns;
	listener->on_accept = on_accept;
	return options->tls != NULL ? open_tls(server, reterr) : STATUS_OK;
}

static void arm_all(struct post *post)
{
	struct rpc_server *server =
		(struct rpc_server *)((char *)post -
				      offsetof(struct rpc_server, arm));

	for (int i = 0; i < ARMED_GENERIC; i++) {
		call_arm(server, NULL);
	}
	for (struct rpc_bound *method = server->methods; method != NULL;
	     method = method->next) {
		for (int i = 0; i < ARMED_A_METHOD; i++) {
			call_arm(server, method);
		}
	}
}

static void hold(struct post *post)
{
	struct rpc_server *server =
		(struct rpc_server *)((char *)post -
				      offsetof(struct rpc_server, hold));

	server->holding = true;
}

static void let_go(struct post *post)
{
	struct rpc_server *server =
		(struct rpc_server *)((char *)post -
				      offsetof(struct rpc_server, let_go));

	call_let_go_held(server);
	server->all_let_go = true;
	tell_if_gone(server);
}

static struct rpc_server *server_new(struct ctx *root,
				     struct rpc_poller *poller,
				     const struct rpc_server_options *options)
{
	struct rpc_server *server = calloc(1, sizeof(*server));

	if (server == NULL) {
		return NULL;
	}
	server->loop = ctx_loop(root);
	server->ctx = ctx_new(root, CLOCK_NEVER);
	server->poller = poller;
	server->options = *options;
	server->schemas = schema_index_new();
	server->drained.fn = on_drained_task;
	server->arm.fn = arm_all;
	server->hold.fn = hold;
	server->let_go.fn = let_go;
	server->on_shutdown.fn = on_shutdown;
	pthread_mutex_init(&server->mutex, NULL);
	pthread_cond_init(&server->changed, NULL);
	create_core(server);
	return server;
}

enum status_code rpc_server_new(struct ctx *root, struct rpc_poller *poller,
				const struct rpc_server_options *options,
				struct rpc_server **ret_server,
				struct status *reterr)
{
	struct rpc_server *server = server_new(root, poller, options);
	struct status st;

	if (server == NULL) {
		return status_set(reterr, STATUS_RESOURCE_EXHAUSTED,
				  "no memory for a server");
	}
	if (tls_server_credentials(options->tls, &server->credentials, &st) !=
		    STATUS_OK ||
	    open_listener(server, &st) != STATUS_OK) {
		rpc_server_free(server);
		return status_set(reterr, st.code, "%s", st.message);
	}
	*ret_server = server;
	return STATUS_OK;
}

enum status_code rpc_server_start(struct rpc_server *server,
				  struct status *reterr)
{
	BUG_IF(server->started, "a server was started twice");
	server->started = true;
	grpc_server_start(server->core);
	poller_post(server->poller, &server->arm);
	if (server->options.tls != NULL) {
		return STATUS_OK;
	}
	return listener_start(&server->listener, reterr);
}

uint16_t rpc_server_port(const struct rpc_server *server)
{
	return server->port;
}

size_t rpc_server_in_flight(const struct rpc_server *server)
{
	return atomic_load(&server->in_flight);
}

size_t rpc_server_connections(const struct rpc_server *server)
{
	/* Counting forgets what is gone: const to users alone. */
	struct rpc_server *self = (struct rpc_server *)(uintptr_t)server;

	return connections_count(&self->listener.connections);
}

/* ---- stopping ----------------------------------------------------------- */

void rpc_server_stop_accepting(struct rpc_server *server)
{
	atomic_store(&server->stopping, true);
	listener_close(&server->listener);
}

void rpc_server_drain(struct rpc_server *server, void (*done)(void *arg),
		      void *arg)
{
	BUG_IF(server->drain_pending, "a drain is under way");
	server->drain_pending = true;
	server->on_drained = done;
	server->on_drained_arg = arg;
	atomic_store(&server->awaited, true);
	tell_if_drained(server);
}

void rpc_server_cancel(struct rpc_server *server)
{
	(void)ctx_end(server->ctx, CTX_SHUTDOWN, NULL);
}

/* Wait until nothing is left; false when that takes longer. */
static bool wait_gone(struct rpc_server *server, int64_t timeout_ns)
{
	struct timespec until;
	int64_t at_ns = clock_now_ns() + timeout_ns;
	bool gone;

	until.tv_sec = at_ns / NS_PER_S;
	until.tv_nsec = at_ns % NS_PER_S;
	pthread_mutex_lock(&server->mutex);
	while (!server->gone &&
	       pthread_cond_clockwait(&server->changed, &server->mutex,
				      CLOCK_MONOTONIC, &until) == 0) {
		/* Spurious. */
	}
	gone = server->gone;
	pthread_mutex_unlock(&server->mutex);
	return gone;
}

/*
 * A call that comes when gRPC has said farewell is none of ours any more: gRPC
 * ends it with CANCELLED, or hangs up on it without a word. Who calls again and
 * again, though told that we stop, would run into that every time. So their
 * last calls are held for a moment: then they have nothing on its way when the
 * farewell is said, and get their answer right behind it.
 */
static void hold_calls(struct rpc_server *server)
{
	struct timespec moment = { 0, HOLD_MS * NS_PER_MS };

	if (server->started && (server->options.tls != NULL ||
				rpc_server_connections(server) > 0)) {
		poller_post(server->poller, &server->hold);
		nanosleep(&moment, NULL);
	}
}

/* Farewell, hang up, wait for every tag and every handler. */
static void shut_down(struct rpc_server *server)
{
	hold_calls(server);
	grpc_server_shutdown_and_notify(server->core,
					poller_queue(server->poller),
					&server->on_shutdown);
	poller_post(server->poller, &server->let_go);
	if (!wait_gone(server, (int64_t)FAREWELL_MS * NS_PER_MS)) {
		grpc_server_cancel_all_calls(server->core);
		BUG_IF(!wait_gone(server, HANDLERS_S * (int64_t)NS_PER_S),
		       "a handler does not end its call although the ctx has");
	}
	grpc_server_destroy(server->core);
}

static void free_methods(struct rpc_server *server)
{
	while (server->methods != NULL) {
		struct rpc_bound *method = server->methods;

		server->methods = method->next;
		free(method->path);
		free(method);
	}
}

void rpc_server_free(struct rpc_server *server)
{
	if (server == NULL) {
		return;
	}
	BUG_IF(poller_is_current(server->poller),
	       "a server can't be freed by its handlers");
	atomic_store(&server->stopping, true);
	if (atomic_exchange(&server->awaited, false)) {
		server->drain_pending = false; /* It will never be answered. */
	}
	if (server->listening) {
		listener_close(&server->listener);
	}
	rpc_server_cancel(server);
	shut_down(server);
	if (server->listening) {
		listener_release(&server->listener);
	}
	if (server->credentials != NULL) {
		grpc_server_credentials_release(server->credentials);
	}
	call_pool_free(server);
	free_methods(server);
	schema_index_free(server->schemas);
	ctx_unref(server->ctx);
	pthread_mutex_destroy(&server->mutex);
	pthread_cond_destroy(&server->changed);
	server->freed = true;
	if (!server->drain_pending) {
		free(server);
	}
}
