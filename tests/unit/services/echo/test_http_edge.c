#include <arpa/inet.h>
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "echo/http_edge.h"
#include "scene.h"

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
	options.on_end_arg = scene.world.work_metrics;
	ck_assert_int_eq(
		http_server_new(scene.world.root, &options, &server, &bad),
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
	scene_set_up(ECHO_TWO_PHASE);
	edge = (struct http_edge){ &scene.echo, (int64_t)10 * NS_PER_S };
	world_on_loop(&scene.world, make_server, NULL);
}

static void tear_down(void)
{
	if (client >= 0) {
		close(client);
	}
	world_on_loop(&scene.world, free_server, NULL);
	scene_tear_down();
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
	scene_be_sure();
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

/* From the worker's being asked to the decision on disk. */
static void let_it_decide(void)
{
	char text[512];

	fake_worker_await(&scene.worker);
	snprintf(text, sizeof(text), "Work completed for task %s",
		 scene.worker.task_id);
	fake_worker_say(&scene.worker, TWOPC_VERDICT_PREPARED, text);
	fake_db_complete(&scene.world.db, STATUS_OK, "");
}

static void let_it_commit(void)
{
	let_it_decide();
	fake_worker_say(&scene.worker, TWOPC_VERDICT_COMMITTED, "");
	fake_worker_end(&scene.worker, STATUS_OK, "");
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
	ck_assert_str_eq(scene.world.db.last_values[2], "r 1");
	ck_assert_str_eq(scene.worker.task_id, "r 1");
	ck_assert_str_eq(scene.worker.data, "good day");
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
	ck_assert_int_eq(sscanf(scene.worker.task_id, "req-%lld", &id), 1);
	ck_assert_int_gt(id, 1000000000);
	ck_assert_str_eq(scene.worker.data, "Hello");
}
END_TEST

START_TEST(the_header_names_the_request_where_the_parameter_does_not)
{
	send_request("GET /echo", "X-Request-ID: from-header\r\n", "");
	let_it_commit();
	ck_assert_int_eq(read_response(), 200);
	ck_assert_str_eq(scene.worker.task_id, "from-header");
}
END_TEST

START_TEST(the_parameter_goes_before_the_header)
{
	send_request("GET /echo?request_id=param", "X-Request-ID: header\r\n",
		     "");
	let_it_commit();
	ck_assert_int_eq(read_response(), 200);
	ck_assert_str_eq(scene.worker.task_id, "param");
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
	ck_assert_str_eq(scene.worker.task_id, "r1");
	ck_assert_str_eq(scene.worker.data, "a+b");
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
	fake_worker_await(&scene.worker);
	left_ns = ctx_deadline_ns(scene.worker.ctx) - before_ns;
	ck_assert_int_ge(left_ns, cases[_i].seconds * NS_PER_S);
	ck_assert_int_lt(left_ns, (cases[_i].seconds + 1) * NS_PER_S);
	sem_post(&scene.worker.called); /* it was awaited already */
	let_it_commit();
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
	fake_worker_await(&scene.worker);
	fake_worker_end(&scene.worker, cases[_i].code, "no");
	ck_assert_int_eq(read_response(), cases[_i].http);
	ck_assert_str_eq(body_of_response(), cases[_i].body);
	ck_assert_int_eq(strcasestr(response, "Retry-After:") != NULL,
			 cases[_i].http == 503);
	ck_assert_ptr_nonnull(strcasestr(response, "X-Request-ID: r1\r\n"));
}
END_TEST

/* Serve the loop until the log says so. */
static void await_log(const char *text)
{
	for (int i = 0; i < 5000 && !world_logged(&scene.world, text); i++) {
		world_block_loop(&scene.world, 0);
	}
	ck_assert(world_logged(&scene.world, text));
}

START_TEST(a_client_that_leaves_is_counted_as_499)
{
	send_request("GET /echo?request_id=r1", "", "");
	fake_worker_await(&scene.worker);
	close(client);
	client = -1;
	await_log("status=499 cause=client_closed");
	ck_assert_int_eq(atomic_load(&scene.worker.rollbacks), 1);
	fake_worker_say(&scene.worker, TWOPC_VERDICT_ROLLED_BACK, "");
	fake_worker_end(&scene.worker, STATUS_OK, "");
	ck_assert(world_counted(&scene.world,
				"rescind_http_responses_total{code=\"499\","
				"service=\"echo\"}",
				1));
	ck_assert_int_eq(scene.world.db.rolled_back, 1);
}
END_TEST

START_TEST(what_the_worker_can_not_confirm_in_time_is_202)
{
	send_request("GET /echo?request_id=a%2F%22b&timeout=100ms",
		     _i == 0 ? "" : "Accept: application/json\r\n", "");
	let_it_decide();
	ck_assert_int_eq(read_response(), 202);
	ck_assert_ptr_nonnull(
		strcasestr(response, "Location: /echo/a%2F%22b\r\n"));
	ck_assert_str_eq(
		body_of_response(),
		_i == 0 ? "Accepted: committed, and will be completed at the "
			  "worker; ask /echo/a%2F%22b\n"
			: "{\"status\":\"completing\",\"request_id\":"
			  "\"a/\\\"b\",\"message\":\"Work completed for "
			  "task a/\\\"b\"}\n");
}
END_TEST

/* ---- keys --------------------------------------------------------------- */

static const struct {
	const char *key, *fingerprint;
} kept = { "k1", "c0ffee" };

/* What reads find: one request, its decision, one key. */
static const char *found_request;
static const char *found_decided;
static bool found_key;

static enum status_code find(void *self, db_stmt stmt,
			     const struct db_value *values, size_t values_n,
			     db_row_fn on_row, void *arg, int64_t *ret_changes,
			     struct status *reterr)
{
	const struct db_value one[] = { db_integer(1) };
	const struct db_value decided[] = { db_text(found_decided) };
	const struct db_value key[] = { db_text(kept.fingerprint),
					db_text("r0"), db_text(""),
					db_text("first") };
	const struct db_value decision[] = { db_text(found_decided),
					     db_text("worker:1"),
					     db_text("r\t0"),
					     db_integer(1738324800123) };

	(void)self, (void)ret_changes, (void)reterr, (void)values_n;
	if (stmt == ECHO_STORE_FIND && found_request != NULL) {
		ck_assert_uint_eq(values[0].size, strlen(found_request));
		(void)fake_row(on_row, arg, one, 1);
	} else if (stmt == ECHO_STORE_FIND_DECIDED && found_decided != NULL) {
		(void)fake_row(on_row, arg, decided, 1);
	} else if (stmt == ECHO_STORE_FIND_KEY && found_key) {
		(void)fake_row(on_row, arg, key, 4);
	} else if (stmt == ECHO_STORE_TWOPC + TWOPC_DECISIONS_LIST &&
		   found_decided != NULL) {
		(void)fake_row(on_row, arg, decision, 4);
	}
	return STATUS_OK;
}

/* Send, and let the database find what it has. */
static int ask(const char *line, const char *headers)
{
	scene.world.db.exec = find;
	send_request(line, headers, "");
	fake_db_await(&scene.world.db);
	fake_db_complete(&scene.world.db, STATUS_OK, "");
	return read_response();
}

START_TEST(a_bad_key_is_refused)
{
	char headers[512];

	if (_i == 0) {
		snprintf(headers, sizeof(headers), "Idempotency-Key: a b\r\n");
	} else {
		snprintf(headers, sizeof(headers),
			 "Idempotency-Key: %0256d\r\n", 1);
	}
	send_request("GET /echo", headers, "");
	ck_assert_int_eq(read_response(), 400);
	ck_assert_str_eq(body_of_response(),
			 "Idempotency-Key must be of 1 to 255 visible ASCII "
			 "characters\n");
}
END_TEST

START_TEST(a_key_of_another_request_is_422)
{
	found_key = true;
	ck_assert_int_eq(
		ask("GET /echo?request_id=r0", "Idempotency-Key: k1\r\n"), 422);
	ck_assert_str_eq(body_of_response(), "this Idempotency-Key was used "
					     "for another request\n");
	ck_assert_int_eq(scene.world.db.begun, 0);
}
END_TEST

START_TEST(a_key_whose_first_request_is_under_way_is_409)
{
	int first;

	scene.world.db.exec = find;
	send_request("GET /echo?request_id=r0", "Idempotency-Key: k1\r\n", "");
	fake_db_await(&scene.world.db);
	first = client;
	send_request("GET /echo?request_id=r0", "Idempotency-Key: k1\r\n", "");
	ck_assert_int_eq(read_response(), 409);
	ck_assert_ptr_nonnull(strcasestr(response, "Retry-After: 1\r\n"));
	close(client);
	client = first;
	fake_db_complete(&scene.world.db, STATUS_OK, "");
	let_it_commit();
	ck_assert_int_eq(read_response(), 200);
	ck_assert_int_eq(scene.world.db.inserted[ECHO_STORE_INSERT_KEY], 1);
}
END_TEST

/* ---- asking ------------------------------------------------------------- */

START_TEST(a_request_that_is_stored_is_committed)
{
	found_request = "a/b";
	ck_assert_int_eq(ask("GET /echo/a%2Fb", ""), 200);
	ck_assert_str_eq(body_of_response(), "Committed: a/b\n");
}
END_TEST

START_TEST(a_request_that_is_stored_is_committed_in_json)
{
	found_request = "r1";
	ck_assert_int_eq(ask("GET /echo/r1", "Accept: application/json\r\n"),
			 200);
	ck_assert_str_eq(body_of_response(),
			 "{\"status\":\"committed\",\"request_id\":"
			 "\"r1\"}\n");
}
END_TEST

static void load_decided(void)
{
	struct status bad;

	found_decided = "01935d0a9c40-5f2ac04e91b3d877-000000000007";
	pthread_mutex_lock(&scene.keeper.lock);
	ck_assert_int_eq(twopc_registry_load(scene.keeper.registry,
					     found_decided, 0, &bad),
			 STATUS_OK);
	pthread_mutex_unlock(&scene.keeper.lock);
}

START_TEST(a_request_that_is_not_confirmed_is_completing)
{
	load_decided();
	found_request = "r1";
	ck_assert_int_eq(ask("GET /echo/r1", ""), 202);
	ck_assert_str_eq(body_of_response(), "Completing: r1\n");
}
END_TEST

START_TEST(a_decision_that_is_only_not_forgotten_is_committed)
{
	found_decided = "01935d0a9c40-5f2ac04e91b3d877-000000000007";
	found_request = "r1";
	ck_assert_int_eq(ask("GET /echo/r1", ""), 200);
}
END_TEST

START_TEST(a_request_that_is_under_way_is_in_progress)
{
	int first;

	send_request("GET /echo?request_id=r1", "", "");
	fake_worker_await(&scene.worker);
	first = client;
	ck_assert_int_eq(ask("GET /echo/r1", ""), 202);
	ck_assert_str_eq(body_of_response(), "In progress: r1\n");
	close(client);
	client = first;
	sem_post(&scene.worker.called); /* it was awaited already */
	let_it_commit();
	ck_assert_int_eq(read_response(), 200);
}
END_TEST

START_TEST(a_request_that_nobody_knows_is_404)
{
	ck_assert_int_eq(ask("GET /echo/r1", ""), 404);
	ck_assert_ptr_nonnull(strstr(body_of_response(), "rolled back"));
}
END_TEST

START_TEST(a_name_that_no_request_can_have_is_404)
{
	char target[512] = "GET /echo/";
	size_t at = strlen(target);

	memset(target + at, 'x', ECHO_REQUEST_ID_SIZE_MAX + 1);
	send_request(target, "", "");
	ck_assert_int_eq(read_response(), 404);
}
END_TEST

/* ---- what is in doubt --------------------------------------------------- */

START_TEST(what_is_in_doubt_is_listed)
{
	load_decided();
	ck_assert_int_eq(ask("GET /transactions", ""), 200);
	ck_assert_str_eq(body_of_response(),
			 "{\"coordinator\":\"" SCENE_COORDINATOR "\","
			 "\"transactions\":[{\"transaction_id\":"
			 "\"01935d0a9c40-5f2ac04e91b3d877-000000000007\","
			 "\"request_id\":\"r\\t0\",\"standing\":\"orphaned\","
			 "\"since\":\"2025-01-31T12:00:00.123Z\","
			 "\"participant\":\"worker:1\"}]}\n");
}
END_TEST

START_TEST(what_is_in_doubt_is_listed_as_text)
{
	load_decided();
	ck_assert_int_eq(ask("GET /transactions?format=text&limit=1", ""), 200);
	ck_assert_str_eq(body_of_response(),
			 "01935d0a9c40-5f2ac04e91b3d877-000000000007\t"
			 "orphaned\t2025-01-31T12:00:00.123Z\tworker:1\tr?0\n");
}
END_TEST

START_TEST(what_is_confirmed_is_not_listed)
{
	found_decided = "01935d0a9c40-5f2ac04e91b3d877-000000000007";
	ck_assert_int_eq(ask("GET /transactions", ""), 200);
	ck_assert_str_eq(body_of_response(),
			 "{\"coordinator\":\"" SCENE_COORDINATOR "\","
			 "\"transactions\":[]}\n");
}
END_TEST

START_TEST(bad_parameters_of_the_list_are_refused)
{
	static const char *const targets[] = {
		"/transactions?limit=0",     "/transactions?limit=1001",
		"/transactions?limit=-1",    "/transactions?limit=1x",
		"/transactions?after=a%20b", "/transactions?format=xml",
	};

	ck_assert_int_eq(get(targets[_i]), 400);
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
	ck_assert_int_eq(scene.world.db.begun, 0);
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
	ck_assert_int_eq(scene.world.db.begun, 0);
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
	ck_assert_int_eq(scene.world.db.begun, 0);
}
END_TEST

static void add_keys(TCase *tc)
{
	tcase_add_loop_test(tc, what_the_worker_can_not_confirm_in_time_is_202,
			    0, 2);
	tcase_add_loop_test(tc, a_bad_key_is_refused, 0, 2);
	tcase_add_test(tc, a_key_of_another_request_is_422);
	tcase_add_test(tc, a_key_whose_first_request_is_under_way_is_409);
}

static void add_questions(TCase *tc)
{
	tcase_add_test(tc, a_request_that_is_stored_is_committed);
	tcase_add_test(tc, a_request_that_is_stored_is_committed_in_json);
	tcase_add_test(tc, a_request_that_is_not_confirmed_is_completing);
	tcase_add_test(tc, a_decision_that_is_only_not_forgotten_is_committed);
	tcase_add_test(tc, a_request_that_is_under_way_is_in_progress);
	tcase_add_test(tc, a_request_that_nobody_knows_is_404);
	tcase_add_test(tc, a_name_that_no_request_can_have_is_404);
	tcase_add_test(tc, what_is_in_doubt_is_listed);
	tcase_add_test(tc, what_is_in_doubt_is_listed_as_text);
	tcase_add_test(tc, what_is_confirmed_is_not_listed);
	tcase_add_loop_test(tc, bad_parameters_of_the_list_are_refused, 0, 6);
}

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
	add_keys(tc);
	add_questions(tc);
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
