#include "stock_order/client/grpc_orders.h"

#include <semaphore.h>
#include <stdio.h>
#include <string.h>

#include "rpc/server.h"
#include "stock_order.pb-c.h"
#include "stock_order_schema.h"
#include "suite.h"

enum { WORD_SIZE = 2048 };

/* ---- a server that answers what it is told ---------------------------------
 */

/* What all its calls are answered with: a status, or these fields. */
static struct reply {
	struct status status;
	bool hang; /* until the call's ctx ends */
	Stockorder__StockOrder order;
	Google__Protobuf__Timestamp created_at;
	Google__Protobuf__Timestamp updated_at;
	size_t orders_n; /* of a page: so many times that order */
	const char *token;
} reply;

/* What it has seen last. */
static struct seen {
	char method[64];
	char symbol[64];
	int type, side, quantity;
	double price;
	char id[64];
	int page_size;
	char token[64];
	char key[300];
	bool keyed;
	sem_t arrived;
	sem_t ended; /* a ctx, in a call that hangs */
} seen;

static char id_text[WORD_SIZE];
static char symbol_text[WORD_SIZE];
static char description_text[WORD_SIZE];

static void reply_init(void)
{
	memset(&reply, 0, sizeof(reply));
	reply.status = status_ok();
	stockorder__stock_order__init(&reply.order);
	google__protobuf__timestamp__init(&reply.created_at);
	google__protobuf__timestamp__init(&reply.updated_at);
	(void)snprintf(id_text, WORD_SIZE, "an-id");
	(void)snprintf(symbol_text, WORD_SIZE, "AAPL");
	description_text[0] = '\0';
	reply.order.id = id_text;
	reply.order.symbol = symbol_text;
	reply.order.description = description_text;
	reply.order.created_at = &reply.created_at;
	reply.order.updated_at = &reply.updated_at;
	reply.token = "";
}

struct waiter {
	struct ctx_hook hook;
	struct rpc_call *call;
};
static struct waiter waiter;

static void on_call_end(struct ctx_hook *hook, struct ctx *ctx)
{
	struct status status;

	(void)hook;
	(void)ctx_cause(ctx, &status);
	rpc_call_finish(waiter.call, &status, NULL, 0);
	sem_post(&seen.ended);
}

/* True: the call is being taken care of. */
static bool refuse_or_hang(struct rpc_call *call)
{
	const char *key = rpc_call_metadata(call, "idempotency-key", NULL);
	const char *slash = strrchr(rpc_call_method(call), '/');

	(void)snprintf(seen.method, sizeof(seen.method), "%s", slash + 1);
	seen.keyed = key != NULL;
	(void)snprintf(seen.key, sizeof(seen.key), "%s",
		       key != NULL ? key : "");
	if (reply.hang) {
		waiter.call = call;
		waiter.hook.fn = on_call_end;
		if (!ctx_hook_add(rpc_call_ctx(call), &waiter.hook)) {
			on_call_end(&waiter.hook, rpc_call_ctx(call));
		}
	} else if (reply.status.code != STATUS_OK) {
		rpc_call_finish(call, &reply.status, NULL, 0);
	}
	sem_post(&seen.arrived);
	return reply.hang || reply.status.code != STATUS_OK;
}

static void create(struct rpc_call *call, const ProtobufCMessage *message,
		   void *self)
{
	const Stockorder__CreateOrderRequest *request = (const void *)message;

	(void)self;
	(void)snprintf(seen.symbol, sizeof(seen.symbol), "%s", request->symbol);
	seen.type = (int)request->order_type;
	seen.side = (int)request->order_side;
	seen.quantity = request->quantity;
	seen.price = request->price;
	if (!refuse_or_hang(call)) {
		rpc_call_reply(call, &reply.order.base);
	}
}

static void get(struct rpc_call *call, const ProtobufCMessage *message,
		void *self)
{
	const Stockorder__GetOrderRequest *request = (const void *)message;

	(void)self;
	(void)snprintf(seen.id, sizeof(seen.id), "%s", request->order_id);
	if (!refuse_or_hang(call)) {
		rpc_call_reply(call, &reply.order.base);
	}
}

static void list(struct rpc_call *call, const ProtobufCMessage *message,
		 void *self)
{
	const Stockorder__ListOrdersRequest *request = (const void *)message;
	Stockorder__ListOrdersResponse response;
	Stockorder__StockOrder *orders[8];

	(void)self;
	seen.page_size = request->page_size;
	(void)snprintf(seen.token, sizeof(seen.token), "%s",
		       request->page_token);
	if (refuse_or_hang(call)) {
		return;
	}
	for (size_t i = 0; i < reply.orders_n; i++) {
		orders[i] = &reply.order;
	}
	stockorder__list_orders_response__init(&response);
	response.n_orders = reply.orders_n;
	response.orders = orders;
	response.next_page_token = (char *)(uintptr_t)reply.token;
	rpc_call_reply(call, &response.base);
}

static void cancel(struct rpc_call *call, const ProtobufCMessage *message,
		   void *self)
{
	const Stockorder__CancelOrderRequest *request = (const void *)message;
	Stockorder__CancelOrderResponse response;

	(void)self;
	(void)snprintf(seen.id, sizeof(seen.id), "%s", request->order_id);
	if (!refuse_or_hang(call)) {
		stockorder__cancel_order_response__init(&response);
		response.message = description_text;
		rpc_call_reply(call, &response.base);
	}
}

static const struct rpc_method methods[] = {
	{ "CreateOrder", .unary = create },
	{ "GetOrder", .unary = get },
	{ "ListOrders", .unary = list },
	{ "CancelOrder", .unary = cancel },
	{ NULL },
};

/* ---- both ends
 * --------------------------------------------------------------- */

static struct loop *server_loop;
static struct ctx *server_root;
static struct rpc_server *server;
static struct loop *loop;
static struct ctx *root;
static struct rpc_poller *poller;
static struct rpc_channel *channel;
static struct grpc_orders *orders;

static void start_server(void)
{
	struct rpc_server_options options;
	struct status status;

	ck_assert_int_eq(loop_new(&server_loop, &status), STATUS_OK);
	ck_assert_int_eq(ctx_root(server_loop, &server_root, &status),
			 STATUS_OK);
	rpc_server_options_init(&options);
	options.listen = "127.0.0.1";
	options.port = 0;
	ck_assert_int_eq(
		rpc_server_new(server_root, poller, &options, &server, &status),
		STATUS_OK);
	ck_assert_int_eq(rpc_server_add_service(
				 server,
				 &stockorder__stock_order_service__descriptor,
				 &stock_order_schema, methods, NULL, &status),
			 STATUS_OK);
	ck_assert_int_eq(rpc_server_start(server, &status), STATUS_OK);
	ck_assert_int_eq(loop_start_thread(server_loop, &status), STATUS_OK);
}

static struct loop_task stop_task;
static sem_t stopped;

static void free_server(struct loop_task *task)
{
	(void)task;
	rpc_server_free(server);
	sem_post(&stopped);
}

static void stop_server(void)
{
	sem_init(&stopped, 0, 0);
	stop_task.fn = free_server;
	loop_post(server_loop, &stop_task);
	sem_wait(&stopped);
	ctx_unref(server_root);
	loop_free(server_loop);
	server_loop = NULL;
}

static void set_up(void)
{
	struct rpc_channel_options options;
	struct status status;
	char target[64];

	reply_init();
	memset(&seen, 0, sizeof(seen));
	sem_init(&seen.arrived, 0, 0);
	sem_init(&seen.ended, 0, 0);
	ck_assert_int_eq(loop_new(&loop, &status), STATUS_OK);
	ck_assert_int_eq(ctx_root(loop, &root, &status), STATUS_OK);
	ck_assert_int_eq(rpc_poller_new(&poller, &status), STATUS_OK);
	start_server();
	rpc_channel_options_init(&options);
	(void)snprintf(target, sizeof(target), "127.0.0.1:%u",
		       rpc_server_port(server));
	options.target = target;
	ck_assert_int_eq(rpc_channel_new(poller, &options, &channel, &status),
			 STATUS_OK);
	orders = grpc_orders_new(loop, channel);
}

static void tear_down(void)
{
	grpc_orders_free(orders);
	rpc_channel_free(channel);
	if (server_loop != NULL) {
		stop_server();
	}
	rpc_poller_free(poller);
	ctx_unref(root);
	loop_free(loop);
}

/* ---- outcomes
 * ---------------------------------------------------------------- */

static struct outcome {
	struct status status;
	struct order order;
	char text[WORD_SIZE];
	size_t visited;
	size_t visits;
	int answers;
} outcome;

static void answered(const struct status *status)
{
	ck_assert(loop_is_current(loop));
	outcome.status = *status;
	outcome.answers++;
	loop_stop(loop);
}

static void on_order(const struct status *status, const struct order *order,
		     void *arg)
{
	ck_assert_ptr_eq(arg, &outcome);
	ck_assert((order != NULL) == (status->code == STATUS_OK));
	if (order != NULL) {
		outcome.order = *order;
	}
	answered(status);
}

static void on_text(const struct status *status, const char *text, void *arg)
{
	ck_assert_ptr_eq(arg, &outcome);
	ck_assert((text != NULL) == (status->code == STATUS_OK));
	(void)snprintf(outcome.text, WORD_SIZE, "%s", text != NULL ? text : "");
	answered(status);
}

static void on_visit(const struct order *order, void *arg)
{
	ck_assert_ptr_eq(arg, &outcome);
	ck_assert_int_eq(outcome.answers, 0);
	outcome.order = *order;
	outcome.visits++;
}

static void on_page(const struct status *status, size_t visited,
		    const char *token, void *arg)
{
	outcome.visited = visited;
	on_text(status, token, arg);
}

static struct ctx *fresh_ctx(void)
{
	outcome = (struct outcome){ 0 };
	return ctx_new(root, clock_now_ns() + 20 * (int64_t)NS_PER_S);
}

/* Until it is answered. */
static enum status_code await(struct ctx *ctx)
{
	loop_run(loop);
	ck_assert_int_eq(outcome.answers, 1);
	ctx_unref(ctx);
	return outcome.status.code;
}

static enum status_code get_order(const char *id)
{
	struct ctx *ctx = fresh_ctx();

	grpc_orders_get(orders, ctx, id, on_order, &outcome);
	ck_assert_int_eq(outcome.answers, 0);
	return await(ctx);
}

static enum status_code list_page(int32_t size, const char *token)
{
	struct ctx *ctx = fresh_ctx();

	grpc_orders_page(orders, ctx, size, token, on_visit, on_page, &outcome);
	return await(ctx);
}

/* ---- what goes out
 * ----------------------------------------------------------- */

static const struct order_draft limit = {
	.symbol = "GOOGL",
	.type = ORDER_TYPE_LIMIT,
	.side = ORDER_SIDE_SELL,
	.quantity = 2147483647,
	.price = 150.75,
};

static enum status_code create_order(const char *key)
{
	struct ctx *ctx = fresh_ctx();

	grpc_orders_create(orders, ctx, &limit, key, on_order, &outcome);
	return await(ctx);
}

START_TEST(a_draft_goes_out_as_it_is)
{
	ck_assert_int_eq(create_order(NULL), STATUS_OK);
	ck_assert_str_eq(seen.method, "CreateOrder");
	ck_assert_str_eq(seen.symbol, "GOOGL");
	ck_assert_int_eq(seen.type, 2);
	ck_assert_int_eq(seen.side, 2);
	ck_assert_int_eq(seen.quantity, 2147483647);
	ck_assert_double_eq(seen.price, 150.75);
	ck_assert(!seen.keyed);
	ck_assert_str_eq(outcome.order.id, "an-id");
}
END_TEST

START_TEST(a_key_goes_out_as_metadata)
{
	ck_assert_int_eq(create_order("key-1"), STATUS_OK);
	ck_assert_str_eq(seen.key, "key-1");
	ck_assert_int_eq(create_order(NULL), STATUS_OK);
	ck_assert(!seen.keyed);
}
END_TEST

static void on_sent(const struct status *status, const char *id, void *arg)
{
	on_text(status, id, arg);
}

START_TEST(as_a_sender_it_tells_the_id)
{
	struct order_sender *sender = grpc_orders_sender(orders);
	struct ctx *ctx = fresh_ctx();

	sender->ops->send(sender, ctx, &limit, "key-2", on_sent, &outcome);
	ck_assert_int_eq(await(ctx), STATUS_OK);
	ck_assert_str_eq(outcome.text, "an-id");
	ck_assert_str_eq(seen.key, "key-2");
	reply.status = status_make(STATUS_INVALID_ARGUMENT, "no good");
	ctx = fresh_ctx();
	sender->ops->send(sender, ctx, &limit, NULL, on_sent, &outcome);
	ck_assert_int_eq(await(ctx), STATUS_INVALID_ARGUMENT);
	ck_assert_str_eq(outcome.status.message, "no good");
}
END_TEST

START_TEST(an_id_goes_out_with_get_and_cancel)
{
	struct ctx *ctx;

	ck_assert_int_eq(get_order("id-1"), STATUS_OK);
	ck_assert_str_eq(seen.method, "GetOrder");
	ck_assert_str_eq(seen.id, "id-1");
	(void)snprintf(description_text, WORD_SIZE, "done");
	ctx = fresh_ctx();
	grpc_orders_cancel(orders, ctx, "id-2", on_text, &outcome);
	ck_assert_int_eq(await(ctx), STATUS_OK);
	ck_assert_str_eq(seen.method, "CancelOrder");
	ck_assert_str_eq(seen.id, "id-2");
	ck_assert_str_eq(outcome.text, "done");
}
END_TEST

/* ---- what comes back
 * --------------------------------------------------------- */

START_TEST(an_order_comes_back_whole)
{
	const struct order *order = &outcome.order;

	reply.order.order_type = STOCKORDER__ORDER_TYPE__LIMIT;
	reply.order.order_side = STOCKORDER__ORDER_SIDE__SELL;
	reply.order.quantity = 7;
	reply.order.price = 0.1;
	reply.order.status = STOCKORDER__ORDER_STATUS__REJECTED;
	reply.created_at.seconds = 1763414867;
	reply.created_at.nanos = 537422999;
	reply.updated_at.seconds = -1;
	reply.updated_at.nanos = 999999000;
	(void)snprintf(description_text, WORD_SIZE, "first");
	ck_assert_int_eq(get_order("x"), STATUS_OK);
	ck_assert_str_eq(order->symbol, "AAPL");
	ck_assert_int_eq(order->type, ORDER_TYPE_LIMIT);
	ck_assert_int_eq(order->side, ORDER_SIDE_SELL);
	ck_assert_int_eq(order->quantity, 7);
	ck_assert_double_eq(order->price, 0.1);
	ck_assert_int_eq(order->status, ORDER_STATUS_REJECTED);
	ck_assert_int_eq(order->created_at_us, 1763414867537422);
	ck_assert_int_eq(order->updated_at_us, -1);
	ck_assert_str_eq(order->description, "first");
}
END_TEST

static void fill(char *text, size_t size)
{
	memset(text, 'x', size);
	text[size] = '\0';
}

START_TEST(the_longest_order_comes_back_whole)
{
	fill(id_text, ORDER_ID_SIZE - 1);
	fill(symbol_text, ORDER_SYMBOL_MAX);
	fill(description_text, ORDER_DESCRIPTION_MAX);
	reply.created_at.seconds = 253402300799;
	reply.created_at.nanos = 999999999;
	ck_assert_int_eq(get_order("x"), STATUS_OK);
	ck_assert_str_eq(outcome.order.id, id_text);
	ck_assert_str_eq(outcome.order.symbol, symbol_text);
	ck_assert_str_eq(outcome.order.description, description_text);
}
END_TEST

static void no_id(void)
{
	id_text[0] = '\0';
}

static void long_id(void)
{
	fill(id_text, ORDER_ID_SIZE);
}

static void long_symbol(void)
{
	fill(symbol_text, ORDER_SYMBOL_SIZE);
}

static void long_description(void)
{
	fill(description_text, ORDER_DESCRIPTION_SIZE);
}

static void no_time(void)
{
	reply.order.created_at = NULL;
}

static void late_time(void)
{
	reply.updated_at.seconds = 253402300800;
}

static void early_time(void)
{
	reply.updated_at.seconds = -62135596801;
}

static void negative_nanos(void)
{
	reply.created_at.nanos = -1;
}

static void too_many_nanos(void)
{
	reply.created_at.nanos = 1000000000;
}

static void (*const breakers[])(void) = {
	no_id,	   long_id,    long_symbol,    long_description, no_time,
	late_time, early_time, negative_nanos, too_many_nanos,
};

START_TEST(what_is_no_order_is_not_taken_for_one)
{
	breakers[_i]();
	ck_assert_int_eq(get_order("x"), STATUS_INTERNAL);
	ck_assert_str_eq(outcome.status.message, "the answer is no order");
	reply.orders_n = 1;
	ck_assert_int_eq(list_page(1, ""), STATUS_INTERNAL);
	ck_assert_uint_eq(outcome.visits, 0);
}
END_TEST

START_TEST(a_refusal_comes_back_with_its_text)
{
	struct ctx *ctx;

	reply.status = status_make(STATUS_NOT_FOUND, "order not found: x");
	ck_assert_int_eq(get_order("x"), STATUS_NOT_FOUND);
	ck_assert_str_eq(outcome.status.message, "order not found: x");
	reply.status = status_make(STATUS_FAILED_PRECONDITION, "too late");
	ctx = fresh_ctx();
	grpc_orders_cancel(orders, ctx, "x", on_text, &outcome);
	ck_assert_int_eq(await(ctx), STATUS_FAILED_PRECONDITION);
	ck_assert_str_eq(outcome.status.message, "too late");
	ck_assert_int_eq(list_page(1, ""), STATUS_FAILED_PRECONDITION);
}
END_TEST

START_TEST(a_page_is_visited_order_by_order)
{
	reply.orders_n = 3;
	reply.token = "next";
	ck_assert_int_eq(list_page(3, "this"), STATUS_OK);
	ck_assert_str_eq(seen.method, "ListOrders");
	ck_assert_int_eq(seen.page_size, 3);
	ck_assert_str_eq(seen.token, "this");
	ck_assert_uint_eq(outcome.visits, 3);
	ck_assert_uint_eq(outcome.visited, 3);
	ck_assert_str_eq(outcome.text, "next");
	reply.orders_n = 0;
	reply.token = "";
	ck_assert_int_eq(list_page(500, "next"), STATUS_OK);
	ck_assert_uint_eq(outcome.visits, 0);
	ck_assert_str_eq(outcome.text, "");
}
END_TEST

START_TEST(a_token_without_end_is_refused)
{
	static char endless[WORD_SIZE];

	fill(endless, sizeof(endless) - 1);
	reply.token = endless;
	ck_assert_int_eq(list_page(1, ""), STATUS_INTERNAL);
	ck_assert_str_eq(outcome.status.message,
			 "the answer's page token is too long");
}
END_TEST

START_TEST(nobody_there_is_unavailable)
{
	stop_server();
	ck_assert_int_eq(get_order("x"), STATUS_UNAVAILABLE);
	ck_assert_str_ne(outcome.status.message, "");
}
END_TEST

/* ---- not waiting
 * ------------------------------------------------------------- */

static struct ctx *ended;

/* As soon as the call has arrived. */
static void end_it(struct loop_timer *timer, int64_t late_ns)
{
	const struct status enough = status_make(STATUS_CANCELLED, "enough");

	(void)late_ns;
	if (sem_trywait(&seen.arrived) != 0) {
		loop_timer_start(loop, timer, clock_now_ns() + NS_PER_MS);
		return;
	}
	(void)ctx_end(ended, CTX_SHUTDOWN, &enough);
	ck_assert_int_eq(outcome.answers, 0); /* not inside ctx_end() */
}

START_TEST(when_its_ctx_ends_a_call_is_cancelled_at_once)
{
	struct loop_timer timer = { .fn = end_it };

	reply.hang = true;
	ended = fresh_ctx();
	grpc_orders_create(orders, ended, &limit, NULL, on_order, &outcome);
	loop_timer_start(loop, &timer, clock_now_ns());
	ck_assert_int_eq(await(ended), STATUS_CANCELLED);
	ck_assert_str_eq(outcome.status.message, "enough");
	sem_wait(&seen.ended); /* the server knows */
	reply.hang = false;
	ck_assert_int_eq(get_order("x"), STATUS_OK);
}
END_TEST

START_TEST(a_deadline_ends_a_call_too)
{
	struct ctx *ctx;

	reply.hang = true;
	outcome = (struct outcome){ 0 };
	ctx = ctx_new(root, clock_now_ns() + 50 * (int64_t)NS_PER_MS);
	grpc_orders_get(orders, ctx, "x", on_order, &outcome);
	ck_assert_int_eq(await(ctx), STATUS_DEADLINE_EXCEEDED);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("grpc_orders");

	tcase_set_timeout(tc, 30);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, a_draft_goes_out_as_it_is);
	tcase_add_test(tc, a_key_goes_out_as_metadata);
	tcase_add_test(tc, as_a_sender_it_tells_the_id);
	tcase_add_test(tc, an_id_goes_out_with_get_and_cancel);
	tcase_add_test(tc, an_order_comes_back_whole);
	tcase_add_test(tc, the_longest_order_comes_back_whole);
	tcase_add_loop_test(tc, what_is_no_order_is_not_taken_for_one, 0,
			    sizeof(breakers) / sizeof(breakers[0]));
	tcase_add_test(tc, a_refusal_comes_back_with_its_text);
	tcase_add_test(tc, a_page_is_visited_order_by_order);
	tcase_add_test(tc, a_token_without_end_is_refused);
	tcase_add_test(tc, nobody_there_is_unavailable);
	tcase_add_test(tc, when_its_ctx_ends_a_call_is_cancelled_at_once);
	tcase_add_test(tc, a_deadline_ends_a_call_too);
	return run_case(tc, "grpc_orders");
}
