#include "harness/client.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- connections --------------------------------------------------------- */

static struct sockaddr_in loopback(int port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
}

/* @room: bytes that wait to be received, 0 for as many as the system likes. */
static bool try_open(struct client *client, int port, int room)
{
	struct sockaddr_in to = loopback(port);
	int one = 1;

	client->size = 0;
	client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_ge(client->fd, 0);
	if (room > 0) {
		setsockopt(client->fd, SOL_SOCKET, SO_RCVBUF, &room,
			   sizeof(room));
	}
	if (connect(client->fd, (const struct sockaddr *)&to, sizeof(to)) !=
	    0) {
		close(client->fd);
		client->fd = -1;
		return false;
	}
	setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return true;
}

bool client_try_open(struct client *client, int port)
{
	return try_open(client, port, 0);
}

void client_open_narrow(struct client *client, int port)
{
	enum { ROOM = 4096 };

	ck_assert_msg(try_open(client, port, ROOM), "connect to port %d: %s",
		      port, strerror(errno));
}

void client_open(struct client *client, int port)
{
	ck_assert_msg(client_try_open(client, port), "connect to port %d: %s",
		      port, strerror(errno));
}

void client_close(struct client *client)
{
	close(client->fd);
	client->fd = -1;
}

void client_reset(struct client *client)
{
	struct linger at_once = { 1, 0 };

	setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &at_once,
		   sizeof(at_once));
	client_close(client);
}

void client_half_close(struct client *client)
{
	ck_assert_int_eq(shutdown(client->fd, SHUT_WR), 0);
}

bool client_vanish(struct client *client)
{
	int on = 1;

	/* A socket under repair is closed without a word to its peer. */
	if (setsockopt(client->fd, IPPROTO_TCP, TCP_REPAIR, &on, sizeof(on)) !=
	    0) {
		return false;
	}
	client_close(client);
	return true;
}

int free_port(void)
{
	struct sockaddr_in at = loopback(0);
	socklen_t size = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&at, &size), 0);
	close(fd);
	return ntohs(at.sin_port);
}

/* ---- requests ------------------------------------------------------------ */

bool client_send(struct client *client, const void *data, size_t size)
{
	const char *at = data;

	while (size > 0) {
		ssize_t n = send(client->fd, at, size, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n < 0) {
			return false;
		}
		at += n;
		size -= (size_t)n;
	}
	return true;
}

__attribute__((format(printf, 3, 0))) static bool
send_get(struct client *client, const char *headers, const char *path_fmt,
	 va_list args)
{
	char path[8192];
	char request[sizeof(path) + 4096];
	int size;

	vsnprintf(path, sizeof(path), path_fmt, args);
	size = snprintf(request, sizeof(request),
			"GET %s HTTP/1.1\r\nHost: localhost\r\n%s\r\n", path,
			headers);
	ck_assert_int_lt(size, (int)sizeof(request));
	return client_send(client, request, (size_t)size);
}

bool client_get(struct client *client, const char *path_fmt, ...)
{
	va_list args;
	bool sent;

	va_start(args, path_fmt);
	sent = send_get(client, "", path_fmt, args);
	va_end(args);
	return sent;
}

bool client_get_with(struct client *client, const char *headers,
		     const char *path_fmt, ...)
{
	va_list args;
	bool sent;

	va_start(args, path_fmt);
	sent = send_get(client, headers, path_fmt, args);
	va_end(args);
	return sent;
}

bool client_post_with(struct client *client, const char *headers,
		      const char *path, const char *content_type,
		      const void *body, size_t size)
{
	char head[1024];
	int head_size = snprintf(head, sizeof(head),
				 "POST %s HTTP/1.1\r\nHost: localhost\r\n"
				 "Content-Type: %s\r\nContent-Length: %zu\r\n"
				 "%s\r\n",
				 path, content_type, size, headers);

	ck_assert_int_lt(head_size, (int)sizeof(head));
	return client_send(client, head, (size_t)head_size) &&
	       client_send(client, body, size);
}

bool client_post(struct client *client, const char *path,
		 const char *content_type, const void *body, size_t size)
{
	return client_post_with(client, "", path, content_type, body, size);
}

bool client_is_open(const struct client *client)
{
	struct tcp_info info;
	socklen_t size = sizeof(info);

	return getsockopt(client->fd, IPPROTO_TCP, TCP_INFO, &info, &size) ==
		       0 &&
	       info.tcpi_state == TCP_ESTABLISHED;
}

/* ---- replies ------------------------------------------------------------- */

ssize_t client_receive_more(struct client *client, int64_t until_ms)
{
	struct pollfd pfd = { .fd = client->fd, .events = POLLIN };
	int64_t left_ms = until_ms - now_ms();
	ssize_t n;

	if (poll(&pfd, 1, left_ms > 0 ? (int)left_ms : 0) != 1) {
		return -1;
	}
	ck_assert_uint_lt(client->size + 1, sizeof(client->buf));
	n = recv(client->fd, client->buf + client->size,
		 sizeof(client->buf) - 1 - client->size, 0);
	if (n <= 0) {
		return 0;
	}
	client->size += (size_t)n;
	client->buf[client->size] = '\0';
	return n;
}

void client_consume(struct client *client, size_t size)
{
	client->size -= size;
	memmove(client->buf, client->buf + size, client->size);
	client->buf[client->size] = '\0';
}

bool reply_header(const struct reply *reply, const char *name,
		  char ret_value[256])
{
	size_t name_size = strlen(name);
	const char *line = strstr(reply->head, "\r\n");

	for (; line != NULL; line = strstr(line, "\r\n")) {
		line += 2;
		if (strncasecmp(line, name, name_size) == 0 &&
		    line[name_size] == ':') {
			line += name_size + 1;
			line += strspn(line, " ");
			snprintf(ret_value, 256, "%.*s",
				 (int)strcspn(line, "\r"), line);
			return true;
		}
	}
	return false;
}

static size_t body_size_of(const struct reply *reply)
{
	char value[256];

	if (!reply_header(reply, "Content-Length", value)) {
		return 0;
	}
	return strtoul(value, NULL, 10);
}

/* A whole head at the front of the buffer moves into the reply. */
static bool take_head(struct client *client, struct reply *reply)
{
	char *end = client->size > 0
			    ? memmem(client->buf, client->size, "\r\n\r\n", 4)
			    : NULL;
	size_t size;

	if (end == NULL) {
		return false;
	}
	size = (size_t)(end - client->buf) + 4;
	memcpy(reply->head, client->buf, size);
	reply->head[size] = '\0';
	ck_assert_msg(sscanf(reply->head, "HTTP/1.1 %d ", &reply->status) == 1,
		      "not a status line: %s", reply->head);
	client_consume(client, size);
	return true;
}

static bool take_reply(struct client *client, struct reply *reply)
{
	while (reply->head[0] == '\0' && take_head(client, reply)) {
		if (reply->status >= 200) {
			reply->body_size = body_size_of(reply);
			break;
		}
		reply->interims++;
		reply->head[0] = '\0';
	}
	if (reply->head[0] == '\0' || client->size < reply->body_size) {
		return false;
	}
	memcpy(reply->body, client->buf, reply->body_size);
	reply->body[reply->body_size] = '\0';
	client_consume(client, reply->body_size);
	return true;
}

bool client_receive_within(struct client *client, struct reply *ret_reply,
			   int ms)
{
	int64_t until_ms = now_ms() + ms;

	ret_reply->status = 0;
	ret_reply->interims = 0;
	ret_reply->body_size = 0;
	ret_reply->head[0] = '\0';
	ret_reply->body[0] = '\0';
	while (!take_reply(client, ret_reply)) {
		if (client_receive_more(client, until_ms) <= 0) {
			ret_reply->status = 0;
			return false;
		}
	}
	return true;
}

bool client_receive(struct client *client, struct reply *ret_reply)
{
	return client_receive_within(client, ret_reply, PATIENCE_MS);
}

bool client_receive_head(struct client *client, struct reply *ret_reply)
{
	int64_t until_ms = now_ms() + PATIENCE_MS;

	memset(ret_reply, 0, sizeof(*ret_reply));
	while (!take_head(client, ret_reply)) {
		if (client_receive_more(client, until_ms) <= 0) {
			return false;
		}
	}
	return true;
}

/* A body that grows as its chunks come. */
struct body {
	char *data;
	size_t size;
	size_t capacity;
};

static void body_add(struct body *body, const char *data, size_t size)
{
	if (body->size + size + 1 > body->capacity) {
		body->capacity = (body->size + size + 1) * 2;
		body->data = realloc(body->data, body->capacity);
		ck_assert_ptr_nonnull(body->data);
	}
	memcpy(body->data + body->size, data, size);
	body->size += size;
	body->data[body->size] = '\0';
}

/* Wait until @size bytes are there. */
static bool receive_at_least(struct client *client, size_t size)
{
	int64_t until_ms = now_ms() + PATIENCE_MS;

	while (client->size < size) {
		if (client_receive_more(client, until_ms) <= 0) {
			return false;
		}
	}
	return true;
}

/* The size of the next chunk; false: the connection ended. */
static bool take_chunk_head(struct client *client, size_t *ret_left)
{
	const char *end;
	size_t wanted = 3;

	do {
		if (!receive_at_least(client, wanted)) {
			return false;
		}
		end = memmem(client->buf, client->size, "\r\n", 2);
		wanted = client->size + 1;
	} while (end == NULL);
	*ret_left = strtoul(client->buf, NULL, 16);
	client_consume(client, (size_t)(end + 2 - client->buf));
	return true;
}

static bool take_bytes(struct client *client, struct body *body, size_t left)
{
	while (left > 0) {
		size_t size;

		if (!receive_at_least(client, 1)) {
			return false;
		}
		size = left < client->size ? left : client->size;
		body_add(body, client->buf, size);
		client_consume(client, size);
		left -= size;
	}
	return true;
}

static bool take_chunk(struct client *client, struct body *body, size_t size)
{
	if (!take_bytes(client, body, size) || !receive_at_least(client, 2)) {
		return false;
	}
	client_consume(client, 2);
	return true;
}

char *client_receive_bytes(struct client *client, size_t size)
{
	struct body body = { .data = NULL };

	body_add(&body, "", 0);
	ck_assert_msg(take_bytes(client, &body, size),
		      "the body has %zu of %zu bytes", body.size, size);
	return body.data;
}

char *client_receive_chunks(struct client *client, size_t *ret_size,
			    bool *ret_whole)
{
	struct body body = { .data = NULL };
	size_t left = 0;
	bool more;

	body_add(&body, "", 0);
	do {
		more = take_chunk_head(client, &left) &&
		       take_chunk(client, &body, left);
	} while (more && left > 0);
	*ret_size = body.size;
	*ret_whole = more;
	return body.data;
}

bool client_sees_end(struct client *client)
{
	int64_t until_ms = now_ms() + PATIENCE_MS;
	ssize_t n;

	do {
		client->size = 0;
		n = client_receive_more(client, until_ms);
	} while (n > 0);
	return n == 0;
}

/* ---- a request at a time ------------------------------------------------- */

static bool get_once(int port, struct reply *ret_reply, const char *path)
{
	struct client client;
	bool answered;

	ret_reply->status = 0;
	if (!client_try_open(&client, port)) {
		return false;
	}
	answered = client_get(&client, "%s", path) &&
		   client_receive(&client, ret_reply);
	client_close(&client);
	return answered;
}

void http_get(int port, struct reply *ret_reply, const char *path_fmt, ...)
{
	char path[8192];
	va_list args;

	va_start(args, path_fmt);
	vsnprintf(path, sizeof(path), path_fmt, args);
	va_end(args);
	ck_assert_msg(get_once(port, ret_reply, path), "no answer to %s", path);
}

int http_status_of(int port, const char *path_fmt, ...)
{
	struct reply reply;
	char path[8192];
	va_list args;

	va_start(args, path_fmt);
	vsnprintf(path, sizeof(path), path_fmt, args);
	va_end(args);
	(void)get_once(port, &reply, path);
	return reply.status;
}

double http_metric(int port, const char *series)
{
	struct reply reply;
	size_t size = strlen(series);
	const char *line;

	http_get(port, &reply, "/metrics");
	ck_assert_int_eq(reply.status, 200);
	for (line = reply.body; line != NULL; line = strchr(line, '\n')) {
		line += line[0] == '\n';
		if (strncmp(line, series, size) == 0 && line[size] == ' ') {
			return strtod(line + size, NULL);
		}
	}
	return -1;
}
