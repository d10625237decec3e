/*
 * The two lessons beside the generic shutdown: demo 1, whose HTTP server and
 * database close side by side and nothing fails, and demo 2, whose database
 * closes first, so that everything fails that comes after - cleanly.
 */
#include "harness/orders.h"
#include "harness/stock.h"
#include "harness/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* So long that who waits for it is out of patience first. */
#define NEVER	     "300s"
#define ALMOST_NEVER "250s"

/* Far more orders than the buffers between a server and a client hold. */
enum { MANY = 60000 };

/* ---- demo 1 -------------------------------------------------------------- */

START_TEST(demo_1_stops_both_side_by_side)
{
	static const struct process_line lines[] = {
		{ "---Starting HTTP server on port ", "---" },
		{ "Ready", "http_port=" },
		{ "---Start Graceful shutdown---", NULL },
		{ "HTTP server has drained", "took_ms=" },
		{ "HTTP server is closed", "took_ms=" },
		{ "---Graceful shutdown completed---", NULL },
	};
	static const struct process_line database[] = {
		{ "HTTP server has drained", NULL },
		{ "database is closed", "took_ms=" },
		{ "---Graceful shutdown completed---", NULL },
	};
	struct stock_options options = { .program = "stock_demo_1" };
	struct stock stock;
	char id[37];

	stock_start(&stock, &options);
	stock_create(&stock, MARKET_ORDER, id);
	ck_assert_int_eq(stock_stop(&stock), EXIT_DRAINED);
	process_expect_order(&stock.server, lines,
			     sizeof(lines) / sizeof(lines[0]));
	process_expect_order(&stock.server, database,
			     sizeof(database) / sizeof(database[0]));
	stock_expect_one_file(&stock);
	process_release(&stock.server);
	ck_assert_int_eq(stock_stored_n(&stock), 1);
	stock_end(&stock);
}
END_TEST

static void stop_demo_1_under_load(const struct orders_options *clients,
				   const char *what)
{
	struct stock_options options = { .program = "stock_demo_1" };
	struct orders orders;
	struct stock stock;

	stock_start(&stock, &options);
	orders_start(&orders, &stock, clients);
	orders_await(&orders, ORDER_ACCEPTED, 20 * 64);
	ck_assert_int_eq(stock_stop(&stock), EXIT_DRAINED);
	stock_expect_one_file(&stock);
	orders_expect_nothing_failed(&orders, what);
	process_release(&stock.server);
	stock_end(&stock);
}

START_TEST(demo_1_stopped_under_load_loses_nothing)
{
	stop_demo_1_under_load(&(struct orders_options){ .kept = 64 },
			       "demo 1, stopped under load");
}
END_TEST

START_TEST(demo_1_stopped_while_connections_come_loses_nothing)
{
	stop_demo_1_under_load(&(struct orders_options){ .fresh = 64 },
			       "demo 1, stopped while they came");
}
END_TEST

/* The list is read page by page, so its end needs the database still. */
START_TEST(demo_1_finishes_a_list_that_is_under_way)
{
	struct stock_options options = { .program = "stock_demo_1",
					 .flags = FLAGS("-shutdown-timeout",
							NEVER) };
	struct client client;
	struct stock stock;
	struct reply reply;
	json_t *list;
	char *body;
	size_t size;
	bool whole;

	stock_start(&stock, &options);
	stock_fill(&stock, MANY);
	client_open_narrow(&client, stock.http_port);
	ck_assert(client_get(&client, "/api/orders"));
	ck_assert(client_receive_head(&client, &reply));
	process_signal(&stock.server, SIGTERM);
	process_await(&stock.server, "---Start Graceful shutdown---", NULL);
	body = client_receive_chunks(&client, &size, &whole);
	ck_assert(whole);
	list = json_loadb(body, size, JSON_REJECT_DUPLICATES, NULL);
	ck_assert_uint_eq(json_array_size(list), MANY);
	json_decref(list);
	free(body);
	ck_assert_int_eq(process_wait(&stock.server), EXIT_DRAINED);
	client_close(&client);
	process_release(&stock.server);
	stock_end(&stock);
}
END_TEST

/* It has a deadline, too. */
START_TEST(demo_1_is_forced_at_its_timeout)
{
	struct stock_options options = {
		.program = "stock_demo_1",
		.flags = FLAGS("-shutdown-timeout", "300ms", "-timeout", NEVER)
	};
	struct client client;
	struct stock stock;
	struct reply reply;
	sqlite3 *lock;

	stock_start(&stock, &options);
	client_open(&client, stock.http_port);
	lock = rows_lock(stock.db);
	ck_assert(client_post(&client, "/api/orders", "application/json",
			      MARKET_ORDER, strlen(MARKET_ORDER)));
	UNTIL(http_metric(stock.http_port,
			  "rescind_in_flight{service=\"stock_demo_1\"}") == 1);
	ck_assert_int_eq(stock_stop(&stock), EXIT_FORCED);
	ck_assert(client_receive(&client, &reply));
	ck_assert_int_eq(reply.status, 503);
	client_close(&client);
	rows_unlock(lock);
	process_release(&stock.server);
	ck_assert_int_eq(stock_stored_n(&stock), 0);
	stock_end(&stock);
}
END_TEST

/* ---- demo 2: what fails -------------------------------------------------- */

static const char closing[] =
	"closing the database, though the HTTP server still accepts requests: "
	"from now on they fail";
static const char closed[] = "the database is closed";

/* From the signal until its database is closed; its server goes on. */
static void close_database_first(struct stock *stock)
{
	process_signal(&stock->server, SIGTERM);
	process_await(&stock->server, closing, NULL);
}

/* The second signal is in a hurry, which is all that is forced here. */
static void hurry_away(struct stock *stock)
{
	process_signal(&stock->server, SIGTERM);
	ck_assert_int_eq(process_wait(&stock->server), EXIT_FORCED);
	process_release(&stock->server);
}

static void expect_closed(const struct reply *reply)
{
	char value[256] = "";

	reply_expect_error(reply, 503, closed);
	ck_assert(reply_header(reply, "Retry-After", value));
}

static const struct stock_options database_first = {
	.program = "stock_demo_2",
	.flags = (const char *const[]){ "-db-close-after", "0s",
					"-http-stop-after", ALMOST_NEVER,
					"-shutdown-timeout", NEVER, NULL },
};

START_TEST(demo_2_fails_whatever_comes_after_its_database)
{
	struct stock stock;
	struct reply reply;
	char status[16];
	char id[37];

	stock_start(&stock, &database_first);
	stock_create(&stock, LIMIT_ORDER, id);
	close_database_first(&stock);
	stock_post(&stock, &reply, MARKET_ORDER);
	expect_closed(&reply);
	stock_post_with_key(&stock, &reply, MARKET_ORDER, "k");
	expect_closed(&reply);
	stock_get(&stock, &reply, "/api/orders/%s", id);
	expect_closed(&reply);
	stock_cancel(&stock, &reply, id);
	expect_closed(&reply);
	stock_get(&stock, &reply, "/api/orders");
	expect_closed(&reply);
	stock_get(&stock, &reply, "/api/orders?limit=3");
	expect_closed(&reply);
	/* What is wrong by itself is that still, and the process is well. */
	stock_post(&stock, &reply, "{}");
	reply_expect_error(&reply, 400, "symbol is required");
	stock_get(&stock, &reply, "/health");
	ck_assert_int_eq(reply.status, 200);
	ck_assert_int_eq(http_status_of(stock.http_port, "/readyz"), 503);
	ck_assert_int_eq(http_status_of(stock.http_port, "/metrics"), 200);
	process_await(&stock.server, "database is closed", NULL);
	hurry_away(&stock);
	ck_assert_int_eq(stock_stored_n(&stock), 1);
	stock_stored_status(&stock, id, status);
	ck_assert_str_eq(status, "PENDING");
	stock_expect_intact(&stock);
	stock_end(&stock);
}
END_TEST

/* A list that is under way has its client told that it is not whole. */
START_TEST(demo_2_cuts_a_list_in_the_middle)
{
	struct client client;
	struct stock stock;
	struct reply reply;
	char *body;
	size_t size;
	bool whole;

	stock_start(&stock, &database_first);
	stock_fill(&stock, MANY);
	client_open_narrow(&client, stock.http_port);
	ck_assert(client_get(&client, "/api/orders"));
	ck_assert(client_receive_head(&client, &reply));
	ck_assert_int_eq(reply.status, 200);
	close_database_first(&stock);
	body = client_receive_chunks(&client, &size, &whole);
	ck_assert(!whole);
	ck_assert_uint_gt(size, 0);
	free(body);
	process_await(&stock.server, "a list is cut in the middle", closed);
	client_close(&client);
	hurry_away(&stock);
	stock_expect_intact(&stock);
	stock_end(&stock);
}
END_TEST

static void expect_reason(const struct order_try *attempt, void *arg)
{
	size_t *failed = arg;

	if (attempt->end != ORDER_REFUSED) {
		return;
	}
	*failed += strcmp(attempt->reason, closed) == 0;
	ck_assert_msg(strcmp(attempt->reason, closed) == 0 ||
			      strcmp(attempt->reason,
				     "the server is shutting down") == 0,
		      "refused because: %s", attempt->reason);
}

/*
 * The lesson as it is meant to be watched: clients go on while it stops by
 * itself. Some of them fail in between, though it ends in order, and that is
 * all: nobody is without an answer, and who was acknowledged is stored.
 */
START_TEST(demo_2_under_load_fails_requests_and_nothing_else)
{
	static const struct process_line lines[] = {
		{ "---Start Graceful shutdown---", NULL },
		{ "the database will close by itself", "after_ms=" },
		{ closing, "in_flight=" },
		{ "the HTTP server stops accepting requests, too late for "
		  "those that failed",
		  "failed=" },
		{ "requests failed while the program was stopping", "failed=" },
		{ "---Graceful shutdown completed---", NULL },
	};
	struct stock_options options = {
		.program = "stock_demo_2",
		.flags = FLAGS("-db-close-after", "100ms", "-http-stop-after",
			       "1500ms")
	};
	struct orders orders;
	struct stock stock;
	size_t failed = 0;

	stock_start(&stock, &options);
	orders_start(&orders, &stock, &(struct orders_options){ .kept = 4 });
	orders_await(&orders, ORDER_ACCEPTED, 20 * 4);
	process_signal(&stock.server, SIGTERM);
	orders_await(&orders, ORDER_REFUSED, 20 * 4);
	ck_assert_int_eq(process_wait(&stock.server), EXIT_DRAINED);
	stock_expect_one_file(&stock);
	process_expect_order(&stock.server, lines,
			     sizeof(lines) / sizeof(lines[0]));
	orders_wait(&orders);
	orders_each(&orders, expect_reason, &failed);
	ck_assert_uint_gt(failed, 0);
	orders_expect_nothing_lost(&orders, "demo 2 under load");
	process_release(&stock.server);
	stock_end(&stock);
}
END_TEST

/* Its hooks are right: what is due is filled while there is a database. */
START_TEST(demo_2_finishes_background_work_first)
{
	static const struct process_line lines[] = {
		{ "---Start Graceful shutdown---", NULL },
		{ "shutdown hook background work is done", "took_ms=" },
		{ "shutdown hook flush is done", "took_ms=" },
		{ closing, NULL },
	};
	struct stock_options options = {
		.program = "stock_demo_2",
		.flags = FLAGS("-fill-after", "0s", "-db-close-after", "0s",
			       "-http-stop-after", "1ms")
	};
	struct stock stock;
	char status[16];
	char id[37];

	stock_start(&stock, &options);
	stock_create(&stock, MARKET_ORDER, id);
	ck_assert_int_eq(stock_stop(&stock), EXIT_DRAINED);
	process_expect_order(&stock.server, lines,
			     sizeof(lines) / sizeof(lines[0]));
	process_release(&stock.server);
	stock_stored_status(&stock, id, status);
	ck_assert_str_eq(status, "FILLED");
	stock_end(&stock);
}
END_TEST

/* ---- flags --------------------------------------------------------------- */

START_TEST(flags_that_make_no_sense_are_refused)
{
	struct outcome outcome;

	RUN(&outcome, "stock_demo_2", NULL, "-db-close-after", "40s");
	ck_assert_int_eq(outcome.code, 2);
	ck_assert_ptr_nonnull(strstr(outcome.text, "-shutdown-timeout"));
	RUN(&outcome, "stock_demo_1", NULL, "-grpc-port", "0");
	ck_assert_int_eq(outcome.code, 2);
	RUN(&outcome, "stock_demo_1", NULL, "-fill-after", "soon");
	ck_assert_int_eq(outcome.code, 2);
	ck_assert_ptr_nonnull(strstr(outcome.text, "-fill-after"));
	RUN(&outcome, "stock_demo_3", NULL, "-timeout", "0s");
	ck_assert_int_eq(outcome.code, 2);
	RUN(&outcome, "stock_demo_3", NULL, "-tls-cert", "x.pem");
	ck_assert_int_eq(outcome.code, 2);
	RUN(&outcome, "stock_demo_3", NULL, "-drain-delay", "30s");
	ck_assert_int_ne(outcome.code, 0);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		demo_1_stops_both_side_by_side,
		demo_1_stopped_under_load_loses_nothing,
		demo_1_stopped_while_connections_come_loses_nothing,
		demo_1_finishes_a_list_that_is_under_way,
		demo_1_is_forced_at_its_timeout,
		demo_2_fails_whatever_comes_after_its_database,
		demo_2_cuts_a_list_in_the_middle,
		demo_2_under_load_fails_requests_and_nothing_else,
		demo_2_finishes_background_work_first,
		flags_that_make_no_sense_are_refused,
		NULL,
	};

	return suite_run("stock_demos", tests);
}
