/* A table of socket cookies by descriptor. */
#include "rpc/connections.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "loop/clock.h"

enum {
	SIZE_MIN = 64,
	/* At the limit, look through the table no more often than this. */
	SWEEP_INTERVAL_MS = 10,
};

/* 0 when @fd is no socket. */
static uint64_t cookie_of(int fd)
{
	uint64_t cookie = 0;
	socklen_t size = sizeof(cookie);

	if (getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &size) != 0) {
		return 0;
	}
	return cookie;
}

static void forget(struct connections *connections, size_t fd)
{
	if (connections->cookies[fd] != 0) {
		connections->cookies[fd] = 0;
		connections->count--;
	}
}

static void sweep(struct connections *connections)
{
	for (size_t fd = 0; fd < connections->size; fd++) {
		uint64_t cookie = connections->cookies[fd];

		if (cookie != 0 && cookie_of((int)fd) != cookie) {
			forget(connections, fd);
		}
	}
	connections->swept_ns = clock_now_ns();
}

static bool is_full(struct connections *connections)
{
	if (connections->count >= connections->max &&
	    clock_now_ns() - connections->swept_ns >=
		    (int64_t)SWEEP_INTERVAL_MS * NS_PER_MS) {
		sweep(connections);
	}
	return connections->count >= connections->max;
}

static bool make_room(struct connections *connections, size_t fd)
{
	size_t size = connections->size > 0 ? connections->size : SIZE_MIN;
	uint64_t *cookies;

	if (fd < connections->size) {
		return true;
	}
	while (size <= fd) {
		size *= 2;
	}
	cookies = realloc(connections->cookies, size * sizeof(*cookies));
	if (cookies == NULL) {
		return false;
	}
	memset(cookies + connections->size, 0,
	       (size - connections->size) * sizeof(*cookies));
	connections->cookies = cookies;
	connections->size = size;
	return true;
}

static bool add(struct connections *connections, int fd)
{
	size_t at = (size_t)fd;

	if (!make_room(connections, at)) {
		return false;
	}
	/* The number is free again: whatever we knew by it is gone. */
	forget(connections, at);
	if (is_full(connections)) {
		return false;
	}
	connections->cookies[at] = cookie_of(fd);
	if (connections->cookies[at] != 0) {
		connections->count++;
	}
	return true;
}

void connections_init(struct connections *connections, size_t max)
{
	memset(connections, 0, sizeof(*connections));
	pthread_mutex_init(&connections->mutex, NULL);
	connections->max = max;
}

void connections_release(struct connections *connections)
{
	free(connections->cookies);
	pthread_mutex_destroy(&connections->mutex);
}

bool connections_add(struct connections *connections, int fd)
{
	bool ok;

	pthread_mutex_lock(&connections->mutex);
	ok = add(connections, fd);
	pthread_mutex_unlock(&connections->mutex);
	return ok;
}

size_t connections_count(struct connections *connections)
{
	size_t count;

	pthread_mutex_lock(&connections->mutex);
	sweep(connections);
	count = connections->count;
	pthread_mutex_unlock(&connections->mutex);
	return count;
}
