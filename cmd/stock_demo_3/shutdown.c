/*
 * Demo 3: the generic shutdown. Any number of parts of any kind, in one
 * registry, which knows nothing of them but how each stops.
 *
 *	signal ──> not ready ──> hooks ──> -drain-delay ──> stop accepting
 *	                                                         │
 *	     ┌── HTTP in flight ─────┐                           │
 *	     ├── gRPC in flight ─────┤<── drain, all together <──┘
 *	     └── background work ────┘
 *	               │
 *	               └──> close: HTTP, gRPC, background, database ──> exit
 *
 * Parts are registered in the order in which they stand on one another, and
 * closed in reverse, so the database is the last to go: nobody is left who
 * could ask it. Not ready comes first, while everything still serves: /readyz
 * and the health service tell load balancers, who get -drain-delay to act on
 * it. The hooks finish the background work and flush the database, each in its
 * share of the time, before the rest begins to stop.
 *
 * One deadline holds for all of it. When it passes, or at a second signal, what
 * is in flight is cancelled: its callers are told, its transactions are rolled
 * back. The log has each part's time, and the exit code tells drained (0) from
 * forced (3).
 */
#include "app.h"

enum {
	BACKGROUND_SHARE_PERCENT = 50,
	FLUSH_SHARE_PERCENT = 10,
};

void shutdown_add(struct app *app)
{
	struct stock *stock = &app->stock;

	program_db_add(&stock->db, "database");
	if (stock->config.fills) {
		stock_background_add(&stock->background, &stock->program);
		stock_background_add_hook(&stock->background,
					  BACKGROUND_SHARE_PERCENT);
	}
	stock_flush_add(&app->flush, &stock->db, FLUSH_SHARE_PERCENT);
	program_grpc_add(&app->grpc, "gRPC server");
	program_http_add(&stock->http, "HTTP server");
}
