/* SIGTERM and SIGINT: what is in flight, what comes anew, and what is left. */
#include "harness/load.h"
#include "harness/run.h"
#include "harness/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXIT_FORCED = 3 };

/* Closed in order: the database is one file again. To be asked before anybody
 * else opens it. */
static void expect_checkpointed(const char *db)
{
	char beside[PATH_SIZE + 8];

	ck_assert(path_exists(db));
	snprintf(beside, sizeof(beside), "%s-wal", db);
	ck_assert_msg(!path_exists(beside), "%s is left", beside);
	snprintf(beside, sizeof(beside), "%s-shm", db);
	ck_assert_msg(!path_exists(beside), "%s is left", beside);
}

START_TEST(idle_programs_end_at_once_and_leave_one_file)
{
	struct pair pair;

	pair_start(&pair, NULL);
	ck_assert_int_eq(pair_request(&pair, "one"), 200);
	process_end(&pair.echo);
	process_end(&pair.worker);
	expect_checkpointed(pair.echo_db);
	expect_checkpointed(pair.worker_db);
	pair_expect_rows(&pair, "one", 1, 1);
	pair_end(&pair);
}
END_TEST

START_TEST(sigint_is_as_good_as_sigterm)
{
	struct pair pair;

	pair_start(&pair, NULL);
	process_signal(&pair.echo, SIGINT);
	ck_assert_int_eq(process_wait(&pair.echo), 0);
	process_signal(&pair.worker, SIGINT);
	ck_assert_int_eq(process_wait(&pair.worker), 0);
	process_release(&pair.echo);
	process_release(&pair.worker);
	pair_end(&pair);
}
END_TEST

START_TEST(echo_finishes_what_is_in_flight_and_refuses_what_is_new)
{
	struct pair_options options = { .work = "1500ms" };
	struct pair pair;
	struct client client;
	struct client idle;
	struct client late;
	struct reply reply;

	pair_start(&pair, &options);
	client_open(&idle, pair.http_port);
	ck_assert(client_get(&idle, "/readyz"));
	ck_assert(client_receive(&idle, &reply));
	ck_assert_int_eq(reply.status, 200);
	pair_send_working(&pair, &client, "in-flight");
	process_signal(&pair.echo, SIGTERM);
	/* Nobody new gets in. */
	UNTIL(!client_try_open(&late, pair.http_port) ||
	      (client_close(&late), false));
	/* Who is connected is told so, if not sent away. */
	if (client_get(&idle, "/readyz") && client_receive(&idle, &reply)) {
		ck_assert_int_eq(reply.status, 503);
	}
	if (client_get(&idle, "/echo?request_id=new") &&
	    client_receive(&idle, &reply)) {
		ck_assert_int_eq(reply.status, 503);
	}
	client_close(&idle);
	ck_assert(client_receive(&client, &reply));
	ck_assert_int_eq(reply.status, 200);
	client_close(&client);
	ck_assert_int_eq(process_wait(&pair.echo), 0);
	pair_expect_committed(&pair, "in-flight");
	pair_expect_rows(&pair, "new", 0, 0);
	process_release(&pair.echo);
	pair_end(&pair);
}
END_TEST

START_TEST(worker_finishes_what_is_in_flight_and_refuses_what_is_new)
{
	struct pair_options options = { .work = "1500ms" };
	struct pair pair;
	struct client client;
	struct reply reply;

	pair_start(&pair, &options);
	pair_send_working(&pair, &client, "in-flight");
	process_signal(&pair.worker, SIGTERM);
	/* Those that still get in are too impatient to commit. */
	UNTIL(http_status_of(pair.http_port,
			     "/echo?request_id=new&timeout=100ms") == 503);
	ck_assert(client_receive(&client, &reply));
	ck_assert_msg(reply.status == 200, "%d: %s", reply.status, reply.body);
	client_close(&client);
	ck_assert_int_eq(process_wait(&pair.worker), 0);
	pair_expect_committed(&pair, "in-flight");
	pair_expect_rows(&pair, "new", 0, 0);
	process_release(&pair.worker);
	pair_end(&pair);
}
END_TEST

/* With a drain delay it still serves, and says that it is leaving. */
START_TEST(readiness_and_health_turn_first)
{
	struct pair_options options = {
		.echo_flags = FLAGS("-drain-delay", "3s"),
		.worker_flags =
			FLAGS("-drain-delay", "3s", "-metrics-port", "0"),
	};
	struct pair pair;
	struct outcome outcome;
	char address[64];

	pair_start(&pair, &options);
	process_signal(&pair.echo, SIGTERM);
	UNTIL(http_status_of(pair.http_port, "/readyz") == 503);
	ck_assert_int_eq(http_status_of(pair.http_port, "/healthz"), 200);
	pair_expect_works(&pair, "still-served");
	process_signal(&pair.worker, SIGTERM);
	UNTIL(http_status_of(process_port(&pair.worker, "metrics_port"),
			     "/readyz") == 503);
	if (tool_find("grpcurl") != NULL) {
		snprintf(address, sizeof(address), "localhost:%d",
			 pair.grpc_port);
		GRPCURL(&outcome, address, "grpc.health.v1.Health/Check");
		ck_assert_msg(strstr(outcome.text, "NOT_SERVING") != NULL, "%s",
			      outcome.text);
	}
	ck_assert_int_eq(process_wait(&pair.echo), 0);
	ck_assert_int_eq(process_wait(&pair.worker), 0);
	process_release(&pair.echo);
	process_release(&pair.worker);
	pair_end(&pair);
}
END_TEST

START_TEST(at_the_shutdown_timeout_the_rest_is_rolled_back)
{
	struct pair_options options = {
		.work = "300s",
		.timeout = "300s",
		.echo_flags = FLAGS("-shutdown-timeout", "300ms"),
	};
	struct pair pair;
	struct client client;
	struct reply reply;

	pair_start(&pair, &options);
	pair_send_working(&pair, &client, "endless");
	process_signal(&pair.echo, SIGTERM);
	ck_assert_int_eq(process_wait(&pair.echo), EXIT_FORCED);
	expect_checkpointed(pair.echo_db);
	/* It was told, not just dropped. */
	ck_assert(client_receive(&client, &reply));
	ck_assert_int_eq(reply.status, 503);
	client_close(&client);
	pair_expect_rolled_back(&pair, "endless");
	process_release(&pair.echo);
	pair_end(&pair);
}
END_TEST

START_TEST(the_workers_shutdown_timeout_rolls_back_both)
{
	struct pair_options options = {
		.work = "300s",
		.timeout = "300s",
		.worker_flags = FLAGS("-shutdown-timeout", "300ms"),
	};
	struct pair pair;
	struct client client;
	struct reply reply;

	pair_start(&pair, &options);
	pair_send_working(&pair, &client, "endless");
	process_signal(&pair.worker, SIGTERM);
	ck_assert_int_eq(process_wait(&pair.worker), EXIT_FORCED);
	expect_checkpointed(pair.worker_db);
	ck_assert(client_receive(&client, &reply));
	ck_assert_int_eq(reply.status, 503);
	client_close(&client);
	pair_expect_rolled_back(&pair, "endless");
	process_release(&pair.worker);
	pair_end(&pair);
}
END_TEST

static void signal_twice(struct process *process)
{
	process_signal(process, SIGTERM);
	process_await(process, "SIGTERM", NULL);
	ck_assert(process_is_alive(process));
	process_signal(process, SIGTERM);
	ck_assert_int_eq(process_wait(process), EXIT_FORCED);
}

START_TEST(a_second_signal_does_not_wait)
{
	struct pair_options options = {
		.work = "300s",
		.timeout = "300s",
		.echo_flags = FLAGS("-shutdown-timeout", "300s"),
		.worker_flags = FLAGS("-shutdown-timeout", "300s"),
	};
	struct pair pair;
	struct client client;

	pair_start(&pair, &options);
	pair_send_working(&pair, &client, "first");
	signal_twice(&pair.echo);
	pair_expect_rolled_back(&pair, "first");
	client_close(&client);
	process_release(&pair.echo);

	pair_start_echo(&pair);
	pair_await_ready(&pair);
	pair_send_working(&pair, &client, "second");
	signal_twice(&pair.worker);
	pair_expect_rolled_back(&pair, "second");
	client_close(&client);
	process_release(&pair.worker);
	pair_end(&pair);
}
END_TEST

/* ---- under load ---------------------------------------------------------- */

enum { REQUESTS = 600, CLIENTS = 48 };

static void stop_under_load(bool stop_echo)
{
	struct pair_options options = { .work = "20ms", .log_level = "info" };
	struct load_request *requests = load_plan(REQUESTS, "busy");
	struct process *leaver;
	struct load load;
	struct pair pair;
	size_t yes;

	pair_start(&pair, &options);
	leaver = stop_echo ? &pair.echo : &pair.worker;
	load_start(&load, pair.http_port, requests, REQUESTS, CLIENTS);
	UNTIL(load_answered(&load) >= CLIENTS);
	process_signal(leaver, SIGTERM);
	ck_assert_int_eq(process_wait(leaver), 0);
	load_wait(&load);
	process_release(leaver);
	if (stop_echo) {
		expect_checkpointed(pair.echo_db);
		process_end(&pair.worker);
	} else {
		expect_checkpointed(pair.worker_db);
		process_end(&pair.echo);
	}
	yes = load_count(requests, REQUESTS, 200);
	printf("stopped %s under load: %zu answered 200, %zu 503, %zu others\n",
	       stop_echo ? "echo" : "worker", yes,
	       load_count(requests, REQUESTS, 503),
	       REQUESTS - yes - load_count(requests, REQUESTS, 503));
	for (int i = 0; i < REQUESTS; i++) {
		ck_assert_msg(requests[i].end != LOAD_ANSWERED ||
				      requests[i].status == 200 ||
				      requests[i].status == 503,
			      "answered %d", requests[i].status);
		/* Echo stays: it owes everyone an answer. */
		ck_assert(stop_echo || requests[i].end == LOAD_ANSWERED);
	}
	ck_assert_uint_ge(yes, CLIENTS);
	load_expect_consistent(&pair, requests, REQUESTS);
	pair_end(&pair);
	free(requests);
}

START_TEST(echo_stopped_under_load_loses_nothing)
{
	stop_under_load(true);
}
END_TEST

START_TEST(worker_stopped_under_load_loses_nothing)
{
	stop_under_load(false);
}
END_TEST

/* None of these can hold it up. */
START_TEST(slow_and_idle_clients_do_not_delay_the_end)
{
	static const char half[] = "POST /echo HTTP/1.1\r\nHost: localhost\r\n"
				   "Content-Length: 100\r\n\r\nrequest";
	struct pair_options options = {
		.echo_flags = FLAGS("-shutdown-timeout", "300s"),
		.worker_flags = FLAGS("-shutdown-timeout", "300s"),
	};
	struct pair pair;
	struct client silent;
	struct client half_sent;
	struct client kept;
	struct reply reply;

	pair_start(&pair, &options);
	client_open(&silent, pair.http_port);
	client_open(&half_sent, pair.http_port);
	ck_assert(client_send(&half_sent, half, strlen(half)));
	client_open(&kept, pair.http_port);
	ck_assert(client_get(&kept, "/echo?request_id=kept"));
	ck_assert(client_receive(&kept, &reply));
	ck_assert_int_eq(reply.status, 200);
	process_end(&pair.echo);
	client_close(&silent);
	client_close(&half_sent);
	client_close(&kept);
	client_open(&silent, pair.grpc_port);
	process_end(&pair.worker);
	client_close(&silent);
	pair_end(&pair);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		idle_programs_end_at_once_and_leave_one_file,
		sigint_is_as_good_as_sigterm,
		echo_finishes_what_is_in_flight_and_refuses_what_is_new,
		worker_finishes_what_is_in_flight_and_refuses_what_is_new,
		readiness_and_health_turn_first,
		at_the_shutdown_timeout_the_rest_is_rolled_back,
		the_workers_shutdown_timeout_rolls_back_both,
		a_second_signal_does_not_wait,
		echo_stopped_under_load_loses_nothing,
		worker_stopped_under_load_loses_nothing,
		slow_and_idle_clients_do_not_delay_the_end,
		NULL,
	};

	return suite_run("shutdown", tests);
}
