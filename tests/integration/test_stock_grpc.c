/*
 * Orders over gRPC as strangers meet them: demo 3 and grpcurl, with no .proto
 * at hand. And that both protocols speak of the same orders.
 */
#include "harness/caller.h"
#include "harness/stock.h"
#include "harness/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SKIPPED = 77 };

#define SERVICE "stockorder.StockOrderService"

static void expect_text(const struct outcome *outcome, const char *text)
{
	ck_assert_msg(outcome->code == 0 && strstr(outcome->text, text) != NULL,
		      "%d, lacks '%s': %s", outcome->code, text, outcome->text);
}

/* ---- what there is ------------------------------------------------------- */

START_TEST(the_services_are_listed)
{
	struct outcome outcome;
	struct stock stock;

	stock_start(&stock, NULL);
	GRPCURL(&outcome, stock.grpc, "list");
	ck_assert_int_eq(outcome.code, 0);
	ck_assert_str_eq(outcome.text,
			 "grpc.health.v1.Health\n"
			 "grpc.reflection.v1.ServerReflection\n"
			 "grpc.reflection.v1alpha.ServerReflection\n" SERVICE
			 "\n");
	GRPCURL(&outcome, stock.grpc, "list", SERVICE);
	ck_assert_str_eq(outcome.text, SERVICE
			 ".CancelOrder\n" SERVICE ".CreateOrder\n" SERVICE
			 ".GetOrder\n" SERVICE ".ListOrders\n");
	stock_end(&stock);
}
END_TEST

/* Numbers are the contract. */
START_TEST(the_messages_are_described)
{
	static const struct {
		const char *name;
		const char *text;
	} known[] = {
		{ "StockOrder", "message StockOrder {\n"
				"  string id = 1;\n"
				"  string symbol = 2;\n"
				"  .stockorder.OrderType order_type = 3;\n"
				"  .stockorder.OrderSide order_side = 4;\n"
				"  int32 quantity = 5;\n"
				"  double price = 6;\n"
				"  .stockorder.OrderStatus status = 7;\n"
				"  .google.protobuf.Timestamp created_at = 8;\n"
				"  .google.protobuf.Timestamp updated_at = 9;\n"
				"  string description = 10;\n"
				"}\n" },
		{ "OrderType", "enum OrderType {\n"
			       "  ORDER_TYPE_UNSPECIFIED = 0;\n"
			       "  MARKET = 1;\n"
			       "  LIMIT = 2;\n"
			       "}\n" },
		{ "OrderSide", "enum OrderSide {\n"
			       "  ORDER_SIDE_UNSPECIFIED = 0;\n"
			       "  BUY = 1;\n"
			       "  SELL = 2;\n"
			       "}\n" },
		{ "OrderStatus", "enum OrderStatus {\n"
				 "  ORDER_STATUS_UNSPECIFIED = 0;\n"
				 "  PENDING = 1;\n"
				 "  FILLED = 2;\n"
				 "  CANCELLED = 3;\n"
				 "  REJECTED = 4;\n"
				 "}\n" },
		{ "CreateOrderRequest",
		  "message CreateOrderRequest {\n"
		  "  string symbol = 1;\n"
		  "  .stockorder.OrderType order_type = 2;\n"
		  "  .stockorder.OrderSide order_side = 3;\n"
		  "  int32 quantity = 4;\n"
		  "  double price = 5;\n"
		  "}\n" },
		{ "GetOrderRequest", "  string order_id = 1;\n}\n" },
		{ "CancelOrderRequest", "  string order_id = 1;\n}\n" },
		{ "CancelOrderResponse", "  string message = 1;\n}\n" },
		{ "ListOrdersRequest", "  int32 page_size = 1;\n"
				       "  string page_token = 2;\n}\n" },
		{ "ListOrdersResponse",
		  "  repeated .stockorder.StockOrder orders = 1;\n"
		  "  string next_page_token = 2;\n}\n" },
	};
	struct outcome outcome;
	struct stock stock;
	char name[64];

	stock_start(&stock, NULL);
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		snprintf(name, sizeof(name), "stockorder.%s", known[i].name);
		GRPCURL(&outcome, stock.grpc, "describe", name);
		expect_text(&outcome, known[i].text);
	}
	GRPCURL(&outcome, stock.grpc, "describe", SERVICE);
	expect_text(&outcome,
		    "rpc CreateOrder ( .stockorder.CreateOrderRequest ) "
		    "returns ( .stockorder.StockOrder );");
	stock_end(&stock);
}
END_TEST

START_TEST(health_is_checked_by_service)
{
	struct outcome outcome;
	struct stock stock;

	stock_start(&stock, NULL);
	GRPCURL(&outcome, stock.grpc, "grpc.health.v1.Health/Check");
	expect_text(&outcome, "\"status\": \"SERVING\"");
	GRPCURL(&outcome, "-d", "{\"service\":\"" SERVICE "\"}", stock.grpc,
		"grpc.health.v1.Health/Check");
	expect_text(&outcome, "\"status\": \"SERVING\"");
	GRPCURL(&outcome, "-d", "{\"service\":\"stockorder.Nobody\"}",
		stock.grpc, "grpc.health.v1.Health/Check");
	ck_assert_int_ne(outcome.code, 0);
	ck_assert_ptr_nonnull(strstr(outcome.text, "NotFound"));
	stock_end(&stock);
}
END_TEST

/* ---- the same orders over both ------------------------------------------- */

/* Up to microseconds; trailing zeros of a fraction may be left out. */
static void expect_same_time(const char *a, const char *b)
{
	size_t same = strspn(a, "0123456789-:T.");

	while (a[same - 1] == '0' && strchr(a, '.') != NULL) {
		same--;
	}
	ck_assert_msg(strncmp(a, b, same) == 0 &&
			      strspn(b + same, "0") + 1 == strlen(b + same) &&
			      b[strlen(b) - 1] == 'Z',
		      "%s, %s", a, b);
}

static const char *text_or_empty(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text != NULL ? text : "";
}

/* @rest as curl has it, @grpc as grpcurl has it. */
static void expect_same_order(const json_t *rest, const json_t *grpc)
{
	static const char *const texts[][2] = {
		{ "id", "id" },
		{ "symbol", "symbol" },
		{ "order_type", "orderType" },
		{ "order_side", "orderSide" },
		{ "status", "status" },
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		ck_assert_str_eq(json_text(rest, texts[i][0]),
				 json_text(grpc, texts[i][1]));
	}
	ck_assert_int_eq(json_integer_value(json_object_get(rest, "quantity")),
			 json_integer_value(json_object_get(grpc, "quantity")));
	ck_assert(json_number_value(json_object_get(rest, "price")) ==
		  json_number_value(json_object_get(grpc, "price")));
	ck_assert_str_eq(text_or_empty(rest, "description"),
			 text_or_empty(grpc, "description"));
	expect_same_time(json_text(rest, "created_at"),
			 json_text(grpc, "createdAt"));
	expect_same_time(json_text(rest, "updated_at"),
			 json_text(grpc, "updatedAt"));
}

static json_t *get_over_grpc(const struct stock *stock, const char *id)
{
	struct outcome outcome;
	char request[64];

	snprintf(request, sizeof(request), "{\"order_id\":\"%s\"}", id);
	stock_call(stock, &outcome, "GetOrder", request);
	return outcome_json(&outcome);
}

static json_t *get_over_rest(const struct stock *stock, const char *id)
{
	struct reply reply;

	stock_get(stock, &reply, "/api/orders/%s", id);
	ck_assert_int_eq(reply.status, 200);
	return reply_json(&reply);
}

/* Both say the same of it. */
static void expect_same_on_both(const struct stock *stock, const char *id,
				const char *status)
{
	json_t *rest = get_over_rest(stock, id);
	json_t *grpc = get_over_grpc(stock, id);

	expect_same_order(rest, grpc);
	ck_assert_str_eq(json_text(rest, "status"), status);
	json_decref(rest);
	json_decref(grpc);
}

static void create_over_grpc(const struct stock *stock, const char *json,
			     char ret_id[37])
{
	struct outcome outcome;
	json_t *order;

	stock_call(stock, &outcome, "CreateOrder", json);
	order = outcome_json(&outcome);
	snprintf(ret_id, 37, "%s", json_text(order, "id"));
	ck_assert_str_eq(json_text(order, "status"), "PENDING");
	ck_assert_str_eq(json_text(order, "createdAt"),
			 json_text(order, "updatedAt"));
	json_decref(order);
}

START_TEST(an_order_made_over_grpc_is_seen_over_rest)
{
	struct stock stock;
	char id[37];
	json_t *order;

	stock_start(&stock, NULL);
	create_over_grpc(&stock, MARKET_ORDER, id);
	expect_same_on_both(&stock, id, "PENDING");
	create_over_grpc(&stock,
			 "{\"symbol\":\"brk.b\",\"order_type\":2,"
			 "\"order_side\":2,\"quantity\":2147483647,"
			 "\"price\":0.01}",
			 id);
	expect_same_on_both(&stock, id, "PENDING");
	order = get_over_rest(&stock, id);
	ck_assert_str_eq(json_text(order, "symbol"), "BRK.B");
	ck_assert_str_eq(json_text(order, "order_type"), "LIMIT");
	ck_assert_str_eq(json_text(order, "order_side"), "SELL");
	ck_assert(json_real_value(json_object_get(order, "price")) == 0.01);
	json_decref(order);
	stock_end(&stock);
}
END_TEST

START_TEST(an_order_made_over_rest_is_seen_over_grpc)
{
	struct stock stock;
	char id[37];

	stock_start(&stock, NULL);
	stock_create(&stock,
		     "{\"symbol\":\"A\",\"order_type\":\"LIMIT\","
		     "\"order_side\":\"BUY\",\"quantity\":7,\"price\":1e-9,"
		     "\"description\":\"a \\u20ac\"}",
		     id);
	expect_same_on_both(&stock, id, "PENDING");
	stock_end(&stock);
}
END_TEST

START_TEST(what_one_cancels_the_other_cannot)
{
	static const char cannot[] =
		"cannot cancel order with status: CANCELLED";
	struct outcome outcome;
	struct stock stock;
	struct reply reply;
	char request[64];
	json_t *json;
	char id[37];

	stock_start(&stock, NULL);
	stock_create(&stock, MARKET_ORDER, id);
	snprintf(request, sizeof(request), "{\"order_id\":\"%s\"}", id);
	stock_call(&stock, &outcome, "CancelOrder", request);
	json = outcome_json(&outcome);
	ck_assert_str_eq(json_text(json, "message"),
			 "order cancelled successfully");
	json_decref(json);
	expect_same_on_both(&stock, id, "CANCELLED");
	stock_cancel(&stock, &reply, id);
	reply_expect_error(&reply, 409, cannot);

	create_over_grpc(&stock, LIMIT_ORDER, id);
	stock_cancel(&stock, &reply, id);
	ck_assert_int_eq(reply.status, 200);
	expect_same_on_both(&stock, id, "CANCELLED");
	snprintf(request, sizeof(request), "{\"order_id\":\"%s\"}", id);
	stock_call(&stock, &outcome, "CancelOrder", request);
	outcome_expect_error(&outcome, "FailedPrecondition",
			     "failed to cancel order: cannot cancel order "
			     "with status: CANCELLED");
	stock_end(&stock);
}
END_TEST

/* ---- lists --------------------------------------------------------------- */

enum { SOME = 9 };

static void create_by_turns(const struct stock *stock, char ids[SOME][37])
{
	for (int i = 0; i < SOME; i++) {
		if (i % 2 == 0) {
			create_over_grpc(stock, LIMIT_ORDER, ids[i]);
		} else {
			stock_create(stock, MARKET_ORDER, ids[i]);
		}
	}
}

static json_t *list_over_grpc(const struct stock *stock, const char *request)
{
	struct outcome outcome;

	stock_call(stock, &outcome, "ListOrders", request);
	return outcome_json(&outcome);
}

START_TEST(both_list_the_same_newest_first)
{
	struct stock stock;
	struct reply reply;
	char ids[SOME][37];
	json_t *grpc;
	json_t *rest;

	stock_start(&stock, NULL);
	grpc = list_over_grpc(&stock, "{}");
	ck_assert_uint_eq(json_array_size(json_object_get(grpc, "orders")), 0);
	ck_assert_str_eq(json_text(grpc, "nextPageToken"), "");
	json_decref(grpc);
	create_by_turns(&stock, ids);
	grpc = list_over_grpc(&stock, "{}");
	ck_assert_uint_eq(json_array_size(json_object_get(grpc, "orders")),
			  SOME);
	ck_assert_str_eq(json_text(grpc, "nextPageToken"), "");
	stock_get(&stock, &reply, "/api/orders");
	rest = reply_json(&reply);
	ck_assert_uint_eq(json_array_size(rest), SOME);
	for (size_t i = 0; i < SOME; i++) {
		const json_t *a = json_array_get(rest, i);
		const json_t *b =
			json_array_get(json_object_get(grpc, "orders"), i);

		ck_assert_str_eq(json_text(a, "id"), ids[SOME - 1 - i]);
		expect_same_order(a, b);
	}
	json_decref(grpc);
	json_decref(rest);
	stock_end(&stock);
}
END_TEST

START_TEST(pages_follow_one_another)
{
	char request[256] = "{\"page_size\":4}";
	struct stock stock;
	char ids[SOME][37];
	int seen = 0;
	int pages = 0;
	bool more = true;

	stock_start(&stock, NULL);
	create_by_turns(&stock, ids);
	for (; more; pages++) {
		json_t *page = list_over_grpc(&stock, request);
		const json_t *orders = json_object_get(page, "orders");
		const char *token = json_text(page, "nextPageToken");

		for (size_t i = 0; i < json_array_size(orders); i++) {
			ck_assert_int_lt(seen, SOME);
			seen++;
			ck_assert_str_eq(
				json_text(json_array_get(orders, i), "id"),
				ids[SOME - seen]);
		}
		more = token[0] != '\0';
		snprintf(request, sizeof(request),
			 "{\"page_size\":4,\"page_token\":\"%s\"}", token);
		json_decref(page);
	}
	ck_assert_int_eq(seen, SOME);
	ck_assert_int_eq(pages, 3);
	stock_end(&stock);
}
END_TEST

/* A token that one protocol gave is good for the other. */
START_TEST(a_page_token_is_the_same_thing_on_both)
{
	struct stock stock;
	struct reply reply;
	char ids[SOME][37];
	json_t *first;
	json_t *second;

	stock_start(&stock, NULL);
	create_by_turns(&stock, ids);
	first = list_over_grpc(&stock, "{\"page_size\":3}");
	stock_get(&stock, &reply, "/api/orders?limit=2&page_token=%s",
		  json_text(first, "nextPageToken"));
	second = reply_json(&reply);
	ck_assert_uint_eq(json_array_size(second), 2);
	ck_assert_str_eq(json_text(json_array_get(second, 0), "id"),
			 ids[SOME - 4]);
	ck_assert_str_eq(json_text(json_array_get(second, 1), "id"),
			 ids[SOME - 5]);
	json_decref(first);
	json_decref(second);
	stock_end(&stock);
}
END_TEST

/* ---- what is refused ----------------------------------------------------- */

START_TEST(an_order_against_the_rules_names_the_field)
{
	static const char limit[] =
		"limit order must have a price greater than 0";
	static const struct {
		const char *request;
		const char *error;
	} rules[] = {
		{ "{}", "symbol is required" },
		{ "{\"symbol\":\"A B\",\"order_type\":\"MARKET\","
		  "\"order_side\":\"BUY\",\"quantity\":1}",
		  "symbol must be 1 to 16 characters of A-Z, 0-9, '.' and "
		  "'-'" },
		{ "{\"symbol\":\"A\",\"order_side\":\"BUY\",\"quantity\":1}",
		  "order_type is required" },
		{ "{\"symbol\":\"A\",\"order_type\":3,\"order_side\":\"BUY\","
		  "\"quantity\":1}",
		  "order_type must be MARKET or LIMIT" },
		{ "{\"symbol\":\"A\",\"order_type\":-1,\"order_side\":\"BUY\","
		  "\"quantity\":1}",
		  "order_type must be MARKET or LIMIT" },
		{ "{\"symbol\":\"A\",\"order_type\":\"MARKET\",\"quantity\":1}",
		  "order_side is required" },
		{ "{\"symbol\":\"A\",\"order_type\":\"MARKET\","
		  "\"order_side\":9,\"quantity\":1}",
		  "order_side must be BUY or SELL" },
		{ "{\"symbol\":\"A\",\"order_type\":\"MARKET\","
		  "\"order_side\":\"BUY\"}",
		  "quantity must be between 1 and 2147483647" },
		{ "{\"symbol\":\"A\",\"order_type\":\"MARKET\","
		  "\"order_side\":\"BUY\",\"quantity\":-5}",
		  "quantity must be between 1 and 2147483647" },
		{ "{\"symbol\":\"A\",\"order_type\":\"LIMIT\","
		  "\"order_side\":\"BUY\",\"quantity\":1}",
		  limit },
		{ "{\"symbol\":\"A\",\"order_type\":\"LIMIT\","
		  "\"order_side\":\"BUY\",\"quantity\":1,\"price\":-1}",
		  limit },
		{ "{\"symbol\":\"A\",\"order_type\":\"LIMIT\","
		  "\"order_side\":\"BUY\",\"quantity\":1,\"price\":\"NaN\"}",
		  "price must be a finite number" },
		{ "{\"symbol\":\"A\",\"order_type\":\"LIMIT\","
		  "\"order_side\":\"BUY\",\"quantity\":1,"
		  "\"price\":\"Infinity\"}",
		  "price must be a finite number" },
		{ "{\"symbol\":\"A\",\"order_type\":\"MARKET\","
		  "\"order_side\":\"BUY\",\"quantity\":1,\"price\":1}",
		  "market order must not have a price" },
	};
	struct outcome outcome;
	struct stock stock;
	char message[256];

	stock_start(&stock, NULL);
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		stock_call(&stock, &outcome, "CreateOrder", rules[i].request);
		snprintf(message, sizeof(message), "failed to create order: %s",
			 rules[i].error);
		outcome_expect_error(&outcome, "InvalidArgument", message);
	}
	ck_assert_int_eq(stock_stored_n(&stock), 0);
	stock_end(&stock);
}
END_TEST

START_TEST(other_requests_are_refused_with_their_codes)
{
	static const struct {
		const char *method;
		const char *request;
		const char *code;
		const char *message;
	} refused[] = {
		{ "GetOrder", "{\"order_id\":\"nobody\"}", "NotFound",
		  "order not found: nobody" },
		{ "GetOrder", "{}", "NotFound", "order not found: " },
		{ "CancelOrder", "{\"order_id\":\"nobody\"}", "NotFound",
		  "failed to cancel order: order not found: nobody" },
		{ "CancelOrder", "{}", "NotFound",
		  "failed to cancel order: order not found: " },
		{ "ListOrders", "{\"page_size\":-1}", "InvalidArgument",
		  "failed to list orders: page_size must not be negative" },
		{ "ListOrders", "{\"page_token\":\"x\"}", "InvalidArgument",
		  "failed to list orders: page_token is not one that was "
		  "given out" },
	};
	struct outcome outcome;
	struct stock stock;

	stock_start(&stock, NULL);
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		stock_call(&stock, &outcome, refused[i].method,
			   refused[i].request);
		outcome_expect_error(&outcome, refused[i].code,
				     refused[i].message);
	}
	stock_end(&stock);
}
END_TEST

static void expect_end(struct caller *caller, const char *method,
		       const void *message, size_t size, enum caller_end end)
{
	struct caller_answer answer;

	ck_assert_uint_ne(caller_call(caller, method, NULL, message, size), 0);
	ck_assert(caller_receive(caller, &answer));
	ck_assert_msg(answer.end == end, "%s ended as %d, not %d", method,
		      (int)answer.end, (int)end);
}

/* What no library would send; the connection and the server go on. */
START_TEST(garbage_is_refused_and_no_crash)
{
	static const char create[] = "/" SERVICE "/CreateOrder";
	/* AAPL, MARKET, BUY, 100 */
	static const unsigned char order[] = { 0x0A, 4, 'A',  'A', 'P',	 'L',
					       0x10, 1, 0x18, 1,   0x20, 100 };
	static const unsigned char no_utf8[] = { 0x0A, 2,    0xC3, 0xC3, 0x10,
						 1,    0x18, 1,	   0x20, 1 };
	static const unsigned char cut[] = { 0x0A, 200, 1, 'A' };
	unsigned char noise[512];
	unsigned seed = 20251117;
	struct caller caller;
	struct stock stock;

	stock_start(&stock, NULL);
	caller_open(&caller, stock.grpc_port);
	expect_end(&caller, create, cut, sizeof(cut), CALLER_STATUS);
	expect_end(&caller, create, no_utf8, sizeof(no_utf8), CALLER_STATUS);
	expect_end(&caller, create, "", 0, CALLER_STATUS);
	for (int round = 0; round < 50; round++) {
		for (size_t i = 0; i < sizeof(noise); i++) {
			noise[i] = (unsigned char)rand_r(&seed);
		}
		noise[0] = 0x0F; /* a group that nobody has known for long */
		expect_end(&caller, create, noise, sizeof(noise),
			   CALLER_STATUS);
	}
	expect_end(&caller, "/" SERVICE "/Nothing", order, sizeof(order),
		   CALLER_STATUS);
	expect_end(&caller, "/stockorder.Nothing/CreateOrder", order,
		   sizeof(order), CALLER_STATUS);
	ck_assert_int_eq(stock_stored_n(&stock), 0);
	expect_end(&caller, create, order, sizeof(order), CALLER_MESSAGE);
	caller_close(&caller);
	ck_assert_int_eq(stock_stored_n(&stock), 1);
	stock_end(&stock);
}
END_TEST

START_TEST(a_message_has_64_kb_at_most)
{
	static char request[70 * 1024];
	struct outcome outcome;
	struct stock stock;
	int at = snprintf(request, sizeof(request), "{\"symbol\":\"");

	memset(request + at, 'A', 66 * 1024);
	snprintf(request + at + 66 * 1024, 8, "\"}");
	stock_start(&stock, NULL);
	stock_call(&stock, &outcome, "CreateOrder", request);
	ck_assert_int_ne(outcome.code, 0);
	ck_assert_msg(strstr(outcome.text, "Code: ResourceExhausted") != NULL,
		      "%.300s", outcome.text);
	stock_end(&stock);
}
END_TEST

/* ---- the same once more -------------------------------------------------- */

static bool is_replayed(const struct outcome *outcome)
{
	return strstr(outcome->text, "idempotent-replayed: true") != NULL;
}

START_TEST(the_same_key_gives_the_first_answer_again)
{
	struct outcome outcome;
	struct stock stock;
	json_t *first;
	json_t *again;

	stock_start(&stock, NULL);
	stock_call_with_key(&stock, &outcome, "CreateOrder", MARKET_ORDER,
			    "once-1");
	ck_assert(!is_replayed(&outcome));
	first = outcome_json(&outcome);
	stock_call_with_key(&stock, &outcome, "CreateOrder", MARKET_ORDER,
			    "once-1");
	ck_assert(is_replayed(&outcome));
	again = outcome_json(&outcome);
	ck_assert(json_equal(first, again));
	json_decref(first);
	json_decref(again);
	stock_call_with_key(&stock, &outcome, "CreateOrder", LIMIT_ORDER,
			    "once-1");
	ck_assert_int_ne(outcome.code, 0);
	ck_assert_msg(strstr(outcome.text,
			     "Code: AlreadyExists\n  Message: failed to create "
			     "order: idempotency key was used for another "
			     "order\n") != NULL,
		      "%s", outcome.text);
	stock_call_with_key(&stock, &outcome, "CreateOrder", MARKET_ORDER,
			    "two words");
	ck_assert_ptr_nonnull(strstr(outcome.text, "Code: InvalidArgument"));
	ck_assert_int_eq(stock_stored_n(&stock), 1);
	stock_end(&stock);
}
END_TEST

START_TEST(a_key_means_the_same_on_both)
{
	struct outcome outcome;
	struct stock stock;
	struct reply reply;
	char value[256];
	json_t *rest;
	json_t *grpc;

	stock_start(&stock, NULL);
	stock_post_with_key(&stock, &reply, LIMIT_ORDER, "either-way");
	ck_assert_int_eq(reply.status, 201);
	rest = reply_json(&reply);
	stock_call_with_key(&stock, &outcome, "CreateOrder", LIMIT_ORDER,
			    "either-way");
	ck_assert(is_replayed(&outcome));
	grpc = outcome_json(&outcome);
	expect_same_order(rest, grpc);
	json_decref(rest);
	json_decref(grpc);
	stock_call_with_key(&stock, &outcome, "CreateOrder", MARKET_ORDER,
			    "other-way");
	ck_assert_int_eq(outcome.code, 0);
	stock_post_with_key(&stock, &reply, MARKET_ORDER, "other-way");
	ck_assert_int_eq(reply.status, 201);
	ck_assert(reply_header(&reply, "Idempotent-Replayed", value));
	stock_post_with_key(&stock, &reply, LIMIT_ORDER, "other-way");
	ck_assert_int_eq(reply.status, 422);
	ck_assert_int_eq(stock_stored_n(&stock), 2);
	stock_end(&stock);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		the_services_are_listed,
		the_messages_are_described,
		health_is_checked_by_service,
		an_order_made_over_grpc_is_seen_over_rest,
		an_order_made_over_rest_is_seen_over_grpc,
		what_one_cancels_the_other_cannot,
		both_list_the_same_newest_first,
		pages_follow_one_another,
		a_page_token_is_the_same_thing_on_both,
		an_order_against_the_rules_names_the_field,
		other_requests_are_refused_with_their_codes,
		garbage_is_refused_and_no_crash,
		a_message_has_64_kb_at_most,
		the_same_key_gives_the_first_answer_again,
		a_key_means_the_same_on_both,
		NULL,
	};

	if (!is_ci() && tool_find("grpcurl") == NULL) {
		return SKIPPED;
	}
	return suite_run("stock_grpc", tests);
}
