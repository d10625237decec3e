/*
 * Demo 1: the basic shutdown. HTTP server and database end side by side, and
 * nothing fails.
 *
 *	signal ──> stop accepting ──> drain ──┬── HTTP server closes ──┬──> exit
 *	                                      └── database closes ─────┘
 *
 * What makes it right is not the order of closing but the wait before it: the
 * ladder closes no part before every part has drained. From the signal on the
 * server accepts no connection and answers new requests with 503; those in
 * flight are finished, each order that is acknowledged is on disk. Then no
 * request can reach the database any more, and it makes no difference which of
 * the two ends first: each closes on its own, and the program exits when the
 * slower one is done. All of it within -shutdown-timeout; what has not drained
 * by then is cancelled, and the exit code says so.
 */
#include "shutdown.h"

void shutdown_add(struct stock *stock)
{
	program_db_add(&stock->db, "database");
	lifecycle_close_beside(stock->db.part);
	if (stock->config.fills) {
		stock_background_add(&stock->background, &stock->program);
		lifecycle_close_beside(stock->background.part);
	}
	program_http_add(&stock->http, "HTTP server");
	lifecycle_close_beside(stock->http.part);
}
