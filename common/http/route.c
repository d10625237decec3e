#include "http/route.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loop/bug.h"

enum { SEGMENTS_MAX = 16 };

/* A path cut at its slashes. */
struct segments {
	const char *at[SEGMENTS_MAX];
	size_t nr;
};

static const struct {
	const char *name;
	unsigned methods;
} methods[] = {
	{ "GET", HTTP_GET }, { "HEAD", HTTP_GET },	{ "POST", HTTP_POST },
	{ "PUT", HTTP_PUT }, { "DELETE", HTTP_DELETE },
};
enum { METHOD_NR = sizeof(methods) / sizeof(methods[0]) };

static unsigned method_bit(const char *name)
{
	for (size_t i = 0; i < METHOD_NR; i++) {
		if (strcmp(methods[i].name, name) == 0) {
			return methods[i].methods;
		}
	}
	return 0;
}

static void list_methods(unsigned bits, char *ret_allow)
{
	size_t at = 0;

	ret_allow[0] = '\0';
	for (size_t i = 0; i < METHOD_NR; i++) {
		if ((methods[i].methods & bits) != 0) {
			at += (size_t)snprintf(
				ret_allow + at, HTTP_ALLOW_SIZE - at, "%s%s",
				at > 0 ? ", " : "", methods[i].name);
		}
	}
}

/* ---- the table ---------------------------------------------------------- */

static size_t count_captures(const char *path)
{
	size_t nr = 0;

	for (const char *at = strstr(path, "/{"); at != NULL;
	     at = strstr(at + 1, "/{")) {
		nr++;
	}
	return nr;
}

void http_routes_add(struct http_routes *routes, unsigned bits,
		     const char *path, http_handler_fn handler, void *self)
{
	struct http_route *route;

	BUG_IF(path[0] != '/', "a route begins with a slash");
	BUG_IF(count_captures(path) > HTTP_CAPTURES_MAX,
	       "too many {names} in a route");
	routes->at =
		realloc(routes->at, (routes->nr + 1) * sizeof(routes->at[0]));
	BUG_IF(routes->at == NULL, "out of memory");
	route = &routes->at[routes->nr++];
	route->methods = bits;
	route->path = strdup(path);
	BUG_IF(route->path == NULL, "out of memory");
	route->handler = handler;
	route->self = self;
}

void http_routes_release(struct http_routes *routes)
{
	for (size_t i = 0; i < routes->nr; i++) {
		free(routes->at[i].path);
	}
	free(routes->at);
	routes->at = NULL;
	routes->nr = 0;
}

/* ---- matching ----------------------------------------------------------- */

/* Cut before decoding, so that an encoded slash stays part of its segment. */
static enum status_code cut(char *path, struct segments *ret_segments,
			    struct status *reterr)
{
	char *at = path;

	ret_segments->nr = 0;
	if (*at != '/') {
		return status_set(reterr, STATUS_NOT_FOUND,
				  "404 page not found");
	}
	while (at != NULL) {
		char *segment = at + 1;
		char *slash = strchr(segment, '/');
		size_t size = slash != NULL ? (size_t)(slash - segment)
					    : strlen(segment);

		if (ret_segments->nr == SEGMENTS_MAX) {
			return status_set(reterr, STATUS_NOT_FOUND,
					  "404 page not found");
		}
		if (http_percent_decode(segment, size, false, &size, reterr) !=
		    STATUS_OK) {
			return status_wrap(reterr, "path");
		}
		ret_segments->at[ret_segments->nr++] = segment;
		at = slash;
	}
	return STATUS_OK;
}

/* Whether @pattern is "/{name}", up to its next slash. */
static bool is_capture(const char *pattern, size_t size)
{
	return size > 2 && pattern[0] == '{' && pattern[size - 1] == '}';
}

static bool matches(const char *pattern, const struct segments *segments,
		    struct http_captures *ret_captures)
{
	ret_captures->nr = 0;
	for (size_t i = 0; i < segments->nr; i++) {
		const char *segment = segments->at[i];
		size_t size;

		if (*pattern != '/') {
			return false;
		}
		pattern++;
		size = strcspn(pattern, "/");
		if (is_capture(pattern, size) && segment[0] != '\0') {
			ret_captures->at[ret_captures->nr++] = segment;
		} else if (strlen(segment) != size ||
			   memcmp(segment, pattern, size) != 0) {
			return false;
		}
		pattern += size;
	}
	return *pattern == '\0';
}

enum status_code http_routes_find(const struct http_routes *routes,
				  const char *method, char *path,
				  const struct http_route **ret_route,
				  struct http_captures *ret_captures,
				  char *ret_allow, struct status *reterr)
{
	struct segments segments;
	unsigned bit = method_bit(method), allowed = 0;
	enum status_code code = cut(path, &segments, reterr);

	if (code != STATUS_OK) {
		return code;
	}
	for (size_t i = 0; i < routes->nr; i++) {
		const struct http_route *route = &routes->at[i];

		if (!matches(route->path, &segments, ret_captures)) {
			continue;
		}
		if ((route->methods & bit) != 0) {
			*ret_route = route;
			return STATUS_OK;
		}
		allowed |= route->methods;
	}
	if (allowed == 0) {
		return status_set(reterr, STATUS_NOT_FOUND,
				  "404 page not found");
	}
	list_methods(allowed, ret_allow);
	return status_set(reterr, STATUS_UNIMPLEMENTED,
			  "method not allowed here, but: %s", ret_allow);
}

const char *http_captures_get(const struct http_captures *captures,
			      const struct http_route *route, const char *name)
{
	const char *pattern = route->path;
	size_t size = strlen(name);

	for (size_t i = 0; i < captures->nr; i++) {
		pattern = strstr(pattern, "/{") + 2;
		if (strncmp(pattern, name, size) == 0 && pattern[size] == '}') {
			return captures->at[i];
		}
	}
	return NULL;
}
