#include "program/program_grpc.h"

enum { HEALTH_EVERY_MS = 500 };

void program_grpc_options(const struct program *program, uint16_t port,
			  struct rpc_server_options *ret_options)
{
	rpc_server_options_init(ret_options);
	ret_options->listen = program->config.listen;
	ret_options->port = port;
	ret_options->in_flight_max = program->in_flight_max;
	ret_options->connections_max = program_connections_max(program);
	/* One caller may use all: what is too much is refused. */
	ret_options->streams_max =
		program->in_flight_max + PROGRAM_DESCRIPTORS_RESERVED;
}

const struct rpc_tls *program_grpc_tls(const struct program_tls *tls,
				       struct rpc_tls *ret)
{
	*ret = (struct rpc_tls){ tls->cert, tls->key, tls->ca };
	return tls->cert != NULL || tls->ca != NULL ? ret : NULL;
}

enum status_code program_grpc_bind(struct program_grpc *grpc,
				   struct program *program,
				   const struct rpc_server_options *options,
				   struct status *reterr)
{
	grpc->program = program;
	if (rpc_poller_new(&grpc->poller, reterr) != STATUS_OK) {
		return reterr->code;
	}
	if (rpc_server_new(program->root, grpc->poller, options, &grpc->server,
			   reterr) != STATUS_OK) {
		return status_wrap(reterr, "gRPC");
	}
	return STATUS_OK;
}

/* ---- health ------------------------------------------------------------- */

static void tell_health(struct program_grpc *grpc)
{
	struct status why;
	bool serving = program_check_ready(grpc->program, &why) == STATUS_OK;

	rpc_health_set(grpc->health, "", serving);
	for (size_t i = 0; grpc->services[i] != NULL; i++) {
		rpc_health_set(grpc->health, grpc->services[i], serving);
	}
}

static void on_health_timer(struct loop_timer *timer, int64_t late_ns)
{
	struct program_grpc *grpc =
		(struct program_grpc *)(void *)((char *)timer -
						offsetof(struct program_grpc,
							 health_timer));

	(void)late_ns;
	tell_health(grpc);
	loop_timer_start(grpc->program->loop, timer,
			 clock_now_ns() + HEALTH_EVERY_MS * NS_PER_MS);
}

static void on_ready(bool ready, void *arg)
{
	(void)ready;
	tell_health(arg);
}

enum status_code program_grpc_start(struct program_grpc *grpc,
				    const char *const *services,
				    struct status *reterr)
{
	grpc->services = services;
	if (rpc_health_new(grpc->server, &grpc->health, reterr) != STATUS_OK ||
	    rpc_reflection_new(grpc->server, &grpc->reflection, reterr) !=
		    STATUS_OK ||
	    rpc_server_start(grpc->server, reterr) != STATUS_OK) {
		return reterr->code;
	}
	lifecycle_on_ready(grpc->program->lifecycle, on_ready, grpc);
	grpc->health_timer.fn = on_health_timer;
	on_health_timer(&grpc->health_timer, 0);
	return STATUS_OK;
}

/* ---- how it stops ------------------------------------------------------- */

static void stop_accepting(void *self)
{
	struct program_grpc *grpc = self;

	rpc_health_shutdown(grpc->health);
	rpc_server_stop_accepting(grpc->server);
}

static void on_drained(void *arg)
{
	struct program_grpc *grpc = arg;

	lifecycle_drained(grpc->part);
}

static void drain(void *self, struct lifecycle_part *part)
{
	struct program_grpc *grpc = self;

	(void)part;
	rpc_server_drain(grpc->server, on_drained, grpc);
}

static void cancel(void *self)
{
	struct program_grpc *grpc = self;

	rpc_server_cancel(grpc->server);
}

static void close_server(void *self)
{
	struct program_grpc *grpc = self;

	if (grpc->poller == NULL) {
		return;
	}
	(void)loop_timer_stop(grpc->program->loop, &grpc->health_timer);
	rpc_server_free(grpc->server);
	rpc_health_free(grpc->health);
	rpc_reflection_free(grpc->reflection);
	rpc_poller_free(grpc->poller);
	grpc->server = NULL;
	grpc->health = NULL;
	grpc->reflection = NULL;
	grpc->poller = NULL;
}

void program_grpc_add(struct program_grpc *grpc, const char *name)
{
	static const struct lifecycle_ops ops = {
		.stop_accepting = stop_accepting,
		.drain = drain,
		.cancel = cancel,
		.close = close_server,
	};

	grpc->part = lifecycle_add(grpc->program->lifecycle, name, &ops, grpc);
}

void program_grpc_release(struct program_grpc *grpc)
{
	close_server(grpc);
}
