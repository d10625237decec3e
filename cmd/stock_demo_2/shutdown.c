/*
 * Demo 2: how not to do it. Two parts stop side by side, as in demo 1, but each
 * does at its own time what it thinks is its own business:
 *
 *	signal ──> hooks ──┬── -db-close-after (5s) ──> database closes
 *	                   │                                   :
 *	                   │                        every request fails
 *	                   │                                   :
 *	                   └── -http-stop-after (10s) ──> server drains ──> exit
 *
 * The server goes on accepting orders for which there is no database any more.
 * Nobody did anything wrong alone; nobody waited for the one who stands on it.
 * What is lost are the requests: each is answered with 503, none is half done,
 * the process does not crash, and what was acknowledged is on disk.
 *
 * The cure is one line (see demo 1): close in "close", which comes when all
 * have drained, and not in "drain", which comes when all are still at work.
 *
 * The hooks, which come before any part stops, are right: background work that
 * is due is finished, and what is queued is on disk, while there is a database.
 */
#include "app.h"
#include "log/log.h"

enum {
	BACKGROUND_SHARE_PERCENT = 50,
	FLUSH_SHARE_PERCENT = 10,
};

#define APP_OF(timer, member)                                                  \
	((struct app *)(void *)((char *)(timer)-offsetof(struct app, member)))

/* ---- the database: closes while others still use it --------------------- */

/* Blocks until what was asked of it is done, which the loop must not. */
static void *close_database(void *self)
{
	struct app *app = self;

	program_db_release(&app->stock.db);
	lifecycle_drained(app->database_part);
	return NULL;
}

/* Unless the server has stopped before, which it does when it is hurried. */
static void say_what_is_wrong(const struct app *app)
{
	if (!app->http_begun) {
		log_warn(NULL,
			 LOG_FIELDS(LOG_INT("in_flight",
					    http_server_in_flight(
						    app->stock.http.server))),
			 "closing the database, though the HTTP server still "
			 "accepts requests: from now on they fail");
	}
}

static void database_stop(struct app *app)
{
	if (app->database_begun) {
		return;
	}
	app->database_begun = true;
	say_what_is_wrong(app);
	/* From here on it is not called any more, but refuses by itself. */
	sqlite_orders_close(&app->stock.orders);
	app->threaded = pthread_create(&app->database_thread, NULL,
				       close_database, app) == 0;
	if (!app->threaded) {
		close_database(app);
	}
}

static void on_database_timer(struct loop_timer *timer, int64_t late_ns)
{
	(void)late_ns;
	database_stop(APP_OF(timer, database_timer));
}

static void database_drain(void *self, struct lifecycle_part *part)
{
	struct app *app = self;

	(void)part;
	log_info(NULL, LOG_FIELDS(LOG_MS("after_ms", app->database_after_ns)),
		 "the database will close by itself, whoever uses it then");
	app->database_timer.fn = on_database_timer;
	loop_timer_start(app->stock.program.loop, &app->database_timer,
			 clock_add_ns(clock_now_ns(), app->database_after_ns));
}

static void database_cancel(void *self)
{
	struct app *app = self;

	(void)loop_timer_stop(app->stock.program.loop, &app->database_timer);
	database_stop(app);
}

static void database_close(void *self)
{
	struct app *app = self;

	if (app->threaded) {
		pthread_join(app->database_thread, NULL);
	}
}

/* ---- the HTTP server: goes on as if nothing had happened ---------------- */

static void http_drained(void *self)
{
	struct app *app = self;

	lifecycle_drained(app->stock.http.part);
}

static void http_stop(struct app *app)
{
	struct http_server *server = app->stock.http.server;

	if (app->http_begun) {
		return;
	}
	app->http_begun = true;
	log_info(NULL, LOG_FIELDS(LOG_INT("failed", app->stock.failed)),
		 "the HTTP server stops accepting requests%s",
		 app->stock.failed > 0 ? ", too late for those that failed"
				       : "");
	http_server_stop_accepting(server);
	http_server_drain(server, http_drained, app);
}

static void on_http_timer(struct loop_timer *timer, int64_t late_ns)
{
	(void)late_ns;
	http_stop(APP_OF(timer, http_timer));
}

static void http_drain(void *self, struct lifecycle_part *part)
{
	struct app *app = self;

	(void)part;
	log_info(NULL, LOG_FIELDS(LOG_MS("after_ms", app->http_after_ns)),
		 "the HTTP server will stop by itself, and accepts requests "
		 "until then");
	app->http_timer.fn = on_http_timer;
	loop_timer_start(app->stock.program.loop, &app->http_timer,
			 clock_add_ns(clock_now_ns(), app->http_after_ns));
}

static void http_cancel(void *self)
{
	struct app *app = self;

	(void)loop_timer_stop(app->stock.program.loop, &app->http_timer);
	http_stop(app);
	http_server_cancel(app->stock.http.server);
}

static void http_close(void *self, struct lifecycle_part *part)
{
	struct app *app = self;

	program_http_release(&app->stock.http);
	lifecycle_closed(part);
}

/* ---- the parts ---------------------------------------------------------- */

void shutdown_add(struct app *app)
{
	static const struct lifecycle_ops database_ops = {
		.drain = database_drain,
		.cancel = database_cancel,
		.close = database_close,
	};
	static const struct lifecycle_ops http_ops = {
		.drain = http_drain,
		.cancel = http_cancel,
		.close_begin = http_close,
	};
	struct stock *stock = &app->stock;
	struct lifecycle *lifecycle = stock->program.lifecycle;

	app->database_part =
		lifecycle_add(lifecycle, "database", &database_ops, app);
	if (stock->config.fills) {
		stock_background_add(&stock->background, &stock->program);
		stock_background_add_hook(&stock->background,
					  BACKGROUND_SHARE_PERCENT);
	}
	stock_flush_add(&app->flush, &stock->db, FLUSH_SHARE_PERCENT);
	stock->http.part =
		lifecycle_add(lifecycle, "HTTP server", &http_ops, app);
}
