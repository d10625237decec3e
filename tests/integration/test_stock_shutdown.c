/*
 * How demo 3 stops: what was acknowledged is kept, what was sent is answered,
 * and nobody holds it up.
 */
#include "harness/caller.h"
#include "harness/orders.h"
#include "harness/stock.h"
#include "harness/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* So long that who waits for it is out of patience first. */
#define NEVER "300s"

/* SIGTERM ends it in order, whatever else is going on. */
static void expect_drained(struct stock *stock)
{
	ck_assert_int_eq(stock_stop(stock), EXIT_DRAINED);
	process_await(&stock->server, "---Graceful shutdown completed---",
		      NULL);
	stock_expect_one_file(stock);
	process_release(&stock->server);
}

/* ---- what it says -------------------------------------------------------- */

START_TEST(it_says_what_it_does_and_in_order)
{
	static const struct process_line lines[] = {
		{ "---Starting gRPC server on port ", "---" },
		{ "---Starting HTTP server on port ", "---" },
		{ "Ready", "pid=" },
		{ "---Start Graceful shutdown---", "" },
		{ "hook=flush", "took_ms=" },
		{ "HTTP server has drained", "took_ms=" },
		{ "HTTP server is closed", "took_ms=" },
		{ "gRPC server is closed", "took_ms=" },
		{ "database is closed", "took_ms=" },
		{ "stopped", "took_ms=" },
		{ "---Graceful shutdown completed---", "" },
	};
	struct stock stock;
	char port[64];

	stock_start(&stock, NULL);
	snprintf(port, sizeof(port), "---Starting HTTP server on port %d---",
		 stock.http_port);
	process_await(&stock.server, port, NULL);
	snprintf(port, sizeof(port), "---Starting gRPC server on port %d---",
		 stock.grpc_port);
	process_await(&stock.server, port, NULL);
	process_signal(&stock.server, SIGINT);
	ck_assert_int_eq(process_wait(&stock.server), EXIT_DRAINED);
	process_expect_order(&stock.server, lines,
			     sizeof(lines) / sizeof(lines[0]));
	process_await(&stock.server, "gRPC server has drained", "took_ms=");
	stock_expect_one_file(&stock);
	process_release(&stock.server);
	stock_end(&stock);
}
END_TEST

/* ---- under load ---------------------------------------------------------- */

START_TEST(stopped_under_load_nothing_is_lost)
{
	const struct orders_options clients = { .kept = 32, .grpc = 32 };
	struct orders orders;
	struct stock stock;

	stock_start(&stock, NULL);
	orders_start(&orders, &stock, &clients);
	orders_await(&orders, ORDER_ACCEPTED, 20 * 64);
	expect_drained(&stock);
	orders_expect_nothing_failed(&orders, "stopped under load");
	stock_end(&stock);
}
END_TEST

/* Who comes with a connection for each order, and whose connection is taken,
 * is answered, too. */
START_TEST(stopped_while_connections_come_nothing_is_lost)
{
	const struct orders_options clients = { .fresh = 48, .grpc = 16 };
	struct orders orders;
	struct stock stock;

	stock_start(&stock, NULL);
	orders_start(&orders, &stock, &clients);
	orders_await(&orders, ORDER_ACCEPTED, 10 * 64);
	expect_drained(&stock);
	orders_expect_nothing_failed(&orders, "stopped while they came");
	stock_end(&stock);
}
END_TEST

/* ---- what came with the signal ------------------------------------------- */

enum { CLIENTS = 64, CALLS = 100 };

static void post(struct client *client)
{
	ck_assert(client_post(client, "/api/orders", "application/json",
			      MARKET_ORDER, strlen(MARKET_ORDER)));
}

/* 1 for an order, 0 for a refusal; nothing else is an answer. */
static int expect_answer(struct client *client)
{
	struct reply reply;

	ck_assert_msg(client_receive(client, &reply),
		      "a request was left without an answer");
	client_close(client);
	ck_assert_msg(reply.status == 201 || reply.status == 503, "%d: %s",
		      reply.status, reply.body);
	return reply.status == 201;
}

/*
 * The signal and 64 requests are there in the same instant, as far as the
 * server can tell: it did not run meanwhile. Half of them come on connections
 * that it does not even know yet.
 */
START_TEST(requests_that_come_with_the_signal_are_answered)
{
	struct client clients[CLIENTS];
	struct stock stock;
	struct reply reply;
	int accepted = 0;

	stock_start(&stock, NULL);
	for (int i = 0; i < CLIENTS / 2; i++) {
		client_open(&clients[i], stock.http_port);
		ck_assert(client_get(&clients[i], "/health"));
		ck_assert(client_receive(&clients[i], &reply));
	}
	process_pause(&stock.server);
	for (int i = 0; i < CLIENTS; i++) {
		if (i >= CLIENTS / 2) {
			client_open(&clients[i], stock.http_port);
		}
		post(&clients[i]);
	}
	process_signal(&stock.server, SIGTERM);
	process_resume(&stock.server);
	ck_assert_int_eq(process_wait(&stock.server), EXIT_DRAINED);
	for (int i = 0; i < CLIENTS; i++) {
		accepted += expect_answer(&clients[i]);
	}
	process_release(&stock.server);
	ck_assert_int_eq(stock_stored_n(&stock), accepted);
	stock_end(&stock);
}
END_TEST

static const char create[] = "/stockorder.StockOrderService/CreateOrder";
/* AAPL, MARKET, BUY, 100 */
static const unsigned char order[] = { 0x0A, 4, 'A',  'A', 'P',	 'L',
				       0x10, 1, 0x18, 1,   0x20, 100 };

/* One call to the end: the server knows the connection. */
static void get_to_know(struct caller *caller, int port)
{
	struct caller_answer answer;

	caller_open(caller, port);
	ck_assert_uint_ne(
		caller_call(caller, create, NULL, order, sizeof(order)), 0);
	ck_assert(caller_receive(caller, &answer));
	ck_assert_int_eq((int)answer.end, (int)CALLER_MESSAGE);
}

START_TEST(calls_that_come_with_the_signal_are_answered)
{
	static struct caller caller;
	struct caller_answer answer;
	struct stock stock;
	int accepted = 1;

	stock_start(&stock, NULL);
	get_to_know(&caller, stock.grpc_port);
	process_pause(&stock.server);
	for (int i = 0; i < CALLS; i++) {
		ck_assert_uint_ne(caller_call(&caller, create, NULL, order,
					      sizeof(order)),
				  0);
	}
	process_signal(&stock.server, SIGTERM);
	process_resume(&stock.server);
	ck_assert_int_eq(process_wait(&stock.server), EXIT_DRAINED);
	for (int i = 0; i < CALLS; i++) {
		ck_assert(caller_receive(&caller, &answer));
		ck_assert_msg(answer.end <= CALLER_REFUSED, "call %u: %d",
			      answer.call, (int)answer.end);
		accepted += answer.end == CALLER_MESSAGE;
	}
	caller_close(&caller);
	process_release(&stock.server);
	ck_assert_int_eq(stock_stored_n(&stock), accepted);
	stock_end(&stock);
}
END_TEST

/* Whether all that it was told is why it fails, to its last call. */
static bool call_until_sent_away(struct caller *caller)
{
	struct caller_answer answer;
	bool told = true;

	while (caller_may_call(caller) &&
	       caller_call(caller, create, NULL, order, sizeof(order)) != 0) {
		ck_assert(caller_receive(caller, &answer));
		told = told &&
		       (answer.end == CALLER_MESSAGE ||
			caller_answer_says(&answer, "server is shutting down"));
	}
	return told;
}

/* Who calls again and again is told why it fails, and not that somebody had
 * cancelled the last call. Where the machine is busy that call may come too
 * late for it, but not every time. */
START_TEST(who_calls_in_a_loop_is_told_why_until_the_end)
{
	enum { ROUNDS = 8 };
	static struct caller caller;
	struct stock stock;
	int told = 0;

	stock_prepare(&stock, NULL);
	for (int i = 0; i < ROUNDS; i++) {
		stock_start_server(&stock);
		get_to_know(&caller, stock.grpc_port);
		process_signal(&stock.server, SIGTERM);
		told += call_until_sent_away(&caller);
		caller_close(&caller);
		ck_assert_int_eq(process_wait(&stock.server), EXIT_DRAINED);
	}
	printf("%d of %d were told why until the end\n", told, ROUNDS);
	ck_assert_int_gt(told, 0);
	process_release(&stock.server);
	stock_end(&stock);
}
END_TEST

/* What is in flight is finished, however long it takes, while who comes anew
 * is sent away. Here it takes as long as another program holds the lock. */
START_TEST(what_is_in_flight_is_finished_and_what_is_new_is_refused)
{
	struct stock_options options = { .flags = FLAGS("-timeout", NEVER) };
	static struct caller caller;
	struct caller_answer answer;
	struct client client;
	struct client idle;
	struct client late;
	struct stock stock;
	struct reply reply;
	sqlite3 *lock;

	stock_start(&stock, &options);
	get_to_know(&caller, stock.grpc_port);
	client_open(&idle, stock.http_port);
	ck_assert(client_get(&idle, "/health"));
	ck_assert(client_receive(&idle, &reply));
	client_open(&client, stock.http_port);
	lock = rows_lock(stock.db);
	post(&client);
	ck_assert_uint_ne(
		caller_call(&caller, create, NULL, order, sizeof(order)), 0);
	UNTIL(http_metric(stock.http_port,
			  "rescind_in_flight{service=\"stock_demo_3\"}") == 2);
	process_signal(&stock.server, SIGTERM);
	process_await(&stock.server, "---Start Graceful shutdown---", NULL);
	/* The hook that flushes waits for the lock as well; after its share of
	 * the time nobody is let in any more. */
	rows_unlock(lock);
	UNTIL(!client_try_open(&late, stock.http_port) ||
	      (client_close(&late), false));
	ck_assert(client_receive(&client, &reply));
	ck_assert_msg(reply.status == 201, "%d: %s", reply.status, reply.body);
	ck_assert(caller_receive(&caller, &answer));
	ck_assert_int_eq((int)answer.end, (int)CALLER_MESSAGE);
	ck_assert_int_eq(process_wait(&stock.server), EXIT_DRAINED);
	client_close(&client);
	client_close(&idle);
	caller_close(&caller);
	process_release(&stock.server);
	ck_assert_int_eq(stock_stored_n(&stock), 3);
	stock_end(&stock);
}
END_TEST

/*
 * Each protocol's drain is waited for by the other, and by the database. The
 * flush is not: it gives up after its share, which makes the end a forced one.
 */
static const struct stock_options short_flush = {
	.flags = (const char *const[]){ "-shutdown-timeout", "25s", "-timeout",
					NEVER, NULL },
};
enum { STILL_MS = 200 };

START_TEST(what_is_in_flight_over_rest_alone_is_finished)
{
	struct client client;
	struct stock stock;
	struct reply reply;
	sqlite3 *lock;

	stock_start(&stock, &short_flush);
	client_open(&client, stock.http_port);
	lock = rows_lock(stock.db);
	post(&client);
	UNTIL(http_metric(stock.http_port,
			  "rescind_in_flight{service=\"stock_demo_3\"}") == 1);
	process_signal(&stock.server, SIGTERM);
	process_await(&stock.server, "gRPC server has drained", NULL);
	ck_assert(!client_receive_within(&client, &reply, STILL_MS));
	rows_unlock(lock);
	ck_assert(client_receive(&client, &reply));
	ck_assert_msg(reply.status == 201, "%d: %s", reply.status, reply.body);
	ck_assert_int_eq(process_wait(&stock.server), EXIT_FORCED);
	client_close(&client);
	process_release(&stock.server);
	ck_assert_int_eq(stock_stored_n(&stock), 1);
	stock_end(&stock);
}
END_TEST

START_TEST(what_is_in_flight_over_grpc_alone_is_finished)
{
	static struct caller caller;
	struct caller_answer answer;
	struct stock stock;
	sqlite3 *lock;

	stock_start(&stock, &short_flush);
	get_to_know(&caller, stock.grpc_port);
	lock = rows_lock(stock.db);
	ck_assert_uint_ne(
		caller_call(&caller, create, NULL, order, sizeof(order)), 0);
	UNTIL(http_metric(stock.http_port,
			  "rescind_in_flight{service=\"stock_demo_3\"}") == 1);
	process_signal(&stock.server, SIGTERM);
	process_await(&stock.server, "HTTP server has drained", NULL);
	ck_assert(!caller_receive_within(&caller, &answer, STILL_MS));
	rows_unlock(lock);
	ck_assert(caller_receive(&caller, &answer));
	ck_assert_int_eq((int)answer.end, (int)CALLER_MESSAGE);
	ck_assert_int_eq(process_wait(&stock.server), EXIT_FORCED);
	caller_close(&caller);
	process_release(&stock.server);
	ck_assert_int_eq(stock_stored_n(&stock), 2);
	stock_end(&stock);
}
END_TEST

/* ---- who can't hold it up ------------------------------------------------ */

static const char half_a_body[] = "POST /api/orders HTTP/1.1\r\n"
				  "Host: localhost\r\n"
				  "Content-Type: application/json\r\n"
				  "Content-Length: 100\r\n\r\n{\"symbol\":";
static const char half_a_head[] = "GET /api/orders HTTP/1.1\r\nHost: loc";

START_TEST(idle_and_half_sent_requests_do_not_hold_it_up)
{
	struct stock_options options = { .flags = FLAGS("-shutdown-timeout",
							NEVER) };
	static struct caller idle_caller;
	static struct caller silent_caller;
	struct client silent;
	struct client kept;
	struct client head;
	struct client body;
	struct stock stock;
	struct reply reply;

	stock_start(&stock, &options);
	client_open(&silent, stock.http_port);
	client_open(&kept, stock.http_port);
	post(&kept);
	ck_assert(client_receive(&kept, &reply));
	ck_assert_int_eq(reply.status, 201);
	client_open(&head, stock.http_port);
	ck_assert(client_send(&head, half_a_head, strlen(half_a_head)));
	client_open(&body, stock.http_port);
	ck_assert(client_send(&body, half_a_body, strlen(half_a_body)));
	get_to_know(&idle_caller, stock.grpc_port);
	caller_open(&silent_caller, stock.grpc_port);
	/* Whoever is answered now comes behind all of these. */
	ck_assert_int_eq(http_status_of(stock.http_port, "/health"), 200);
	expect_drained(&stock);
	client_close(&silent);
	client_close(&kept);
	client_close(&head);
	client_close(&body);
	caller_close(&idle_caller);
	caller_close(&silent_caller);
	ck_assert_int_eq(stock_stored_n(&stock), 2);
	stock_end(&stock);
}
END_TEST

/* It is told what happens, and then its stream ends. */
START_TEST(an_open_health_watch_does_not_hold_it_up)
{
	struct stock_options options = { .flags = FLAGS("-shutdown-timeout",
							NEVER) };
	struct process watch;
	struct stock stock;

	if (tool_find("grpcurl") == NULL) {
		return;
	}
	stock_start(&stock, &options);
	PROCESS_START(&watch, tool_find("grpcurl"), NULL, "-plaintext", "-d",
		      "{\"service\":\"stockorder.StockOrderService\"}",
		      stock.grpc, "grpc.health.v1.Health/Watch");
	process_await(&watch, "\"SERVING\"", NULL);
	expect_drained(&stock);
	process_await(&watch, "\"NOT_SERVING\"", NULL);
	(void)process_wait(&watch);
	process_release(&watch);
	stock_end(&stock);
}
END_TEST

/* ---- a list that is read slowly ------------------------------------------ */

/* Far more than the buffers between a server and a client hold. */
enum { MANY = 60000 };

static void start_with_many(struct stock *stock,
			    const struct stock_options *options)
{
	stock_start(stock, options);
	stock_fill(stock, MANY);
}

/* The list has begun, and more of it is to come. */
static void begin_list(const struct stock *stock, struct client *client)
{
	struct reply reply;

	client_open_narrow(client, stock->http_port);
	ck_assert(client_get(client, "/api/orders"));
	ck_assert(client_receive_head(client, &reply));
	ck_assert_int_eq(reply.status, 200);
}

START_TEST(a_slow_reader_gets_its_list_whole)
{
	struct stock_options options = { .flags = FLAGS("-shutdown-timeout",
							NEVER) };
	struct client client;
	struct stock stock;
	json_t *list;
	char *body;
	size_t size;
	bool whole;

	start_with_many(&stock, &options);
	begin_list(&stock, &client);
	process_signal(&stock.server, SIGTERM);
	process_await(&stock.server, "---Start Graceful shutdown---", NULL);
	body = client_receive_chunks(&client, &size, &whole);
	ck_assert(whole);
	list = json_loadb(body, size, JSON_REJECT_DUPLICATES, NULL);
	ck_assert_uint_eq(json_array_size(list), MANY);
	json_decref(list);
	free(body);
	ck_assert_int_eq(process_wait(&stock.server), EXIT_DRAINED);
	stock_expect_one_file(&stock);
	client_close(&client);
	process_release(&stock.server);
	stock_end(&stock);
}
END_TEST

/* It is in flight, so it is waited for; but not longer than for anything. */
START_TEST(a_reader_that_stands_still_is_cut_at_the_timeout)
{
	struct stock_options options = { .flags = FLAGS("-shutdown-timeout",
							"400ms") };
	struct client client;
	struct stock stock;
	char *body;
	size_t size;
	bool whole;

	start_with_many(&stock, &options);
	begin_list(&stock, &client);
	ck_assert_int_eq(stock_stop(&stock), EXIT_FORCED);
	process_await(&stock.server, "---Shutdown forced---", NULL);
	stock_expect_one_file(&stock);
	/* It can tell that it has not got all. */
	body = client_receive_chunks(&client, &size, &whole);
	ck_assert(!whole);
	free(body);
	client_close(&client);
	process_release(&stock.server);
	stock_end(&stock);
}
END_TEST

/* ---- in a hurry ---------------------------------------------------------- */

/* Two creates that can't get on, and who waits for them. */
struct stuck {
	struct client client;
	struct caller caller;
	sqlite3 *lock;
};

static void get_stuck(struct stuck *stuck, const struct stock *stock)
{
	get_to_know(&stuck->caller, stock->grpc_port);
	client_open(&stuck->client, stock->http_port);
	stuck->lock = rows_lock(stock->db);
	post(&stuck->client);
	ck_assert_uint_ne(
		caller_call(&stuck->caller, create, NULL, order, sizeof(order)),
		0);
	UNTIL(http_metric(stock->http_port,
			  "rescind_in_flight{service=\"stock_demo_3\"}") == 2);
}

/* They are told, and nothing of them is stored. */
static void expect_told(struct stuck *stuck, const struct stock *stock)
{
	struct caller_answer answer;
	struct reply reply;

	ck_assert(client_receive(&stuck->client, &reply));
	ck_assert_msg(reply.status == 503, "%d: %s", reply.status, reply.body);
	ck_assert(caller_receive(&stuck->caller, &answer));
	ck_assert_int_eq((int)answer.end, (int)CALLER_STATUS);
	client_close(&stuck->client);
	caller_close(&stuck->caller);
	rows_unlock(stuck->lock);
	ck_assert_int_eq(stock_stored_n(stock), 1);
}

/* The flush, which comes before all else, is cancelled like everything: it does
 * not keep the database from closing for as long as others keep the lock. */
static void expect_flush_given_up(struct process *process)
{
	ck_assert_uint_eq(process_count(process, "could not be flushed", NULL),
			  1);
	ck_assert_uint_eq(process_count(process, "could not be flushed",
					"locked by another program"),
			  0);
}

START_TEST(a_second_signal_does_not_wait)
{
	struct stock_options options = {
		.flags = FLAGS("-shutdown-timeout", NEVER, "-timeout", NEVER)
	};
	static struct stuck stuck;
	struct stock stock;

	stock_start(&stock, &options);
	get_stuck(&stuck, &stock);
	process_signal(&stock.server, SIGTERM);
	process_await(&stock.server, "---Start Graceful shutdown---", NULL);
	ck_assert(process_is_alive(&stock.server));
	process_signal(&stock.server, SIGTERM);
	ck_assert_int_eq(process_wait(&stock.server), EXIT_FORCED);
	expect_flush_given_up(&stock.server);
	expect_told(&stuck, &stock);
	process_release(&stock.server);
	stock_end(&stock);
}
END_TEST

START_TEST(at_the_shutdown_timeout_the_rest_is_cancelled)
{
	struct stock_options options = {
		.flags = FLAGS("-shutdown-timeout", "400ms", "-timeout", NEVER)
	};
	static struct stuck stuck;
	struct stock stock;

	stock_start(&stock, &options);
	get_stuck(&stuck, &stock);
	ck_assert_int_eq(stock_stop(&stock), EXIT_FORCED);
	process_await(&stock.server, "---Shutdown forced---", NULL);
	expect_flush_given_up(&stock.server);
	expect_told(&stuck, &stock);
	process_release(&stock.server);
	stock_end(&stock);
}
END_TEST

/* ---- readiness first ----------------------------------------------------- */

START_TEST(with_a_drain_delay_it_says_so_and_still_serves)
{
	struct stock_options options = { .flags = FLAGS("-drain-delay", "3s") };
	struct outcome outcome;
	struct stock stock;
	struct reply reply;
	char id[37];

	stock_start(&stock, &options);
	process_signal(&stock.server, SIGTERM);
	UNTIL(http_status_of(stock.http_port, "/readyz") == 503);
	stock_get(&stock, &reply, "/health");
	ck_assert_int_eq(reply.status, 200);
	stock_create(&stock, MARKET_ORDER, id);
	if (tool_find("grpcurl") != NULL) {
		GRPCURL(&outcome, stock.grpc, "grpc.health.v1.Health/Check");
		ck_assert_msg(strstr(outcome.text, "NOT_SERVING") != NULL, "%s",
			      outcome.text);
		stock_call(&stock, &outcome, "CreateOrder", LIMIT_ORDER);
		ck_assert_msg(outcome.code == 0, "%s", outcome.text);
	}
	ck_assert_int_eq(process_wait(&stock.server), EXIT_DRAINED);
	process_release(&stock.server);
	ck_assert_int_ge(stock_stored_n(&stock), 1);
	stock_end(&stock);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		it_says_what_it_does_and_in_order,
		stopped_under_load_nothing_is_lost,
		stopped_while_connections_come_nothing_is_lost,
		requests_that_come_with_the_signal_are_answered,
		calls_that_come_with_the_signal_are_answered,
		who_calls_in_a_loop_is_told_why_until_the_end,
		what_is_in_flight_is_finished_and_what_is_new_is_refused,
		what_is_in_flight_over_rest_alone_is_finished,
		what_is_in_flight_over_grpc_alone_is_finished,
		idle_and_half_sent_requests_do_not_hold_it_up,
		an_open_health_watch_does_not_hold_it_up,
		a_slow_reader_gets_its_list_whole,
		a_reader_that_stands_still_is_cut_at_the_timeout,
		a_second_signal_does_not_wait,
		at_the_shutdown_timeout_the_rest_is_cancelled,
		with_a_drain_delay_it_says_so_and_still_serves,
		NULL,
	};

	return suite_run("stock_shutdown", tests);
}
