/*
 * grpc.health.v1.Health: Check, Watch and List, on an rpc_server.
 * "" is the server as a whole. Source: grpc/doc/health-checking.md.
 */
#ifndef RESCIND_RPC_HEALTH_H
#define RESCIND_RPC_HEALTH_H

#include "rpc/server.h"

struct rpc_health;

/* Add the service to @server, before start; "" begins as SERVING. */
MUSTCHECK enum status_code rpc_health_new(struct rpc_server *server,
					  struct rpc_health **ret_health,
					  struct status *reterr);
/* Any thread. Watchers are told; @service is copied. */
void rpc_health_set(struct rpc_health *health, const char *service,
		    bool serving);
/*
 * Everything NOT_SERVING for good, later sets ignored; watchers are told and
 * their streams ended, so that they can't hold up a shutdown.
 */
void rpc_health_shutdown(struct rpc_health *health);
/* After the server is freed. */
void rpc_health_free(struct rpc_health *health);

#endif
