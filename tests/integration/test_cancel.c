/* A client leaves: in every way in which clients leave, and at every moment. */
#include "harness/pair.h"
#include "harness/run.h"
#include "harness/suite.h"

#include <stdio.h>
#include <string.h>

/* Work that ends only by cancellation, so that no test waits for it. */
static const struct pair_options endless = { .work = "300s",
					     .timeout = "300s" };
static const struct pair_options endless_probe = {
	.work = "300s",
	.timeout = "300s",
	.echo_flags = FLAGS("-half-close=probe"),
};
static const struct pair_options brief_probe = {
	.work = "500ms",
	.echo_flags = FLAGS("-half-close", "probe"),
};

/* Logged and counted as 499, with the cause. */
static void expect_499(struct pair *pair, const char *id, const char *cause)
{
	char series[PATH_SIZE];
	char request_id[64];

	snprintf(request_id, sizeof(request_id), "request_id=%s ", id);
	process_await(&pair->echo, "status=499", request_id);
	snprintf(series, sizeof(series), "status=499 cause=%s", cause);
	process_await(&pair->echo, series, request_id);
	snprintf(series, sizeof(series),
		 "rescind_transactions_total{cause=\"%s\","
		 "outcome=\"rolled_back\",service=\"echo\"}",
		 cause);
	UNTIL(http_metric(pair->http_port, series) == 1);
	UNTIL(http_metric(pair->http_port,
			  "rescind_http_responses_total{code=\"499\","
			  "service=\"echo\"}") == 1);
}

START_TEST(a_fin_rolls_back_both)
{
	struct pair pair;
	struct client client;

	pair_start(&pair, &endless);
	pair_send_working(&pair, &client, "fin");
	client_close(&client);
	pair_expect_rolled_back(&pair, "fin");
	expect_499(&pair, "fin", "client_closed");
	pair_end(&pair);
}
END_TEST

START_TEST(a_reset_rolls_back_both)
{
	struct pair pair;
	struct client client;

	pair_start(&pair, &endless);
	pair_send_working(&pair, &client, "rst");
	client_reset(&client);
	pair_expect_rolled_back(&pair, "rst");
	expect_499(&pair, "rst", "client_reset");
	pair_end(&pair);
}
END_TEST

START_TEST(a_killed_curl_rolls_back_both)
{
	struct pair pair;
	struct process curl;
	char url[PATH_SIZE];

	pair_start(&pair, &endless);
	snprintf(url, sizeof(url), "http://localhost:%d/echo?request_id=killed",
		 pair.http_port);
	PROCESS_START(&curl, tool_find("curl"), NULL, "-sS", url);
	pair_await_working(&pair, "killed");
	process_kill(&curl);
	pair_expect_rolled_back(&pair, "killed");
	pair_end(&pair);
}
END_TEST

/* What was pipelined behind the request hides the FIN from who reads it. */
START_TEST(a_fin_behind_pipelined_bytes_rolls_back_both)
{
	struct pair pair;
	struct client client;

	pair_start(&pair, &endless);
	pair_send_working(&pair, &client, "first");
	ck_assert(client_get(&client, "/echo?request_id=second"));
	client_close(&client);
	pair_expect_rolled_back(&pair, "first");
	pair_expect_rows(&pair, "second", 0, 0);
	pair_end(&pair);
	/* The dead client's second request was never begun, or was undone. */
}
END_TEST

START_TEST(the_second_request_of_a_connection_is_cancelled_as_well)
{
	struct pair_options options = { .work = "100ms", .timeout = "300s" };
	struct pair pair;
	struct client client;
	struct reply reply;

	pair_start(&pair, &options);
	pair_send(&pair, &client, "one");
	ck_assert(client_receive(&client, &reply));
	ck_assert_int_eq(reply.status, 200);
	process_end(&pair.worker);
	options.work = "300s";
	pair_start_worker(&pair);
	pair_await_ready(&pair);
	ck_assert(client_get(&client, "/echo?request_id=two"));
	pair_await_working(&pair, "two");
	client_close(&client);
	pair_expect_rolled_back(&pair, "two");
	pair_expect_rows(&pair, "one", 1, 1);
	pair_end(&pair);
}
END_TEST

/* Gone before the server even read the request: no moment is too early. */
START_TEST(leaving_at_once_leaves_nothing)
{
	enum { TRIES = 40 };
	struct pair pair;
	struct client client;
	char id[32];

	pair_start(&pair, &endless);
	for (int i = 0; i < TRIES; i++) {
		snprintf(id, sizeof(id), "early-%d", i);
		pair_send(&pair, &client, id);
		if (i % 2 == 0) {
			client_close(&client);
		} else {
			client_reset(&client);
		}
	}
	UNTIL(http_metric(pair.http_port,
			  "rescind_in_flight{service=\"echo\"}") == 0);
	pair_end(&pair);
}
END_TEST

START_TEST(leaving_in_the_middle_of_a_request_begins_nothing)
{
	static const char half[] = "GET /echo?request_id=half HTTP/1.1\r\nHo";
	struct pair pair;
	struct client client;

	pair_start(&pair, &endless);
	client_open(&client, pair.http_port);
	ck_assert(client_send(&client, half, strlen(half)));
	client_close(&client);
	client_open(&client, pair.http_port);
	ck_assert(client_send(&client, half, strlen(half)));
	client_reset(&client);
	ck_assert_int_eq(http_status_of(pair.http_port, "/healthz"), 200);
	ck_assert_uint_eq(process_count(&pair.echo, "half", NULL), 0);
	pair_end(&pair);
}
END_TEST

/* The database is locked, so that the transaction can't begin yet. */
START_TEST(leaving_while_the_transaction_waits_to_begin)
{
	struct pair pair;
	struct client client;
	sqlite3 *lock;

	pair_start(&pair, &endless);
	lock = rows_lock(pair.echo_db);
	pair_send(&pair, &client, "waiting");
	UNTIL(http_metric(pair.http_port,
			  "rescind_in_flight{service=\"echo\"}") == 1);
	client_close(&client);
	echo_await_rolled_back(&pair, "waiting");
	rows_unlock(lock);
	pair_expect_rows(&pair, "waiting", 0, 0);
	ck_assert_uint_eq(process_count(&pair.worker, "=waiting", NULL), 0);
	pair_end(&pair);
}
END_TEST

START_TEST(others_in_flight_do_not_notice)
{
	enum { OTHERS = 50 };
	struct pair_options options = { .work = "1s", .timeout = "60s" };
	struct pair pair;
	struct client others[OTHERS];
	struct client client;
	struct reply reply;
	char id[32];

	pair_start(&pair, &options);
	for (int i = 0; i < OTHERS; i++) {
		snprintf(id, sizeof(id), "other-%d", i);
		pair_send(&pair, &others[i], id);
	}
	pair_send_working(&pair, &client, "leaver");
	client_close(&client);
	pair_expect_rolled_back(&pair, "leaver");
	for (int i = 0; i < OTHERS; i++) {
		ck_assert(client_receive(&others[i], &reply));
		ck_assert_int_eq(reply.status, 200);
		client_close(&others[i]);
	}
	ck_assert_int_eq(
		rows_query(pair.worker_db, "SELECT COUNT(*) FROM worker_tasks"),
		OTHERS);
	ck_assert_int_eq(
		rows_query(pair.echo_db, "SELECT COUNT(*) FROM echo_requests"),
		OTHERS);
	pair_end(&pair);
}
END_TEST

START_TEST(a_vanished_client_is_found_out_by_keepalive)
{
	struct pair pair;
	struct client client;

	pair_start(&pair, &endless);
	pair_send_working(&pair, &client, "vanished");
	if (client_vanish(&client)) {
		pair_expect_rolled_back(&pair, "vanished");
		expect_499(&pair, "vanished", "client_reset");
	} else {
		fprintf(stderr, "not permitted to vanish: skipped\n");
		client_close(&client);
	}
	pair_end(&pair);
}
END_TEST

START_TEST(a_vanished_client_is_given_up_at_the_deadline)
{
	struct pair_options options = { .work = "300s", .timeout = "1s" };
	struct pair pair;
	struct client client;

	pair_start(&pair, &options);
	pair_send_working(&pair, &client, "vanished");
	if (!client_vanish(&client)) {
		fprintf(stderr, "not permitted to vanish: skipped\n");
		client_close(&client);
	}
	pair_expect_rolled_back(&pair, "vanished");
	pair_end(&pair);
}
END_TEST

START_TEST(a_half_closed_client_has_left_by_default)
{
	struct pair pair;
	struct client client;

	pair_start(&pair, &endless);
	pair_send_working(&pair, &client, "half");
	client_half_close(&client);
	pair_expect_rolled_back(&pair, "half");
	ck_assert(client_sees_end(&client));
	client_close(&client);
	pair_end(&pair);
}
END_TEST

START_TEST(probing_a_half_closed_client_gets_its_answer)
{
	struct pair pair;
	struct client client;
	struct reply reply;

	pair_start(&pair, &brief_probe);
	pair_send_working(&pair, &client, "half");
	client_half_close(&client);
	ck_assert(client_receive(&client, &reply));
	ck_assert_int_eq(reply.status, 200);
	ck_assert_int_eq(reply.interims, 1);
	pair_expect_committed(&pair, "half");
	client_close(&client);
	pair_end(&pair);
}
END_TEST

START_TEST(probing_a_closed_client_rolls_back_both)
{
	struct pair pair;
	struct client client;

	pair_start(&pair, &endless_probe);
	pair_send_working(&pair, &client, "closed");
	client_close(&client);
	pair_expect_rolled_back(&pair, "closed");
	pair_send_working(&pair, &client, "reset");
	client_reset(&client);
	pair_expect_rolled_back(&pair, "reset");
	pair_end(&pair);
}
END_TEST

/* Its kernel says nothing of a close after a FIN, but it does of a reset. */
START_TEST(probing_a_half_closed_client_that_resets_later)
{
	struct pair pair;
	struct client client;
	struct reply reply;

	pair_start(&pair, &endless_probe);
	pair_send_working(&pair, &client, "later");
	client_half_close(&client);
	/* The interim reply is there: it is being probed. */
	ck_assert(!client_receive_within(&client, &reply, 200));
	ck_assert_int_eq(reply.interims, 1);
	client_reset(&client);
	pair_expect_rolled_back(&pair, "later");
	pair_end(&pair);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		a_fin_rolls_back_both,
		a_reset_rolls_back_both,
		a_killed_curl_rolls_back_both,
		a_fin_behind_pipelined_bytes_rolls_back_both,
		the_second_request_of_a_connection_is_cancelled_as_well,
		leaving_at_once_leaves_nothing,
		leaving_in_the_middle_of_a_request_begins_nothing,
		leaving_while_the_transaction_waits_to_begin,
		others_in_flight_do_not_notice,
		a_vanished_client_is_found_out_by_keepalive,
		a_vanished_client_is_given_up_at_the_deadline,
		a_half_closed_client_has_left_by_default,
		probing_a_half_closed_client_gets_its_answer,
		probing_a_closed_client_rolls_back_both,
		probing_a_half_closed_client_that_resets_later,
		NULL,
	};

	return suite_run("cancel", tests);
}
