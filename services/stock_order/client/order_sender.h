/*
 * Port through which the clients hand an order to a server.
 * Implementations: http_sender (REST), grpc_sender (gRPC), a scripted one
 * (tests).
 */
#ifndef RESCIND_STOCK_ORDER_CLIENT_ORDER_SENDER_H
#define RESCIND_STOCK_ORDER_CLIENT_ORDER_SENDER_H

#include "ctx/ctx.h"
#include "status/status.h"
#include "stock_order/domain/order.h"

/*
 * What became of it. OK: the server has it, as @id (else NULL; valid inside the
 * function). What the server said otherwise, with its text. UNAVAILABLE: no
 * server there, or the connection was lost. The ctx's own code where that ended
 * first: whether the server has the order is then not known.
 */
typedef void (*order_sent_fn)(const struct status *status, const char *id,
			      void *arg);

struct order_sender {
	const struct order_sender_ops *ops;
};

struct order_sender_ops {
	/*
	 * Ask the server to create an order of @draft; @key (NULL for none) is
	 * its idempotency key. The request goes out once: without a key it is
	 * never repeated, since the server may have taken the first.
	 *
	 * Loop's thread. @done comes there too, exactly once, soon after @ctx
	 * has ended, but neither inside this function nor inside ctx_end().
	 * Everything is borrowed until then. One at a time.
	 */
	void (*send)(struct order_sender *self, struct ctx *ctx,
		     const struct order_draft *draft, const char *key,
		     order_sent_fn done, void *arg);
};

#endif
