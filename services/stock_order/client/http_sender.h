/*
 * The order_sender over REST: POST <url>/api/orders with a JSON body.
 *
 * Connections are kept and used again. A request whose body is on its way is
 * not repeated on another connection when its own is lost, unless it has a key:
 * the server may have taken the order. No proxy is used, no redirect followed.
 */
#ifndef RESCIND_STOCK_ORDER_CLIENT_HTTP_SENDER_H
#define RESCIND_STOCK_ORDER_CLIENT_HTTP_SENDER_H

#include "stock_order/client/order_sender.h"

struct http_sender_options {
	const char *url; /* "http://localhost:8082", with or without '/' */
	const char *user_agent;
	/* PEM files; NULL: the system's authorities, no certificate of ours. */
	const char *tls_ca;
	const char *tls_cert;
	const char *tls_key;
};

struct http_sender;

/* Options are copied. INVALID_ARGUMENT: @options->url is no http:// or https://
 * address, or has a query or a fragment. */
MUSTCHECK enum status_code
http_sender_new(struct loop *loop, const struct http_sender_options *options,
		struct http_sender **ret_sender, struct status *reterr);
/* Nothing may be under way. NULL is fine. */
void http_sender_free(struct http_sender *sender);

struct order_sender *http_sender_port(struct http_sender *sender);

#endif
