/* What echo's flags say. */
#ifndef RESCIND_CMD_ECHO_CONFIG_H
#define RESCIND_CMD_ECHO_CONFIG_H

#include "program/config.h"

struct config {
	uint64_t http_port;
	uint64_t grpc_port;
	const char *worker; /* host:port; made of grpc_port where not given */
	char worker_text[32];
	const char *db;
	int64_t timeout_ns;
	int half_close; /* enum http_half_close */
	int commit;	/* enum echo_commit */
	/* Towards the worker; all NULL: plaintext. */
	struct program_tls tls;
	/* Towards the clients; cert NULL: plaintext. */
	struct program_tls http_tls;
};

/* Read flags and environment; @common are those of every program. */
MUSTCHECK enum flags_outcome config_parse(struct config *config,
					  struct program_config *common,
					  int argc, char **argv,
					  struct status *reterr);

#endif
