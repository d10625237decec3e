#include "config.h"

#include <stdlib.h>
#include <string.h>

static const char *const log_formats[] = { "text", "json", NULL };
static const char *const log_levels[] = { "debug", "info", "warn", "error",
					  NULL };

static enum flags_outcome read_flags(struct config *c, int argc, char **argv,
				     struct status *reterr)
{
	const struct flag table[] = {
		FLAG_UINT("port", &c->port, "50051", 0, 65535,
			  "gRPC port; 0 picks a free one"),
		FLAG_STRING("listen", &c->listen, "localhost",
			    "address to listen on: localhost (both loopbacks), "
			    "* (all), or an address"),
		FLAG_STRING("db", &c->db, "./test_worker.db",
			    "database file; made when missing"),
		FLAG_DURATION("work", &c->work_ns, "3s",
			      "how long a task works before it commits"),
		FLAG_UINT("max-in-flight", &c->max_in_flight, "4096", 1,
			  1000000,
			  "calls at once; more are refused with "
			  "RESOURCE_EXHAUSTED"),
		FLAG_DURATION(
			"shutdown-timeout", &c->shutdown_timeout_ns, "30s",
			"how long a stop waits for calls in flight before "
			"it cancels them"),
		FLAG_DURATION("drain-delay", &c->drain_delay_ns, "0s",
			      "how long a stop goes on accepting after it "
			      "turned not ready"),
		FLAG_CHOICE("log-format", &c->log_format, "text", log_formats,
			    "how log lines look"),
		FLAG_CHOICE("log-level", &c->log_level, "info", log_levels,
			    "the least that is logged"),
		FLAG_STRING("metrics-port", &c->metrics_port_text, "off",
			    "HTTP port for /metrics, /healthz and /readyz; 0 "
			    "picks a free one"),
		FLAG_STRING("tls-cert", &c->tls.cert, NULL,
			    "PEM certificate of this server; turns TLS on"),
		FLAG_STRING("tls-key", &c->tls.key, NULL,
			    "PEM key of that certificate"),
		FLAG_STRING("tls-ca", &c->tls.ca, NULL,
			    "PEM authorities; callers must show a certificate "
			    "that one of them signed"),
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

static enum status_code read_metrics_port(struct config *c,
					  struct status *reterr)
{
	const char *text = c->metrics_port_text;
	char *end;

	c->metrics_port = METRICS_PORT_OFF;
	if (text[0] == '\0' || strcmp(text, "off") == 0) {
		return STATUS_OK;
	}
	c->metrics_port = strtol(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end != '\0' ||
	    c->metrics_port > 65535) {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "-metrics-port: '%s' is neither a port nor "
				  "off",
				  text);
	}
	return STATUS_OK;
}

/* A flag that was not given is an empty text; the library wants NULL. */
static const char *given(const char *text)
{
	return text[0] != '\0' ? text : NULL;
}

static enum status_code check_tls(struct config *c, struct status *reterr)
{
	c->tls = (struct rpc_tls){ given(c->tls.cert), given(c->tls.key),
				   given(c->tls.ca) };
	if ((c->tls.cert == NULL) != (c->tls.key == NULL)) {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "-tls-cert and -tls-key need each other");
	}
	if (c->tls.ca != NULL && c->tls.cert == NULL) {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "-tls-ca needs -tls-cert and -tls-key");
	}
	return STATUS_OK;
}

enum flags_outcome config_parse(struct config *config, int argc, char **argv,
				struct status *reterr)
{
	enum flags_outcome outcome = read_flags(config, argc, argv, reterr);

	if (outcome == FLAGS_RUN &&
	    (read_metrics_port(config, reterr) != STATUS_OK ||
	     check_tls(config, reterr) != STATUS_OK)) {
		return FLAGS_INVALID;
	}
	return outcome;
}
