/*
 * Whether a client accepts JSON: it names application/json or
 * application/problem+json, or application/star, with a weight other than 0.
 * The closer name decides; a bare star/star says nothing.
 *
 *	struct http_accept accept = { 0 };
 *	http_accept_add(&accept, "text/plain, application/json;q=0.5");
 *	accept.json	// true
 */
#ifndef RESCIND_HTTP_MEDIA_H
#define RESCIND_HTTP_MEDIA_H

#include <stdbool.h>

struct http_accept {
	bool json;
	int closeness; /* of what decided so far */
};

/* Take one Accept field's value into account. */
void http_accept_add(struct http_accept *accept, const char *field);

#endif
