/*
 * How a request arrives.
 *
 * Libmicrohttpd calls http_request_begin() with the request line, then
 * http_request_access() once with the header, once for each piece of body, and
 * once at the end; after a suspended connection was resumed it makes that last
 * call again, and there the answer is handed over.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "http/internal.h"

/* ---- the request line --------------------------------------------------- */

/* "http://host/path" is a form that servers must take, too (RFC 9112, 3.2.2).
 */
static const char *skip_authority(const char *uri)
{
	const char *host = NULL;

	if (strncasecmp(uri, "http://", 7) == 0) {
		host = uri + 7;
	} else if (strncasecmp(uri, "https://", 8) == 0) {
		host = uri + 8;
	}
	if (host == NULL) {
		return uri;
	}
	host += strcspn(host, "/?");
	return *host == '/' ? host : "/";
}

static struct http_refusal refusal_of(int http_status, const char *text)
{
	return (struct http_refusal){ http_status, STATUS_INVALID_ARGUMENT,
				      text };
}

void *http_request_begin(void *arg, const char *uri, struct MHD_Connection *mhd)
{
	struct http_server *server = arg;
	struct http_connection *connection = http_connection_of(mhd);
	const char *from = uri != NULL ? skip_authority(uri) : "";
	size_t size = strlen(from);
	size_t kept = size <= HTTP_URL_MAX ? size : 0;
	struct http_request *request =
		calloc(1, sizeof(*request) + 2 * (kept + 1));

	BUG_IF(request == NULL, "out of memory");
	http_request_forget(connection->begun);
	connection->begun = request;
	request->server = server;
	request->connection = connection;
	request->mhd = mhd;
	request->begun_ns = clock_now_ns();
	request->version_at = uri != NULL ? uri + strlen(uri) + 1 : NULL;
	request->blank_in_url = strchr(from, ' ') != NULL;
	request->answer_task.fn = http_request_on_answer;
	request->target = request->path + kept + 1;
	memcpy(request->target, from, kept);
	request->query_text = strchr(request->target, '?');
	if (request->query_text != NULL) {
		*request->query_text++ = '\0';
	}
	memcpy(request->path, request->target, strlen(request->target));
	if (size > HTTP_URL_MAX) {
		request->refusal =
			refusal_of(MHD_HTTP_URI_TOO_LONG,
				   "the URL is longer than 8000 bytes");
	}
	http_guard_join(&connection->guard, &server->receiving,
			request->begun_ns);
	return request;
}

/* ---- the header --------------------------------------------------------- */

static struct ctx *make_ctx(struct http_request *request,
			    const struct http_fields *fields)
{
	struct ctx *ctx = ctx_new(request->server->root, CLOCK_NEVER);
	struct trace trace = trace_continue(fields->traceparent);
	char id[HTTP_REQUEST_ID_MAX + 1];

	ctx_set_trace(ctx, &trace);
	if (fields->request_id != NULL) {
		http_request_id_clean(fields->request_id, id);
		ctx_set_request_id(ctx, id);
	}
	return ctx;
}

static bool is_form(const char *content_type)
{
	static const char form[] = "application/x-www-form-urlencoded";
	size_t size = sizeof(form) - 1;

	return content_type != NULL &&
	       strncasecmp(content_type, form, size) == 0 &&
	       strchr(" \t;", content_type[size]) != NULL;
}

static void refuse_large_body(struct http_request *request)
{
	if (request->refusal.http_status == 0) {
		request->refusal = refusal_of(MHD_HTTP_CONTENT_TOO_LARGE,
					      "the body is too large");
	}
}

/* Whether a refusal can wait until the body has been read and thrown away. */
static bool can_swallow(const struct http_fields *fields, uint64_t announced)
{
	return announced <= HTTP_SWALLOW_MAX && fields->expect == NULL;
}

/* An answer given now makes libmicrohttpd close instead of reading the body. */
static enum MHD_Result answer_early(struct http_request *request)
{
	request->close = true;
	return http_request_dispatch(request);
}

/* What makes the connection unusable for another request, too. */
static struct http_refusal check_header(const struct http_request *request,
					const struct http_fields *fields,
					const char *version)
{
	if (fields->memory >
	    HTTP_CONNECTION_MEMORY - HTTP_RESPONSE_HEADER_MAX) {
		return refusal_of(MHD_HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE,
				  "the header is too large");
	}
	/* The text of the URI ended before the next word of the line. */
	if (version != request->version_at) {
		return refusal_of(MHD_HTTP_BAD_REQUEST,
				  "the URL contains a NUL");
	}
	if (request->blank_in_url) {
		return refusal_of(MHD_HTTP_BAD_REQUEST,
				  "the URL contains a blank");
	}
	return http_fields_check(fields, request->http_1_0);
}

static enum MHD_Result take_header(struct http_request *request,
				   const char *method, const char *version)
{
	struct http_fields fields;
	struct http_refusal refusal;
	uint64_t announced = 0;

	request->state = HTTP_REQUEST_BODY;
	request->method = method;
	request->http_1_0 = strcmp(version, "HTTP/1.0") == 0;
	http_fields_gather(request->mhd, method, version, &fields);
	request->ctx = make_ctx(request, &fields);
	request->form = is_form(fields.content_type);
	refusal = check_header(request, &fields, version);
	if (refusal.http_status != 0) {
		request->refusal = refusal;
		return answer_early(request);
	}
	if (fields.content_length != NULL) {
		announced = strtoull(fields.content_length, NULL, 10);
	}
	if (announced > request->server->options.body_max) {
		refuse_large_body(request);
	}
	if (request->refusal.http_status != 0 &&
	    !can_swallow(&fields, announced)) {
		return answer_early(request);
	}
	return MHD_YES;
}

/* ---- the body ----------------------------------------------------------- */

static void grow_body(struct http_request *request, size_t size)
{
	size_t capacity = request->body_capacity;

	if (size < capacity) {
		return;
	}
	capacity = capacity == 0 ? 512 : capacity;
	while (capacity <= size) {
		capacity *= 2;
	}
	request->body = realloc(request->body, capacity);
	BUG_IF(request->body == NULL, "out of memory");
	request->body_capacity = capacity;
}

static enum MHD_Result take_body(struct http_request *request, const char *data,
				 size_t *size)
{
	size_t room = request->server->options.body_max - request->body_size;
	size_t nr = *size;

	*size = 0;
	if (nr > room) {
		refuse_large_body(request);
	}
	if (request->refusal.http_status != 0) {
		request->body_dropped += nr;
		return request->body_dropped <= HTTP_SWALLOW_MAX ? MHD_YES
								 : MHD_NO;
	}
	grow_body(request, request->body_size + nr);
	memcpy(request->body + request->body_size, data, nr);
	request->body_size += nr;
	request->body[request->body_size] = '\0';
	return MHD_YES;
}

/* ---- the order of events ------------------------------------------------ */

/*
 * A connection that was suspended while libmicrohttpd meant to read is read
 * first when it is resumed, and a FIN found there closes it before the answer
 * is sent. Where half-closed clients are to be served it is therefore asked to
 * come again: it no longer means to read then.
 */
static bool must_defer(struct http_request *request)
{
	bool defer =
		!request->deferred &&
		request->server->options.half_close == HTTP_HALF_CLOSE_PROBE;

	request->deferred = true;
	return defer;
}

enum MHD_Result http_request_access(void *arg, struct MHD_Connection *mhd,
				    const char *url, const char *method,
				    const char *version, const char *data,
				    size_t *size, void **slot)
{
	struct http_request *request = *slot;

	(void)arg;
	(void)mhd;
	(void)url;
	switch (request->state) {
	case HTTP_REQUEST_LINE:
		return take_header(request, method, version);
	case HTTP_REQUEST_BODY:
		if (*size > 0) {
			return take_body(request, data, size);
		}
		return must_defer(request) ? MHD_YES
					   : http_request_dispatch(request);
	case HTTP_REQUEST_ANSWERED:
		return http_request_hand_over(request);
	case HTTP_REQUEST_HANDLED:
	case HTTP_REQUEST_STREAMED:
	case HTTP_REQUEST_OVER:
	default:
		bug_stop(__FILE__, __LINE__, "called in an impossible state");
	}
}
