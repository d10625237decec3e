/*
 * The flags that the clients share: the order, the run, TLS.
 *
 *	const struct flag table[] = {
 *		CLIENT_ORDER_FLAGS(&c->order),
 *		CLIENT_RUN_FLAGS(&c->run),
 *		FLAG_END
 *	};
 */
#ifndef RESCIND_STOCK_ORDER_CLIENT_CLIENT_FLAGS_H
#define RESCIND_STOCK_ORDER_CLIENT_CLIENT_FLAGS_H

#include "flags/flags.h"
#include "stock_order/client/order_run.h"

/* ---- the order ---------------------------------------------------------- */

struct client_order {
	const char *symbol;
	int type; /* index into client_order_types */
	int side;
	uint64_t quantity;
	double price;
};

extern const char *const client_order_types[];
extern const char *const client_order_sides[];

#define CLIENT_ORDER_FLAGS(o)                                                  \
	FLAG_STRING("symbol", &(o)->symbol, "AAPL", "what to trade"),          \
		FLAG_CHOICE("type", &(o)->type, "MARKET", client_order_types,  \
			    "kind of order; LIMIT needs -price"),              \
		FLAG_CHOICE("side", &(o)->side, "BUY", client_order_sides,     \
			    "side of the trade"),                              \
		FLAG_UINT("quantity", &(o)->quantity, "100", 1,                \
			  ORDER_QUANTITY_MAX, "how many"),                     \
		FLAG_DECIMAL("price", &(o)->price, "0",                        \
			     "price of a LIMIT order; 0: none")

/* Its texts are the flags'. Whether it can be ordered the server says. */
struct order_draft client_order_draft(const struct client_order *order);

/* ---- the run ------------------------------------------------------------ */

struct client_pace {
	int64_t interval_ns;
	uint64_t count;
	bool keys;
};

#define CLIENT_RUN_FLAGS(p)                                                    \
	FLAG_DURATION("interval", &(p)->interval_ns, "1s",                     \
		      "from one order to the next; 0: at once"),               \
		FLAG_UINT("count", &(p)->count, "0", 0, UINT64_MAX,            \
			  "orders to send; 0: until Ctrl-C"),                  \
		FLAG_BOOL("idempotency", &(p)->keys,                           \
			  "send a fresh idempotency key with each order")

/* For the end of -help, behind CLIENT_EXIT_NOTES. */
#define CLIENT_RUN_NOTES                                                       \
	"A run may be ended by Ctrl-C, SIGTERM or SIGHUP at any time; it has " \
	"failed if one of\n"                                                   \
	"its orders has. If none was accepted and all failed alike, the "      \
	"code says how.\n"                                                     \
	"A second signal ends it there and then (130, 143).\n"

/* ---- TLS ---------------------------------------------------------------- */

/* PEM files; NULL where not given, once client_tls_check() has looked. */
struct client_tls {
	const char *ca;
	const char *cert;
	const char *key;
};

#define CLIENT_TLS_FLAGS(t, when)                                              \
	FLAG_STRING(                                                           \
		"tls-ca", &(t)->ca, NULL,                                      \
		"PEM authorities that sign the server's certificate" when),    \
		FLAG_STRING("tls-cert", &(t)->cert, NULL,                      \
			    "PEM certificate to show to the server"),          \
		FLAG_STRING("tls-key", &(t)->key, NULL,                        \
			    "PEM key of that certificate")

/* INVALID_ARGUMENT where a certificate lacks its key, a key its certificate, or
 * a file can't be read. */
MUSTCHECK enum status_code client_tls_check(struct client_tls *tls,
					    struct status *reterr);

/* ---- time --------------------------------------------------------------- */

#define CLIENT_TIMEOUT_FLAG(t, what)                                           \
	{                                                                      \
		.name = "timeout", .type = FLAG_TYPE_DURATION, .value = (t),   \
		.fallback = "10s", .min = NS_PER_MS,                           \
		.help = "how long to wait for the answer to " what             \
	}

#endif
