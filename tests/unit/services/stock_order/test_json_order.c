#include <string.h>

#include "stock_order/adaptor/json_order.h"
#include "suite.h"

static struct json_draft json;
static struct status bad;

static void parse(const char *text)
{
	ck_assert_msg(json_draft_parse(text, strlen(text), &json, &bad) ==
			      STATUS_OK,
		      "%s: %s", text, bad.message);
}

/* ---- in ----------------------------------------------------------------- */

START_TEST(every_member_goes_to_its_place)
{
	parse(" {\"symbol\":\"aapl\",\"order_type\":\"LIMIT\","
	      "\"order_side\":\"SELL\",\"quantity\":50,\"price\":150.75,"
	      "\"description\":\"\\u00e4\\n\"} \n");
	ck_assert_str_eq(json.draft.symbol, "aapl");
	ck_assert_int_eq(json.draft.type, ORDER_TYPE_LIMIT);
	ck_assert_int_eq(json.draft.side, ORDER_SIDE_SELL);
	ck_assert_int_eq(json.draft.quantity, 50);
	ck_assert_double_eq(json.draft.price, 150.75);
	ck_assert_str_eq(json.draft.description, "ä\n");
	json_draft_release(&json);
}
END_TEST

START_TEST(what_is_absent_is_not_given)
{
	parse("{}");
	ck_assert_ptr_null(json.draft.symbol);
	ck_assert_int_eq(json.draft.type, ORDER_TYPE_UNSPECIFIED);
	ck_assert_int_eq(json.draft.side, ORDER_SIDE_UNSPECIFIED);
	ck_assert_int_eq(json.draft.quantity, 0);
	ck_assert_double_eq(json.draft.price, 0);
	ck_assert_ptr_null(json.draft.description);
	json_draft_release(&json);
}
END_TEST

START_TEST(a_price_may_be_a_whole_number)
{
	parse("{\"price\":150,\"quantity\":9223372036854775807}");
	ck_assert_double_eq(json.draft.price, 150);
	ck_assert_int_eq(json.draft.quantity, INT64_MAX);
	json_draft_release(&json);
}
END_TEST

START_TEST(names_that_are_unknown_are_the_rules_to_judge)
{
	parse("{\"order_type\":\"market\",\"order_side\":\"\"}");
	ck_assert_int_eq(json.draft.type, ORDER_TYPE_UNKNOWN);
	ck_assert_int_eq(json.draft.side, ORDER_SIDE_UNSPECIFIED);
	json_draft_release(&json);
}
END_TEST

static const struct {
	const char *text;
	const char *message;
} refused[] = {
	/* No JSON, or more than one. */
	{ "", "invalid request body" },
	{ " ", "invalid request body" },
	{ "{", "invalid request body" },
	{ "{\"symbol\":\"A\"", "invalid request body" },
	{ "{\"symbol\":\"A\",}", "invalid request body" },
	{ "{'symbol':'A'}", "invalid request body" },
	{ "{} {}", "invalid request body" },
	{ "{}x", "invalid request body" },
	{ "\xEF\xBB\xBF{}", "invalid request body" },
	/* Another value. */
	{ "[]", "invalid request body" },
	{ "[{\"symbol\":\"A\"}]", "invalid request body" },
	{ "null", "invalid request body" },
	{ "\"symbol\"", "invalid request body" },
	/* Something in it that says by itself what is wrong. */
	{ "{\"symbol\":\"A\",\"symbol\":\"B\"}",
	  "invalid request body: duplicate object key near '\"symbol\"'" },
	{ "{\"quantity\":99999999999999999999}", "quantity is out of range" },
	{ "{\"quantity\":-99999999999999999999,\"price\":1}",
	  "quantity is out of range" },
	{ "{\"quantity\":1,\"price\":1e999}", "price is out of range" },
	{ "{\"symbol\":\"price\", \"price\" : -1e999 }",
	  "price is out of range" },
	{ "{\"symbol\":\"\\u0000\"}", "symbol contains NUL" },
	{ "{\"symbol\":\"\xFF\"}", "symbol is not UTF-8" },
	{ "{\"symbol\":\"\\\"{,:\",\"description\":\"\xED\xA0\x80",
	  "description is not UTF-8" },
	/* In no member of ours. */
	{ "{\"\\u0000\":1}",
	  "invalid request body: a part of it contains NUL" },
	{ "{\"symbol\":\"A\",\"\xFF\":1}",
	  "invalid request body: a part of it is not UTF-8" },
	{ "{\"pric\\u0065\":1e999}",
	  "invalid request body: a part of it is out of range" },
	{ "{\"prices\":1e999}",
	  "invalid request body: a part of it is out of range" },
	{ "{\"price\":[1e999]}",
	  "invalid request body: a part of it is out of range" },
	{ "{\"price\":{\"price\":1e999}}",
	  "invalid request body: a part of it is out of range" },
	{ "1e999", "invalid request body: a part of it is out of range" },
	/* Members. */
	{ "{\"Symbol\":\"A\"}", "unknown field \"Symbol\"" },
	{ "{\"\":1}", "unknown field \"\"" },
	{ "{\"id\":\"1\"}", "unknown field \"id\"" },
	{ "{\"symbol\":1}", "symbol must be a string" },
	{ "{\"symbol\":null}", "symbol must be a string" },
	{ "{\"order_type\":1}", "order_type must be a string" },
	{ "{\"order_side\":true}", "order_side must be a string" },
	{ "{\"quantity\":\"1\"}", "quantity must be an integer" },
	{ "{\"quantity\":1.0}", "quantity must be an integer" },
	{ "{\"quantity\":null}", "quantity must be an integer" },
	{ "{\"price\":\"1\"}", "price must be a number" },
	{ "{\"price\":{}}", "price must be a number" },
	{ "{\"description\":[]}", "description must be a string" },
};

START_TEST(bad_form_is_refused_by_name)
{
	const char *text = refused[_i].text;

	ck_assert_int_eq(json_draft_parse(text, strlen(text), &json, &bad),
			 STATUS_INVALID_ARGUMENT);
	ck_assert_str_eq(bad.message, refused[_i].message);
}
END_TEST

START_TEST(nesting_has_a_bound)
{
	static char text[64 * 1024];

	memset(text, '[', sizeof(text));
	ck_assert_int_eq(json_draft_parse(text, sizeof(text), &json, &bad),
			 STATUS_INVALID_ARGUMENT);
}
END_TEST

START_TEST(bytes_behind_the_size_are_not_read)
{
	ck_assert_int_eq(json_draft_parse("{}}", 2, &json, &bad), STATUS_OK);
	json_draft_release(&json);
}
END_TEST

/* ---- out ---------------------------------------------------------------- */

static struct order order;
static struct json_writer out;

static void make_order(void)
{
	order = (struct order){
		.id = "f47ac10b-58cc-4372-a567-0e02b2c3d479",
		.symbol = "AAPL",
		.type = ORDER_TYPE_MARKET,
		.side = ORDER_SIDE_BUY,
		.quantity = 100,
		.status = ORDER_STATUS_PENDING,
		.created_at_us = 1763389667537422,
		.updated_at_us = 1763389667000000,
	};
	out = (struct json_writer){ 0 };
}

static void release_text(void)
{
	json_writer_release(&out);
}

static void expect(const char *text)
{
	json_put_order(&out, NULL, &order);
	ck_assert_uint_eq(out.size, strlen(text));
	ck_assert_mem_eq(out.text, text, out.size);
}

START_TEST(an_order_goes_out)
{
	expect("{\"id\":\"f47ac10b-58cc-4372-a567-0e02b2c3d479\","
	       "\"symbol\":\"AAPL\",\"order_type\":\"MARKET\","
	       "\"order_side\":\"BUY\",\"quantity\":100,"
	       "\"status\":\"PENDING\","
	       "\"created_at\":\"2025-11-17T14:27:47.537422Z\","
	       "\"updated_at\":\"2025-11-17T14:27:47.000000Z\"}");
}
END_TEST

START_TEST(price_and_description_go_out_where_there_are_any)
{
	order.type = ORDER_TYPE_LIMIT;
	order.side = ORDER_SIDE_SELL;
	order.price = 150.75;
	order.status = ORDER_STATUS_CANCELLED;
	strcpy(order.description, "\"ä\"\n");
	expect("{\"id\":\"f47ac10b-58cc-4372-a567-0e02b2c3d479\","
	       "\"symbol\":\"AAPL\",\"order_type\":\"LIMIT\","
	       "\"order_side\":\"SELL\",\"quantity\":100,\"price\":150.75,"
	       "\"status\":\"CANCELLED\","
	       "\"created_at\":\"2025-11-17T14:27:47.537422Z\","
	       "\"updated_at\":\"2025-11-17T14:27:47.000000Z\","
	       "\"description\":\"\\\"ä\\\"\\n\"}");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("json_order");
	TCase *in = tcase_create("in");
	TCase *away = tcase_create("out");

	tcase_add_test(in, every_member_goes_to_its_place);
	tcase_add_test(in, what_is_absent_is_not_given);
	tcase_add_test(in, a_price_may_be_a_whole_number);
	tcase_add_test(in, names_that_are_unknown_are_the_rules_to_judge);
	tcase_add_loop_test(in, bad_form_is_refused_by_name, 0,
			    sizeof(refused) / sizeof(refused[0]));
	tcase_add_test(in, nesting_has_a_bound);
	tcase_add_test(in, bytes_behind_the_size_are_not_read);
	suite_add_tcase(suite, in);
	tcase_add_checked_fixture(away, make_order, release_text);
	tcase_add_test(away, an_order_goes_out);
	tcase_add_test(away, price_and_description_go_out_where_there_are_any);
	suite_add_tcase(suite, away);
	return suite_run(suite);
}
