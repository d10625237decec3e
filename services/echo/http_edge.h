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
 * An empty parameter counts as absent. With an Idempotency-Key header (1 to 255
 * visible ASCII characters) a request that is repeated is told the first
 * outcome (keyed.h). Answers, as text or to those who accept JSON:
 *
 *	200 "Success: Work completed for task <id>\n"
 *	    {"status":"committed","request_id":"...","message":"..."}
 *	202 "Accepted: ...\n", Location: /echo/<id>
 *	    {"status":"completing","request_id":"...","message":"..."}
 *	    committed here, and the worker could not be told in time: it will be
 *	4xx, 5xx "<what failed>\n", or application/problem+json; the status code
 *	    is that of the failure's own code (status/status.h)
 *	409 with Retry-After: the key's first request is under way
 *	422 the key was used for another request
 *
 *	GET /echo/<request_id>	what became of it
 *
 *	200 "Committed: <id>\n"	    {"status":"committed","request_id":"..."}
 *	202 "Completing: <id>\n"    {"status":"completing", ...}
 *	202 "In progress: <id>\n"   {"status":"in_progress", ...}
 *	404 unknown: never begun, or rolled back
 *
 *	GET /transactions?after=<id>&limit=100&format=text
 *
 * What is decided here and not confirmed by the worker, ascending by id, as
 * JSON; up to 1000 at a time; "next", where there are more, is the "after" of
 * the next page:
 *
 *	{"coordinator":"...","transactions":[{"transaction_id":"...",
 *	"request_id":"...","standing":"orphaned",
 *	"since":"2025-01-31T12:00:00.000Z","participant":"..."}],"next":"..."}
 *
 * "decided": its exchange is telling the worker; "orphaned": the resolver is.
 * With format=text a line each, and fields apart by tabs.
 *
 * http_edge.c: /echo. http_lookup.c: /echo/<request_id>.
 * http_transactions.c: /transactions.
 */
#ifndef RESCIND_ECHO_HTTP_EDGE_H
#define RESCIND_ECHO_HTTP_EDGE_H

#include "echo/exchange.h"
#include "http/http.h"

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

/* ---- between the files -------------------------------------------------- */

void http_lookup_add(struct http_server *server, struct http_edge *edge);
void http_transactions_add(struct http_server *server, struct http_edge *edge);

#endif
