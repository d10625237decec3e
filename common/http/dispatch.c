/* What becomes of a request that has arrived: refused, or given to its handler.
 */
#include <stdlib.h>
#include <string.h>

#include "http/internal.h"

/* ---- refusing ----------------------------------------------------------- */

/* Its handler is ourselves: the answer is there when this returns. */
static void refuse(struct http_request *request, int http_status,
		   const struct status *status,
		   const struct http_header *header)
{
	request->state = HTTP_REQUEST_HANDLED;
	request->inside_handler = true;
	http_respond_refusal(request, http_status, status, header);
	request->inside_handler = false;
}

static void refuse_static(struct http_request *request)
{
	struct status status =
		status_make(request->refusal.code, "%s", request->refusal.text);

	refuse(request, request->refusal.http_status, &status, NULL);
}

/* ---- checks ------------------------------------------------------------- */

static bool find_route(struct http_request *request)
{
	char allow[HTTP_ALLOW_SIZE];
	struct http_header header = { "Allow", allow };
	struct status status;
	enum status_code code = http_routes_find(
		&request->server->routes, request->method, request->target,
		&request->route, &request->captures, allow, &status);

	switch ((int)code) {
	case STATUS_OK:
		return true;
	case STATUS_UNIMPLEMENTED:
		refuse(request, MHD_HTTP_METHOD_NOT_ALLOWED, &status, &header);
		return false;
	default:
		refuse(request, status_http(code), &status, NULL);
		return false;
	}
}

static enum status_code parse_query(struct http_request *request,
				    struct status *reterr)
{
	char *query = request->query_text;

	if (query != NULL &&
	    http_params_parse(&request->query, query, strlen(query), reterr) !=
		    STATUS_OK) {
		return status_wrap(reterr, "query");
	}
	return STATUS_OK;
}

/* In a copy, because the body itself may be asked for. */
static enum status_code parse_form(struct http_request *request,
				   struct status *reterr)
{
	if (!request->form || request->body_size == 0) {
		return STATUS_OK;
	}
	request->form_text = malloc(request->body_size + 1);
	BUG_IF(request->form_text == NULL, "out of memory");
	memcpy(request->form_text, request->body, request->body_size + 1);
	if (http_params_parse(&request->form_params, request->form_text,
			      request->body_size, reterr) != STATUS_OK) {
		return status_wrap(reterr, "form");
	}
	return STATUS_OK;
}

static bool parse_params(struct http_request *request)
{
	struct status status;

	if (parse_query(request, &status) == STATUS_OK &&
	    parse_form(request, &status) == STATUS_OK) {
		return true;
	}
	refuse(request, MHD_HTTP_BAD_REQUEST, &status, NULL);
	return false;
}

static bool admit(struct http_request *request)
{
	struct http_server *server = request->server;
	struct status status;

	if ((request->route->methods & HTTP_ALWAYS) != 0) {
		return true;
	}
	if (atomic_load_explicit(&server->draining, memory_order_relaxed)) {
		status_set(&status, STATUS_UNAVAILABLE,
			   "the server is shutting down");
	} else if (http_server_in_flight(server) >=
		   server->options.in_flight_max) {
		status_set(&status, STATUS_RESOURCE_EXHAUSTED,
			   "too many requests in flight");
	} else {
		atomic_fetch_add_explicit(&server->in_flight, 1,
					  memory_order_relaxed);
		request->counted = true;
		return true;
	}
	refuse(request, MHD_HTTP_SERVICE_UNAVAILABLE, &status, NULL);
	return false;
}

/* ---- handling ----------------------------------------------------------- */

static enum MHD_Result handle(struct http_request *request)
{
	request->state = HTTP_REQUEST_HANDLED;
	http_request_list(request, &request->server->handled);
	request->inside_handler = true;
	request->route->handler(request, request->route->self);
	request->inside_handler = false;
	/* The answer of another thread is not seen yet: it comes as a task. */
	if (request->state == HTTP_REQUEST_ANSWERED) {
		return http_request_hand_over(request);
	}
	MHD_suspend_connection(request->mhd);
	http_connection_wait(request->connection, request);
	return MHD_YES;
}

/* No longer arriving: from here on it has to be finished. */
static void settle(struct http_request *request)
{
	http_guard_leave(&request->connection->guard);
	request->settled = true;
	request->server->unfinished++;
}

enum MHD_Result http_request_dispatch(struct http_request *request)
{
	settle(request);
	if (request->refusal.http_status != 0) {
		refuse_static(request);
		return http_request_hand_over(request);
	}
	if (!find_route(request) || !parse_params(request) || !admit(request)) {
		return http_request_hand_over(request);
	}
	return handle(request);
}
