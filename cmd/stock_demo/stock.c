#include "stock.h"

#include <string.h>
#include <unistd.h>

#include "log/log.h"
#include "stock_order/adaptor/random_ids.h"
#include "stock_order/adaptor/system_clock.h"

/* ---- what is said ------------------------------------------------------- */

void stock_announce(void *self)
{
	struct stock *stock = self;

	log_write(LOG_INFO, NULL,
		  LOG_FIELDS(LOG_INT("http_port",
				     http_server_port(stock->http.server)),
			     LOG_STR("db", stock->config.db),
			     LOG_INT("pid", getpid())),
		  "Ready");
}

static void on_ready(bool ready, void *self)
{
	struct stock *stock = self;

	if (!ready) {
		stock->stopping = true;
		log_write(LOG_INFO, NULL, NULL,
			  "---Start Graceful shutdown---");
	}
}

void stock_stopped(void *self, int code)
{
	const struct stock *stock = self;

	if (stock->refused > 0) {
		log_info(
			NULL, LOG_FIELDS(LOG_INT("refused", stock->refused)),
			"requests were refused while the program was stopping");
	}
	if (stock->failed > 0) {
		log_warn(NULL, LOG_FIELDS(LOG_INT("failed", stock->failed)),
			 "requests failed while the program was stopping");
	}
	log_write(LOG_INFO, NULL, NULL,
		  code == 0 ? "---Graceful shutdown completed---"
			    : "---Shutdown forced---");
}

/* ---- what the parts ask back -------------------------------------------- */

static enum status_code check(void *self, struct status *reterr)
{
	struct stock *stock = self;

	return program_db_check(&stock->db, reterr);
}

static double read_live(void *self)
{
	const struct stock *stock = self;

	return (double)atomic_load(&stock->service.live);
}

/* What the stop costs: what was refused in order is no failure. */
static void count_loss(struct stock *stock, const struct http_end *end)
{
	if (end->refused) {
		stock->refused++;
	} else {
		stock->failed++;
	}
}

static void on_end(struct http_request *request, const struct http_end *end,
		   void *self)
{
	struct stock *stock = self;

	rest_edge_on_end(request, end, stock->program.work_metrics);
	if (stock->stopping && end->status >= 500 &&
	    strncmp(http_request_path(request), "/api/", 5) == 0) {
		count_loss(stock, end);
	}
}

/* ---- starting ----------------------------------------------------------- */

enum status_code stock_bind(struct stock *stock, struct status *reterr)
{
	struct program *program = &stock->program;
	struct http_options options;

	program_http_options(program, (uint16_t)stock->config.port,
			     &stock->config.tls, &options);
	options.error_style = HTTP_ERROR_JSON;
	options.on_end = on_end;
	options.on_end_arg = stock;
	if (program_http_bind(&stock->http, program, "HTTP", &options,
			      reterr) != STATUS_OK) {
		return reterr->code;
	}
	stock->edge.base = (struct order_edge){
		.service = &stock->service,
		.metrics = program->work_metrics,
		.timeout_ns = stock->config.timeout_ns,
	};
	rest_edge_add(stock->http.server, &stock->edge);
	return STATUS_OK;
}

enum status_code stock_open(struct stock *stock, struct status *reterr)
{
	struct program *program = &stock->program;
	struct db_sqlite_options options;

	program_db_options(program, stock->config.db, &options);
	options.schema = sqlite_orders_schema;
	options.statements = sqlite_orders_statements;
	options.statements_n = SQLITE_ORDERS_STATEMENT_NR;
	if (program_db_open(&stock->db, program, &options, reterr) !=
	    STATUS_OK) {
		return reterr->code;
	}
	sqlite_orders_init(&stock->orders, stock->db.db);
	order_service_init(&stock->service, &stock->orders.base, system_clock(),
			   random_ids());
	program->check = check;
	program->check_arg = stock;
	lifecycle_on_ready(program->lifecycle, on_ready, stock);
	work_metrics_watch(program->work_metrics, "rescind_in_flight",
			   "Requests not yet answered", read_live, stock);
	return STATUS_OK;
}

enum status_code stock_serve(struct stock *stock, struct status *reterr)
{
	struct http_server *server = stock->http.server;

	if (http_server_start(server, reterr) != STATUS_OK) {
		return reterr->code;
	}
	log_write(LOG_INFO, NULL, NULL, "---Starting HTTP server on port %u---",
		  (unsigned)http_server_port(server));
	stock_background_start(&stock->background, &stock->orders.base,
			       system_clock(), stock->config.fill_after_ns);
	return STATUS_OK;
}

/* ---- the end ------------------------------------------------------------ */

void stock_release(void *self)
{
	struct stock *stock = self;

	program_http_release(&stock->http);
	program_db_release(&stock->db);
	if (stock->orders.db != NULL) {
		sqlite_orders_release(&stock->orders);
	}
}
