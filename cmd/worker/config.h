/* What the worker's flags say. */
#ifndef RESCIND_CMD_WORKER_CONFIG_H
#define RESCIND_CMD_WORKER_CONFIG_H

#include "flags/flags.h"
#include "rpc/rpc.h"

/* config.metrics_port: /metrics is not served. */
enum { METRICS_PORT_OFF = -1 };

struct config {
	uint64_t port;
	const char *listen;
	const char *db;
	int64_t work_ns;
	uint64_t max_in_flight;
	int64_t shutdown_timeout_ns;
	int64_t drain_delay_ns;
	int log_format; /* enum log_format */
	int log_level;	/* enum log_level */
	const char *metrics_port_text;
	long metrics_port;
	struct rpc_tls tls; /* cert NULL: plaintext */
};

/* Read flags and environment. */
MUSTCHECK enum flags_outcome config_parse(struct config *config, int argc,
					  char **argv, struct status *reterr);

#endif
