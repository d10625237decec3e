/*
 * The two stories that the pair is there to tell, with the programs as shipped:
 * three seconds of work, and a client that leaves after half a second.
 */
#include "harness/pair.h"
#include "harness/run.h"
#include "harness/suite.h"

#include <stdio.h>
#include <string.h>

static const struct pair_options as_shipped = { .work = "3s",
						.timeout = "10s" };

/* curl, which gives up after half a second. */
static void curl_leaves(struct pair *pair, const char *id)
{
	struct outcome curl;
	char url[PATH_SIZE];

	snprintf(url, sizeof(url),
		 "http://localhost:%d/echo?request_id=%s&message=hello",
		 pair->http_port, id);
	RUN(&curl, tool_find("curl"), NULL, "-sS", "-m", "0.5", url);
	ck_assert_int_eq(curl.code, 28);
	pair_expect_rolled_back(pair, id);
	process_await_id(&pair->worker, "Context cancelled for task_id=", id);
}

START_TEST(a_cancelled_request_leaves_no_row_and_a_patient_one_leaves_two)
{
	struct pair pair;
	struct reply reply;

	pair_start(&pair, &as_shipped);
	ck_assert_int_ne(pair.echo.pid, pair.worker.pid);
	curl_leaves(&pair, "test-cancelled");

	http_get(pair.http_port, &reply,
		 "/echo?request_id=test-001&message=hello");
	ck_assert_int_eq(reply.status, 200);
	ck_assert_str_eq(reply.body,
			 "Success: Work completed for task test-001\n");
	pair_expect_committed(&pair, "test-001");
	ck_assert_int_eq(
		rows_query(pair.echo_db, "SELECT COUNT(*) FROM echo_requests"),
		1);
	ck_assert_int_eq(
		rows_query(pair.worker_db, "SELECT COUNT(*) FROM worker_tasks"),
		1);
	pair_end(&pair);
}
END_TEST

START_TEST(a_closed_connection_reaches_the_other_process)
{
	struct pair pair;
	struct client client;

	pair_start(&pair, &as_shipped);
	pair_send_working(&pair, &client, "tcp-close");
	client_close(&client);
	process_await_id(&pair.worker,
			 "Context cancelled for task_id=", "tcp-close");
	pair_expect_rolled_back(&pair, "tcp-close");
	ck_assert_uint_gt(process_count(&pair.worker, "[WORKER]", NULL), 0);
	ck_assert_uint_gt(process_count(&pair.echo, "[ECHO]", NULL), 0);
	pair_end(&pair);
}
END_TEST

START_TEST(the_tables_have_the_shape_that_others_rely_on)
{
	struct pair pair;

	pair_start(&pair, NULL);
	pair_expect_works(&pair, "shape");
	ck_assert_int_eq(
		rows_query(pair.echo_db,
			   "SELECT COUNT(*) FROM echo_requests WHERE id = 1 "
			   "AND request_id = 'shape' AND message = 'hello' AND "
			   "abs(strftime('%s','now') - "
			   "strftime('%s', created_at)) < 100"),
		1);
	ck_assert_int_eq(
		rows_query(pair.worker_db,
			   "SELECT COUNT(*) FROM worker_tasks WHERE id = 1 AND "
			   "task_id = 'shape' AND data = 'hello' AND "
			   "abs(strftime('%s','now') - "
			   "strftime('%s', created_at)) < 100"),
		1);
	pair_end(&pair);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		a_cancelled_request_leaves_no_row_and_a_patient_one_leaves_two,
		a_closed_connection_reaches_the_other_process,
		the_tables_have_the_shape_that_others_rely_on,
		NULL,
	};

	return suite_run("scenarios", tests);
}
