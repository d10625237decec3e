/*
 * An HTTP server as a part of a program, with /healthz, /readyz and /metrics.
 *
 *	program_http_options(&app->program, port, &tls, &options);
 *	options.on_end = ...;
 *	if (program_http_bind(&app->http, &app->program, "HTTP", &options,
 *			      reterr) ...
 *	http_server_route(app->http.server, ...);
 *	...
 *	program_http_add(&app->http, "HTTP server");
 *	return http_server_start(app->http.server, reterr);
 */
#ifndef RESCIND_PROGRAM_HTTP_H
#define RESCIND_PROGRAM_HTTP_H

#include "http/http.h"
#include "ops/ops_http.h"
#include "program/program.h"

struct program_http {
	struct program *program;
	struct http_server *server; /* NULL when closed, or never bound */
	struct ops_http ops;
	struct lifecycle_part *part;
};

/* The defaults, and what @program's flags say. @tls may be NULL. */
void program_http_options(const struct program *program, uint16_t port,
			  const struct program_tls *tls,
			  struct http_options *ret_options);

/* Bind, and add the operators' routes. First of all parts, so that a port that
 * is taken is found before anything is made. An error begins with @what. */
MUSTCHECK enum status_code program_http_bind(struct program_http *http,
					     struct program *program,
					     const char *what,
					     const struct http_options *options,
					     struct status *reterr);

/* Register it: it stops accepting, drains, is cancelled and closes. @name is
 * borrowed for good. */
void program_http_add(struct program_http *http, const char *name);
/* Register it as one that only operators use: it serves until it is closed, so
 * that they see how the rest drains, and waits for none of them. */
void program_http_add_for_operators(struct program_http *http,
				    const char *name);

/* Close it, if the ladder did not. */
void program_http_release(struct program_http *http);

#endif
