/*
 * How connections come. We accept them ourselves and hand them on: when
 * descriptors run out libmicrohttpd stops accepting until one of its own
 * connections closes, or spins if it has none, and it listens on one socket
 * only.
 *
 * Without descriptors, or at connections_max, the connection that has been idle
 * longest is closed to make room, and accepting waits: for a connection to
 * close, or, as others may give descriptors back too, for a tenth of a second.
 */
#include <errno.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "http/internal.h"

enum {
	ACCEPTS_MAX = 64, /* in a turn of the loop, per listener */
	RETRY_MS = 100,
	BACKLOG_MAX = 4096, /* taken in at the end, per listener */
};

/* ---- pausing ------------------------------------------------------------ */

static void unwatch(struct http_server *server)
{
	for (size_t i = 0; i < server->listener_nr; i++) {
		loop_watch_remove(server->loop, &server->listeners[i].watch);
	}
}

static enum status_code watch(struct http_server *server, struct status *reterr)
{
	for (size_t i = 0; i < server->listener_nr; i++) {
		enum status_code code = loop_watch_add(
			server->loop, &server->listeners[i].watch, EPOLLIN,
			reterr);

		if (code != STATUS_OK) {
			unwatch(server);
			return code;
		}
	}
	return STATUS_OK;
}

static void pause_accepting(struct http_server *server)
{
	if (!server->paused) {
		server->paused = true;
		unwatch(server);
		loop_timer_start(server->loop, &server->retry,
				 clock_now_ns() + RETRY_MS * NS_PER_MS);
	}
}

static void try_again(struct http_server *server)
{
	server->paused = false;
	if (watch(server, NULL) != STATUS_OK) {
		pause_accepting(server);
	}
}

static void on_retry(struct loop_timer *timer, int64_t late_ns)
{
	(void)late_ns;
	try_again(CONTAINER_OF(timer, struct http_server, retry));
}

void http_accept_resume(struct http_server *server)
{
	if (server->paused && loop_timer_stop(server->loop, &server->retry)) {
		try_again(server);
	}
}

/* ---- accepting ---------------------------------------------------------- */

static bool is_shortage(int err)
{
	return err == EMFILE || err == ENFILE || err == ENOBUFS ||
	       err == ENOMEM;
}

/* False when there is no more to take for now. */
static bool take_one(struct http_server *server, int listener_fd)
{
	struct sockaddr_storage address;
	socklen_t size = sizeof(address);
	int fd;

	if (server->connection_nr >= server->options.connections_max) {
		http_connection_evict(server);
		pause_accepting(server);
		return false;
	}
	fd = accept4(listener_fd, (struct sockaddr *)&address, &size,
		     SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd >= 0) {
		/* It closes the socket itself when it fails. */
		(void)MHD_add_connection(server->daemon, fd,
					 (struct sockaddr *)&address, size);
		http_server_kick(server);
		return true;
	}
	if (is_shortage(errno)) {
		http_connection_evict(server);
		pause_accepting(server);
		return false;
	}
	/* Any other error is that of one client who is gone already. */
	return errno != EAGAIN && errno != EINVAL && errno != EBADF;
}

static void on_client(struct loop_watch *watched, uint32_t epoll_events)
{
	struct http_listener *listener =
		CONTAINER_OF(watched, struct http_listener, watch);

	(void)epoll_events;
	for (int i = 0; i < ACCEPTS_MAX; i++) {
		if (!take_one(listener->server, watched->fd)) {
			return;
		}
	}
}

enum status_code http_accept_start(struct http_server *server,
				   struct status *reterr)
{
	for (size_t i = 0; i < server->listener_nr; i++) {
		server->listeners[i].server = server;
		server->listeners[i].watch.fn = on_client;
	}
	server->retry.fn = on_retry;
	return watch(server, reterr);
}

/* Clients in the backlog would be reset: they get an answer instead. */
static void take_backlog(struct http_server *server)
{
	for (size_t i = 0; i < server->listener_nr && !server->paused; i++) {
		int left = BACKLOG_MAX;

		while (left-- > 0 &&
		       take_one(server, server->listeners[i].watch.fd)) {
		}
	}
}

void http_accept_stop(struct http_server *server)
{
	if (server->daemon != NULL) {
		take_backlog(server);
		if (server->paused) {
			loop_timer_stop(server->loop, &server->retry);
			server->paused = false;
		} else {
			unwatch(server);
		}
	}
	for (size_t i = 0; i < server->listener_nr; i++) {
		close(server->listeners[i].watch.fd);
	}
	server->listener_nr = 0;
}
