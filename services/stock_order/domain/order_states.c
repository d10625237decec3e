/* The states of an order, and the one door through which it changes them. */
#include "stock_order/domain/order.h"

#define TO(symbol) (1U << ORDER_STATUS_##symbol)
static const unsigned moves[] = {
#define ORDER_MOVES(symbol, number, name, allowed)                             \
	[ORDER_STATUS_##symbol] = (allowed),
	ORDER_STATES(ORDER_MOVES)
#undef ORDER_MOVES
};
#undef TO

static bool is_state(int value)
{
	return value > ORDER_STATUS_UNSPECIFIED &&
	       value < (int)(sizeof(moves) / sizeof(moves[0]));
}

bool order_may_move(enum order_status from, enum order_status to)
{
	return is_state((int)from) && is_state((int)to) &&
	       (moves[from] & 1U << to) != 0;
}

/* @verb is what was asked for, as the refusal says it. */
static enum status_code move(struct order *order, enum order_status to,
			     const char *verb, int64_t now_us,
			     struct status *reterr)
{
	if (!order_may_move(order->status, to)) {
		return status_set(reterr, STATUS_FAILED_PRECONDITION,
				  "cannot %s order with status: %s", verb,
				  order_status_name(order->status));
	}
	order->status = to;
	if (now_us > order->updated_at_us) {
		order->updated_at_us = now_us; /* clocks may step back */
	}
	return STATUS_OK;
}

enum status_code order_cancel(struct order *order, int64_t now_us,
			      struct status *reterr)
{
	return move(order, ORDER_STATUS_CANCELLED, "cancel", now_us, reterr);
}

enum status_code order_fill(struct order *order, int64_t now_us,
			    struct status *reterr)
{
	if (order->type != ORDER_TYPE_MARKET) {
		return status_set(reterr, STATUS_FAILED_PRECONDITION,
				  "cannot fill order of type: %s",
				  order_type_name(order->type));
	}
	return move(order, ORDER_STATUS_FILLED, "fill", now_us, reterr);
}

enum status_code order_reject(struct order *order, int64_t now_us,
			      struct status *reterr)
{
	return move(order, ORDER_STATUS_REJECTED, "reject", now_us, reterr);
}
