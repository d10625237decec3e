/*
 * Orders as JSON: what clients ask for, in; orders, out.
 *
 *	{"symbol":"AAPL","order_type":"LIMIT","order_side":"BUY",
 *	 "quantity":100,"price":150.75,"description":"first"}
 *
 *	{"id":"...","symbol":"AAPL","order_type":"LIMIT","order_side":"BUY",
 *	 "quantity":100,"price":150.75,"status":"PENDING",
 *	 "created_at":"2025-11-17T14:27:47.537422Z","updated_at":"...",
 *	 "description":"first"}
 *
 * Going out, a price of 0 and an empty description are left out.
 *
 * Thread-safety: none needed, no state.
 */
#ifndef RESCIND_STOCK_ORDER_ADAPTOR_JSON_ORDER_H
#define RESCIND_STOCK_ORDER_ADAPTOR_JSON_ORDER_H

#include "stock_order/domain/order.h"
#include "json/json.h"

/* A draft, whose texts lie in the JSON that it was read from. */
struct json_draft {
	struct order_draft draft;
	void *json;
};

/*
 * Read the draft of an order from @size bytes, of which nothing is kept. Looks
 * at the form alone: whether it can become an order is order_validate()'s to
 * say; what is absent is left not given.
 *
 * INVALID_ARGUMENT: "invalid request body" for what is no JSON object, with
 * the reason behind it where it has one that is worth telling; and a sentence
 * that names the member for one that is unknown, of another type than it should
 * be, a number that no type holds, or a text that is none.
 */
MUSTCHECK enum status_code json_draft_parse(const char *text, size_t size,
					    struct json_draft *ret_draft,
					    struct status *reterr);

/* After a parse that succeeded. */
void json_draft_release(struct json_draft *draft);

/* Write @order as an object. */
void json_put_order(struct json_writer *writer, const char *key,
		    const struct order *order);

#endif
