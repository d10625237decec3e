#include "rpc/reflection.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "grpc/reflection/v1/reflection.pb-c.h"
#include "grpc/reflection/v1alpha/reflection.pb-c.h"
#include "reflection_schema.h"
#include "reflection_v1alpha_schema.h"
#include "rpc/reflection_answer.h"
#include "rpc/server_internal.h"

enum { STREAMS_MAX = 256 };

/*
 * One of the two versions. Their messages differ by name alone, so that both
 * are answered by the same function over bytes.
 */
struct version {
	struct rpc_reflection *reflection;
	const ProtobufCMessageDescriptor *response;
};

struct rpc_reflection {
	struct version v1;
	struct version v1alpha;
	struct reflection_source source;
	const char **services; /* sorted; the names are the server's */
	atomic_int streams;
};

/* ---- a stream: receive, answer, send, and again ------------------------- */

static void finish(struct version *version, struct rpc_call *call,
		   const struct status *end)
{
	atomic_fetch_sub(&version->reflection->streams, 1);
	rpc_call_finish(call, end, NULL, 0);
}

static void on_request(struct rpc_call *call, const ProtobufCMessage *message,
		       const struct status *end, void *arg);

static void on_sent(struct rpc_call *call, bool ok, void *arg)
{
	struct status gone;

	if (ok) {
		rpc_call_receive(call, on_request, arg);
		return;
	}
	gone = status_make(STATUS_CANCELLED, "the caller has left");
	finish(arg, call, &gone);
}

/* The response to @message in @version, or NULL. */
static ProtobufCMessage *answer(struct version *version,
				const ProtobufCMessage *message,
				struct status *reterr)
{
	size_t size = protobuf_c_message_get_packed_size(message);
	uint8_t *request = malloc(size + 1);
	ProtobufCMessage *response = NULL;
	uint8_t *bytes;

	if (request == NULL) {
		status_set(reterr, STATUS_RESOURCE_EXHAUSTED, "out of memory");
		return NULL;
	}
	protobuf_c_message_pack(message, request);
	if (reflection_answer(&version->reflection->source, request, size,
			      &bytes, &size, reterr) == STATUS_OK) {
		response = protobuf_c_message_unpack(version->response, NULL,
						     size, bytes);
		if (response == NULL) {
			status_set(reterr, STATUS_RESOURCE_EXHAUSTED,
				   "out of memory");
		}
		free(bytes);
	}
	free(request);
	return response;
}

static void on_request(struct rpc_call *call, const ProtobufCMessage *message,
		       const struct status *end, void *arg)
{
	struct version *version = arg;
	ProtobufCMessage *response;
	struct status refused;

	if (message == NULL) {
		finish(version, call, end);
		return;
	}
	response = answer(version, message, &refused);
	if (response == NULL) {
		finish(version, call, &refused);
		return;
	}
	rpc_call_send(call, response, on_sent, version);
	protobuf_c_message_free_unpacked(response, NULL);
}

static void info(struct rpc_call *call, void *self)
{
	struct version *version = self;
	struct status full;

	if (atomic_fetch_add(&version->reflection->streams, 1) >= STREAMS_MAX) {
		full = status_make(STATUS_RESOURCE_EXHAUSTED,
				   "more than %d reflection streams",
				   STREAMS_MAX);
		finish(version, call, &full);
		return;
	}
	rpc_call_receive(call, on_request, version);
}

/* ---- life --------------------------------------------------------------- */

static const struct rpc_method methods[] = {
	{ "ServerReflectionInfo", .stream = info },
	{ NULL },
};

static enum status_code add_versions(struct rpc_server *server,
				     struct rpc_reflection *reflection,
				     struct status *reterr)
{
	enum status_code code = rpc_server_add_uncounted_service(
		server, &grpc__reflection__v1__server_reflection__descriptor,
		&reflection_schema, methods, &reflection->v1, reterr);

	if (code != STATUS_OK) {
		return code;
	}
	return rpc_server_add_uncounted_service(
		server,
		&grpc__reflection__v1alpha__server_reflection__descriptor,
		&reflection_v1alpha_schema, methods, &reflection->v1alpha,
		reterr);
}

static int by_name(const void *a, const void *b)
{
	const char *const *left = a;
	const char *const *right = b;

	return strcmp(*left, *right);
}

static enum status_code gather_services(struct rpc_server *server,
					struct rpc_reflection *reflection,
					struct status *reterr)
{
	size_t count = rpc_server_services(server, NULL, 0);

	reflection->services = calloc(count, sizeof(const char *));
	if (reflection->services == NULL) {
		return status_set(reterr, STATUS_RESOURCE_EXHAUSTED,
				  "out of memory");
	}
	(void)rpc_server_services(server, reflection->services, count);
	qsort(reflection->services, count, sizeof(const char *), by_name);
	reflection->source.index = rpc_server_schemas(server);
	reflection->source.services = reflection->services;
	reflection->source.service_count = count;
	return STATUS_OK;
}

enum status_code rpc_reflection_new(struct rpc_server *server,
				    struct rpc_reflection **ret_reflection,
				    struct status *reterr)
{
	struct rpc_reflection *reflection = calloc(1, sizeof(*reflection));

	if (reflection == NULL) {
		return status_set(reterr, STATUS_RESOURCE_EXHAUSTED,
				  "reflection: out of memory");
	}
	reflection->v1 = (struct version){
		reflection,
		&grpc__reflection__v1__server_reflection_response__descriptor
	};
	reflection->v1alpha = (struct version){
		reflection,
		&grpc__reflection__v1alpha__server_reflection_response__descriptor
	};
	if (add_versions(server, reflection, reterr) != STATUS_OK ||
	    gather_services(server, reflection, reterr) != STATUS_OK) {
		rpc_reflection_free(reflection);
		return status_wrap(reterr, "add the reflection service");
	}
	*ret_reflection = reflection;
	return STATUS_OK;
}

void rpc_reflection_free(struct rpc_reflection *reflection)
{
	if (reflection != NULL) {
		free(reflection->services);
		free(reflection);
	}
}
