/* How each part stops, and the end of all. */
#include "app.h"
#include "log/log.h"

static void grpc_stop_accepting(void *self)
{
	struct app *app = self;

	rpc_health_shutdown(app->health);
	rpc_server_stop_accepting(app->server);
}

static void grpc_drained(void *arg)
{
	struct app *app = arg;

	lifecycle_drained(app->grpc_part);
}

static void grpc_drain(void *self, struct lifecycle_part *part)
{
	struct app *app = self;

	(void)part;
	rpc_server_drain(app->server, grpc_drained, app);
}

static void grpc_cancel(void *self)
{
	struct app *app = self;

	rpc_server_cancel(app->server);
	worker_cancel(&app->worker);
}

static void grpc_close(void *self)
{
	struct app *app = self;

	(void)loop_timer_stop(app->loop, &app->health_timer);
	worker_close(&app->worker);
	rpc_server_free(app->server);
	rpc_health_free(app->health);
	rpc_reflection_free(app->reflection);
	rpc_poller_free(app->poller);
	app->server = NULL;
	app->health = NULL;
	app->reflection = NULL;
	app->poller = NULL;
}

static void ops_close(void *self)
{
	struct app *app = self;

	if (app->http != NULL) {
		http_server_stop_accepting(app->http);
	}
	http_server_free(app->http);
	app->http = NULL;
}

static void db_part_close(void *self)
{
	struct app *app = self;

	db_close(app->db);
	app->db = NULL;
}

const struct lifecycle_ops app_db_part = { .close = db_part_close };
const struct lifecycle_ops app_grpc_part = {
	.stop_accepting = grpc_stop_accepting,
	.drain = grpc_drain,
	.cancel = grpc_cancel,
	.close = grpc_close,
};
/* Stays reachable while the rest drains: its routes say how that goes. */
const struct lifecycle_ops app_ops_part = { .close = ops_close };

/* What the ladder did not close, because it never ran, and what is left. */
void app_release(struct app *app)
{
	ops_close(app);
	if (app->loop != NULL) {
		grpc_close(app);
	}
	db_part_close(app);
	worker_release(&app->worker);
	lifecycle_free(app->lifecycle);
	work_metrics_free(app->work_metrics);
	metrics_free(app->metrics);
	if (app->root != NULL) {
		ctx_unref(app->root);
	}
	loop_free(app->loop);
	log_close();
}
