#include "stock_order/client/http_answer.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

enum { REASON_MAX = 300 };

/* ---- codes -------------------------------------------------------------- */

static enum status_code by_class(long http_status)
{
	if (http_status >= 500) {
		return STATUS_INTERNAL;
	}
	return http_status >= 400 ? STATUS_INVALID_ARGUMENT : STATUS_UNKNOWN;
}

static enum status_code code_of(long http_status)
{
	switch (http_status) {
	case 401:
		return STATUS_UNAUTHENTICATED;
	case 403:
		return STATUS_PERMISSION_DENIED;
	case 404: /* of the route: that is not this service */
	case 405:
	case 501:
		return STATUS_UNIMPLEMENTED;
	case 408:
	case 504:
		return STATUS_DEADLINE_EXCEEDED;
	case 409:
		return STATUS_FAILED_PRECONDITION;
	case 422: /* the key stands for another order */
		return STATUS_ALREADY_EXISTS;
	case 429:
		return STATUS_RESOURCE_EXHAUSTED;
	case 502:
	case 503:
		return STATUS_UNAVAILABLE;
	default:
		return by_class(http_status);
	}
}

/* ---- texts -------------------------------------------------------------- */

static const char *member_text(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text != NULL && text[0] != '\0' ? text : NULL;
}

static const char *reason_in(const json_t *object)
{
	static const char *const names[] = { "error", "detail", "title" };
	const char *text = NULL;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && text == NULL;
	     i++) {
		text = member_text(object, names[i]);
	}
	return text;
}

static size_t first_line_size(const char *body, size_t size)
{
	size_t n = 0;

	while (n < size && n < REASON_MAX && strchr("\r\n", body[n]) == NULL) {
		n++;
	}
	return n;
}

static enum status_code refuse(long http_status, const json_t *json,
			       const char *body, size_t size,
			       struct status *reterr)
{
	const char *reason = reason_in(json);
	size_t line = first_line_size(body, size);
	enum status_code code = code_of(http_status);

	if (reason != NULL) {
		return status_set(reterr, code, "%s", reason);
	}
	if (json == NULL && line > 0) {
		return status_set(reterr, code, "HTTP %ld: %.*s", http_status,
				  (int)line, body);
	}
	return status_set(reterr, code, "HTTP %ld", http_status);
}

static enum status_code accept_order(const json_t *json,
				     char ret_id[ORDER_ID_SIZE],
				     struct status *reterr)
{
	const char *id = member_text(json, "id");

	if (id == NULL || strlen(id) >= ORDER_ID_SIZE) {
		return status_set(reterr, STATUS_INTERNAL,
				  "the answer is no order");
	}
	(void)snprintf(ret_id, ORDER_ID_SIZE, "%s", id);
	return STATUS_OK;
}

enum status_code http_answer_read(long http_status, const char *body,
				  size_t size, char ret_id[ORDER_ID_SIZE],
				  struct status *reterr)
{
	json_t *json = json_loadb(body, size, 0, NULL);
	enum status_code code;

	if (http_status >= 200 && http_status <= 299) {
		code = accept_order(json, ret_id, reterr);
	} else {
		code = refuse(http_status, json, body, size, reterr);
	}
	json_decref(json);
	return code;
}
