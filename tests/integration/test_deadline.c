/* Deadlines: echo's, the client's own, and the worker's when nobody tells it.
 */
#include "harness/pair.h"
#include "harness/run.h"
#include "harness/suite.h"

#include <stdio.h>
#include <string.h>

static const struct pair_options impatient = { .work = "300s",
					       .timeout = "400ms" };

START_TEST(a_deadline_that_passes_is_504_and_rolls_back_both)
{
	struct pair pair;
	struct reply reply;

	pair_start(&pair, &impatient);
	http_get(pair.http_port, &reply, "/echo?request_id=late");
	ck_assert_int_eq(reply.status, 504);
	ck_assert_ptr_nonnull(strstr(reply.body, "Worker failed: rpc error: "
						 "code = DeadlineExceeded"));
	pair_expect_rolled_back(&pair, "late");
	pair_end(&pair);
}
END_TEST

START_TEST(a_client_may_lower_the_deadline)
{
	struct pair_options options = { .work = "300s", .timeout = "300s" };
	struct pair pair;

	pair_start(&pair, &options);
	ck_assert_int_eq(http_status_of(pair.http_port,
					"/echo?request_id=low&timeout=300ms"),
			 504);
	pair_expect_rolled_back(&pair, "low");
	pair_end(&pair);
}
END_TEST

START_TEST(a_client_can_not_raise_the_deadline)
{
	struct pair pair;

	pair_start(&pair, &impatient);
	ck_assert_int_eq(http_status_of(pair.http_port,
					"/echo?request_id=high&timeout=1h"),
			 504);
	pair_expect_rolled_back(&pair, "high");
	pair_end(&pair);
}
END_TEST

/* echo can't tell it: it stands still. */
START_TEST(the_worker_minds_the_deadline_by_itself)
{
	struct pair_options options = { .work = "300s", .timeout = "1s" };
	struct pair pair;
	struct client client;
	struct reply reply;

	pair_start(&pair, &options);
	pair_send_working(&pair, &client, "frozen");
	process_pause(&pair.echo);
	worker_await_rolled_back(&pair, "frozen");
	ck_assert_int_eq(worker_rows(pair.worker_db, "frozen"), 0);
	process_resume(&pair.echo);
	ck_assert(client_receive(&client, &reply));
	ck_assert_int_eq(reply.status, 504);
	pair_expect_rolled_back(&pair, "frozen");
	client_close(&client);
	pair_end(&pair);
}
END_TEST

/*
 * When it goes on, its timer is overdue: it must read that the caller has left
 * before it commits.
 */
START_TEST(a_stopped_worker_is_504_and_never_commits_late)
{
	struct pair_options options = { .work = "600ms", .timeout = "1500ms" };
	struct pair pair;
	struct client client;
	struct reply reply;

	pair_start(&pair, &options);
	pair_send_working(&pair, &client, "stopped");
	process_pause(&pair.worker);
	ck_assert(client_receive(&client, &reply));
	ck_assert_int_eq(reply.status, 504);
	echo_await_rolled_back(&pair, "stopped");
	process_resume(&pair.worker);
	pair_expect_rolled_back(&pair, "stopped");
	client_close(&client);
	pair_expect_works(&pair, "afterwards");
	pair_expect_rows(&pair, "stopped", 0, 0);
	pair_end(&pair);
}
END_TEST

/* The client leaves while the worker stands still: news that wait in a socket.
 */
START_TEST(a_worker_that_was_stopped_hears_of_a_client_that_left)
{
	struct pair_options options = { .work = "600ms", .timeout = "300s" };
	struct pair pair;
	struct client client;
	int64_t begun_ms;

	pair_start(&pair, &options);
	pair_send_working(&pair, &client, "gone");
	begun_ms = now_ms();
	process_pause(&pair.worker);
	client_close(&client);
	echo_await_rolled_back(&pair, "gone");
	/* Until its work is overdue as well. */
	UNTIL(now_ms() > begun_ms + 900);
	process_resume(&pair.worker);
	pair_expect_rolled_back(&pair, "gone");
	pair_end(&pair);
}
END_TEST

START_TEST(a_stopped_pair_rolls_back_both_when_it_goes_on)
{
	struct pair_options options = { .work = "600ms", .timeout = "1s" };
	struct pair pair;
	struct client client;
	int64_t begun_ms;

	pair_start(&pair, &options);
	pair_send_working(&pair, &client, "both");
	begun_ms = now_ms();
	process_pause(&pair.worker);
	process_pause(&pair.echo);
	UNTIL(now_ms() > begun_ms + 1500);
	process_resume(&pair.worker);
	process_resume(&pair.echo);
	pair_expect_rolled_back(&pair, "both");
	client_close(&client);
	pair_end(&pair);
}
END_TEST

START_TEST(grpcurl_with_max_time_leaves_no_row)
{
	struct pair_options options = { .work = "300s" };
	struct outcome outcome;
	struct pair pair;
	char address[64];

	if (tool_find("grpcurl") == NULL) {
		return;
	}
	pair_prepare(&pair, &options);
	pair_start_worker(&pair);
	snprintf(address, sizeof(address), "localhost:%d", pair.grpc_port);
	GRPCURL(&outcome, "-max-time", "1", "-d",
		"{\"task_id\":\"brief\",\"data\":\"x\"}", address,
		"worker.WorkerService/DoWork");
	ck_assert_int_ne(outcome.code, 0);
	ck_assert_ptr_nonnull(strstr(outcome.text, "DeadlineExceeded"));
	worker_await_rolled_back(&pair, "brief");
	ck_assert_int_eq(worker_rows(pair.worker_db, "brief"), 0);
	pair_end(&pair);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		a_deadline_that_passes_is_504_and_rolls_back_both,
		a_client_may_lower_the_deadline,
		a_client_can_not_raise_the_deadline,
		the_worker_minds_the_deadline_by_itself,
		a_stopped_worker_is_504_and_never_commits_late,
		a_worker_that_was_stopped_hears_of_a_client_that_left,
		a_stopped_pair_rolls_back_both_when_it_goes_on,
		grpcurl_with_max_time_leaves_no_row,
		NULL,
	};

	return suite_run("deadline", tests);
}
