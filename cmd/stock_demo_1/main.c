/* Orders over HTTP, with the basic shutdown: flags, parts, run, exit code. */
#include "shutdown.h"

static enum flags_outcome parse(void *self, int argc, char **argv,
				struct status *reterr)
{
	struct stock *stock = self;
	const struct flag table[] = { STOCK_FLAGS(&stock->config),
				      PROGRAM_FLAGS(&stock->program.config,
						    "requests", "503"),
				      FLAG_END };
	const struct flags flags = {
		.program = stock->program.name,
		.summary = "Stock orders over HTTP; server and database stop "
			   "side by side.",
		.env_prefix = STOCK_ENV,
		.version = RESCIND_VERSION,
		.table = table,
	};
	enum flags_outcome outcome = flags_parse(&flags, argc, argv, reterr);

	if (outcome == FLAGS_RUN &&
	    stock_config_check(&stock->config, reterr) != STATUS_OK) {
		return FLAGS_INVALID;
	}
	return outcome;
}

static enum status_code start(void *self, struct status *reterr)
{
	struct stock *stock = self;

	if (stock_bind(stock, reterr) != STATUS_OK ||
	    stock_open(stock, reterr) != STATUS_OK) {
		return reterr->code;
	}
	shutdown_add(stock);
	return stock_serve(stock, reterr);
}

int main(int argc, char **argv)
{
	static struct stock stock = { .program = {
					      .name = "stock_demo_1",
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

	return program_run(&stock.program, &steps, &stock, argc, argv);
}
