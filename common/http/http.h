/*
 * An HTTP/1.1 server on libmicrohttpd whose requests are scopes: when the
 * client leaves, the request's ctx ends.
 *
 * The server runs on a loop, without a thread of its own. A handler is called
 * on the loop's thread when the whole request, body included, has arrived and
 * has passed the checks below. It must not block. It owes exactly one response,
 * given by http_respond*() from any thread, at once or later, also when the ctx
 * has ended meanwhile (the response is then dropped and counted). Until then
 * the request and everything reachable from it stays valid; after it, nothing
 * is, unless the response is a streamed one: then all stays until its end.
 *
 * A client leaves when its connection is reset, or closed in its sending
 * direction (FIN), as in Go's net/http. With HTTP_HALF_CLOSE_PROBE a FIN is
 * first answered with an interim 102, by which a closed client (it resets) can
 * be told from a half-closed one (it stays silent, and gets its response); TLS
 * and HTTP/1.0 don't allow that, and a FIN counts as leaving there. What a
 * handler answers before it returns is sent in any case. Of the connection of a
 * client that left nothing more is served.
 *
 * Refused before any handler, with a sentence that says what is wrong: bad
 * percent-encoding, NUL and bad UTF-8 in query or form (400), unknown path
 * (404), wrong method (405 with Allow), body too large (413), URL of more than
 * 8000 bytes (414), header too large (431: about 14 KB, of which a cookie takes
 * its size twice, and each field and query parameter 64 bytes more),
 * conflicting or duplicate Content-Length, Host or Transfer-Encoding, malformed
 * or folded header fields (400), more in flight than options.in_flight_max (503
 * with Retry-After), draining (503 with Retry-After and Connection: close). A
 * request that takes longer than options.header_timeout_s to arrive is cut off
 * with 408.
 *
 * Out of descriptors, or at options.connections_max, the server closes the
 * connection that has been idle longest, lets new ones wait in the backlog, and
 * accepts again as soon as there is room.
 */
#ifndef RESCIND_HTTP_H
#define RESCIND_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ctx/ctx.h"
#include "loop/loop.h"
#include "status/status.h"

struct http_server;
struct http_request;

enum {
	/* How long an answer given after http_server_cancel() may take to go
	 * out. */
	HTTP_CANCEL_GRACE_MS = 1000,
	/* How long a drain waits for what clients may have sent already. */
	HTTP_FAREWELL_MS = 100,
};

enum http_half_close { HTTP_HALF_CLOSE_ABORT, HTTP_HALF_CLOSE_PROBE };

/* How failures are told, the server's own refusals and http_respond_error()
 * alike. */
enum http_error_style {
	/* application/problem+json (RFC 9457) to those who accept JSON,
	 * "<text>\n" as text/plain with nosniff to others. */
	HTTP_ERROR_PROBLEM,
	/* {"error":"<text>"} and a line end, as application/json, to all; but
	 * an unknown path is told as text, since it is none of the service's,
	 * and a wrong method has an empty body, as Allow says it all. */
	HTTP_ERROR_JSON,
};

/* How a request ended, for on_end. */
struct http_end {
	int status;	      /* 499 when the client left */
	enum ctx_cause cause; /* FINISHED, or why its ctx ended */
	int64_t duration_ns;
	size_t body_size; /* of the response; what was given of a streamed one
			   */
	bool cut;	  /* a streamed body did not go out whole */
	bool refused;	  /* no handler has seen it */
};

struct http_options {
	const char *listen; /* "localhost" (both loopbacks), "*", an address */
	uint16_t port;	    /* 0 picks one, the same for all addresses */
	size_t in_flight_max; /* requests that http_server_in_flight() counts */
	size_t connections_max; /* or as many as descriptors allow */
	size_t body_max;	/* bytes */
	int header_timeout_s;	/* for a whole request to arrive */
	int idle_timeout_s;	/* of a keep-alive connection */
	enum http_half_close half_close;
	enum http_error_style error_style;
	const char *tls_cert; /* PEM file paths; NULL for plaintext */
	const char *tls_key;
	const char *tls_ca; /* set: clients must show a certificate */
	/* On the loop's thread, when a request that arrived whole is over,
	 * refused ones too. It must not answer or free. May be NULL. */
	void (*on_end)(struct http_request *request, const struct http_end *end,
		       void *arg);
	void *on_end_arg;
};

/* Fill in the defaults: localhost, 64 KB bodies, 10 s, 60 s ... */
void http_options_init(struct http_options *options);

typedef void (*http_handler_fn)(struct http_request *request, void *self);

/*
 * Bind, without accepting yet. @root is the parent of every request's ctx and
 * names the loop. Loop thread, or before the loop runs.
 */
MUSTCHECK enum status_code http_server_new(struct ctx *root,
					   const struct http_options *options,
					   struct http_server **ret_server,
					   struct status *reterr);

enum {
	HTTP_GET = 1 << 0, /* HEAD is answered too */
	HTTP_POST = 1 << 1,
	HTTP_PUT = 1 << 2,
	HTTP_DELETE = 1 << 3,
	/* Not counted against in_flight_max, and served while draining:
	 * for /healthz, /readyz, /metrics. */
	HTTP_ALWAYS = 1 << 8,
};

/*
 * Route @path (exact, or with a {name} segment) to @handler. Before start.
 */
void http_server_route(struct http_server *server, unsigned methods,
		       const char *path, http_handler_fn handler, void *self);

MUSTCHECK enum status_code http_server_start(struct http_server *server,
					     struct status *reterr);
uint16_t http_server_port(const struct http_server *server);

/* Requests inside handlers, or whose streamed bodies are under way. Any thread.
 */
size_t http_server_in_flight(const struct http_server *server);

/* ---- stopping: loop thread ---------------------------------------------- */

/* Close the listening sockets; answer what comes on open connections with 503
 * and Connection: close, but for HTTP_ALWAYS routes. */
void http_server_stop_accepting(struct http_server *server);
/*
 * Call @done on the loop thread once nothing is in flight, and every response
 * has been handed to the kernel. Connections that are open even then get
 * HTTP_FAREWELL_MS: a request that was on its way when the server stopped is
 * refused, which closes its connection, instead of being lost with it. Longer
 * than that a request that has not arrived whole, and a connection between
 * requests, are not waited for.
 */
void http_server_drain(struct http_server *server, void (*done)(void *arg),
		       void *arg);
/*
 * End the ctx of every request in flight with CTX_SHUTDOWN, and cut responses
 * whose clients do not fetch them: those under way now at once, those that
 * handlers still give after HTTP_CANCEL_GRACE_MS. Streamed bodies are cut in
 * any case. So a drain ends soon after, if the handlers answer.
 */
void http_server_cancel(struct http_server *server);
/* Close idle connections and free. Nothing may be in flight. NULL is fine. */
void http_server_free(struct http_server *server);

/* ---- the request: loop thread, or any thread between handler and response  */

/* The ctx lives as long as the request; take a reference for more. Its request
 * id and trace are set from X-Request-ID and traceparent. */
struct ctx *http_request_ctx(struct http_request *request);
const char *http_request_method(const struct http_request *request);
/* As it came: percent-encoded, without the query. */
const char *http_request_path(const struct http_request *request);
/* As it came, what is behind the '?'; NULL where there is none. */
const char *http_request_query(const struct http_request *request);
/* Where it came from: "127.0.0.1:54321", "[::1]:54321". */
enum { HTTP_REMOTE_SIZE = 64 };
void http_request_remote(const struct http_request *request,
			 char ret_remote[HTTP_REMOTE_SIZE]);
/* A {name} segment of the route, decoded. */
const char *http_request_segment(struct http_request *request,
				 const char *name);
/* A header field's value, or NULL. Names are case-insensitive. */
const char *http_request_header(struct http_request *request, const char *name);
/* The decoded query or (application/x-www-form-urlencoded POST) form
 * parameter, query first; NULL when absent. */
const char *http_request_param(struct http_request *request, const char *name);
/* NUL-terminated behind its *ret_size bytes. */
const char *http_request_body(const struct http_request *request,
			      size_t *ret_size);
/* Whether the client accepts application/json (named, or under
 * application/star; a bare star/star counts as text). */
bool http_request_accepts_json(struct http_request *request);

/* ---- the response: any thread ------------------------------------------- */

struct http_header {
	const char *name;
	const char *value;
};

/*
 * Copies everything. @headers ends in {NULL, NULL}, may be NULL, and may take
 * 2 KB in all.
 * Adds X-Request-ID and traceresponse where known.
 */
void http_respond(struct http_request *request, int status,
		  const char *content_type, const void *body, size_t size,
		  const struct http_header *headers);
/*
 * Answer with a body that is made while it is sent, in pieces: chunked, or
 * until the connection closes for HTTP/1.0. For a body that need not, or can't,
 * be held whole; as only one piece is there at a time, a client that reads
 * slowly makes the pieces come slowly.
 *
 * The request and its ctx live on until body->done, which is always the last
 * call, and exactly one, whatever happens. @content_type and @headers as with
 * http_respond(); @body is copied. @status is one that has a body. HEAD gets
 * the header, no call of next(), and the end of the connection.
 *
 * When the client leaves, or the server is told to cancel, the ctx ends and the
 * rest is cut; so it is after http_body_fail(). A FIN counts as leaving as it
 * does for handlers; with HTTP_HALF_CLOSE_PROBE it is the pieces themselves
 * that find out whether the client is there.
 */
struct http_body {
	/* On the loop's thread: make the next piece. One http_body_give() or
	 * http_body_fail() is owed for each call, before it returns or later,
	 * from any thread, also when the ctx has ended meanwhile; until then
	 * neither next() nor done() is called again. Must not block. */
	void (*next)(struct http_request *request, void *arg);
	/* On the loop's thread: all is sent, or never will be. After on_end,
	 * and
	 * @request is gone when it returns. */
	void (*done)(struct http_request *request, void *arg);
};
enum { HTTP_BODY_PIECE_MAX = 64 * 1024 };

void http_respond_body(struct http_request *request, int status,
		       const char *content_type,
		       const struct http_header *headers,
		       const struct http_body *body, void *arg);
/* The piece that next() asked for: up to HTTP_BODY_PIECE_MAX bytes, copied; not
 * empty unless it is the @last. */
void http_body_give(struct http_request *request, const void *data, size_t size,
		    bool last);
/* Instead: there will be no more. The connection is cut, so that the client
 * sees that what it has is not whole. */
void http_body_fail(struct http_request *request);

/*
 * Answer a failure, in the server's error_style. @http_status 0 takes
 * status_http(status->code). 503 carries Retry-After: 1.
 */
void http_respond_error(struct http_request *request, int http_status,
			const struct status *status);
/* The same with a header field of one's own (NULL: none), and the status as it
 * is. */
void http_respond_refusal(struct http_request *request, int http_status,
			  const struct status *status,
			  const struct http_header *header);

/* ---- parsing, usable (and fuzzed) by themselves ------------------------- */

/*
 * Decode percent-encoding (and '+' as space when @plus) of @size bytes in
 * place. INVALID_ARGUMENT on a bad escape, NUL, or bytes that are not UTF-8.
 * *ret_size is the new size; the text is NUL-terminated, so buf needs size + 1
 * bytes.
 */
MUSTCHECK enum status_code http_percent_decode(char *buf, size_t size,
					       bool plus, size_t *ret_size,
					       struct status *reterr);
/*
 * Write @text to @ret with everything percent-encoded but letters, digits and
 * "-._~": good for a segment of a path, and for a value in a query. @ret has
 * room for HTTP_PERCENT_ENCODED_MAX(strlen(@text)) and NUL.
 */
#define HTTP_PERCENT_ENCODED_MAX(size) (3 * (size))
void http_percent_encode(const char *text, char *ret);

#endif
