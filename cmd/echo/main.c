/* Echo: what it is made of and how that is wired. What an exchange is:
 * services/echo. */
#include <errno.h>
#include <semaphore.h>
#include <time.h>
#include <unistd.h>

#include "config.h"
#include "echo/grpc_worker.h"
#include "echo/http_edge.h"
#include "echo/store.h"
#include "log/log.h"
#include "program/program_db.h"
#include "program/program_grpc.h"
#include "program/program_http.h"
#include "twopc/keeper.h"

enum {
	OPENING_PATIENCE_S = 10,
	/* Transactions that are over, and not yet forgotten. */
	ENTRIES_SPARE = 100000,
};

struct app {
	struct config config;
	struct program program;
	struct program_http http;
	struct program_db db;
	struct rpc_poller *poller;
	struct rpc_tls tls;
	struct rpc_channel *channel;
	struct grpc_worker worker;
	struct twopc_keeper keeper;
	struct echo echo;
	struct http_edge edge;
	struct lifecycle_part *exchanges_part;
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

	if (program_db_check(&app->db, reterr) != STATUS_OK) {
		return reterr->code;
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

static void on_reached(void *arg)
{
	struct app *app = arg;

	twopc_keeper_reached(&app->keeper);
}

/* ---- the exchanges, as a part ------------------------------------------- */

static void keeper_drained(void *arg)
{
	struct app *app = arg;

	lifecycle_drained(app->exchanges_part);
}

/* What they left to be told goes to the worker now, if it is there. */
static void exchanges_drained(void *arg)
{
	struct app *app = arg;

	twopc_keeper_drain(&app->keeper, keeper_drained, app);
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
	twopc_keeper_stop(&app->keeper);
}

static void exchanges_close(void *self)
{
	struct app *app = self;

	grpc_worker_release(&app->worker);
	twopc_keeper_close(&app->keeper);
	echo_release(&app->echo);
	rpc_channel_free(app->channel);
	rpc_poller_free(app->poller);
	app->channel = NULL;
	app->poller = NULL;
}

/* ---- starting ----------------------------------------------------------- */

static enum status_code bind_http(struct app *app, struct status *reterr)
{
	struct http_options options;

	program_http_options(&app->program, (uint16_t)app->config.http_port,
			     &app->config.http_tls, &options);
	options.half_close = (enum http_half_close)app->config.half_close;
	options.on_end = http_edge_on_end;
	options.on_end_arg = app->program.work_metrics;
	if (program_http_bind(&app->http, &app->program, "HTTP", &options,
			      reterr) != STATUS_OK) {
		return reterr->code;
	}
	app->edge = (struct http_edge){ &app->echo, app->config.timeout_ns };
	http_edge_add(app->http.server, &app->edge);
	return STATUS_OK;
}

static enum status_code open_db(struct app *app, struct status *reterr)
{
	struct db_sqlite_options options;

	program_db_options(&app->program, app->config.db, &options);
	options.schema = echo_store_schema;
	options.staged_tables = echo_store_tables;
	options.statements = echo_store_statements;
	options.statements_n = ECHO_STORE_STMT_NR;
	return program_db_open(&app->db, &app->program, &options, reterr);
}

static enum status_code connect_worker(struct app *app, struct status *reterr)
{
	struct rpc_channel_options options;

	if (rpc_poller_new(&app->poller, reterr) != STATUS_OK) {
		return reterr->code;
	}
	rpc_channel_options_init(&options);
	options.target = app->config.worker;
	options.tls = program_grpc_tls(&app->config.tls, &app->tls);
	if (rpc_channel_new(app->poller, &options, &app->channel, reterr) !=
	    STATUS_OK) {
		return status_wrap(reterr, "worker");
	}
	grpc_worker_init(&app->worker, app->channel);
	return STATUS_OK;
}

struct opening {
	sem_t done;
	struct status status;
};

static void on_opened(const struct status *status, void *arg)
{
	struct opening *opening = arg;

	opening->status = *status;
	sem_post(&opening->done);
}

/*
 * Who we are and what was decided has to be known before the first request.
 * Nothing polls on this thread yet, so that it may wait; not for ever, where
 * another program keeps the database locked.
 */
static enum status_code await_opening(struct app *app, struct opening *opening,
				      struct status *reterr)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += OPENING_PATIENCE_S;
	while (sem_timedwait(&opening->done, &until) != 0) {
		if (errno == ETIMEDOUT) {
			twopc_keeper_stop(&app->keeper);
			sem_wait(&opening->done);
			return status_set(reterr, STATUS_UNAVAILABLE,
					  "database '%s': database is locked",
					  app->config.db);
		}
	}
	if (opening->status.code != STATUS_OK) {
		*reterr = opening->status;
		return status_wrap(reterr, "database '%s'", app->config.db);
	}
	return STATUS_OK;
}

static enum status_code open_keeper(struct app *app, struct status *reterr)
{
	const struct twopc_keeper_options options = {
		.root = app->program.root,
		.db = app->db.db,
		.base = ECHO_STORE_TWOPC,
		.peer = &app->worker.peer,
		.participant = app->config.worker,
		.entries_max = app->program.in_flight_max + ENTRIES_SPARE,
		.metrics = app->program.work_metrics,
		.take = exchange_take,
		.confirmed = exchange_confirmed,
	};
	struct opening opening = { .status = status_ok() };
	enum status_code code;

	sem_init(&opening.done, 0, 0);
	twopc_keeper_init(&app->keeper, &options);
	twopc_keeper_open(&app->keeper, on_opened, &opening);
	code = await_opening(app, &opening, reterr);
	sem_destroy(&opening.done);
	if (code == STATUS_OK) {
		twopc_keeper_watch(&app->keeper);
	}
	return code;
}

static void wire_echo(struct app *app)
{
	struct work_metrics *metrics = app->program.work_metrics;

	echo_init(&app->echo);
	app->echo.db = app->db.db;
	app->echo.worker = &app->worker.port;
	app->echo.metrics = metrics;
	app->echo.commit = (enum echo_commit)app->config.commit;
	app->echo.keeper = &app->keeper;
	/* Its own scope: what ends it ends what clients' scopes do not. */
	app->echo.root = ctx_new(app->program.root, CLOCK_NEVER);
	work_metrics_watch(metrics, "rescind_in_flight",
			   "Exchanges that are not over", read_in_flight, app);
}

static void add_parts(struct app *app)
{
	static const struct lifecycle_ops exchanges = {
		.drain = exchanges_drain,
		.cancel = exchanges_cancel,
		.close = exchanges_close,
	};

	program_db_add(&app->db, "database");
	app->exchanges_part = lifecycle_add(app->program.lifecycle,
					    "worker channel", &exchanges, app);
	program_http_add(&app->http, "HTTP server");
}

static enum status_code start(void *self, struct status *reterr)
{
	struct app *app = self;

	app->program.check = check;
	app->program.check_arg = app;
	/* First, so that a port that is taken is found before a database is
	 * made. */
	if (bind_http(app, reterr) != STATUS_OK ||
	    open_db(app, reterr) != STATUS_OK ||
	    connect_worker(app, reterr) != STATUS_OK ||
	    open_keeper(app, reterr) != STATUS_OK) {
		return reterr->code;
	}
	add_parts(app);
	wire_echo(app);
	twopc_keeper_start(&app->keeper);
	grpc_worker_keep_connected(&app->worker, app->program.loop, on_reached,
				   app);
	return http_server_start(app->http.server, reterr);
}

/* At any level: who started it has to learn the ports. */
static void announce(void *self)
{
	const struct app *app = self;

	log_write(LOG_INFO, NULL,
		  LOG_FIELDS(LOG_INT("http_port",
				     http_server_port(app->http.server)),
			     LOG_STR("worker", app->config.worker),
			     LOG_STR("db", app->config.db),
			     LOG_INT("pid", getpid())),
		  "Ready");
}

static void release(void *self)
{
	struct app *app = self;

	program_http_release(&app->http);
	exchanges_close(app);
	program_db_release(&app->db);
	twopc_keeper_release(&app->keeper);
	if (app->echo.root != NULL) {
		ctx_unref(app->echo.root);
	}
}

int main(int argc, char **argv)
{
	static struct app app = {
		.program = { .name = "echo",
			     .component = "ECHO",
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
