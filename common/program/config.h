/*
 * The flags that all our servers have, and what has to be checked of them.
 *
 *	const struct flag table[] = {
 *		FLAG_UINT("port", &c->port, "8080", 0, 65535, "HTTP port"),
 *		PROGRAM_FLAGS(common, "requests", "503"),
 *		PROGRAM_SERVER_TLS_FLAGS(&c->tls, "", "HTTPS", "clients"),
 *		FLAG_END
 *	};
 */
#ifndef RESCIND_PROGRAM_CONFIG_H
#define RESCIND_PROGRAM_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "flags/flags.h"
#include "status/status.h"

struct program_config {
	const char *listen;
	uint64_t max_in_flight;
	int64_t shutdown_timeout_ns;
	int64_t drain_delay_ns;
	int log_format; /* enum log_format */
	int log_level;	/* enum log_level */
};

extern const char *const program_log_formats[];
extern const char *const program_log_levels[];

/* -log-format and -log-level, for programs that serve nobody. */
#define PROGRAM_LOG_FLAGS(config)                                              \
	FLAG_CHOICE("log-format", &(config)->log_format, "text",               \
		    program_log_formats, "how log lines look"),                \
		FLAG_CHOICE("log-level", &(config)->log_level, "info",         \
			    program_log_levels, "the least that is logged")

/* What is in flight are @things ("requests"); too many of them are refused with
 * @refusal ("503"). */
#define PROGRAM_FLAGS(config, things, refusal)                                 \
	FLAG_STRING("listen", &(config)->listen, "localhost",                  \
		    "address to listen on: localhost (both loopbacks), * "     \
		    "(all), or an address"),                                   \
		FLAG_UINT("max-in-flight", &(config)->max_in_flight, "4096",   \
			  1, 1000000,                                          \
			  things " at once; more are refused with " refusal),  \
		FLAG_DURATION("shutdown-timeout",                              \
			      &(config)->shutdown_timeout_ns, "30s",           \
			      "how long a stop waits for " things              \
			      " in flight before it cancels them"),            \
		FLAG_DURATION("drain-delay", &(config)->drain_delay_ns, "0s",  \
			      "how long a stop goes on accepting after it "    \
			      "turned not ready"),                             \
		PROGRAM_LOG_FLAGS(config)

/* ---- TLS ---------------------------------------------------------------- */

/* PEM file paths; NULL where not given. */
struct program_tls {
	const char *cert;
	const char *key;
	const char *ca;
};

/* Of a server: <prefix>tls-cert and so on turn @protocol on; @peers may have to
 * show certificates. */
#define PROGRAM_SERVER_TLS_FLAGS(tls, prefix, protocol, peers)                 \
	FLAG_STRING(prefix "tls-cert", &(tls)->cert, NULL,                     \
		    "PEM certificate of this server; turns " protocol " on"),  \
		FLAG_STRING(prefix "tls-key", &(tls)->key, NULL,               \
			    "PEM key of that certificate"),                    \
		FLAG_STRING(prefix "tls-ca", &(tls)->ca, NULL,                 \
			    "PEM authorities; " peers                          \
			    " must show a certificate that one of them "       \
			    "signed")

/*
 * Turn empty texts into NULL, and refuse what makes no sense: a certificate
 * without its key or the reverse and, on a server (whose @flag_prefix is "-tls"
 * or "-http-tls"), authorities without a certificate. INVALID_ARGUMENT names
 * the flags.
 */
MUSTCHECK enum status_code program_tls_check(struct program_tls *tls,
					     const char *flag_prefix,
					     bool server,
					     struct status *reterr);

/* ---- values ------------------------------------------------------------- */

/* A flag that was not given is an empty text; this makes NULL of it. */
const char *program_given(const char *text);

enum { PROGRAM_PORT_OFF = -1 };

/* A port, or "off" or nothing for PROGRAM_PORT_OFF. INVALID_ARGUMENT names
 * @flag ("-metrics-port"). */
MUSTCHECK enum status_code program_port_parse(const char *flag,
					      const char *text, int *ret_port,
					      struct status *reterr);

#endif
