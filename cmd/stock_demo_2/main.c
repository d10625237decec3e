/*
 * Orders over HTTP, with a shutdown that is wrong: flags, parts, run, exit
 * code.
 */
#include "app.h"

static enum status_code check(struct app *app, struct status *reterr)
{
	int64_t timeout_ns = app->stock.program.config.shutdown_timeout_ns;

	if (app->database_after_ns >= timeout_ns ||
	    app->http_after_ns >= timeout_ns) {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "-db-close-after and -http-stop-after must "
				  "be less than -shutdown-timeout");
	}
	return stock_config_check(&app->stock.config, reterr);
}

static enum flags_outcome parse(void *self, int argc, char **argv,
				struct status *reterr)
{
	struct app *app = self;
	struct stock *stock = &app->stock;
	const struct flag table[] = {
		STOCK_FLAGS(&stock->config),
		FLAG_DURATION("db-close-after", &app->database_after_ns, "5s",
			      "how long after the signal the database closes"),
		FLAG_DURATION("http-stop-after", &app->http_after_ns, "10s",
			      "how long after the signal the HTTP server stops "
			      "accepting"),
		PROGRAM_FLAGS(&stock->program.config, "requests", "503"),
		FLAG_END
	};
	const struct flags flags = {
		.program = stock->program.name,
		.summary = "Stock orders over HTTP; the database stops before "
			   "the server does, which is wrong.",
		.env_prefix = STOCK_ENV,
		.version = RESCIND_VERSION,
		.table = table,
	};
	enum flags_outcome outcome = flags_parse(&flags, argc, argv, reterr);

	if (outcome == FLAGS_RUN && check(app, reterr) != STATUS_OK) {
		return FLAGS_INVALID;
	}
	return outcome;
}

static enum status_code start(void *self, struct status *reterr)
{
	struct app *app = self;

	if (stock_bind(&app->stock, reterr) != STATUS_OK ||
	    stock_open(&app->stock, reterr) != STATUS_OK) {
		return reterr->code;
	}
	shutdown_add(app);
	return stock_serve(&app->stock, reterr);
}

int main(int argc, char **argv)
{
	static struct app app = { .stock.program = {
					  .name = "stock_demo_2",
					  .component = "STOCK",
					  .version = RESCIND_VERSION,
				  } };
	static const struct program_steps steps = {
		.parse = parse,
		.start = start,
		.announce = stock_announce,
		.stopped = stock_stopped,
		.release = stock_release,
	};

	return program_run(&app.stock.program, &steps, &app, argc, argv);
}
