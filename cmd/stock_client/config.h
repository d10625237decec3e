/* What stock_client's flags say. */
#ifndef RESCIND_CMD_STOCK_CLIENT_CONFIG_H
#define RESCIND_CMD_STOCK_CLIENT_CONFIG_H

#include "stock_order/client/client_flags.h"

struct config {
	const char *url;
	int64_t timeout_ns;
	struct client_pace pace;
	struct client_order order;
	struct client_tls tls;
};

/* Read flags and environment. */
MUSTCHECK enum flags_outcome config_parse(struct config *config, int argc,
					  char **argv, struct status *reterr);

#endif
