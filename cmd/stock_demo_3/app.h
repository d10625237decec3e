/* What this program is made of: the service, and gRPC beside HTTP. */
#ifndef RESCIND_CMD_STOCK_DEMO_3_APP_H
#define RESCIND_CMD_STOCK_DEMO_3_APP_H

#include "flush.h"
#include "program/program_grpc.h"
#include "stock.h"
#include "stock_order/adaptor/grpc_edge.h"

struct app {
	struct stock stock;
	struct stock_flush flush;
	uint64_t grpc_port;
	struct program_tls grpc_tls;
	struct program_grpc grpc;
	struct grpc_edge edge;
};

/* How it stops (shutdown.c): register the parts with the ladder. */
void shutdown_add(struct app *app);

#endif
