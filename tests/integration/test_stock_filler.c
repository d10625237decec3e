/*
 * Orders that are filled in the background: each ends in exactly one state,
 * whoever else is at it, and a stop loses none of them.
 */
#include "harness/caller.h"
#include "harness/orders.h"
#include "harness/stock.h"
#include "harness/suite.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define PENDING_MARKET                                                         \
	"SELECT COUNT(*) FROM stock_orders WHERE status='PENDING' AND "        \
	"order_type='MARKET'"

static int count_status(const struct stock *stock, const char *type,
			const char *status)
{
	char sql[256];

	snprintf(sql, sizeof(sql),
		 "SELECT COUNT(*) FROM stock_orders WHERE order_type='%s' AND "
		 "status='%s'",
		 type, status);
	return rows_query(stock->db, sql);
}

/* ---- filling ------------------------------------------------------------- */

START_TEST(market_orders_are_filled_and_limit_orders_are_not)
{
	struct stock_options options = { .flags = FLAGS("-fill-after", "0s") };
	struct stock stock;
	struct reply reply;
	char market[37];
	char limit[37];
	json_t *order;

	stock_start(&stock, &options);
	stock_create(&stock, LIMIT_ORDER, limit);
	stock_create(&stock, MARKET_ORDER, market);
	UNTIL(count_status(&stock, "MARKET", "FILLED") == 1);
	stock_get(&stock, &reply, "/api/orders/%s", market);
	order = reply_json(&reply);
	ck_assert_str_eq(json_text(order, "status"), "FILLED");
	ck_assert_int_ge(strcmp(json_text(order, "updated_at"),
				json_text(order, "created_at")),
			 0);
	json_decref(order);
	stock_get(&stock, &reply, "/api/orders/%s", limit);
	order = reply_json(&reply);
	ck_assert_str_eq(json_text(order, "status"), "PENDING");
	json_decref(order);
	stock_end(&stock);
}
END_TEST

START_TEST(without_the_flag_nothing_is_filled)
{
	struct stock stock;
	char status[16];
	char id[37];

	stock_start(&stock, NULL);
	stock_create(&stock, MARKET_ORDER, id);
	stock_restart(&stock);
	stock_stored_status(&stock, id, status);
	ck_assert_str_eq(status, "PENDING");
	stock_end(&stock);
}
END_TEST

/* ---- stopping ------------------------------------------------------------ */

enum { DUE = 2000 };

/* The server stands still, and DUE market orders wait in its database. */
static void start_and_fall_behind(struct stock *stock,
				  const struct stock_options *options)
{
	char id[37];

	stock_start(stock, options);
	/* Whatever its database does at the start is over then. */
	stock_create(stock, LIMIT_ORDER, id);
	process_pause(&stock->server);
	stock_fill(stock, DUE);
	rows_exec(stock->db, "UPDATE stock_orders SET order_type='MARKET' "
			     "WHERE symbol='OLD'");
}

static int stop_and_go_on(struct stock *stock)
{
	process_signal(&stock->server, SIGTERM);
	process_resume(&stock->server);
	return process_wait(&stock->server);
}

START_TEST(what_is_due_when_it_stops_is_filled)
{
	struct stock_options options = { .flags = FLAGS("-fill-after", "0s") };
	struct stock stock;

	start_and_fall_behind(&stock, &options);
	ck_assert_int_eq(stop_and_go_on(&stock), EXIT_DRAINED);
	process_await(&stock.server,
		      "background work is finished: all orders that were due "
		      "are filled",
		      "filled=");
	stock_expect_one_file(&stock);
	process_release(&stock.server);
	ck_assert_int_eq(count_status(&stock, "MARKET", "FILLED"), DUE);
	stock_end(&stock);
}
END_TEST

/* It can't be filled in time, so it waits for the next start. */
START_TEST(what_can_not_be_filled_stays_pending)
{
	struct stock_options options = { .flags = FLAGS("-fill-after", "0s",
							"-shutdown-timeout",
							"400ms") };
	struct stock stock;
	sqlite3 *lock;

	start_and_fall_behind(&stock, &options);
	lock = rows_lock(stock.db);
	ck_assert_int_eq(stop_and_go_on(&stock), EXIT_FORCED);
	rows_unlock(lock);
	process_await(&stock.server,
		      "background work is left: orders that are due stay "
		      "PENDING, in the database",
		      NULL);
	process_release(&stock.server);
	ck_assert_int_eq(count_status(&stock, "MARKET", "PENDING"), DUE);
	stock_expect_intact(&stock);
	stock_start_server(&stock);
	UNTIL(rows_query(stock.db, PENDING_MARKET) == 0);
	ck_assert_int_eq(count_status(&stock, "MARKET", "FILLED"), DUE);
	stock_end(&stock);
}
END_TEST

static void expect_filled_or_pending(const struct order_try *attempt, void *arg)
{
	const struct stock *stock = arg;
	char status[16];

	if (attempt->end != ORDER_ACCEPTED) {
		return;
	}
	stock_stored_status(stock, attempt->id, status);
	ck_assert_msg(
		strcmp(status, "PENDING") == 0 ||
			(attempt->market && strcmp(status, "FILLED") == 0),
		"order %s is '%s'", attempt->id, status);
}

START_TEST(stopped_under_load_no_order_is_lost)
{
	struct stock_options options = { .flags = FLAGS("-fill-after", "0s") };
	struct orders orders;
	struct stock stock;

	stock_start(&stock, &options);
	orders_start(&orders, &stock,
		     &(struct orders_options){ .kept = 16, .grpc = 16 });
	orders_await(&orders, ORDER_ACCEPTED, 20 * 32);
	ck_assert_int_eq(stock_stop(&stock), EXIT_DRAINED);
	stock_expect_one_file(&stock);
	process_release(&stock.server);
	orders_wait(&orders);
	orders_each(&orders, expect_filled_or_pending, &stock);
	orders_expect_nothing_failed(&orders, "filled under load");
	/* Those that were not due go on where they stopped. */
	stock_start_server(&stock);
	UNTIL(rows_query(stock.db, PENDING_MARKET) == 0);
	ck_assert_int_eq(count_status(&stock, "LIMIT", "FILLED"), 0);
	stock_end(&stock);
}
END_TEST

/* A kill is a stop, too: what was filled stays so, and the rest is filled
 * later. */
START_TEST(killed_no_order_is_lost)
{
	struct stock_options options = { .flags = FLAGS("-fill-after", "0s") };
	struct stock stock;

	start_and_fall_behind(&stock, &options);
	stock_kill_and_restart(&stock);
	UNTIL(count_status(&stock, "MARKET", "FILLED") > 0);
	stock_kill_and_restart(&stock);
	UNTIL(rows_query(stock.db, PENDING_MARKET) == 0);
	ck_assert_int_eq(count_status(&stock, "MARKET", "FILLED"), DUE);
	stock_end(&stock);
}
END_TEST

/* ---- races --------------------------------------------------------------- */

enum { RACERS = 8, ROUNDS = 60 };

struct racer {
	const struct stock *stock;
	pthread_t thread;
	bool over_grpc;
	int cancelled;
	int filled;
	struct {
		char id[37];
		bool cancelled;
	} orders[ROUNDS];
};

static void post_and_get_id(struct client *client, char ret_id[37])
{
	struct reply reply;
	const char *id;

	ck_assert(client_post(client, "/api/orders", "application/json",
			      MARKET_ORDER, strlen(MARKET_ORDER)));
	ck_assert(client_receive(client, &reply));
	ck_assert_int_eq(reply.status, 201);
	id = strstr(reply.body, "{\"id\":\"");
	ck_assert_ptr_nonnull(id);
	snprintf(ret_id, 37, "%.36s", id + strlen("{\"id\":\""));
}

/* True: it is cancelled; false: it was filled before. */
static bool cancel_over_rest(struct client *client, const char *id)
{
	static const char too_late[] =
		"{\"error\":\"cannot cancel order with status: FILLED\"}\n";
	struct reply reply;
	char path[128];

	snprintf(path, sizeof(path), "/api/orders/%s/cancel", id);
	ck_assert(client_post(client, path, "application/json", "", 0));
	ck_assert(client_receive(client, &reply));
	ck_assert_msg(reply.status == 200 ||
			      (reply.status == 409 &&
			       strcmp(reply.body, too_late) == 0),
		      "%d: %s", reply.status, reply.body);
	return reply.status == 200;
}

static bool cancel_over_grpc(struct caller *caller, const char *id)
{
	struct caller_answer answer;
	unsigned char message[2 + 36] = { 0x0A, 36 };

	memcpy(message + 2, id, 36);
	ck_assert_uint_ne(caller_call(caller,
				      "/stockorder.StockOrderService/"
				      "CancelOrder",
				      NULL, message, sizeof(message)),
			  0);
	ck_assert(caller_receive(caller, &answer));
	ck_assert(answer.end == CALLER_MESSAGE || answer.end == CALLER_STATUS);
	return answer.end == CALLER_MESSAGE;
}

static void *race(void *arg)
{
	struct racer *racer = arg;
	struct client client;
	struct caller caller;

	client_open(&client, racer->stock->http_port);
	caller_open(&caller, racer->stock->grpc_port);
	for (int i = 0; i < ROUNDS; i++) {
		char *id = racer->orders[i].id;
		bool cancelled;

		post_and_get_id(&client, id);
		cancelled = racer->over_grpc ? cancel_over_grpc(&caller, id)
					     : cancel_over_rest(&client, id);
		racer->orders[i].cancelled = cancelled;
	}
	client_close(&client);
	caller_close(&caller);
	return NULL;
}

static void expect_as_told(struct racer *racer)
{
	char status[16];

	for (int i = 0; i < ROUNDS; i++) {
		const char *wanted =
			racer->orders[i].cancelled ? "CANCELLED" : "FILLED";

		stock_stored_status(racer->stock, racer->orders[i].id, status);
		ck_assert_msg(strcmp(status, wanted) == 0,
			      "order %s was told to be %s, and is %s",
			      racer->orders[i].id, wanted, status);
	}
}

/* Each is created, and then its creator and the filler are after it. Who was
 * told that it is cancelled finds it so, for good, and the others find it
 * filled. */
START_TEST(a_cancel_and_a_fill_end_an_order_once)
{
	struct stock_options options = { .flags = FLAGS("-fill-after", "0s") };
	static struct racer racers[RACERS];
	struct stock stock;
	int cancelled;
	int filled;

	stock_start(&stock, &options);
	for (int i = 0; i < RACERS; i++) {
		racers[i].stock = &stock;
		racers[i].over_grpc = i % 2 == 1;
		ck_assert_int_eq(pthread_create(&racers[i].thread, NULL, race,
						&racers[i]),
				 0);
	}
	for (int i = 0; i < RACERS; i++) {
		pthread_join(racers[i].thread, NULL);
	}
	for (int i = 0; i < RACERS; i++) {
		expect_as_told(&racers[i]);
	}
	cancelled = count_status(&stock, "MARKET", "CANCELLED");
	filled = count_status(&stock, "MARKET", "FILLED");
	printf("%d cancelled, %d filled\n", cancelled, filled);
	ck_assert_int_eq(cancelled + filled, RACERS * ROUNDS);
	stock_restart(&stock);
	for (int i = 0; i < RACERS; i++) {
		expect_as_told(&racers[i]);
	}
	stock_end(&stock);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		market_orders_are_filled_and_limit_orders_are_not,
		without_the_flag_nothing_is_filled,
		what_is_due_when_it_stops_is_filled,
		what_can_not_be_filled_stays_pending,
		stopped_under_load_no_order_is_lost,
		killed_no_order_is_lost,
		a_cancel_and_a_fill_end_an_order_once,
		NULL,
	};

	return suite_run("stock_filler", tests);
}
