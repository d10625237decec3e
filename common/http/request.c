/* What a handler may ask of a request. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
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

const char *http_request_query(const struct http_request *request)
{
	return request->query_text != NULL
		       ? request->path + strlen(request->path) + 1
		       : NULL;
}

void http_request_remote(const struct http_request *request,
			 char ret_remote[HTTP_REMOTE_SIZE])
{
	const struct sockaddr *address =
		MHD_get_connection_info(request->mhd,
					MHD_CONNECTION_INFO_CLIENT_ADDRESS)
			->client_addr;
	const struct sockaddr_in *in4 = (const void *)address;
	const struct sockaddr_in6 *in6 = (const void *)address;
	bool is_6 = address->sa_family == AF_INET6;
	char host[INET6_ADDRSTRLEN];

	if (inet_ntop(address->sa_family,
		      is_6 ? (const void *)&in6->sin6_addr
			   : (const void *)&in4->sin_addr,
		      host, sizeof(host)) == NULL) {
		snprintf(ret_remote, HTTP_REMOTE_SIZE, "?");
		return;
	}
	snprintf(ret_remote, HTTP_REMOTE_SIZE, is_6 ? "[%s]:%u" : "%s:%u", host,
		 (unsigned)ntohs(is_6 ? in6->sin6_port : in4->sin_port));
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
