/*
 * grpc.reflection.v1 and v1alpha ServerReflection over the schemas of every
 * service that was added to an rpc_server, itself and health included: grpcurl
 * lists, describes and calls with no .proto at hand.
 * Source: grpc/doc/server-reflection.md.
 */
#ifndef RESCIND_RPC_REFLECTION_H
#define RESCIND_RPC_REFLECTION_H

#include "rpc/server.h"

struct rpc_reflection;

/* The last service to be added before start. */
MUSTCHECK enum status_code
rpc_reflection_new(struct rpc_server *server,
		   struct rpc_reflection **ret_reflection,
		   struct status *reterr);
/* After the server is freed. */
void rpc_reflection_free(struct rpc_reflection *reflection);

#endif
