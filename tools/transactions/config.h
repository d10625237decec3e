/* What the flags of transactions say. */
#ifndef RESCIND_TOOLS_TRANSACTIONS_CONFIG_H
#define RESCIND_TOOLS_TRANSACTIONS_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "flags/flags.h"
#include "rpc/rpc.h"

enum command { COMMAND_LIST, COMMAND_COMMIT, COMMAND_ROLLBACK };

struct config {
	size_t command; /* enum command */
	const char *worker;
	int64_t timeout_ns;
	struct rpc_tls tls; /* all NULL: plaintext */
	/* list */
	bool all;
	bool json;
	const char *echo; /* "host:port", NULL: not asked */
	/* all: list those of one alone; the others: whose it is */
	const char *coordinator; /* "" where not given */
	/* commit, rollback */
	const char *id;
	bool force;
};

MUSTCHECK enum flags_outcome config_parse(struct config *config, int argc,
					  char **argv, struct status *reterr);

#endif
