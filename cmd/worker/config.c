#include "config.h"

static enum flags_outcome read_flags(struct config *c,
				     struct program_config *common, int argc,
				     char **argv, struct status *reterr)
{
	const struct flag table[] = {
		FLAG_UINT("port", &c->port, "50051", 0, 65535,
			  "gRPC port; 0 picks a free one"),
		FLAG_STRING("db", &c->db, "./test_worker.db",
			    "database file; made when missing"),
		FLAG_DURATION("work", &c->work_ns, "3s",
			      "how long a task works before it commits"),
		PROGRAM_FLAGS(common, "calls", "RESOURCE_EXHAUSTED"),
		FLAG_STRING("metrics-port", &c->metrics_port_text, "off",
			    "HTTP port for /metrics, /healthz and /readyz; 0 "
			    "picks a free one"),
		PROGRAM_SERVER_TLS_FLAGS(&c->tls, "", "TLS", "callers"),
		FLAG_END
	};
	const struct flags flags = {
		.program = "worker",
		.summary =
			"A gRPC server whose tasks are transactions that end "
			"when their caller does.",
		.env_prefix = "WORKER",
		.version = RESCIND_VERSION,
		.table = table,
	};

	return flags_parse(&flags, argc, argv, reterr);
}

enum flags_outcome config_parse(struct config *config,
				struct program_config *common, int argc,
				char **argv, struct status *reterr)
{
	enum flags_outcome outcome =
		read_flags(config, common, argc, argv, reterr);

	if (outcome == FLAGS_RUN &&
	    (program_port_parse("-metrics-port", config->metrics_port_text,
				&config->metrics_port, reterr) != STATUS_OK ||
	     program_tls_check(&config->tls, "-tls", true, reterr) !=
		     STATUS_OK)) {
		return FLAGS_INVALID;
	}
	return outcome;
}
