#include "config.h"

#include <string.h>

static const char notes[] =
	"commit and rollback do by hand what a coordinator does by itself as\n"
	"soon as it reaches the worker. They are for coordinators that will\n"
	"never come back, such as an echo whose database was deleted.\n";

static enum flags_outcome read_flags(struct config *c, int argc, char **argv,
				     struct status *reterr)
{
	const struct flag table[] = {
		FLAG_STRING("worker", &c->worker, "localhost:50051",
			    "host:port of the worker"),
		FLAG_STRING("coordinator", &c->coordinator, NULL,
			    "whose transactions: the UUID that list shows"),
		FLAG_DURATION("timeout", &c->timeout_ns, "5s",
			      "how long an answer may take"),
		FLAG_STRING("tls-cert", &c->tls.cert, NULL,
			    "PEM certificate to show to the worker"),
		FLAG_STRING("tls-key", &c->tls.key, NULL,
			    "PEM key of that certificate"),
		FLAG_STRING("tls-ca", &c->tls.ca, NULL,
			    "PEM authorities that sign the worker's "
			    "certificate; turns TLS on"),
		FLAG_END
	};
	const struct flag list_table[] = {
		FLAG_BOOL("all", &c->all,
			  "not only what is in doubt: also what was resolved "
			  "and is not forgotten"),
		FLAG_BOOL("json", &c->json, "as JSON, not as a table"),
		FLAG_STRING("echo", &c->echo, NULL,
			    "URL of an echo, http://host:port, to be asked "
			    "what it has decided and not heard confirmed"),
		FLAG_END
	};
	const struct flag resolve_table[] = {
		FLAG_BOOL("force", &c->force,
			  "really do it, against the coordinator if need be"),
		FLAG_END
	};
	const struct flag_argument id[] = {
		FLAG_ARGUMENT("ID", &c->id, "the transaction's id"),
		FLAG_ARGUMENT_END
	};
	const struct flags_command commands[] = {
		{ "list", "show what is in doubt", list_table, NULL },
		{ "commit", "keep what is prepared", resolve_table, id },
		{ "rollback", "drop what is prepared", resolve_table, id },
		FLAGS_COMMAND_END
	};
	const struct flags flags = {
		.program = "transactions",
		.summary = "Shows the transactions that a worker holds "
			   "prepared, and resolves them by hand.",
		.env_prefix = "TRANSACTIONS",
		.version = RESCIND_VERSION,
		.table = table,
		.notes = notes,
		.commands = commands,
		.fallback = "list",
		.command = &c->command,
	};

	return flags_parse(&flags, argc, argv, reterr);
}

static const char *given(const char *text)
{
	return text != NULL && text[0] != '\0' ? text : NULL;
}

static enum status_code check_echo(struct config *c, struct status *reterr)
{
	static const char scheme[] = "http://";
	size_t size;

	c->echo = given(c->echo);
	if (c->echo == NULL) {
		return STATUS_OK;
	}
	if (strncmp(c->echo, scheme, strlen(scheme)) == 0) {
		c->echo += strlen(scheme);
	}
	size = strlen(c->echo);
	if (strchr(c->echo, ':') == NULL || strchr(c->echo, ' ') != NULL ||
	    strcspn(c->echo, "/?#") < size) {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "-echo must be of the form http://host:port");
	}
	return STATUS_OK;
}

static enum status_code check(struct config *c, struct status *reterr)
{
	c->tls = (struct rpc_tls){ given(c->tls.cert), given(c->tls.key),
				   given(c->tls.ca) };
	c->coordinator = c->coordinator != NULL ? c->coordinator : "";
	if ((c->tls.cert == NULL) != (c->tls.key == NULL)) {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "-tls-cert and -tls-key need each other");
	}
	if (c->command != COMMAND_LIST && c->coordinator[0] == '\0') {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "-coordinator is needed: ids are unique for "
				  "one coordinator alone");
	}
	return check_echo(c, reterr);
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
