#include <stdio.h>
#include <string.h>

#include "fake_stock.h"
#include "suite.h"

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
	reply.tokens[0] = "next";
	ck_assert_int_eq(list_page(3, "this"), STATUS_OK);
	ck_assert_str_eq(seen.method, "ListOrders");
	ck_assert_int_eq(seen.page_sizes[0], 3);
	ck_assert_str_eq(seen.tokens[0], "this");
	ck_assert_uint_eq(outcome.visits, 3);
	ck_assert_uint_eq(outcome.visited, 3);
	ck_assert_str_eq(outcome.text, "next");
	reply.orders_n = 0;
	ck_assert_int_eq(list_page(500, "next"), STATUS_OK);
	ck_assert_uint_eq(outcome.visits, 0);
	ck_assert_str_eq(outcome.text, "");
}
END_TEST

START_TEST(a_token_without_end_is_refused)
{
	static char endless[WORD_SIZE];

	fill(endless, sizeof(endless) - 1);
	reply.tokens[0] = endless;
	ck_assert_int_eq(list_page(1, ""), STATUS_INTERNAL);
	ck_assert_str_eq(outcome.status.message,
			 "the answer's page token is too long");
}
END_TEST

START_TEST(nobody_there_is_unavailable)
{
	fake_stock_stop_server();
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
	tcase_add_checked_fixture(tc, fake_stock_start, fake_stock_stop);
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
