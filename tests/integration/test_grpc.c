/* The worker as strangers meet it: grpcurl, with no .proto at hand. */
#include "harness/pair.h"
#include "harness/run.h"
#include "harness/suite.h"

#include <stdio.h>
#include <string.h>

enum { SKIPPED = 77 };

/* A worker alone, and its address. */
static void start_worker(struct pair *pair, const struct pair_options *options,
			 char ret_address[64])
{
	pair_prepare(pair, options);
	pair_start_worker(pair);
	snprintf(ret_address, 64, "localhost:%d", pair->grpc_port);
}

static void expect_text(const struct outcome *outcome, const char *text)
{
	ck_assert_msg(outcome->code == 0 && strstr(outcome->text, text) != NULL,
		      "%d, lacks '%s': %s", outcome->code, text, outcome->text);
}

START_TEST(list_and_describe)
{
	struct outcome outcome;
	struct pair pair;
	char address[64];

	start_worker(&pair, NULL, address);
	GRPCURL(&outcome, address, "list");
	expect_text(&outcome, "worker.WorkerService\n");
	expect_text(&outcome, "grpc.health.v1.Health\n");
	expect_text(&outcome, "grpc.reflection.v1.ServerReflection\n");
	expect_text(&outcome, "grpc.reflection.v1alpha.ServerReflection\n");
	GRPCURL(&outcome, address, "list", "worker.WorkerService");
	expect_text(&outcome, "worker.WorkerService.DoWork\n");
	GRPCURL(&outcome, address, "describe", "worker.WorkerService");
	expect_text(&outcome, "rpc DoWork ( .worker.WorkRequest ) returns "
			      "( .worker.WorkResponse );");
	GRPCURL(&outcome, address, "describe", "worker.WorkRequest");
	expect_text(&outcome, "string task_id = 1;");
	expect_text(&outcome, "string data = 2;");
	GRPCURL(&outcome, address, "describe");
	expect_text(&outcome, "service Health {");
	expect_text(&outcome, "service ServerReflection {");
	pair_end(&pair);
}
END_TEST

START_TEST(what_is_not_there_is_not_found)
{
	struct outcome outcome;
	struct pair pair;
	char address[64];

	start_worker(&pair, NULL, address);
	GRPCURL(&outcome, address, "describe", "worker.Nothing");
	ck_assert_int_ne(outcome.code, 0);
	ck_assert_ptr_nonnull(strstr(outcome.text, "not found"));
	pair_end(&pair);
}
END_TEST

START_TEST(a_call_completes)
{
	struct outcome outcome;
	struct pair pair;
	char address[64];

	start_worker(&pair, NULL, address);
	GRPCURL(&outcome, "-d", "{\"task_id\":\"t1\",\"data\":\"x\"}", address,
		"worker.WorkerService/DoWork");
	expect_text(&outcome, "\"success\": true");
	expect_text(&outcome, "\"message\": \"Work completed for task t1\"");
	process_await_id(&pair.worker,
			 "TRANSACTION COMMITTED for task_id=", "t1");
	ck_assert_int_eq(worker_rows(pair.worker_db, "t1"), 1);
	pair_end(&pair);
}
END_TEST

START_TEST(ctrl_c_leaves_no_row)
{
	struct pair_options options = { .work = "300s" };
	struct process grpcurl;
	struct pair pair;
	char address[64];

	start_worker(&pair, &options, address);
	PROCESS_START(&grpcurl, tool_find("grpcurl"), NULL, "-plaintext", "-d",
		      "{\"task_id\":\"ctrl-c\",\"data\":\"x\"}", address,
		      "worker.WorkerService/DoWork");
	pair_await_working(&pair, "ctrl-c");
	process_signal(&grpcurl, SIGINT);
	process_await_id(&pair.worker,
			 "Context cancelled for task_id=", "ctrl-c");
	worker_await_rolled_back(&pair, "ctrl-c");
	ck_assert_int_eq(worker_rows(pair.worker_db, "ctrl-c"), 0);
	ck_assert_int_ne(process_wait(&grpcurl), 0);
	process_release(&grpcurl);
	pair_end(&pair);
}
END_TEST

START_TEST(health_is_checked_by_service)
{
	struct outcome outcome;
	struct pair pair;
	char address[64];

	start_worker(&pair, NULL, address);
	GRPCURL(&outcome, address, "grpc.health.v1.Health/Check");
	expect_text(&outcome, "\"status\": \"SERVING\"");
	GRPCURL(&outcome, "-d", "{\"service\":\"worker.WorkerService\"}",
		address, "grpc.health.v1.Health/Check");
	expect_text(&outcome, "\"status\": \"SERVING\"");
	GRPCURL(&outcome, "-d", "{\"service\":\"nobody\"}", address,
		"grpc.health.v1.Health/Check");
	ck_assert_int_ne(outcome.code, 0);
	ck_assert_ptr_nonnull(strstr(outcome.text, "NotFound"));
	GRPCURL(&outcome, address, "grpc.health.v1.Health/List");
	expect_text(&outcome, "worker.WorkerService");
	pair_end(&pair);
}
END_TEST

/* The watch is told, and does not hold up the end. */
START_TEST(health_is_watched_until_the_end)
{
	struct process grpcurl;
	struct pair pair;
	char address[64];

	start_worker(&pair, NULL, address);
	PROCESS_START(&grpcurl, tool_find("grpcurl"), NULL, "-plaintext",
		      address, "grpc.health.v1.Health/Watch");
	process_await(&grpcurl, "\"SERVING\"", NULL);
	process_signal(&pair.worker, SIGTERM);
	process_await(&grpcurl, "\"NOT_SERVING\"", NULL);
	ck_assert_int_eq(process_wait(&pair.worker), 0);
	(void)process_wait(&grpcurl);
	process_release(&grpcurl);
	process_release(&pair.worker);
	pair_end(&pair);
}
END_TEST

START_TEST(an_unknown_service_is_watched_as_unknown)
{
	struct process grpcurl;
	struct pair pair;
	char address[64];

	start_worker(&pair, NULL, address);
	PROCESS_START(&grpcurl, tool_find("grpcurl"), NULL, "-plaintext", "-d",
		      "{\"service\":\"nobody\"}", address,
		      "grpc.health.v1.Health/Watch");
	process_await(&grpcurl, "\"SERVICE_UNKNOWN\"", NULL);
	ck_assert(process_is_alive(&grpcurl));
	process_kill(&grpcurl);
	pair_end(&pair);
}
END_TEST

START_TEST(callers_metadata_names_the_request)
{
	struct outcome outcome;
	struct pair pair;
	char address[64];

	start_worker(&pair, NULL, address);
	GRPCURL(&outcome, "-H", "request-id: by-hand-7", "-H",
		"traceparent: 00-0af7651916cd43dd8448eb211c80319c-"
		"b7ad6b7169203331-01",
		"-d", "{\"task_id\":\"named\"}", address,
		"worker.WorkerService/DoWork");
	ck_assert_int_eq(outcome.code, 0);
	process_await(&pair.worker, "TRANSACTION COMMITTED for task_id=named",
		      "request_id=by-hand-7");
	process_await(&pair.worker, "TRANSACTION COMMITTED for task_id=named",
		      "0af7651916cd43dd8448eb211c80319c");
	pair_end(&pair);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		list_and_describe,
		what_is_not_there_is_not_found,
		a_call_completes,
		ctrl_c_leaves_no_row,
		health_is_checked_by_service,
		health_is_watched_until_the_end,
		an_unknown_service_is_watched_as_unknown,
		callers_metadata_names_the_request,
		NULL,
	};

	if (!is_ci() && tool_find("grpcurl") == NULL) {
		return SKIPPED;
	}
	return suite_run("grpc", tests);
}
