/* The server's life. */
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "http/internal.h"

enum {
	/* Descriptors left to others: databases, logs, calls. */
	DESCRIPTORS_KEPT = 64,
};

void http_options_init(struct http_options *options)
{
	*options = (struct http_options){
		.listen = "localhost",
		.in_flight_max = 4096,
		.connections_max = 16384,
		.body_max = 64 * 1024,
		.header_timeout_s = 10,
		.idle_timeout_s = 60,
		.half_close = HTTP_HALF_CLOSE_ABORT,
		.error_style = HTTP_ERROR_PROBLEM,
	};
}

/* ---- life --------------------------------------------------------------- */

static size_t clamp_connections(size_t wanted)
{
	struct rlimit limit;
	size_t room;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
		return wanted;
	}
	room = limit.rlim_cur > 2 * DESCRIPTORS_KEPT
		       ? (size_t)limit.rlim_cur - DESCRIPTORS_KEPT
		       : (size_t)limit.rlim_cur / 2;
	return wanted < room ? wanted : room;
}

static enum status_code bind_all(struct http_server *server,
				 const struct http_options *options,
				 struct status *reterr)
{
	int fds[HTTP_LISTENERS_MAX];
	enum status_code code =
		http_listen(options->listen, options->port, fds,
			    &server->listener_nr, &server->port, reterr);

	if (code != STATUS_OK) {
		server->listener_nr = 0;
		return code;
	}
	for (size_t i = 0; i < server->listener_nr; i++) {
		server->listeners[i].watch.fd = fds[i];
	}
	return STATUS_OK;
}

enum status_code http_server_new(struct ctx *root,
				 const struct http_options *options,
				 struct http_server **ret_server,
				 struct status *reterr)
{
	struct http_server *server = calloc(1, sizeof(*server));
	enum status_code code;

	BUG_IF(server == NULL, "out of memory");
	server->root = ctx_ref(root);
	server->loop = ctx_loop(root);
	server->options = *options;
	server->options.connections_max =
		clamp_connections(options->connections_max);
	http_daemon_init(server);
	code = http_tls_load(&server->tls, options->tls_cert, options->tls_key,
			     options->tls_ca, reterr);
	if (code == STATUS_OK) {
		code = bind_all(server, options, reterr);
	}
	if (code != STATUS_OK) {
		http_server_free(server);
		return code;
	}
	*ret_server = server;
	return STATUS_OK;
}

void http_server_route(struct http_server *server, unsigned methods,
		       const char *path, http_handler_fn handler, void *self)
{
	BUG_IF(server->daemon != NULL, "routes come before start");
	http_routes_add(&server->routes, methods, path, handler, self);
}

enum status_code http_server_start(struct http_server *server,
				   struct status *reterr)
{
	enum status_code code;

	BUG_IF(server->daemon != NULL, "started twice");
	code = http_daemon_start(server, reterr);
	return code == STATUS_OK ? http_accept_start(server, reterr) : code;
}

uint16_t http_server_port(const struct http_server *server)
{
	return server->port;
}

size_t http_server_in_flight(const struct http_server *server)
{
	return atomic_load_explicit(&server->in_flight, memory_order_relaxed);
}

/* ---- stopping ----------------------------------------------------------- */

void http_server_stop_accepting(struct http_server *server)
{
	atomic_store(&server->draining, true);
	http_accept_stop(server);
}

void http_server_drain(struct http_server *server, void (*done)(void *arg),
		       void *arg)
{
	BUG_IF(server->drained != NULL, "drained twice");
	server->drained = done;
	server->drained_arg = arg;
	http_server_kick(server);
}

/* A hook may answer at once; requests leave the lists only when libmicrohttpd
 * runs. */
void http_server_cancel(struct http_server *server)
{
	server->cancelling = true;
	for (struct http_request *request = server->handled; request != NULL;
	     request = request->next) {
		ctx_end(request->ctx, CTX_SHUTDOWN, NULL);
		if (request->state == HTTP_REQUEST_STREAMED) {
			http_stream_cut(request);
		}
	}
	for (struct http_request *request = server->sending; request != NULL;
	     request = request->next) {
		http_connection_shut(request->connection);
	}
}

void http_server_free(struct http_server *server)
{
	if (server == NULL) {
		return;
	}
	http_accept_stop(server);
	http_daemon_release(server);
	http_routes_release(&server->routes);
	http_tls_release(&server->tls);
	ctx_unref(server->root);
	free(server);
}
