/* What the files of the REST edge share. Nothing outside includes it. */
#ifndef RESCIND_STOCK_ORDER_ADAPTOR_REST_INTERNAL_H
#define RESCIND_STOCK_ORDER_ADAPTOR_REST_INTERNAL_H

#include "stock_order/adaptor/rest_edge.h"
#include "json/json.h"

#define REST_JSON "application/json"

/* Answer with what @json holds, a line end behind it, and release it. */
void rest_respond(struct http_request *request, int http_status,
		  struct json_writer *json, const struct http_header *headers);
/* Answer a failure, with the status that edge_work.h has for it. */
void rest_respond_failure(struct http_request *request,
			  const struct status *status);

/* The handler of GET /api/orders. @self: struct rest_edge. */
void rest_list(struct http_request *request, void *self);

#endif
