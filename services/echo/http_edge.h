/*
 * /echo over HTTP: parameters in, texts out.
 *
 *	GET  /echo?request_id=r1&message=hello&timeout=2s
 *	POST /echo	the same as application/x-www-form-urlencoded
 *
 *	request_id	what the request is called; else the X-Request-ID
 *			header; else req-<unix seconds>. 256 bytes at most.
 *	message		what to store; else "Hello". 16 KB at most.
 *	timeout		a duration; lowers the deadline, never raises it.
 *
 * An empty parameter counts as absent. Answers, as text or to those who accept
 * JSON:
 *
 *	200 "Success: Work completed for task <id>\n"
 *	    {"status":"committed","request_id":"...","message":"..."}
 *	4xx, 5xx "<what failed>\n", or application/problem+json; the status code
 *is that of the failure's own code (status/status.h).
 */
#ifndef RESCIND_ECHO_HTTP_EDGE_H
#define RESCIND_ECHO_HTTP_EDGE_H

#include "echo/exchange.h"
#include "http/http.h"

enum {
	ECHO_REQUEST_ID_SIZE_MAX = 256,
	ECHO_MESSAGE_SIZE_MAX = 16 * 1024,
};

struct http_edge {
	struct echo *echo;
	int64_t timeout_ns; /* the deadline of a request that asks for no less
			     */
};

/* Before the server starts. @edge must outlive it. */
void http_edge_add(struct http_server *server, struct http_edge *edge);

/* An http_options.on_end that logs and counts; @arg: struct work_metrics. */
void http_edge_on_end(struct http_request *request, const struct http_end *end,
		      void *arg);

#endif
