/*
 * Orders over HTTP and gRPC, with the generic shutdown: flags, parts, run, exit
 * code.
 */
#include <unistd.h>

#include "app.h"
#include "log/log.h"

static enum flags_outcome parse(void *self, int argc, char **argv,
				struct status *reterr)
{
	struct app *app = self;
	struct stock *stock = &app->stock;
	const struct flag table[] = {
		STOCK_FLAGS(&stock->config),
		FLAG_UINT_ENV("grpc-port", &app->grpc_port, "50051", 0, 65535,
			      "GRPC_PORT", "gRPC port; 0 picks a free one"),
		PROGRAM_SERVER_TLS_FLAGS(&app->grpc_tls, "", "TLS over gRPC",
					 "callers"),
		PROGRAM_FLAGS(&stock->program.config, "requests",
			      "503 or RESOURCE_EXHAUSTED"),
		FLAG_END
	};
	const struct flags flags = {
		.program = stock->program.name,
		.summary = "Stock orders over HTTP and gRPC; all parts stop by "
			   "one ladder.",
		.env_prefix = STOCK_ENV,
		.version = RESCIND_VERSION,
		.table = table,
	};
	enum flags_outcome outcome = flags_parse(&flags, argc, argv, reterr);

	if (outcome == FLAGS_RUN &&
	    (stock_config_check(&stock->config, reterr) != STATUS_OK ||
	     program_tls_check(&app->grpc_tls, "-tls", true, reterr) !=
		     STATUS_OK)) {
		return FLAGS_INVALID;
	}
	return outcome;
}

static enum status_code bind_grpc(struct app *app, struct status *reterr)
{
	struct program *program = &app->stock.program;
	struct rpc_server_options options;
	struct rpc_tls tls;

	program_grpc_options(program, (uint16_t)app->grpc_port, &options);
	options.message_max = GRPC_EDGE_MESSAGE_MAX;
	options.tls = program_grpc_tls(&app->grpc_tls, &tls);
	options.on_end = grpc_edge_on_end;
	options.on_end_arg = program->work_metrics;
	if (program_grpc_bind(&app->grpc, program, &options, reterr) !=
	    STATUS_OK) {
		return reterr->code;
	}
	app->edge.base = app->stock.edge.base;
	return grpc_edge_add(app->grpc.server, &app->edge, reterr);
}

static enum status_code serve_grpc(struct app *app, struct status *reterr)
{
	static const char *const services[] = { STOCK_ORDER_SERVICE_NAME,
						NULL };

	if (program_grpc_start(&app->grpc, services, reterr) != STATUS_OK) {
		return reterr->code;
	}
	log_write(LOG_INFO, NULL, NULL, "---Starting gRPC server on port %u---",
		  (unsigned)rpc_server_port(app->grpc.server));
	return STATUS_OK;
}

static enum status_code start(void *self, struct status *reterr)
{
	struct app *app = self;

	if (stock_bind(&app->stock, reterr) != STATUS_OK ||
	    bind_grpc(app, reterr) != STATUS_OK ||
	    stock_open(&app->stock, reterr) != STATUS_OK) {
		return reterr->code;
	}
	shutdown_add(app);
	if (serve_grpc(app, reterr) != STATUS_OK) {
		return reterr->code;
	}
	return stock_serve(&app->stock, reterr);
}

static void announce(void *self)
{
	const struct app *app = self;

	log_write(LOG_INFO, NULL,
		  LOG_FIELDS(LOG_INT("http_port",
				     http_server_port(app->stock.http.server)),
			     LOG_INT("grpc_port",
				     rpc_server_port(app->grpc.server)),
			     LOG_STR("db", app->stock.config.db),
			     LOG_INT("pid", getpid())),
		  "Ready");
}

static void stopped(void *self, int code)
{
	struct app *app = self;

	stock_stopped(&app->stock, code);
}

static void release(void *self)
{
	struct app *app = self;

	program_grpc_release(&app->grpc);
	stock_release(&app->stock);
}

int main(int argc, char **argv)
{
	static struct app app = { .stock.program = {
					  .name = "stock_demo_3",
					  .component = "STOCK",
					  .version = RESCIND_VERSION,
				  } };
	static const struct program_steps steps = {
		.parse = parse,
		.start = start,
		.announce = announce,
		.stopped = stopped,
		.release = release,
	};

	return program_run(&app.stock.program, &steps, &app, argc, argv);
}
