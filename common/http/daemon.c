/* Running libmicrohttpd, which has no thread of its own, on our loop. */
#include <string.h>
#include <sys/epoll.h>

#include "http/internal.h"

/*
 * A request takes up to three runs: resume it, write, look for the next. More
 * may wait for the next turn of the loop.
 */
enum { RUNS_MAX = 4 };

/* ---- running libmicrohttpd ---------------------------------------------- */

static void wake_at(struct http_server *server, int64_t at_ns)
{
	if (at_ns >= server->wake_ns) {
		return;
	}
	if (server->wake_ns != CLOCK_NEVER) {
		loop_timer_stop(server->loop, &server->wake);
	}
	server->wake_ns = at_ns;
	loop_timer_start(server->loop, &server->wake, at_ns);
}

/* A timer that is due at once, and not a task, because it can be taken back. */
void http_server_kick(struct http_server *server)
{
	wake_at(server, 0);
}

static void on_readable(struct loop_watch *watch, uint32_t epoll_events)
{
	(void)epoll_events;
	http_server_kick(CONTAINER_OF(watch, struct http_server, readable));
}

/*
 * A resume is lost on libmicrohttpd unless it runs afterwards. It has no
 * descriptor of its own to be woken by: it would cost a write for each resume.
 */
static void resume_answered(struct http_server *server)
{
	while (server->answered != NULL) {
		struct http_request *request = server->answered;

		server->answered = request->answered_next;
		MHD_resume_connection(request->mhd);
	}
}

/* When it wants to run next by itself. */
static int64_t next_run_ns(struct http_server *server)
{
	MHD_UNSIGNED_LONG_LONG ms;

	if (server->answered != NULL) {
		return 0;
	}
	if (MHD_get_timeout(server->daemon, &ms) != MHD_YES) {
		return CLOCK_NEVER;
	}
	return ms == 0 ? 0 : clock_now_ns() + (int64_t)ms * NS_PER_MS;
}

static void run_daemon(struct http_server *server)
{
	int64_t at_ns = 0;

	for (int i = 0; i < RUNS_MAX && at_ns == 0; i++) {
		resume_answered(server);
		server->inside = true;
		MHD_run(server->daemon);
		server->inside = false;
		at_ns = next_run_ns(server);
	}
	wake_at(server, at_ns);
}

static void on_wake(struct loop_timer *timer, int64_t late_ns)
{
	struct http_server *server =
		CONTAINER_OF(timer, struct http_server, wake);

	(void)late_ns;
	server->wake_ns = CLOCK_NEVER;
	run_daemon(server);
	if (server->drained != NULL && server->unfinished == 0) {
		void (*drained)(void *arg) = server->drained;

		server->drained = NULL;
		/* It may free the server. */
		drained(server->drained_arg);
	}
}

/* ---- time limits -------------------------------------------------------- */

/* A request takes too long to arrive. Any byte refreshes libmicrohttpd's own
 * timeout, so that alone would not end it. */
static void on_receiving_expired(struct http_guard *guard)
{
	static const char answer[] = "HTTP/1.1 408 Request Timeout\r\n"
				     "Connection: close\r\n"
				     "Content-Length: 0\r\n\r\n";
	struct http_connection *connection =
		CONTAINER_OF(guard, struct http_connection, guard);

	if (connection->server->tls.cert == NULL) {
		(void)send(connection->watch.fd, answer, sizeof(answer) - 1,
			   MSG_NOSIGNAL | MSG_DONTWAIT);
	}
	http_connection_shut(connection);
}

/* The same between requests, where the first line trickles in; and with answers
 * that nobody fetches after all was cancelled. */
static void shut_expired(struct http_guard *guard)
{
	http_connection_shut(
		CONTAINER_OF(guard, struct http_connection, guard));
}

/* ---- life --------------------------------------------------------------- */

void http_daemon_init(struct http_server *server)
{
	int64_t header_ns =
		(int64_t)server->options.header_timeout_s * NS_PER_S;
	int64_t idle_ns = (int64_t)server->options.idle_timeout_s * NS_PER_S;

	server->wake.fn = on_wake;
	server->wake_ns = CLOCK_NEVER;
	http_patrol_init(&server->receiving, server->loop, header_ns,
			 on_receiving_expired);
	http_patrol_init(&server->idle, server->loop, idle_ns + header_ns,
			 shut_expired);
	http_patrol_init(&server->finished, server->loop, 0,
			 http_connection_wake);
	http_patrol_init(&server->cancelled, server->loop,
			 (int64_t)HTTP_CANCEL_GRACE_MS * NS_PER_MS,
			 shut_expired);
}

/* Nothing to decode: the URI is taken as it comes, and decoded by ourselves. */
static size_t leave_escaped(void *arg, struct MHD_Connection *mhd, char *text)
{
	(void)arg;
	(void)mhd;
	return strlen(text);
}

static void add_tls_options(const struct http_tls *tls,
			    struct MHD_OptionItem *items)
{
	if (tls->cert == NULL) {
		items[0] = (struct MHD_OptionItem){ MHD_OPTION_END, 0, NULL };
		return;
	}
	*items++ = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_MEM_CERT, 0,
					    tls->cert };
	*items++ = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_MEM_KEY, 0,
					    tls->key };
	if (tls->ca != NULL) {
		*items++ = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_MEM_TRUST,
						    0, tls->ca };
	}
	*items = (struct MHD_OptionItem){ MHD_OPTION_END, 0, NULL };
}

/*
 * Strictness is our own (header.c): MHD_OPTION_STRICT_FOR_CLIENT makes it send
 * the header of its refusals twice, and closes without one on a blank in the
 * URL.
 */
static struct MHD_Daemon *start_daemon(struct http_server *server)
{
	struct MHD_OptionItem tls[4];
	unsigned flags = MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET |
			 (MHD_ALLOW_SUSPEND_RESUME & ~(unsigned)MHD_USE_ITC);

	add_tls_options(&server->tls, tls);
	if (server->tls.cert != NULL) {
		flags |= MHD_USE_TLS;
	}
	return MHD_start_daemon(
		flags, 0, NULL, NULL, http_request_access, server,
		MHD_OPTION_URI_LOG_CALLBACK, http_request_begin, server,
		MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped, NULL,
		MHD_OPTION_NOTIFY_COMPLETED, http_request_completed, server,
		MHD_OPTION_NOTIFY_CONNECTION, http_connection_notify, server,
		MHD_OPTION_CONNECTION_LIMIT,
		(unsigned)server->options.connections_max + 1,
		MHD_OPTION_CONNECTION_TIMEOUT,
		(unsigned)server->options.idle_timeout_s,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		(size_t)HTTP_CONNECTION_MEMORY, MHD_OPTION_ARRAY, tls,
		MHD_OPTION_END);
}

enum status_code http_daemon_start(struct http_server *server,
				   struct status *reterr)
{
	const union MHD_DaemonInfo *info;

	server->daemon = start_daemon(server);
	if (server->daemon == NULL) {
		return status_set(reterr, STATUS_RESOURCE_EXHAUSTED,
				  "the HTTP server did not start");
	}
	info = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	server->readable.fd = info->epoll_fd;
	server->readable.fn = on_readable;
	return loop_watch_add(server->loop, &server->readable, EPOLLIN, reterr);
}

/* It panics on suspended connections: what was answered goes out first. */
static void stop_daemon(struct http_server *server)
{
	BUG_IF(server->inside, "freed inside a handler");
	run_daemon(server);
	BUG_IF(server->handled != NULL, "freed with requests in flight");
	loop_watch_remove(server->loop, &server->readable);
	MHD_stop_daemon(server->daemon);
	server->daemon = NULL;
}

void http_daemon_release(struct http_server *server)
{
	if (server->daemon != NULL) {
		stop_daemon(server);
	}
	if (server->wake_ns != CLOCK_NEVER) {
		loop_timer_stop(server->loop, &server->wake);
	}
	http_patrol_release(&server->receiving);
	http_patrol_release(&server->idle);
	http_patrol_release(&server->finished);
	http_patrol_release(&server->cancelled);
}
