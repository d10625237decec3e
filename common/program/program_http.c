#include "program/program_http.h"

void program_http_options(const struct program *program, uint16_t port,
			  const struct program_tls *tls,
			  struct http_options *ret_options)
{
	http_options_init(ret_options);
	ret_options->listen = program->config.listen;
	ret_options->port = port;
	ret_options->in_flight_max = program->in_flight_max;
	ret_options->connections_max = program_connections_max(program);
	if (tls != NULL) {
		ret_options->tls_cert = tls->cert;
		ret_options->tls_key = tls->key;
		ret_options->tls_ca = tls->ca;
	}
}

enum status_code program_http_bind(struct program_http *http,
				   struct program *program, const char *what,
				   const struct http_options *options,
				   struct status *reterr)
{
	http->program = program;
	http->ops = (struct ops_http){ program->metrics, program_check_ready,
				       program };
	if (http_server_new(program->root, options, &http->server, reterr) !=
	    STATUS_OK) {
		return status_wrap(reterr, "%s", what);
	}
	ops_http_add(http->server, &http->ops);
	return STATUS_OK;
}

/* ---- how it stops ------------------------------------------------------- */

static void stop_accepting(void *self)
{
	struct program_http *http = self;

	http_server_stop_accepting(http->server);
}

static void on_drained(void *arg)
{
	struct program_http *http = arg;

	lifecycle_drained(http->part);
}

static void drain(void *self, struct lifecycle_part *part)
{
	struct program_http *http = self;

	(void)part;
	http_server_drain(http->server, on_drained, http);
}

static void cancel(void *self)
{
	struct program_http *http = self;

	http_server_cancel(http->server);
}

static void close_server(struct program_http *http)
{
	http_server_free(http->server);
	http->server = NULL;
}

/* It takes no time, but belongs on the loop's thread, whatever closes beside
 * it. */
static void begin_close(void *self, struct lifecycle_part *part)
{
	close_server(self);
	lifecycle_closed(part);
}

static void stop_and_begin_close(void *self, struct lifecycle_part *part)
{
	struct program_http *http = self;

	http_server_stop_accepting(http->server);
	begin_close(http, part);
}

void program_http_add(struct program_http *http, const char *name)
{
	static const struct lifecycle_ops ops = {
		.stop_accepting = stop_accepting,
		.drain = drain,
		.cancel = cancel,
		.close_begin = begin_close,
	};

	http->part = lifecycle_add(http->program->lifecycle, name, &ops, http);
}

void program_http_add_for_operators(struct program_http *http, const char *name)
{
	static const struct lifecycle_ops ops = {
		.close_begin = stop_and_begin_close,
	};

	http->part = lifecycle_add(http->program->lifecycle, name, &ops, http);
}

void program_http_release(struct program_http *http)
{
	close_server(http);
}
