#include "config.h"

#include <stdio.h>
#include <string.h>

static const char *const half_closes[] = { "abort", "probe", NULL };
/* As enum echo_commit counts. */
static const char *const commits[] = { "two-phase", "one-phase", NULL };

static enum flags_outcome read_flags(struct config *c,
				     struct program_config *common, int argc,
				     char **argv, struct status *reterr)
{
	const struct flag table[] = {
		FLAG_UINT("http-port", &c->http_port, "8080", 0, 65535,
			  "HTTP port; 0 picks a free one"),
		FLAG_UINT("grpc-port", &c->grpc_port, "50051", 1, 65535,
			  "port of the worker on localhost"),
		FLAG_STRING("worker", &c->worker, NULL,
			    "host:port of the worker, instead of -grpc-port"),
		FLAG_STRING("db", &c->db, "./test_echo.db",
			    "database file; made when missing"),
		FLAG_DURATION("timeout", &c->timeout_ns, "10s",
			      "deadline of a request that asks for no less"),
		FLAG_CHOICE("half-close", &c->half_close, "abort", half_closes,
			    "what a FIN means: abort (the client left) or "
			    "probe (find out)"),
		FLAG_CHOICE("commit", &c->commit, "two-phase", commits,
			    "how both processes come to keep the same: "
			    "two-phase or, for workers that know only the "
			    "single call, one-phase"),
		PROGRAM_FLAGS(common, "requests", "503"),
		FLAG_STRING("tls-cert", &c->tls.cert, NULL,
			    "PEM certificate to show to the worker"),
		FLAG_STRING("tls-key", &c->tls.key, NULL,
			    "PEM key of that certificate"),
		FLAG_STRING("tls-ca", &c->tls.ca, NULL,
			    "PEM authorities that sign the worker's "
			    "certificate; turns TLS towards the worker on"),
		PROGRAM_SERVER_TLS_FLAGS(&c->http_tls, "http-", "HTTPS",
					 "clients"),
		FLAG_END
	};
	const struct flags flags = {
		.program = "echo",
		.summary = "An HTTP server whose requests are transactions, "
			   "here and in a worker, that end when their client "
			   "does.",
		.env_prefix = "ECHO",
		.version = RESCIND_VERSION,
		.table = table,
	};

	return flags_parse(&flags, argc, argv, reterr);
}

static enum status_code check(struct config *c, struct status *reterr)
{
	c->worker = program_given(c->worker);
	if (c->worker == NULL) {
		snprintf(c->worker_text, sizeof(c->worker_text), "localhost:%u",
			 (unsigned)c->grpc_port);
		c->worker = c->worker_text;
	}
	if (strchr(c->worker, ':') == NULL) {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "-worker: '%s' is not of the form host:port",
				  c->worker);
	}
	if (c->timeout_ns == 0) {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "-timeout must be more than 0");
	}
	if (program_tls_check(&c->tls, "-tls", false, reterr) != STATUS_OK) {
		return reterr->code;
	}
	return program_tls_check(&c->http_tls, "-http-tls", true, reterr);
}

enum flags_outcome config_parse(struct config *config,
				struct program_config *common, int argc,
				char **argv, struct status *reterr)
{
	enum flags_outcome outcome =
		read_flags(config, common, argc, argv, reterr);

	if (outcome == FLAGS_RUN && check(config, reterr) != STATUS_OK) {
		return FLAGS_INVALID;
	}
	return outcome;
}
