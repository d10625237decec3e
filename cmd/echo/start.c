/* Making the parts, in order, and what they ask back. */
#include <unistd.h>

#include "app.h"
#include "db/sqlite.h"
#include "echo/store.h"
#include "lifecycle/descriptors.h"
#include "log/log.h"

enum {
	EXIT_SYNC_FAILED = 75, /* EX_TEMPFAIL: start again, from the file */
	/* Descriptors for everything that is not a client's connection. */
	DESCRIPTORS_RESERVED = 64,
	/* A staged transaction's connection comes back after its answer. */
	STAGED_SPARE = 512,
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
	if (!app->worker.port.ops->is_ready(&app->worker.port)) {
		return status_set(reterr, STATUS_UNAVAILABLE,
				  "no connection to the worker at %s",
				  app->config.worker);
	}
	return STATUS_OK;
}

static double read_in_flight(void *arg)
{
	const struct app *app = arg;

	return (double)echo_live(&app->echo);
}

/* ---- starting ----------------------------------------------------------- */

static enum status_code start_base(struct app *app, struct status *reterr)
{
	const struct config *config = &app->config;
	const struct log_options log = {
		.component = "ECHO",
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
static enum status_code bind_http(struct app *app, struct status *reterr)
{
	const struct config *config = &app->config;
	struct http_options options;

	http_options_init(&options);
	options.listen = config->listen;
	options.port = (uint16_t)config->http_port;
	options.in_flight_max = app->in_flight_max;
	options.connections_max = descriptors_admit(app->descriptors, 1,
						    DESCRIPTORS_RESERVED / 2);
	options.half_close = (enum http_half_close)config->half_close;
	options.tls_cert = config->http_tls.cert;
	options.tls_key = config->http_tls.key;
	options.tls_ca = config->http_tls.ca;
	options.on_end = http_edge_on_end;
	options.on_end_arg = app->work_metrics;
	if (http_server_new(app->root, &options, &app->http, reterr) !=
	    STATUS_OK) {
		return status_wrap(reterr, "HTTP");
	}
	app->edge = (struct http_edge){ &app->echo, config->timeout_ns };
	app->ops = (struct ops_http){ app->metrics, check_ready, app };
	http_edge_add(app->http, &app->edge);
	ops_http_add(app->http, &app->ops);
	return STATUS_OK;
}

static enum status_code open_db(struct app *app, struct status *reterr)
{
	const struct db_sqlite_options options = {
		.path = app->config.db,
		.schema = echo_store_schema,
		.staged_tables = echo_store_tables,
		.statements = echo_store_statements,
		.statements_n = ECHO_STORE_STMT_NR,
		.staged_max = app->in_flight_max + STAGED_SPARE,
		.on_fatal = on_sync_failed,
	};

	if (db_sqlite_open(&options, &app->db, reterr) != STATUS_OK) {
		return reterr->code;
	}
	work_metrics_watch_db(app->work_metrics, app->db);
	return STATUS_OK;
}

static enum status_code connect_worker(struct app *app, struct status *reterr)
{
	const struct rpc_tls *tls = &app->config.tls;
	struct rpc_channel_options options;

	if (rpc_poller_new(&app->poller, reterr) != STATUS_OK) {
		return reterr->code;
	}
	rpc_channel_options_init(&options);
	options.target = app->config.worker;
	options.tls = tls->ca != NULL || tls->cert != NULL ? tls : NULL;
	if (rpc_channel_new(app->poller, &options, &app->channel, reterr) !=
	    STATUS_OK) {
		return status_wrap(reterr, "worker");
	}
	grpc_worker_init(&app->worker, app->channel);
	return STATUS_OK;
}

static void wire_echo(struct app *app)
{
	echo_init(&app->echo);
	app->echo.db = app->db;
	app->echo.worker = &app->worker.port;
	app->echo.metrics = app->work_metrics;
	/* Its own scope: what ends it refuses commits, and nothing else. */
	app->echo.root = ctx_new(app->root, CLOCK_NEVER);
	work_metrics_watch(app->work_metrics, "rescind_in_flight",
			   "Exchanges that are not over", read_in_flight, app);
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
	app->exchanges_part = lifecycle_add(app->lifecycle, "worker channel",
					    &app_exchanges_part, app);
	app->http_part = lifecycle_add(app->lifecycle, "HTTP server",
				       &app_http_part, app);
	return STATUS_OK;
}

enum status_code app_start(struct app *app, struct status *reterr)
{
	if (start_base(app, reterr) != STATUS_OK) {
		return reterr->code;
	}
	app->metrics = metrics_new();
	metrics_add_process(app->metrics, RESCIND_VERSION);
	app->work_metrics = work_metrics_new(app->metrics, "echo");
	if (bind_http(app, reterr) != STATUS_OK ||
	    open_db(app, reterr) != STATUS_OK ||
	    connect_worker(app, reterr) != STATUS_OK ||
	    add_parts(app, reterr) != STATUS_OK) {
		return reterr->code;
	}
	wire_echo(app);
	grpc_worker_keep_connected(&app->worker, app->loop);
	return http_server_start(app->http, reterr);
}
