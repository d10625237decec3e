/*
 * Orders over HTTP as strangers meet them: demo 3 and curl. Every route, with
 * its codes, keys and header fields; and what is refused, and how.
 */
#include "harness/stock.h"
#include "harness/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what an order looks like -------------------------------------------- */

/* @pattern: '#' a digit, 'x' a small hexadecimal digit, 'v' one of 89ab, any
 * other character itself. */
static bool has_form(const char *text, const char *pattern)
{
	for (; *pattern != '\0'; pattern++, text++) {
		const char *set = *pattern == '#'   ? "0123456789"
				  : *pattern == 'x' ? "0123456789abcdef"
				  : *pattern == 'v' ? "89ab"
						    : NULL;

		if (*text == '\0' || (set != NULL ? strchr(set, *text) == NULL
						  : *text != *pattern)) {
			return false;
		}
	}
	return *text == '\0';
}

static void expect_forms(const json_t *order)
{
	static const char time_form[] = "####-##-##T##:##:##.######Z";

	ck_assert_msg(has_form(json_text(order, "id"),
			       "xxxxxxxx-xxxx-4xxx-vxxx-xxxxxxxxxxxx"),
		      "%s", json_text(order, "id"));
	ck_assert(has_form(json_text(order, "created_at"), time_form));
	ck_assert(has_form(json_text(order, "updated_at"), time_form));
}

/* These keys in this order, separated by spaces, and no others. */
static void expect_keys(json_t *object, const char *keys)
{
	char found[512] = "";
	const char *key;
	json_t *value;

	json_object_foreach(object, key, value)
	{
		size_t size = strlen(found);

		snprintf(found + size, sizeof(found) - size, "%s%s",
			 size > 0 ? " " : "", key);
	}
	ck_assert_str_eq(found, keys);
}

/* A GET of it says @order, to the letter. */
static void expect_gettable(const struct stock *stock, const json_t *order)
{
	struct reply reply;
	json_t *got;

	stock_get(stock, &reply, "/api/orders/%s", json_text(order, "id"));
	ck_assert_int_eq(reply.status, 200);
	got = reply_json(&reply);
	ck_assert(json_equal(got, order));
	json_decref(got);
}

/* ---- create, get --------------------------------------------------------- */

START_TEST(a_market_order_is_created)
{
	struct stock stock;
	struct reply reply;
	json_t *order;

	stock_start(&stock, NULL);
	stock_post(&stock, &reply, MARKET_ORDER);
	ck_assert_int_eq(reply.status, 201);
	order = reply_json(&reply);
	expect_keys(order, "id symbol order_type order_side quantity status "
			   "created_at updated_at");
	expect_forms(order);
	ck_assert_str_eq(json_text(order, "symbol"), "AAPL");
	ck_assert_str_eq(json_text(order, "order_type"), "MARKET");
	ck_assert_str_eq(json_text(order, "order_side"), "BUY");
	ck_assert_int_eq(json_integer_value(json_object_get(order, "quantity")),
			 100);
	ck_assert_str_eq(json_text(order, "status"), "PENDING");
	ck_assert_str_eq(json_text(order, "created_at"),
			 json_text(order, "updated_at"));
	expect_gettable(&stock, order);
	json_decref(order);
	stock_end(&stock);
}
END_TEST

START_TEST(a_limit_order_says_its_price_and_its_description)
{
	struct stock stock;
	struct reply reply;
	json_t *order;

	stock_start(&stock, NULL);
	stock_post(&stock, &reply,
		   "{\"description\":\"first \\u00e4 \\\"one\\\"\\n\","
		   "\"price\":150.75,\"quantity\":2147483647,"
		   "\"order_side\":\"SELL\",\"order_type\":\"LIMIT\","
		   "\"symbol\":\"brk.b-1\"}");
	ck_assert_int_eq(reply.status, 201);
	order = reply_json(&reply);
	expect_keys(order, "id symbol order_type order_side quantity price "
			   "status created_at updated_at description");
	expect_forms(order);
	ck_assert_str_eq(json_text(order, "symbol"), "BRK.B-1");
	ck_assert_str_eq(json_text(order, "order_type"), "LIMIT");
	ck_assert_str_eq(json_text(order, "order_side"), "SELL");
	ck_assert_int_eq(json_integer_value(json_object_get(order, "quantity")),
			 2147483647);
	ck_assert(json_real_value(json_object_get(order, "price")) == 150.75);
	ck_assert_str_eq(json_text(order, "description"),
			 "first \xC3\xA4 \"one\"\n");
	expect_gettable(&stock, order);
	json_decref(order);
	stock_end(&stock);
}
END_TEST

/* A number that is 0, and a text that is empty, are as if not there. */
START_TEST(no_price_and_no_description_are_left_out)
{
	struct stock stock;
	struct reply reply;
	json_t *order;

	stock_start(&stock, NULL);
	stock_post(&stock, &reply,
		   "{\"symbol\":\"A\",\"order_type\":\"MARKET\","
		   "\"order_side\":\"SELL\",\"quantity\":1,\"price\":0,"
		   "\"description\":\"\"}");
	ck_assert_int_eq(reply.status, 201);
	order = reply_json(&reply);
	expect_keys(order, "id symbol order_type order_side quantity status "
			   "created_at updated_at");
	json_decref(order);
	stock_end(&stock);
}
END_TEST

START_TEST(an_order_that_is_not_there_is_404)
{
	static const char id[] = "00000000-0000-4000-8000-000000000000";
	struct stock stock;
	struct reply reply;
	char text[128];

	stock_start(&stock, NULL);
	snprintf(text, sizeof(text), "order not found: %s", id);
	stock_get(&stock, &reply, "/api/orders/%s", id);
	reply_expect_error(&reply, 404, text);
	stock_cancel(&stock, &reply, id);
	reply_expect_error(&reply, 404, text);
	stock_get(&stock, &reply, "/api/orders/%s", "no-such-id");
	reply_expect_error(&reply, 404, "order not found: no-such-id");
	stock_get(&stock, &reply, "/api/orders/%s",
		  "1'%20OR%20'1'='1%22%3C%C3%A4");
	reply_expect_error(&reply, 404,
			   "order not found: 1' OR '1'='1\"<\xC3\xA4");
	stock_end(&stock);
}
END_TEST

/* ---- cancel -------------------------------------------------------------- */

START_TEST(an_order_is_cancelled_once)
{
	struct stock stock;
	struct reply reply;
	char id[37];
	json_t *json;

	stock_start(&stock, NULL);
	stock_create(&stock, LIMIT_ORDER, id);
	stock_cancel(&stock, &reply, id);
	ck_assert_int_eq(reply.status, 200);
	ck_assert_str_eq(reply.body,
			 "{\"message\":\"order cancelled successfully\"}\n");
	json = reply_json(&reply);
	json_decref(json);
	stock_cancel(&stock, &reply, id);
	reply_expect_error(&reply, 409,
			   "cannot cancel order with status: CANCELLED");
	stock_get(&stock, &reply, "/api/orders/%s", id);
	ck_assert_int_eq(reply.status, 200);
	json = reply_json(&reply);
	expect_forms(json);
	ck_assert_str_eq(json_text(json, "status"), "CANCELLED");
	ck_assert_int_ge(strcmp(json_text(json, "updated_at"),
				json_text(json, "created_at")),
			 0);
	json_decref(json);
	stock_end(&stock);
}
END_TEST

START_TEST(a_filled_order_is_not_cancelled)
{
	struct stock_options options = { .flags = FLAGS("-fill-after", "0s") };
	struct stock stock;
	struct reply reply;
	char status[16];
	char id[37];

	stock_start(&stock, &options);
	stock_create(&stock, MARKET_ORDER, id);
	UNTIL((stock_stored_status(&stock, id, status),
	       strcmp(status, "FILLED") == 0));
	stock_cancel(&stock, &reply, id);
	reply_expect_error(&reply, 409,
			   "cannot cancel order with status: FILLED");
	stock_end(&stock);
}
END_TEST

/* A cancel needs no body, and takes no notice of one. */
START_TEST(a_cancel_may_come_with_a_body)
{
	struct stock stock;
	struct reply reply;
	char path[128];
	char id[37];

	stock_start(&stock, NULL);
	stock_create(&stock, MARKET_ORDER, id);
	snprintf(path, sizeof(path), "/api/orders/%s/cancel", id);
	CURL(&stock, &reply, path, "-H", "Content-Type: text/plain", "-d",
	     "please");
	ck_assert_int_eq(reply.status, 200);
	stock_end(&stock);
}
END_TEST

/* ---- list ---------------------------------------------------------------- */

START_TEST(an_empty_list_is_an_array)
{
	struct stock stock;
	struct reply reply;
	json_t *list;

	stock_start(&stock, NULL);
	stock_get(&stock, &reply, "/api/orders");
	ck_assert_int_eq(reply.status, 200);
	list = reply_json(&reply);
	ck_assert(json_is_array(list));
	ck_assert_str_eq(reply.body, "[]\n");
	json_decref(list);
	stock_get(&stock, &reply, "/api/orders?limit=5");
	ck_assert_int_eq(reply.status, 200);
	ck_assert_str_eq(reply.body, "[]\n");
	stock_end(&stock);
}
END_TEST

enum { SOME = 9 };

/* The ids of what was created, in this order. */
static void create_some(const struct stock *stock, char ids[SOME][37])
{
	for (int i = 0; i < SOME; i++) {
		stock_create(stock, i % 2 == 0 ? MARKET_ORDER : LIMIT_ORDER,
			     ids[i]);
	}
}

START_TEST(a_list_is_newest_first)
{
	struct stock stock;
	struct reply reply;
	char ids[SOME][37];
	json_t *list;

	stock_start(&stock, NULL);
	create_some(&stock, ids);
	stock_get(&stock, &reply, "/api/orders");
	ck_assert_int_eq(reply.status, 200);
	list = reply_json(&reply);
	ck_assert_uint_eq(json_array_size(list), SOME);
	for (int i = 0; i < SOME; i++) {
		const json_t *order = json_array_get(list, (size_t)i);

		ck_assert_str_eq(json_text(order, "id"), ids[SOME - 1 - i]);
		expect_forms(order);
		expect_gettable(&stock, order);
	}
	json_decref(list);
	stock_end(&stock);
}
END_TEST

/* Where the next page is, as the Link field has it; "" for none. */
static void next_page(const struct reply *reply, char ret_path[256])
{
	char link[256] = "";
	char token[256] = "";

	ret_path[0] = '\0';
	if (!reply_header(reply, "Link", link)) {
		ck_assert(!reply_header(reply, "X-Next-Page-Token", token));
		return;
	}
	ck_assert(reply_header(reply, "X-Next-Page-Token", token));
	ck_assert_msg(sscanf(link, "<%255[^>]>; rel=\"next\"", ret_path) == 1,
		      "Link: %s", link);
	ck_assert_msg(strstr(ret_path, token) != NULL, "%s, %s", ret_path,
		      token);
}

START_TEST(pages_follow_one_another)
{
	struct stock stock;
	struct reply reply;
	char ids[SOME][37];
	char path[256] = "/api/orders?limit=4";
	int seen = 0;
	int pages = 0;

	stock_start(&stock, NULL);
	create_some(&stock, ids);
	for (; path[0] != '\0'; pages++) {
		json_t *page;

		stock_get(&stock, &reply, "%s", path);
		ck_assert_int_eq(reply.status, 200);
		page = reply_json(&reply);
		for (size_t i = 0; i < json_array_size(page); i++) {
			const json_t *order = json_array_get(page, i);

			ck_assert_int_lt(seen, SOME);
			seen++;
			ck_assert_str_eq(json_text(order, "id"),
					 ids[SOME - seen]);
		}
		json_decref(page);
		next_page(&reply, path);
	}
	ck_assert_int_eq(seen, SOME);
	ck_assert_int_eq(pages, 3);
	stock_end(&stock);
}
END_TEST

START_TEST(a_bad_page_is_refused)
{
	static const char *const limits[] = { "0",   "-1", "x",	 "1x",
					      "1.5", "",   "+5", "%201" };
	static const char *const tokens[] = { "x", "a0000000000000000",
					      "b0000000000000000id",
					      "a00000000000000zzid",
					      "a0000000000000000%20" };
	struct stock stock;
	struct reply reply;

	stock_start(&stock, NULL);
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		stock_get(&stock, &reply, "/api/orders?limit=%s", limits[i]);
		reply_expect_error(&reply, 400,
				   "limit must be a whole number above 0");
	}
	for (size_t i = 0; i < sizeof(tokens) / sizeof(tokens[0]); i++) {
		stock_get(&stock, &reply, "/api/orders?page_token=%s",
			  tokens[i]);
		reply_expect_error(&reply, 400,
				   "page_token is not one that was given out");
	}
	stock_get(&stock, &reply, "/api/orders?limit=99999999999999999999");
	ck_assert_int_eq(reply.status, 200);
	stock_end(&stock);
}
END_TEST

/* ---- the rules ----------------------------------------------------------- */

struct refusal {
	const char *body;
	const char *error;
};

#define SYMBOL_RULE "symbol must be 1 to 16 characters of A-Z, 0-9, '.' and '-'"
#define REST_OF_ORDER                                                          \
	"\"order_type\":\"MARKET\",\"order_side\":\"BUY\",\"quantity\":1"
#define LIMIT_WITH(price)                                                      \
	"{\"symbol\":\"A\",\"order_type\":\"LIMIT\",\"order_side\":\"BUY\","   \
	"\"quantity\":1,\"price\":" price "}"
#define MARKET_WITH(more) "{\"symbol\":\"A\"," REST_OF_ORDER "," more "}"

static const struct refusal rules[] = {
	{ "{}", "symbol is required" },
	{ "{" REST_OF_ORDER "}", "symbol is required" },
	{ "{\"symbol\":\"\"," REST_OF_ORDER "}", "symbol is required" },
	{ "{\"symbol\":\"A B\"," REST_OF_ORDER "}", SYMBOL_RULE },
	{ "{\"symbol\":\"ABCDEFGHIJKLMNOPQ\"," REST_OF_ORDER "}", SYMBOL_RULE },
	{ "{\"symbol\":\"\\u00c4\"," REST_OF_ORDER "}", SYMBOL_RULE },
	{ "{\"symbol\":\"A';--\"," REST_OF_ORDER "}", SYMBOL_RULE },
	{ "{\"symbol\":\"A\",\"order_side\":\"BUY\",\"quantity\":1}",
	  "order_type is required" },
	{ "{\"symbol\":\"A\",\"order_type\":\"\",\"order_side\":\"BUY\","
	  "\"quantity\":1}",
	  "order_type is required" },
	{ "{\"symbol\":\"A\",\"order_type\":\"STOP\",\"order_side\":\"BUY\","
	  "\"quantity\":1}",
	  "order_type must be MARKET or LIMIT" },
	{ "{\"symbol\":\"A\",\"order_type\":\"market\",\"order_side\":\"BUY\","
	  "\"quantity\":1}",
	  "order_type must be MARKET or LIMIT" },
	{ "{\"symbol\":\"A\",\"order_type\":\"MARKET\",\"quantity\":1}",
	  "order_side is required" },
	{ "{\"symbol\":\"A\",\"order_type\":\"MARKET\","
	  "\"order_side\":\"HOLD\",\"quantity\":1}",
	  "order_side must be BUY or SELL" },
	{ "{\"symbol\":\"A\",\"order_type\":\"MARKET\",\"order_side\":\"BUY\"}",
	  "quantity must be between 1 and 2147483647" },
	{ "{\"symbol\":\"A\",\"order_type\":\"MARKET\",\"order_side\":\"BUY\","
	  "\"quantity\":0}",
	  "quantity must be between 1 and 2147483647" },
	{ "{\"symbol\":\"A\",\"order_type\":\"MARKET\",\"order_side\":\"BUY\","
	  "\"quantity\":-1}",
	  "quantity must be between 1 and 2147483647" },
	{ "{\"symbol\":\"A\",\"order_type\":\"MARKET\",\"order_side\":\"BUY\","
	  "\"quantity\":2147483648}",
	  "quantity must be between 1 and 2147483647" },
	{ "{\"symbol\":\"A\",\"order_type\":\"LIMIT\",\"order_side\":\"BUY\","
	  "\"quantity\":1}",
	  "limit order must have a price greater than 0" },
	{ LIMIT_WITH("0"), "limit order must have a price greater than 0" },
	{ LIMIT_WITH("-0.5"), "limit order must have a price greater than 0" },
	{ MARKET_WITH("\"price\":1"), "market order must not have a price" },
	/* What can't be told from the order's rules is its form. */
	{ MARKET_WITH("\"status\":\"FILLED\""), "unknown field \"status\"" },
	{ MARKET_WITH("\"id\":\"x\""), "unknown field \"id\"" },
	{ MARKET_WITH("\"Symbol\":\"B\""), "unknown field \"Symbol\"" },
	{ MARKET_WITH("\"description\":null"), "description must be a string" },
	{ MARKET_WITH("\"description\":{}"), "description must be a string" },
	{ "{\"symbol\":7," REST_OF_ORDER "}", "symbol must be a string" },
	{ "{\"symbol\":null," REST_OF_ORDER "}", "symbol must be a string" },
	{ "{\"symbol\":\"A\",\"order_type\":1,\"order_side\":\"BUY\","
	  "\"quantity\":1}",
	  "order_type must be a string" },
	{ "{\"symbol\":\"A\",\"order_type\":\"MARKET\",\"order_side\":true,"
	  "\"quantity\":1}",
	  "order_side must be a string" },
	{ "{\"symbol\":\"A\",\"order_type\":\"MARKET\",\"order_side\":\"BUY\","
	  "\"quantity\":\"1\"}",
	  "quantity must be an integer" },
	{ "{\"symbol\":\"A\",\"order_type\":\"MARKET\",\"order_side\":\"BUY\","
	  "\"quantity\":1.5}",
	  "quantity must be an integer" },
	{ "{\"symbol\":\"A\",\"order_type\":\"MARKET\",\"order_side\":\"BUY\","
	  "\"quantity\":99999999999999999999}",
	  "quantity is out of range" },
	{ "{\"symbol\":\"\xC3\"," REST_OF_ORDER "}", "symbol is not UTF-8" },
	{ "{\"symbol\":\"\\u0000\"," REST_OF_ORDER "}", "symbol contains NUL" },
	{ LIMIT_WITH("1e999"), "price is out of range" },
	{ LIMIT_WITH("\"1\""), "price must be a number" },
	{ LIMIT_WITH("[1]"), "price must be a number" },
};

START_TEST(an_order_against_the_rules_is_400_and_names_the_field)
{
	struct stock stock;
	struct reply reply;

	stock_start(&stock, NULL);
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		stock_post(&stock, &reply, rules[i].body);
		reply_expect_error(&reply, 400, rules[i].error);
	}
	ck_assert_int_eq(stock_stored_n(&stock), 0);
	stock_end(&stock);
}
END_TEST

/* "invalid request body", possibly with a reason behind it. */
static void expect_formless(const struct reply *reply, const char *body)
{
	static const char said[] = "invalid request body";
	json_t *json;

	ck_assert_msg(reply->status == 400, "%d to %s", reply->status, body);
	json = reply_json(reply);
	ck_assert_msg(strncmp(json_text(json, "error"), said, strlen(said)) ==
			      0,
		      "%s, to %s", json_text(json, "error"), body);
	json_decref(json);
}

START_TEST(a_body_that_is_no_object_is_400)
{
	static const char *const bodies[] = {
		"",
		" ",
		"{",
		"}",
		"[]",
		"[" MARKET_ORDER "]",
		"null",
		"true",
		"7",
		"\"text\"",
		"symbol=AAPL&quantity=1",
		"{'symbol':'A'}",
		"{symbol:\"A\"}",
		"{\"symbol\":\"A\",}",
		MARKET_ORDER "x",
		MARKET_ORDER MARKET_ORDER,
		MARKET_ORDER ",",
		"{\"symbol\":\"A\",\"symbol\":\"A\"," REST_OF_ORDER "}",
		"{\"symbol\":\"\\ud800\"," REST_OF_ORDER "}",
		LIMIT_WITH("NaN"),
		LIMIT_WITH("Infinity"),
		LIMIT_WITH("0x10"),
		LIMIT_WITH("1."),
		"<order/>",
	};
	struct stock stock;
	struct reply reply;

	stock_start(&stock, NULL);
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		stock_post(&stock, &reply, bodies[i]);
		expect_formless(&reply, bodies[i]);
	}
	ck_assert_int_eq(stock_stored_n(&stock), 0);
	stock_end(&stock);
}
END_TEST

/* Garbage of all kinds, each byte value in it, nested as deep as fits. */
START_TEST(garbage_is_400_and_no_crash)
{
	static char body[60000];
	struct stock stock;
	struct client client;
	struct reply reply;
	unsigned seed = 20251117;

	stock_start(&stock, NULL);
	client_open(&client, stock.http_port);
	for (int round = 0; round < 50; round++) {
		size_t size = 1 + (size_t)rand_r(&seed) % 3000;

		for (size_t i = 0; i < size; i++) {
			body[i] = (char)rand_r(&seed);
		}
		ck_assert(client_post(&client, "/api/orders",
				      "application/json", body, size));
		ck_assert(client_receive(&client, &reply));
		expect_formless(&reply, "garbage");
	}
	memset(body, '[', sizeof(body));
	ck_assert(client_post(&client, "/api/orders", "application/json", body,
			      sizeof(body)));
	ck_assert(client_receive(&client, &reply));
	expect_formless(&reply, "[[[");
	for (size_t i = 0; i + 5 <= sizeof(body); i += 5) {
		memcpy(body + i, "{\"a\":", 5);
	}
	ck_assert(client_post(&client, "/api/orders", "application/json", body,
			      sizeof(body)));
	ck_assert(client_receive(&client, &reply));
	expect_formless(&reply, "{\"a\":{\"a\":");
	client_close(&client);
	stock_post(&stock, &reply, MARKET_ORDER);
	ck_assert_int_eq(reply.status, 201);
	ck_assert_int_eq(stock_stored_n(&stock), 1);
	stock_end(&stock);
}
END_TEST

static void post_description(struct client *client, struct reply *ret_reply,
			     const char *unit, size_t units)
{
	static char body[16384];
	size_t size = (size_t)snprintf(body, sizeof(body),
				       "{\"symbol\":\"A\"," REST_OF_ORDER
				       ",\"description\":\"");

	for (size_t i = 0; i < units; i++) {
		size += (size_t)snprintf(body + size, sizeof(body) - size, "%s",
					 unit);
	}
	size += (size_t)snprintf(body + size, sizeof(body) - size, "\"}");
	ck_assert(client_post(client, "/api/orders", "application/json", body,
			      size));
	ck_assert(client_receive(client, ret_reply));
}

START_TEST(a_description_has_1024_bytes_at_most)
{
	static const char too_long[] = "description must not exceed 1024 bytes";
	struct stock stock;
	struct client client;
	struct reply reply;

	stock_start(&stock, NULL);
	client_open(&client, stock.http_port);
	post_description(&client, &reply, "d", 1024);
	ck_assert_int_eq(reply.status, 201);
	post_description(&client, &reply, "d", 1025);
	reply_expect_error(&reply, 400, too_long);
	/* Bytes, not characters; and not the bytes of the escape. */
	post_description(&client, &reply, "\xE2\x82\xAC", 341);
	ck_assert_int_eq(reply.status, 201);
	post_description(&client, &reply, "\\u20ac", 341);
	ck_assert_int_eq(reply.status, 201);
	post_description(&client, &reply, "\xE2\x82\xAC", 342);
	reply_expect_error(&reply, 400, too_long);
	client_close(&client);
	ck_assert_int_eq(stock_stored_n(&stock), 3);
	stock_end(&stock);
}
END_TEST

/* ---- types and sizes ----------------------------------------------------- */

START_TEST(a_body_that_is_not_json_by_its_type_is_415)
{
	static const char *const refused[] = {
		"Content-Type:",
		"Content-Type: text/plain",
		"Content-Type: application/x-www-form-urlencoded",
		"Content-Type: application/jsonx",
		"Content-Type: application/json-seq",
		"Content-Type: application/json; charset=latin1",
		"Content-Type: application/json, text/plain",
		"Content-Type: json",
	};
	static const char *const accepted[] = {
		"Content-Type: application/json",
		"Content-Type: Application/JSON",
		"Content-Type: application/json; charset=utf-8",
		"Content-Type: application/json;charset=\"UTF-8\"",
	};
	struct stock stock;
	struct reply reply;

	stock_start(&stock, NULL);
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		CURL(&stock, &reply, "/api/orders", "-H", refused[i], "-d",
		     MARKET_ORDER);
		reply_expect_error(&reply, 415,
				   "the body must be of type application/json");
	}
	CURL(&stock, &reply, "/api/orders", "-H",
	     "Content-Type: application/json", "-H", "Content-Encoding: gzip",
	     "-d", MARKET_ORDER);
	ck_assert_int_eq(reply.status, 415);
	ck_assert_int_eq(stock_stored_n(&stock), 0);
	for (size_t i = 0; i < sizeof(accepted) / sizeof(accepted[0]); i++) {
		CURL(&stock, &reply, "/api/orders", "-H", accepted[i], "-d",
		     MARKET_ORDER);
		ck_assert_msg(reply.status == 201, "%s: %d", accepted[i],
			      reply.status);
	}
	stock_end(&stock);
}
END_TEST

enum { BODY_MAX = 64 * 1024 };

/* An order and spaces, as many bytes as wanted. */
static const char *padded_order(size_t size)
{
	static char body[BODY_MAX + 4096];

	memset(body, ' ', size);
	memcpy(body, MARKET_ORDER, strlen(MARKET_ORDER));
	body[size] = '\0';
	return body;
}

static int post_padded(const struct stock *stock, size_t size, const char *more,
		       const char *more_value)
{
	struct reply reply;
	char path[PATH_SIZE];
	char data[PATH_SIZE + 1];

	file_write(scratch_path(path, stock->dir, "body.json"),
		   padded_order(size), size);
	snprintf(data, sizeof(data), "@%s", path);
	CURL(stock, &reply, "/api/orders", "-H",
	     "Content-Type: application/json", more, more_value,
	     "--data-binary", data);
	return reply.status;
}

START_TEST(a_body_has_64_kb_at_most)
{
	static const char asks_first[] = "POST /api/orders HTTP/1.1\r\n"
					 "Host: localhost\r\n"
					 "Content-Type: application/json\r\n"
					 "Content-Length: 65537\r\n"
					 "Expect: 100-continue\r\n\r\n";
	struct stock stock;
	struct client client;
	struct reply reply;

	stock_start(&stock, NULL);
	ck_assert_int_eq(post_padded(&stock, BODY_MAX, "-H", "Expect:"), 201);
	ck_assert_int_eq(post_padded(&stock, BODY_MAX + 1, "-H", "Expect:"),
			 413);
	ck_assert_int_eq(post_padded(&stock, BODY_MAX, "-H",
				     "Transfer-Encoding: chunked"),
			 201);
	ck_assert_int_eq(post_padded(&stock, BODY_MAX + 1, "-H",
				     "Transfer-Encoding: chunked"),
			 413);
	/* Who asks first is told before sending it. */
	client_open(&client, stock.http_port);
	ck_assert(client_send(&client, asks_first, strlen(asks_first)));
	ck_assert(client_receive(&client, &reply));
	ck_assert_int_eq(reply.status, 413);
	ck_assert_int_eq(reply.interims, 0);
	client_close(&client);
	ck_assert_int_eq(stock_stored_n(&stock), 2);
	stock_end(&stock);
}
END_TEST

/* ---- the same once more -------------------------------------------------- */

static void id_of(const struct reply *reply, char ret_id[37])
{
	json_t *order = reply_json(reply);

	snprintf(ret_id, 37, "%s", json_text(order, "id"));
	json_decref(order);
}

START_TEST(the_same_key_gives_the_first_answer_again)
{
	struct stock stock;
	struct reply first;
	struct reply again;
	char value[256];
	char id[37];

	stock_start(&stock, NULL);
	stock_post_with_key(&stock, &first, LIMIT_ORDER, "once-1");
	ck_assert_int_eq(first.status, 201);
	ck_assert(!reply_header(&first, "Idempotent-Replayed", value));
	/* Also in other words for the same order. */
	stock_post_with_key(&stock, &again,
			    "{\"price\":150.750, \"quantity\":50,"
			    "\"order_side\":\"SELL\",\"order_type\":\"LIMIT\","
			    "\"symbol\":\"googl\",\"description\":\"\"}",
			    "once-1");
	ck_assert_int_eq(again.status, 201);
	ck_assert(reply_header(&again, "Idempotent-Replayed", value));
	ck_assert_str_eq(value, "true");
	ck_assert_str_eq(again.body, first.body);
	/* Whatever became of it. */
	id_of(&first, id);
	stock_cancel(&stock, &again, id);
	ck_assert_int_eq(again.status, 200);
	stock_post_with_key(&stock, &again, LIMIT_ORDER, "once-1");
	ck_assert_int_eq(again.status, 201);
	ck_assert_str_eq(again.body, first.body);
	ck_assert_int_eq(stock_stored_n(&stock), 1);
	stock_end(&stock);
}
END_TEST

START_TEST(the_same_key_with_another_order_is_422)
{
	static const char used[] = "idempotency key was used for another order";
	static const char *const others[] = {
		MARKET_ORDER,
		"{\"symbol\":\"GOOGL\",\"order_type\":\"LIMIT\","
		"\"order_side\":\"SELL\",\"quantity\":50,\"price\":150.76}",
		"{\"symbol\":\"GOOGL\",\"order_type\":\"LIMIT\","
		"\"order_side\":\"SELL\",\"quantity\":51,\"price\":150.75}",
		"{\"symbol\":\"GOOGL\",\"order_type\":\"LIMIT\","
		"\"order_side\":\"SELL\",\"quantity\":50,\"price\":150.75,"
		"\"description\":\"x\"}",
	};
	struct stock stock;
	struct reply reply;

	stock_start(&stock, NULL);
	stock_post_with_key(&stock, &reply, LIMIT_ORDER, "once-2");
	ck_assert_int_eq(reply.status, 201);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		stock_post_with_key(&stock, &reply, others[i], "once-2");
		reply_expect_error(&reply, 422, used);
	}
	ck_assert_int_eq(stock_stored_n(&stock), 1);
	/* A body that is wrong by itself is that, whatever its key. */
	stock_post_with_key(&stock, &reply, "{}", "once-2");
	ck_assert_int_eq(reply.status, 400);
	stock_end(&stock);
}
END_TEST

START_TEST(a_bad_key_is_400)
{
	static const char rule[] =
		"idempotency key must be 1 to 255 visible ASCII characters";
	struct stock stock;
	struct reply reply;
	char key[258];

	stock_start(&stock, NULL);
	memset(key, 'k', sizeof(key));
	key[256] = '\0';
	stock_post_with_key(&stock, &reply, MARKET_ORDER, key);
	reply_expect_error(&reply, 400, rule);
	stock_post_with_key(&stock, &reply, MARKET_ORDER, "two words");
	reply_expect_error(&reply, 400, rule);
	stock_post_with_key(&stock, &reply, MARKET_ORDER, "\xC3\xA4");
	reply_expect_error(&reply, 400, rule);
	CURL(&stock, &reply, "/api/orders", "-H",
	     "Content-Type: application/json", "-H", "Idempotency-Key;", "-d",
	     MARKET_ORDER);
	reply_expect_error(&reply, 400, rule);
	ck_assert_int_eq(stock_stored_n(&stock), 0);
	key[255] = '\0';
	stock_post_with_key(&stock, &reply, MARKET_ORDER, key);
	ck_assert_int_eq(reply.status, 201);
	stock_end(&stock);
}
END_TEST

/* All at once: one is first, and the others get its answer. */
START_TEST(a_key_makes_one_order_of_many_requests)
{
	enum { CLIENTS = 24 };
	struct client clients[CLIENTS];
	struct reply first;
	struct reply reply;
	struct stock stock;
	int made = 0;
	char value[256];

	stock_start(&stock, NULL);
	for (int i = 0; i < CLIENTS; i++) {
		client_open(&clients[i], stock.http_port);
	}
	for (int i = 0; i < CLIENTS; i++) {
		ck_assert(client_post_with(&clients[i],
					   "Idempotency-Key: at-once\r\n",
					   "/api/orders", "application/json",
					   MARKET_ORDER, strlen(MARKET_ORDER)));
	}
	for (int i = 0; i < CLIENTS; i++) {
		ck_assert(client_receive(&clients[i], &reply));
		ck_assert_int_eq(reply.status, 201);
		made += !reply_header(&reply, "Idempotent-Replayed", value);
		if (i == 0) {
			first = reply;
		}
		ck_assert_str_eq(reply.body, first.body);
		client_close(&clients[i]);
	}
	ck_assert_int_eq(made, 1);
	ck_assert_int_eq(stock_stored_n(&stock), 1);
	stock_end(&stock);
}
END_TEST

/* ---- all the routes ------------------------------------------------------ */

START_TEST(health_is_told)
{
	struct stock stock;
	struct reply reply;
	json_t *json;

	stock_start(&stock, NULL);
	stock_get(&stock, &reply, "/health");
	ck_assert_int_eq(reply.status, 200);
	ck_assert_str_eq(reply.body, "{\"status\":\"healthy\"}\n");
	json = reply_json(&reply);
	json_decref(json);
	stock_get(&stock, &reply, "/healthz");
	ck_assert_int_eq(reply.status, 200);
	stock_get(&stock, &reply, "/readyz");
	ck_assert_int_eq(reply.status, 200);
	stock_get(&stock, &reply, "/metrics");
	ck_assert_int_eq(reply.status, 200);
	ck_assert_ptr_nonnull(strstr(reply.body, "rescind_in_flight"));
	stock_end(&stock);
}
END_TEST

/* Empty, and Allow says it all. */
static void expect_405(const struct stock *stock, const char *method,
		       const char *path, const char *allow)
{
	struct reply reply;
	char value[256] = "";

	CURL(stock, &reply, path, "-X", method);
	ck_assert_msg(reply.status == 405, "%s %s: %d", method, path,
		      reply.status);
	ck_assert(reply_header(&reply, "Allow", value));
	ck_assert_msg(strcmp(value, allow) == 0, "%s %s: Allow: %s", method,
		      path, value);
	ck_assert_str_eq(reply.body, "");
}

START_TEST(a_wrong_method_is_405_and_told_which_are_right)
{
	static const char id[] = "/api/orders/some-id";
	static const char cancel[] = "/api/orders/some-id/cancel";
	struct stock stock;

	stock_start(&stock, NULL);
	expect_405(&stock, "PUT", "/api/orders", "GET, HEAD, POST");
	expect_405(&stock, "DELETE", "/api/orders", "GET, HEAD, POST");
	expect_405(&stock, "PATCH", "/api/orders", "GET, HEAD, POST");
	expect_405(&stock, "POST", id, "GET, HEAD");
	expect_405(&stock, "DELETE", id, "GET, HEAD");
	expect_405(&stock, "GET", cancel, "POST");
	expect_405(&stock, "DELETE", cancel, "POST");
	expect_405(&stock, "POST", "/health", "GET, HEAD");
	stock_end(&stock);
}
END_TEST

START_TEST(an_unknown_path_is_404_in_words)
{
	static const char *const paths[] = {
		"/",
		"/api",
		"/api/orders/",
		"/api/Orders",
		"/api/orders/x/",
		"/api/orders/x/y",
		"/api/orders/x/cancel/",
		"/api/v1/orders",
		"//api/orders",
	};
	struct stock stock;
	struct reply reply;
	char type[256] = "";

	stock_start(&stock, NULL);
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		CURL(&stock, &reply, paths[i], "--path-as-is");
		ck_assert_msg(reply.status == 404, "%s: %d", paths[i],
			      reply.status);
		ck_assert_str_eq(reply.body, "404 page not found\n");
		ck_assert(reply_header(&reply, "Content-Type", type));
		ck_assert_str_eq(type, "text/plain; charset=utf-8");
	}
	stock_end(&stock);
}
END_TEST

START_TEST(a_head_has_no_body)
{
	struct stock stock;
	struct reply get;
	struct reply head;
	char length[256] = "";
	char size[32];
	char path[128];
	char id[37];

	stock_start(&stock, NULL);
	stock_create(&stock, MARKET_ORDER, id);
	stock_get(&stock, &get, "/api/orders/%s", id);
	snprintf(path, sizeof(path), "/api/orders/%s", id);
	CURL(&stock, &head, path, "--head");
	ck_assert_int_eq(head.status, 200);
	ck_assert_str_eq(head.body, "");
	ck_assert(reply_header(&head, "Content-Length", length));
	snprintf(size, sizeof(size), "%zu", get.body_size);
	ck_assert_str_eq(length, size);
	CURL(&stock, &head, "/api/orders", "--head");
	ck_assert_int_eq(head.status, 200);
	ck_assert_str_eq(head.body, "");
	stock_end(&stock);
}
END_TEST

START_TEST(a_request_is_known_by_its_id)
{
	struct stock stock;
	struct reply reply;
	char value[256] = "";

	stock_start(&stock, NULL);
	CURL(&stock, &reply, "/api/orders", "-H",
	     "Content-Type: application/json", "-H", "X-Request-ID: mine-7",
	     "-d", MARKET_ORDER);
	ck_assert_int_eq(reply.status, 201);
	ck_assert(reply_header(&reply, "X-Request-ID", value));
	ck_assert_str_eq(value, "mine-7");
	/* As the original's access log has it: method, URI, remote. */
	process_await(&stock.server,
		      "POST /api/orders 127.0.0.1:", "request_id=mine-7");
	CURL(&stock, &reply, "/api/orders?limit=3&x=%20", "-H",
	     "X-Request-ID: mine-8");
	process_await(&stock.server, "GET /api/orders?limit=3&x=%20 127.0.0.1:",
		      "request_id=mine-8");
	stock_end(&stock);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		a_market_order_is_created,
		a_limit_order_says_its_price_and_its_description,
		no_price_and_no_description_are_left_out,
		an_order_that_is_not_there_is_404,
		an_order_is_cancelled_once,
		a_filled_order_is_not_cancelled,
		a_cancel_may_come_with_a_body,
		an_empty_list_is_an_array,
		a_list_is_newest_first,
		pages_follow_one_another,
		a_bad_page_is_refused,
		an_order_against_the_rules_is_400_and_names_the_field,
		a_body_that_is_no_object_is_400,
		garbage_is_400_and_no_crash,
		a_description_has_1024_bytes_at_most,
		a_body_that_is_not_json_by_its_type_is_415,
		a_body_has_64_kb_at_most,
		the_same_key_gives_the_first_answer_again,
		the_same_key_with_another_order_is_422,
		a_bad_key_is_400,
		a_key_makes_one_order_of_many_requests,
		health_is_told,
		a_wrong_method_is_405_and_told_which_are_right,
		an_unknown_path_is_404_in_words,
		a_head_has_no_body,
		a_request_is_known_by_its_id,
		NULL,
	};

	return suite_run("stock_rest", tests);
}
