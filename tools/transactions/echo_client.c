#include "echo_client.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum {
	HOST_SIZE = 256,
	ANSWER_SIZE_MAX = 16 * 1024 * 1024,
	STATUS_AT = 9, /* in "HTTP/1.1 200 OK" */
};

/* "host:port", "[::1]:port" */
static enum status_code split(const char *target, char host[HOST_SIZE],
			      const char **ret_port, struct status *reterr)
{
	const char *colon = strrchr(target, ':');
	size_t size = (size_t)(colon - target);

	if (target[0] == '[' && size >= 2 && target[size - 1] == ']') {
		target++;
		size -= 2;
	}
	if (size == 0 || size >= HOST_SIZE) {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "'%s' is not of the form host:port", target);
	}
	memcpy(host, target, size);
	host[size] = '\0';
	*ret_port = colon + 1;
	return STATUS_OK;
}

static int try_connect(const struct addrinfo *at, int64_t timeout_ns)
{
	struct timeval timeout = {
		.tv_sec = (time_t)(timeout_ns / 1000000000),
		.tv_usec = (suseconds_t)(timeout_ns / 1000 % 1000000),
	};
	int fd = socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC,
			at->ai_protocol);

	if (fd < 0) {
		return -1;
	}
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout,
			 sizeof(timeout));
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout,
			 sizeof(timeout));
	if (connect(fd, at->ai_addr, at->ai_addrlen) != 0) {
		int error = errno;

		close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

static enum status_code dial(const char *target, int64_t timeout_ns,
			     int *ret_fd, struct status *reterr)
{
	const struct addrinfo hints = { .ai_family = AF_UNSPEC,
					.ai_socktype = SOCK_STREAM };
	struct addrinfo *all;
	char host[HOST_SIZE];
	const char *port = NULL;
	int fd = -1;
	int rc;

	if (split(target, host, &port, reterr) != STATUS_OK) {
		return reterr->code;
	}
	rc = getaddrinfo(host, port, &hints, &all);
	if (rc != 0) {
		return status_set(reterr, STATUS_UNAVAILABLE, "%s: %s", target,
				  gai_strerror(rc));
	}
	for (struct addrinfo *at = all; at != NULL && fd < 0;
	     at = at->ai_next) {
		fd = try_connect(at, timeout_ns);
	}
	freeaddrinfo(all);
	if (fd < 0) {
		return status_set(reterr, STATUS_UNAVAILABLE, "%s: %s", target,
				  strerror(errno));
	}
	*ret_fd = fd;
	return STATUS_OK;
}

static enum status_code read_all(int fd, char **ret_answer,
				 struct status *reterr)
{
	size_t capacity = 64 * 1024;
	size_t size = 0;
	char *answer = malloc(capacity);
	ssize_t n = 1;

	while (answer != NULL && n > 0) {
		if (size + 1 == capacity) {
			char *more = capacity < ANSWER_SIZE_MAX
					     ? realloc(answer, capacity *= 2)
					     : NULL;

			if (more == NULL) {
				break;
			}
			answer = more;
		}
		n = recv(fd, answer + size, capacity - 1 - size, 0);
		size += n > 0 ? (size_t)n : 0;
	}
	if (answer == NULL || n != 0) {
		status_set(reterr, STATUS_UNAVAILABLE, "no whole answer: %s",
			   n < 0 ? strerror(errno) : "it is too large");
		free(answer);
		return reterr->code;
	}
	answer[size] = '\0';
	*ret_answer = answer;
	return STATUS_OK;
}

static enum status_code ask(int fd, const char *target, const char *path,
			    char **ret_answer, struct status *reterr)
{
	char request[1024];
	int size = snprintf(request, sizeof(request),
			    "GET %s HTTP/1.1\r\nHost: %s\r\n"
			    "Accept: application/json\r\n"
			    "Connection: close\r\n\r\n",
			    path, target);

	if (size < 0 || (size_t)size >= sizeof(request) ||
	    send(fd, request, (size_t)size, MSG_NOSIGNAL) != size) {
		return status_set(reterr, STATUS_UNAVAILABLE, "%s: %s", target,
				  strerror(errno));
	}
	return read_all(fd, ret_answer, reterr);
}

/* Cut the head off; the body comes whole, since the connection was closed. */
static enum status_code take_body(const char *target, char *answer,
				  struct status *reterr)
{
	char *body = strstr(answer, "\r\n\r\n");
	int http_status = strlen(answer) > STATUS_AT
				  ? (int)strtol(answer + STATUS_AT, NULL, 10)
				  : 0;

	if (body == NULL || http_status == 0) {
		return status_set(reterr, STATUS_UNAVAILABLE,
				  "%s does not speak HTTP", target);
	}
	body += 4;
	if (http_status != 200) {
		return status_set(reterr, STATUS_FAILED_PRECONDITION,
				  "%s answers %d: %s", target, http_status,
				  body);
	}
	memmove(answer, body, strlen(body) + 1);
	return STATUS_OK;
}

enum status_code echo_client_get(const char *target, const char *path,
				 int64_t timeout_ns, char **ret_body,
				 struct status *reterr)
{
	enum status_code code;
	char *answer = NULL;
	int fd = -1;

	if (dial(target, timeout_ns, &fd, reterr) != STATUS_OK) {
		return reterr->code;
	}
	code = ask(fd, target, path, &answer, reterr);
	close(fd);
	if (code != STATUS_OK || answer == NULL) {
		return code;
	}
	code = take_body(target, answer, reterr);
	if (code != STATUS_OK) {
		free(answer);
		return code;
	}
	*ret_body = answer;
	return STATUS_OK;
}
