/*
 * stockorder.StockOrderService as a client sees it: what the generated code
 * makes stops here.
 *
 * One call at a time. Its answer comes on the loop's thread, exactly once, soon
 * after its ctx has ended, but neither inside the function that begins it nor
 * inside ctx_end(). Everything given is borrowed for that function alone. What
 * is handed to an answer is valid while it runs; orders are NULL unless @status
 * is OK. UNAVAILABLE says that no server is there, INTERNAL also that its
 * answer is no order.
 *
 * Threads: the loop's, but for visitors.
 */
#ifndef RESCIND_STOCK_ORDER_CLIENT_GRPC_ORDERS_H
#define RESCIND_STOCK_ORDER_CLIENT_GRPC_ORDERS_H

#include "rpc/channel.h"
#include "stock_order/client/order_sender.h"

struct grpc_orders;

/* @channel is borrowed. Never NULL. */
struct grpc_orders *grpc_orders_new(struct loop *loop,
				    struct rpc_channel *channel);
/* No call may be under way. Before the channel; NULL is fine. */
void grpc_orders_free(struct grpc_orders *orders);

/* CreateOrder, for a run of orders. */
struct order_sender *grpc_orders_sender(struct grpc_orders *orders);

typedef void (*grpc_order_fn)(const struct status *status,
			      const struct order *order, void *arg);

/* @key: NULL for none. */
void grpc_orders_create(struct grpc_orders *orders, struct ctx *ctx,
			const struct order_draft *draft, const char *key,
			grpc_order_fn done, void *arg);
void grpc_orders_get(struct grpc_orders *orders, struct ctx *ctx,
		     const char *id, grpc_order_fn done, void *arg);

/* @text: what the server says of it. */
typedef void (*grpc_cancelled_fn)(const struct status *status, const char *text,
				  void *arg);
void grpc_orders_cancel(struct grpc_orders *orders, struct ctx *ctx,
			const char *id, grpc_cancelled_fn done, void *arg);

/* An order of a page: on the poller's thread, before the answer, and while the
 * loop's thread leaves @arg alone. Must not block. */
typedef void (*grpc_visit_fn)(const struct order *order, void *arg);

/*
 * Where @status is OK: how many orders have been visited, and the token of the
 * next page, "" where this is the last. Else some may have been, too.
 */
typedef void (*grpc_page_fn)(const struct status *status, size_t visited,
			     const char *next_page_token, void *arg);

/* A page of at most @page_size orders, as the server allows, newest first;
 * @page_token is "" for the first. */
void grpc_orders_page(struct grpc_orders *orders, struct ctx *ctx,
		      int32_t page_size, const char *page_token,
		      grpc_visit_fn visit, grpc_page_fn done, void *arg);

#endif
