/*
 * What is kept of each connection, and how its client's leaving is noticed.
 *
 * A suspended connection is out of libmicrohttpd's sight, so each socket is in
 * our loop's epoll set too, from its first to its last moment, edge-triggered
 * for what says that the peer is gone: that costs no call per request, and an
 * event that comes early is remembered until a request waits. A FIN shows as
 * RDHUP even behind pipelined bytes; a reset as RDHUP, HUP and ERR.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "http/internal.h"

enum {
	FIN_SEEN = EPOLLRDHUP,
	RESET_SEEN = EPOLLHUP | EPOLLERR,
};

struct http_connection *http_connection_of(struct MHD_Connection *mhd)
{
	return MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT)
		->socket_context;
}

/* ---- leaving ------------------------------------------------------------ */

static void leave(struct http_connection *connection, enum ctx_cause cause)
{
	struct http_request *request = connection->waiting;

	connection->left = true;
	ctx_end(request->ctx, cause, NULL);
	if (request->state == HTTP_REQUEST_STREAMED) {
		http_stream_cut(request);
	}
}

enum ctx_cause http_connection_cause(const struct http_connection *connection)
{
	return (connection->seen & (FIN_SEEN | RESET_SEEN)) == FIN_SEEN
		       ? CTX_CLIENT_CLOSED
		       : CTX_CLIENT_RESET;
}

static bool may_probe(const struct http_connection *connection)
{
	const struct http_server *server = connection->server;

	return server->options.half_close == HTTP_HALF_CLOSE_PROBE &&
	       server->tls.cert == NULL && !connection->waiting->http_1_0;
}

/*
 * Libmicrohttpd does not write while the connection is suspended, so the line
 * can't fall into a response. A client that closed its socket answers it with a
 * reset; one that only has nothing more to send stays silent. A body that is
 * under way asks the same.
 */
static void probe(struct http_connection *connection)
{
	static const char interim[] = "HTTP/1.1 102 Processing\r\n\r\n";

	if (!connection->waiting->probed &&
	    connection->waiting->state != HTTP_REQUEST_STREAMED) {
		connection->waiting->probed = true;
		(void)send(connection->watch.fd, interim, sizeof(interim) - 1,
			   MSG_NOSIGNAL | MSG_DONTWAIT);
	}
}

static void judge(struct http_connection *connection)
{
	if (connection->waiting == NULL || connection->left) {
		return;
	}
	if ((connection->seen & RESET_SEEN) != 0) {
		leave(connection, connection->waiting->probed
					  ? CTX_CLIENT_CLOSED
					  : CTX_CLIENT_RESET);
	} else if ((connection->seen & FIN_SEEN) != 0) {
		if (may_probe(connection)) {
			probe(connection);
		} else {
			leave(connection, CTX_CLIENT_CLOSED);
		}
	}
}

/*
 * A FIN that came together with bytes is lost on libmicrohttpd: the two were
 * one edge, and it stops reading at the first short read. Without help it would
 * keep such a connection until it times out. Its next run comes first, so that
 * the new edge is not lost as well.
 */
static void schedule_wake(struct http_connection *connection)
{
	http_server_kick(connection->server);
	http_guard_join(&connection->finish, &connection->server->finished,
			clock_now_ns());
}

void http_connection_wake(struct http_guard *finish)
{
	struct http_connection *connection =
		CONTAINER_OF(finish, struct http_connection, finish);

	/* The peer did it already; done by us it makes an edge. */
	shutdown(connection->watch.fd, SHUT_RD);
}

static void on_hangup(struct loop_watch *watch, uint32_t epoll_events)
{
	struct http_connection *connection =
		CONTAINER_OF(watch, struct http_connection, watch);
	uint32_t before = connection->seen;

	connection->seen |= epoll_events & (FIN_SEEN | RESET_SEEN);
	judge(connection);
	/* Our own waking comes by here, too. */
	if (connection->waiting == NULL &&
	    (connection->seen & ~before & FIN_SEEN) != 0) {
		schedule_wake(connection);
	}
}

void http_connection_next(struct http_connection *connection)
{
	http_guard_join(&connection->guard, &connection->server->idle,
			clock_now_ns());
	if ((connection->seen & FIN_SEEN) != 0) {
		schedule_wake(connection);
	}
}

void http_connection_wait(struct http_connection *connection,
			  struct http_request *request)
{
	connection->waiting = request;
	judge(connection);
}

/* ---- closing ------------------------------------------------------------ */

void http_connection_shut(struct http_connection *connection)
{
	shutdown(connection->watch.fd, SHUT_RDWR);
}

bool http_connection_evict(struct http_server *server)
{
	struct http_guard *guard = server->idle.first;

	if (guard == NULL) {
		return false;
	}
	http_guard_leave(guard);
	http_connection_shut(
		CONTAINER_OF(guard, struct http_connection, guard));
	return true;
}

/* ---- life --------------------------------------------------------------- */

static void open_connection(struct http_server *server,
			    struct MHD_Connection *mhd, void **ret)
{
	struct http_connection *connection = calloc(1, sizeof(*connection));

	BUG_IF(connection == NULL, "out of memory");
	connection->server = server;
	connection->watch.fn = on_hangup;
	connection->watch.fd =
		MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)
			->connect_fd;
	*ret = connection;
	server->connection_nr++;
	if (server->tls.ca != NULL) {
		http_tls_require_client(mhd);
	}
	http_guard_join(&connection->guard, &server->receiving, clock_now_ns());
	/* A client whose leaving could not be seen is not served. */
	if (loop_watch_add(server->loop, &connection->watch,
			   EPOLLRDHUP | EPOLLET, NULL) != STATUS_OK) {
		http_connection_shut(connection);
	}
}

static void close_connection(struct http_connection *connection)
{
	struct http_server *server = connection->server;

	BUG_IF(connection->waiting != NULL, "closed under a request");
	loop_watch_remove(server->loop, &connection->watch);
	http_guard_leave(&connection->guard);
	http_guard_leave(&connection->finish);
	http_request_forget(connection->begun);
	server->connection_nr--;
	free(connection);
	http_accept_resume(server);
}

void http_connection_notify(void *server, struct MHD_Connection *mhd,
			    void **connection,
			    enum MHD_ConnectionNotificationCode code)
{
	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		open_connection(server, mhd, connection);
	} else {
		close_connection(*connection);
	}
}
