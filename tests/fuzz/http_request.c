/*
 * Bytes sent to a server over a real connection, whose sending direction is
 * then closed: the server closes, too, after answers that are whole, handlers
 * see only what has passed the checks, and others are served as before.
 *
 * Two servers get each input, one for each way to see a half-closed client.
 * Their limits are small, so that what is not given back soon shows.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <semaphore.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fuzz.h"
#include "http/http.h"
#include "rpc/wire.h"

enum {
	SERVERS = 2,
	BODY_MAX = 512,
	/* Far beyond what the servers take; what does not come in this time
	 * never will. */
	PATIENCE_S = 8,
	ANSWER_MAX = 4 * 1024 * 1024,
	INPUTS_A_CHECKUP = 256,
};

static struct loop *loop;
static struct ctx *root;
static struct http_server *servers[SERVERS];
static char answer[ANSWER_MAX + 1];

/* ---- handlers ----------------------------------------------------------- */

static void check_text(const char *text)
{
	MUST(text == NULL || wire_is_text((const uint8_t *)text, strlen(text)));
}

/* No body begins like an answer: see skip_answer(). */
static void respond(struct http_request *request, const char *text)
{
	char body[BODY_MAX];

	check_text(text);
	snprintf(body, sizeof(body), "it is %s", text != NULL ? text : "not");
	http_respond(request, 200, "text/plain; charset=utf-8", body,
		     strlen(body), NULL);
}

static void on_param(struct http_request *request, void *self)
{
	size_t size;
	const char *body = http_request_body(request, &size);

	(void)self;
	MUST(size <= BODY_MAX);
	MUST(size == 0 || body[size] == '\0');
	MUST(strchr(http_request_path(request), '?') == NULL);
	(void)http_request_accepts_json(request);
	respond(request, http_request_param(request, "text"));
}

static void on_segment(struct http_request *request, void *self)
{
	const char *name = http_request_segment(request, "name");

	(void)self;
	MUST(name != NULL);
	respond(request, name);
}

/* ---- the servers -------------------------------------------------------- */

static sem_t done;

static void start_all(struct loop_task *task)
{
	(void)task;
	for (int i = 0; i < SERVERS; i++) {
		MUST(http_server_start(servers[i], NULL) == STATUS_OK);
	}
	sem_post(&done);
}

static void free_all(struct loop_task *task)
{
	(void)task;
	for (int i = 0; i < SERVERS; i++) {
		http_server_free(servers[i]);
	}
	sem_post(&done);
}

static void on_loop(void (*fn)(struct loop_task *task))
{
	struct loop_task task = { .fn = fn };

	loop_post(loop, &task);
	while (sem_wait(&done) != 0) {
		MUST(errno == EINTR);
	}
}

static struct http_server *new_server(enum http_half_close half_close)
{
	struct http_options options;
	struct http_server *server;

	http_options_init(&options);
	options.listen = "127.0.0.1";
	options.in_flight_max = 8;
	options.connections_max = 16;
	options.body_max = BODY_MAX;
	/* Connections end by what they see of the client, not by these. */
	options.header_timeout_s = 10 * PATIENCE_S;
	options.idle_timeout_s = 10 * PATIENCE_S;
	options.half_close = half_close;
	MUST(http_server_new(root, &options, &server, NULL) == STATUS_OK);
	http_server_route(server, HTTP_GET | HTTP_POST, "/", on_param, NULL);
	http_server_route(server, HTTP_PUT | HTTP_DELETE, "/put", on_param,
			  NULL);
	http_server_route(server, HTTP_GET, "/of/{name}", on_segment, NULL);
	return server;
}

static void stop(void)
{
	on_loop(free_all);
	ctx_unref(root);
	loop_free(loop);
}

static void start(void)
{
	MUST(sem_init(&done, 0, 0) == 0);
	MUST(loop_new(&loop, NULL) == STATUS_OK);
	MUST(ctx_root(loop, &root, NULL) == STATUS_OK);
	servers[0] = new_server(HTTP_HALF_CLOSE_ABORT);
	servers[1] = new_server(HTTP_HALF_CLOSE_PROBE);
	MUST(loop_start_thread(loop, NULL) == STATUS_OK);
	on_loop(start_all);
	MUST(atexit(stop) == 0);
}

/* ---- the client --------------------------------------------------------- */

static int client_connect(const struct http_server *server)
{
	struct timeval patience = { .tv_sec = PATIENCE_S };
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(http_server_port(server)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	MUST(fd >= 0);
	MUST(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
			sizeof(patience)) == 0);
	MUST(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience,
			sizeof(patience)) == 0);
	MUST(connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
	return fd;
}

/* The server may have closed before it read everything. */
static bool is_gone(int err)
{
	return err == ECONNRESET || err == EPIPE || err == ENOTCONN;
}

static void client_send(int fd, const uint8_t *data, size_t size)
{
	while (size > 0) {
		ssize_t nr = send(fd, data, size, MSG_NOSIGNAL);

		if (nr < 0) {
			MUST(is_gone(errno));
			return;
		}
		data += nr;
		size -= (size_t)nr;
	}
}

/* Everything up to the end into answer; false when that was a reset. */
static bool client_read(int fd, size_t *ret_size)
{
	size_t size = 0;
	ssize_t nr;

	while ((nr = recv(fd, answer + size, ANSWER_MAX - size, 0)) > 0) {
		size += (size_t)nr;
		MUST(size < ANSWER_MAX);
	}
	MUST(nr == 0 || is_gone(errno));
	answer[size] = '\0';
	*ret_size = size;
	return nr == 0;
}

/* In two pieces, for the servers parse what has come so far. */
static bool exchange(const struct http_server *server, const uint8_t *data,
		     size_t size, size_t *ret_size)
{
	int fd = client_connect(server);
	size_t first = size / 3;
	bool whole;

	client_send(fd, data, first);
	client_send(fd, data + first, size - first);
	MUST(shutdown(fd, SHUT_WR) == 0 || is_gone(errno));
	whole = client_read(fd, ret_size);
	close(fd);
	return whole;
}

/* ---- answers ------------------------------------------------------------ */

/* 500 would be a fault, 503 something that was not given back. */
static bool is_known(long status)
{
	static const short known[] = { 100, 102, 200, 400, 404, 405,
				       408, 413, 414, 431, 501, 505 };

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (known[i] == status) {
			return true;
		}
	}
	return false;
}

static bool begins_answer(const char *at)
{
	return strncmp(at, "HTTP/1.1 ", 9) == 0 ||
	       strncmp(at, "HTTP/1.0 ", 9) == 0;
}

static size_t body_size(const char *header, const char *end)
{
	static const char field[] = "\r\nContent-Length: ";
	const char *at = header;

	for (; at < end; at++) {
		if (strncasecmp(at, field, sizeof(field) - 1) == 0) {
			return strtoul(at + sizeof(field) - 1, NULL, 10);
		}
	}
	return 0;
}

/*
 * Behind the answer at @at, which must be one; NULL when it is cut short. One
 * to HEAD has a size but no body.
 */
static const char *skip_answer(const char *at, const char *end)
{
	const char *body = strstr(at, "\r\n\r\n");
	size_t size;

	MUST(begins_answer(at));
	MUST(is_known(strtol(at + 9, NULL, 10)));
	if (body == NULL) {
		return NULL;
	}
	size = body_size(at, body);
	body += 4;
	if (body == end || begins_answer(body)) {
		return body;
	}
	return size <= (size_t)(end - body) ? body + size : NULL;
}

static void check_answers(size_t size, bool whole)
{
	const char *end = answer + size;
	const char *at = answer;

	/* Not the beginning of an answer even, after a reset. */
	if (!whole && size < sizeof("HTTP/1.1 200")) {
		return;
	}
	while (at != NULL && at < end) {
		if (!whole && end - at < (ptrdiff_t)sizeof("HTTP/1.1 200")) {
			return;
		}
		at = skip_answer(at, end);
	}
	MUST(at != NULL || !whole);
}

/* ---- the target --------------------------------------------------------- */

static void check_up(const struct http_server *server)
{
	static const char ask[] = "GET /?text=w%65ll HTTP/1.1\r\n"
				  "Host: localhost\r\n\r\n";
	static const char expected[] = "\r\n\r\nit is well";
	size_t size;

	MUST(exchange(server, (const uint8_t *)ask, sizeof(ask) - 1, &size));
	MUST(strncmp(answer, "HTTP/1.1 200 ", 13) == 0);
	MUST(size > sizeof(expected));
	MUST(strcmp(answer + size - (sizeof(expected) - 1), expected) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static unsigned inputs;
	size_t answer_size;

	if (loop == NULL) {
		start();
	}
	for (int i = 0; i < SERVERS; i++) {
		bool whole = exchange(servers[i], data, size, &answer_size);

		check_answers(answer_size, whole);
		if (inputs % INPUTS_A_CHECKUP == 0) {
			check_up(servers[i]);
		}
	}
	inputs++;
	return 0;
}
