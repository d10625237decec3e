/* A client whose server is not there, goes, or comes back. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fixture.h"

/* A port on which nobody listens. */
static uint16_t silent_port(struct fixture *f)
{
	fixture_start_server(f);
	f->server_options.port = rpc_server_port(f->server);
	fixture_stop_server(f);
	return f->server_options.port;
}

START_TEST(no_server_is_unavailable_at_once)
{
	struct fixture f;
	struct outcome outcome;
	int64_t began_ns;

	fixture_init(&f);
	silent_port(&f);
	fixture_start_client(&f);
	for (int i = 0; i < 3; i++) {
		began_ns = clock_now_ns();
		call_text(&f, "Echo", "x", &outcome);
		ck_assert_int_eq(outcome.status.code, STATUS_UNAVAILABLE);
		ck_assert_int_lt(outcome.at_ns - began_ns, NS_PER_S);
	}
	ck_assert(!rpc_channel_is_ready(f.channel, false));
	fixture_stop(&f);
}
END_TEST

/* Call until @until_ns has passed or the status is another than UNAVAILABLE. */
static enum status_code call_until(struct fixture *f, int64_t until_ns)
{
	struct outcome outcome;

	do {
		call_text(f, "Echo", "x", &outcome);
	} while (outcome.status.code == STATUS_UNAVAILABLE &&
		 clock_now_ns() < until_ns);
	return outcome.status.code;
}

/* Twice, since a back-off may happen to be over in time by itself. */
START_TEST(a_server_that_comes_back_is_found_soon)
{
	int64_t growing_ns = 1500 * (int64_t)NS_PER_MS;
	int64_t soon_ns = 250 * (int64_t)NS_PER_MS;
	struct fixture f;

	fixture_init(&f);
	silent_port(&f);
	fixture_start_client(&f);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(call_until(&f, clock_now_ns() + growing_ns),
				 STATUS_UNAVAILABLE);
		fixture_start_server(&f);
		ck_assert_int_eq(call_until(&f, clock_now_ns() + soon_ns),
				 STATUS_OK);
		fixture_stop_server(&f);
	}
	fixture_stop(&f);
}
END_TEST

START_TEST(a_call_may_wait_for_its_server)
{
	Tester__Text request = TESTER__TEXT__INIT;
	struct fixture f;
	struct outcome outcome;
	struct ctx *ctx;

	fixture_init(&f);
	silent_port(&f);
	f.channel_options.wait_for_ready = true;
	fixture_start_client(&f);
	ctx = fixture_ctx(&f, 15000);
	outcome_init(&outcome);
	call_begin(&f, ctx, "Echo", &request, NULL, &outcome);
	ck_assert(!signal_await_ms(&outcome.done, 1, 100));
	fixture_start_server(&f);
	outcome_await(&outcome);
	ck_assert_int_eq(outcome.status.code, STATUS_OK);
	ctx_unref(ctx);
	fixture_stop(&f);
}
END_TEST

START_TEST(a_channel_says_whether_it_is_connected)
{
	struct fixture f;

	fixture_start(&f);
	ck_assert(!rpc_channel_is_ready(f.channel, false));
	while (!rpc_channel_is_ready(f.channel, true)) {
		sched_yield();
	}
	fixture_stop_server(&f);
	while (rpc_channel_is_ready(f.channel, false)) {
		sched_yield();
	}
	fixture_stop(&f);
}
END_TEST

START_TEST(a_target_is_needed)
{
	struct rpc_channel_options options;
	struct rpc_channel *channel;
	struct fixture f;
	struct status st;

	fixture_init(&f);
	rpc_channel_options_init(&options);
	ck_assert_int_eq(rpc_channel_new(f.poller, &options, &channel, &st),
			 STATUS_INVALID_ARGUMENT);
	fixture_stop(&f);
}
END_TEST

/* A server of a few raw bytes. */
static int listen_raw(struct fixture *f)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t size = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, size), 0);
	ck_assert_int_eq(listen(fd, 8), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&at, &size), 0);
	snprintf(f->target, sizeof(f->target), "127.0.0.1:%u",
		 ntohs(at.sin_port));
	return fd;
}

static void check_raw_server(const char *bytes, size_t size, bool closes)
{
	Tester__Text request = TESTER__TEXT__INIT;
	struct fixture f;
	struct outcome outcome;
	struct ctx *ctx;
	int listener, fd;

	fixture_init(&f);
	listener = listen_raw(&f);
	f.channel_options.keepalive_ns = 200 * (int64_t)NS_PER_MS;
	f.channel_options.keepalive_timeout_ns = 200 * (int64_t)NS_PER_MS;
	fixture_start_client(&f);
	ctx = fixture_ctx(&f, 60000);
	outcome_init(&outcome);
	call_begin(&f, ctx, "Echo", &request, NULL, &outcome);
	fd = accept(listener, NULL, NULL);
	close(listener);
	ck_assert_int_eq(write(fd, bytes, size), (ssize_t)size);
	if (closes) {
		close(fd);
	}
	outcome_await(&outcome);
	ck_assert_msg(outcome.status.code == STATUS_UNAVAILABLE, "%s",
		      outcome.status.message);
	if (!closes) {
		close(fd);
	}
	ctx_unref(ctx);
	fixture_stop(&f);
}

/* SETTINGS, and an end of file or nothing more. */
static const char settings[] = "\0\0\0\4\0\0\0\0\0";

START_TEST(keepalive_notices_a_silent_server)
{
	check_raw_server(settings, sizeof(settings) - 1, false);
}
END_TEST

START_TEST(a_lost_connection_is_unavailable)
{
	check_raw_server(settings, sizeof(settings) - 1, true);
}
END_TEST

START_TEST(a_server_that_speaks_no_http2_is_unavailable)
{
	static const char bytes[] = "HTTP/1.1 400 Bad Request\r\n\r\n";

	check_raw_server(bytes, sizeof(bytes) - 1, true);
}
END_TEST

/* Calls begun on the loop's thread, and on the poller's. */
struct relay {
	struct fixture *f;
	struct ctx *ctx;
	int left;
	struct outcome outcome;
	struct signal done;
};

static void relay_call(struct relay *relay);

static void relay_done(const struct status *status,
		       const ProtobufCMessage *response,
		       const struct rpc_metadata *trailing, void *arg)
{
	struct relay *relay = arg;

	(void)response;
	(void)trailing;
	ck_assert_int_eq(status->code, STATUS_OK);
	if (--relay->left > 0) {
		relay_call(relay);
	} else {
		signal_raise(&relay->done);
	}
}

static void relay_call(struct relay *relay)
{
	Tester__Text request = TESTER__TEXT__INIT;

	rpc_unary(relay->f->channel, relay->ctx, &tester__tester__descriptor,
		  "Echo", &request.base, NULL, relay_done, relay);
}

static struct relay *the_relay;

static void begin_relay(struct fixture *f)
{
	(void)f;
	relay_call(the_relay);
}

START_TEST(calls_begin_on_the_loop_and_on_the_poller)
{
	struct fixture f;
	struct relay relay = { .f = &f, .left = 100 };

	fixture_start(&f);
	relay.ctx = fixture_ctx(&f, 10000);
	signal_init(&relay.done);
	the_relay = &relay;
	fixture_on_loop(&f, begin_relay);
	signal_await(&relay.done, 1);
	ctx_unref(relay.ctx);
	fixture_stop(&f);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("channel");

	tcase_add_test(tc, no_server_is_unavailable_at_once);
	tcase_add_test(tc, a_server_that_comes_back_is_found_soon);
	tcase_add_test(tc, a_call_may_wait_for_its_server);
	tcase_add_test(tc, a_channel_says_whether_it_is_connected);
	tcase_add_test(tc, a_target_is_needed);
	tcase_add_test(tc, keepalive_notices_a_silent_server);
	tcase_add_test(tc, a_lost_connection_is_unavailable);
	tcase_add_test(tc, a_server_that_speaks_no_http2_is_unavailable);
	tcase_add_test(tc, calls_begin_on_the_loop_and_on_the_poller);
	return run_case(tc, "rpc_channel");
}
