#include "stock_order/adaptor/grpc_edge.h"

#include <stdlib.h>
#include <string.h>

#include "log/log.h"
#include "loop/bug.h"
#include "stock_order/adaptor/grpc_internal.h"
#include "stock_order_schema.h"

enum { US_PER_SECOND = 1000 * 1000 };

/* ---- messages ----------------------------------------------------------- */

/* protobuf-c's strings are not const, though packing only reads. */
static char *borrow(const char *text)
{
	return (char *)(uintptr_t)text;
}

static void set_time(Google__Protobuf__Timestamp *ret, int64_t time_us)
{
	int64_t seconds = time_us / US_PER_SECOND;
	int64_t us = time_us % US_PER_SECOND;

	google__protobuf__timestamp__init(ret);
	/* The part of a second counts forward, before 1970 as well. */
	ret->seconds = us < 0 ? seconds - 1 : seconds;
	ret->nanos = (int32_t)(us < 0 ? us + US_PER_SECOND : us) * NS_PER_US;
}

void grpc_order_init(struct grpc_order *ret, const struct order *order)
{
	Stockorder__StockOrder *message = &ret->message;

	stockorder__stock_order__init(message);
	set_time(&ret->created_at, order->created_at_us);
	set_time(&ret->updated_at, order->updated_at_us);
	message->id = borrow(order->id);
	message->symbol = borrow(order->symbol);
	message->order_type = (Stockorder__OrderType)order->type;
	message->order_side = (Stockorder__OrderSide)order->side;
	message->quantity = order->quantity;
	message->price = order->price;
	message->status = (Stockorder__OrderStatus)order->status;
	message->created_at = &ret->created_at;
	message->updated_at = &ret->updated_at;
	message->description = borrow(order->description);
}

/* ---- calls -------------------------------------------------------------- */

struct grpc_call {
	struct edge_work work;
	struct rpc_call *call;
};

static struct grpc_call *call_new(struct rpc_call *call,
				  const struct grpc_edge *edge)
{
	struct grpc_call *self = malloc(sizeof(*self));

	BUG_IF(self == NULL, "out of memory");
	self->call = call;
	edge_work_begin(&self->work, &edge->base, rpc_call_ctx(call));
	return self;
}

/* It is over: what is left to do is to end the call. */
static struct rpc_call *call_end(struct grpc_call *self,
				 const struct status *outcome, bool changes)
{
	struct rpc_call *call = self->call;

	edge_work_end(&self->work, outcome, changes);
	free(self);
	return call;
}

void grpc_fail(struct rpc_call *call, const char *what,
	       const struct status *outcome)
{
	struct status status = *outcome;

	status.code = edge_rpc_code(outcome->code);
	if (what != NULL) {
		status_wrap(&status, "%s", what);
	}
	rpc_call_finish(call, &status, NULL, 0);
}

static void reply_order(struct rpc_call *call, const struct order *order)
{
	struct grpc_order message;

	grpc_order_init(&message, order);
	rpc_call_reply(call, &message.message.base);
}

/* ---- methods ------------------------------------------------------------ */

static void on_created(const struct status *outcome, const struct order *order,
		       bool replayed, void *arg)
{
	struct rpc_call *call = call_end(arg, outcome, true);

	if (outcome->code != STATUS_OK) {
		grpc_fail(call, "failed to create order", outcome);
		return;
	}
	if (replayed) {
		rpc_call_set_trailing_metadata(call, "idempotent-replayed",
					       "true", strlen("true"));
	}
	reply_order(call, order);
}

static void create(struct rpc_call *call, const ProtobufCMessage *request,
		   void *self)
{
	const Stockorder__CreateOrderRequest *wish = (const void *)request;
	const struct order_draft draft = {
		.symbol = wish->symbol,
		.type = (enum order_type)wish->order_type,
		.side = (enum order_side)wish->order_side,
		.quantity = wish->quantity,
		.price = wish->price,
	};
	const struct grpc_edge *edge = self;
	struct grpc_call *work = call_new(call, edge);

	order_service_create(edge->base.service, work->work.ctx, &draft,
			     rpc_call_metadata(call, "idempotency-key", NULL),
			     on_created, work);
}

static void on_order(const struct status *outcome, const struct order *order,
		     void *arg)
{
	struct rpc_call *call = call_end(arg, outcome, false);

	switch ((int)outcome->code) {
	case STATUS_OK:
		reply_order(call, order);
		break;
	case STATUS_NOT_FOUND: /* It says what was not found. */
		grpc_fail(call, NULL, outcome);
		break;
	default:
		grpc_fail(call, "failed to get order", outcome);
	}
}

static void get(struct rpc_call *call, const ProtobufCMessage *request,
		void *self)
{
	const Stockorder__GetOrderRequest *wish = (const void *)request;
	const struct grpc_edge *edge = self;
	struct grpc_call *work = call_new(call, edge);

	order_service_get(edge->base.service, work->work.ctx, wish->order_id,
			  on_order, work);
}

static void on_cancelled(const struct status *outcome,
			 const struct order *order, void *arg)
{
	struct rpc_call *call = call_end(arg, outcome, true);
	Stockorder__CancelOrderResponse response;

	(void)order;
	if (outcome->code != STATUS_OK) {
		grpc_fail(call, "failed to cancel order", outcome);
		return;
	}
	stockorder__cancel_order_response__init(&response);
	response.message = borrow(EDGE_CANCELLED_TEXT);
	rpc_call_reply(call, &response.base);
}

static void cancel(struct rpc_call *call, const ProtobufCMessage *request,
		   void *self)
{
	const Stockorder__CancelOrderRequest *wish = (const void *)request;
	const struct grpc_edge *edge = self;
	struct grpc_call *work = call_new(call, edge);

	order_service_cancel(edge->base.service, work->work.ctx, wish->order_id,
			     on_cancelled, work);
}

/* ---- the server --------------------------------------------------------- */

enum status_code grpc_edge_add(struct rpc_server *server,
			       struct grpc_edge *edge, struct status *reterr)
{
	static const struct rpc_method methods[] = {
		{ "CreateOrder", .unary = create },
		{ "GetOrder", .unary = get },
		{ "ListOrders", .unary = grpc_list },
		{ "CancelOrder", .unary = cancel },
		{ NULL },
	};

	return rpc_server_add_service(
		server, &stockorder__stock_order_service__descriptor,
		&stock_order_schema, methods, edge, reterr);
}

void grpc_edge_on_end(const char *method, const struct status *status,
		      enum ctx_cause cause, int64_t duration_ns, void *arg)
{
	work_metrics_rpc(arg, WORK_SERVER, status->code);
	log_debug(NULL,
		  LOG_FIELDS(LOG_STR("code", status_code_name(status->code)),
			     LOG_STR("cause", ctx_cause_name(cause)),
			     LOG_MS("after_ms", duration_ns)),
		  "Call of %s ended", method);
}
