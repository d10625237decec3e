/* What a handler may ask of a request. */
#include <string.h>

#include "http/internal.h"
#include "http/media.h"

struct ctx *http_request_ctx(struct http_request *request)
{
	return request->ctx;
}

const char *http_request_method(const struct http_request *request)
{
	return request->method;
}

const char *http_request_path(const struct http_request *request)
{
	return request->path;
}

const char *http_request_segment(struct http_request *request, const char *name)
{
	return http_captures_get(&request->captures, request->route, name);
}

const char *http_request_header(struct http_request *request, const char *name)
{
	return MHD_lookup_connection_value(request->mhd, MHD_HEADER_KIND, name);
}

const char *http_request_param(struct http_request *request, const char *name)
{
	const char *value = http_params_get(&request->query, name);

	return value != NULL ? value
			     : http_params_get(&request->form_params, name);
}

const char *http_request_body(const struct http_request *request,
			      size_t *ret_size)
{
	*ret_size = request->body_size;
	return request->body != NULL ? request->body : "";
}

static enum MHD_Result add_accept(void *arg, enum MHD_ValueKind kind,
				  const char *key, size_t key_size,
				  const char *value, size_t value_size)
{
	(void)kind;
	(void)value_size;
	if (key_size == sizeof("Accept") - 1 && value != NULL &&
	    strcasecmp(key, "Accept") == 0) {
		http_accept_add(arg, value);
	}
	return MHD_YES;
}

bool http_request_accepts_json(struct http_request *request)
{
	struct http_accept accept = { 0 };

	MHD_get_connection_values_n(request->mhd, MHD_HEADER_KIND, add_accept,
				    &accept);
	return accept.json;
}
