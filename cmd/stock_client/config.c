#include "config.h"

#include "stock_order/client/exit_code.h"

static const char notes[] =
	"Examples:\n"
	"  stock_client\n"
	"  stock_client -count 1 -type LIMIT -side SELL -symbol GOOGL "
	"-quantity 50 -price 150.75\n"
	"  stock_client -interval 0 -count 1000 -idempotency | grep failed\n"
	"\n" CLIENT_EXIT_NOTES "\n" CLIENT_RUN_NOTES;

static enum flags_outcome read_flags(struct config *c, int argc, char **argv,
				     struct status *reterr)
{
	const struct flag table[] = {
		FLAG_STRING("url", &c->url, "http://localhost:8082",
			    "address of the server"),
		CLIENT_RUN_FLAGS(&c->pace),
		CLIENT_ORDER_FLAGS(&c->order),
		CLIENT_TIMEOUT_FLAG(&c->timeout_ns, "an order"),
		CLIENT_TLS_FLAGS(&c->tls, ", for https; else the system's"),
		FLAG_END
	};
	const struct flags flags = {
		.program = "stock_client",
		.summary = "Posts a stock order a second to a REST server, "
			   "until Ctrl-C, and sums up.",
		.env_prefix = "STOCK_CLIENT",
		.version = RESCIND_VERSION,
		.table = table,
		.notes = notes,
	};

	return flags_parse(&flags, argc, argv, reterr);
}

enum flags_outcome config_parse(struct config *config, int argc, char **argv,
				struct status *reterr)
{
	enum flags_outcome outcome = read_flags(config, argc, argv, reterr);

	if (outcome == FLAGS_RUN &&
	    client_tls_check(&config->tls, reterr) != STATUS_OK) {
		return FLAGS_INVALID;
	}
	return outcome;
}
