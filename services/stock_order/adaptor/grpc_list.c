/*
 * ListOrders: one page, or as many as fit into a message.
 *
 *	ask --service answers, at once or later--> take --enough--> reply
 *	 ^------------------- not yet -----------------/
 *
 * Orders are packed as they come, so that a list takes the memory of its
 * message and of one page. The answer of the service may come before the asking
 * returns: whoever of the two is second goes on, in a loop and not one inside
 * the other.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loop/bug.h"
#include "stock_order/adaptor/grpc_internal.h"

enum {
	FIELD_ORDERS = 1, /* of ListOrdersResponse */
	WIRE_LENGTH_DELIMITED = 2,
	VARINT_MAX = 10,
	CAPACITY_MIN = 1024,
};

/* Who of the asker and the answer comes to its end first leaves ONE_OVER. */
enum turn { TURN_ASKING, TURN_ONE_OVER };

struct listing {
	struct edge_work work;
	struct grpc_edge *edge;
	struct rpc_call *call;
	int64_t page_size; /* 0: as many as fit */
	bool whole;	   /* counted in edge->wholes */
	_Atomic int turn;

	/* What the service has answered. */
	struct status outcome;
	char token[ORDER_PAGE_TOKEN_SIZE];

	/* The orders, packed. */
	uint8_t *bytes;
	size_t size;
	size_t capacity;
};

/* ---- packing ------------------------------------------------------------ */

static uint8_t *reserve(struct listing *list, size_t size)
{
	size_t wanted = list->size + size;

	if (wanted > list->capacity) {
		size_t capacity = list->capacity + list->capacity / 2;

		capacity = capacity < CAPACITY_MIN ? CAPACITY_MIN : capacity;
		capacity = capacity < wanted ? wanted : capacity;
		list->bytes = realloc(list->bytes, capacity);
		BUG_IF(list->bytes == NULL, "out of memory");
		list->capacity = capacity;
	}
	return list->bytes + list->size;
}

static size_t put_varint(uint8_t *at, size_t value)
{
	size_t n = 0;

	while (value >= 0x80) {
		at[n++] = (uint8_t)(value | 0x80);
		value >>= 7;
	}
	at[n++] = (uint8_t)value;
	return n;
}

static void put_message(struct listing *list, const ProtobufCMessage *message)
{
	size_t size = protobuf_c_message_get_packed_size(message);
	uint8_t *at = reserve(list, 1 + VARINT_MAX + size);

	*at++ = FIELD_ORDERS << 3 | WIRE_LENGTH_DELIMITED;
	at += put_varint(at, size);
	at += protobuf_c_message_pack(message, at);
	list->size = (size_t)(at - list->bytes);
}

/* All other fields, of which there may be none. */
static void put_rest(struct listing *list)
{
	Stockorder__ListOrdersResponse rest;
	size_t size;

	stockorder__list_orders_response__init(&rest);
	rest.next_page_token = list->token;
	size = stockorder__list_orders_response__get_packed_size(&rest);
	if (size > 0) {
		list->size += stockorder__list_orders_response__pack(
			&rest, reserve(list, size));
	}
}

/* ---- the end ------------------------------------------------------------ */

static void finish(struct listing *list)
{
	struct rpc_call *call = list->call;
	struct status outcome = list->outcome;

	if (list->whole) {
		atomic_fetch_sub(&list->edge->wholes, 1);
	}
	edge_work_end(&list->work, &outcome, false);
	if (outcome.code == STATUS_OK) {
		put_rest(list);
		rpc_call_reply_packed(call, list->bytes, list->size);
	} else {
		free(list->bytes);
		grpc_fail(call, "failed to list orders", &outcome);
	}
	free(list);
}

/* ---- page after page ---------------------------------------------------- */

static void go_on(struct listing *list);

/* True for the second of the two, whose list it is now. */
static bool is_second(struct listing *list)
{
	return atomic_exchange(&list->turn, TURN_ONE_OVER) == TURN_ONE_OVER;
}

static void on_page(const struct status *outcome, const struct order *orders,
		    size_t orders_n, const char *next_page_token, void *arg)
{
	struct listing *list = arg;

	list->outcome = *outcome;
	for (size_t i = 0; i < orders_n; i++) {
		struct grpc_order message;

		grpc_order_init(&message, &orders[i]);
		put_message(list, &message.message.base);
	}
	snprintf(list->token, sizeof(list->token), "%s", next_page_token);
	if (is_second(list)) {
		go_on(list);
	}
}

/* False where the answer is still to come, and goes on by itself. */
static bool ask(struct listing *list)
{
	int64_t size = list->page_size != 0 ? list->page_size : ORDER_PAGE_MAX;

	atomic_store(&list->turn, TURN_ASKING);
	order_service_list(list->edge->base.service, list->work.ctx, size,
			   list->token, on_page, list);
	return is_second(list);
}

/* Whether a list of several pages may be gathered now. */
static bool admit_whole(struct listing *list)
{
	if (list->whole) {
		return true;
	}
	if (atomic_fetch_add(&list->edge->wholes, 1) >= GRPC_EDGE_WHOLE_MAX) {
		atomic_fetch_sub(&list->edge->wholes, 1);
		status_set(&list->outcome, STATUS_RESOURCE_EXHAUSTED,
			   "too many whole lists at once; page_size makes "
			   "pages");
		return false;
	}
	list->whole = true;
	return true;
}

static bool is_enough(struct listing *list)
{
	return list->outcome.code != STATUS_OK || list->page_size != 0 ||
	       list->token[0] == '\0' || list->size >= GRPC_EDGE_LIST_BYTES ||
	       !admit_whole(list);
}

static void go_on(struct listing *list)
{
	while (!is_enough(list)) {
		if (!ask(list)) {
			return;
		}
	}
	finish(list);
}

/* ---- the method --------------------------------------------------------- */

/* The token is the service's to judge, but it has to fit. */
static bool take_token(struct listing *list, const char *token)
{
	size_t size = strlen(token);

	if (size >= sizeof(list->token)) {
		return false;
	}
	memcpy(list->token, token, size + 1);
	return true;
}

void grpc_list(struct rpc_call *call, const ProtobufCMessage *request,
	       void *self)
{
	const Stockorder__ListOrdersRequest *wish = (const void *)request;
	struct grpc_edge *edge = self;
	struct listing *list = calloc(1, sizeof(*list));

	BUG_IF(list == NULL, "out of memory");
	list->edge = edge;
	list->call = call;
	list->page_size = wish->page_size;
	edge_work_begin(&list->work, &edge->base, rpc_call_ctx(call));
	if (!take_token(list, wish->page_token)) {
		status_set(&list->outcome, STATUS_INVALID_ARGUMENT,
			   "page_token is not one that was given out");
		finish(list);
	} else if (ask(list)) {
		go_on(list);
	}
}
