/* Which handler serves which path. */
#ifndef RESCIND_HTTP_ROUTE_H
#define RESCIND_HTTP_ROUTE_H

#include <stddef.h>

#include "http/http.h"

enum {
	HTTP_CAPTURES_MAX = 8,
	HTTP_ALLOW_SIZE = 32, /* "GET, HEAD, POST, PUT, DELETE" */
};

struct http_route {
	unsigned methods;
	char *path;
	http_handler_fn handler;
	void *self;
};

struct http_routes {
	struct http_route *at;
	size_t nr;
};

/* The decoded {name} segments of a path, in the order of the route's. */
struct http_captures {
	const char *at[HTTP_CAPTURES_MAX];
	size_t nr;
};

void http_routes_add(struct http_routes *routes, unsigned methods,
		     const char *path, http_handler_fn handler, void *self);
void http_routes_release(struct http_routes *routes);

/*
 * Find the route of @method and @path (percent-encoded; its segments are cut
 * and decoded in place). NOT_FOUND: no such path. UNIMPLEMENTED: the path is
 * there, the method is not, and @ret_allow (HTTP_ALLOW_SIZE bytes) lists those
 * that are. INVALID_ARGUMENT: the path is badly encoded.
 */
MUSTCHECK enum status_code http_routes_find(const struct http_routes *routes,
					    const char *method, char *path,
					    const struct http_route **ret_route,
					    struct http_captures *ret_captures,
					    char *ret_allow,
					    struct status *reterr);

/* What @captures holds for @name of @route, or NULL. */
const char *http_captures_get(const struct http_captures *captures,
			      const struct http_route *route, const char *name);

#endif
