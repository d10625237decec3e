/* What this program is made of: the service, and two delays. */
#ifndef RESCIND_CMD_STOCK_DEMO_2_APP_H
#define RESCIND_CMD_STOCK_DEMO_2_APP_H

#include <pthread.h>

#include "flush.h"
#include "stock.h"

struct app {
	struct stock stock;
	struct stock_flush flush;
	int64_t database_after_ns;
	int64_t http_after_ns;

	/* How far each of the two parts is in stopping. */
	struct loop_timer database_timer;
	struct loop_timer http_timer;
	struct lifecycle_part *database_part;
	bool database_begun;
	pthread_t database_thread;
	bool threaded;
	bool http_begun;
};

/* How it stops (shutdown.c): register the parts with the ladder. */
void shutdown_add(struct app *app);

#endif
