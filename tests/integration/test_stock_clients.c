/* The clients of the stock orders: runs of orders over both protocols, what
 * they sum up, and what they exit with. */
#include "harness/identity.h"
#include "harness/stock_client.h"
#include "harness/suite.h"

#include <stdio.h>
#include <string.h>

/* ---- a run -----------------------------------------------------------------
 */

START_TEST(a_run_sends_what_was_asked_for_and_sums_up)
{
	struct stock stock;
	struct outcome outcome;

	stock_start(&stock, NULL);
	for (int client = REST; client < CLIENTS; client++) {
		RUN_CLIENT(&outcome, &stock, client, "-count=3", "-interval=0",
			   "-symbol=goog", "-type=LIMIT", "-side=SELL",
			   "-quantity=7", "-price=1.25");
		expect_code(&outcome, 0);
		expect_plain(outcome.text);
		expect_text(outcome.text, "3 accepted ");
		expect_summary(outcome.text,
			       "sent 3, accepted 3, failed 0, cancelled 0");
		ck_assert_uint_eq(outcome_lines(&outcome), 5);
		ck_assert_int_eq(
			rows_query(stock.db,
				   "SELECT COUNT(*) FROM stock_orders WHERE "
				   "symbol='GOOG' AND order_type='LIMIT' AND "
				   "order_side='SELL' AND quantity=7 AND "
				   "price=1.25"),
			3 * (client + 1));
	}
	stock_end(&stock);
}
END_TEST

START_TEST(without_flags_it_is_the_order_of_old)
{
	struct stock stock;
	struct outcome outcome;

	stock_start(&stock, NULL);
	for (int client = REST; client < CLIENTS; client++) {
		RUN_CLIENT(&outcome, &stock, client, "-count=1");
		expect_code(&outcome, 0);
	}
	ck_assert_int_eq(rows_query(stock.db,
				    "SELECT COUNT(*) FROM stock_orders WHERE "
				    "symbol='AAPL' AND order_type='MARKET' AND "
				    "order_side='BUY' AND quantity=100"),
			 2);
	stock_end(&stock);
}
END_TEST

START_TEST(each_order_has_a_fresh_key_where_keys_are_wanted)
{
	struct stock stock;
	struct outcome outcome;

	stock_start(&stock, NULL);
	for (int client = REST; client < CLIENTS; client++) {
		RUN_CLIENT(&outcome, &stock, client, "-count=2", "-interval=0",
			   "-idempotency");
		expect_code(&outcome, 0);
		RUN_CLIENT(&outcome, &stock, client, "-count=1");
		expect_code(&outcome, 0);
	}
	ck_assert_int_eq(
		rows_query(stock.db, "SELECT COUNT(*) FROM stock_order_keys"),
		4);
	ck_assert_int_eq(
		rows_query(stock.db, "SELECT COUNT(*) FROM stock_orders"), 6);
	stock_end(&stock);
}
END_TEST

START_TEST(a_refused_order_has_failed)
{
	struct stock stock;
	struct outcome outcome;

	stock_start(&stock, NULL);
	for (int client = REST; client < CLIENTS; client++) {
		RUN_CLIENT(&outcome, &stock, client, "-count=2", "-interval=0",
			   "-type=LIMIT");
		expect_code(&outcome, 2);
		expect_text(outcome.text, "INVALID_ARGUMENT: ");
		expect_text(outcome.text,
			    "limit order must have a price greater than 0\n");
		expect_summary(outcome.text,
			       "sent 2, accepted 0, failed 2, cancelled 0");
	}
	stock_end(&stock);
}
END_TEST

static const int signals[] = { SIGINT, SIGTERM, SIGHUP };

START_TEST(a_signal_cancels_what_is_in_flight_and_sums_up)
{
	struct stock stock;

	stock_start(&stock, NULL);
	for (int i = 0; i < 2 * CLIENTS; i++) {
		sqlite3 *lock = rows_lock(stock.db);
		struct process client;

		START_CLIENT(&client, NULL, &stock, i % CLIENTS, "-timeout=1h",
			     "-interval=0");
		await_in_flight(&stock, 1);
		process_signal(&client, signals[i % 3]);
		ck_assert_int_eq(process_wait(&client), 0);
		expect_text(client.log, "1 cancelled ");
		expect_summary(client.log,
			       "sent 1, accepted 0, failed 0, cancelled 1");
		process_release(&client);
		/* The server knows, while the database is still locked. */
		await_in_flight(&stock, 0);
		rows_unlock(lock);
	}
	stock_end(&stock);
}
END_TEST

START_TEST(a_signal_between_two_orders_ends_a_run)
{
	struct stock stock;

	stock_start(&stock, NULL);
	for (int i = REST; i < CLIENTS; i++) {
		struct process client;

		START_CLIENT(&client, NULL, &stock, i, "-interval=1h");
		process_await(&client, "1 accepted ", NULL);
		process_signal(&client, SIGTERM);
		ck_assert_int_eq(process_wait(&client), 0);
		expect_summary(client.log,
			       "sent 1, accepted 1, failed 0, cancelled 0");
		ck_assert_int_eq(expect_stored(&client, stock.db), 1);
		process_release(&client);
	}
	stock_end(&stock);
}
END_TEST

START_TEST(without_a_server_the_exit_code_says_so)
{
	struct stock stock = { .http_port = free_port() };
	struct outcome outcome;

	snprintf(stock.grpc, sizeof(stock.grpc), "localhost:%d",
		 stock.http_port);
	for (int client = REST; client < CLIENTS; client++) {
		RUN_CLIENT(&outcome, &stock, client, "-count=2",
			   "-interval=1ms");
		expect_code(&outcome, 7);
		expect_text(outcome.text, "2 failed ");
		expect_text(outcome.text, " UNAVAILABLE: ");
		expect_summary(outcome.text,
			       "sent 2, accepted 0, failed 2, cancelled 0");
	}
	RUN_GRPC(&outcome, &stock, "get", "x");
	expect_code(&outcome, 7);
	ck_assert_uint_eq(outcome_lines(&outcome), 1);
	expect_text(outcome.text, "stock_client_grpc: UNAVAILABLE: ");
	RUN_GRPC(&outcome, &stock, "list");
	expect_code(&outcome, 7);
	ck_assert_uint_eq(outcome_lines(&outcome), 1);
}
END_TEST

START_TEST(a_server_that_is_killed_and_comes_back)
{
	struct stock stock;

	for (int i = REST; i < CLIENTS; i++) {
		struct process client;
		int accepted;

		stock_start(&stock, NULL);
		START_CLIENT(&client, NULL, &stock, i, "-interval=5ms");
		process_await(&client, "2 accepted ", NULL);
		process_kill(&stock.server);
		process_await(&client, " failed ", "UNAVAILABLE: ");
		accepted = (int)process_count(&client, " accepted ", NULL);
		stock_start_server(&stock);
		UNTIL((int)process_count(&client, " accepted ", NULL) >
		      accepted);
		process_signal(&client, SIGINT);
		ck_assert_int_eq(process_wait(&client), 1);
		/* Who was told yes keeps it. */
		ck_assert_int_gt(expect_stored(&client, stock.db), accepted);
		process_release(&client);
		stock_end(&stock);
	}
}
END_TEST

START_TEST(no_answer_in_time_has_an_exit_code)
{
	struct stock stock;
	struct outcome outcome;
	sqlite3 *lock;

	stock_start(&stock, NULL);
	lock = rows_lock(stock.db);
	for (int client = REST; client < CLIENTS; client++) {
		RUN_CLIENT(&outcome, &stock, client, "-count=1",
			   "-timeout=100ms");
		expect_code(&outcome, 6);
		expect_text(outcome.text, "DEADLINE_EXCEEDED: ");
	}
	RUN_GRPC(&outcome, &stock, "create", "-timeout=100ms");
	expect_code(&outcome, 6);
	expect_text(outcome.text, "; whether it was done is not known\n");
	rows_unlock(lock);
	stock_end(&stock);
}
END_TEST

/* ---- usage ------------------------------------------------------------------
 */

static void expect_usage(const struct outcome *outcome, const char *text)
{
	expect_code(outcome, 2);
	ck_assert_str_eq(outcome->text, text);
}

START_TEST(wrong_usage_is_one_clear_line)
{
	struct outcome outcome;

	RUN(&outcome, "stock_client", NULL, "-cuont=3");
	expect_usage(&outcome, "stock_client: unknown flag -cuont: did you "
			       "mean -count?\n");
	RUN(&outcome, "stock_client", NULL, "run");
	expect_usage(&outcome, "stock_client: unexpected argument 'run': "
			       "there are only flags, see -help\n");
	RUN(&outcome, "stock_client", NULL, "-url=localhost:8082");
	expect_usage(&outcome, "stock_client: 'localhost:8082' is not an "
			       "address such as http://localhost:8082\n");
	RUN(&outcome, "stock_client", NULL, "-tls-ca=/nonexistent");
	expect_usage(&outcome, "stock_client: flag -tls-ca: '/nonexistent': "
			       "No such file or directory\n");
	RUN(&outcome, "stock_client_grpc", NULL, "lsit");
	expect_usage(&outcome, "stock_client_grpc: unknown command 'lsit': did "
			       "you mean 'list'?\n");
	RUN(&outcome, "stock_client_grpc", NULL, "get");
	expect_usage(&outcome, "stock_client_grpc: the argument ID is "
			       "missing: see -help\n");
	RUN(&outcome, "stock_client_grpc", NULL, "create", "-limit=3");
	expect_usage(&outcome, "stock_client_grpc: flag -limit belongs to the "
			       "command 'list'\n");
	RUN(&outcome, "stock_client_grpc", NULL, "-target=nowhere", "list");
	expect_usage(&outcome, "stock_client_grpc: -target: 'nowhere' is not "
			       "of the form host:port\n");
	RUN(&outcome, "stock_client_grpc", NULL, "-tls-ca=/dev/null", "list");
	expect_code(&outcome, 2);
	ck_assert_uint_eq(outcome_lines(&outcome), 1);
}
END_TEST

START_TEST(help_tells_commands_and_exit_codes)
{
	struct outcome outcome;

	for (int client = REST; client < CLIENTS; client++) {
		RUN(&outcome, client_programs[client], NULL, "-help");
		expect_code(&outcome, 0);
		expect_text(outcome.text, "\nExit codes:\n  0  ");
		expect_text(outcome.text, "\n  7  no server there");
		expect_text(outcome.text, "\nExamples:\n");
		RUN(&outcome, client_programs[client], NULL, "-version");
		expect_code(&outcome, 0);
		ck_assert_uint_eq(outcome_lines(&outcome), 1);
	}
	RUN(&outcome, "stock_client_grpc", NULL, "-help");
	expect_text(outcome.text, "\n  cancel ID  ");
	RUN(&outcome, "stock_client_grpc", NULL, "list", "-help");
	expect_code(&outcome, 0);
	expect_text(outcome.text, "\n  -limit number ");
}
END_TEST

/* ---- TLS --------------------------------------------------------------------
 */

START_TEST(both_speak_tls_and_show_a_certificate)
{
	struct identity ours;
	struct identity theirs;
	const char *const flags[] = { "-http-tls-cert",
				      ours.cert,
				      "-http-tls-key",
				      ours.key,
				      "-http-tls-ca",
				      ours.ca,
				      "-tls-cert",
				      ours.cert,
				      "-tls-key",
				      ours.key,
				      "-tls-ca",
				      ours.ca,
				      NULL };
	const struct stock_options options = { .flags = flags };
	char url[64];
	const char *addresses[CLIENTS] = { url };
	struct stock stock;
	struct outcome outcome;

	stock_prepare(&stock, &options);
	identity_make(&ours, stock.dir, "ours");
	identity_make(&theirs, stock.dir, "theirs");
	stock_start_server(&stock);
	snprintf(url, sizeof(url), "https://localhost:%d", stock.http_port);
	addresses[GRPC] = stock.grpc;
	for (int client = REST; client < CLIENTS; client++) {
		const char *program = client_programs[client];
		const char *flag = client_flags[client];
		const char *address = addresses[client];

		RUN(&outcome, program, NULL, flag, address, "-count=2",
		    "-interval=0", "-tls-ca", ours.ca, "-tls-cert", ours.cert,
		    "-tls-key", ours.key);
		expect_code(&outcome, 0);
		/* Another authority: not trusted. */
		RUN(&outcome, program, NULL, flag, address, "-count=1",
		    "-tls-ca", theirs.ca, "-tls-cert", ours.cert, "-tls-key",
		    ours.key);
		expect_code(&outcome, 7);
		/* No certificate: not let in. */
		RUN(&outcome, program, NULL, flag, address, "-count=1",
		    "-tls-ca", ours.ca);
		expect_code(&outcome, 7);
	}
	stock_end(&stock);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		a_run_sends_what_was_asked_for_and_sums_up,
		without_flags_it_is_the_order_of_old,
		each_order_has_a_fresh_key_where_keys_are_wanted,
		a_refused_order_has_failed,
		a_signal_cancels_what_is_in_flight_and_sums_up,
		a_signal_between_two_orders_ends_a_run,
		without_a_server_the_exit_code_says_so,
		a_server_that_is_killed_and_comes_back,
		no_answer_in_time_has_an_exit_code,
		wrong_usage_is_one_clear_line,
		help_tells_commands_and_exit_codes,
		both_speak_tls_and_show_a_certificate,
		NULL,
	};

	return suite_run("stock_clients", tests);
}
