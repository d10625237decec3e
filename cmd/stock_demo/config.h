/*
 * The flags that the three programs share.
 *
 *	const struct flag table[] = {
 *		STOCK_FLAGS(c),
 *		PROGRAM_FLAGS(&stock->program.config, "requests", "503"),
 *		FLAG_END
 *	};
 */
#ifndef RESCIND_CMD_STOCK_DEMO_CONFIG_H
#define RESCIND_CMD_STOCK_DEMO_CONFIG_H

#include "program/config.h"

struct stock_config {
	uint64_t port;
	const char *db;
	int64_t timeout_ns;
	const char *fill_after;
	bool fills;
	int64_t fill_after_ns;
	struct program_tls tls;
};

/* The first letters of every variable that has no name of its own. */
#define STOCK_ENV "STOCK"

#define STOCK_FLAGS(config)                                                    \
	FLAG_UINT_ENV("port", &(config)->port, "8082", 0, 65535, "PORT",       \
		      "HTTP port; 0 picks a free one"),                        \
		FLAG_STRING("db", &(config)->db, "./stock_orders.db",          \
			    "database file; made when missing"),               \
		FLAG_DURATION_MIN("timeout", &(config)->timeout_ns, "10s",     \
				  NS_PER_MS,                                   \
				  "how long a request may take; a list that "  \
				  "is streamed may take longer"),              \
		FLAG_STRING("fill-after", &(config)->fill_after, "off",        \
			    "how long a market order is PENDING before it is " \
			    "filled in the background; off: until it is "      \
			    "cancelled"),                                      \
		PROGRAM_SERVER_TLS_FLAGS(&(config)->tls, "http-", "HTTPS",     \
					 "clients")

/* What flags_parse() does not check. INVALID_ARGUMENT names the flag. */
MUSTCHECK enum status_code stock_config_check(struct stock_config *config,
					      struct status *reterr);

#endif
