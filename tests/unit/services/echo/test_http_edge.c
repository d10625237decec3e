#include <arpa/inet.h>
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "echo/http_edge.h"
#include "fake_worker.h"
#include "world.h"

static struct world world;
static struct fake_worker peer;
static struct echo echo;
static struct http_edge edge;
static struct http_server *server;
static int client = -1;
static char response[1 << 16];

static void make_server(void *arg)
{
	struct http_options options;
	struct status bad;

	(void)arg;
	http_options_init(&options);
	options.on_end = http_edge_on_end;
	options.on_end_arg = world.work_metrics;
	ck_assert_int_eq(http_server_new(world.root, &options, &server, &bad),
			 STATUS_OK);
	http_edge_add(server, &edge);
	ck_assert_int_eq(http_server_start(server, &bad), STATUS_OK);
}

static void free_server(void *arg)
{
	(void)arg;
	http_server_stop_accepting(server);
	http_server_free(server);
}

static void set_up(void)
{
	world_init(&world, "echo");
	fake_worker_init(&peer);
	echo_init(&echo);
	echo.root = ctx_new(world.root, CLOCK_NEVER);
	echo.db = &world.db.db;
	echo.worker = &peer.port;
	echo.metrics = world.work_metrics;
	edge = (struct http_edge){ &echo, (int64_t)10 * NS_PER_S };
	world_on_loop(&world, make_server, NULL);
}

static void tear_down(void)
{
	if (client >= 0) {
		close(client);
	}
	world_on_loop(&world, free_server, NULL);
	ck_assert_uint_eq(echo_live(&echo), 0);
	fake_worker_release(&peer);
	world_release(&world);
	ctx_unref(echo.root);
}

/* ---- a client ----------------------------------------------------------- */

/* @line is method and target; @headers are lines that end in CRLF. */
static void send_request(const char *line, const char *headers,
			 const char *body)
{
	static char request[1 << 16];
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_port = htons(http_server_port(server)),
				  .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int size = snprintf(request, sizeof(request),
			    "%s HTTP/1.1\r\nHost: localhost\r\n"
			    "Connection: close\r\n%s\r\n%s",
			    line, headers, body);

	/* The database has just taken a write: it need not be tried. */
	atomic_store(&echo.written_ns, CLOCK_NEVER);
	atomic_store(&echo.locked_ns, CLOCK_NEVER);
	client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(connect(client, (struct sockaddr *)&at, sizeof(at)),
			 0);
	ck_assert_int_eq(send(client, request, (size_t)size, MSG_NOSIGNAL),
			 size);
}

/* Read up to the end; the status code. */
static int read_response(void)
{
	size_t size = 0;
	ssize_t n;

	while ((n = recv(client, response + size, sizeof(response) - 1 - size,
			 0)) > 0) {
		size += (size_t)n;
	}
	response[size] = '\0';
	return size > 12 ? atoi(response + 9) : 0;
}

static const char *body_of_response(void)
{
	const char *end = strstr(response, "\r\n\r\n");

	return end != NULL ? end + 4 : "";
}

static void let_it_commit(void)
{
	char text[512];

	fake_worker_await(&peer);
	snprintf(text, sizeof(text), "Work completed for task %s",
		 peer.task_id);
	fake_worker_reply(&peer, STATUS_OK, text);
	fake_db_complete(&world.db, STATUS_OK, "");
}

static int get(const char *target)
{
	char line[32 * 1024];

	snprintf(line, sizeof(line), "GET %s", target);
	send_request(line, "", "");
	return read_response();
}

/* ---- parameters --------------------------------------------------------- */

START_TEST(the_parameters_reach_both_processes)
{
	send_request("GET /echo?request_id=r%201&message=good+day", "", "");
	let_it_commit();
	ck_assert_int_eq(read_response(), 200);
	ck_assert_str_eq(body_of_response(),
			 "Success: Work completed for task r 1\n");
	ck_assert_ptr_nonnull(
		strstr(response, "text/plain; charset=utf-8\r\n"));
	ck_assert_str_eq(world.db.last_values[0], "r 1");
	ck_assert_str_eq(world.db.last_values[1], "good day");
	ck_assert_str_eq(peer.task_id, "r 1");
	ck_assert_str_eq(peer.data, "good day");
}
END_TEST

START_TEST(what_is_absent_or_empty_has_a_default)
{
	long long id;

	send_request(_i == 0 ? "GET /echo"
			     : "GET /echo?request_id=&message=&timeout=",
		     "", "");
	let_it_commit();
	ck_assert_int_eq(read_response(), 200);
	ck_assert_int_eq(sscanf(peer.task_id, "req-%lld", &id), 1);
	ck_assert_int_gt(id, 1000000000);
	ck_assert_str_eq(peer.data, "Hello");
}
END_TEST

START_TEST(the_header_names_the_request_where_the_parameter_does_not)
{
	send_request("GET /echo", "X-Request-ID: from-header\r\n", "");
	let_it_commit();
	ck_assert_int_eq(read_response(), 200);
	ck_assert_str_eq(peer.task_id, "from-header");
}
END_TEST

START_TEST(the_parameter_goes_before_the_header)
{
	send_request("GET /echo?request_id=param", "X-Request-ID: header\r\n",
		     "");
	let_it_commit();
	ck_assert_int_eq(read_response(), 200);
	ck_assert_str_eq(peer.task_id, "param");
	ck_assert_ptr_nonnull(strcasestr(response, "X-Request-ID: param\r\n"));
}
END_TEST

START_TEST(a_form_does_as_well_as_a_query)
{
	send_request("POST /echo",
		     "Content-Type: application/x-www-form-urlencoded; "
		     "charset=utf-8\r\nContent-Length: 27\r\n",
		     "request_id=r1&message=a%2Bb");
	let_it_commit();
	ck_assert_int_eq(read_response(), 200);
	ck_assert_str_eq(peer.task_id, "r1");
	ck_assert_str_eq(peer.data, "a+b");
}
END_TEST

START_TEST(the_timeout_lowers_the_deadline_and_never_raises_it)
{
	static const struct {
		const char *line;
		int64_t seconds;
	} cases[] = { { "GET /echo", 10 },
		      { "GET /echo?timeout=2s", 2 },
		      { "GET /echo?timeout=1m30s", 10 } };
	int64_t before_ns = clock_now_ns();
	int64_t left_ns;

	send_request(cases[_i].line, "", "");
	fake_worker_await(&peer);
	left_ns = ctx_deadline_ns(peer.ctx) - before_ns;
	ck_assert_int_ge(left_ns, cases[_i].seconds * NS_PER_S);
	ck_assert_int_lt(left_ns, (cases[_i].seconds + 1) * NS_PER_S);
	fake_worker_reply(&peer, STATUS_OK, "yes");
	fake_db_complete(&world.db, STATUS_OK, "");
	ck_assert_int_eq(read_response(), 200);
}
END_TEST

/* ---- answers ------------------------------------------------------------ */

START_TEST(json_for_those_who_accept_it)
{
	send_request("GET /echo?request_id=a%22b",
		     "Accept: application/json\r\n", "");
	let_it_commit();
	ck_assert_int_eq(read_response(), 200);
	ck_assert_ptr_nonnull(strstr(response, "application/json\r\n"));
	ck_assert_str_eq(body_of_response(),
			 "{\"status\":\"committed\",\"request_id\":\"a\\\"b\","
			 "\"message\":\"Work completed for task a\\\"b\"}\n");
}
END_TEST

START_TEST(the_workers_refusal_is_told_with_its_code)
{
	static const struct {
		enum status_code code;
		int http;
		const char *body;
	} cases[] = {
		{ STATUS_UNAVAILABLE, 503,
		  "Worker failed: rpc error: code = Unavailable desc = no\n" },
		{ STATUS_INVALID_ARGUMENT, 400,
		  "Worker failed: rpc error: code = InvalidArgument desc = "
		  "no\n" },
		{ STATUS_RESOURCE_EXHAUSTED, 503,
		  "Worker failed: rpc error: code = ResourceExhausted desc = "
		  "no\n" },
		{ STATUS_DEADLINE_EXCEEDED, 504,
		  "Worker failed: rpc error: code = DeadlineExceeded desc = "
		  "no\n" },
		{ STATUS_INTERNAL, 500,
		  "Worker failed: rpc error: code = Internal desc = no\n" },
	};

	send_request("GET /echo?request_id=r1", "", "");
	fake_worker_await(&peer);
	fake_worker_reply(&peer, cases[_i].code, "no");
	ck_assert_int_eq(read_response(), cases[_i].http);
	ck_assert_str_eq(body_of_response(), cases[_i].body);
	ck_assert_int_eq(strcasestr(response, "Retry-After:") != NULL,
			 cases[_i].http == 503);
	ck_assert_ptr_nonnull(strcasestr(response, "X-Request-ID: r1\r\n"));
}
END_TEST

START_TEST(a_client_that_leaves_is_counted_as_499)
{
	send_request("GET /echo?request_id=r1", "", "");
	fake_worker_await(&peer);
	close(client);
	client = -1;
	world_await_end(peer.ctx);
	fake_worker_reply(&peer, STATUS_CANCELLED, "");
	for (int i = 0; i < 1000; i++) { /* the server has to notice its end */
		world_block_loop(&world, 0);
		if (world_logged(&world, "status=499")) {
			break;
		}
	}
	ck_assert(world_logged(&world, "status=499 cause=client_closed"));
	ck_assert(world_counted(&world,
				"rescind_http_responses_total{code=\"499\","
				"service=\"echo\"}",
				1));
	ck_assert_int_eq(world.db.rolled_back, 1);
}
END_TEST

/* ---- bad input ---------------------------------------------------------- */

START_TEST(a_bad_timeout_is_refused_by_name)
{
	static const char *const targets[] = {
		"/echo?timeout=soon",
		"/echo?timeout=-1s",
		"/echo?timeout=0",
	};

	ck_assert_int_eq(get(targets[_i]), 400);
	ck_assert_ptr_nonnull(strstr(body_of_response(), "timeout"));
	ck_assert_int_eq(world.db.begun, 0);
}
END_TEST

START_TEST(an_id_that_is_too_long_is_refused)
{
	char target[512] = "/echo?request_id=";
	size_t at = strlen(target);

	memset(target + at, 'x', ECHO_REQUEST_ID_SIZE_MAX + 1);
	target[at + ECHO_REQUEST_ID_SIZE_MAX + 1] = '\0';
	ck_assert_int_eq(get(target), 400);
	ck_assert_str_eq(body_of_response(),
			 "request_id must not exceed 256 bytes\n");
	ck_assert_int_eq(world.db.begun, 0);
}
END_TEST

START_TEST(a_message_that_is_too_long_is_refused)
{
	static char body[ECHO_MESSAGE_SIZE_MAX + 64] = "message=";
	char headers[128];

	memset(body + 8, 'x', ECHO_MESSAGE_SIZE_MAX + 1);
	snprintf(headers, sizeof(headers),
		 "Content-Type: application/x-www-form-urlencoded\r\n"
		 "Content-Length: %zu\r\n",
		 strlen(body));
	send_request("POST /echo", headers, body);
	ck_assert_int_eq(read_response(), 413);
	ck_assert_str_eq(body_of_response(),
			 "message must not exceed 16384 bytes\n");
}
END_TEST

START_TEST(a_body_of_another_type_is_refused)
{
	static const char *const types[] = {
		"Content-Type: application/json\r\n",
		"Content-Type: application/x-www-form-urlencodedx\r\n",
		"",
	};
	char headers[128];

	snprintf(headers, sizeof(headers), "%sContent-Length: 2\r\n",
		 types[_i]);
	send_request("POST /echo", headers, "{}");
	ck_assert_int_eq(read_response(), 415);
	ck_assert_int_eq(world.db.begun, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("http_edge");
	TCase *tc = tcase_create("http_edge");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_set_timeout(tc, 20);
	tcase_add_test(tc, the_parameters_reach_both_processes);
	tcase_add_loop_test(tc, what_is_absent_or_empty_has_a_default, 0, 2);
	tcase_add_test(
		tc, the_header_names_the_request_where_the_parameter_does_not);
	tcase_add_test(tc, the_parameter_goes_before_the_header);
	tcase_add_test(tc, a_form_does_as_well_as_a_query);
	tcase_add_loop_test(
		tc, the_timeout_lowers_the_deadline_and_never_raises_it, 0, 3);
	tcase_add_test(tc, json_for_those_who_accept_it);
	tcase_add_loop_test(tc, the_workers_refusal_is_told_with_its_code, 0,
			    5);
	tcase_add_test(tc, a_client_that_leaves_is_counted_as_499);
	tcase_add_loop_test(tc, a_bad_timeout_is_refused_by_name, 0, 3);
	tcase_add_test(tc, an_id_that_is_too_long_is_refused);
	tcase_add_test(tc, a_message_that_is_too_long_is_refused);
	tcase_add_loop_test(tc, a_body_of_another_type_is_refused, 0, 3);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
