#include "fake_stock.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "rpc/server.h"
#include "stock_order_schema.h"

/* ---- a server that answers what it is told ---------------------------------
 */

struct reply reply;
struct seen seen;

char id_text[WORD_SIZE];
char symbol_text[WORD_SIZE];
char description_text[WORD_SIZE];

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

/* True: it was not refused. */
static bool note_page(const Stockorder__ListOrdersRequest *request)
{
	size_t n = seen.pages;

	ck_assert_uint_lt(n, PAGES_MAX);
	seen.page_sizes[n] = request->page_size;
	(void)snprintf(seen.tokens[n], sizeof(seen.tokens[n]), "%s",
		       request->page_token);
	seen.pages++;
	return reply.pages_max == 0 || n < reply.pages_max;
}

static const char *next_token(void)
{
	for (size_t i = 0; i < seen.pages; i++) {
		if (reply.tokens[i] == NULL) {
			return "";
		}
	}
	return reply.tokens[seen.pages - 1];
}

static void list(struct rpc_call *call, const ProtobufCMessage *message,
		 void *self)
{
	const struct status gone = status_make(STATUS_UNAVAILABLE, "gone");
	Stockorder__ListOrdersResponse response;
	Stockorder__StockOrder *page[8];

	(void)self;
	if (!note_page((const void *)message)) {
		rpc_call_finish(call, &gone, NULL, 0);
		return;
	}
	if (refuse_or_hang(call)) {
		return;
	}
	for (size_t i = 0; i < reply.orders_n; i++) {
		page[i] = &reply.order;
	}
	stockorder__list_orders_response__init(&response);
	response.n_orders = reply.orders_n;
	response.orders = page;
	response.next_page_token = (char *)(uintptr_t)next_token();
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
struct loop *loop;
struct ctx *root;
static struct rpc_poller *poller;
static struct rpc_channel *channel;
struct grpc_orders *orders;

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

void fake_stock_stop_server(void)
{
	sem_init(&stopped, 0, 0);
	stop_task.fn = free_server;
	loop_post(server_loop, &stop_task);
	sem_wait(&stopped);
	ctx_unref(server_root);
	loop_free(server_loop);
	server_loop = NULL;
}

void fake_stock_start(void)
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

void fake_stock_stop(void)
{
	grpc_orders_free(orders);
	rpc_channel_free(channel);
	if (server_loop != NULL) {
		fake_stock_stop_server();
	}
	rpc_poller_free(poller);
	ctx_unref(root);
	loop_free(loop);
}
