/* What the worker's flags say. */
#ifndef RESCIND_CMD_WORKER_CONFIG_H
#define RESCIND_CMD_WORKER_CONFIG_H

#include "program/config.h"

struct config {
	uint64_t port;
	const char *db;
	int64_t work_ns;
	const char *metrics_port_text;
	int metrics_port;	/* or PROGRAM_PORT_OFF */
	struct program_tls tls; /* cert NULL: plaintext */
};

/* Read flags and environment; @common are those of every program. */
MUSTCHECK enum flags_outcome config_parse(struct config *config,
					  struct program_config *common,
					  int argc, char **argv,
					  struct status *reterr);

#endif
