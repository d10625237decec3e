#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fixture.h"

enum { BODIES_MAX = 512, BIG = HTTP_BODY_PIECE_MAX };

/* How the pieces of a body are made. */
enum making { IN_NEXT, BY_TEST, ON_LOOP, FAIL_IN_NEXT, ENDLESS };

struct made_body {
	struct http_request *request;
	struct ctx *ctx; /* a reference of the test's */
	struct ctx_hook hook;
	struct loop_task task;
	sem_t asked, ended, done;
	size_t nexts, dones;
};

static struct fixture f;
static char response[RESPONSE_MAX], text[RESPONSE_MAX];
static sem_t arrived;

/* What all bodies of a test are like. */
static enum making making;
static size_t piece_nr, piece_size;
static struct made_body bodies[BODIES_MAX];
static size_t body_nr;

/* ---- the owner of the bodies -------------------------------------------- */

/* The n-th piece: its number and blanks. */
static void give_nth(struct made_body *made, size_t n)
{
	char piece[BIG];

	memset(piece, ' ', piece_size);
	snprintf(piece, sizeof(piece), "%zu", n);
	piece[strlen(piece)] = ' ';
	http_body_give(made->request, piece, piece_size, n + 1 == piece_nr);
}

static void give_on_loop(struct loop_task *task)
{
	struct made_body *made =
		(struct made_body *)(void *)((char *)task -
					     offsetof(struct made_body, task));

	give_nth(made, made->nexts - 1);
}

static void next(struct http_request *request, void *arg)
{
	struct made_body *made = arg;
	size_t n = made->nexts++;

	ck_assert_ptr_eq(request, made->request);
	ck_assert_uint_eq(made->dones, 0);
	switch (making) {
	case IN_NEXT:
	case ENDLESS:
		give_nth(made, n);
		break;
	case ON_LOOP:
		made->task.fn = give_on_loop;
		loop_post(f.loop, &made->task);
		break;
	case FAIL_IN_NEXT:
		http_body_fail(request);
		break;
	case BY_TEST:
		break;
	}
	sem_post(&made->asked);
}

static void done(struct http_request *request, void *arg)
{
	struct made_body *made = arg;

	ck_assert_ptr_eq(http_request_ctx(request), made->ctx);
	ck_assert(ctx_ended(made->ctx));
	made->dones++;
	sem_post(&made->done);
}

static void on_ended(struct ctx_hook *hook, struct ctx *ctx)
{
	struct made_body *made =
		(struct made_body *)(void *)((char *)hook -
					     offsetof(struct made_body, hook));

	(void)ctx;
	sem_post(&made->ended);
}

static struct made_body *new_body(struct http_request *request)
{
	struct made_body *made = &bodies[body_nr++];

	ck_assert_uint_le(body_nr, BODIES_MAX);
	made->request = request;
	made->ctx = ctx_ref(http_request_ctx(request));
	made->hook.fn = on_ended;
	sem_init(&made->asked, 0, 0);
	sem_init(&made->ended, 0, 0);
	sem_init(&made->done, 0, 0);
	if (!ctx_hook_add(made->ctx, &made->hook)) {
		sem_post(&made->ended);
	}
	return made;
}

static void respond(struct http_request *request)
{
	static const struct http_body body = { .next = next, .done = done };
	const struct http_header headers[] = { { "X-Made", "yes" },
					       { NULL, NULL } };

	http_respond_body(request, 200, "text/plain", headers, &body,
			  new_body(request));
	sem_post(&arrived);
}

static void stream(struct http_request *request, void *self)
{
	(void)self;
	respond(request);
}

static void add_routes(struct fixture *self)
{
	http_server_route(self->server, HTTP_GET, "/stream", stream, self);
}

/* ---- the test ----------------------------------------------------------- */

static void prepare(enum making how, size_t nr, size_t size)
{
	making = how;
	piece_nr = nr;
	piece_size = size;
	body_nr = 0;
	memset(bodies, 0, sizeof(bodies));
	sem_init(&arrived, 0, 0);
	fixture_init(&f);
	f.add_routes = add_routes;
}

static void begin(enum making how, size_t nr, size_t size)
{
	prepare(how, nr, size);
	fixture_start(&f);
}

static void end(void)
{
	fixture_stop(&f);
	for (size_t i = 0; i < body_nr; i++) {
		ck_assert_uint_eq(bodies[i].dones, 1);
		ctx_unref(bodies[i].ctx);
	}
}

static int open_stream(void)
{
	int fd = client_open(&f, GET("/stream"));

	await(&arrived);
	return fd;
}

/* All of the pieces arrived, in order. */
static void expect_whole(const char *body, size_t size)
{
	ck_assert_uint_eq(size, piece_nr * piece_size);
	for (size_t i = 0; i < piece_nr; i++) {
		ck_assert_uint_eq(strtoul(body + i * piece_size, NULL, 10), i);
	}
}

static void read_whole(int fd)
{
	size_t size;

	ck_assert_int_eq(client_read_head(fd, response), 200);
	ck_assert(client_read_chunks(fd, text, sizeof(text), &size));
	expect_whole(text, size);
}

static void expect_cut(int fd)
{
	size_t size;

	ck_assert_int_eq(client_read_head(fd, response), 200);
	ck_assert(!client_read_chunks(fd, NULL, 0, &size));
}

static void expect_end(int status, enum ctx_cause cause, bool cut)
{
	struct http_end over = fixture_await_over(&f);

	ck_assert_int_eq(over.status, status);
	ck_assert_int_eq(over.cause, cause);
	ck_assert_int_eq(over.cut, cut);
	ck_assert_uint_eq(over.body_size, bodies[0].nexts * piece_size);
}

static void give_all(struct made_body *made)
{
	for (size_t i = 0; i < piece_nr; i++) {
		await(&made->asked);
		give_nth(made, i);
	}
}

/* ---- sending ------------------------------------------------------------ */

static const enum making ways[] = { IN_NEXT, ON_LOOP };

START_TEST(pieces_arrive_in_order_and_the_connection_lives_on)
{
	for (int i = 0; i < 2; i++) {
		int fd;

		begin(ways[i], 1000, 50);
		fd = open_stream();
		read_whole(fd);
		ck_assert_ptr_nonnull(
			strstr(response, "Transfer-Encoding: chunked\r\n"));
		ck_assert_ptr_nonnull(
			strstr(response, "Content-Type: text/plain\r\n"));
		ck_assert_ptr_nonnull(strstr(response, "X-Made: yes\r\n"));
		ck_assert_ptr_nonnull(strstr(response, "traceresponse: "));
		await(&bodies[0].done);
		expect_end(200, CTX_FINISHED, false);
		client_send(fd, GET("/now"));
		ck_assert_int_eq(client_read(fd, response), 200);
		client_send(fd, GET("/stream"));
		read_whole(fd);
		close(fd);
		end();
	}
}
END_TEST

START_TEST(pieces_may_come_from_another_thread)
{
	int fd;

	begin(BY_TEST, 300, 100);
	fd = open_stream();
	ck_assert_int_eq(client_read_head(fd, response), 200);
	give_all(&bodies[0]);
	await(&bodies[0].done);
	{
		size_t size;

		ck_assert(client_read_chunks(fd, text, sizeof(text), &size));
		expect_whole(text, size);
	}
	expect_end(200, CTX_FINISHED, false);
	client_send(fd, GET("/now"));
	ck_assert_int_eq(client_read(fd, response), 200);
	close(fd);
	end();
}
END_TEST

START_TEST(what_is_there_is_sent_before_the_next_piece_is)
{
	char byte[32];
	int fd;

	begin(BY_TEST, 2, 5);
	fd = open_stream();
	await(&bodies[0].asked);
	give_nth(&bodies[0], 0);
	ck_assert_int_eq(client_read_head(fd, response), 200);
	ck_assert_int_eq(recv(fd, byte, 10, MSG_WAITALL), 10);
	ck_assert_mem_eq(byte, "5\r\n0    \r\n", 10);
	await(&bodies[0].asked);
	give_nth(&bodies[0], 1);
	ck_assert_int_eq(recv(fd, byte, 15, MSG_WAITALL), 15);
	ck_assert_mem_eq(byte, "5\r\n1    \r\n0\r\n\r\n", 15);
	close(fd);
	end();
}
END_TEST

START_TEST(a_body_may_be_larger_than_memory_for_it)
{
	enum { PIECES = 300 };
	size_t size;
	int fd;

	begin(IN_NEXT, PIECES, BIG);
	fd = open_stream();
	ck_assert_int_eq(client_read_head(fd, response), 200);
	ck_assert(client_read_chunks(fd, NULL, 0, &size));
	ck_assert_uint_eq(size, (size_t)PIECES * BIG);
	expect_end(200, CTX_FINISHED, false);
	close(fd);
	end();
}
END_TEST

START_TEST(a_body_may_be_empty)
{
	size_t size;
	int fd;

	begin(IN_NEXT, 1, 0);
	fd = open_stream();
	ck_assert_int_eq(client_read_head(fd, response), 200);
	ck_assert(client_read_chunks(fd, text, sizeof(text), &size));
	ck_assert_uint_eq(size, 0);
	close(fd);
	end();
}
END_TEST

START_TEST(a_pipelined_request_is_served_behind_the_body)
{
	int fd;

	begin(BY_TEST, 3, 100);
	fd = client_open(&f, GET("/stream") GET("/now"));
	await(&arrived);
	give_all(&bodies[0]);
	read_whole(fd);
	ck_assert_int_eq(client_read(fd, response), 200);
	ck_assert_ptr_nonnull(strstr(response, "\r\n\r\nnow"));
	close(fd);
	end();
}
END_TEST

START_TEST(head_asks_for_no_piece)
{
	int fd;

	begin(IN_NEXT, 3, 100);
	fd = client_open(&f, "HEAD /stream HTTP/1.1\r\nHost: x\r\n\r\n");
	await(&arrived);
	ck_assert_int_eq(client_read_head(fd, response), 200);
	await(&bodies[0].done);
	ck_assert_uint_eq(bodies[0].nexts, 0);
	expect_end(200, CTX_FINISHED, false);
	ck_assert(client_at_end(fd));
	close(fd);
	end();
}
END_TEST

/* ---- HTTP/1.0 ----------------------------------------------------------- */

static int open_1_0(void)
{
	int fd = client_open(&f, "GET /stream HTTP/1.0\r\n"
				 "Connection: keep-alive\r\n\r\n");

	await(&arrived);
	return fd;
}

/* What comes behind the header until the end; -1 with errno when it is cut. */
static ssize_t read_until_end(int fd)
{
	size_t size = 0;
	ssize_t n;

	ck_assert_int_eq(client_read_head(fd, response), 200);
	while ((n = recv(fd, text + size, sizeof(text) - 1 - size, 0)) > 0) {
		size += (size_t)n;
	}
	text[size] = '\0';
	return n == 0 ? (ssize_t)size : -1;
}

START_TEST(without_chunks_the_body_ends_with_the_connection)
{
	int fd;

	begin(IN_NEXT, 100, 100);
	fd = open_1_0();
	expect_whole(text, (size_t)read_until_end(fd));
	ck_assert_ptr_null(strstr(response, "chunked"));
	await(&bodies[0].done);
	expect_end(200, CTX_FINISHED, false);
	close(fd);
	end();
}
END_TEST

/*
 * There is room for two connections. One is taken by half a request, which is
 * not pushed out; so that the other is gone shows in a third being served.
 */
static int half_fd;

static void begin_crowded(void)
{
	prepare(BY_TEST, 2, 100);
	f.options.connections_max = 2;
	fixture_start(&f);
	half_fd = client_open(&f, "GET /no");
}

static void end_crowded(int fd)
{
	int other = client_open(&f, GET("/now"));

	ck_assert_int_eq(client_read(other, response), 200);
	close(other);
	close(fd);
	close(half_fd);
	end();
}

START_TEST(a_connection_that_ended_with_its_body_is_let_go)
{
	int fd;

	begin_crowded();
	fd = open_1_0();
	await(&bodies[0].asked);
	give_nth(&bodies[0], 0);
	await(&bodies[0].asked);
	http_body_give(bodies[0].request, NULL, 0, true);
	ck_assert_int_eq(read_until_end(fd), 100);
	end_crowded(fd);
}
END_TEST

START_TEST(without_chunks_a_cut_is_a_reset)
{
	int fd;

	begin(BY_TEST, 2, 100);
	fd = open_1_0();
	await(&bodies[0].asked);
	give_nth(&bodies[0], 0);
	await(&bodies[0].asked);
	http_body_fail(bodies[0].request);
	await(&bodies[0].done);
	ck_assert_int_eq(client_read_head(fd, response), 200);
	ck_assert_int_eq(recv(fd, text, 100, MSG_WAITALL), 100);
	ck_assert_int_eq(recv(fd, text, 1, 0), -1);
	ck_assert_int_eq(errno, ECONNRESET);
	close(fd);
	end();
}
END_TEST

/* ---- failing ------------------------------------------------------------ */

START_TEST(a_body_that_fails_at_once_is_cut)
{
	int fd;

	begin(FAIL_IN_NEXT, 1, 0);
	fd = open_stream();
	expect_cut(fd);
	await(&bodies[0].done);
	expect_end(200, CTX_FINISHED, true);
	close(fd);
	end();
}
END_TEST

START_TEST(a_body_that_fails_later_is_cut_and_its_connection_let_go)
{
	int fd;

	begin_crowded();
	fd = open_stream();
	await(&bodies[0].asked);
	give_nth(&bodies[0], 0);
	await(&bodies[0].asked);
	http_body_fail(bodies[0].request);
	expect_cut(fd);
	await(&bodies[0].done);
	ck_assert_int_eq(fixture_await_over(&f).body_size, 100);
	end_crowded(fd);
}
END_TEST

/* ---- clients that leave ------------------------------------------------- */

static const enum http_half_close modes[] = { HTTP_HALF_CLOSE_ABORT,
					      HTTP_HALF_CLOSE_PROBE };

static void begin_in_mode(int mode, enum making how, size_t nr, size_t size)
{
	prepare(how, nr, size);
	f.options.half_close = modes[mode];
	fixture_start(&f);
}

START_TEST(a_reset_ends_the_ctx_while_a_piece_is_made)
{
	for (int mode = 0; mode < 2; mode++) {
		int fd;

		begin_in_mode(mode, BY_TEST, 3, 10);
		fd = open_stream();
		await(&bodies[0].asked);
		give_nth(&bodies[0], 0);
		await(&bodies[0].asked);
		client_reset(fd);
		await(&bodies[0].ended);
		ck_assert_int_eq(ctx_cause(bodies[0].ctx, NULL),
				 CTX_CLIENT_RESET);
		/* Until the piece has come the request stays. */
		ck_assert_uint_eq(bodies[0].dones, 0);
		give_nth(&bodies[0], 1);
		await(&bodies[0].done);
		expect_end(499, CTX_CLIENT_RESET, true);
		end();
	}
}
END_TEST

START_TEST(a_close_ends_the_ctx_while_a_piece_is_made)
{
	int fd;

	begin(BY_TEST, 3, 10);
	fd = open_stream();
	await(&bodies[0].asked);
	shutdown(fd, SHUT_WR);
	await(&bodies[0].ended);
	http_body_fail(bodies[0].request);
	await(&bodies[0].done);
	ck_assert_int_eq(fixture_await_over(&f).cause, CTX_CLIENT_CLOSED);
	ck_assert(client_ends(fd));
	close(fd);
	end();
}
END_TEST

START_TEST(a_half_closed_client_gets_its_body_where_that_is_allowed)
{
	int fd;

	begin_in_mode(1, BY_TEST, 3, 10);
	fd = open_stream();
	await(&bodies[0].asked);
	shutdown(fd, SHUT_WR);
	give_nth(&bodies[0], 0);
	await(&bodies[0].asked);
	give_nth(&bodies[0], 1);
	await(&bodies[0].asked);
	give_nth(&bodies[0], 2);
	read_whole(fd);
	await(&bodies[0].done);
	expect_end(200, CTX_FINISHED, false);
	ck_assert(client_at_end(fd));
	close(fd);
	end();
}
END_TEST

/* With a reset, or by closing without reading what was sent. */
static void leave(int fd, bool reset)
{
	if (reset) {
		client_reset(fd);
	} else {
		close(fd);
	}
}

START_TEST(a_client_that_leaves_while_it_is_sent_to_ends_the_body)
{
	for (int mode = 0; mode < 2; mode++) {
		for (int reset = 0; reset < 2; reset++) {
			struct http_end over;
			int fd;

			begin_in_mode(mode, ENDLESS, 0, BIG);
			fd = open_stream();
			ck_assert_int_eq(client_read_head(fd, response), 200);
			leave(fd, reset);
			await(&bodies[0].ended);
			await(&bodies[0].done);
			over = fixture_await_over(&f);
			ck_assert_int_eq(over.status, 499);
			ck_assert(over.cut);
			ck_assert(over.cause == CTX_CLIENT_RESET ||
				  over.cause == CTX_CLIENT_CLOSED);
			end();
		}
	}
}
END_TEST

START_TEST(a_client_that_left_before_the_response_gets_no_body)
{
	struct held *held;
	int fd;

	begin(IN_NEXT, 3, 10);
	fd = client_open(&f, GET("/later"));
	held = fixture_await_held(&f);
	client_reset(fd);
	held_await_end(held);
	respond(held->request);
	await(&bodies[0].done);
	ck_assert_uint_eq(bodies[0].nexts, 0);
	expect_end(499, CTX_CLIENT_RESET, true);
	end();
}
END_TEST

START_TEST(a_client_that_reads_nothing_is_given_up)
{
	struct http_end over;
	int fd;

	prepare(ENDLESS, 0, BIG);
	f.options.idle_timeout_s = 1;
	fixture_start(&f);
	fd = open_stream();
	await(&bodies[0].ended);
	await(&bodies[0].done);
	over = fixture_await_over(&f);
	ck_assert_int_eq(over.status, 499);
	ck_assert_int_eq(over.cause, CTX_CLIENT_RESET);
	close(fd);
	end();
}
END_TEST

/* ---- stopping ----------------------------------------------------------- */

START_TEST(draining_waits_for_the_end_of_the_body)
{
	int fd;

	begin(BY_TEST, 3, 10);
	fd = open_stream();
	await(&bodies[0].asked);
	ck_assert_uint_eq(http_server_in_flight(f.server), 1);
	fixture_drain(&f);
	give_nth(&bodies[0], 0);
	await(&bodies[0].asked);
	give_nth(&bodies[0], 1);
	await(&bodies[0].asked);
	ck_assert(!fixture_is_drained(&f));
	give_nth(&bodies[0], 2);
	await(&f.drained);
	ck_assert_uint_eq(bodies[0].dones, 1);
	ck_assert_uint_eq(http_server_in_flight(f.server), 0);
	read_whole(fd);
	close(fd);
	end();
}
END_TEST

START_TEST(cancelling_ends_a_body_that_is_made)
{
	int fd;

	begin(BY_TEST, 3, 10);
	fd = open_stream();
	await(&bodies[0].asked);
	give_nth(&bodies[0], 0);
	await(&bodies[0].asked);
	fixture_drain(&f);
	fixture_cancel(&f);
	await(&bodies[0].ended);
	ck_assert_int_eq(ctx_cause(bodies[0].ctx, NULL), CTX_SHUTDOWN);
	ck_assert(!fixture_is_drained(&f));
	/* A piece is as good as a failure now. */
	give_nth(&bodies[0], 1);
	await(&f.drained);
	expect_cut(fd);
	expect_end(200, CTX_SHUTDOWN, true);
	close(fd);
	end();
}
END_TEST

START_TEST(cancelling_cuts_a_body_that_nobody_fetches)
{
	int fd;

	begin(ENDLESS, 0, BIG);
	fd = open_stream();
	await(&bodies[0].asked);
	fixture_drain(&f);
	fixture_cancel(&f);
	await(&f.drained);
	ck_assert_int_eq(ctx_cause(bodies[0].ctx, NULL), CTX_SHUTDOWN);
	expect_end(200, CTX_SHUTDOWN, true);
	/* What was not sent was not made either. */
	ck_assert_uint_lt(bodies[0].nexts, 1000);
	close(fd);
	end();
}
END_TEST

START_TEST(a_body_that_begins_after_cancelling_is_cut)
{
	struct held *held;
	int fd;

	begin(IN_NEXT, 3, 10);
	fd = client_open(&f, GET("/later"));
	held = fixture_await_held(&f);
	fixture_drain(&f);
	fixture_cancel(&f);
	respond(held->request);
	await(&f.drained);
	ck_assert(client_ends(fd));
	ck_assert_uint_eq(bodies[0].nexts, 0);
	expect_end(200, CTX_SHUTDOWN, true);
	close(fd);
	end();
}
END_TEST

/* ---- all at once -------------------------------------------------------- */

/* What a client does with a stream, @way by way; false if it is closed. */
static bool behave(int fd, int way)
{
	switch (way) {
	case 0:
		close(fd);
		return false;
	case 1:
		client_reset(fd);
		return false;
	case 2:
		shutdown(fd, SHUT_WR);
		return true;
	case 3:
		(void)recv(fd, text, sizeof(text), 0);
		client_reset(fd);
		return false;
	case 4:
		client_send(fd, GET("/now") GET("/stream"));
		return true;
	default: /* reads nothing */
		return true;
	}
}

/* As many bodies as there are clients, made in both ways, of clients of all
 * kinds in all orders: end() sees that each ended once. */
START_TEST(each_body_ends_once_whatever_its_client_does)
{
	enum { CLIENTS = 240, WAYS = 6 };
	static int fds[CLIENTS];

	for (int mode = 0; mode < 2; mode++) {
		size_t nr = 0;

		for (int i = 0; i < 2; i++) {
			begin_in_mode(mode, i == 0 ? ENDLESS : ON_LOOP,
				      i == 0 ? 0 : 50, 5000);
			for (nr = 0; nr < CLIENTS; nr++) {
				int fd = client_open(&f, GET("/stream"));
				int way = (int)(nr * 7 / 3 % WAYS);

				fds[nr] = behave(fd, way) ? fd : -1;
			}
			fixture_drain(&f);
			fixture_cancel(&f);
			await(&f.drained);
			ck_assert_uint_eq(http_server_in_flight(f.server), 0);
			while (nr-- > 0) {
				if (fds[nr] >= 0) {
					close(fds[nr]);
				}
			}
			end();
		}
	}
}
END_TEST

RUN_TESTS("http_body", pieces_arrive_in_order_and_the_connection_lives_on,
	  pieces_may_come_from_another_thread,
	  what_is_there_is_sent_before_the_next_piece_is,
	  a_body_may_be_larger_than_memory_for_it, a_body_may_be_empty,
	  a_pipelined_request_is_served_behind_the_body, head_asks_for_no_piece,
	  without_chunks_the_body_ends_with_the_connection,
	  a_connection_that_ended_with_its_body_is_let_go,
	  without_chunks_a_cut_is_a_reset, a_body_that_fails_at_once_is_cut,
	  a_body_that_fails_later_is_cut_and_its_connection_let_go,
	  a_reset_ends_the_ctx_while_a_piece_is_made,
	  a_close_ends_the_ctx_while_a_piece_is_made,
	  a_half_closed_client_gets_its_body_where_that_is_allowed,
	  a_client_that_leaves_while_it_is_sent_to_ends_the_body,
	  a_client_that_left_before_the_response_gets_no_body,
	  a_client_that_reads_nothing_is_given_up,
	  draining_waits_for_the_end_of_the_body,
	  cancelling_ends_a_body_that_is_made,
	  cancelling_cuts_a_body_that_nobody_fetches,
	  a_body_that_begins_after_cancelling_is_cut,
	  each_body_ends_once_whatever_its_client_does)
