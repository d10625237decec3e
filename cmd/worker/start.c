/* Making the parts, in order, and what they ask back. */
#include <unistd.h>

#include "app.h"
#include "db/sqlite.h"
#include "lifecycle/descriptors.h"
#include "log/log.h"
#include "worker/grpc_edge.h"
#include "worker/store.h"

enum {
	EXIT_SYNC_FAILED = 75, /* EX_TEMPFAIL: start again, from the file */
	/* Descriptors for everything that is not a call's connection. */
	DESCRIPTORS_RESERVED = 64,
	/* A staged transaction's connection comes back after its answer. */
	STAGED_SPARE = 512,
	HEALTH_EVERY_NS = 500 * NS_PER_MS,
};

/* ---- what the parts ask back -------------------------------------------- */

static void on_sync_failed(const struct status *status, void *arg)
{
	(void)arg;
	log_error(NULL, NULL,
		  "The database could not be synced; what the disk holds is "
		  "unknown, so this process ends: %s",
		  status->message);
	log_flush();
	_exit(EXIT_SYNC_FAILED);
}

static enum status_code check_ready(void *arg, struct status *reterr)
{
	struct app *app = arg;

	if (!lifecycle_is_ready(app->lifecycle)) {
		return status_set(reterr, STATUS_UNAVAILABLE, "stopping");
	}
	if (db_health(app->db, reterr) != STATUS_OK) {
		return status_wrap(reterr, "database");
	}
	return STATUS_OK;
}

static double read_in_flight(void *arg)
{
	const struct app *app = arg;

	return (double)rpc_server_in_flight(app->server);
}

/* Health is readiness: what /readyz says, gRPC health says too. */
static void tell_health(struct app *app)
{
	struct status why;
	bool serving = check_ready(app, &why) == STATUS_OK;

	rpc_health_set(app->health, "", serving);
	rpc_health_set(app->health, WORKER_SERVICE_NAME, serving);
}

static void on_health_timer(struct loop_timer *timer, int64_t late_ns)
{
	struct app *app = (struct app *)((char *)timer -
					 offsetof(struct app, health_timer));

	(void)late_ns;
	tell_health(app);
	loop_timer_start(app->loop, timer, clock_now_ns() + HEALTH_EVERY_NS);
}

static void on_ready(bool ready, void *arg)
{
	(void)ready;
	tell_health(arg);
}

/* ---- starting ----------------------------------------------------------- */

static enum status_code start_base(struct app *app, struct status *reterr)
{
	const struct config *config = &app->config;
	const struct log_options log = {
		.component = "WORKER",
		.level = (enum log_level)config->log_level,
		.format = (enum log_format)config->log_format,
		.fd = STDERR_FILENO,
	};
	struct status raised;

	if (log_init(&log, reterr) != STATUS_OK) {
		return reterr->code;
	}
	if (descriptors_raise(&app->descriptors, &raised) != STATUS_OK) {
		log_warn(NULL, NULL, "%s, going on with %zu", raised.message,
			 app->descriptors);
	}
	app->in_flight_max = descriptors_admit((size_t)config->max_in_flight, 1,
					       DESCRIPTORS_RESERVED);
	if (app->in_flight_max < config->max_in_flight) {
		log_warn(NULL, NULL,
			 "-max-in-flight lowered from %llu to %zu: %zu file "
			 "descriptors allow no more",
			 (unsigned long long)config->max_in_flight,
			 app->in_flight_max, app->descriptors);
	}
	if (loop_new(&app->loop, reterr) != STATUS_OK) {
		return reterr->code;
	}
	return ctx_root(app->loop, &app->root, reterr);
}

/* First, so that a port that is taken is found before a database is made. */
static enum status_code bind_grpc(struct app *app, struct status *reterr)
{
	const struct config *config = &app->config;
	struct rpc_server_options options;

	if (rpc_poller_new(&app->poller, reterr) != STATUS_OK) {
		return reterr->code;
	}
	rpc_server_options_init(&options);
	options.listen = config->listen;
	options.port = (uint16_t)config->port;
	options.in_flight_max = app->in_flight_max;
	options.connections_max = descriptors_admit(app->descriptors, 1,
						    DESCRIPTORS_RESERVED / 2);
	/* One caller may use all: what is too much is refused. */
	options.streams_max = app->in_flight_max + DESCRIPTORS_RESERVED;
	options.message_max = WORKER_MESSAGE_SIZE_MAX;
	options.tls = config->tls.cert != NULL ? &config->tls : NULL;
	options.on_end = worker_edge_on_end;
	options.on_end_arg = app->work_metrics;
	if (rpc_server_new(app->root, app->poller, &options, &app->server,
			   reterr) != STATUS_OK) {
		return status_wrap(reterr, "gRPC");
	}
	return STATUS_OK;
}

static enum status_code bind_ops(struct app *app, struct status *reterr)
{
	struct http_options options;

	if (app->config.metrics_port == METRICS_PORT_OFF) {
		return STATUS_OK;
	}
	http_options_init(&options);
	options.listen = app->config.listen;
	options.port = (uint16_t)app->config.metrics_port;
	app->ops = (struct ops_http){ app->metrics, check_ready, app };
	if (http_server_new(app->root, &options, &app->http, reterr) !=
	    STATUS_OK) {
		return status_wrap(reterr, "metrics");
	}
	ops_http_add(app->http, &app->ops);
	return STATUS_OK;
}

static enum status_code open_db(struct app *app, struct status *reterr)
{
	const struct db_sqlite_options options = {
		.path = app->config.db,
		.schema = worker_store_schema,
		.staged_tables = worker_store_tables,
		.statements = worker_store_statements,
		.statements_n = WORKER_STORE_STMT_NR,
		.staged_max = app->in_flight_max + STAGED_SPARE,
		.on_fatal = on_sync_failed,
	};

	if (db_sqlite_open(&options, &app->db, reterr) != STATUS_OK) {
		return reterr->code;
	}
	app->worker.db = app->db;
	app->worker.metrics = app->work_metrics;
	app->worker.work_ns = app->config.work_ns;
	worker_open(&app->worker, app->root);
	work_metrics_watch_db(app->work_metrics, app->db);
	work_metrics_watch(app->work_metrics, "rescind_in_flight",
			   "Calls inside handlers", read_in_flight, app);
	return STATUS_OK;
}

static enum status_code serve(struct app *app, struct status *reterr)
{
	if (worker_edge_add(app->server, &app->worker, reterr) != STATUS_OK ||
	    rpc_health_new(app->server, &app->health, reterr) != STATUS_OK ||
	    rpc_reflection_new(app->server, &app->reflection, reterr) !=
		    STATUS_OK ||
	    rpc_server_start(app->server, reterr) != STATUS_OK) {
		return reterr->code;
	}
	if (app->http != NULL) {
		return http_server_start(app->http, reterr);
	}
	return STATUS_OK;
}

static enum status_code add_parts(struct app *app, struct status *reterr)
{
	const struct lifecycle_options options = {
		.shutdown_timeout_ns = app->config.shutdown_timeout_ns,
		.drain_delay_ns = app->config.drain_delay_ns,
		.cancel_grace_ns = (int64_t)5 * NS_PER_S,
	};

	if (lifecycle_new(app->loop, &options, &app->lifecycle, reterr) !=
	    STATUS_OK) {
		return reterr->code;
	}
	lifecycle_add(app->lifecycle, "database", &app_db_part, app);
	app->grpc_part = lifecycle_add(app->lifecycle, "gRPC server",
				       &app_grpc_part, app);
	lifecycle_add(app->lifecycle, "operations server", &app_ops_part, app);
	lifecycle_on_ready(app->lifecycle, on_ready, app);
	return STATUS_OK;
}

enum status_code app_start(struct app *app, struct status *reterr)
{
	if (start_base(app, reterr) != STATUS_OK) {
		return reterr->code;
	}
	app->metrics = metrics_new();
	metrics_add_process(app->metrics, RESCIND_VERSION);
	app->work_metrics = work_metrics_new(app->metrics, "worker");
	if (bind_grpc(app, reterr) != STATUS_OK ||
	    bind_ops(app, reterr) != STATUS_OK ||
	    open_db(app, reterr) != STATUS_OK ||
	    add_parts(app, reterr) != STATUS_OK) {
		return reterr->code;
	}
	if (serve(app, reterr) != STATUS_OK) {
		return reterr->code;
	}
	app->health_timer.fn = on_health_timer;
	on_health_timer(&app->health_timer, 0);
	return STATUS_OK;
}
