/*
 * The commands of the client over gRPC: each runs @options->loop on this thread
 * until it is done, and returns the exit code (enum client_exit). What they
 * print is JSON as the REST API has it.
 */
#ifndef RESCIND_STOCK_ORDER_CLIENT_GRPC_COMMAND_H
#define RESCIND_STOCK_ORDER_CLIENT_GRPC_COMMAND_H

#include "stock_order/client/grpc_orders.h"

struct grpc_command_options {
	const char *program; /* for what is said */
	struct loop *loop;
	struct ctx *root;
	struct grpc_orders *orders;
	int64_t timeout_ns; /* of each call */
};

/* An order. @key: NULL for none. */
int grpc_command_create(const struct grpc_command_options *options,
			const struct order_draft *draft, const char *key);
int grpc_command_get(const struct grpc_command_options *options,
		     const char *id);
/* {"message":"..."} */
int grpc_command_cancel(const struct grpc_command_options *options,
			const char *id);

/*
 * An array of the newest @limit orders (0: all), fetched and printed page by
 * page; with @lines an order a line instead. When a page can't be had after
 * others have been printed, the array is left without its end: nobody takes a
 * part for the whole.
 */
int grpc_command_list(const struct grpc_command_options *options,
		      uint64_t limit, bool lines);

#endif
