/* Too much: of requests at once, of connections, of descriptors. */
#include "harness/load.h"
#include "harness/run.h"
#include "harness/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static const struct pair_options two_in_echo = {
	.work = "300s",
	.timeout = "300s",
	.echo_flags = FLAGS("-max-in-flight=2"),
};

START_TEST(more_than_echo_admits_is_503_at_once)
{
	struct pair pair;
	struct client first;
	struct client second;
	struct reply reply;
	char seconds[256];

	pair_start(&pair, &two_in_echo);
	pair_send_working(&pair, &first, "first");
	pair_send_working(&pair, &second, "second");
	http_get(pair.http_port, &reply, "/echo?request_id=third");
	ck_assert_int_eq(reply.status, 503);
	ck_assert(reply_header(&reply, "Retry-After", seconds));
	ck_assert_uint_eq(process_count(&pair.worker, "=third", NULL), 0);
	/* Who looks after it must still get in. */
	ck_assert_int_eq(http_status_of(pair.http_port, "/healthz"), 200);
	ck_assert_int_eq(http_status_of(pair.http_port, "/metrics"), 200);
	client_close(&first);
	client_close(&second);
	pair_expect_rolled_back(&pair, "first");
	pair_expect_rolled_back(&pair, "second");
	pair_expect_rows(&pair, "third", 0, 0);
	/* There is room again. */
	pair_send_working(&pair, &first, "fourth");
	client_close(&first);
	pair_expect_rolled_back(&pair, "fourth");
	pair_end(&pair);
}
END_TEST

START_TEST(more_than_worker_admits_is_resource_exhausted_at_once)
{
	struct pair_options options = {
		.work = "300s",
		.timeout = "300s",
		.worker_flags = FLAGS("--max-in-flight", "1"),
	};
	struct pair pair;
	struct client client;
	struct outcome outcome;
	char address[64];

	if (tool_find("grpcurl") == NULL) {
		return;
	}
	pair_start(&pair, &options);
	pair_send_working(&pair, &client, "only");
	snprintf(address, sizeof(address), "localhost:%d", pair.grpc_port);
	GRPCURL(&outcome, "-d", "{\"task_id\":\"too-many\"}", address,
		"worker.WorkerService/DoWork");
	ck_assert_int_ne(outcome.code, 0);
	ck_assert_msg(strstr(outcome.text, "ResourceExhausted") != NULL, "%s",
		      outcome.text);
	ck_assert_int_eq(worker_rows(pair.worker_db, "too-many"), 0);
	GRPCURL(&outcome, address, "grpc.health.v1.Health/Check");
	ck_assert_int_eq(outcome.code, 0);
	client_close(&client);
	pair_expect_rolled_back(&pair, "only");
	pair_end(&pair);
}
END_TEST

/* ---- descriptors --------------------------------------------------------- */

enum { DESCRIPTORS = 160, FLOOD = 600 };
static const struct process_options few = { .descriptors_max = DESCRIPTORS };

START_TEST(fewer_descriptors_admit_fewer_and_it_says_so)
{
	struct pair_options options = { .echo_process = &few,
					.worker_process = &few };
	struct pair pair;

	pair_start(&pair, &options);
	process_await(&pair.echo, "-max-in-flight lowered from 4096 to",
		      "descriptors");
	process_await(&pair.worker, "-max-in-flight lowered from 4096 to",
		      "descriptors");
	pair_expect_works(&pair, "with-few");
	pair_end(&pair);
}
END_TEST

/* Connections that say nothing, and then something, and then go. */
static void flood(int port)
{
	struct client *clients = calloc(FLOOD, sizeof(*clients));

	ck_assert_ptr_nonnull(clients);
	for (int i = 0; i < FLOOD; i++) {
		/* Beyond the backlog nobody is let in; that is fine. */
		(void)client_try_open(&clients[i], port);
	}
	for (int i = 0; i < FLOOD; i++) {
		if (clients[i].fd >= 0) {
			(void)client_send(&clients[i], "P", 1);
		}
	}
	for (int i = 0; i < FLOOD; i++) {
		if (clients[i].fd >= 0) {
			client_reset(&clients[i]);
		}
	}
	free(clients);
}

START_TEST(a_flood_of_connections_to_echo_is_survived)
{
	struct pair_options options = { .work = "0s", .echo_process = &few };
	struct pair pair;

	pair_start(&pair, &options);
	pair_expect_works(&pair, "before");
	flood(pair.http_port);
	pair_await_ready(&pair);
	pair_expect_works(&pair, "after");
	pair_expect_rows(&pair, "before", 1, 1);
	ck_assert_uint_lt(process_descriptors(&pair.echo), DESCRIPTORS / 2);
	pair_end(&pair);
}
END_TEST

START_TEST(a_flood_of_connections_to_worker_is_survived)
{
	struct pair_options options = { .work = "0s", .worker_process = &few };
	struct pair pair;

	pair_start(&pair, &options);
	pair_expect_works(&pair, "before");
	flood(pair.grpc_port);
	/* A new connection, not the one that echo has. */
	process_end(&pair.echo);
	pair_start_echo(&pair);
	pair_await_ready(&pair);
	pair_expect_works(&pair, "after");
	UNTIL(process_descriptors(&pair.worker) < DESCRIPTORS / 2);
	pair_end(&pair);
}
END_TEST

/* Whatever it planned with, it may not open a single one now. */
static void take_descriptors_away(struct process *process,
				  struct rlimit *ret_before)
{
	struct rlimit none = { 0 };

	ck_assert_int_eq(prlimit(process->pid, RLIMIT_NOFILE, NULL, ret_before),
			 0);
	none.rlim_cur = process_descriptors(process);
	none.rlim_max = ret_before->rlim_max;
	ck_assert_int_eq(prlimit(process->pid, RLIMIT_NOFILE, &none, NULL), 0);
}

static void give_descriptors_back(struct process *process,
				  const struct rlimit *before)
{
	ck_assert_int_eq(prlimit(process->pid, RLIMIT_NOFILE, before, NULL), 0);
}

START_TEST(echo_without_any_descriptor_left_accepts_again_later)
{
	struct pair_options options = { .work = "0s" };
	struct pair pair;
	struct rlimit before;

	pair_start(&pair, &options);
	take_descriptors_away(&pair.echo, &before);
	flood(pair.http_port);
	give_descriptors_back(&pair.echo, &before);
	pair_await_ready(&pair);
	pair_expect_works(&pair, "after");
	pair_end(&pair);
}
END_TEST

START_TEST(worker_without_any_descriptor_left_accepts_again_later)
{
	struct pair_options options = { .work = "0s" };
	struct pair pair;
	struct rlimit before;

	pair_start(&pair, &options);
	take_descriptors_away(&pair.worker, &before);
	flood(pair.grpc_port);
	/* The connection that it has goes on to work. */
	pair_expect_works(&pair, "meanwhile");
	give_descriptors_back(&pair.worker, &before);
	process_end(&pair.echo);
	pair_start_echo(&pair);
	pair_await_ready(&pair);
	pair_expect_works(&pair, "after");
	pair_end(&pair);
}
END_TEST

START_TEST(a_flood_of_requests_to_echo_is_answered_or_refused)
{
	enum { REQUESTS = 400 };
	struct pair_options options = { .work = "300ms",
					.echo_process = &few,
					.worker_process = &few };
	struct load_request *requests = load_plan(REQUESTS, "flood");
	struct pair pair;
	size_t yes;

	pair_start(&pair, &options);
	load_run(pair.http_port, requests, REQUESTS, REQUESTS);
	yes = load_count(requests, REQUESTS, 200);
	printf("flood with %d descriptors: %zu of %d answered 200, %zu 503\n",
	       DESCRIPTORS, yes, REQUESTS, load_count(requests, REQUESTS, 503));
	ck_assert_uint_gt(yes, 0);
	for (int i = 0; i < REQUESTS; i++) {
		ck_assert_msg(requests[i].end != LOAD_ANSWERED ||
				      requests[i].status == 200 ||
				      requests[i].status == 503,
			      "answered %d", requests[i].status);
	}
	load_expect_consistent(&pair, requests, REQUESTS);
	pair_await_ready(&pair);
	pair_expect_works(&pair, "after");
	pair_end(&pair);
	free(requests);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		more_than_echo_admits_is_503_at_once,
		more_than_worker_admits_is_resource_exhausted_at_once,
		fewer_descriptors_admit_fewer_and_it_says_so,
		a_flood_of_connections_to_echo_is_survived,
		a_flood_of_connections_to_worker_is_survived,
		echo_without_any_descriptor_left_accepts_again_later,
		worker_without_any_descriptor_left_accepts_again_later,
		a_flood_of_requests_to_echo_is_answered_or_refused,
		NULL,
	};

	return suite_run("limits", tests);
}
