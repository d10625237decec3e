#include "fixture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_S = 5 };

void await(sem_t *sem)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += PATIENCE_S;
	ck_assert_msg(sem_timedwait(sem, &until) == 0, "waited in vain");
}

int run_tests(const char *name, const TTest *const *tests, size_t nr)
{
	Suite *suite = suite_create(name);
	TCase *tc = tcase_create(name);
	SRunner *runner = srunner_create(suite);
	int failed;

	for (size_t i = 0; i < nr; i++) {
		tcase_add_test(tc, tests[i]);
	}
	tcase_set_timeout(tc, 30);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* ---- handlers ----------------------------------------------------------- */

static void answer_text(struct http_request *request, const char *text)
{
	http_respond(request, 200, "text/plain; charset=utf-8", text,
		     strlen(text), NULL);
}

static void now(struct http_request *request, void *self)
{
	const char *message = http_request_param(request, "message");

	(void)self;
	answer_text(request, message != NULL ? message : "now");
}

static void on_ended(struct ctx_hook *hook, struct ctx *ctx)
{
	struct held *held =
		(struct held *)(void *)((char *)hook -
					offsetof(struct held, hook));

	(void)ctx;
	sem_post(&held->ended);
}

static void later(struct http_request *request, void *self)
{
	struct fixture *f = self;
	struct held *held = &f->held[f->held_nr++];

	ck_assert_uint_le(f->held_nr, FIXTURE_HELD_MAX);
	held->request = request;
	held->ctx = ctx_ref(http_request_ctx(request));
	held->hook.fn = on_ended;
	sem_init(&held->ended, 0, 0);
	if (!ctx_hook_add(held->ctx, &held->hook)) {
		sem_post(&held->ended);
	}
	sem_post(&f->arrived);
}

struct on_loop_answer {
	struct loop_task task;
	struct http_request *request;
};

static void answer_on_loop(struct loop_task *task)
{
	struct on_loop_answer *answer = (struct on_loop_answer *)(void *)task;

	answer_text(answer->request, "on loop");
	free(answer);
}

static void on_loop(struct http_request *request, void *self)
{
	struct fixture *f = self;
	struct on_loop_answer *answer = calloc(1, sizeof(*answer));

	answer->task.fn = answer_on_loop;
	answer->request = request;
	loop_post(f->loop, &answer->task);
}

static void thing(struct http_request *request, void *self)
{
	const char *part = http_request_segment(request, "part");
	char text[256];

	(void)self;
	snprintf(text, sizeof(text), "id=%s part=%s",
		 http_request_segment(request, "id"),
		 part != NULL ? part : "-");
	answer_text(request, text);
}

static void body(struct http_request *request, void *self)
{
	const char *name = http_request_param(request, "name");
	char text[256];
	size_t size;
	const char *bytes = http_request_body(request, &size);

	(void)self;
	snprintf(text, sizeof(text), "%s name=%s size=%zu ends=%.4s",
		 http_request_method(request), name != NULL ? name : "-", size,
		 size > 4 ? bytes + size - 4 : bytes);
	answer_text(request, text);
}

static void on_end(struct http_request *request, const struct http_end *end,
		   void *arg)
{
	struct fixture *f = arg;

	pthread_mutex_lock(&f->mutex);
	snprintf(f->end_paths[f->end_nr % FIXTURE_ENDS_MAX],
		 sizeof(f->end_paths[0]), "%s", http_request_path(request));
	f->ends[f->end_nr++ % FIXTURE_ENDS_MAX] = *end;
	pthread_mutex_unlock(&f->mutex);
	sem_post(&f->over);
}

/* ---- life --------------------------------------------------------------- */

void fixture_init(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	http_options_init(&f->options);
	f->options.on_end = on_end;
	f->options.on_end_arg = f;
	sem_init(&f->arrived, 0, 0);
	sem_init(&f->over, 0, 0);
	sem_init(&f->drained, 0, 0);
	pthread_mutex_init(&f->mutex, NULL);
}

static void start_server(struct fixture *f)
{
	struct status st;

	ck_assert_msg(http_server_start(f->server, &st) == STATUS_OK, "%s",
		      st.message);
}

void fixture_start(struct fixture *f)
{
	struct status st;

	ck_assert_int_eq(loop_new(&f->loop, &st), STATUS_OK);
	ck_assert_int_eq(ctx_root(f->loop, &f->root, &st), STATUS_OK);
	ck_assert_msg(http_server_new(f->root, &f->options, &f->server, &st) ==
			      STATUS_OK,
		      "%s", st.message);
	f->port = http_server_port(f->server);
	http_server_route(f->server, HTTP_GET, "/now", now, f);
	http_server_route(f->server, HTTP_GET | HTTP_POST, "/later", later, f);
	http_server_route(f->server, HTTP_GET, "/on-loop", on_loop, f);
	http_server_route(f->server, HTTP_GET | HTTP_ALWAYS, "/always", now, f);
	http_server_route(f->server, HTTP_GET, "/things/{id}", thing, f);
	http_server_route(f->server, HTTP_GET, "/things/{id}/{part}", thing, f);
	http_server_route(f->server, HTTP_POST | HTTP_PUT, "/body", body, f);
	if (f->add_routes != NULL) {
		f->add_routes(f);
	}
	ck_assert_int_eq(loop_start_thread(f->loop, &st), STATUS_OK);
	fixture_on_loop(f, start_server);
}

struct on_loop_call {
	struct loop_task task;
	struct fixture *f;
	void (*fn)(struct fixture *f);
	sem_t done;
};

static void run_call(struct loop_task *task)
{
	struct on_loop_call *call = (struct on_loop_call *)(void *)task;

	call->fn(call->f);
	sem_post(&call->done);
}

void fixture_on_loop(struct fixture *f, void (*fn)(struct fixture *f))
{
	struct on_loop_call call = { .task = { .fn = run_call },
				     .f = f,
				     .fn = fn };

	sem_init(&call.done, 0, 0);
	loop_post(f->loop, &call.task);
	await(&call.done);
	sem_destroy(&call.done);
}

void fixture_free_server(struct fixture *f)
{
	http_server_free(f->server);
	f->server = NULL;
}

void fixture_stop(struct fixture *f)
{
	fixture_on_loop(f, fixture_free_server);
	for (size_t i = 0; i < f->held_nr; i++) {
		(void)ctx_hook_remove(f->held[i].ctx, &f->held[i].hook);
		ctx_unref(f->held[i].ctx);
		sem_destroy(&f->held[i].ended);
	}
	ctx_unref(f->root);
	loop_free(f->loop);
	pthread_mutex_destroy(&f->mutex);
	sem_destroy(&f->arrived);
	sem_destroy(&f->over);
	sem_destroy(&f->drained);
}

/* ---- stopping ----------------------------------------------------------- */

static void stop_accepting(struct fixture *f)
{
	http_server_stop_accepting(f->server);
}

void fixture_stop_accepting(struct fixture *f)
{
	fixture_on_loop(f, stop_accepting);
}

static void on_drained(void *arg)
{
	struct fixture *f = arg;

	sem_post(&f->drained);
}

static void drain(struct fixture *f)
{
	http_server_stop_accepting(f->server);
	http_server_drain(f->server, on_drained, f);
}

void fixture_drain(struct fixture *f)
{
	fixture_on_loop(f, drain);
}

static void cancel(struct fixture *f)
{
	http_server_cancel(f->server);
}

void fixture_cancel(struct fixture *f)
{
	fixture_on_loop(f, cancel);
}

bool fixture_is_drained(struct fixture *f)
{
	int value;

	sem_getvalue(&f->drained, &value);
	return value > 0;
}

/* ---- events ------------------------------------------------------------- */

struct held *fixture_await_held(struct fixture *f)
{
	await(&f->arrived);
	return &f->held[f->held_taken++];
}

enum ctx_cause held_await_end(struct held *held)
{
	await(&held->ended);
	return ctx_cause(held->ctx, NULL);
}

void held_answer(struct held *held, int status, const char *text)
{
	http_respond(held->request, status, "text/plain; charset=utf-8", text,
		     strlen(text), NULL);
}

struct http_end fixture_await_over(struct fixture *f)
{
	struct http_end end;

	await(&f->over);
	pthread_mutex_lock(&f->mutex);
	end = f->ends[(f->end_nr - 1) % FIXTURE_ENDS_MAX];
	pthread_mutex_unlock(&f->mutex);
	return end;
}

/* ---- clients ------------------------------------------------------------ */

int client_connect(const struct fixture *f)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons(f->port) };
	struct timeval patience = { .tv_sec = PATIENCE_S };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_ge(fd, 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	ck_assert_int_eq(
		connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

void client_send(int fd, const char *text)
{
	size_t size = strlen(text);

	ck_assert_int_eq(send(fd, text, size, MSG_NOSIGNAL), (ssize_t)size);
}

int client_open(const struct fixture *f, const char *text)
{
	int fd = client_connect(f);

	client_send(fd, text);
	return fd;
}

/* The size of the header in @text, with its empty line; 0 when incomplete. */
static size_t header_size(const char *text)
{
	const char *end = strstr(text, "\r\n\r\n");

	return end != NULL ? (size_t)(end - text) + 4 : 0;
}

static bool is_complete(const char *text, size_t size, bool head)
{
	size_t header = header_size(text);
	const char *length;

	if (header == 0) {
		return false;
	}
	length = strcasestr(text, "\r\nContent-Length: ");
	if (head || length == NULL) {
		return true;
	}
	return size >= header + strtoul(length + 18, NULL, 10);
}

/* Byte by byte, so that a second response stays in the socket. */
static int read_response(int fd, char *ret, bool head)
{
	size_t size = 0;

	ret[0] = '\0';
	while (!is_complete(ret, size, head)) {
		ssize_t n = recv(fd, ret + size, 1, 0);

		if (n <= 0) {
			return -1;
		}
		size += (size_t)n;
		ck_assert_uint_lt(size, RESPONSE_MAX);
		ret[size] = '\0';
	}
	return atoi(ret + strlen("HTTP/1.1 "));
}

int client_read(int fd, char *ret)
{
	return read_response(fd, ret, false);
}

int client_read_head(int fd, char *ret)
{
	return read_response(fd, ret, true);
}

static bool read_exactly(int fd, char *ret, size_t size)
{
	return size == 0 || recv(fd, ret, size, MSG_WAITALL) == (ssize_t)size;
}

/* The size that begins a chunk; false when the connection ends instead. */
static bool read_chunk_size(int fd, size_t *ret_size)
{
	char line[16] = "";
	size_t at = 0;

	while (strstr(line, "\r\n") == NULL) {
		ck_assert_uint_lt(at, sizeof(line) - 1);
		if (!read_exactly(fd, line + at++, 1)) {
			return false;
		}
	}
	*ret_size = strtoul(line, NULL, 16);
	return true;
}

bool client_read_chunks(int fd, char *ret, size_t room, size_t *ret_size)
{
	static char chunk[HTTP_BODY_PIECE_MAX + 2];
	size_t n = 1;

	*ret_size = 0;
	while (n > 0) {
		if (!read_chunk_size(fd, &n) || n > HTTP_BODY_PIECE_MAX ||
		    !read_exactly(fd, chunk, n + 2)) {
			return false;
		}
		ck_assert_mem_eq(chunk + n, "\r\n", 2);
		if (ret != NULL) {
			ck_assert_uint_lt(*ret_size + n, room);
			memcpy(ret + *ret_size, chunk, n);
			ret[*ret_size + n] = '\0';
		}
		*ret_size += n;
	}
	return true;
}

bool client_at_end(int fd)
{
	char byte;
	ssize_t n = recv(fd, &byte, 1, 0);

	return n == 0 || (n < 0 && errno == ECONNRESET);
}

bool client_ends(int fd)
{
	char bytes[4096];
	ssize_t n;

	do {
		n = recv(fd, bytes, sizeof(bytes), 0);
	} while (n > 0);
	return n == 0 || errno == ECONNRESET;
}

void client_reset(int fd)
{
	struct linger linger = { .l_onoff = 1, .l_linger = 0 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	close(fd);
}

int client_ask(const struct fixture *f, const char *text, char *ret)
{
	int fd = client_open(f, text);
	int status = client_read(fd, ret);

	close(fd);
	return status;
}
