#include "config.h"

#include <stdio.h>
#include <string.h>

static const char *const half_closes[] = { "abort", "probe", NULL };
static const char *const log_formats[] = { "text", "json", NULL };
static const char *const log_levels[] = { "debug", "info", "warn", "error",
					  NULL };

static enum flags_outcome read_flags(struct config *c, int argc, char **argv,
				     struct status *reterr)
{
	const struct flag table[] = {
		FLAG_UINT("http-port", &c->http_port, "8080", 0, 65535,
			  "HTTP port; 0 picks a free one"),
		FLAG_UINT("grpc-port", &c->grpc_port, "50051", 1, 65535,
			  "port of the worker on localhost"),
		FLAG_STRING("worker", &c->worker, NULL,
			    "host:port of the worker, instead of -grpc-port"),
		FLAG_STRING("listen", &c->listen, "localhost",
			    "address to listen on: localhost (both loopbacks), "
			    "* (all), or an address"),
		FLAG_STRING("db", &c->db, "./test_echo.db",
			    "database file; made when missing"),
		FLAG_DURATION("timeout", &c->timeout_ns, "10s",
			      "deadline of a request that asks for no less"),
		FLAG_CHOICE("half-close", &c->half_close, "abort", half_closes,
			    "what a FIN means: abort (the client left) or "
			    "probe (find out)"),
		FLAG_UINT("max-in-flight", &c->max_in_flight, "4096", 1,
			  1000000,
			  "requests at once; more are refused with 503"),
		FLAG_DURATION("shutdown-timeout", &c->shutdown_timeout_ns,
			      "30s",
			      "how long a stop waits for requests in flight "
			      "before it cancels them"),
		FLAG_DURATION("drain-delay", &c->drain_delay_ns, "0s",
			      "how long a stop goes on accepting after it "
			      "turned not ready"),
		FLAG_CHOICE("log-format", &c->log_format, "text", log_formats,
			    "how log lines look"),
		FLAG_CHOICE("log-level", &c->log_level, "info", log_levels,
			    "the least that is logged"),
		FLAG_STRING("tls-cert", &c->tls.cert, NULL,
			    "PEM certificate to show to the worker"),
		FLAG_STRING("tls-key", &c->tls.key, NULL,
			    "PEM key of that certificate"),
		FLAG_STRING("tls-ca", &c->tls.ca, NULL,
			    "PEM authorities that sign the worker's "
			    "certificate; turns TLS towards the worker on"),
		FLAG_STRING("http-tls-cert", &c->http_tls.cert, NULL,
			    "PEM certificate to show to clients; turns HTTPS "
			    "on"),
		FLAG_STRING("http-tls-key", &c->http_tls.key, NULL,
			    "PEM key of that certificate"),
		FLAG_STRING("http-tls-ca", &c->http_tls.ca, NULL,
			    "PEM authorities; clients must show a certificate "
			    "that one of them signed"),
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

/* A flag that was not given is an empty text; the libraries want NULL. */
static const char *given(const char *text)
{
	return text[0] != '\0' ? text : NULL;
}

static enum status_code check_tls(struct rpc_tls *tls, const char *prefix,
				  bool server, struct status *reterr)
{
	*tls = (struct rpc_tls){ given(tls->cert), given(tls->key),
				 given(tls->ca) };
	if ((tls->cert == NULL) != (tls->key == NULL)) {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "%s-cert and %s-key need each other", prefix,
				  prefix);
	}
	if (server && tls->ca != NULL && tls->cert == NULL) {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "%s-ca needs %s-cert and %s-key", prefix,
				  prefix, prefix);
	}
	return STATUS_OK;
}

static enum status_code check(struct config *c, struct status *reterr)
{
	c->worker = given(c->worker);
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
	if (check_tls(&c->tls, "-tls", false, reterr) != STATUS_OK) {
		return reterr->code;
	}
	return check_tls(&c->http_tls, "-http-tls", true, reterr);
}

enum flags_outcome config_parse(struct config *config, int argc, char **argv,
				struct status *reterr)
{
	enum flags_outcome outcome = read_flags(config, argc, argv, reterr);

	if (outcome == FLAGS_RUN && check(config, reterr) != STATUS_OK) {
		return FLAGS_INVALID;
	}
	return outcome;
}
