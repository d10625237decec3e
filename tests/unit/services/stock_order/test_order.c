#include <check.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "stock_order/domain/order.h"
#include "suite.h"

#define ID    "11111111-2222-4333-8444-555555555555"
#define US(x) ((int64_t)(x))

static struct order_draft draft;
static struct status err;

static void set_up(void)
{
	draft = (struct order_draft){ .symbol = "AAPL",
				      .type = ORDER_TYPE_MARKET,
				      .side = ORDER_SIDE_BUY,
				      .quantity = 100 };
	err = status_ok();
}

static void make_limit(double price)
{
	draft.type = ORDER_TYPE_LIMIT;
	draft.price = price;
}

static void accepts(void)
{
	const char *field = "none";

	ck_assert_msg(order_validate(&draft, &field, &err) == STATUS_OK, "%s",
		      err.message);
	ck_assert_str_eq(field, "none");
}

static void refuses(const char *field, const char *message)
{
	const char *told = NULL;
	struct order order = { .quantity = 7 };

	ck_assert_int_eq(order_validate(&draft, &told, &err),
			 STATUS_INVALID_ARGUMENT);
	ck_assert_str_eq(told, field);
	ck_assert_str_eq(err.message, message);
	ck_assert_int_eq(order_validate(&draft, NULL, NULL),
			 STATUS_INVALID_ARGUMENT);
	ck_assert_int_eq(order_create(&order, &draft, ID, 1, &err),
			 STATUS_INVALID_ARGUMENT);
	ck_assert_int_eq(order.quantity, 7);
}

static struct order make(void)
{
	struct order order;

	ck_assert_int_eq(order_create(&order, &draft, ID, US(1000), &err),
			 STATUS_OK);
	return order;
}

/* ---- names -------------------------------------------------------------- */

START_TEST(numbers_and_names_are_those_of_the_wire)
{
	ck_assert_int_eq(ORDER_TYPE_MARKET, 1);
	ck_assert_int_eq(ORDER_TYPE_LIMIT, 2);
	ck_assert_int_eq(ORDER_SIDE_BUY, 1);
	ck_assert_int_eq(ORDER_SIDE_SELL, 2);
	ck_assert_int_eq(ORDER_STATUS_PENDING, 1);
	ck_assert_int_eq(ORDER_STATUS_FILLED, 2);
	ck_assert_int_eq(ORDER_STATUS_CANCELLED, 3);
	ck_assert_int_eq(ORDER_STATUS_REJECTED, 4);
	ck_assert_str_eq(order_type_name(ORDER_TYPE_MARKET), "MARKET");
	ck_assert_str_eq(order_type_name(ORDER_TYPE_LIMIT), "LIMIT");
	ck_assert_str_eq(order_side_name(ORDER_SIDE_BUY), "BUY");
	ck_assert_str_eq(order_side_name(ORDER_SIDE_SELL), "SELL");
	ck_assert_str_eq(order_status_name(ORDER_STATUS_PENDING), "PENDING");
	ck_assert_str_eq(order_status_name(ORDER_STATUS_FILLED), "FILLED");
	ck_assert_str_eq(order_status_name(ORDER_STATUS_CANCELLED),
			 "CANCELLED");
	ck_assert_str_eq(order_status_name(ORDER_STATUS_REJECTED), "REJECTED");
}
END_TEST

START_TEST(every_name_is_parsed_back)
{
	for (int i = -1; i <= 5; i++) {
		const char *type = order_type_name((enum order_type)i);
		const char *side = order_side_name((enum order_side)i);
		const char *status = order_status_name((enum order_status)i);

		ck_assert_int_eq(order_type_parse(type), type[0] ? i : 0);
		ck_assert_int_eq(order_side_parse(side), side[0] ? i : 0);
		ck_assert_int_eq(order_status_parse(status), status[0] ? i : 0);
	}
}
END_TEST

START_TEST(names_are_taken_to_the_letter)
{
	static const char *const others[] = { "market",	 "MARKET ", "MARKE",
					      "MARKETS", "1",	    "\xFF" };

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		ck_assert_int_eq(order_type_parse(others[i]),
				 ORDER_TYPE_UNKNOWN);
		ck_assert_int_eq(order_side_parse(others[i]),
				 ORDER_SIDE_UNKNOWN);
		ck_assert_int_eq(order_status_parse(others[i]),
				 ORDER_STATUS_UNKNOWN);
	}
}
END_TEST

/* ---- symbol ------------------------------------------------------------- */

#define SYMBOL_RULE "symbol must be 1 to 16 characters of A-Z, 0-9, '.' and '-'"

START_TEST(a_symbol_has_one_to_sixteen_characters)
{
	draft.symbol = NULL;
	refuses("symbol", "symbol is required");
	draft.symbol = "";
	refuses("symbol", "symbol is required");
	draft.symbol = "A";
	accepts();
	draft.symbol = "ABCDEFGHIJKLMNOP";
	accepts();
	draft.symbol = "ABCDEFGHIJKLMNOPQ";
	refuses("symbol", SYMBOL_RULE);
}
END_TEST

START_TEST(a_symbol_has_no_other_characters)
{
	for (int c = 1; c < 256; c++) {
		const char symbol[] = { 'A', (char)c, 'B', '\0' };
		const char *good = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "abcdefghijklmnopqrstuvwxyz0123456789.-";

		draft.symbol = symbol;
		if (strchr(good, c) != NULL) {
			accepts();
		} else {
			refuses("symbol", SYMBOL_RULE);
		}
	}
}
END_TEST

START_TEST(a_symbol_is_raised)
{
	draft.symbol = "azAZ09.-b";
	ck_assert_str_eq(make().symbol, "AZAZ09.-B");
}
END_TEST

/* ---- type, side, quantity ----------------------------------------------- */

START_TEST(the_type_is_given_and_known)
{
	draft.type = ORDER_TYPE_UNSPECIFIED;
	refuses("order_type", "order_type is required");
	draft.type = ORDER_TYPE_UNKNOWN;
	refuses("order_type", "order_type must be MARKET or LIMIT");
	draft.type = (enum order_type)3;
	refuses("order_type", "order_type must be MARKET or LIMIT");
	draft.type = (enum order_type)INT32_MIN;
	refuses("order_type", "order_type must be MARKET or LIMIT");
}
END_TEST

START_TEST(the_side_is_given_and_known)
{
	draft.side = ORDER_SIDE_SELL;
	accepts();
	draft.side = ORDER_SIDE_UNSPECIFIED;
	refuses("order_side", "order_side is required");
	draft.side = ORDER_SIDE_UNKNOWN;
	refuses("order_side", "order_side must be BUY or SELL");
	draft.side = (enum order_side)3;
	refuses("order_side", "order_side must be BUY or SELL");
}
END_TEST

START_TEST(the_quantity_is_from_1_to_2147483647)
{
	static const int64_t good[] = { 1, 2, INT32_MAX - 1, INT32_MAX };
	static const int64_t bad[] = { 0,	    -1,
				       INT32_MIN,   INT64_MIN,
				       INT64_MAX,   US(INT32_MAX) + 1,
				       US(1) << 32, (US(1) << 32) + 1 };

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		draft.quantity = good[i];
		accepts();
		ck_assert_int_eq(make().quantity, good[i]);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		draft.quantity = bad[i];
		refuses("quantity",
			"quantity must be between 1 and 2147483647");
	}
}
END_TEST

/* ---- price -------------------------------------------------------------- */

START_TEST(a_limit_order_has_a_price_above_0)
{
	static const double bad[] = { 0, -0.0, -0.01, -1e300 };
	static const double good[] = { 5e-324, 0.01, 150.75, 1.7e308 };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		make_limit(bad[i]);
		refuses("price",
			"limit order must have a price greater than 0");
	}
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		make_limit(good[i]);
		accepts();
		ck_assert(make().price == good[i]);
	}
}
END_TEST

START_TEST(a_market_order_has_no_price)
{
	static const double bad[] = { 5e-324, 1, -1 };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		draft.price = bad[i];
		refuses("price", "market order must not have a price");
	}
	draft.price = -0.0;
	accepts();
	ck_assert(!signbit(make().price));
}
END_TEST

START_TEST(a_price_is_finite)
{
	static const double bad[] = { INFINITY, -INFINITY, NAN };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		draft.type = ORDER_TYPE_MARKET;
		draft.price = bad[i];
		refuses("price", "price must be a finite number");
		make_limit(bad[i]);
		refuses("price", "price must be a finite number");
	}
}
END_TEST

/* ---- description -------------------------------------------------------- */

START_TEST(a_description_has_at_most_1024_bytes)
{
	static char text[1026];

	accepts();
	ck_assert_str_eq(make().description, "");
	draft.description = "";
	accepts();
	memset(text, 'x', 1024);
	draft.description = text;
	accepts();
	ck_assert_str_eq(make().description, text);
	text[1024] = 'x';
	refuses("description", "description must not exceed 1024 bytes");
	memcpy(text + 1022, "\xC3\xA4", 3);
	accepts();
	memcpy(text + 1023, "\xC3\xA4", 3);
	refuses("description", "description must not exceed 1024 bytes");
}
END_TEST

START_TEST(a_description_is_utf8)
{
	static const char *const good[] = {
		"plain \t\n\x01\x7F",	"\xC2\x80 \xDF\xBF",
		"\xE0\xA0\x80",		"\xED\x9F\xBF \xEE\x80\x80",
		"\xEF\xBF\xBF",		"\xF0\x90\x80\x80",
		"\xF4\x8F\xBF\xBF end",
	};
	static const char *const bad[] = {
		"\x80",
		"\xBF",
		"a\xC0\x80",
		"\xC1\xBF",
		"\xC2",
		"\xC2x",
		"\xE0\x9F\xBF",
		"\xE1\x80",
		"\xE1\x80x",
		"\xED\xA0\x80",
		"\xED\xBF\xBF",
		"\xF0\x8F\xBF\xBF",
		"\xF0\x90\x80",
		"\xF1\x80\x80\xC0",
		"\xF4\x90\x80\x80",
		"\xF5\x80\x80\x80",
		"\xFE",
		"\xFF",
		"ok \xE2\x82",
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		draft.description = good[i];
		accepts();
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		draft.description = bad[i];
		refuses("description", "description must be UTF-8");
	}
}
END_TEST

START_TEST(the_first_broken_rule_is_told)
{
	draft = (struct order_draft){ .price = 1, .description = "\xFF" };
	refuses("symbol", "symbol is required");
	draft.symbol = "A";
	refuses("order_type", "order_type is required");
	draft.type = ORDER_TYPE_MARKET;
	refuses("order_side", "order_side is required");
	draft.side = ORDER_SIDE_BUY;
	refuses("quantity", "quantity must be between 1 and 2147483647");
	draft.quantity = 1;
	refuses("price", "market order must not have a price");
	draft.price = 0;
	refuses("description", "description must be UTF-8");
}
END_TEST

/* ---- making ------------------------------------------------------------- */

START_TEST(a_new_order_is_pending_and_owns_its_texts)
{
	char symbol[] = "goog";
	char description[] = "for the pension";
	char id[] = ID;
	struct order order;

	make_limit(150.75);
	draft.symbol = symbol;
	draft.side = ORDER_SIDE_SELL;
	draft.description = description;
	ck_assert_int_eq(order_create(&order, &draft, id, US(1234567), &err),
			 STATUS_OK);
	memset(symbol, 'x', sizeof(symbol));
	memset(description, 'x', sizeof(description));
	memset(id, 'x', sizeof(id));
	ck_assert_str_eq(order.id, ID);
	ck_assert_str_eq(order.symbol, "GOOG");
	ck_assert_int_eq(order.type, ORDER_TYPE_LIMIT);
	ck_assert_int_eq(order.side, ORDER_SIDE_SELL);
	ck_assert_int_eq(order.quantity, 100);
	ck_assert(order.price == 150.75);
	ck_assert_int_eq(order.status, ORDER_STATUS_PENDING);
	ck_assert_int_eq(order.created_at_us, 1234567);
	ck_assert_int_eq(order.updated_at_us, 1234567);
	ck_assert_str_eq(order.description, "for the pension");
}
END_TEST

/* ---- states ------------------------------------------------------------- */

START_TEST(only_a_pending_order_may_move)
{
	for (int from = -2; from <= 40; from++) {
		for (int to = -2; to <= 40; to++) {
			bool allowed = from == ORDER_STATUS_PENDING &&
				       to >= ORDER_STATUS_FILLED &&
				       to <= ORDER_STATUS_REJECTED;

			ck_assert_int_eq(order_may_move((enum order_status)from,
							(enum order_status)to),
					 allowed);
		}
	}
}
END_TEST

typedef enum status_code (*end_fn)(struct order *order, int64_t now_us,
				   struct status *reterr);
static const struct {
	end_fn end;
	const char *verb;
	enum order_status then;
} ends[] = {
	{ order_cancel, "cancel", ORDER_STATUS_CANCELLED },
	{ order_fill, "fill", ORDER_STATUS_FILLED },
	{ order_reject, "reject", ORDER_STATUS_REJECTED },
};
enum { ENDS_NR = sizeof(ends) / sizeof(ends[0]) };

START_TEST(a_pending_order_ends_once)
{
	struct order order = make();
	struct order before;
	char text[64];

	ck_assert_int_eq(ends[_i].end(&order, US(2000), &err), STATUS_OK);
	ck_assert_int_eq(order.status, ends[_i].then);
	ck_assert_int_eq(order.updated_at_us, 2000);
	ck_assert_int_eq(order.created_at_us, 1000);
	before = order;
	for (int i = 0; i < ENDS_NR; i++) {
		ck_assert_int_eq(ends[i].end(&order, US(3000), &err),
				 STATUS_FAILED_PRECONDITION);
		snprintf(text, sizeof(text), "cannot %s order with status: %s",
			 ends[i].verb, order_status_name(ends[_i].then));
		ck_assert_str_eq(err.message, text);
		ck_assert_int_eq(order.status, before.status);
		ck_assert_int_eq(order.updated_at_us, before.updated_at_us);
	}
}
END_TEST

START_TEST(an_update_is_never_before_the_creation)
{
	struct order order = make();

	ck_assert_int_eq(ends[_i].end(&order, US(-5), &err), STATUS_OK);
	ck_assert_int_eq(order.updated_at_us, order.created_at_us);
}
END_TEST

START_TEST(a_limit_order_is_not_filled_but_cancelled)
{
	struct order order;

	make_limit(1);
	order = make();
	ck_assert_int_eq(order_fill(&order, US(2000), &err),
			 STATUS_FAILED_PRECONDITION);
	ck_assert_str_eq(err.message, "cannot fill order of type: LIMIT");
	ck_assert_int_eq(order.status, ORDER_STATUS_PENDING);
	ck_assert_int_eq(order_cancel(&order, US(2000), &err), STATUS_OK);
}
END_TEST

START_TEST(an_order_without_a_state_goes_nowhere)
{
	struct order order = make();

	order.status = ORDER_STATUS_UNSPECIFIED;
	ck_assert_int_eq(order_cancel(&order, US(2000), NULL),
			 STATUS_FAILED_PRECONDITION);
	order.status = ORDER_STATUS_UNKNOWN;
	ck_assert_int_eq(order_cancel(&order, US(2000), NULL),
			 STATUS_FAILED_PRECONDITION);
}
END_TEST

/* ---- comparing ---------------------------------------------------------- */

START_TEST(terms_are_all_but_id_state_and_times)
{
	struct order a = make();
	struct order b = a;

	b.id[0] = '9';
	b.created_at_us = 5;
	b.updated_at_us = 6;
	b.status = ORDER_STATUS_FILLED;
	ck_assert(order_same_terms(&a, &b));
	b = a;
	b.symbol[0] = 'B';
	ck_assert(!order_same_terms(&a, &b));
	b = a;
	b.type = ORDER_TYPE_LIMIT;
	ck_assert(!order_same_terms(&a, &b));
	b = a;
	b.side = ORDER_SIDE_SELL;
	ck_assert(!order_same_terms(&a, &b));
	b = a;
	b.quantity++;
	ck_assert(!order_same_terms(&a, &b));
	b = a;
	b.price = 1;
	ck_assert(!order_same_terms(&a, &b));
	b = a;
	strcpy(b.description, "x");
	ck_assert(!order_same_terms(&a, &b));
}
END_TEST

START_TEST(a_rewound_order_is_as_it_was_created)
{
	struct order order = make();

	ck_assert_int_eq(order_cancel(&order, US(2000), &err), STATUS_OK);
	order_rewind(&order);
	ck_assert_int_eq(order.status, ORDER_STATUS_PENDING);
	ck_assert_int_eq(order.updated_at_us, 1000);
}
END_TEST

START_TEST(the_newest_comes_first_then_the_greater_id)
{
	struct order a = make();
	struct order b = a;

	ck_assert_int_eq(order_compare_newest(&a, &b), 0);
	b.id[35]++;
	ck_assert_int_gt(order_compare_newest(&a, &b), 0);
	ck_assert_int_lt(order_compare_newest(&b, &a), 0);
	b.created_at_us--;
	ck_assert_int_lt(order_compare_newest(&a, &b), 0);
	ck_assert_int_gt(order_compare_newest(&b, &a), 0);
	a.created_at_us = INT64_MAX;
	b.created_at_us = INT64_MIN;
	ck_assert_int_lt(order_compare_newest(&a, &b), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("order");
	TCase *tc = tcase_create("all");

	tcase_set_timeout(tc, 30);
	tcase_add_checked_fixture(tc, set_up, NULL);
	tcase_add_test(tc, numbers_and_names_are_those_of_the_wire);
	tcase_add_test(tc, every_name_is_parsed_back);
	tcase_add_test(tc, names_are_taken_to_the_letter);
	tcase_add_test(tc, a_symbol_has_one_to_sixteen_characters);
	tcase_add_test(tc, a_symbol_has_no_other_characters);
	tcase_add_test(tc, a_symbol_is_raised);
	tcase_add_test(tc, the_type_is_given_and_known);
	tcase_add_test(tc, the_side_is_given_and_known);
	tcase_add_test(tc, the_quantity_is_from_1_to_2147483647);
	tcase_add_test(tc, a_limit_order_has_a_price_above_0);
	tcase_add_test(tc, a_market_order_has_no_price);
	tcase_add_test(tc, a_price_is_finite);
	tcase_add_test(tc, a_description_has_at_most_1024_bytes);
	tcase_add_test(tc, a_description_is_utf8);
	tcase_add_test(tc, the_first_broken_rule_is_told);
	tcase_add_test(tc, a_new_order_is_pending_and_owns_its_texts);
	tcase_add_test(tc, only_a_pending_order_may_move);
	tcase_add_loop_test(tc, a_pending_order_ends_once, 0, ENDS_NR);
	tcase_add_loop_test(tc, an_update_is_never_before_the_creation, 0,
			    ENDS_NR);
	tcase_add_test(tc, a_limit_order_is_not_filled_but_cancelled);
	tcase_add_test(tc, an_order_without_a_state_goes_nowhere);
	tcase_add_test(tc, terms_are_all_but_id_state_and_times);
	tcase_add_test(tc, a_rewound_order_is_as_it_was_created);
	tcase_add_test(tc, the_newest_comes_first_then_the_greater_id);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
