#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fixture.h"

static struct fixture f;
static char response[RESPONSE_MAX];

static void begin(enum http_half_close half_close)
{
	fixture_init(&f);
	f.options.half_close = half_close;
	fixture_start(&f);
}

/* The handler learns of it, its answer is dropped, and that is reported. */
static void expect_left(struct held *held, enum ctx_cause cause)
{
	struct http_end end;

	ck_assert_int_eq(held_await_end(held), cause);
	held_answer(held, 200, "for nobody");
	end = fixture_await_over(&f);
	ck_assert_int_eq(end.status, 499);
	ck_assert_int_eq(end.cause, cause);
	ck_assert_uint_eq(end.body_size, 0);
}

/* ---- leaving counts, whatever the mode (_i) ----------------------------- */

static const enum http_half_close modes[] = { HTTP_HALF_CLOSE_ABORT,
					      HTTP_HALF_CLOSE_PROBE };

START_TEST(a_close_ends_the_request)
{
	for (int mode = 0; mode < 2; mode++) {
		int fd;

		begin(modes[mode]);
		fd = client_open(&f, GET("/later"));
		fixture_await_held(&f);
		close(fd);
		expect_left(&f.held[0], CTX_CLIENT_CLOSED);
		fixture_stop(&f);
	}
}
END_TEST

START_TEST(a_reset_ends_the_request)
{
	for (int mode = 0; mode < 2; mode++) {
		int fd;

		begin(modes[mode]);
		fd = client_open(&f, GET("/later"));
		fixture_await_held(&f);
		client_reset(fd);
		expect_left(&f.held[0], CTX_CLIENT_RESET);
		fixture_stop(&f);
	}
}
END_TEST

START_TEST(a_close_behind_pipelined_bytes_ends_the_request)
{
	for (int mode = 0; mode < 2; mode++) {
		int fd;

		begin(modes[mode]);
		fd = client_open(&f, GET("/later"));
		fixture_await_held(&f);
		client_send(fd, GET("/now") GET("/now"));
		close(fd);
		expect_left(&f.held[0], CTX_CLIENT_CLOSED);
		fixture_stop(&f);
		/* Its ghosts were not served. */
		ck_assert_uint_eq(f.end_nr, 1);
	}
}
END_TEST

START_TEST(a_client_gone_before_its_handler_ran_has_left)
{
	for (int mode = 0; mode < 2; mode++) {
		int fd;

		begin(modes[mode]);
		fd = client_open(&f, GET("/later"));
		close(fd);
		fixture_await_held(&f);
		expect_left(&f.held[0], CTX_CLIENT_CLOSED);
		fixture_stop(&f);
	}
}
END_TEST

static int gone_fd;

static void send_and_close(struct fixture *self)
{
	(void)self;
	client_send(gone_fd, GET("/later"));
	close(gone_fd);
}

START_TEST(a_client_whose_leaving_came_with_its_request_has_left)
{
	for (int mode = 0; mode < 2; mode++) {
		begin(modes[mode]);
		gone_fd = client_open(&f, GET("/now"));
		ck_assert_int_eq(client_read(gone_fd, response), 200);
		fixture_await_over(&f);
		/* The loop is busy with this, and then finds both at once. */
		fixture_on_loop(&f, send_and_close);
		fixture_await_held(&f);
		expect_left(&f.held[0], CTX_CLIENT_CLOSED);
		fixture_stop(&f);
	}
}
END_TEST

START_TEST(a_killed_client_has_left)
{
	for (int mode = 0; mode < 2; mode++) {
		pid_t pid;
		int fd;

		begin(modes[mode]);
		fd = client_open(&f, GET("/later"));
		fixture_await_held(&f);
		pid = fork();
		if (pid == 0) {
			pause();
			_exit(0);
		}
		close(fd); /* the child's copy keeps it open */
		ck_assert_int_eq(http_server_in_flight(f.server), 1);
		ck_assert(!ctx_ended(f.held[0].ctx));
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		expect_left(&f.held[0], CTX_CLIENT_CLOSED);
		fixture_stop(&f);
	}
}
END_TEST

START_TEST(a_second_request_on_the_connection_is_watched_too)
{
	for (int mode = 0; mode < 2; mode++) {
		int fd;

		begin(modes[mode]);
		fd = client_open(&f, GET("/later"));
		held_answer(fixture_await_held(&f), 200, "");
		ck_assert_int_eq(client_read(fd, response), 200);
		fixture_await_over(&f);
		client_send(fd, GET("/later"));
		fixture_await_held(&f);
		close(fd);
		expect_left(&f.held[1], CTX_CLIENT_CLOSED);
		fixture_stop(&f);
	}
}
END_TEST

START_TEST(many_leave_at_once)
{
	enum { CLIENTS = 60 };
	int fds[CLIENTS];

	begin(HTTP_HALF_CLOSE_ABORT);
	for (int i = 0; i < CLIENTS; i++) {
		fds[i] = client_open(&f, GET("/later"));
	}
	for (int i = 0; i < CLIENTS; i++) {
		fixture_await_held(&f);
	}
	for (int i = 0; i < CLIENTS; i++) {
		if (i % 3 == 0) {
			close(fds[i]);
		} else if (i % 3 == 1) {
			client_reset(fds[i]);
		}
	}
	for (int i = 0; i < CLIENTS; i++) {
		if (f.held[i].request != NULL) {
			held_answer(&f.held[i], 200, "");
		}
		fixture_await_over(&f);
	}
	for (int i = 2; i < CLIENTS; i += 3) {
		ck_assert_int_eq(client_read(fds[i], response), 200);
		close(fds[i]);
	}
	fixture_stop(&f);
}
END_TEST

/* ---- half-closed clients ------------------------------------------------ */

START_TEST(a_half_closed_client_has_left_by_default)
{
	int fd;

	begin(HTTP_HALF_CLOSE_ABORT);
	fd = client_open(&f, GET("/later"));
	fixture_await_held(&f);
	shutdown(fd, SHUT_WR);
	expect_left(&f.held[0], CTX_CLIENT_CLOSED);
	ck_assert_int_eq(client_read(fd, response), -1);
	close(fd);
	fixture_stop(&f);
}
END_TEST

/* Libmicrohttpd treats the connection that was quiet longest another way. */
START_TEST(a_half_closed_client_is_served_when_probed)
{
	int fd, quiet;

	begin(HTTP_HALF_CLOSE_PROBE);
	quiet = client_open(&f, GET("/now"));
	ck_assert_int_eq(client_read(quiet, response), 200);
	fixture_await_over(&f);
	fd = client_open(&f, GET("/later"));
	fixture_await_held(&f);
	shutdown(fd, SHUT_WR);
	ck_assert_int_eq(client_read(fd, response), 102);
	ck_assert(!ctx_ended(f.held[0].ctx));
	held_answer(&f.held[0], 200, "served");
	ck_assert_int_eq(client_read(fd, response), 200);
	ck_assert(client_at_end(fd));
	ck_assert_int_eq(fixture_await_over(&f).status, 200);
	close(fd);
	close(quiet);
	fixture_stop(&f);
}
END_TEST

START_TEST(pipelined_requests_of_a_half_closed_client_are_served)
{
	int fd;

	begin(HTTP_HALF_CLOSE_PROBE);
	fd = client_open(&f, GET("/later") GET("/later") GET("/now"));
	shutdown(fd, SHUT_WR);
	for (int i = 0; i < 2; i++) {
		fixture_await_held(&f);
		ck_assert_int_eq(client_read(fd, response), 102);
		held_answer(&f.held[i], 200, "");
		ck_assert_int_eq(client_read(fd, response), 200);
	}
	ck_assert_int_eq(client_read(fd, response), 200);
	ck_assert(client_at_end(fd));
	close(fd);
	fixture_stop(&f);
}
END_TEST

START_TEST(a_half_closed_client_that_then_closes_has_left)
{
	int fd;

	begin(HTTP_HALF_CLOSE_PROBE);
	fd = client_open(&f, GET("/later"));
	fixture_await_held(&f);
	shutdown(fd, SHUT_WR);
	ck_assert_int_eq(client_read(fd, response), 102);
	ck_assert(!ctx_ended(f.held[0].ctx));
	client_reset(fd);
	expect_left(&f.held[0], CTX_CLIENT_CLOSED);
	fixture_stop(&f);
}
END_TEST

START_TEST(an_http_1_0_client_is_not_probed)
{
	int fd;

	begin(HTTP_HALF_CLOSE_PROBE);
	fd = client_open(&f, "GET /later HTTP/1.0\r\n\r\n");
	fixture_await_held(&f);
	shutdown(fd, SHUT_WR);
	expect_left(&f.held[0], CTX_CLIENT_CLOSED);
	close(fd);
	fixture_stop(&f);
}
END_TEST

START_TEST(an_answer_at_once_reaches_a_half_closed_client)
{
	for (int mode = 0; mode < 2; mode++) {
		int fd;

		begin(modes[mode]);
		fd = client_open(&f, GET("/now"));
		shutdown(fd, SHUT_WR);
		ck_assert_int_eq(client_read(fd, response), 200);
		ck_assert(client_at_end(fd));
		close(fd);
		fixture_stop(&f);
	}
}
END_TEST

START_TEST(a_half_closed_client_with_half_a_request_is_closed)
{
	static const char *const parts[] = { "\r\n", "GE",
					     "GET /now HTTP/1.1\r\n",
					     GET("/now") "GET" };

	begin(HTTP_HALF_CLOSE_PROBE);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		int64_t begun_ns = clock_now_ns();
		int fd = client_open(&f, parts[i]);

		shutdown(fd, SHUT_WR);
		ck_assert_msg(client_ends(fd), "%zu", i);
		ck_assert_int_lt(clock_now_ns() - begun_ns, NS_PER_S);
		close(fd);
	}
	fixture_stop(&f);
}
END_TEST

/* ---- the other order ---------------------------------------------------- */

START_TEST(leaving_after_the_answer_is_no_news)
{
	int fd;

	begin(HTTP_HALF_CLOSE_ABORT);
	fd = client_open(&f, GET("/later"));
	held_answer(fixture_await_held(&f), 200, "");
	ck_assert_int_eq(client_read(fd, response), 200);
	close(fd);
	ck_assert_int_eq(fixture_await_over(&f).status, 200);
	ck_assert_int_eq(held_await_end(&f.held[0]), CTX_FINISHED);
	fixture_stop(&f);
}
END_TEST

START_TEST(a_client_that_leaves_mid_request_never_was)
{
	int fd;

	begin(HTTP_HALF_CLOSE_ABORT);
	fd = client_open(&f, "POST /later HTTP/1.1\r\nHost: x\r\n"
			     "Content-Length: 10\r\n\r\nabc");
	close(fd);
	fd = client_open(&f, "GET /later HTTP/1.1\r\nHost:");
	client_reset(fd);
	ck_assert_int_eq(client_ask(&f, GET("/now"), response), 200);
	fixture_await_over(&f);
	fixture_stop(&f);
	ck_assert_uint_eq(f.held_nr, 0);
	ck_assert_uint_eq(f.end_nr, 1);
}
END_TEST

RUN_TESTS("http_leave", a_close_ends_the_request, a_reset_ends_the_request,
	  a_close_behind_pipelined_bytes_ends_the_request,
	  a_client_gone_before_its_handler_ran_has_left,
	  a_client_whose_leaving_came_with_its_request_has_left,
	  a_killed_client_has_left,
	  a_second_request_on_the_connection_is_watched_too, many_leave_at_once,
	  a_half_closed_client_has_left_by_default,
	  a_half_closed_client_is_served_when_probed,
	  pipelined_requests_of_a_half_closed_client_are_served,
	  a_half_closed_client_that_then_closes_has_left,
	  an_http_1_0_client_is_not_probed,
	  an_answer_at_once_reaches_a_half_closed_client,
	  a_half_closed_client_with_half_a_request_is_closed,
	  leaving_after_the_answer_is_no_news,
	  a_client_that_leaves_mid_request_never_was)
