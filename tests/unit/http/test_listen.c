#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fixture.h"

static struct fixture f;

static bool has_ipv6(void)
{
	struct sockaddr_in6 address = { .sin6_family = AF_INET6,
					.sin6_addr = IN6ADDR_LOOPBACK_INIT };
	int fd = socket(AF_INET6, SOCK_STREAM, 0);
	bool has = fd >= 0 &&
		   bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0;

	close(fd);
	return has;
}

static int connect_v6(uint16_t port)
{
	struct sockaddr_in6 address = { .sin6_family = AF_INET6,
					.sin6_addr = IN6ADDR_LOOPBACK_INIT,
					.sin6_port = htons(port) };
	int fd = socket(AF_INET6, SOCK_STREAM, 0);

	ck_assert_int_eq(
		connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

START_TEST(localhost_is_both_loopbacks_at_one_port)
{
	char response[RESPONSE_MAX];
	int fd;

	fixture_init(&f);
	fixture_start(&f);
	ck_assert_uint_ne(f.port, 0);
	ck_assert_int_eq(client_ask(&f, GET("/now"), response), 200);
	if (has_ipv6()) {
		fd = connect_v6(f.port);
		client_send(fd, GET("/now"));
		ck_assert_int_eq(client_read(fd, response), 200);
		close(fd);
	}
	fixture_stop(&f);
}
END_TEST

START_TEST(everywhere_takes_ipv4_clients_too)
{
	char response[RESPONSE_MAX];

	fixture_init(&f);
	f.options.listen = "*";
	fixture_start(&f);
	ck_assert_int_eq(client_ask(&f, GET("/now"), response), 200);
	fixture_stop(&f);
}
END_TEST

START_TEST(an_address_in_brackets_is_an_address)
{
	char response[RESPONSE_MAX];
	int fd;

	if (!has_ipv6()) {
		return;
	}
	fixture_init(&f);
	f.options.listen = "[::1]";
	fixture_start(&f);
	fd = connect_v6(f.port);
	client_send(fd, GET("/now"));
	ck_assert_int_eq(client_read(fd, response), 200);
	close(fd);
	fixture_stop(&f);
}
END_TEST

static enum status_code try_new(const char *listen_on, uint16_t port,
				struct status *reterr)
{
	struct http_options options;
	struct http_server *server;

	http_options_init(&options);
	options.listen = listen_on;
	options.port = port;
	return http_server_new(f.root, &options, &server, reterr);
}

START_TEST(a_taken_port_is_named)
{
	struct status st;
	char expected[64];

	fixture_init(&f);
	f.options.listen = "127.0.0.1";
	fixture_start(&f);
	snprintf(expected, sizeof(expected),
		 "address 127.0.0.1:%u is already in use", f.port);
	ck_assert_int_eq(try_new("127.0.0.1", f.port, &st),
			 STATUS_ALREADY_EXISTS);
	ck_assert_str_eq(st.message, expected);
	ck_assert_int_eq(try_new("localhost", f.port, &st),
			 STATUS_ALREADY_EXISTS);
	ck_assert_str_eq(st.message, expected);
	fixture_stop(&f);
}
END_TEST

START_TEST(a_port_taken_on_one_loopback_only_is_taken)
{
	struct status st;
	char expected[64];

	if (!has_ipv6()) {
		return;
	}
	fixture_init(&f);
	f.options.listen = "::1";
	fixture_start(&f);
	snprintf(expected, sizeof(expected),
		 "address [::1]:%u is already in use", f.port);
	ck_assert_int_eq(try_new("localhost", f.port, &st),
			 STATUS_ALREADY_EXISTS);
	ck_assert_str_eq(st.message, expected);
	fixture_stop(&f);
}
END_TEST

START_TEST(what_is_no_address_is_refused)
{
	struct status st;

	fixture_init(&f);
	fixture_start(&f);
	ck_assert_int_eq(try_new("nowhere", 0, &st), STATUS_INVALID_ARGUMENT);
	ck_assert_int_eq(try_new("127.0.0.1.1", 0, &st),
			 STATUS_INVALID_ARGUMENT);
	ck_assert_int_eq(try_new("203.0.113.7", 0, &st),
			 STATUS_INVALID_ARGUMENT);
	fixture_stop(&f);
}
END_TEST

/* Our end of @fd's connection, found among this process's descriptors. */
static int served_end_of(int fd)
{
	struct sockaddr_in mine, peer;
	socklen_t size = sizeof(mine);

	getsockname(fd, (struct sockaddr *)&mine, &size);
	for (int served = 3; served < 256; served++) {
		size = sizeof(peer);
		if (getpeername(served, (struct sockaddr *)&peer, &size) == 0 &&
		    peer.sin_port == mine.sin_port) {
			return served;
		}
	}
	return -1;
}

static int option_of(int fd, int level, int name)
{
	int value = -1;
	socklen_t size = sizeof(value);

	ck_assert_int_eq(getsockopt(fd, level, name, &value, &size), 0);
	return value;
}

START_TEST(the_kernel_finds_out_who_vanished)
{
	int fd, served;

	fixture_init(&f);
	fixture_start(&f);
	fd = client_open(&f, GET("/later"));
	fixture_await_held(&f);
	served = served_end_of(fd);
	ck_assert_int_eq(option_of(served, SOL_SOCKET, SO_KEEPALIVE), 1);
	ck_assert_int_eq(option_of(served, IPPROTO_TCP, TCP_KEEPIDLE), 5);
	ck_assert_int_eq(option_of(served, IPPROTO_TCP, TCP_KEEPINTVL), 2);
	ck_assert_int_eq(option_of(served, IPPROTO_TCP, TCP_KEEPCNT), 3);
	held_answer(&f.held[0], 200, "");
	close(fd);
	fixture_stop(&f);
}
END_TEST

RUN_TESTS("http_listen", localhost_is_both_loopbacks_at_one_port,
	  everywhere_takes_ipv4_clients_too,
	  an_address_in_brackets_is_an_address, a_taken_port_is_named,
	  a_port_taken_on_one_loopback_only_is_taken,
	  what_is_no_address_is_refused, the_kernel_finds_out_who_vanished)
