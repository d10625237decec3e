/* Adding services to a server. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loop/bug.h"
#include "rpc/call.h"

/* ---- checks ------------------------------------------------------------- */

static const ProtobufCMethodDescriptor *
find_method(const ProtobufCServiceDescriptor *service, const char *name)
{
	return protobuf_c_service_descriptor_get_method_by_name(service, name);
}

static enum status_code check_method(const struct rpc_server *server,
				     const ProtobufCServiceDescriptor *service,
				     const struct rpc_method *method,
				     struct status *reterr)
{
	struct schema_method schema;
	bool streams;

	if (find_method(service, method->name) == NULL) {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "%s has no method %s", service->name,
				  method->name);
	}
	if (!schema_method(server->schemas, service->name, method->name,
			   &schema)) {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "the schema lacks method %s of %s",
				  method->name, service->name);
	}
	streams = schema.client_streams || schema.server_streams;
	if ((method->unary != NULL) == (method->stream != NULL) ||
	    (method->stream != NULL) != streams) {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "method %s of %s needs one handler, a %s",
				  method->name, service->name,
				  streams ? "stream" : "unary");
	}
	return STATUS_OK;
}

static enum status_code check_service(const struct rpc_server *server,
				      const ProtobufCServiceDescriptor *service,
				      const struct rpc_method *methods,
				      struct status *reterr)
{
	for (size_t i = 0; i < server->service_nr; i++) {
		if (strcmp(server->services[i], service->name) == 0) {
			return status_set(reterr, STATUS_ALREADY_EXISTS,
					  "%s was added before", service->name);
		}
	}
	if (server->service_nr == SERVICES_MAX) {
		return status_set(reterr, STATUS_RESOURCE_EXHAUSTED,
				  "more than %d services", SERVICES_MAX);
	}
	for (; methods->name != NULL; methods++) {
		if (check_method(server, service, methods, reterr) !=
		    STATUS_OK) {
			return reterr->code;
		}
	}
	return STATUS_OK;
}

/* ---- binding ------------------------------------------------------------ */

static char *path_of(const char *service, const char *method)
{
	char *path;
	int n = asprintf(&path, "/%s/%s", service, method);

	BUG_IF(n < 0, "out of memory for a method's name");
	return path;
}

/* NULL: it was there. */
static void *register_path(struct rpc_server *server, const char *path,
			   bool unary)
{
	return grpc_server_register_method(
		server->core, path, NULL,
		unary ? GRPC_SRM_PAYLOAD_READ_INITIAL_BYTE_BUFFER
		      : GRPC_SRM_PAYLOAD_NONE,
		0);
}

static void bind_method(struct rpc_server *server,
			const ProtobufCServiceDescriptor *service,
			const struct rpc_method *method, void *self,
			bool counted)
{
	struct rpc_bound *bound = calloc(1, sizeof(*bound));

	BUG_IF(bound == NULL, "out of memory for a method");
	bound->server = server;
	bound->path = path_of(service->name, method->name);
	bound->input = find_method(service, method->name)->input;
	bound->unary = method->unary;
	bound->stream = method->stream;
	bound->self = self;
	bound->counted = counted;
	bound->registered =
		register_path(server, bound->path, method->unary != NULL);
	BUG_IF(bound->registered == NULL, "a method was named twice");
	bound->next = server->methods;
	server->methods = bound;
}

static enum status_code add(struct rpc_server *server,
			    const ProtobufCServiceDescriptor *service,
			    const struct rpc_schema *schema,
			    const struct rpc_method *methods, void *self,
			    bool counted, struct status *reterr)
{
	struct status st;

	BUG_IF(server->started, "a service was added after the start");
	if (schema_index_add(server->schemas, schema, &st) != STATUS_OK ||
	    check_service(server, service, methods, &st) != STATUS_OK) {
		return status_set(reterr, st.code, "add service %s: %s",
				  service->name, st.message);
	}
	for (; methods->name != NULL; methods++) {
		bind_method(server, service, methods, self,
			    counted && !methods->always);
	}
	server->services[server->service_nr++] = service->name;
	return STATUS_OK;
}

enum status_code rpc_server_add_service(
	struct rpc_server *server, const ProtobufCServiceDescriptor *service,
	const struct rpc_schema *schema, const struct rpc_method *methods,
	void *self, struct status *reterr)
{
	return add(server, service, schema, methods, self, true, reterr);
}

enum status_code rpc_server_add_uncounted_service(
	struct rpc_server *server, const ProtobufCServiceDescriptor *service,
	const struct rpc_schema *schema, const struct rpc_method *methods,
	void *self, struct status *reterr)
{
	return add(server, service, schema, methods, self, false, reterr);
}

/* ---- what the services that come with it see ---------------------------- */

struct schema_index *rpc_server_schemas(struct rpc_server *server)
{
	return server->schemas;
}

size_t rpc_server_services(struct rpc_server *server, const char **ret_names,
			   size_t max)
{
	for (size_t i = 0; i < server->service_nr && i < max; i++) {
		ret_names[i] = server->services[i];
	}
	return server->service_nr;
}
