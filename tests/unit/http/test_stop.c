#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fixture.h"

static struct fixture f;
static char response[RESPONSE_MAX];

static void begin(void)
{
	fixture_init(&f);
	fixture_start(&f);
}

static void free_when_drained(void *arg)
{
	struct fixture *self = arg;

	fixture_free_server(self);
	sem_post(&self->drained);
}

static void drain_and_free(struct fixture *self)
{
	http_server_drain(self->server, free_when_drained, self);
}

START_TEST(a_stopped_server_takes_no_new_connection)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	begin();
	fixture_stop_accepting(&f);
	address.sin_port = htons(f.port);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert_int_eq(
		connect(fd, (struct sockaddr *)&address, sizeof(address)), -1);
	ck_assert_int_eq(errno, ECONNREFUSED);
	close(fd);
	fixture_stop(&f);
}
END_TEST

static int waiting_fd;

static void connect_and_stop(struct fixture *self)
{
	waiting_fd = client_open(self, GET("/now"));
	http_server_stop_accepting(self->server);
}

START_TEST(clients_that_wait_to_be_accepted_get_an_answer)
{
	begin();
	fixture_on_loop(&f, connect_and_stop);
	ck_assert_int_eq(client_read(waiting_fd, response), 503);
	ck_assert(client_at_end(waiting_fd));
	close(waiting_fd);
	fixture_stop(&f);
}
END_TEST

START_TEST(a_stopped_server_refuses_new_requests_on_old_connections)
{
	int fd, probe;

	begin();
	fd = client_open(&f, GET("/now"));
	ck_assert_int_eq(client_read(fd, response), 200);
	probe = client_open(&f, GET("/always"));
	ck_assert_int_eq(client_read(probe, response), 200);
	fixture_stop_accepting(&f);
	client_send(fd, GET("/now"));
	ck_assert_int_eq(client_read(fd, response), 503);
	ck_assert_ptr_nonnull(strstr(response, "Retry-After: 1\r\n"));
	ck_assert_ptr_nonnull(strstr(response, "Connection: close\r\n"));
	ck_assert(client_at_end(fd));
	client_send(probe, GET("/always"));
	ck_assert_int_eq(client_read(probe, response), 200);
	close(fd);
	close(probe);
	fixture_stop(&f);
}
END_TEST

START_TEST(draining_waits_for_what_is_in_flight)
{
	int fd;

	begin();
	fd = client_open(&f, GET("/later"));
	fixture_await_held(&f);
	ck_assert_uint_eq(http_server_in_flight(f.server), 1);
	fixture_drain(&f);
	ck_assert(!fixture_is_drained(&f));
	held_answer(&f.held[0], 200, "last");
	ck_assert_int_eq(client_read(fd, response), 200);
	ck_assert_ptr_nonnull(strstr(response, "Connection: close\r\n"));
	await(&f.drained);
	ck_assert_uint_eq(http_server_in_flight(f.server), 0);
	close(fd);
	fixture_stop(&f);
}
END_TEST

START_TEST(draining_an_idle_server_is_done_soon)
{
	int fd;

	begin();
	fd = client_open(&f, GET("/now"));
	ck_assert_int_eq(client_read(fd, response), 200);
	fixture_drain(&f);
	await(&f.drained);
	fixture_stop(&f);
	ck_assert(client_at_end(fd));
	close(fd);
}
END_TEST

START_TEST(a_drained_server_may_be_freed_from_the_callback)
{
	int fd;

	begin();
	fd = client_open(&f, GET("/later"));
	fixture_await_held(&f);
	fixture_stop_accepting(&f);
	fixture_on_loop(&f, drain_and_free);
	held_answer(&f.held[0], 200, "last");
	await(&f.drained);
	ck_assert_int_eq(client_read(fd, response), 200);
	close(fd);
	fixture_stop(&f);
}
END_TEST

START_TEST(cancelling_ends_what_is_in_flight_and_answers_it)
{
	enum { CLIENTS = 8 };
	int fds[CLIENTS];

	begin();
	for (int i = 0; i < CLIENTS; i++) {
		fds[i] = client_open(&f, GET("/later"));
		fixture_await_held(&f);
	}
	fixture_drain(&f);
	fixture_cancel(&f);
	for (int i = 0; i < CLIENTS; i++) {
		struct status st;
		struct http_end end;

		ck_assert_int_eq(held_await_end(&f.held[i]), CTX_SHUTDOWN);
		ctx_cause(f.held[i].ctx, &st);
		http_respond_error(f.held[i].request, 0, &st);
		ck_assert_int_eq(client_read(fds[i], response), 503);
		end = fixture_await_over(&f);
		ck_assert_int_eq(end.status, 503);
		ck_assert_int_eq(end.cause, CTX_SHUTDOWN);
		close(fds[i]);
	}
	await(&f.drained);
	fixture_stop(&f);
}
END_TEST

START_TEST(a_large_answer_is_sent_whole_before_draining_ends)
{
	enum { SIZE = 8 * 1024 * 1024 };
	static char large[SIZE];
	ssize_t n, got = 0;
	int fd;

	begin();
	fd = client_open(&f, GET("/later"));
	fixture_await_held(&f);
	http_respond(f.held[0].request, 200, "text/plain", large, SIZE, NULL);
	fixture_await_over(&f);
	fixture_on_loop(&f, drain_and_free);
	ck_assert(!fixture_is_drained(&f));
	while ((n = recv(fd, response, sizeof(response), 0)) > 0) {
		got += n;
	}
	ck_assert_int_gt(got, SIZE);
	await(&f.drained);
	close(fd);
	fixture_stop(&f);
}
END_TEST

/* With as much as no socket takes in while its client reads nothing. */
static void answer_hugely(struct held *held)
{
	enum { SIZE = 32 * 1024 * 1024 };
	char *large = calloc(1, SIZE);

	http_respond(held->request, 200, "text/plain", large, SIZE, NULL);
	free(large);
}

START_TEST(cancelling_cuts_an_answer_that_nobody_fetches)
{
	int fd;

	begin();
	fd = client_open(&f, GET("/later"));
	answer_hugely(fixture_await_held(&f));
	fixture_await_over(&f);
	fixture_drain(&f);
	ck_assert(!fixture_is_drained(&f));
	fixture_cancel(&f);
	await(&f.drained);
	close(fd);
	fixture_stop(&f);
}
END_TEST

START_TEST(an_answer_given_after_cancelling_has_a_moment_to_be_fetched)
{
	int fd;

	begin();
	fd = client_open(&f, GET("/later"));
	fixture_await_held(&f);
	fixture_drain(&f);
	fixture_cancel(&f);
	answer_hugely(&f.held[0]);
	fixture_await_over(&f);
	await(&f.drained);
	close(fd);
	fixture_stop(&f);
}
END_TEST

/* All that may be half done between a client and its server. */
START_TEST(no_client_holds_up_a_drain_but_by_a_request)
{
	int idle, half, handshake, fd;

	begin();
	idle = client_open(&f, GET("/now"));
	ck_assert_int_eq(client_read(idle, response), 200);
	half = client_open(&f, "POST /body HTTP/1.1\r\nHost: x\r\n"
			       "Content-Length: 9\r\n\r\nabc");
	handshake = client_connect(&f);
	fd = client_open(&f, GET("/later"));
	fixture_await_held(&f);
	fixture_stop_accepting(&f);
	fixture_on_loop(&f, drain_and_free);
	ck_assert(!fixture_is_drained(&f));
	held_answer(&f.held[0], 200, "last");
	await(&f.drained);
	ck_assert(client_at_end(idle));
	ck_assert(client_at_end(half));
	ck_assert(client_at_end(handshake));
	ck_assert_int_eq(client_read(fd, response), 200);
	close(idle);
	close(half);
	close(handshake);
	close(fd);
	fixture_stop(&f);
}
END_TEST

START_TEST(an_answer_given_just_before_the_end_is_sent)
{
	int fd;

	begin();
	fd = client_open(&f, GET("/later"));
	fixture_await_held(&f);
	held_answer(&f.held[0], 200, "just in time");
	fixture_stop(&f);
	ck_assert_int_eq(client_read(fd, response), 200);
	close(fd);
}
END_TEST

START_TEST(half_a_request_does_not_hold_up_the_end)
{
	int fd, other;

	begin();
	fd = client_open(&f, "POST /body HTTP/1.1\r\nHost: x\r\n"
			     "Content-Length: 9\r\n\r\nabc");
	other = client_open(&f, "GET /no");
	ck_assert_int_eq(client_ask(&f, GET("/now"), response), 200);
	fixture_stop(&f);
	ck_assert(client_at_end(fd));
	ck_assert(client_at_end(other));
	close(fd);
	close(other);
}
END_TEST

START_TEST(a_server_never_started_can_be_freed)
{
	struct http_server *server;
	struct status st;

	begin();
	ck_assert_int_eq(http_server_new(f.root, &f.options, &server, &st),
			 STATUS_OK);
	http_server_free(server);
	http_server_free(NULL);
	fixture_stop(&f);
}
END_TEST

RUN_TESTS("http_stop", a_stopped_server_takes_no_new_connection,
	  clients_that_wait_to_be_accepted_get_an_answer,
	  a_stopped_server_refuses_new_requests_on_old_connections,
	  draining_waits_for_what_is_in_flight,
	  draining_an_idle_server_is_done_soon,
	  a_drained_server_may_be_freed_from_the_callback,
	  cancelling_ends_what_is_in_flight_and_answers_it,
	  a_large_answer_is_sent_whole_before_draining_ends,
	  cancelling_cuts_an_answer_that_nobody_fetches,
	  an_answer_given_after_cancelling_has_a_moment_to_be_fetched,
	  no_client_holds_up_a_drain_but_by_a_request,
	  an_answer_given_just_before_the_end_is_sent,
	  half_a_request_does_not_hold_up_the_end,
	  a_server_never_started_can_be_freed)
