/*
 * A gRPC server as a part of a program, with health and reflection. Health is
 * readiness: what /readyz would say, the health service says too.
 *
 *	program_grpc_options(&app->program, port, &options);
 *	options.on_end = ...;
 *	if (program_grpc_bind(&app->grpc, &app->program, &options, reterr) ...
 *	rpc_server_add_service(app->grpc.server, ...);
 *	...
 *	program_grpc_add(&app->grpc, "gRPC server");
 *	return program_grpc_start(&app->grpc, services, reterr);
 */
#ifndef RESCIND_PROGRAM_GRPC_H
#define RESCIND_PROGRAM_GRPC_H

#include "program/program.h"
#include "rpc/health.h"
#include "rpc/reflection.h"
#include "rpc/server.h"

struct program_grpc {
	struct program *program;
	struct rpc_poller *poller; /* channels may share it until it closes */
	struct rpc_server *server; /* NULL when closed, or never bound */
	struct rpc_health *health;
	struct rpc_reflection *reflection;
	struct lifecycle_part *part;
	const char *const *services;
	struct loop_timer health_timer;
};

/* The defaults, and what @program's flags say. */
void program_grpc_options(const struct program *program, uint16_t port,
			  struct rpc_server_options *ret_options);
/* What rpc_server_options.tls takes, written to @ret: NULL for plaintext. */
const struct rpc_tls *program_grpc_tls(const struct program_tls *tls,
				       struct rpc_tls *ret);

/* Bind. First of all parts, so that a port that is taken is found before
 * anything is made. */
MUSTCHECK enum status_code
program_grpc_bind(struct program_grpc *grpc, struct program *program,
		  const struct rpc_server_options *options,
		  struct status *reterr);

/* Register it: it stops accepting, drains, is cancelled and closes. @name is
 * borrowed for good. Its close belongs on the loop's thread, so not with
 * lifecycle_close_beside(). */
void program_grpc_add(struct program_grpc *grpc, const char *name);

/*
 * Add health and reflection, and start; its services have been added. Health
 * tells of @services (names, ending in NULL; borrowed for good) and of "".
 */
MUSTCHECK enum status_code program_grpc_start(struct program_grpc *grpc,
					      const char *const *services,
					      struct status *reterr);

/* Close it, if the ladder did not. */
void program_grpc_release(struct program_grpc *grpc);

#endif
