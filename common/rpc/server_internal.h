/*
 * What the services that come with the server (health, reflection) see of it.
 */
#ifndef RESCIND_RPC_SERVER_INTERNAL_H
#define RESCIND_RPC_SERVER_INTERNAL_H

#include "rpc/schema.h"
#include "rpc/server.h"

/* Over the schemas of every service that was added; the server's own. */
struct schema_index *rpc_server_schemas(struct rpc_server *server);

/*
 * Full names of the services in the order in which they were added; at most
 * @max are written, the count of all is returned. Valid until the server is
 * freed.
 */
size_t rpc_server_services(struct rpc_server *server, const char **ret_names,
			   size_t max);

/* As rpc_server_add_service(); its calls count against no limit, are not
 * awaited by a drain, and are served while draining. */
MUSTCHECK enum status_code rpc_server_add_uncounted_service(
	struct rpc_server *server, const ProtobufCServiceDescriptor *service,
	const struct rpc_schema *schema, const struct rpc_method *methods,
	void *self, struct status *reterr);

#endif
