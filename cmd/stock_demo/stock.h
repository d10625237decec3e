/*
 * What the three programs are made of: orders over HTTP, on a service, on a
 * database, with work in the background. How they stop is each program's own:
 * see shutdown.c in cmd/stock_demo_1, _2 and _3.
 *
 *	stock_bind(stock, reterr)	a port that is taken is found first
 *	stock_open(stock, reterr)	the database, the service
 *	... register the parts with the ladder, in this order ...
 *	stock_serve(stock, reterr)
 *
 * Thread-safety: main thread, which is the loop's.
 */
#ifndef RESCIND_CMD_STOCK_DEMO_STOCK_H
#define RESCIND_CMD_STOCK_DEMO_STOCK_H

#include "background.h"
#include "config.h"
#include "program/program_db.h"
#include "program/program_http.h"
#include "stock_order/adaptor/rest_edge.h"
#include "stock_order/adaptor/sqlite_orders.h"
#include "stock_order/service/order_service.h"

struct stock {
	struct program program;
	struct stock_config config;
	struct program_http http;
	struct program_db db;
	struct sqlite_orders orders;
	struct order_service service;
	struct rest_edge edge;
	struct stock_background background;
	bool stopping; /* the ladder has begun */
	/* Of the requests over HTTP since then: */
	uint64_t refused; /* because it stops, or has too many */
	uint64_t failed;  /* with 5xx, though they had been let in */
};

/* ---- starting ----------------------------------------------------------- */

/* Bind the HTTP server, and give it its routes. */
MUSTCHECK enum status_code stock_bind(struct stock *stock,
				      struct status *reterr);
/* Open the database, and put the service on it. */
MUSTCHECK enum status_code stock_open(struct stock *stock,
				      struct status *reterr);
/* Accept clients, and begin the background work if it was registered. */
MUSTCHECK enum status_code stock_serve(struct stock *stock,
				       struct status *reterr);

/* ---- the end ------------------------------------------------------------ */

/* A program_steps.stopped: says how it went. */
void stock_stopped(void *stock, int code);
/* A program_steps.release. */
void stock_release(void *stock);

/* ---- what is said ------------------------------------------------------- */

/* A program_steps.announce: the ports and the database. */
void stock_announce(void *stock);

#endif
