#include "tiny_server.h"

#include <arpa/inet.h>
#include <check.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

const char TINY_CLOSE[] = "close";
const char TINY_HANG[] = "hang";

/* Whether @request is whole: its head, and as much body as that says. */
static bool is_whole(const char *request, size_t size)
{
	const char *end = strstr(request, "\r\n\r\n");
	const char *length = strcasestr(request, "\r\nContent-Length:");
	size_t body = 0;

	if (end == NULL) {
		return false;
	}
	if (length != NULL) {
		body = (size_t)strtoul(strchr(length, ':') + 1, NULL, 10);
	}
	return size >= (size_t)(end + 4 - request) + body;
}

static bool read_request(struct tiny_server *server, int fd)
{
	char *request = server->requests[atomic_load(&server->requests_n)];
	size_t size = 0;

	do {
		ssize_t n =
			read(fd, request + size, TINY_REQUEST_SIZE - 1 - size);

		if (n <= 0) {
			return false;
		}
		size += (size_t)n;
		request[size] = '\0';
	} while (!is_whole(request, size));
	atomic_fetch_add(&server->requests_n, 1);
	sem_post(&server->arrived);
	return true;
}

/* Whether the connection goes on. */
static bool act(struct tiny_server *server, const char *what, int fd)
{
	char byte;

	if (what == TINY_CLOSE) {
		return false;
	}
	if (what == TINY_HANG) {
		(void)!read(fd, &byte, 1);
		sem_post(&server->left);
		return false;
	}
	for (size_t sent = 0; sent < strlen(what);) {
		ssize_t n = send(fd, what + sent, strlen(what) - sent,
				 MSG_NOSIGNAL);

		if (n <= 0) {
			return false;
		}
		sent += (size_t)n;
	}
	return true;
}

static void *serve(void *arg)
{
	struct tiny_server *server = arg;
	const char *const *step = server->script;
	int fd = -1;

	while (*step != NULL) {
		if (fd < 0) {
			fd = accept(server->listener, NULL, NULL);
			atomic_fetch_add(&server->connections, 1);
		}
		if (!read_request(server, fd) || !act(server, *step++, fd)) {
			close(fd);
			fd = -1;
		}
	}
	if (fd >= 0) {
		close(fd);
	}
	close(server->listener);
	return NULL;
}

void tiny_server_start(struct tiny_server *server, const char *const *script)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t size = sizeof(address);

	memset(server, 0, sizeof(*server));
	server->script = script;
	sem_init(&server->arrived, 0, 0);
	sem_init(&server->left, 0, 0);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(
		bind(server->listener, (struct sockaddr *)&address, size), 0);
	ck_assert_int_eq(listen(server->listener, 8), 0);
	ck_assert_int_eq(getsockname(server->listener,
				     (struct sockaddr *)&address, &size),
			 0);
	server->port = ntohs(address.sin_port);
	ck_assert_int_eq(pthread_create(&server->thread, NULL, serve, server),
			 0);
}

void tiny_server_stop(struct tiny_server *server)
{
	pthread_join(server->thread, NULL);
	sem_destroy(&server->arrived);
	sem_destroy(&server->left);
}
