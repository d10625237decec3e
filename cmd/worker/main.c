/* The worker: what it is made of and how that is wired. What a task is:
 * services/worker. */
#include <unistd.h>

#include "config.h"
#include "log/log.h"
#include "program/program_db.h"
#include "program/program_grpc.h"
#include "program/program_http.h"
#include "worker/grpc_edge.h"
#include "worker/store.h"

struct app {
	struct config config;
	struct program program;
	struct rpc_tls tls;
	struct program_grpc grpc;
	struct program_http operators; /* without -metrics-port unused */
	struct program_db db;
	struct worker worker;
};

static enum flags_outcome parse(void *self, int argc, char **argv,
				struct status *reterr)
{
	struct app *app = self;

	return config_parse(&app->config, &app->program.config, argc, argv,
			    reterr);
}

/* ---- what the parts ask back -------------------------------------------- */

static enum status_code check(void *arg, struct status *reterr)
{
	struct app *app = arg;

	return program_db_check(&app->db, reterr);
}

static double read_in_flight(void *arg)
{
	const struct app *app = arg;

	return (double)rpc_server_in_flight(app->grpc.server);
}

/* ---- starting ----------------------------------------------------------- */

static enum status_code bind_grpc(struct app *app, struct status *reterr)
{
	struct rpc_server_options options;

	program_grpc_options(&app->program, (uint16_t)app->config.port,
			     &options);
	options.message_max = WORKER_MESSAGE_SIZE_MAX;
	options.tls = program_grpc_tls(&app->config.tls, &app->tls);
	options.on_end = worker_edge_on_end;
	options.on_end_arg = app->program.work_metrics;
	return program_grpc_bind(&app->grpc, &app->program, &options, reterr);
}

static enum status_code bind_operators(struct app *app, struct status *reterr)
{
	struct http_options options;

	if (app->config.metrics_port == PROGRAM_PORT_OFF) {
		return STATUS_OK;
	}
	program_http_options(&app->program, (uint16_t)app->config.metrics_port,
			     NULL, &options);
	return program_http_bind(&app->operators, &app->program, "metrics",
				 &options, reterr);
}

static enum status_code open_db(struct app *app, struct status *reterr)
{
	struct db_sqlite_options options;

	program_db_options(&app->program, app->config.db, &options);
	options.schema = worker_store_schema;
	options.staged_tables = worker_store_tables;
	options.statements = worker_store_statements;
	options.statements_n = WORKER_STORE_STMT_NR;
	return program_db_open(&app->db, &app->program, &options, reterr);
}

static void wire_worker(struct app *app)
{
	struct work_metrics *metrics = app->program.work_metrics;

	app->worker.db = app->db.db;
	app->worker.metrics = metrics;
	app->worker.work_ns = app->config.work_ns;
	worker_open(&app->worker, app->program.root);
	work_metrics_watch(metrics, "rescind_in_flight",
			   "Calls inside handlers", read_in_flight, app);
}

/* It looks at the database, which closes next. */
static void close_worker(void *self)
{
	worker_close(self);
}

static void add_parts(struct app *app)
{
	static const struct lifecycle_ops worker = { .close = close_worker };

	program_db_add(&app->db, "database");
	lifecycle_add(app->program.lifecycle, "worker", &worker, &app->worker);
	program_grpc_add(&app->grpc, "gRPC server");
	if (app->operators.server != NULL) {
		program_http_add_for_operators(&app->operators,
					       "operations server");
	}
}

static enum status_code serve(struct app *app, struct status *reterr)
{
	static const char *const services[] = { WORKER_SERVICE_NAME, NULL };

	if (worker_edge_add(app->grpc.server, &app->worker, reterr) !=
		    STATUS_OK ||
	    program_grpc_start(&app->grpc, services, reterr) != STATUS_OK) {
		return reterr->code;
	}
	return app->operators.server != NULL
		       ? http_server_start(app->operators.server, reterr)
		       : STATUS_OK;
}

static enum status_code start(void *self, struct status *reterr)
{
	struct app *app = self;

	app->program.check = check;
	app->program.check_arg = app;
	/* First, so that a port that is taken is found before a database is
	 * made. */
	if (bind_grpc(app, reterr) != STATUS_OK ||
	    bind_operators(app, reterr) != STATUS_OK ||
	    open_db(app, reterr) != STATUS_OK) {
		return reterr->code;
	}
	add_parts(app);
	wire_worker(app);
	return serve(app, reterr);
}

/* At any level: who started it has to learn the ports. */
static void announce(void *self)
{
	const struct app *app = self;
	const struct http_server *http = app->operators.server;
	const struct log_field with_metrics[] = {
		LOG_INT("grpc_port", rpc_server_port(app->grpc.server)),
		LOG_INT("metrics_port", http ? http_server_port(http) : 0),
		LOG_STR("db", app->config.db),
		LOG_INT("pid", getpid()),
		{ .key = NULL },
	};
	const struct log_field without[] = { with_metrics[0], with_metrics[2],
					     with_metrics[3], with_metrics[4] };

	log_write(LOG_INFO, NULL, http ? with_metrics : without, "Ready");
}

static void release(void *self)
{
	struct app *app = self;

	program_http_release(&app->operators);
	program_grpc_release(&app->grpc);
	worker_close(&app->worker);
	program_db_release(&app->db);
	worker_release(&app->worker);
}

int main(int argc, char **argv)
{
	static struct app app = {
		.program = { .name = "worker",
			     .component = "WORKER",
			     .version = RESCIND_VERSION },
	};
	static const struct program_steps steps = {
		.parse = parse,
		.start = start,
		.announce = announce,
		.release = release,
	};

	return program_run(&app.program, &steps, &app, argc, argv);
}
