/*
 * The commands by which people know the stock demos, as they are written in
 * their README. Only the ports and the folder are others, as many tests run
 * side by side.
 */
#include "harness/stock.h"
#include "harness/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- running them -------------------------------------------------------- */

/* In @ret, the original's ports are replaced by ours and {order-id} by @id. */
static void adapt(const struct stock *stock, const char *command,
		  const char *id, char ret[2048])
{
	char http[16];
	char grpc[16];
	const struct {
		const char *from;
		const char *to;
	} words[] = {
		{ "8082", http },
		{ "50051", grpc },
		{ "{order-id}", id },
	};
	size_t size = 0;

	snprintf(http, sizeof(http), "%d", stock->http_port);
	snprintf(grpc, sizeof(grpc), "%d", stock->grpc_port);
	while (*command != '\0') {
		size_t taken = 1;
		size_t put = 1;
		const char *text = command;

		for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
			size_t from = strlen(words[i].from);

			if (strncmp(command, words[i].from, from) == 0) {
				taken = from;
				text = words[i].to;
				put = strlen(text);
			}
		}
		ck_assert_uint_lt(size + put, 2048);
		memcpy(ret + size, text, put);
		size += put;
		command += taken;
	}
	ret[size] = '\0';
}

/* By a shell in the server's folder, whose PATH has grpcurl. */
static void shell(const struct stock *stock, struct outcome *ret_outcome,
		  const char *command, const char *id)
{
	static const char script[] =
		"cd \"$1\" && PATH=${2%/*}:$PATH && eval \"$3\"";
	const char *grpcurl = tool_find("grpcurl");
	char adapted[2048];

	adapt(stock, command, id, adapted);
	RUN(ret_outcome, "/bin/sh", NULL, "-c", script, "sh", stock->dir,
	    grpcurl != NULL ? grpcurl : "/usr/bin/none", adapted);
	ck_assert_msg(ret_outcome->code == 0, "%s: %d, %s", adapted,
		      ret_outcome->code, ret_outcome->text);
}

/* curl shows how far it is on stderr; what it got begins with this. */
static json_t *json_in(const struct outcome *outcome, char begin)
{
	const char *at = strchr(outcome->text, begin);
	json_t *json;

	ck_assert_msg(at != NULL, "no %c in %s", begin, outcome->text);
	json = json_loads(at, JSON_REJECT_DUPLICATES | JSON_DISABLE_EOF_CHECK,
			  NULL);
	ck_assert_msg(json != NULL, "no JSON: %s", outcome->text);
	return json;
}

static void take_port(struct process *server, const char *name, int *port)
{
	int taken = process_port(server, name);

	ck_assert(*port == 0 || *port == taken);
	*port = taken;
}

/* "PORT=... GRPC_PORT=... demo_3", in a folder of its own, without a flag. The
 * first time on ports that are free, then on the same. */
static void start_by_environment(struct stock *stock, const char *program)
{
	static const char script[] = "cd \"$1\" && exec \"$2\"";
	char port[32];
	char grpc_port[32];
	const char *const env[] = { port, grpc_port, NULL };
	const struct process_options by_env = { .env = env };
	char path[PATH_SIZE];

	process_release(&stock->server);
	snprintf(port, sizeof(port), "PORT=%d", stock->http_port);
	snprintf(grpc_port, sizeof(grpc_port), "GRPC_PORT=%d",
		 stock->grpc_port);
	program_path(path, program);
	PROCESS_START(&stock->server, "/bin/sh", &by_env, "-c", script, "sh",
		      stock->dir, path);
	take_port(&stock->server, "http_port", &stock->http_port);
	if (strcmp(program, "stock_demo_3") == 0) {
		take_port(&stock->server, "grpc_port", &stock->grpc_port);
	}
}

/* ---- demo 3 -------------------------------------------------------------- */

static const char health_check[] = "curl http://localhost:8082/health";

static const char create_market[] =
	"curl -X POST http://localhost:8082/api/orders \\\n"
	"  -H \"Content-Type: application/json\" \\\n"
	"  -d '{\n"
	"    \"symbol\": \"AAPL\",\n"
	"    \"order_type\": \"MARKET\",\n"
	"    \"order_side\": \"BUY\",\n"
	"    \"quantity\": 100\n"
	"  }'";

static const char create_limit[] =
	"curl -X POST http://localhost:8082/api/orders \\\n"
	"  -H \"Content-Type: application/json\" \\\n"
	"  -d '{\n"
	"    \"symbol\": \"GOOGL\",\n"
	"    \"order_type\": \"LIMIT\",\n"
	"    \"order_side\": \"SELL\",\n"
	"    \"quantity\": 50,\n"
	"    \"price\": 150.75\n"
	"  }'";

static const char list_all[] = "curl http://localhost:8082/api/orders";
static const char get_one[] =
	"curl http://localhost:8082/api/orders/{order-id}";
static const char cancel_one[] =
	"curl -X POST http://localhost:8082/api/orders/{order-id}/cancel";

static const char grpc_services[] = "grpcurl -plaintext localhost:50051 list";

static const char grpc_create[] =
	"grpcurl -plaintext -d '{\n"
	"  \"symbol\": \"AAPL\",\n"
	"  \"order_type\": \"MARKET\",\n"
	"  \"order_side\": \"BUY\",\n"
	"  \"quantity\": 100\n"
	"}' localhost:50051 stockorder.StockOrderService/CreateOrder";

static const char grpc_list[] = "grpcurl -plaintext -d '{}' localhost:50051 "
				"stockorder.StockOrderService/ListOrders";

static void create(const struct stock *stock, const char *command,
		   const char *symbol, char ret_id[37])
{
	struct outcome outcome;
	json_t *order;

	shell(stock, &outcome, command, "");
	order = json_in(&outcome, '{');
	ck_assert_str_eq(json_text(order, "symbol"), symbol);
	ck_assert_str_eq(json_text(order, "status"), "PENDING");
	snprintf(ret_id, 37, "%s", json_text(order, "id"));
	json_decref(order);
}

START_TEST(the_rest_examples_work)
{
	struct outcome outcome;
	struct stock stock;
	char market[37];
	char limit[37];
	json_t *json;

	stock_prepare(&stock, NULL);
	start_by_environment(&stock, "stock_demo_3");
	shell(&stock, &outcome, health_check, "");
	json = json_in(&outcome, '{');
	ck_assert_str_eq(json_text(json, "status"), "healthy");
	json_decref(json);
	create(&stock, create_market, "AAPL", market);
	create(&stock, create_limit, "GOOGL", limit);
	shell(&stock, &outcome, list_all, "");
	json = json_in(&outcome, '[');
	ck_assert_uint_eq(json_array_size(json), 2);
	ck_assert_str_eq(json_text(json_array_get(json, 0), "id"), limit);
	ck_assert_str_eq(json_text(json_array_get(json, 1), "id"), market);
	json_decref(json);
	shell(&stock, &outcome, get_one, limit);
	json = json_in(&outcome, '{');
	ck_assert_str_eq(json_text(json, "id"), limit);
	ck_assert(json_real_value(json_object_get(json, "price")) == 150.75);
	json_decref(json);
	shell(&stock, &outcome, cancel_one, limit);
	json = json_in(&outcome, '{');
	ck_assert_str_eq(json_text(json, "message"),
			 "order cancelled successfully");
	json_decref(json);
	stock_end(&stock);
}
END_TEST

START_TEST(the_grpcurl_examples_work)
{
	struct outcome outcome;
	struct stock stock;
	json_t *json;
	char id[37];

	if (tool_find("grpcurl") == NULL) {
		return;
	}
	stock_prepare(&stock, NULL);
	start_by_environment(&stock, "stock_demo_3");
	shell(&stock, &outcome, grpc_services, "");
	ck_assert_ptr_nonnull(
		strstr(outcome.text, "stockorder.StockOrderService\n"));
	create(&stock, grpc_create, "AAPL", id);
	shell(&stock, &outcome, grpc_list, "");
	json = json_in(&outcome, '{');
	ck_assert_uint_eq(json_array_size(json_object_get(json, "orders")), 1);
	ck_assert_str_eq(
		json_text(json_array_get(json_object_get(json, "orders"), 0),
			  "id"),
		id);
	json_decref(json);
	stock_end(&stock);
}
END_TEST

/* ---- all of them --------------------------------------------------------- */

/* "kill -SIGTERM <process-id>", and see what is logged. */
START_TEST(each_demo_runs_and_is_stopped_as_described)
{
	static const char *const programs[] = { "stock_demo_1", "stock_demo_2",
						"stock_demo_3" };
	struct outcome outcome;
	struct stock stock;
	char command[64];
	char id[37];

	stock_prepare(&stock, NULL);
	for (size_t i = 0; i < 3; i++) {
		struct process *server = &stock.server;

		/* The second and the third on the port that they are told. */
		start_by_environment(&stock, programs[i]);
		create(&stock, create_market, "AAPL", id);
		if (strcmp(programs[i], "stock_demo_2") == 0) {
			/* Its ten seconds are somebody else's to watch. */
			process_signal(server, SIGTERM);
			process_await(server, "---Start Graceful shutdown---",
				      NULL);
			process_kill(server);
			continue;
		}
		snprintf(command, sizeof(command), "kill -s TERM %d",
			 (int)server->pid);
		shell(&stock, &outcome, command, "");
		ck_assert_int_eq(process_wait(server), 0);
		process_await(server, "---Start Graceful shutdown---", NULL);
		process_await(server, "---Graceful shutdown completed---",
			      NULL);
		process_release(server);
	}
	/* All on one database, which is where they were started. */
	ck_assert_int_eq(stock_stored_n(&stock), 3);
	stock_end(&stock);
}
END_TEST

/* ---- troubleshooting ----------------------------------------------------- */

START_TEST(a_port_that_is_taken_is_told)
{
	struct outcome outcome;
	struct stock first;
	char port[16];
	char db[PATH_SIZE];

	stock_start(&first, NULL);
	scratch_path(db, first.dir, "second.db");
	snprintf(port, sizeof(port), "%d", first.http_port);
	RUN(&outcome, "stock_demo_1", NULL, "-port", port, "-db", db);
	ck_assert_int_eq(outcome.code, 1);
	ck_assert_msg(outcome_lines(&outcome) == 1 &&
			      strstr(outcome.text, "already in use") != NULL &&
			      strstr(outcome.text, port) != NULL,
		      "%s", outcome.text);
	snprintf(port, sizeof(port), "%d", first.grpc_port);
	RUN(&outcome, "stock_demo_3", NULL, "-port", "0", "-grpc-port", port,
	    "-db", db);
	ck_assert_int_eq(outcome.code, 1);
	ck_assert_msg(outcome_lines(&outcome) == 1 &&
			      strstr(outcome.text, "already in use") != NULL &&
			      strstr(outcome.text, port) != NULL,
		      "%s", outcome.text);
	/* Nothing was made for a program that does not run. */
	ck_assert(!path_exists(db));
	stock_end(&first);
}
END_TEST

START_TEST(a_database_that_is_removed_begins_anew)
{
	struct outcome outcome;
	struct stock stock;
	char id[37];

	stock_prepare(&stock, NULL);
	start_by_environment(&stock, "stock_demo_1");
	create(&stock, create_limit, "GOOGL", id);
	process_end(&stock.server);
	shell(&stock, &outcome, "rm stock_orders.db", "");
	start_by_environment(&stock, "stock_demo_1");
	shell(&stock, &outcome, list_all, "");
	ck_assert_ptr_nonnull(strstr(outcome.text, "[]\n"));
	stock_end(&stock);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		the_rest_examples_work,
		the_grpcurl_examples_work,
		each_demo_runs_and_is_stopped_as_described,
		a_port_that_is_taken_is_told,
		a_database_that_is_removed_begins_anew,
		NULL,
	};

	return suite_run("stock_usage", tests);
}
