#include <errno.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "rpc/channel.h"
#include "shop.h"
#include "stock_order.pb-c.h"
#include "stock_order/adaptor/grpc_edge.h"
#include "suite.h"

enum { PATIENCE_S = 20, LISTED_MAX = 5000 };

static struct shop shop;
static struct grpc_edge edge;
static struct rpc_poller *poller;
static struct rpc_server *server;
static struct rpc_channel *channel;

static void make_server(void *arg)
{
	struct rpc_server_options options;
	struct status bad;

	(void)arg;
	rpc_server_options_init(&options);
	options.message_max = GRPC_EDGE_MESSAGE_MAX;
	options.on_end = grpc_edge_on_end;
	options.on_end_arg = shop.world.work_metrics;
	ck_assert_int_eq(rpc_server_new(shop.world.root, poller, &options,
					&server, &bad),
			 STATUS_OK);
	ck_assert_int_eq(grpc_edge_add(server, &edge, &bad), STATUS_OK);
	ck_assert_int_eq(rpc_server_start(server, &bad), STATUS_OK);
}

static void free_server(void *arg)
{
	(void)arg;
	rpc_server_stop_accepting(server);
	rpc_server_free(server);
}

static void set_up(void)
{
	struct rpc_channel_options options;
	char target[64];
	struct status bad;

	shop_open(&shop);
	edge = (struct grpc_edge){ .base = shop.edge };
	ck_assert_int_eq(rpc_poller_new(&poller, &bad), STATUS_OK);
	world_on_loop(&shop.world, make_server, NULL);
	rpc_channel_options_init(&options);
	snprintf(target, sizeof(target), "localhost:%u",
		 (unsigned)rpc_server_port(server));
	options.target = target;
	options.wait_for_ready = true;
	ck_assert_int_eq(rpc_channel_new(poller, &options, &channel, &bad),
			 STATUS_OK);
}

static void tear_down(void)
{
	rpc_channel_free(channel);
	world_on_loop(&shop.world, free_server, NULL);
	rpc_poller_free(poller);
	ck_assert_uint_eq(atomic_load(&edge.wholes), 0);
	shop_close(&shop);
}

/* ---- a client ----------------------------------------------------------- */

/* What has come back of a call. */
struct outcome_of {
	struct ctx *ctx;
	sem_t done;
	struct status status;
	bool replayed;
	size_t size; /* of the message */
	/* Of an order, or of the last in a list. */
	char id[64];
	char symbol[32];
	int type, side, order_status;
	int32_t quantity;
	double price;
	int64_t created_s, updated_s;
	int32_t created_ns;
	char description[1100];
	/* Of a list. */
	size_t orders;
	int listed[LISTED_MAX]; /* the numbers in the symbols */
	char token[128];
	/* Of a cancel. */
	char message[128];
};

static void take_order(struct outcome_of *out,
		       const Stockorder__StockOrder *order)
{
	snprintf(out->id, sizeof(out->id), "%s", order->id);
	snprintf(out->symbol, sizeof(out->symbol), "%s", order->symbol);
	out->type = order->order_type;
	out->side = order->order_side;
	out->order_status = order->status;
	out->quantity = order->quantity;
	out->price = order->price;
	out->created_s = order->created_at->seconds;
	out->created_ns = order->created_at->nanos;
	out->updated_s = order->updated_at->seconds;
	snprintf(out->description, sizeof(out->description), "%s",
		 order->description);
}

static void take_list(struct outcome_of *out,
		      const Stockorder__ListOrdersResponse *list)
{
	out->orders = list->n_orders;
	ck_assert_uint_le(list->n_orders, LISTED_MAX);
	for (size_t i = 0; i < list->n_orders; i++) {
		take_order(out, list->orders[i]);
		out->listed[i] = atoi(out->symbol + 1);
	}
	snprintf(out->token, sizeof(out->token), "%s", list->next_page_token);
}

static void take(struct outcome_of *out, const ProtobufCMessage *message)
{
	out->size = protobuf_c_message_get_packed_size(message);
	if (message->descriptor == &stockorder__stock_order__descriptor) {
		take_order(out, (const void *)message);
	} else if (message->descriptor ==
		   &stockorder__list_orders_response__descriptor) {
		take_list(out, (const void *)message);
	} else {
		snprintf(out->message, sizeof(out->message), "%s",
			 ((const Stockorder__CancelOrderResponse *)message)
				 ->message);
	}
}

static void on_done(const struct status *status,
		    const ProtobufCMessage *response,
		    const struct rpc_metadata *trailing, void *arg)
{
	struct outcome_of *out = arg;

	out->status = *status;
	for (size_t i = 0; i < trailing->count; i++) {
		out->replayed |= strcmp(trailing->items[i].key,
					"idempotent-replayed") == 0 &&
				 strcmp(trailing->items[i].value, "true") == 0;
	}
	if (response != NULL) {
		take(out, response);
	}
	sem_post(&out->done);
}

static void begin(struct outcome_of *out, const char *method,
		  const ProtobufCMessage *request, const char *key)
{
	const struct rpc_metadatum item = { "idempotency-key", key,
					    key != NULL ? strlen(key) : 0 };
	const struct rpc_metadata metadata = { &item, 1 };

	memset(out, 0, sizeof(*out));
	sem_init(&out->done, 0, 0);
	out->ctx = ctx_new(shop.world.root,
			   clock_now_ns() + PATIENCE_S * (int64_t)NS_PER_S);
	rpc_unary(channel, out->ctx,
		  &stockorder__stock_order_service__descriptor, method, request,
		  key != NULL ? &metadata : NULL, on_done, out);
}

static void await(struct outcome_of *out)
{
	while (sem_wait(&out->done) != 0) {
		ck_assert_int_eq(errno, EINTR);
	}
	sem_destroy(&out->done);
	ctx_unref(out->ctx);
}

static struct outcome_of out;

static void expect(enum status_code code, const char *message)
{
	ck_assert_int_eq(out.status.code, code);
	ck_assert_str_eq(out.status.message, message);
}

static void call(const char *method, const ProtobufCMessage *request,
		 const char *key)
{
	begin(&out, method, request, key);
	await(&out);
}

static void create(const Stockorder__CreateOrderRequest *request,
		   const char *key)
{
	call("CreateOrder", &request->base, key);
}

static Stockorder__CreateOrderRequest market(int32_t quantity)
{
	static char symbol[] = "AAPL";
	Stockorder__CreateOrderRequest request;

	stockorder__create_order_request__init(&request);
	request.symbol = symbol;
	request.order_type = STOCKORDER__ORDER_TYPE__MARKET;
	request.order_side = STOCKORDER__ORDER_SIDE__BUY;
	request.quantity = quantity;
	return request;
}

static void get(const char *id)
{
	Stockorder__GetOrderRequest request;
	char text[64];

	stockorder__get_order_request__init(&request);
	snprintf(text, sizeof(text), "%s", id);
	request.order_id = text;
	call("GetOrder", &request.base, NULL);
}

static void cancel(const char *id)
{
	Stockorder__CancelOrderRequest request;
	char text[64];

	stockorder__cancel_order_request__init(&request);
	snprintf(text, sizeof(text), "%s", id);
	request.order_id = text;
	call("CancelOrder", &request.base, NULL);
}

static void list(int32_t page_size, const char *token)
{
	Stockorder__ListOrdersRequest request;
	char text[128];

	stockorder__list_orders_request__init(&request);
	snprintf(text, sizeof(text), "%s", token);
	request.page_size = page_size;
	request.page_token = text;
	call("ListOrders", &request.base, NULL);
}

/* ---- create ------------------------------------------------------------- */

START_TEST(an_order_is_created)
{
	Stockorder__CreateOrderRequest request = market(100);

	create(&request, NULL);
	expect(STATUS_OK, "");
	ck_assert_str_eq(out.id, SHOP_FIRST_ID);
	ck_assert_str_eq(out.symbol, "AAPL");
	ck_assert_int_eq(out.type, STOCKORDER__ORDER_TYPE__MARKET);
	ck_assert_int_eq(out.side, STOCKORDER__ORDER_SIDE__BUY);
	ck_assert_int_eq(out.order_status, STOCKORDER__ORDER_STATUS__PENDING);
	ck_assert_int_eq(out.quantity, 100);
	ck_assert_double_eq(out.price, 0);
	ck_assert_int_eq(out.created_s, SHOP_OPENS_US / 1000000);
	ck_assert_int_eq(out.created_ns, SHOP_OPENS_US % 1000000 * 1000);
	ck_assert_int_eq(out.updated_s, out.created_s);
	ck_assert_str_eq(out.description, "");
	ck_assert(!out.replayed);
}
END_TEST

START_TEST(a_limit_order_is_created)
{
	Stockorder__CreateOrderRequest request = market(50);

	request.order_type = STOCKORDER__ORDER_TYPE__LIMIT;
	request.order_side = STOCKORDER__ORDER_SIDE__SELL;
	request.price = 150.75;
	create(&request, NULL);
	expect(STATUS_OK, "");
	ck_assert_int_eq(out.type, STOCKORDER__ORDER_TYPE__LIMIT);
	ck_assert_int_eq(out.side, STOCKORDER__ORDER_SIDE__SELL);
	ck_assert_double_eq(out.price, 150.75);
}
END_TEST

START_TEST(an_order_against_the_rules_is_refused)
{
	Stockorder__CreateOrderRequest request = market(1);

	request.order_type = STOCKORDER__ORDER_TYPE__LIMIT;
	create(&request, NULL);
	expect(STATUS_INVALID_ARGUMENT,
	       "failed to create order: limit order must have a price greater "
	       "than 0");
	stockorder__create_order_request__init(&request);
	create(&request, NULL);
	ck_assert_int_eq(out.status.code, STATUS_INVALID_ARGUMENT);
}
END_TEST

static const int outside[] = { 0, 3, -1, -2, INT32_MAX, INT32_MIN };

START_TEST(numbers_outside_of_an_enum_are_refused)
{
	Stockorder__CreateOrderRequest request = market(1);

	request.order_type = (Stockorder__OrderType)outside[_i];
	create(&request, NULL);
	ck_assert_int_eq(out.status.code, STATUS_INVALID_ARGUMENT);
	ck_assert_ptr_nonnull(strstr(out.status.message, "order_type"));
	request = market(1);
	request.order_side = (Stockorder__OrderSide)outside[_i];
	create(&request, NULL);
	ck_assert_int_eq(out.status.code, STATUS_INVALID_ARGUMENT);
	ck_assert_ptr_nonnull(strstr(out.status.message, "order_side"));
}
END_TEST

START_TEST(a_key_gives_the_first_answer_again)
{
	Stockorder__CreateOrderRequest request = market(1), other = market(2);

	create(&request, "k-1");
	ck_assert(!out.replayed);
	create(&request, "k-1");
	expect(STATUS_OK, "");
	ck_assert(out.replayed);
	ck_assert_str_eq(out.id, SHOP_FIRST_ID);
	create(&other, "k-1");
	expect(STATUS_ALREADY_EXISTS,
	       "failed to create order: idempotency key was used for another "
	       "order");
	create(&request, "k 1");
	ck_assert_int_eq(out.status.code, STATUS_INVALID_ARGUMENT);
}
END_TEST

/* ---- get, cancel -------------------------------------------------------- */

START_TEST(an_order_is_found_by_its_id)
{
	Stockorder__CreateOrderRequest request = market(100);

	create(&request, NULL);
	get(SHOP_FIRST_ID);
	expect(STATUS_OK, "");
	ck_assert_str_eq(out.symbol, "AAPL");
	get("nope");
	expect(STATUS_NOT_FOUND, "order not found: nope");
}
END_TEST

START_TEST(an_order_is_cancelled_once)
{
	Stockorder__CreateOrderRequest request = market(100);

	create(&request, NULL);
	cancel(SHOP_FIRST_ID);
	expect(STATUS_OK, "");
	ck_assert_str_eq(out.message, "order cancelled successfully");
	cancel(SHOP_FIRST_ID);
	expect(STATUS_FAILED_PRECONDITION,
	       "failed to cancel order: cannot cancel order with status: "
	       "CANCELLED");
	get(SHOP_FIRST_ID);
	ck_assert_int_eq(out.order_status, STOCKORDER__ORDER_STATUS__CANCELLED);
	ck_assert_int_gt(out.updated_s, out.created_s);
	cancel("nope");
	expect(STATUS_NOT_FOUND,
	       "failed to cancel order: order not found: nope");
}
END_TEST

/* ---- list --------------------------------------------------------------- */

/* Check that what was listed goes from S<from> down to S<to>. */
static void expect_listed(int from, int to)
{
	expect(STATUS_OK, "");
	ck_assert_uint_eq(out.orders, (size_t)(from - to + 1));
	for (int i = 0; i <= from - to; i++) {
		ck_assert_int_eq(out.listed[i], from - i);
	}
}

START_TEST(everything_is_listed)
{
	list(0, "");
	expect(STATUS_OK, "");
	ck_assert_uint_eq(out.orders, 0);
	ck_assert_str_eq(out.token, "");
	shop_stock(&shop, 3, "a description");
	list(0, "");
	expect_listed(3, 1);
	ck_assert_str_eq(out.token, "");
	ck_assert_str_eq(out.description, "a description");
}
END_TEST

START_TEST(several_pages_are_gathered)
{
	shop_stock(&shop, 2001, NULL);
	list(0, "");
	expect_listed(2001, 1);
	ck_assert_str_eq(out.token, "");
}
END_TEST

START_TEST(a_list_goes_on_behind_what_fits)
{
	char description[1025], token[128];
	size_t fitted;

	memset(description, 'x', 1024);
	description[1024] = '\0';
	shop_stock(&shop, 4000, description);
	list(0, "");
	expect(STATUS_OK, "");
	fitted = out.orders;
	ck_assert_uint_ge(out.size, GRPC_EDGE_LIST_BYTES);
	ck_assert_uint_lt(out.size, 4 * 1000 * 1000);
	expect_listed(4000, 4001 - (int)fitted);
	ck_assert_str_ne(out.token, "");
	snprintf(token, sizeof(token), "%s", out.token);
	list(0, token);
	expect_listed(4000 - (int)fitted, 1);
	ck_assert_str_eq(out.token, "");
}
END_TEST

START_TEST(pages_follow_one_another)
{
	char token[128];

	shop_stock(&shop, 5, NULL);
	list(3, "");
	expect_listed(5, 3);
	snprintf(token, sizeof(token), "%s", out.token);
	list(3, token);
	expect_listed(2, 1);
	ck_assert_str_eq(out.token, "");
	list(-1, "");
	expect(STATUS_INVALID_ARGUMENT,
	       "failed to list orders: page_size must not be negative");
	list(0, "x");
	expect(STATUS_INVALID_ARGUMENT,
	       "failed to list orders: page_token is not one that was given "
	       "out");
	list(0,
	     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	     "aaaaaaaaaaaaaaaaaa");
	expect(STATUS_INVALID_ARGUMENT,
	       "failed to list orders: page_token is not one that was given "
	       "out");
}
END_TEST

START_TEST(a_page_has_its_limit)
{
	shop_stock(&shop, 501, NULL);
	list(INT32_MAX, "");
	expect_listed(501, 2);
	ck_assert_str_ne(out.token, "");
}
END_TEST

START_TEST(a_list_that_fails_in_the_middle_fails)
{
	shop_stock(&shop, 2001, NULL);
	gate_orders_fail(&shop.gate, 3, STATUS_UNAVAILABLE, "locked");
	list(0, "");
	expect(STATUS_UNAVAILABLE, "failed to list orders: locked");
}
END_TEST

START_TEST(whole_lists_are_gathered_a_few_at_a_time)
{
	static struct outcome_of held[GRPC_EDGE_WHOLE_MAX];
	Stockorder__ListOrdersRequest request;

	stockorder__list_orders_request__init(&request);
	shop_stock(&shop, 501, NULL);
	/* Each is let through once, and waits for its second page. */
	for (size_t i = 0; i < GRPC_EDGE_WHOLE_MAX; i++) {
		gate_orders_hold(&shop.gate, 2);
		begin(&held[i], "ListOrders", &request.base, NULL);
		gate_orders_await_held(&shop.gate, i + 1);
	}
	gate_orders_hold(&shop.gate, 1000);
	list(0, "");
	expect(STATUS_RESOURCE_EXHAUSTED,
	       "failed to list orders: too many whole lists at once; "
	       "page_size makes pages");
	list(500, "");
	expect_listed(501, 2);
	gate_orders_let_go(&shop.gate);
	for (size_t i = 0; i < GRPC_EDGE_WHOLE_MAX; i++) {
		await(&held[i]);
		ck_assert_int_eq(held[i].status.code, STATUS_OK);
		ck_assert_uint_eq(held[i].orders, 501);
	}
	list(0, "");
	expect_listed(501, 1);
}
END_TEST

/* ---- failures ----------------------------------------------------------- */

static const struct {
	enum status_code code;
	enum status_code told;
} troubles[] = {
	{ STATUS_UNAVAILABLE, STATUS_UNAVAILABLE },
	{ STATUS_RESOURCE_EXHAUSTED, STATUS_RESOURCE_EXHAUSTED },
	{ STATUS_ABORTED, STATUS_UNAVAILABLE },
	{ STATUS_INTERNAL, STATUS_INTERNAL },
	{ STATUS_DATA_LOSS, STATUS_DATA_LOSS },
	{ STATUS_PERMISSION_DENIED, STATUS_INTERNAL },
};

START_TEST(trouble_of_the_storage_is_never_the_clients)
{
	Stockorder__CreateOrderRequest request = market(1);
	enum status_code code = troubles[_i].code, told = troubles[_i].told;

	gate_orders_fail(&shop.gate, 1, code, "trouble");
	create(&request, NULL);
	expect(told, "failed to create order: trouble");
	gate_orders_fail(&shop.gate, 1, code, "trouble");
	get("x");
	expect(told, "failed to get order: trouble");
	gate_orders_fail(&shop.gate, 1, code, "trouble");
	list(0, "");
	expect(told, "failed to list orders: trouble");
	gate_orders_fail(&shop.gate, 1, code, "trouble");
	cancel("x");
	expect(told, "failed to cancel order: trouble");
}
END_TEST

START_TEST(a_call_has_a_deadline)
{
	edge.base.timeout_ns = 0;
	get("x");
	ck_assert_int_eq(out.status.code, STATUS_DEADLINE_EXCEEDED);
}
END_TEST

START_TEST(changes_are_counted_as_transactions)
{
	static const char committed[] =
		"rescind_transactions_total{cause=\"finished\","
		"outcome=\"committed\",service=\"stock\"}";
	Stockorder__CreateOrderRequest request = market(1);

	create(&request, NULL);
	cancel(SHOP_FIRST_ID);
	cancel(SHOP_FIRST_ID);
	get(SHOP_FIRST_ID);
	list(0, "");
	ck_assert(world_counted(&shop.world, committed, 2));
	gate_orders_fail(&shop.gate, 1, STATUS_UNAVAILABLE, "locked");
	create(&request, NULL);
	ck_assert(world_counted(&shop.world,
				"rescind_transactions_total{cause=\"database\","
				"outcome=\"rolled_back\",service=\"stock\"}",
				1));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("grpc_edge");
	TCase *tcase = tcase_create("grpc_edge");

	tcase_set_timeout(tcase, 2 * PATIENCE_S);
	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, an_order_is_created);
	tcase_add_test(tcase, a_limit_order_is_created);
	tcase_add_test(tcase, an_order_against_the_rules_is_refused);
	tcase_add_loop_test(tcase, numbers_outside_of_an_enum_are_refused, 0,
			    sizeof(outside) / sizeof(outside[0]));
	tcase_add_test(tcase, a_key_gives_the_first_answer_again);
	tcase_add_test(tcase, an_order_is_found_by_its_id);
	tcase_add_test(tcase, an_order_is_cancelled_once);
	tcase_add_test(tcase, everything_is_listed);
	tcase_add_test(tcase, several_pages_are_gathered);
	tcase_add_test(tcase, a_list_goes_on_behind_what_fits);
	tcase_add_test(tcase, pages_follow_one_another);
	tcase_add_test(tcase, a_page_has_its_limit);
	tcase_add_test(tcase, a_list_that_fails_in_the_middle_fails);
	tcase_add_test(tcase, whole_lists_are_gathered_a_few_at_a_time);
	tcase_add_loop_test(tcase, trouble_of_the_storage_is_never_the_clients,
			    0, sizeof(troubles) / sizeof(troubles[0]));
	tcase_add_test(tcase, a_call_has_a_deadline);
	tcase_add_test(tcase, changes_are_counted_as_transactions);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
