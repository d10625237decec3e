#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fixture.h"

static struct fixture f;
static char response[RESPONSE_MAX];

/* Send @text a byte each 50 ms until the server closes; how long that took. */
static int64_t trickle_ns(int fd, const char *text)
{
	int64_t begun_ns = clock_now_ns();
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

	for (int i = 0; i < 100; i++) {
		char byte = text[i % (int)strlen(text)];

		if (send(fd, &byte, 1, MSG_NOSIGNAL) != 1 ||
		    poll(&poll_fd, 1, 50) > 0) {
			break;
		}
	}
	return clock_now_ns() - begun_ns;
}

START_TEST(a_header_that_trickles_in_is_cut_off)
{
	int64_t took_ns;
	int fd;

	fixture_init(&f);
	f.options.header_timeout_s = 1;
	fixture_start(&f);
	fd = client_open(&f, "GET /now HTTP/1.1\r\nHost: x\r\n");
	took_ns = trickle_ns(fd, "X-A: b\r\n");
	ck_assert_int_gt(took_ns, NS_PER_S / 10 * 9);
	ck_assert_int_lt(took_ns, 4 * (int64_t)NS_PER_S);
	ck_assert_int_eq(client_read(fd, response), 408);
	ck_assert(client_at_end(fd));
	close(fd);
	fixture_stop(&f);
}
END_TEST

START_TEST(a_body_that_trickles_in_is_cut_off)
{
	int64_t took_ns;
	int fd;

	fixture_init(&f);
	f.options.header_timeout_s = 1;
	fixture_start(&f);
	fd = client_open(&f, "POST /body HTTP/1.1\r\nHost: x\r\n"
			     "Content-Length: 1000\r\n\r\n");
	took_ns = trickle_ns(fd, "x");
	ck_assert_int_lt(took_ns, 4 * (int64_t)NS_PER_S);
	ck_assert_int_eq(client_read(fd, response), 408);
	close(fd);
	fixture_stop(&f);
	ck_assert_uint_eq(f.end_nr, 0);
}
END_TEST

START_TEST(a_first_line_that_trickles_in_is_cut_off)
{
	int64_t took_ns;
	int fd;

	fixture_init(&f);
	f.options.header_timeout_s = 1;
	fixture_start(&f);
	fd = client_connect(&f);
	took_ns = trickle_ns(fd, "x");
	ck_assert_int_lt(took_ns, 4 * (int64_t)NS_PER_S);
	close(fd);
	fixture_stop(&f);
}
END_TEST

START_TEST(an_idle_connection_is_closed)
{
	struct pollfd poll_fd = { .events = POLLIN };
	int64_t begun_ns;

	fixture_init(&f);
	f.options.idle_timeout_s = 1;
	fixture_start(&f);
	poll_fd.fd = client_open(&f, GET("/now"));
	ck_assert_int_eq(client_read(poll_fd.fd, response), 200);
	begun_ns = clock_now_ns();
	ck_assert_int_eq(poll(&poll_fd, 1, 4000), 1);
	ck_assert(client_at_end(poll_fd.fd));
	ck_assert_int_gt(clock_now_ns() - begun_ns, NS_PER_S / 2);
	close(poll_fd.fd);
	fixture_stop(&f);
}
END_TEST

START_TEST(waiting_for_an_answer_is_not_idling)
{
	struct pollfd poll_fd = { .events = POLLIN };

	fixture_init(&f);
	f.options.idle_timeout_s = 1;
	f.options.header_timeout_s = 1;
	fixture_start(&f);
	poll_fd.fd = client_open(&f, GET("/later"));
	fixture_await_held(&f);
	ck_assert_int_eq(poll(&poll_fd, 1, 2500), 0);
	held_answer(&f.held[0], 200, "");
	ck_assert_int_eq(client_read(poll_fd.fd, response), 200);
	close(poll_fd.fd);
	fixture_stop(&f);
}
END_TEST

START_TEST(too_many_in_flight_are_refused_at_once)
{
	int first, second, third;

	fixture_init(&f);
	f.options.in_flight_max = 2;
	fixture_start(&f);
	first = client_open(&f, GET("/later"));
	second = client_open(&f, GET("/later"));
	fixture_await_held(&f);
	fixture_await_held(&f);
	third = client_open(&f, GET("/later"));
	ck_assert_int_eq(client_read(third, response), 503);
	ck_assert_ptr_nonnull(strstr(response, "Retry-After: 1\r\n"));
	client_send(third, GET("/always"));
	ck_assert_int_eq(client_read(third, response), 200);
	held_answer(&f.held[0], 200, "");
	ck_assert_int_eq(client_read(first, response), 200);
	client_send(third, GET("/now"));
	ck_assert_int_eq(client_read(third, response), 200);
	held_answer(&f.held[1], 200, "");
	ck_assert_int_eq(client_read(second, response), 200);
	close(first);
	close(second);
	close(third);
	fixture_stop(&f);
}
END_TEST

START_TEST(an_idle_connection_makes_room_for_a_new_one)
{
	int idle, busy, fresh;

	fixture_init(&f);
	f.options.connections_max = 2;
	fixture_start(&f);
	idle = client_open(&f, GET("/now"));
	ck_assert_int_eq(client_read(idle, response), 200);
	busy = client_open(&f, GET("/later"));
	fixture_await_held(&f);
	fresh = client_open(&f, GET("/now"));
	ck_assert_int_eq(client_read(fresh, response), 200);
	ck_assert(client_at_end(idle));
	held_answer(&f.held[0], 200, "");
	ck_assert_int_eq(client_read(busy, response), 200);
	close(idle);
	close(busy);
	close(fresh);
	fixture_stop(&f);
}
END_TEST

START_TEST(at_the_limit_new_connections_wait)
{
	int busy[2], fresh;
	struct pollfd poll_fd = { .events = POLLIN };

	fixture_init(&f);
	f.options.connections_max = 2;
	fixture_start(&f);
	for (int i = 0; i < 2; i++) {
		busy[i] = client_open(&f, GET("/later"));
		fixture_await_held(&f);
	}
	fresh = client_open(&f, GET("/now"));
	poll_fd.fd = fresh;
	ck_assert_int_eq(poll(&poll_fd, 1, 300), 0);
	held_answer(&f.held[0], 200, "");
	ck_assert_int_eq(client_read(busy[0], response), 200);
	close(busy[0]);
	ck_assert_int_eq(client_read(fresh, response), 200);
	held_answer(&f.held[1], 200, "");
	ck_assert_int_eq(client_read(busy[1], response), 200);
	close(busy[1]);
	close(fresh);
	fixture_stop(&f);
}
END_TEST

static int64_t cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

START_TEST(a_client_that_does_not_read_costs_nothing)
{
	enum { SIZE = 16 * 1024 * 1024 };
	static char large[SIZE];
	struct pollfd idle = { .fd = -1 };
	int64_t cpu_begun_ns;
	int fd, partial;

	fixture_init(&f);
	fixture_start(&f);
	fd = client_open(&f, GET("/later"));
	fixture_await_held(&f);
	partial = client_open(&f, "POST /body HTTP/1.1\r\nHost: x\r\n"
				  "Content-Length: 9\r\n\r\nabc");
	http_respond(f.held[0].request, 200, "text/plain", large, SIZE, NULL);
	fixture_await_over(&f);
	cpu_begun_ns = cpu_ns();
	ck_assert_int_eq(poll(&idle, 1, 500), 0);
	ck_assert_int_lt(cpu_ns() - cpu_begun_ns, NS_PER_S / 10);
	close(fd);
	close(partial);
	fixture_stop(&f);
}
END_TEST

/*
 * The test runs in a process of its own. Its descriptors are used up to the
 * last; clients connect from sockets made before.
 */
START_TEST(without_descriptors_it_waits_and_then_accepts_again)
{
	enum { CLIENTS = 4 };
	struct sockaddr_storage address;
	socklen_t size = sizeof(address);
	struct rlimit limit = { 200, 200 };
	struct pollfd poll_fd = { .events = POLLIN };
	int fds[CLIENTS], first, spare[200], spare_nr = 0;
	int64_t cpu_begun_ns;

	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	fixture_init(&f);
	fixture_start(&f);
	first = client_open(&f, GET("/later"));
	fixture_await_held(&f);
	ck_assert_int_eq(getpeername(first, (struct sockaddr *)&address, &size),
			 0);
	for (int i = 0; i < CLIENTS; i++) {
		fds[i] = socket(AF_INET, SOCK_STREAM, 0);
	}
	while ((spare[spare_nr] = dup(first)) >= 0) {
		spare_nr++;
	}
	ck_assert_int_eq(errno, EMFILE);
	for (int i = 0; i < CLIENTS; i++) {
		ck_assert_int_eq(
			connect(fds[i], (struct sockaddr *)&address, size), 0);
		client_send(fds[i], GET("/now"));
	}
	/* It does not spin meanwhile, and what it has it serves. */
	cpu_begun_ns = cpu_ns();
	poll_fd.fd = fds[0];
	ck_assert_int_eq(poll(&poll_fd, 1, 500), 0);
	ck_assert_int_lt(cpu_ns() - cpu_begun_ns, NS_PER_S / 10);
	held_answer(&f.held[0], 200, "");
	ck_assert_int_eq(client_read(first, response), 200);
	while (spare_nr > 0) {
		close(spare[--spare_nr]);
	}
	for (int i = 0; i < CLIENTS; i++) {
		ck_assert_int_eq(client_read(fds[i], response), 200);
		close(fds[i]);
	}
	close(first);
	fixture_stop(&f);
}
END_TEST

RUN_TESTS("http_limits", a_header_that_trickles_in_is_cut_off,
	  a_body_that_trickles_in_is_cut_off,
	  a_first_line_that_trickles_in_is_cut_off,
	  an_idle_connection_is_closed, waiting_for_an_answer_is_not_idling,
	  too_many_in_flight_are_refused_at_once,
	  an_idle_connection_makes_room_for_a_new_one,
	  at_the_limit_new_connections_wait,
	  a_client_that_does_not_read_costs_nothing,
	  without_descriptors_it_waits_and_then_accepts_again)
