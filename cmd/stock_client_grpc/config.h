/* What stock_client_grpc's flags and arguments say. */
#ifndef RESCIND_CMD_STOCK_CLIENT_GRPC_CONFIG_H
#define RESCIND_CMD_STOCK_CLIENT_GRPC_CONFIG_H

#include "stock_order/client/client_flags.h"

enum command_id {
	COMMAND_RUN,
	COMMAND_CREATE,
	COMMAND_GET,
	COMMAND_LIST,
	COMMAND_CANCEL,
	COMMAND_NR,
};

struct config {
	size_t command; /* enum command_id */
	const char *target;
	int64_t timeout_ns;
	struct client_tls tls;
	struct client_pace pace;   /* run */
	struct client_order order; /* run, create */
	const char *key;	   /* create; NULL: none */
	uint64_t limit;		   /* list; 0: all */
	bool lines;		   /* list */
	const char *id;		   /* get, cancel */
};

/* Read flags, arguments and environment. */
MUSTCHECK enum flags_outcome config_parse(struct config *config, int argc,
					  char **argv, struct status *reterr);

#endif
