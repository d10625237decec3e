/* Answers. All of this runs on the thread that answers. */
#include <stdlib.h>
#include <string.h>

#include "http/internal.h"
#include "http/problem.h"
#include "json/json.h"

enum { FAILURE_HEADERS_MAX = 4 };

static const char text_type[] = "text/plain; charset=utf-8";

static void add(struct MHD_Response *response, const char *name,
		const char *value)
{
	/* It refuses what would break the framing, such as a line end. */
	(void)MHD_add_response_header(response, name, value);
}

static void add_request_id(struct MHD_Response *response, const struct ctx *ctx)
{
	char clean[HTTP_REQUEST_ID_MAX + 1];
	const char *id = ctx_request_id(ctx);

	if (id[0] != '\0') {
		http_request_id_clean(id, clean);
		add(response, "X-Request-ID", clean);
	}
}

static void add_trace(struct MHD_Response *response, const struct ctx *ctx)
{
	const struct trace *trace = ctx_trace(ctx);
	char text[TRACEPARENT_SIZE];

	if (trace->present) {
		trace_format(trace, text);
		add(response, "traceresponse", text);
	}
}

/* A buffer that libmicrohttpd copies, though its prototype does not say so. */
static struct MHD_Response *copy_body(const void *body, size_t size)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(
		size, (void *)(uintptr_t)body, MHD_RESPMEM_MUST_COPY);

	BUG_IF(response == NULL, "out of memory");
	return response;
}

/* The last thing done to a request on this thread. */
static void give(struct http_request *request, int status,
		 struct MHD_Response *response, size_t size)
{
	struct http_server *server = request->server;

	BUG_IF(status < 200 || status > 999, "no such HTTP status");
	BUG_IF(atomic_exchange_explicit(&request->answer_given, true,
					memory_order_relaxed),
	       "a request was answered twice");
	if (request->close ||
	    atomic_load_explicit(&server->draining, memory_order_relaxed)) {
		add(response, "Connection", "close");
	}
	request->response = response;
	request->status = status;
	request->response_size = size;
	if (loop_is_current(server->loop)) {
		http_request_answered(request);
	} else {
		loop_post(server->loop, &request->answer_task);
	}
}

static void add_headers(struct MHD_Response *response,
			struct http_request *request, const char *content_type,
			const struct http_header *headers)
{
	if (content_type != NULL) {
		add(response, "Content-Type", content_type);
	}
	for (; headers != NULL && headers->name != NULL; headers++) {
		add(response, headers->name, headers->value);
	}
	add_request_id(response, request->ctx);
	add_trace(response, request->ctx);
}

void http_respond(struct http_request *request, int status,
		  const char *content_type, const void *body, size_t size,
		  const struct http_header *headers)
{
	struct MHD_Response *response = copy_body(body, size);

	add_headers(response, request, content_type, headers);
	give(request, status, response, size);
}

void http_respond_body(struct http_request *request, int status,
		       const char *content_type,
		       const struct http_header *headers,
		       const struct http_body *body, void *arg)
{
	struct MHD_Response *response = http_stream_open(request, body, arg);

	BUG_IF(status == MHD_HTTP_NO_CONTENT || status == MHD_HTTP_NOT_MODIFIED,
	       "a body for a status that has none");
	add_headers(response, request, content_type, headers);
	give(request, status, response, 0);
}

/* ---- failures ----------------------------------------------------------- */

/* What is said of a failure, and as what. */
struct failure {
	const char *content_type; /* NULL: nothing is said */
	char *text;
	size_t size;
};

static struct failure as_problem(struct http_request *request, int http_status,
				 const struct status *status)
{
	const char *title = MHD_get_reason_phrase_for((unsigned)http_status);
	struct failure failure = { .content_type = HTTP_PROBLEM_TYPE };
	struct http_problem problem = {
		.status = http_status,
		.title = title != NULL ? title : "Error",
		.detail = status->message,
		.instance = request->path,
		.request_id = ctx_request_id(request->ctx),
		.code = status_code_name(status->code),
	};

	failure.text = http_problem_text(&problem, &failure.size);
	return failure;
}

static struct failure as_text(const struct status *status)
{
	struct failure failure = { .content_type = text_type };

	failure.size = strlen(status->message);
	failure.text = malloc(failure.size + 1);
	BUG_IF(failure.text == NULL, "out of memory");
	memcpy(failure.text, status->message, failure.size);
	failure.text[failure.size++] = '\n';
	return failure;
}

static struct failure as_json(int http_status, const struct status *status)
{
	struct failure failure = { .content_type = "application/json" };
	struct json_writer json = { 0 };

	if (http_status == MHD_HTTP_METHOD_NOT_ALLOWED) {
		return (struct failure){ .content_type = NULL };
	}
	json_begin_object(&json, NULL);
	json_put_string(&json, "error", status->message);
	json_end(&json);
	json_newline(&json);
	failure.text = json_writer_take(&json, &failure.size);
	return failure;
}

static struct failure describe(struct http_request *request, int http_status,
			       const struct status *status)
{
	if (request->server->options.error_style == HTTP_ERROR_JSON) {
		return as_json(http_status, status);
	}
	return http_request_accepts_json(request)
		       ? as_problem(request, http_status, status)
		       : as_text(status);
}

void http_respond_refusal(struct http_request *request, int http_status,
			  const struct status *status,
			  const struct http_header *more)
{
	struct failure failure = describe(request, http_status, status);
	struct http_header headers[FAILURE_HEADERS_MAX] = { 0 };
	size_t nr = 0;

	if (failure.content_type == text_type) {
		headers[nr++] = (struct http_header){ "X-Content-Type-Options",
						      "nosniff" };
	}
	if (http_status == MHD_HTTP_SERVICE_UNAVAILABLE) {
		headers[nr++] = (struct http_header){ "Retry-After", "1" };
	}
	if (more != NULL) {
		headers[nr++] = *more;
	}
	http_respond(request, http_status, failure.content_type, failure.text,
		     failure.size, headers);
	free(failure.text);
}

void http_respond_error(struct http_request *request, int http_status,
			const struct status *status)
{
	http_respond_refusal(request,
			     http_status != 0 ? http_status
					      : status_http(status->code),
			     status, NULL);
}
