/* Where and how a server listens, and whom it lets in. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fixture.h"
#include "rpc/listener.h"

enum { LEFT_MAX = 20 };

/* ---- addresses ---------------------------------------------------------- */

static bool has_ipv6(void)
{
	struct sockaddr_in6 to = { .sin6_family = AF_INET6,
				   .sin6_addr = in6addr_loopback };
	int fd = socket(AF_INET6, SOCK_STREAM, 0);
	bool ok = fd >= 0 && bind(fd, (struct sockaddr *)&to, sizeof(to)) == 0;

	if (fd >= 0) {
		close(fd);
	}
	return ok;
}

static void check_reachable(const char *listen, const char *host)
{
	struct fixture f;
	struct outcome outcome;
	char target[64];

	fixture_init(&f);
	f.server_options.listen = listen;
	fixture_start_server(&f);
	snprintf(target, sizeof(target), "%s:%u", host,
		 rpc_server_port(f.server));
	f.channel_options.target = target;
	fixture_start_client(&f);
	call_text(&f, "Echo", "x", &outcome);
	ck_assert_msg(outcome.status.code == STATUS_OK, "%s",
		      outcome.status.message);
	fixture_stop(&f);
}

START_TEST(localhost_is_both_loopbacks)
{
	check_reachable("localhost", "127.0.0.1");
	check_reachable("localhost", "localhost");
	if (has_ipv6()) {
		check_reachable("localhost", "[::1]");
	}
}
END_TEST

START_TEST(an_address_may_be_numeric)
{
	check_reachable("127.0.0.1", "127.0.0.1");
	if (has_ipv6()) {
		check_reachable("::1", "[::1]");
		check_reachable("[::1]", "[::1]");
	}
}
END_TEST

static void check_new_fails(const char *listen, uint16_t port,
			    enum status_code code, const char *text)
{
	struct rpc_server_options options;
	struct rpc_server *server;
	struct fixture f;
	struct status st;

	fixture_init(&f);
	rpc_server_options_init(&options);
	options.listen = listen;
	options.port = port;
	ck_assert_int_eq(
		rpc_server_new(f.root, f.poller, &options, &server, &st), code);
	ck_assert_str_eq(st.message, text);
	fixture_stop(&f);
}

START_TEST(a_bad_address_is_refused)
{
	check_new_fails("nonsense", 0, STATUS_INVALID_ARGUMENT,
			"'nonsense' is not an address to listen on "
			"(localhost, * or a numeric address)");
}
END_TEST

static void check_taken(int family, const char *shown)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} at = { .v6 = { .sin6_family = AF_INET6,
			 .sin6_addr = in6addr_loopback } };
	socklen_t size = sizeof(at);
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char text[128];
	uint16_t port;

	if (family == AF_INET) {
		at.v4 = (struct sockaddr_in){ .sin_family = AF_INET,
					      .sin_addr = { htonl(
						      INADDR_LOOPBACK) } };
	}
	ck_assert_int_eq(bind(fd, &at.any, size), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	ck_assert_int_eq(getsockname(fd, &at.any, &size), 0);
	port = ntohs(family == AF_INET ? at.v4.sin_port : at.v6.sin6_port);
	snprintf(text, sizeof(text), "address %s:%u is already in use", shown,
		 port);
	check_new_fails("localhost", port, STATUS_ALREADY_EXISTS, text);
	close(fd);
}

START_TEST(a_taken_port_is_named)
{
	check_taken(AF_INET, "127.0.0.1");
	if (has_ipv6()) {
		check_taken(AF_INET6, "[::1]");
	}
}
END_TEST

START_TEST(a_free_port_can_be_taken_again_at_once)
{
	struct fixture f;
	struct outcome outcome;

	fixture_start(&f);
	call_text(&f, "Echo", "x", &outcome);
	f.server_options.port = rpc_server_port(f.server);
	fixture_stop_server(&f);
	fixture_start_server(&f);
	fixture_stop(&f);
}
END_TEST

/* ---- services ----------------------------------------------------------- */

static void unary(struct rpc_call *call, const ProtobufCMessage *request,
		  void *self)
{
	(void)self;
	rpc_call_reply(call, request);
}

static void stream(struct rpc_call *call, void *self)
{
	struct status st = status_ok();

	(void)self;
	rpc_call_finish(call, &st, NULL, 0);
}

static void check_add_fails(const struct rpc_method *methods, const char *text)
{
	struct rpc_server *server;
	struct fixture f;
	struct status st;

	fixture_init(&f);
	ck_assert_int_eq(rpc_server_new(f.root, f.poller, &f.server_options,
					&server, &st),
			 STATUS_OK);
	ck_assert_int_eq(
		rpc_server_add_service(server, &tester__tester__descriptor,
				       &tester_schema, methods, NULL, &st),
		STATUS_INVALID_ARGUMENT);
	ck_assert_msg(strstr(st.message, text) != NULL, "%s", st.message);
	f.server = server; /* Was never started; is freed all the same. */
	fixture_stop(&f);
}

START_TEST(a_handler_of_the_wrong_kind_is_refused)
{
	static const struct rpc_method unary_for_stream[] = {
		{ "Chat", .unary = unary }, { NULL }
	};
	static const struct rpc_method stream_for_unary[] = {
		{ "Echo", .stream = stream }, { NULL }
	};
	static const struct rpc_method neither[] = { { "Echo" }, { NULL } };
	static const struct rpc_method both[] = {
		{ "Echo", .unary = unary, .stream = stream }, { NULL }
	};

	check_add_fails(unary_for_stream, "Chat");
	check_add_fails(stream_for_unary, "Echo");
	check_add_fails(both, "Echo");
	check_add_fails(neither, "Echo");
}
END_TEST

START_TEST(a_handler_of_no_method_is_refused)
{
	static const struct rpc_method none[] = { { "Eecho", .unary = unary },
						  { NULL } };

	check_add_fails(none, "has no method Eecho");
}
END_TEST

/* ---- connections -------------------------------------------------------- */

START_TEST(connections_are_counted_until_they_close)
{
	struct fixture f;
	struct outcome outcome;
	int fd;

	fixture_start(&f);
	ck_assert_uint_eq(rpc_server_connections(f.server), 0);
	call_text(&f, "Echo", "x", &outcome);
	ck_assert_uint_eq(rpc_server_connections(f.server), 1);
	fd = raw_connect(rpc_server_port(f.server));
	while (rpc_server_connections(f.server) != 2) {
		sched_yield();
	}
	close(fd);
	while (rpc_server_connections(f.server) != 1) {
		sched_yield();
	}
	fixture_stop(&f);
}
END_TEST

START_TEST(connections_over_the_limit_are_turned_away)
{
	struct fixture f;
	struct outcome outcome;
	int first, second;

	fixture_init(&f);
	f.server_options.connections_max = 1;
	fixture_start_server(&f);
	fixture_start_client(&f);
	first = raw_connect(rpc_server_port(f.server));
	second = raw_connect(rpc_server_port(f.server));
	ck_assert(raw_await_close(second));
	close(first);
	do {
		call_text(&f, "Echo", "x", &outcome);
	} while (outcome.status.code == STATUS_UNAVAILABLE);
	ck_assert_int_eq(outcome.status.code, STATUS_OK);
	close(second);
	fixture_stop(&f);
}
END_TEST

START_TEST(garbage_bytes_are_hung_up_on)
{
	static const char bytes[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
				    "\xFF\xFE\xFD and so on and so forth";
	struct fixture f;
	struct outcome outcome;
	int fd;

	fixture_start(&f);
	fd = raw_connect(rpc_server_port(f.server));
	ck_assert_int_eq(write(fd, bytes, sizeof(bytes)), sizeof(bytes));
	ck_assert(raw_await_close(fd));
	close(fd);
	call_text(&f, "Echo", "goes on", &outcome);
	ck_assert_int_eq(outcome.status.code, STATUS_OK);
	fixture_stop(&f);
}
END_TEST

/* A preface, then frames that are none. */
START_TEST(garbage_frames_are_hung_up_on)
{
	static const char bytes[] =
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
		"\0\0\0\4\0\0\0\0\0"	  /* SETTINGS */
		"\0\0\5\1\4\0\0\0\1garba" /* HEADERS that are none */
		"\0\0\5\0\0\0\0\0\7xxxxx" /* DATA of no stream */
		"\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF";
	struct fixture f;
	struct outcome outcome;
	int fd;

	fixture_start(&f);
	fd = raw_connect(rpc_server_port(f.server));
	ck_assert_int_eq(write(fd, bytes, sizeof(bytes) - 1),
			 sizeof(bytes) - 1);
	ck_assert(raw_await_close(fd));
	close(fd);
	call_text(&f, "Echo", "goes on", &outcome);
	ck_assert_int_eq(outcome.status.code, STATUS_OK);
	fixture_stop(&f);
}
END_TEST

START_TEST(a_silent_connection_is_hung_up_on)
{
	struct fixture f;
	int fd;

	fixture_init(&f);
	f.server_options.keepalive_ns = 200 * (int64_t)NS_PER_MS;
	f.server_options.keepalive_timeout_ns = 200 * (int64_t)NS_PER_MS;
	fixture_start_server(&f);
	fd = raw_connect(rpc_server_port(f.server));
	ck_assert(raw_await_close(fd));
	close(fd);
	fixture_stop(&f);
}
END_TEST

/* ---- no descriptors ----------------------------------------------------- */

/*
 * Connect @n times to the port told, until the last is turned away; say so;
 * hang up when told, and end.
 */
static _Noreturn void flood(int fd, int n)
{
	uint16_t port;
	char byte = 0;
	int last = -1;

	if (read(fd, &port, sizeof(port)) != sizeof(port)) {
		_exit(1);
	}
	for (int i = 0; i < n; i++) {
		last = raw_connect(port);
	}
	if (!raw_await_close(last) || write(fd, &byte, 1) != 1 ||
	    read(fd, &byte, 1) != 1) {
		_exit(1);
	}
	_exit(0);
}

/* Lower the limit so that exactly @n more descriptors can be opened. */
static void leave_descriptors(int n)
{
	struct rlimit limit;
	int fds[LEFT_MAX + 1];

	ck_assert_int_le(n, LEFT_MAX);
	for (int i = 0; i <= n; i++) {
		fds[i] = dup(STDERR_FILENO);
		ck_assert_int_ge(fds[i], 0);
	}
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = (rlim_t)fds[n];
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	for (int i = 0; i <= n; i++) {
		close(fds[i]);
	}
}

START_TEST(a_lack_of_descriptors_does_not_kill_the_listener)
{
	struct fixture f;
	struct outcome outcome;
	struct caller caller;
	int fds[2];
	char byte;

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	caller.pid = fork();
	if (caller.pid == 0) {
		close(fds[0]);
		flood(fds[1], 200);
	}
	caller.fd = fds[0];
	fixture_init(&f);
	fixture_start_server(&f);
	leave_descriptors(LEFT_MAX);
	caller_call(&caller, rpc_server_port(f.server));
	ck_assert_int_eq(read(caller.fd, &byte, 1), 1);
	ck_assert_uint_le(rpc_server_connections(f.server), LEFT_MAX);
	ck_assert_uint_ge(rpc_server_connections(f.server), LEFT_MAX - 2);
	ck_assert_int_eq(write(caller.fd, &byte, 1), 1);
	ck_assert_int_eq(waitpid(caller.pid, NULL, 0), caller.pid);
	fixture_start_client(&f);
	do {
		call_text(&f, "Echo", "x", &outcome);
	} while (outcome.status.code == STATUS_UNAVAILABLE);
	ck_assert_int_eq(outcome.status.code, STATUS_OK);
	fixture_stop(&f);
}
END_TEST

static struct listener lone;
static struct signal lone_accepted;

static void on_lone_accept(struct listener *listener, int fd)
{
	(void)listener;
	close(fd);
	signal_raise(&lone_accepted);
}

static void start_lone(struct fixture *f)
{
	struct status st;

	lone.loop = f->loop;
	lone.on_accept = on_lone_accept;
	ck_assert_int_eq(listener_start(&lone, &st), STATUS_OK);
	ck_assert_int_eq(lone.reserve, -1);
}

static void release_lone(struct fixture *f)
{
	(void)f;
	listener_release(&lone);
}

/* Not even a reserve: the listener looks away, and again by itself. */
START_TEST(without_a_reserve_the_listener_resumes_by_itself)
{
	struct rlimit before;
	struct fixture f;
	struct status st;
	int fd;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	fixture_init(&f);
	signal_init(&lone_accepted);
	ck_assert_int_eq(listener_open(&lone, "127.0.0.1", 0, 10, &st),
			 STATUS_OK);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	leave_descriptors(0);
	fixture_on_loop(&f, start_lone);
	connect_to(fd, lone.port);
	ck_assert(!signal_await_ms(&lone_accepted, 1, 100));
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
	signal_await(&lone_accepted, 1);
	close(fd);
	fixture_on_loop(&f, release_lone);
	fixture_stop(&f);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("listener");

	tcase_add_test(tc, localhost_is_both_loopbacks);
	tcase_add_test(tc, an_address_may_be_numeric);
	tcase_add_test(tc, a_bad_address_is_refused);
	tcase_add_test(tc, a_taken_port_is_named);
	tcase_add_test(tc, a_free_port_can_be_taken_again_at_once);
	tcase_add_test(tc, a_handler_of_the_wrong_kind_is_refused);
	tcase_add_test(tc, a_handler_of_no_method_is_refused);
	tcase_add_test(tc, connections_are_counted_until_they_close);
	tcase_add_test(tc, connections_over_the_limit_are_turned_away);
	tcase_add_test(tc, garbage_bytes_are_hung_up_on);
	tcase_add_test(tc, garbage_frames_are_hung_up_on);
	tcase_add_test(tc, a_silent_connection_is_hung_up_on);
	tcase_add_test(tc, a_lack_of_descriptors_does_not_kill_the_listener);
	tcase_add_test(tc, without_a_reserve_the_listener_resumes_by_itself);
	return run_case(tc, "rpc_listener");
}
