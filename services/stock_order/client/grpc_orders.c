#include "stock_order/client/grpc_orders.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loop/bug.h"
#include "stock_order.pb-c.h"

enum { TEXT_MAX = 1024, US_PER_S = 1000 * 1000 };

/* Years 1 to 9999, which is what a Timestamp may say. */
static const int64_t seconds_min = -62135596800;
static const int64_t seconds_max = 253402300799;

/* What has come, from the poller's thread to the loop's. */
struct grpc_orders {
	struct order_sender base; /* first */
	struct loop *loop;
	struct rpc_channel *channel;
	struct loop_task answered;
	bool busy;
	/* Tells the user, once the answer is here. */
	void (*tell)(struct grpc_orders *orders);

	struct status status;
	struct order order;
	size_t visited;
	char text[TEXT_MAX]; /* a message, or a page's token */

	/* What the user gave: the one of these that belongs to the call. */
	grpc_order_fn on_order;
	grpc_cancelled_fn on_cancelled;
	grpc_page_fn on_page;
	grpc_visit_fn visit;
	order_sent_fn on_sent;
	void *arg;
};

/* ---- from messages ------------------------------------------------------- */

static bool copy_text(char *to, size_t size, const char *from)
{
	return snprintf(to, size, "%s", from) < (int)size;
}

static bool read_time(const Google__Protobuf__Timestamp *from, int64_t *ret_us)
{
	if (from == NULL || from->seconds < seconds_min ||
	    from->seconds > seconds_max || from->nanos < 0 ||
	    from->nanos >= NS_PER_S) {
		return false;
	}
	*ret_us = from->seconds * US_PER_S + from->nanos / NS_PER_US;
	return true;
}

static enum status_code read_order(const Stockorder__StockOrder *from,
				   struct order *ret_order,
				   struct status *reterr)
{
	bool fits;

	*ret_order = (struct order){
		.type = (enum order_type)from->order_type,
		.side = (enum order_side)from->order_side,
		.quantity = from->quantity,
		.price = from->price,
		.status = (enum order_status)from->status,
	};
	fits = copy_text(ret_order->id, ORDER_ID_SIZE, from->id) &&
	       copy_text(ret_order->symbol, ORDER_SYMBOL_SIZE, from->symbol) &&
	       copy_text(ret_order->description, ORDER_DESCRIPTION_SIZE,
			 from->description) &&
	       read_time(from->created_at, &ret_order->created_at_us) &&
	       read_time(from->updated_at, &ret_order->updated_at_us);
	if (!fits || ret_order->id[0] == '\0') {
		return status_set(reterr, STATUS_INTERNAL,
				  "the answer is no order");
	}
	return STATUS_OK;
}

/* ---- calls --------------------------------------------------------------- */

static void on_answered(struct loop_task *task)
{
	struct grpc_orders *orders =
		(struct grpc_orders *)((char *)task -
				       offsetof(struct grpc_orders, answered));

	orders->busy = false;
	orders->tell(orders);
}

static void begin(struct grpc_orders *orders,
		  void (*tell)(struct grpc_orders *orders), void *arg)
{
	BUG_IF(orders->busy, "a call is under way");
	orders->busy = true;
	orders->tell = tell;
	orders->arg = arg;
}

static void call(struct grpc_orders *orders, struct ctx *ctx,
		 const char *method, const ProtobufCMessage *request,
		 const struct rpc_metadata *metadata, rpc_unary_done_fn done)
{
	rpc_unary(orders->channel, ctx,
		  &stockorder__stock_order_service__descriptor, method, request,
		  metadata, done, orders);
}

/* protobuf-c's strings are not const, though packing only reads. */
static char *borrow(const char *text)
{
	return (char *)(uintptr_t)text;
}

/* ---- one order ----------------------------------------------------------- */

static void on_order_here(const struct status *status,
			  const ProtobufCMessage *response,
			  const struct rpc_metadata *trailing, void *arg)
{
	struct grpc_orders *orders = arg;

	(void)trailing;
	orders->status = *status;
	if (status->code == STATUS_OK) {
		orders->status.code =
			read_order((const void *)response, &orders->order,
				   &orders->status);
	}
	loop_post(orders->loop, &orders->answered);
}

static void tell_order(struct grpc_orders *orders)
{
	bool ok = orders->status.code == STATUS_OK;

	orders->on_order(&orders->status, ok ? &orders->order : NULL,
			 orders->arg);
}

static void create(struct grpc_orders *orders, struct ctx *ctx,
		   const struct order_draft *draft, const char *key)
{
	Stockorder__CreateOrderRequest request;
	struct rpc_metadatum item = { "idempotency-key", key, 0 };
	struct rpc_metadata metadata = { &item, 0 };

	if (key != NULL) {
		item.size = strlen(key);
		metadata.count = 1;
	}
	stockorder__create_order_request__init(&request);
	request.symbol = borrow(draft->symbol);
	request.order_type = (Stockorder__OrderType)draft->type;
	request.order_side = (Stockorder__OrderSide)draft->side;
	request.quantity = (int32_t)draft->quantity;
	request.price = draft->price;
	call(orders, ctx, "CreateOrder", &request.base, &metadata,
	     on_order_here);
}

void grpc_orders_create(struct grpc_orders *orders, struct ctx *ctx,
			const struct order_draft *draft, const char *key,
			grpc_order_fn done, void *arg)
{
	begin(orders, tell_order, arg);
	orders->on_order = done;
	create(orders, ctx, draft, key);
}

void grpc_orders_get(struct grpc_orders *orders, struct ctx *ctx,
		     const char *id, grpc_order_fn done, void *arg)
{
	Stockorder__GetOrderRequest request;

	begin(orders, tell_order, arg);
	orders->on_order = done;
	stockorder__get_order_request__init(&request);
	request.order_id = borrow(id);
	call(orders, ctx, "GetOrder", &request.base, NULL, on_order_here);
}

static void tell_sent(struct grpc_orders *orders)
{
	bool ok = orders->status.code == STATUS_OK;

	orders->on_sent(&orders->status, ok ? orders->order.id : NULL,
			orders->arg);
}

static void send_order(struct order_sender *self, struct ctx *ctx,
		       const struct order_draft *draft, const char *key,
		       order_sent_fn done, void *arg)
{
	struct grpc_orders *orders = (struct grpc_orders *)self;

	begin(orders, tell_sent, arg);
	orders->on_sent = done;
	create(orders, ctx, draft, key);
}

/* ---- cancel -------------------------------------------------------------- */

static void on_cancel_here(const struct status *status,
			   const ProtobufCMessage *response,
			   const struct rpc_metadata *trailing, void *arg)
{
	const Stockorder__CancelOrderResponse *cancelled =
		(const void *)response;
	struct grpc_orders *orders = arg;

	(void)trailing;
	orders->status = *status;
	if (status->code == STATUS_OK) {
		/* A message for people: what is too long is cut. */
		(void)copy_text(orders->text, TEXT_MAX, cancelled->message);
	}
	loop_post(orders->loop, &orders->answered);
}

static void tell_cancelled(struct grpc_orders *orders)
{
	bool ok = orders->status.code == STATUS_OK;

	orders->on_cancelled(&orders->status, ok ? orders->text : NULL,
			     orders->arg);
}

void grpc_orders_cancel(struct grpc_orders *orders, struct ctx *ctx,
			const char *id, grpc_cancelled_fn done, void *arg)
{
	Stockorder__CancelOrderRequest request;

	begin(orders, tell_cancelled, arg);
	orders->on_cancelled = done;
	stockorder__cancel_order_request__init(&request);
	request.order_id = borrow(id);
	call(orders, ctx, "CancelOrder", &request.base, NULL, on_cancel_here);
}

/* ---- pages --------------------------------------------------------------- */

static enum status_code read_page(struct grpc_orders *orders,
				  const Stockorder__ListOrdersResponse *page,
				  struct status *reterr)
{
	for (size_t i = 0; i < page->n_orders; i++) {
		if (read_order(page->orders[i], &orders->order, reterr) !=
		    STATUS_OK) {
			return reterr->code;
		}
		orders->visit(&orders->order, orders->arg);
	}
	if (!copy_text(orders->text, TEXT_MAX, page->next_page_token)) {
		return status_set(reterr, STATUS_INTERNAL,
				  "the answer's page token is too long");
	}
	return STATUS_OK;
}

static void on_page_here(const struct status *status,
			 const ProtobufCMessage *response,
			 const struct rpc_metadata *trailing, void *arg)
{
	const Stockorder__ListOrdersResponse *page = (const void *)response;
	struct grpc_orders *orders = arg;

	(void)trailing;
	orders->status = *status;
	if (status->code == STATUS_OK) {
		orders->visited = page->n_orders;
		orders->status.code = read_page(orders, page, &orders->status);
	}
	loop_post(orders->loop, &orders->answered);
}

static void tell_page(struct grpc_orders *orders)
{
	bool ok = orders->status.code == STATUS_OK;

	orders->on_page(&orders->status, ok ? orders->visited : 0,
			ok ? orders->text : NULL, orders->arg);
}

void grpc_orders_page(struct grpc_orders *orders, struct ctx *ctx,
		      int32_t page_size, const char *page_token,
		      grpc_visit_fn visit, grpc_page_fn done, void *arg)
{
	Stockorder__ListOrdersRequest request;

	begin(orders, tell_page, arg);
	orders->visit = visit;
	orders->on_page = done;
	stockorder__list_orders_request__init(&request);
	request.page_size = page_size;
	request.page_token = borrow(page_token);
	call(orders, ctx, "ListOrders", &request.base, NULL, on_page_here);
}

/* ---- life ---------------------------------------------------------------- */

struct grpc_orders *grpc_orders_new(struct loop *loop,
				    struct rpc_channel *channel)
{
	static const struct order_sender_ops ops = { .send = send_order };
	struct grpc_orders *orders = calloc(1, sizeof(*orders));

	BUG_IF(orders == NULL, "out of memory for calls");
	orders->base.ops = &ops;
	orders->loop = loop;
	orders->channel = channel;
	orders->answered.fn = on_answered;
	return orders;
}

void grpc_orders_free(struct grpc_orders *orders)
{
	if (orders == NULL) {
		return;
	}
	BUG_IF(orders->busy, "a call is under way");
	free(orders);
}

struct order_sender *grpc_orders_sender(struct grpc_orders *orders)
{
	return &orders->base;
}
