/* A process that is not there, or dies: what is left of its work. */
#include "harness/pair.h"
#include "harness/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct pair_options endless = { .work = "300s",
					     .timeout = "300s" };

static void expect_503(const struct reply *reply)
{
	char seconds[256];

	ck_assert_int_eq(reply->status, 503);
	ck_assert(reply_header(reply, "Retry-After", seconds));
	ck_assert_int_ge(atoi(seconds), 1);
	ck_assert_ptr_nonnull(strstr(reply->body,
				     "Worker failed: rpc error: "
				     "code = Unavailable desc = "));
}

START_TEST(without_a_worker_it_is_503_at_once_until_one_comes)
{
	struct pair_options options = { .timeout = "300s" };
	struct pair pair;
	struct reply reply;

	pair_prepare(&pair, &options);
	pair.grpc_port = free_port();
	pair_start_echo(&pair);
	/* Would it wait for the deadline, the test would not. */
	http_get(pair.http_port, &reply, "/echo?request_id=alone");
	expect_503(&reply);
	echo_await_rolled_back(&pair, "alone");
	ck_assert_int_eq(echo_rows(pair.echo_db, "alone"), 0);
	http_get(pair.http_port, &reply, "/readyz");
	ck_assert_int_eq(reply.status, 503);
	ck_assert_ptr_nonnull(strstr(reply.body, "worker"));
	ck_assert_int_eq(http_status_of(pair.http_port, "/healthz"), 200);

	pair_start_worker(&pair);
	pair_await_ready(&pair);
	pair_expect_works(&pair, "together");
	pair_end(&pair);
}
END_TEST

START_TEST(a_worker_killed_in_the_middle_is_503_and_leaves_nothing)
{
	struct pair_options options = endless;
	struct pair pair;
	struct client client;
	struct reply reply;

	pair_start(&pair, &options);
	pair_send_working(&pair, &client, "orphan");
	process_kill(&pair.worker);
	ck_assert(client_receive(&client, &reply));
	expect_503(&reply);
	echo_await_rolled_back(&pair, "orphan");
	ck_assert_int_eq(echo_rows(pair.echo_db, "orphan"), 0);
	client_close(&client);

	options.work = "10ms";
	pair_start_worker(&pair);
	ck_assert_int_eq(worker_rows(pair.worker_db, "orphan"), 0);
	pair_await_ready(&pair);
	pair_expect_works(&pair, "next");
	pair_expect_rows(&pair, "orphan", 0, 0);
	pair_end(&pair);
}
END_TEST

START_TEST(an_echo_killed_in_the_middle_has_its_worker_roll_back_at_once)
{
	struct pair_options options = endless;
	struct pair pair;
	struct client client;

	pair_start(&pair, &options);
	pair_send_working(&pair, &client, "orphan");
	process_kill(&pair.echo);
	ck_assert(client_sees_end(&client));
	client_close(&client);
	process_await_id(&pair.worker,
			 "Context cancelled for task_id=", "orphan");
	worker_await_rolled_back(&pair, "orphan");
	ck_assert_int_eq(worker_rows(pair.worker_db, "orphan"), 0);

	pair_start_echo(&pair);
	pair_await_ready(&pair);
	pair_expect_rows(&pair, "orphan", 0, 0);
	pair_end(&pair);
}
END_TEST

START_TEST(what_was_answered_survives_the_death_of_both)
{
	enum { REQUESTS = 20 };
	struct pair_options options = { .work = "0s" };
	struct pair pair;
	char id[32];

	pair_start(&pair, &options);
	for (int i = 0; i < REQUESTS; i++) {
		snprintf(id, sizeof(id), "kept-%d", i);
		ck_assert_int_eq(pair_request(&pair, id), 200);
	}
	process_kill(&pair.echo);
	process_kill(&pair.worker);
	pair_start_worker(&pair);
	pair_start_echo(&pair);
	pair_await_ready(&pair);
	for (int i = 0; i < REQUESTS; i++) {
		snprintf(id, sizeof(id), "kept-%d", i);
		pair_expect_rows(&pair, id, 1, 1);
	}
	pair_end(&pair);
}
END_TEST

START_TEST(the_workers_refusal_is_told_with_its_code)
{
	struct pair_options options = { .work = "300s",
					.timeout = "300s",
					.worker_flags =
						FLAGS("-max-in-flight", "1") };
	struct pair pair;
	struct client client;
	struct reply reply;

	pair_start(&pair, &options);
	pair_send_working(&pair, &client, "first");
	http_get(pair.http_port, &reply, "/echo?request_id=refused");
	ck_assert_int_eq(reply.status, 503);
	ck_assert_ptr_nonnull(strstr(reply.body,
				     "Worker failed: rpc error: "
				     "code = ResourceExhausted desc = "));
	echo_await_rolled_back(&pair, "refused");
	pair_expect_rows(&pair, "refused", 0, 0);
	client_close(&client);
	pair_expect_rolled_back(&pair, "first");
	pair_end(&pair);
}
END_TEST

START_TEST(a_worker_that_comes_and_goes_is_found_each_time)
{
	struct pair_options options = { .work = "0s" };
	struct pair pair;
	char id[32];

	pair_start(&pair, &options);
	for (int i = 0; i < 3; i++) {
		snprintf(id, sizeof(id), "round-%d", i);
		pair_expect_works(&pair, id);
		process_end(&pair.worker);
		UNTIL(http_status_of(pair.http_port, "/readyz") == 503);
		pair_start_worker(&pair);
		pair_await_ready(&pair);
	}
	pair_end(&pair);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		without_a_worker_it_is_503_at_once_until_one_comes,
		a_worker_killed_in_the_middle_is_503_and_leaves_nothing,
		an_echo_killed_in_the_middle_has_its_worker_roll_back_at_once,
		what_was_answered_survives_the_death_of_both,
		the_workers_refusal_is_told_with_its_code,
		a_worker_that_comes_and_goes_is_found_each_time,
		NULL,
	};

	return suite_run("death", tests);
}
