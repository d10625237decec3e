#include "echo/http_edge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "echo/fingerprint.h"
#include "echo/keyed.h"
#include "failpoint/failpoint.h"
#include "flags/flags.h"
#include "log/log.h"
#include "json/json.h"

static const char form_type[] = "application/x-www-form-urlencoded";

/* What a client asks for. */
struct ask {
	const char *request_id;
	const char *message;
	const char *key; /* NULL: none */
	int64_t timeout_ns;
	int http_status; /* to refuse with, 0 for the code's own */
	char made_up[32];
};

/* ---- in ----------------------------------------------------------------- */

/* A parameter that has something in it, or NULL. */
static const char *param(struct http_request *request, const char *name)
{
	const char *value = http_request_param(request, name);

	return value != NULL && value[0] != '\0' ? value : NULL;
}

/* Whether the body, if there is one, is a form. */
static bool is_form(struct http_request *request)
{
	const char *type = http_request_header(request, "Content-Type");
	size_t size;

	(void)http_request_body(request, &size);
	if (size == 0) {
		return true;
	}
	if (type == NULL ||
	    strncasecmp(type, form_type, sizeof(form_type) - 1) != 0) {
		return false;
	}
	return strchr("; \t", type[sizeof(form_type) - 1]) != NULL;
}

static enum status_code read_request_id(struct http_request *request,
					struct ask *ask, struct status *reterr)
{
	const char *id = param(request, "request_id");

	if (id == NULL) {
		/* X-Request-ID, where the server found it usable. */
		id = ctx_request_id(http_request_ctx(request));
	}
	if (id[0] == '\0') {
		snprintf(ask->made_up, sizeof(ask->made_up), "req-%lld",
			 (long long)time(NULL));
		id = ask->made_up;
	}
	ask->request_id = id;
	if (strnlen(id, ECHO_REQUEST_ID_SIZE_MAX + 1) >
	    ECHO_REQUEST_ID_SIZE_MAX) {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "request_id must not exceed %d bytes",
				  ECHO_REQUEST_ID_SIZE_MAX);
	}
	return STATUS_OK;
}

static enum status_code read_message(struct http_request *request,
				     struct ask *ask, struct status *reterr)
{
	const char *message = param(request, "message");

	ask->message = message != NULL ? message : "Hello";
	if (strnlen(ask->message, ECHO_MESSAGE_SIZE_MAX + 1) >
	    ECHO_MESSAGE_SIZE_MAX) {
		ask->http_status = 413;
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "message must not exceed %d bytes",
				  ECHO_MESSAGE_SIZE_MAX);
	}
	return STATUS_OK;
}

static enum status_code read_timeout(struct http_request *request,
				     struct ask *ask, struct status *reterr)
{
	const char *text = param(request, "timeout");
	int64_t timeout_ns;

	if (text == NULL) {
		return STATUS_OK;
	}
	if (duration_parse(text, &timeout_ns, reterr) != STATUS_OK) {
		return status_wrap(reterr, "timeout");
	}
	if (timeout_ns == 0) {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "timeout must be more than 0");
	}
	if (timeout_ns < ask->timeout_ns) {
		ask->timeout_ns = timeout_ns;
	}
	return STATUS_OK;
}

static enum status_code read_key(struct http_request *request, struct ask *ask,
				 struct status *reterr)
{
	ask->key = http_request_header(request, "Idempotency-Key");
	if (ask->key != NULL && !keyed_is_key(ask->key)) {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "Idempotency-Key must be of 1 to %d visible "
				  "ASCII characters",
				  ECHO_KEY_SIZE_MAX);
	}
	return STATUS_OK;
}

static enum status_code read_ask(struct http_request *request,
				 const struct http_edge *edge, struct ask *ask,
				 struct status *reterr)
{
	enum status_code code = read_request_id(request, ask, reterr);
	struct ctx *ctx = http_request_ctx(request);

	ask->timeout_ns = edge->timeout_ns;
	if (code == STATUS_OK) {
		/* The caller's name for it, in whatever is said from here. */
		if (ask->request_id != ctx_request_id(ctx)) {
			ctx_set_request_id(ctx, ask->request_id);
		}
		code = read_message(request, ask, reterr);
	}
	if (code == STATUS_OK) {
		code = read_timeout(request, ask, reterr);
	}
	if (code == STATUS_OK) {
		code = read_key(request, ask, reterr);
	}
	if (code == STATUS_OK && !is_form(request)) {
		ask->http_status = 415;
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "a body must be of type %s", form_type);
	}
	return code;
}

/* ---- out ---------------------------------------------------------------- */

static void respond_json(struct http_request *request, int http_status,
			 const struct exchange_outcome *outcome,
			 const struct http_header *headers)
{
	struct json_writer json = { 0 };

	json_begin_object(&json, NULL);
	json_put_string(&json, "status",
			outcome->how == HOW_ACCEPTED ? "completing"
						     : "committed");
	json_put_string(&json, "request_id", outcome->request_id);
	json_put_string(&json, "message", outcome->status->message);
	json_end(&json);
	json_newline(&json);
	http_respond(request, http_status, "application/json", json.text,
		     json.size, headers);
	json_writer_release(&json);
}

static void respond_committed(struct http_request *request,
			      const struct exchange_outcome *outcome)
{
	char body[STATUS_MESSAGE_SIZE + 16];
	int size;

	if (http_request_accepts_json(request)) {
		respond_json(request, 200, outcome, NULL);
		return;
	}
	size = snprintf(body, sizeof(body), "Success: %s\n",
			outcome->status->message);
	http_respond(request, 200, "text/plain; charset=utf-8", body,
		     (size_t)size, NULL);
}

#define LOCATION_PREFIX "/echo/"
enum {
	LOCATION_SIZE = sizeof(LOCATION_PREFIX) +
			HTTP_PERCENT_ENCODED_MAX(ECHO_REQUEST_ID_SIZE_MAX),
};

static void respond_accepted(struct http_request *request,
			     const struct exchange_outcome *outcome)
{
	char location[LOCATION_SIZE] = LOCATION_PREFIX;
	const struct http_header headers[] = { { "Location", location },
					       { NULL, NULL } };
	char body[LOCATION_SIZE + 128];
	int size;

	http_percent_encode(outcome->request_id,
			    location + strlen(LOCATION_PREFIX));
	if (http_request_accepts_json(request)) {
		respond_json(request, 202, outcome, headers);
		return;
	}
	size = snprintf(body, sizeof(body),
			"Accepted: committed, and will be completed at the "
			"worker; ask %s\n",
			location);
	http_respond(request, 202, "text/plain; charset=utf-8", body,
		     (size_t)size, headers);
}

static void answer(const struct exchange_outcome *outcome, void *arg)
{
	static const struct http_header retry = { "Retry-After", "1" };
	struct http_request *request = arg;

	FAILPOINT("echo.answer.before");
	switch (outcome->how) {
	case HOW_COMMITTED:
		respond_committed(request, outcome);
		break;
	case HOW_ACCEPTED:
		respond_accepted(request, outcome);
		break;
	case HOW_KEY_BUSY:
		http_respond_refusal(request, 409, outcome->status, &retry);
		break;
	case HOW_KEY_TAKEN:
		http_respond_error(request, 422, outcome->status);
		break;
	case HOW_FAILED:
	default:
		http_respond_error(request, 0, outcome->status);
		break;
	}
	FAILPOINT("echo.answer.after");
}

/* ---- the route ---------------------------------------------------------- */

/* What the client itself has said, and would say again. */
static void fingerprint_of(struct http_request *request, const struct ask *ask,
			   char ret[ECHO_FINGERPRINT_SIZE])
{
	const char *request_id = param(request, "request_id");
	const char *const parts[] = { request_id != NULL ? request_id : "",
				      ask->message, NULL };

	fingerprint(parts, ret);
}

static void begin(struct http_request *request, struct echo *echo,
		  struct ctx *ctx, const struct ask *ask)
{
	const struct exchange_ask what = {
		/* Not that of @ask, which is gone before the answer. */
		.request_id = ctx_request_id(http_request_ctx(request)),
		.message = ask->message,
	};
	char print[ECHO_FINGERPRINT_SIZE];

	if (ask->key == NULL) {
		exchange_start(echo, ctx, &what, answer, request);
		return;
	}
	fingerprint_of(request, ask, print);
	keyed_start(echo, ctx, &what, ask->key, print, answer, request);
}

static void handle_echo(struct http_request *request, void *self)
{
	const struct http_edge *edge = self;
	struct ask ask = { 0 };
	struct status bad;
	struct ctx *ctx;

	FAILPOINT("echo.request");
	if (read_ask(request, edge, &ask, &bad) != STATUS_OK) {
		http_respond_error(request, ask.http_status, &bad);
		return;
	}
	ctx = ctx_new(http_request_ctx(request),
		      clock_add_ns(clock_now_ns(), ask.timeout_ns));
	begin(request, edge->echo, ctx, &ask);
	ctx_unref(ctx);
}

void http_edge_add(struct http_server *server, struct http_edge *edge)
{
	http_server_route(server, HTTP_GET | HTTP_POST, "/echo", handle_echo,
			  edge);
	http_lookup_add(server, edge);
	http_transactions_add(server, edge);
}

void http_edge_on_end(struct http_request *request, const struct http_end *end,
		      void *arg)
{
	enum log_level level = end->status == 499 ? LOG_INFO : LOG_DEBUG;

	work_metrics_http(arg, end->status);
	log_at(level, http_request_ctx(request),
	       LOG_FIELDS(LOG_INT("status", end->status),
			  LOG_STR("cause", ctx_cause_name(end->cause)),
			  LOG_INT("bytes", end->body_size),
			  LOG_MS("after_ms", end->duration_ns)),
	       "%s %s", http_request_method(request),
	       http_request_path(request));
}
