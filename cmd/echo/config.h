/* What echo's flags say. */
#ifndef RESCIND_CMD_ECHO_CONFIG_H
#define RESCIND_CMD_ECHO_CONFIG_H

#include "flags/flags.h"
#include "rpc/rpc.h"

struct config {
	uint64_t http_port;
	uint64_t grpc_port;
	const char *worker; /* host:port; made of grpc_port where not given */
	char worker_text[32];
	const char *listen;
	const char *db;
	int64_t timeout_ns;
	int half_close; /* enum http_half_close */
	uint64_t max_in_flight;
	int64_t shutdown_timeout_ns;
	int64_t drain_delay_ns;
	int log_format; /* enum log_format */
	int log_level;	/* enum log_level */
	/* Towards the worker; all NULL: plaintext. */
	struct rpc_tls tls;
	/* Towards the clients; cert NULL: plaintext. */
	struct rpc_tls http_tls;
};

/* Read flags and environment. */
MUSTCHECK enum flags_outcome config_parse(struct config *config, int argc,
					  char **argv, struct status *reterr);

#endif
