#include "stock_order/client/outlet.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "loop/bug.h"

/* ---- memory ------------------------------------------------------------- */

static void make_room(struct outlet *outlet, size_t more)
{
	size_t capacity = outlet->capacity != 0 ? outlet->capacity : PIPE_BUF;

	if (outlet->begin > 0) {
		outlet->end -= outlet->begin;
		memmove(outlet->text, outlet->text + outlet->begin,
			outlet->end);
		outlet->begin = 0;
	}
	while (capacity - outlet->end < more) {
		capacity *= 2;
	}
	if (capacity != outlet->capacity) {
		outlet->text = realloc(outlet->text, capacity);
		BUG_IF(outlet->text == NULL, "out of memory for output");
		outlet->capacity = capacity;
	}
}

/* ---- writing ------------------------------------------------------------ */

static void fail(struct outlet *outlet, int err)
{
	(void)status_set_errno(&outlet->failure, STATUS_UNAVAILABLE, err,
			       "output");
	outlet->begin = outlet->end;
}

/* An error is found out by writing. */
static bool has_room(const struct outlet *outlet)
{
	struct pollfd pfd = { .fd = outlet->watch.fd, .events = POLLOUT };

	return poll(&pfd, 1, 0) == 1;
}

/* True: try again. */
static bool write_piece(struct outlet *outlet)
{
	size_t size = outlet->end - outlet->begin;
	ssize_t n;

	/* A pipe that has room takes so much without making us wait. */
	n = write(outlet->watch.fd, outlet->text + outlet->begin,
		  size < PIPE_BUF ? size : PIPE_BUF);
	if (n >= 0) {
		outlet->begin += (size_t)n;
		return true;
	}
	if (errno == EAGAIN) {
		return false;
	}
	if (errno != EINTR) {
		fail(outlet, errno);
	}
	return true;
}

static void write_some(struct outlet *outlet)
{
	bool again = true;

	while (again && !outlet_is_drained(outlet)) {
		again = has_room(outlet) && write_piece(outlet);
	}
}

static void unwatch(struct outlet *outlet)
{
	if (outlet->watching) {
		loop_watch_remove(outlet->loop, &outlet->watch);
		outlet->watching = false;
	}
}

static void on_room(struct loop_watch *watch, uint32_t epoll_events)
{
	struct outlet *outlet =
		(struct outlet *)((char *)watch -
				  offsetof(struct outlet, watch));

	(void)epoll_events;
	write_some(outlet);
	if (outlet_is_drained(outlet)) {
		unwatch(outlet);
		outlet->on_drained(outlet->arg);
	}
}

/* ---- from outside ------------------------------------------------------- */

void outlet_open(struct outlet *outlet, struct loop *loop, int fd,
		 void (*on_drained)(void *arg), void *arg)
{
	*outlet = (struct outlet){
		.failure = status_ok(),
		.loop = loop,
		.watch = { .fn = on_room, .fd = fd },
		.on_drained = on_drained,
		.arg = arg,
	};
}

void outlet_close(struct outlet *outlet)
{
	unwatch(outlet);
	free(outlet->text);
	outlet->text = NULL;
	outlet->begin = outlet->end = outlet->capacity = 0;
}

bool outlet_is_drained(const struct outlet *outlet)
{
	return outlet->begin == outlet->end;
}

void outlet_put(struct outlet *outlet, const char *text, size_t size)
{
	struct status failure;

	if (outlet->failure.code != STATUS_OK || size == 0) {
		return;
	}
	make_room(outlet, size);
	memcpy(outlet->text + outlet->end, text, size);
	outlet->end += size;
	if (outlet->watching) {
		return;
	}
	write_some(outlet);
	if (outlet_is_drained(outlet)) {
		return;
	}
	/* What can't be watched (a file) always has room, so this is rare. */
	if (loop_watch_add(outlet->loop, &outlet->watch, EPOLLOUT, &failure) !=
	    STATUS_OK) {
		outlet->failure = failure;
		outlet->begin = outlet->end;
		return;
	}
	outlet->watching = true;
}

void outlet_guard_standard(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDONLY);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO) {
		close(fd);
	}
}
