/*
 * What a worker holds in doubt, and what an echo has not heard confirmed: shows
 * it and, with -force, resolves it by hand.
 *
 * Exit codes: 0 done, 1 refused or not reached, 2 usage.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "show.h"
#include "worker_client.h"

enum { EXIT_USAGE = 2 };

static const char danger[] =
	"transactions: not done without -force.\n"
	"\n"
	"The coordinator of this transaction may have decided otherwise, or "
	"may "
	"yet do\n"
	"so: if it did, one database keeps what the other has dropped, and "
	"nothing will\n"
	"ever mend that. It resolves what is in doubt by itself as soon as it "
	"reaches the\n"
	"worker. Do this only if it will never come back: its database was "
	"deleted, say.\n"
	"What it has decided is in the table twopc_decisions of that database: "
	"commit what\n"
	"is there, roll back what is not.\n";

struct search {
	const char *id;
	bool found;
};

static bool look(const struct worker_transaction *transaction, void *arg)
{
	struct search *search = arg;

	search->found = strcmp(transaction->id, search->id) == 0;
	return !search->found;
}

/* So that a mistyped id does no harm: even a rollback leaves a trace. */
static enum status_code check_in_doubt(struct worker_client *client,
				       const struct config *config,
				       struct status *reterr)
{
	struct search search = { .id = config->id };

	if (worker_client_list(client, config->coordinator, true, look, &search,
			       reterr) != STATUS_OK) {
		return reterr->code;
	}
	if (!search.found) {
		return status_set(reterr, STATUS_NOT_FOUND,
				  "no transaction %s of coordinator %s is in "
				  "doubt",
				  config->id, config->coordinator);
	}
	return STATUS_OK;
}

static enum status_code resolve(struct worker_client *client,
				const struct config *config,
				struct status *reterr)
{
	bool commit = config->command == COMMAND_COMMIT;

	if (check_in_doubt(client, config, reterr) != STATUS_OK ||
	    worker_client_resolve(client, config->coordinator, config->id,
				  commit, reterr) != STATUS_OK) {
		return status_wrap(reterr, "worker at %s", config->worker);
	}
	printf("%s: %s\n", config->id, commit ? "committed" : "rolled back");
	return STATUS_OK;
}

static enum status_code run(const struct config *config, struct status *reterr)
{
	const struct rpc_tls *tls =
		config->tls.ca != NULL || config->tls.cert != NULL
			? &config->tls
			: NULL;
	struct worker_client client;
	enum status_code code = worker_client_open(&client, config->worker, tls,
						   config->timeout_ns, reterr);

	if (code == STATUS_OK) {
		code = config->command == COMMAND_LIST
			       ? show_all(&client, config, reterr)
			       : resolve(&client, config, reterr);
	}
	worker_client_close(&client);
	return code;
}

int main(int argc, char **argv)
{
	static struct config config;
	struct status status;

	switch (config_parse(&config, argc, argv, &status)) {
	case FLAGS_EXIT:
		return EXIT_SUCCESS;
	case FLAGS_INVALID:
		fprintf(stderr, "transactions: %s\n", status.message);
		return EXIT_USAGE;
	case FLAGS_RUN:
		break;
	}
	if (config.command != COMMAND_LIST && !config.force) {
		fputs(danger, stderr);
		return EXIT_FAILURE;
	}
	if (run(&config, &status) != STATUS_OK) {
		fprintf(stderr, "transactions: %s\n", status.message);
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}
