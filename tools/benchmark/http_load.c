#include "http_load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	REQUEST_SIZE = 1024,
	RESPONSE_SIZE = 4096,
	ID_SIZE = 20,
	EVENTS_MAX = 64,
	/* Latencies are counted in steps of a thirty-second of their size. */
	STEP_BITS = 5,
	STEPS = 1 << STEP_BITS,
	BUCKETS = 64 * STEPS,
	NS_PER_S = 1000 * 1000 * 1000,
};

struct client {
	int fd;
	char request[REQUEST_SIZE];
	size_t request_size;
	char *id; /* in request; NULL where the path has no %s */
	char response[RESPONSE_SIZE];
	size_t response_size; /* of what is kept */
	size_t body_left;     /* once the header is complete */
	bool header_done;
	bool good;
	bool last; /* the server says Connection: close */
	int64_t sent_ns;
};

struct run {
	const struct http_load *load;
	struct sockaddr_in target;
	struct client *clients;
	int epoll_fd;
	size_t alive;
	uint64_t id; /* the next */
	int64_t count_from_ns;
	bool refill;	 /* send anew after an answer */
	int64_t last_ns; /* when the last answer came */
	uint64_t buckets[BUCKETS];
	uint64_t max_ns;
	struct http_load_result result;
};

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

/* ---- latencies ---------------------------------------------------------- */

static size_t bucket_of(uint64_t ns)
{
	int shift = 63 - __builtin_clzll(ns | STEPS) - STEP_BITS;

	return (size_t)shift * STEPS + (size_t)(ns >> shift);
}

static double bucket_us(size_t bucket)
{
	size_t shift = bucket < 2 * STEPS ? 0 : bucket / STEPS - 1;

	return (double)((uint64_t)(bucket - shift * STEPS) << shift) / 1000;
}

static double percentile_us(const struct run *run, uint64_t total, double part)
{
	uint64_t seen = 0;

	for (size_t i = 0; i < BUCKETS; i++) {
		seen += run->buckets[i];
		if (seen > 0 && (double)seen >= part * (double)total) {
			return bucket_us(i);
		}
	}
	return 0;
}

/* ---- requests ----------------------------------------------------------- */

/* Append to the request; false when it does not fit. */
static bool put(struct client *client, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static bool put(struct client *client, const char *fmt, ...)
{
	size_t room = REQUEST_SIZE - client->request_size;
	va_list args;
	int size;

	va_start(args, fmt);
	size = vsnprintf(client->request + client->request_size, room, fmt,
			 args);
	va_end(args);
	if (size < 0 || (size_t)size >= room) {
		errno = EMSGSIZE;
		return false;
	}
	client->request_size += (size_t)size;
	return true;
}

static bool write_request(const struct run *run, struct client *client)
{
	const char *path = run->load->path;
	const char *body = run->load->body;
	const char *method = body != NULL ? "POST" : "GET";
	const char *mark = strstr(path, "%s");
	size_t before = mark != NULL ? (size_t)(mark - path) : strlen(path);

	client->request_size = 0;
	client->id = mark != NULL
			     ? client->request + strlen(method) + 1 + before
			     : NULL;
	if (!put(client, "%s %.*s%.*s%s HTTP/1.1\r\nHost: localhost\r\n",
		 method, (int)before, path, mark != NULL ? ID_SIZE : 0,
		 "00000000000000000000", mark != NULL ? mark + 2 : "")) {
		return false;
	}
	if (body == NULL) {
		return put(client, "\r\n");
	}
	return put(client,
		   "Content-Type: application/json\r\nContent-Length: %zu\r\n"
		   "\r\n%s",
		   strlen(body), body);
}

static void write_id(char *id, uint64_t number)
{
	for (int i = ID_SIZE - 1; i >= 0; i--) {
		id[i] = (char)('0' + number % 10);
		number /= 10;
	}
}

static void hang_up(struct run *run, struct client *client)
{
	close(client->fd);
	client->fd = -1;
	run->alive--;
}

static void drop(struct run *run, struct client *client)
{
	hang_up(run, client);
	run->result.lost++;
}

static void send_request(struct run *run, struct client *client)
{
	if (client->id != NULL) {
		write_id(client->id, run->id++);
	}
	client->response_size = 0;
	client->header_done = false;
	client->sent_ns = now_ns();
	if (send(client->fd, client->request, client->request_size,
		 MSG_NOSIGNAL) != (ssize_t)client->request_size) {
		drop(run, client);
	}
}

/* ---- responses ---------------------------------------------------------- */

/* False: not all there yet. */
static bool parse_header(struct client *client)
{
	static const char field[] = "\r\nContent-Length: ";
	static const char close_field[] = "\r\nConnection: close";
	char *end, *length;
	size_t header, body;

	end = memmem(client->response, client->response_size, "\r\n\r\n", 4);
	if (end == NULL) {
		return false;
	}
	header = (size_t)(end - client->response) + 4;
	length = memmem(client->response, header, field, sizeof(field) - 1);
	body = length != NULL ? strtoul(length + sizeof(field) - 1, NULL, 10)
			      : 0;
	client->good = client->response_size > 9 && client->response[9] == '2';
	client->last = memmem(client->response, header, close_field,
			      sizeof(close_field) - 1) != NULL;
	client->header_done = true;
	client->body_left = header + body - client->response_size;
	return true;
}

/* 1 when the answer is complete, 0 when not, -1 when it never will be. */
static int receive(struct client *client)
{
	size_t room = RESPONSE_SIZE - client->response_size;
	ssize_t n;

	if (client->header_done) {
		n = recv(client->fd, client->response, RESPONSE_SIZE, 0);
	} else {
		n = recv(client->fd, client->response + client->response_size,
			 room, 0);
	}
	if (n <= 0) {
		return n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
	}
	if (client->header_done) {
		client->body_left -= (size_t)n;
	} else {
		client->response_size += (size_t)n;
		if (!parse_header(client)) {
			return (size_t)n == room ? -1 : 0;
		}
	}
	return client->body_left == 0;
}

static void count_answer(struct run *run, const struct client *client)
{
	uint64_t ns;

	run->last_ns = now_ns();
	if (run->last_ns < run->count_from_ns) {
		return;
	}
	if (!client->good) {
		run->result.refused++;
		return;
	}
	ns = (uint64_t)(run->last_ns - client->sent_ns);
	run->buckets[bucket_of(ns)]++;
	run->max_ns = ns > run->max_ns ? ns : run->max_ns;
	run->result.count++;
}

static void on_readable(struct run *run, struct client *client)
{
	int rv = receive(client);

	if (rv < 0) {
		drop(run, client);
	} else if (rv > 0) {
		count_answer(run, client);
		if (run->refill && !client->last) {
			send_request(run, client);
		} else {
			hang_up(run, client);
		}
	}
}

static void serve_until(struct run *run, int64_t until_ns)
{
	struct epoll_event events[EVENTS_MAX];
	int64_t left_ns = until_ns - now_ns();

	while (run->alive > 0 && left_ns > 0) {
		int n = epoll_wait(run->epoll_fd, events, EVENTS_MAX,
				   (int)(left_ns / 1000000) + 1);

		for (int i = 0; i < n; i++) {
			on_readable(run, events[i].data.ptr);
		}
		left_ns = until_ns - now_ns();
	}
}

/* ---- life --------------------------------------------------------------- */

static bool parse_target(const char *text, struct sockaddr_in *ret)
{
	char host[INET_ADDRSTRLEN];
	const char *colon = strrchr(text, ':');
	size_t size = colon != NULL ? (size_t)(colon - text) : sizeof(host);

	memset(ret, 0, sizeof(*ret));
	ret->sin_family = AF_INET;
	if (size < sizeof(host)) {
		memcpy(host, text, size);
		host[size] = '\0';
		ret->sin_port = htons((uint16_t)atoi(colon + 1));
		if (inet_pton(AF_INET, host, &ret->sin_addr) == 1) {
			return true;
		}
	}
	errno = EINVAL;
	return false;
}

static bool connect_client(struct run *run, struct client *client)
{
	struct epoll_event event = { .events = EPOLLIN,
				     .data = { .ptr = client } };
	int on = 1;

	client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (client->fd < 0 || !write_request(run, client) ||
	    connect(client->fd, (const struct sockaddr *)&run->target,
		    sizeof(run->target)) != 0 ||
	    epoll_ctl(run->epoll_fd, EPOLL_CTL_ADD, client->fd, &event) != 0) {
		return false;
	}
	setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	run->alive++;
	return true;
}

static void finish(struct run *run)
{
	for (size_t i = 0; i < run->load->connections; i++) {
		if (run->clients != NULL && run->clients[i].fd >= 0) {
			close(run->clients[i].fd);
		}
	}
	if (run->epoll_fd >= 0) {
		close(run->epoll_fd);
	}
	free(run->clients);
	free(run);
}

static struct run *start(const struct http_load *load)
{
	struct run *run = calloc(1, sizeof(*run));

	if (run == NULL) {
		return NULL;
	}
	run->load = load;
	/* Unique among runs, too. */
	run->id =
		(uint64_t)time(NULL) * NS_PER_S + (uint64_t)now_ns() % NS_PER_S;
	run->clients = calloc(load->connections, sizeof(run->clients[0]));
	run->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	for (size_t i = 0; run->clients != NULL && i < load->connections; i++) {
		run->clients[i].fd = -1;
	}
	if (run->clients == NULL || run->epoll_fd < 0 ||
	    !parse_target(load->target, &run->target)) {
		finish(run);
		return NULL;
	}
	for (size_t i = 0; i < load->connections; i++) {
		if (!connect_client(run, &run->clients[i])) {
			finish(run);
			return NULL;
		}
	}
	return run;
}

static void send_all(struct run *run)
{
	for (size_t i = 0; i < run->load->connections; i++) {
		send_request(run, &run->clients[i]);
	}
}

static void sum_up(struct run *run, double seconds,
		   struct http_load_result *ret_result)
{
	struct http_load_result *result = &run->result;

	result->errors = result->refused + result->lost;
	result->per_s = seconds > 0 ? (double)result->count / seconds : 0;
	result->p50_us = percentile_us(run, result->count, 0.50);
	result->p99_us = percentile_us(run, result->count, 0.99);
	result->max_us = (double)run->max_ns / 1000;
	*ret_result = *result;
}

int http_load_run(const struct http_load *load,
		  struct http_load_result *ret_result)
{
	struct run *run = start(load);
	int64_t end_ns;

	if (run == NULL) {
		return -1;
	}
	run->refill = true;
	run->count_from_ns = now_ns() + (int64_t)(load->warmup_s * NS_PER_S);
	end_ns = run->count_from_ns + (int64_t)(load->seconds * NS_PER_S);
	send_all(run);
	serve_until(run, end_ns);
	sum_up(run, (double)(now_ns() - run->count_from_ns) / NS_PER_S,
	       ret_result);
	finish(run);
	return 0;
}

int http_load_burst(const struct http_load *load,
		    struct http_load_result *ret_result)
{
	struct run *run = start(load);
	int64_t begin_ns;

	if (run == NULL) {
		return -1;
	}
	begin_ns = now_ns();
	send_all(run);
	serve_until(run, begin_ns + (int64_t)(load->patience_s * NS_PER_S));
	run->result.lost += run->alive;
	run->result.all_s = (double)(run->last_ns - begin_ns) / NS_PER_S;
	sum_up(run, run->result.all_s, ret_result);
	finish(run);
	return 0;
}
