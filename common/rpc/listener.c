/* Accepting. Binding is in bind.c. */
#include "rpc/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	ACCEPTS_A_TURN = 16, /* the loop has other things to do */
	RESUME_MS = 20,	     /* look whether there are descriptors again */
	KEEPALIVE_PROBES = 3,
};

/* ---- one connection ----------------------------------------------------- */

static void set(int fd, int level, int option, int64_t value)
{
	int n = value > INT32_MAX ? INT32_MAX : (int)value;

	/* A socket that can't be tuned still works, ignoring. */
	(void)setsockopt(fd, level, option, &n, sizeof(n));
}

static int64_t whole_seconds(int64_t ns)
{
	return ns < NS_PER_S ? 1 : ns / NS_PER_S;
}

/*
 * HTTP/2 pings find a dead peer; these find it also before the peer has spoken
 * HTTP/2, and where data of ours stays unacknowledged.
 */
static void tune(const struct listener *listener, int fd)
{
	int64_t timeout_ns = listener->keepalive_timeout_ns;

	set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	set(fd, IPPROTO_TCP, TCP_KEEPIDLE,
	    whole_seconds(listener->keepalive_ns));
	set(fd, IPPROTO_TCP, TCP_KEEPINTVL,
	    whole_seconds(timeout_ns / KEEPALIVE_PROBES));
	set(fd, IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_PROBES);
	set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, timeout_ns / NS_PER_MS);
}

/* With a reset: the peer learns at once, and no TIME_WAIT stays with us. */
static void turn_away(int fd)
{
	struct linger linger = { .l_onoff = 1, .l_linger = 0 };

	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	close(fd);
}

static void admit(struct listener *listener, int fd)
{
	if (!connections_add(&listener->connections, fd)) {
		turn_away(fd);
		return;
	}
	tune(listener, fd);
	listener->on_accept(listener, fd);
}

/* ---- no descriptors ----------------------------------------------------- */

static void refill_reserve(struct listener *listener)
{
	if (listener->reserve < 0) {
		listener->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
	}
}

/*
 * Use the reserve to tell one peer that there is no place for it. False when
 * there was nothing to accept, or another thread was quicker.
 */
static bool turn_one_away(struct listener *listener, int fd)
{
	int peer;

	if (listener->reserve < 0) {
		return false;
	}
	close(listener->reserve);
	listener->reserve = -1;
	peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	if (peer >= 0) {
		turn_away(peer);
	}
	refill_reserve(listener);
	return peer >= 0;
}

/* False when the kernel has no memory for it. */
static bool watch_all(struct listener *listener, uint32_t events)
{
	struct status st;

	for (size_t i = 0; i < listener->count; i++) {
		if (loop_watch_change(listener->loop,
				      &listener->sockets[i].watch, events,
				      &st) != STATUS_OK) {
			return false;
		}
	}
	return true;
}

static void resume_later(struct listener *listener)
{
	listener->watching = false;
	loop_timer_start(listener->loop, &listener->resume,
			 clock_now_ns() + (int64_t)RESUME_MS * NS_PER_MS);
}

static void on_resume(struct loop_timer *timer, int64_t late_ns)
{
	struct listener *listener =
		(struct listener *)((char *)timer -
				    offsetof(struct listener, resume));

	(void)late_ns;
	refill_reserve(listener);
	listener->watching = watch_all(listener, EPOLLIN);
	if (!listener->watching) {
		resume_later(listener);
	}
}

/* Look away for a while: the backlog keeps who comes meanwhile. */
static void pause_accepting(struct listener *listener)
{
	if (listener->watching && watch_all(listener, 0)) {
		resume_later(listener);
	}
}

/* ---- accepting ---------------------------------------------------------- */

/* False when this turn is over. */
static bool accept_failed(struct listener *listener, int fd)
{
	switch (errno) {
	case EAGAIN:
		return false;
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
		if (turn_one_away(listener, fd)) {
			return true;
		}
		pause_accepting(listener);
		return false;
	default:
		/* The connection broke before it was ours; the next one. */
		return true;
	}
}

static void on_incoming(struct loop_watch *watch, uint32_t events)
{
	struct listener_socket *socket =
		(struct listener_socket *)((char *)watch -
					   offsetof(struct listener_socket,
						    watch));
	struct listener *listener = socket->listener;

	(void)events;
	for (int i = 0; i < ACCEPTS_A_TURN && listener->watching; i++) {
		int fd = accept4(watch->fd, NULL, NULL,
				 SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			admit(listener, fd);
		} else if (!accept_failed(listener, watch->fd)) {
			return;
		}
	}
}

/* ---- life --------------------------------------------------------------- */

enum status_code listener_start(struct listener *listener,
				struct status *reterr)
{
	listener->resume.fn = on_resume;
	listener->watching = true;
	listener->started = true;
	refill_reserve(listener);
	for (size_t i = 0; i < listener->count; i++) {
		struct listener_socket *socket = &listener->sockets[i];

		socket->listener = listener;
		socket->watch.fn = on_incoming;
		if (loop_watch_add(listener->loop, &socket->watch, EPOLLIN,
				   reterr) != STATUS_OK) {
			return status_wrap(reterr, "accept on %s",
					   socket->address);
		}
	}
	return STATUS_OK;
}

void listener_close(struct listener *listener)
{
	if (listener->started) {
		(void)loop_timer_stop(listener->loop, &listener->resume);
	}
	for (size_t i = 0; i < listener->count; i++) {
		struct loop_watch *watch = &listener->sockets[i].watch;

		if (listener->started) {
			loop_watch_remove(listener->loop, watch);
		}
		close(watch->fd);
	}
	listener->count = 0;
	listener->watching = false;
	if (listener->reserve >= 0) {
		close(listener->reserve);
		listener->reserve = -1;
	}
}

void listener_release(struct listener *listener)
{
	listener_close(listener);
	connections_release(&listener->connections);
}
