/* How each part stops, and the end of all. */
#include "app.h"
#include "log/log.h"

static void http_stop_accepting(void *self)
{
	struct app *app = self;

	http_server_stop_accepting(app->http);
}

static void http_drained(void *arg)
{
	struct app *app = arg;

	lifecycle_drained(app->http_part);
}

static void http_drain(void *self, struct lifecycle_part *part)
{
	struct app *app = self;

	(void)part;
	http_server_drain(app->http, http_drained, app);
}

static void http_cancel(void *self)
{
	struct app *app = self;

	http_server_cancel(app->http);
}

static void http_close(void *self)
{
	struct app *app = self;

	http_server_free(app->http);
	app->http = NULL;
}

static void exchanges_drained(void *arg)
{
	struct app *app = arg;

	lifecycle_drained(app->exchanges_part);
}

static void exchanges_drain(void *self, struct lifecycle_part *part)
{
	struct app *app = self;

	(void)part;
	echo_drain(&app->echo, exchanges_drained, app);
}

static void exchanges_cancel(void *self)
{
	struct app *app = self;

	echo_cancel(&app->echo);
}

static void exchanges_close(void *self)
{
	struct app *app = self;

	grpc_worker_release(&app->worker);
	echo_release(&app->echo);
	rpc_channel_free(app->channel);
	rpc_poller_free(app->poller);
	app->channel = NULL;
	app->poller = NULL;
}

static void db_part_close(void *self)
{
	struct app *app = self;

	db_close(app->db);
	app->db = NULL;
}

const struct lifecycle_ops app_db_part = { .close = db_part_close };
const struct lifecycle_ops app_exchanges_part = {
	.drain = exchanges_drain,
	.cancel = exchanges_cancel,
	.close = exchanges_close,
};
const struct lifecycle_ops app_http_part = {
	.stop_accepting = http_stop_accepting,
	.drain = http_drain,
	.cancel = http_cancel,
	.close = http_close,
};

/* What the ladder did not close, because it never ran, and what is left. */
void app_release(struct app *app)
{
	http_close(app);
	exchanges_close(app);
	db_part_close(app);
	lifecycle_free(app->lifecycle);
	work_metrics_free(app->work_metrics);
	metrics_free(app->metrics);
	if (app->echo.root != NULL) {
		ctx_unref(app->echo.root);
	}
	if (app->root != NULL) {
		ctx_unref(app->root);
	}
	loop_free(app->loop);
	log_close();
}
