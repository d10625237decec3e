#include "stock_order/adaptor/rest_edge.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "log/log.h"
#include "loop/bug.h"
#include "stock_order/adaptor/json_order.h"
#include "stock_order/adaptor/rest_internal.h"

/* ---- answers ------------------------------------------------------------ */

void rest_respond(struct http_request *request, int http_status,
		  struct json_writer *json, const struct http_header *headers)
{
	json_newline(json);
	http_respond(request, http_status, REST_JSON, json->text, json->size,
		     headers);
	json_writer_release(json);
}

static void put_word(struct json_writer *json, const char *key,
		     const char *text)
{
	json_begin_object(json, NULL);
	json_put_string(json, key, text);
	json_end(json);
}

void rest_respond_failure(struct http_request *request,
			  const struct status *status)
{
	http_respond_error(request, edge_http_status(status->code), status);
}

/* ---- requests ----------------------------------------------------------- */

struct rest_call {
	struct edge_work work;
	struct http_request *request;
};

static struct rest_call *call_new(struct http_request *request,
				  const struct order_edge *edge)
{
	struct rest_call *call = malloc(sizeof(*call));

	BUG_IF(call == NULL, "out of memory");
	call->request = request;
	edge_work_begin(&call->work, edge, http_request_ctx(request));
	return call;
}

/* It is over: what is left to do is to answer the request. */
static struct http_request *call_end(struct rest_call *call,
				     const struct status *outcome, bool changes)
{
	struct http_request *request = call->request;

	edge_work_end(&call->work, outcome, changes);
	free(call);
	return request;
}

static void respond_order(struct http_request *request, int http_status,
			  const struct order *order,
			  const struct http_header *headers)
{
	struct json_writer json = { 0 };

	json_put_order(&json, NULL, order);
	rest_respond(request, http_status, &json, headers);
}

/* ---- create ------------------------------------------------------------- */

/* What may stand behind a media type that is JSON: nothing, or its charset. */
static bool is_utf8_parameter(const char *at)
{
	static const char *const forms[] = { "", "charset=utf-8",
					     "charset=\"utf-8\"" };

	at += strspn(at, " \t");
	if (*at == ';') {
		at++;
	} else if (*at != '\0') {
		return false;
	}
	at += strspn(at, " \t");
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		size_t size = strlen(forms[i]);

		if (strncasecmp(at, forms[i], size) == 0 &&
		    at[size + strspn(at + size, " \t")] == '\0') {
			return true;
		}
	}
	return false;
}

static bool is_json(struct http_request *request)
{
	const char *type = http_request_header(request, "Content-Type");
	const char *coding = http_request_header(request, "Content-Encoding");
	size_t size = strlen(REST_JSON);

	return type != NULL && strncasecmp(type, REST_JSON, size) == 0 &&
	       is_utf8_parameter(type + size) &&
	       (coding == NULL || strcasecmp(coding, "identity") == 0);
}

static void on_created(const struct status *outcome, const struct order *order,
		       bool replayed, void *arg)
{
	static const struct http_header again[] = {
		{ "Idempotent-Replayed", "true" }, { NULL, NULL }
	};
	struct http_request *request = call_end(arg, outcome, true);

	if (outcome->code == STATUS_OK) {
		respond_order(request, 201, order, replayed ? again : NULL);
	} else {
		rest_respond_failure(request, outcome);
	}
}

static void create(struct http_request *request, void *self)
{
	const struct order_edge *edge = self;
	struct rest_call *call;
	struct json_draft json;
	struct status bad;
	const char *body;
	size_t size;

	if (!is_json(request)) {
		status_set(&bad, STATUS_INVALID_ARGUMENT,
			   "the body must be of type " REST_JSON);
		http_respond_error(request, 415, &bad);
		return;
	}
	body = http_request_body(request, &size);
	if (json_draft_parse(body, size, &json, &bad) != STATUS_OK) {
		rest_respond_failure(request, &bad);
		return;
	}
	call = call_new(request, edge);
	order_service_create(edge->service, call->work.ctx, &json.draft,
			     http_request_header(request, "Idempotency-Key"),
			     on_created, call);
	json_draft_release(&json);
}

/* ---- get, cancel -------------------------------------------------------- */

static void on_order(const struct status *outcome, const struct order *order,
		     void *arg)
{
	struct http_request *request = call_end(arg, outcome, false);

	if (outcome->code == STATUS_OK) {
		respond_order(request, 200, order, NULL);
	} else {
		rest_respond_failure(request, outcome);
	}
}

static void get(struct http_request *request, void *self)
{
	const struct order_edge *edge = self;
	struct rest_call *call = call_new(request, edge);

	order_service_get(edge->service, call->work.ctx,
			  http_request_segment(request, "id"), on_order, call);
}

static void on_cancelled(const struct status *outcome,
			 const struct order *order, void *arg)
{
	struct http_request *request = call_end(arg, outcome, true);
	struct json_writer json = { 0 };

	(void)order;
	if (outcome->code != STATUS_OK) {
		rest_respond_failure(request, outcome);
		return;
	}
	put_word(&json, "message", EDGE_CANCELLED_TEXT);
	rest_respond(request, 200, &json, NULL);
}

static void cancel(struct http_request *request, void *self)
{
	const struct order_edge *edge = self;
	struct rest_call *call = call_new(request, edge);

	order_service_cancel(edge->service, call->work.ctx,
			     http_request_segment(request, "id"), on_cancelled,
			     call);
}

/* ---- health ------------------------------------------------------------- */

static void health(struct http_request *request, void *self)
{
	struct json_writer json = { 0 };

	(void)self;
	put_word(&json, "status", "healthy");
	rest_respond(request, 200, &json, NULL);
}

/* ---- the server --------------------------------------------------------- */

void rest_edge_add(struct http_server *server, struct rest_edge *edge)
{
	http_server_route(server, HTTP_POST, "/api/orders", create, edge);
	http_server_route(server, HTTP_GET, "/api/orders", rest_list, edge);
	http_server_route(server, HTTP_GET, "/api/orders/{id}", get, edge);
	http_server_route(server, HTTP_POST, "/api/orders/{id}/cancel", cancel,
			  edge);
	http_server_route(server, HTTP_GET | HTTP_ALWAYS, "/health", health,
			  NULL);
}

/* Every request passes here: what is not logged is not looked up. */
static void log_access(struct http_request *request, const struct http_end *end)
{
	const char *query = http_request_query(request);
	char remote[HTTP_REMOTE_SIZE];

	if (!log_enabled(LOG_INFO)) {
		return;
	}
	http_request_remote(request, remote);
	log_write(LOG_INFO, http_request_ctx(request),
		  LOG_FIELDS(LOG_INT("status", end->status),
			     LOG_STR("cause", ctx_cause_name(end->cause)),
			     LOG_INT("bytes", end->body_size),
			     LOG_MS("after_ms", end->duration_ns)),
		  "%s %s%s%s %s", http_request_method(request),
		  http_request_path(request), query != NULL ? "?" : "",
		  query != NULL ? query : "", remote);
}

void rest_edge_on_end(struct http_request *request, const struct http_end *end,
		      void *arg)
{
	work_metrics_http(arg, end->status);
	log_access(request, end);
}
