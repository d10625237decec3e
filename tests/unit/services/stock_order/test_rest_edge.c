#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "shop.h"
#include "stock_order/adaptor/rest_edge.h"
#include "suite.h"

enum { ANSWER_MAX = 1 << 20 };

static struct shop shop;
static struct rest_edge edge;
static struct http_server *server;
static int client = -1;
static char answer[ANSWER_MAX];
static char body[ANSWER_MAX];

static void make_server(void *arg)
{
	struct http_options options;
	struct status bad;

	(void)arg;
	http_options_init(&options);
	options.error_style = HTTP_ERROR_JSON;
	options.on_end = rest_edge_on_end;
	options.on_end_arg = shop.world.work_metrics;
	ck_assert_int_eq(
		http_server_new(shop.world.root, &options, &server, &bad),
		STATUS_OK);
	edge.base = shop.edge;
	rest_edge_add(server, &edge);
	ck_assert_int_eq(http_server_start(server, &bad), STATUS_OK);
}

static void stop_accepting(void *arg)
{
	(void)arg;
	http_server_stop_accepting(server);
}

static void free_server(void *arg)
{
	stop_accepting(arg);
	http_server_free(server);
}

static void set_up(void)
{
	shop_open(&shop);
	world_on_loop(&shop.world, make_server, NULL);
}

static void hang_up(void)
{
	if (client >= 0) {
		close(client);
	}
	client = -1;
}

static void tear_down(void)
{
	hang_up();
	world_on_loop(&shop.world, free_server, NULL);
	ck_assert_uint_eq(atomic_load(&edge.streams), 0);
	shop_close(&shop);
}

/* ---- a client ----------------------------------------------------------- */

static void dial(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_port = htons(http_server_port(server)),
				  .sin_addr = { htonl(INADDR_LOOPBACK) } };

	client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(connect(client, (struct sockaddr *)&at, sizeof(at)),
			 0);
}

/* @line is method and target; @headers are lines that end in CRLF. */
static void send_request(const char *line, const char *headers,
			 const char *text, size_t size)
{
	char head[1024];
	int n = snprintf(head, sizeof(head),
			 "%s HTTP/1.1\r\nHost: localhost\r\n%s"
			 "Content-Length: %zu\r\n\r\n",
			 line, headers, size);

	ck_assert_int_eq(send(client, head, (size_t)n, MSG_NOSIGNAL), n);
	if (size > 0) {
		ck_assert_int_eq(send(client, text, size, MSG_NOSIGNAL),
				 (ssize_t)size);
	}
}

/* Copy the chunks' content into `body`; whether the last one was there. */
static bool unchunk(const char *at)
{
	size_t size = 0;
	unsigned long chunk;
	char *end;

	do {
		chunk = strtoul(at, &end, 16);
		if (end == at || strncmp(end, "\r\n", 2) != 0 ||
		    strlen(end + 2) < chunk) {
			return false;
		}
		memcpy(body + size, end + 2, chunk);
		size += chunk;
		body[size] = '\0';
		at = end + 2 + chunk + 2;
	} while (chunk > 0);
	return true;
}

/* Read up to the end; the status code, 0 for an answer that is not whole. */
static int read_answer(void)
{
	size_t size = 0;
	const char *text;
	ssize_t n;

	while ((n = recv(client, answer + size, sizeof(answer) - 1 - size, 0)) >
	       0) {
		size += (size_t)n;
	}
	answer[size] = '\0';
	text = strstr(answer, "\r\n\r\n");
	if (text == NULL) {
		return 0;
	}
	strcpy(body, text + 4);
	if (strstr(answer, "Transfer-Encoding: chunked\r\n") != NULL &&
	    !unchunk(text + 4)) {
		return 0;
	}
	return atoi(answer + 9);
}

static int ask(const char *line, const char *headers, const char *text)
{
	char all[512];
	int status;

	dial();
	snprintf(all, sizeof(all), "Connection: close\r\n%s", headers);
	send_request(line, all, text, strlen(text));
	status = read_answer();
	hang_up();
	return status;
}

static int get(const char *target)
{
	char line[512];

	snprintf(line, sizeof(line), "GET %s", target);
	return ask(line, "", "");
}

#define AS_JSON "Content-Type: application/json\r\n"

static int post(const char *target, const char *headers, const char *text)
{
	char line[512], all[512];

	snprintf(line, sizeof(line), "POST %s", target);
	snprintf(all, sizeof(all), AS_JSON "%s", headers);
	return ask(line, all, text);
}

static bool answered_with(const char *header)
{
	const char *end = strstr(answer, "\r\n\r\n");
	const char *at = strstr(answer, header);

	return at != NULL && at < end;
}

static void expect_error(int status, int expected, const char *message)
{
	char text[1024];

	snprintf(text, sizeof(text), "{\"error\":\"%s\"}\n", message);
	ck_assert_str_eq(body, text);
	ck_assert_int_eq(status, expected);
	ck_assert(answered_with("\r\nContent-Type: application/json\r\n"));
}

static const char market[] = "{\"symbol\":\"AAPL\",\"order_type\":\"MARKET\","
			     "\"order_side\":\"BUY\",\"quantity\":100}";
static const char first[] =
	"{\"id\":\"" SHOP_FIRST_ID "\",\"symbol\":\"AAPL\","
	"\"order_type\":\"MARKET\",\"order_side\":\"BUY\",\"quantity\":100,"
	"\"status\":\"PENDING\",\"created_at\":\"" SHOP_FIRST_TIME "\","
	"\"updated_at\":\"" SHOP_FIRST_TIME "\"}\n";

/* ---- create ------------------------------------------------------------- */

START_TEST(an_order_is_created)
{
	ck_assert_int_eq(post("/api/orders", "", market), 201);
	ck_assert_str_eq(body, first);
	ck_assert(answered_with("\r\nContent-Type: application/json\r\n"));
	ck_assert(!answered_with("Idempotent-Replayed"));
}
END_TEST

START_TEST(a_limit_order_is_created_with_all_that_it_says)
{
	ck_assert_int_eq(
		post("/api/orders", "",
		     "{\"symbol\":\"googl\",\"order_type\":\"LIMIT\","
		     "\"order_side\":\"SELL\",\"quantity\":50,"
		     "\"price\":150.75,\"description\":\"a \\\"b\\\"\"}"),
		201);
	ck_assert_ptr_nonnull(
		strstr(body, "\"symbol\":\"GOOGL\",\"order_type\":\"LIMIT\","
			     "\"order_side\":\"SELL\",\"quantity\":50,"
			     "\"price\":150.75,\"status\":\"PENDING\","));
	ck_assert_ptr_nonnull(
		strstr(body, ",\"description\":\"a \\\"b\\\"\"}\n"));
}
END_TEST

START_TEST(a_body_without_form_is_refused)
{
	expect_error(post("/api/orders", "", ""), 400, "invalid request body");
	expect_error(post("/api/orders", "", "{"), 400, "invalid request body");
	expect_error(post("/api/orders", "", "{\"color\":1}"), 400,
		     "unknown field \\\"color\\\"");
	expect_error(post("/api/orders", "", "{\"quantity\":\"1\"}"), 400,
		     "quantity must be an integer");
}
END_TEST

START_TEST(an_order_against_the_rules_is_refused)
{
	expect_error(post("/api/orders", "",
			  "{\"symbol\":\"A\",\"order_type\":\"LIMIT\","
			  "\"order_side\":\"BUY\",\"quantity\":1}"),
		     400, "limit order must have a price greater than 0");
	ck_assert_int_eq(get("/api/orders"), 200);
	ck_assert_str_eq(body, "[]\n");
}
END_TEST

static const struct {
	const char *headers;
	int status;
} types[] = {
	{ "Content-Type: application/json\r\n", 201 },
	{ "Content-Type: Application/JSON\r\n", 201 },
	{ "Content-Type: application/json; charset=utf-8\r\n", 201 },
	{ "Content-Type: application/json;charset=\"UTF-8\" \r\n", 201 },
	{ "Content-Type: application/json;\r\n", 201 },
	{ "Content-Type: application/json\r\nContent-Encoding: identity\r\n",
	  201 },
	{ "", 415 },
	{ "Content-Type: text/plain\r\n", 415 },
	{ "Content-Type: application/x-www-form-urlencoded\r\n", 415 },
	{ "Content-Type: application/jsonp\r\n", 415 },
	{ "Content-Type: application/json charset=utf-8\r\n", 415 },
	{ "Content-Type: application/json; charset=utf-16\r\n", 415 },
	{ "Content-Type: application/json; charset=utf-8; q=1\r\n", 415 },
	{ "Content-Type: application/json\r\nContent-Encoding: gzip\r\n", 415 },
};

START_TEST(a_body_must_be_of_type_json)
{
	int status = ask("POST /api/orders", types[_i].headers, market);

	ck_assert_int_eq(status, types[_i].status);
	if (status == 415) {
		expect_error(status, 415,
			     "the body must be of type application/json");
	}
}
END_TEST

START_TEST(a_large_body_is_refused)
{
	static char large[65 * 1024];

	memset(large, ' ', sizeof(large) - 1);
	expect_error(post("/api/orders", "", large), 413,
		     "the body is too large");
}
END_TEST

START_TEST(a_key_gives_the_first_answer_again)
{
	static const char key[] = "Idempotency-Key: k-1\r\n";

	ck_assert_int_eq(post("/api/orders", key, market), 201);
	ck_assert_str_eq(body, first);
	ck_assert_int_eq(post("/api/orders/" SHOP_FIRST_ID "/cancel", "", ""),
			 200);
	ck_assert_int_eq(post("/api/orders", key, market), 201);
	ck_assert_str_eq(body, first);
	ck_assert(answered_with("\r\nIdempotent-Replayed: true\r\n"));
	expect_error(post("/api/orders", key,
			  "{\"symbol\":\"AAPL\",\"order_type\":\"MARKET\","
			  "\"order_side\":\"BUY\",\"quantity\":101}"),
		     422, "idempotency key was used for another order");
	/* Without it, or with another, an order is a new one. */
	ck_assert_int_eq(
		post("/api/orders", "Idempotency-Key: k-2\r\n", market), 201);
	ck_assert(!answered_with("Idempotent-Replayed"));
	ck_assert_str_ne(body, first);
}
END_TEST

START_TEST(a_bad_key_is_refused)
{
	expect_error(post("/api/orders", "Idempotency-Key: a b\r\n", market),
		     400,
		     "idempotency key must be 1 to 255 visible ASCII "
		     "characters");
	ck_assert_int_eq(post("/api/orders", "Idempotency-Key:\r\n", market),
			 400);
}
END_TEST

/* ---- get, cancel -------------------------------------------------------- */

START_TEST(an_order_is_found_by_its_id)
{
	ck_assert_int_eq(post("/api/orders", "", market), 201);
	ck_assert_int_eq(get("/api/orders/" SHOP_FIRST_ID), 200);
	ck_assert_str_eq(body, first);
	expect_error(get("/api/orders/nope"), 404, "order not found: nope");
	expect_error(get("/api/orders/%22%3C"), 404, "order not found: \\\"<");
}
END_TEST

START_TEST(an_order_is_cancelled_once)
{
	static const char target[] = "/api/orders/" SHOP_FIRST_ID "/cancel";

	ck_assert_int_eq(post("/api/orders", "", market), 201);
	ck_assert_int_eq(post(target, "", ""), 200);
	ck_assert_str_eq(body,
			 "{\"message\":\"order cancelled successfully\"}\n");
	expect_error(post(target, "", ""), 409,
		     "cannot cancel order with status: CANCELLED");
	ck_assert_int_eq(get("/api/orders/" SHOP_FIRST_ID), 200);
	ck_assert_ptr_nonnull(strstr(body, "\"status\":\"CANCELLED\""));
	expect_error(post("/api/orders/nope/cancel", "", ""), 404,
		     "order not found: nope");
}
END_TEST

/* ---- list --------------------------------------------------------------- */

/* Check that `body` is an array of symbols S<from> down to S<to>. */
static void expect_symbols(int from, int to)
{
	const char *at = body;
	char symbol[32];

	ck_assert_int_eq(body[0], '[');
	for (int i = from; i >= to; i--) {
		snprintf(symbol, sizeof(symbol), "\"symbol\":\"S%d\",", i);
		at = strstr(at, "\"symbol\":");
		ck_assert_msg(at != NULL, "S%d is missing", i);
		ck_assert_int_eq(strncmp(at, symbol, strlen(symbol)), 0);
		at += strlen(symbol);
	}
	ck_assert_ptr_null(strstr(at, "\"symbol\":"));
	ck_assert_str_eq(body + strlen(body) - 2, "]\n");
	/* Commas between, and nowhere else. */
	ck_assert_ptr_null(strstr(body, "}{"));
	ck_assert_ptr_null(strstr(body, ",]"));
	ck_assert_ptr_null(strstr(body, "[,"));
}

START_TEST(a_list_is_an_array)
{
	ck_assert_int_eq(get("/api/orders"), 200);
	ck_assert_str_eq(body, "[]\n");
	ck_assert(answered_with("\r\nContent-Type: application/json\r\n"));
	shop_stock(&shop, 3, NULL);
	ck_assert_int_eq(get("/api/orders"), 200);
	expect_symbols(3, 1);
}
END_TEST

START_TEST(a_long_list_is_streamed)
{
	shop_stock(&shop, 1001, NULL);
	ck_assert_int_eq(get("/api/orders"), 200);
	ck_assert(answered_with("\r\nTransfer-Encoding: chunked\r\n"));
	ck_assert(answered_with("\r\nContent-Type: application/json\r\n"));
	expect_symbols(1001, 1);
}
END_TEST

START_TEST(pages_larger_than_a_piece_go_out_in_several)
{
	char description[1000];

	memset(description, 'x', sizeof(description) - 1);
	description[sizeof(description) - 1] = '\0';
	shop_stock(&shop, 401, description);
	ck_assert_int_eq(get("/api/orders"), 200);
	expect_symbols(401, 1);
}
END_TEST

START_TEST(a_list_that_ends_with_a_page_ends)
{
	shop_stock(&shop, 400, NULL);
	ck_assert_int_eq(get("/api/orders"), 200);
	expect_symbols(400, 1);
}
END_TEST

START_TEST(a_list_that_fails_at_once_is_a_failure)
{
	shop_stock(&shop, 3, NULL);
	gate_orders_fail(&shop.gate, 1, STATUS_UNAVAILABLE, "locked");
	expect_error(get("/api/orders"), 503, "locked");
	ck_assert(answered_with("\r\nRetry-After: 1\r\n"));
}
END_TEST

START_TEST(a_list_that_fails_in_the_middle_is_cut)
{
	shop_stock(&shop, 1000, NULL);
	gate_orders_fail(&shop.gate, 3, STATUS_INTERNAL, "disk");
	ck_assert_int_eq(get("/api/orders"), 0);
	ck_assert_ptr_nonnull(strstr(answer, "HTTP/1.1 200 "));
	ck_assert_ptr_nonnull(strstr(answer, "\"S1000\""));
	ck_assert_ptr_null(strstr(answer, "\"S600\""));
	ck_assert_ptr_null(strstr(answer, "]\n"));
	ck_assert(world_logged(
		&shop.world, "WARN  [TEST] a list is cut in the middle: disk"));
}
END_TEST

START_TEST(whole_lists_are_streamed_a_few_at_a_time)
{
	static int clients[REST_EDGE_STREAMS_MAX];

	shop_stock(&shop, 401, NULL);
	/* Each is let through once, and waits for its second page. */
	for (size_t i = 0; i < REST_EDGE_STREAMS_MAX; i++) {
		gate_orders_hold(&shop.gate, 2);
		dial();
		send_request("GET /api/orders", "", "", 0);
		gate_orders_await_held(&shop.gate, i + 1);
		clients[i] = client;
	}
	gate_orders_hold(&shop.gate, 1000);
	expect_error(get("/api/orders"), 503,
		     "too many whole lists at once; limit makes pages");
	ck_assert_int_eq(get("/api/orders?limit=500"), 200);
	expect_symbols(401, 1);
	/* Who leaves makes room. */
	for (size_t i = 0; i < REST_EDGE_STREAMS_MAX; i++) {
		close(clients[i]);
	}
	world_settle(&shop.world);
	gate_orders_let_go(&shop.gate);
	while (atomic_load(&edge.streams) > 0) {
	}
	ck_assert_int_eq(get("/api/orders"), 200);
	expect_symbols(401, 1);
}
END_TEST

START_TEST(a_client_that_leaves_ends_the_list)
{
	unsigned calls;

	shop_stock(&shop, 1000, NULL);
	calls = gate_orders_calls(&shop.gate);
	gate_orders_hold(&shop.gate, 2);
	dial();
	send_request("GET /api/orders", "", "", 0);
	gate_orders_await_held(&shop.gate, 1);
	hang_up();
	world_settle(&shop.world);
	gate_orders_let_go(&shop.gate);
	/* What is there is not sent, and nothing more is read. */
	while (!world_logged(&shop.world, "GET /api/orders 127.0.0.1:")) {
	}
	ck_assert(!world_logged(&shop.world, "cut in the middle"));
	ck_assert_uint_eq(gate_orders_calls(&shop.gate), calls + 2);
	ck_assert(world_counted(&shop.world,
				"rescind_http_responses_total{code=\"499\","
				"service=\"stock\"}",
				1));
}
END_TEST

START_TEST(a_head_of_a_list_is_its_header)
{
	shop_stock(&shop, 1000, NULL);
	ck_assert_int_eq(ask("HEAD /api/orders", "", ""), 200);
	ck_assert_ptr_nonnull(strstr(answer, "HTTP/1.1 200 "));
	ck_assert(answered_with("\r\nContent-Type: application/json\r\n"));
	ck_assert_str_eq(body, "");
	ck_assert_int_eq(ask("HEAD /api/orders?limit=1", "", ""), 200);
	ck_assert(answered_with("\r\nX-Next-Page-Token: "));
	ck_assert_str_eq(body, "");
}
END_TEST

/* The value of a header of `answer`, or "". */
static const char *header(const char *name)
{
	static char value[256];
	const char *at = strstr(answer, name);

	value[0] = '\0';
	if (at != NULL) {
		snprintf(value, sizeof(value), "%.*s",
			 (int)strcspn(at + strlen(name), "\r"),
			 at + strlen(name));
	}
	return value;
}

START_TEST(pages_follow_one_another)
{
	char target[256], link[300];

	shop_stock(&shop, 7, NULL);
	ck_assert_int_eq(get("/api/orders?limit=3"), 200);
	expect_symbols(7, 5);
	snprintf(target, sizeof(target), "/api/orders?limit=3&page_token=%s",
		 header("X-Next-Page-Token: "));
	snprintf(link, sizeof(link), "<%s>; rel=\"next\"", target);
	ck_assert_str_eq(header("\r\nLink: "), link);
	ck_assert_int_eq(get(target), 200);
	expect_symbols(4, 2);
	snprintf(target, sizeof(target), "/api/orders?page_token=%s",
		 header("X-Next-Page-Token: "));
	ck_assert_int_eq(get(target), 200);
	expect_symbols(1, 1);
	ck_assert_str_eq(header("X-Next-Page-Token: "), "");
	ck_assert_str_eq(header("\r\nLink: "), "");
}
END_TEST

START_TEST(a_page_has_its_limits)
{
	shop_stock(&shop, 501, NULL);
	ck_assert_int_eq(get("/api/orders?limit=99999999999999999999"), 200);
	expect_symbols(501, 2);
	ck_assert(answered_with("\r\nLink: </api/orders?limit=500&"));
	ck_assert_int_eq(get("/api/orders?page_token="), 200);
	expect_symbols(501, 402);
}
END_TEST

static const char *const bad_limits[] = {
	"0", "-1", "+1", "", "x", "1x", "1.5"
};

START_TEST(a_bad_limit_is_refused)
{
	char target[64];

	snprintf(target, sizeof(target), "/api/orders?limit=%s",
		 bad_limits[_i]);
	expect_error(get(target), 400, "limit must be a whole number above 0");
}
END_TEST

START_TEST(a_bad_page_token_is_refused)
{
	expect_error(get("/api/orders?page_token=x"), 400,
		     "page_token is not one that was given out");
}
END_TEST

/* ---- failures ----------------------------------------------------------- */

static const struct {
	enum status_code code;
	int status;
} troubles[] = {
	{ STATUS_UNAVAILABLE, 503 },	   { STATUS_RESOURCE_EXHAUSTED, 503 },
	{ STATUS_ABORTED, 503 },	   { STATUS_INTERNAL, 500 },
	{ STATUS_DATA_LOSS, 500 },	   { STATUS_UNKNOWN, 500 },
	{ STATUS_PERMISSION_DENIED, 500 }, { STATUS_UNIMPLEMENTED, 500 },
	{ STATUS_DEADLINE_EXCEEDED, 504 },
};

START_TEST(trouble_of_the_storage_is_never_the_clients)
{
	enum status_code code = troubles[_i].code;
	int status = troubles[_i].status;

	gate_orders_fail(&shop.gate, 1, code, "trouble");
	expect_error(post("/api/orders", "", market), status, "trouble");
	ck_assert(world_logged(&shop.world,
			       "WARN  [TEST] request failed: trouble"));
	gate_orders_fail(&shop.gate, 1, code, "trouble");
	expect_error(get("/api/orders/x"), status, "trouble");
	gate_orders_fail(&shop.gate, 1, code, "trouble");
	expect_error(get("/api/orders"), status, "trouble");
	gate_orders_fail(&shop.gate, 1, code, "trouble");
	expect_error(post("/api/orders/x/cancel", "", ""), status, "trouble");
}
END_TEST

START_TEST(a_request_has_a_deadline)
{
	edge.base.timeout_ns = 0;
	expect_error(get("/api/orders/x"), 504, "the deadline passed");
}
END_TEST

START_TEST(what_is_not_there_is_told_as_ever)
{
	ck_assert_int_eq(get("/nope"), 404);
	ck_assert_str_eq(body, "404 page not found\n");
	ck_assert_int_eq(get("/api/orders/a/b"), 404);
	ck_assert_str_eq(body, "404 page not found\n");
	ck_assert_int_eq(ask("PUT /api/orders", "", ""), 405);
	ck_assert_str_eq(body, "");
	ck_assert(answered_with("\r\nAllow: GET, HEAD, POST\r\n"));
	ck_assert_int_eq(ask("DELETE /api/orders/x", "", ""), 405);
	ck_assert(answered_with("\r\nAllow: GET, HEAD\r\n"));
	ck_assert_int_eq(get("/api/orders/x/cancel"), 405);
	ck_assert(answered_with("\r\nAllow: POST\r\n"));
}
END_TEST

START_TEST(a_draining_server_says_so_and_is_healthy)
{
	dial();
	send_request("GET /api/orders", "", "", 0);
	while (recv(client, answer, sizeof(answer), 0) <= 0) {
	}
	world_on_loop(&shop.world, stop_accepting, NULL);
	send_request("GET /health", "", "", 0);
	ck_assert_int_eq(read_answer(), 200);
	ck_assert_str_eq(body, "{\"status\":\"healthy\"}\n");
}
END_TEST

START_TEST(a_draining_server_refuses_orders)
{
	dial();
	send_request("GET /health", "", "", 0);
	while (recv(client, answer, sizeof(answer), 0) <= 0) {
	}
	world_on_loop(&shop.world, stop_accepting, NULL);
	send_request("POST /api/orders", AS_JSON, market, strlen(market));
	expect_error(read_answer(), 503, "the server is shutting down");
	ck_assert(answered_with("\r\nRetry-After: 1\r\n"));
	ck_assert(answered_with("\r\nConnection: close\r\n"));
}
END_TEST

/* ---- what operators see ------------------------------------------------- */

static bool counted(const char *cause, const char *outcome, int value)
{
	char series[256];

	snprintf(series, sizeof(series),
		 "rescind_transactions_total{cause=\"%s\",outcome=\"%s\","
		 "service=\"stock\"}",
		 cause, outcome);
	return world_counted(&shop.world, series, value);
}

START_TEST(changes_are_counted_as_transactions)
{
	post("/api/orders", "", market);
	post("/api/orders/" SHOP_FIRST_ID "/cancel", "", "");
	ck_assert(counted("finished", "committed", 2));
	/* Neither what was refused nor what was only read. */
	post("/api/orders", "", "{}");
	post("/api/orders/" SHOP_FIRST_ID "/cancel", "", "");
	get("/api/orders");
	get("/api/orders/x");
	ck_assert(counted("finished", "committed", 2));
	ck_assert(counted("database", "rolled_back", 0));
	gate_orders_fail(&shop.gate, 1, STATUS_UNAVAILABLE, "locked");
	post("/api/orders", "", market);
	ck_assert(counted("database", "rolled_back", 1));
	edge.base.timeout_ns = 0;
	post("/api/orders", "", market);
	ck_assert(counted("deadline", "rolled_back", 1));
}
END_TEST

START_TEST(requests_are_logged_and_counted)
{
	post("/api/orders", "", market);
	get("/api/orders?limit=1&page_token=");
	get("/api/orders/%22");
	get("/nope");
	world_settle(&shop.world);
	ck_assert(world_logged(&shop.world,
			       "INFO  [TEST] POST /api/orders 127.0.0.1:"));
	ck_assert(world_logged(
		&shop.world, "GET /api/orders?limit=1&page_token= 127.0.0.1:"));
	ck_assert(world_logged(&shop.world, "GET /api/orders/%22 127.0.0.1:"));
	ck_assert(world_logged(&shop.world, " status=201 cause=finished "));
	ck_assert(world_counted(&shop.world,
				"rescind_http_responses_total{code=\"201\","
				"service=\"stock\"}",
				1));
	ck_assert(world_counted(&shop.world,
				"rescind_http_responses_total{code=\"404\","
				"service=\"stock\"}",
				2));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("rest_edge");
	TCase *tcase = tcase_create("rest_edge");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, an_order_is_created);
	tcase_add_test(tcase, a_limit_order_is_created_with_all_that_it_says);
	tcase_add_test(tcase, a_body_without_form_is_refused);
	tcase_add_test(tcase, an_order_against_the_rules_is_refused);
	tcase_add_loop_test(tcase, a_body_must_be_of_type_json, 0,
			    sizeof(types) / sizeof(types[0]));
	tcase_add_test(tcase, a_large_body_is_refused);
	tcase_add_test(tcase, a_key_gives_the_first_answer_again);
	tcase_add_test(tcase, a_bad_key_is_refused);
	tcase_add_test(tcase, an_order_is_found_by_its_id);
	tcase_add_test(tcase, an_order_is_cancelled_once);
	tcase_add_test(tcase, a_list_is_an_array);
	tcase_add_test(tcase, a_long_list_is_streamed);
	tcase_add_test(tcase, pages_larger_than_a_piece_go_out_in_several);
	tcase_add_test(tcase, a_list_that_ends_with_a_page_ends);
	tcase_add_test(tcase, a_list_that_fails_at_once_is_a_failure);
	tcase_add_test(tcase, a_list_that_fails_in_the_middle_is_cut);
	tcase_add_test(tcase, whole_lists_are_streamed_a_few_at_a_time);
	tcase_add_test(tcase, a_client_that_leaves_ends_the_list);
	tcase_add_test(tcase, a_head_of_a_list_is_its_header);
	tcase_add_test(tcase, pages_follow_one_another);
	tcase_add_test(tcase, a_page_has_its_limits);
	tcase_add_loop_test(tcase, a_bad_limit_is_refused, 0,
			    sizeof(bad_limits) / sizeof(bad_limits[0]));
	tcase_add_test(tcase, a_bad_page_token_is_refused);
	tcase_add_loop_test(tcase, trouble_of_the_storage_is_never_the_clients,
			    0, sizeof(troubles) / sizeof(troubles[0]));
	tcase_add_test(tcase, a_request_has_a_deadline);
	tcase_add_test(tcase, what_is_not_there_is_told_as_ever);
	tcase_add_test(tcase, a_draining_server_says_so_and_is_healthy);
	tcase_add_test(tcase, a_draining_server_refuses_orders);
	tcase_add_test(tcase, changes_are_counted_as_transactions);
	tcase_add_test(tcase, requests_are_logged_and_counted);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
