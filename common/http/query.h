/*
 * Parameters of a query or of an application/x-www-form-urlencoded body.
 */
#ifndef RESCIND_HTTP_QUERY_H
#define RESCIND_HTTP_QUERY_H

#include <stddef.h>

#include "status/status.h"

enum { HTTP_PARAMS_MAX = 128 };

struct http_param {
	const char *name;
	const char *value;
};

struct http_params {
	struct http_param *at;
	size_t nr;
};

/*
 * Cut and decode @size bytes of @text in place; @text[@size] must be writable
 * and @text outlive @params. A name without '=' has the value "". Fails with
 * INVALID_ARGUMENT as http_percent_decode() does, or when there are more than
 * HTTP_PARAMS_MAX; @params is then empty.
 */
MUSTCHECK enum status_code http_params_parse(struct http_params *params,
					     char *text, size_t size,
					     struct status *reterr);
/* The first of that name, or NULL. */
const char *http_params_get(const struct http_params *params, const char *name);
void http_params_release(struct http_params *params);

#endif
