#include "ops/ops_http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void say(struct http_request *request, const char *word)
{
	char body[64];
	bool json = http_request_accepts_json(request);
	int size = snprintf(body, sizeof(body),
			    json ? "{\"status\":\"%s\"}\n" : "%s\n", word);

	http_respond(request, 200,
		     json ? "application/json" : "text/plain; charset=utf-8",
		     body, (size_t)size, NULL);
}

static void healthz(struct http_request *request, void *self)
{
	(void)self;
	say(request, "ok");
}

static void readyz(struct http_request *request, void *self)
{
	const struct ops_http *ops = self;
	struct status why;

	if (ops->ready(ops->arg, &why) == STATUS_OK) {
		say(request, "ready");
		return;
	}
	status_wrap(&why, "not ready");
	http_respond_error(request, 503, &why);
}

static void metrics_page(struct http_request *request, void *self)
{
	const struct ops_http *ops = self;
	size_t size;
	char *page = metrics_render(ops->metrics, &size);

	http_respond(request, 200, METRICS_CONTENT_TYPE, page, size, NULL);
	free(page);
}

void ops_http_add(struct http_server *server, struct ops_http *ops)
{
	http_server_route(server, HTTP_GET | HTTP_ALWAYS, "/healthz", healthz,
			  ops);
	http_server_route(server, HTTP_GET | HTTP_ALWAYS, "/readyz", readyz,
			  ops);
	http_server_route(server, HTTP_GET | HTTP_ALWAYS, "/metrics",
			  metrics_page, ops);
}
