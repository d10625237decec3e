#include "config.h"

#include <string.h>

#include "stock_order/client/exit_code.h"

static const char notes[] =
	"Examples:\n"
	"  stock_client_grpc\n"
	"  stock_client_grpc create -symbol GOOGL -type LIMIT -price 150.75\n"
	"  stock_client_grpc list -limit 10 -jsonl | jq .id\n"
	"\n" CLIENT_EXIT_NOTES
	"  130, 143  SIGINT or SIGTERM came before the answer\n"
	"\n" CLIENT_RUN_NOTES;

static enum flags_outcome read_flags(struct config *c, int argc, char **argv,
				     struct status *reterr)
{
	const struct flag table[] = {
		FLAG_STRING("target", &c->target, "localhost:50051",
			    "host:port of the server"),
		CLIENT_TIMEOUT_FLAG(&c->timeout_ns, "each call"),
		CLIENT_TLS_FLAGS(&c->tls, "; turns TLS on"), FLAG_END
	};
	const struct flag run_table[] = { CLIENT_RUN_FLAGS(&c->pace),
					  CLIENT_ORDER_FLAGS(&c->order),
					  FLAG_END };
	const struct flag create_table[] = {
		CLIENT_ORDER_FLAGS(&c->order),
		FLAG_STRING("idempotency-key", &c->key, NULL,
			    "the same key gives the same order again"),
		FLAG_END
	};
	const struct flag list_table[] = {
		FLAG_UINT("limit", &c->limit, "0", 0, UINT64_MAX,
			  "orders at most; 0: all"),
		FLAG_BOOL("jsonl", &c->lines,
			  "an order a line instead of one array"),
		FLAG_END
	};
	const struct flag_argument id[] = {
		FLAG_ARGUMENT("ID", &c->id, "the order's id"), FLAG_ARGUMENT_END
	};
	const struct flags_command commands[] = {
		[COMMAND_RUN] = { "run",
				  "send an order a second until Ctrl-C, and "
				  "sum up",
				  run_table, NULL },
		[COMMAND_CREATE] = { "create", "create an order and print it",
				     create_table, NULL },
		[COMMAND_GET] = { "get", "print an order", NULL, id },
		[COMMAND_LIST] = { "list", "print the orders, newest first",
				   list_table, NULL },
		[COMMAND_CANCEL] = { "cancel",
				     "cancel an order that is pending", NULL,
				     id },
		[COMMAND_NR] = FLAGS_COMMAND_END,
	};
	const struct flags flags = {
		.program = "stock_client_grpc",
		.summary = "Sends, shows, lists and cancels stock orders "
			   "over gRPC.",
		.env_prefix = "STOCK_CLIENT_GRPC",
		.version = RESCIND_VERSION,
		.table = table,
		.notes = notes,
		.commands = commands,
		.fallback = "run",
		.command = &c->command,
	};

	return flags_parse(&flags, argc, argv, reterr);
}

static enum status_code check(struct config *c, struct status *reterr)
{
	if (c->key != NULL && c->key[0] == '\0') {
		c->key = NULL;
	}
	if (strchr(c->target, ':') == NULL) {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "-target: '%s' is not of the form host:port",
				  c->target);
	}
	return client_tls_check(&c->tls, reterr);
}

enum flags_outcome config_parse(struct config *config, int argc, char **argv,
				struct status *reterr)
{
	enum flags_outcome outcome = read_flags(config, argc, argv, reterr);

	if (outcome == FLAGS_RUN && check(config, reterr) != STATUS_OK) {
		return FLAGS_INVALID;
	}
	return outcome;
}
