/* A client's channel: connection, methods, what calls share. */
#include "rpc/channel.h"

#include <grpc/grpc_security.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "loop/bug.h"
#include "rpc/args.h"
#include "rpc/client.h"
#include "rpc/tls.h"

enum {
	MESSAGE_MAX = 4 << 20,
	METADATA_MAX = 16 << 10,
	KEEPALIVE_S = 10,
	KEEPALIVE_TIMEOUT_S = 5,
	BACKOFF_MIN_MS = 100,
	CONNECT_TIMEOUT_MS = 5000,
	BACKOFF_MAX_MS = 1000,
	RESOLVE_AGAIN_MS = 1000,
	/* Failed calls make the channel try anew, at most this often. */
	HURRY_MS = 50,
};

void rpc_channel_options_init(struct rpc_channel_options *options)
{
	memset(options, 0, sizeof(*options));
	options->message_max = MESSAGE_MAX;
	options->keepalive_ns = KEEPALIVE_S * (int64_t)NS_PER_S;
	options->keepalive_timeout_ns = KEEPALIVE_TIMEOUT_S * (int64_t)NS_PER_S;
}

/* ---- life --------------------------------------------------------------- */

static grpc_channel *create_core(const struct rpc_channel_options *options,
				 grpc_channel_credentials *credentials)
{
	struct args args;

	args_init(&args);
	args_add_keepalive(&args, options->keepalive_ns,
			   options->keepalive_timeout_ns);
	args_add(&args, GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH,
		 (int64_t)options->message_max);
	args_add(&args, GRPC_ARG_MAX_METADATA_SIZE, METADATA_MAX);
	args_add(&args, GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, BACKOFF_MIN_MS);
	/* Despite its name: how long an attempt to connect may take. */
	args_add(&args, GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, CONNECT_TIMEOUT_MS);
	args_add(&args, GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, BACKOFF_MAX_MS);
	args_add(&args, GRPC_ARG_DNS_MIN_TIME_BETWEEN_RESOLUTIONS_MS,
		 RESOLVE_AGAIN_MS);
	/* The environment must not lead our calls elsewhere. */
	args_add(&args, GRPC_ARG_ENABLE_HTTP_PROXY, 0);
	args_add(&args, GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
	/* A connection of its own, kept while idle: it is watched. */
	args_add(&args, GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
	args_add(&args, GRPC_ARG_CLIENT_IDLE_TIMEOUT_MS, INT_MAX);
	if (options->tls_server_name != NULL) {
		args_add_text(&args, GRPC_SSL_TARGET_NAME_OVERRIDE_ARG,
			      options->tls_server_name);
	}
	return grpc_channel_create(options->target, credentials, &args.list);
}

enum status_code rpc_channel_new(struct rpc_poller *poller,
				 const struct rpc_channel_options *options,
				 struct rpc_channel **ret_channel,
				 struct status *reterr)
{
	grpc_channel_credentials *credentials;
	struct rpc_channel *channel;
	enum status_code code;

	if (options->target == NULL || options->target[0] == '\0') {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "a channel needs a target");
	}
	code = tls_channel_credentials(options->tls, &credentials, reterr);
	if (code != STATUS_OK) {
		return code;
	}
	channel = calloc(1, sizeof(*channel));
	BUG_IF(channel == NULL, "out of memory for a channel");
	channel->poller = poller;
	channel->wait_for_ready = options->wait_for_ready;
	pthread_mutex_init(&channel->mutex, NULL);
	pthread_cond_init(&channel->idle, NULL);
	channel->core = create_core(options, credentials);
	grpc_channel_credentials_release(credentials);
	*ret_channel = channel;
	return STATUS_OK;
}

/* Hooks of calls that have ended may still be on their way out. */
static void wait_idle(struct rpc_channel *channel)
{
	pthread_mutex_lock(&channel->mutex);
	while (channel->calls > 0) {
		pthread_cond_wait(&channel->idle, &channel->mutex);
	}
	pthread_mutex_unlock(&channel->mutex);
}

void rpc_channel_free(struct rpc_channel *channel)
{
	struct channel_method *method;

	if (channel == NULL) {
		return;
	}
	wait_idle(channel);
	grpc_channel_destroy(channel->core);
	unary_pool_free(channel);
	method = atomic_load(&channel->methods);
	while (method != NULL) {
		struct channel_method *next = method->next;

		free(method->path);
		free(method);
		method = next;
	}
	pthread_mutex_destroy(&channel->mutex);
	pthread_cond_destroy(&channel->idle);
	free(channel);
}

bool rpc_channel_is_ready(struct rpc_channel *channel, bool connect)
{
	return grpc_channel_check_connectivity_state(channel->core, connect) ==
	       GRPC_CHANNEL_READY;
}

void channel_calls_add(struct rpc_channel *channel)
{
	pthread_mutex_lock(&channel->mutex);
	channel->calls++;
	pthread_mutex_unlock(&channel->mutex);
}

void channel_calls_drop(struct rpc_channel *channel)
{
	pthread_mutex_lock(&channel->mutex);
	if (--channel->calls == 0) {
		pthread_cond_signal(&channel->idle);
	}
	pthread_mutex_unlock(&channel->mutex);
}

/* ---- methods ------------------------------------------------------------ */

static struct channel_method *find(struct channel_method *method,
				   const ProtobufCServiceDescriptor *service,
				   const char *name)
{
	while (method != NULL && (method->service != service ||
				  (method->method->name != name &&
				   strcmp(method->method->name, name) != 0))) {
		method = method->next;
	}
	return method;
}

static struct channel_method *
method_new(struct rpc_channel *channel,
	   const ProtobufCServiceDescriptor *service, const char *name)
{
	struct channel_method *method = calloc(1, sizeof(*method));

	BUG_IF(method == NULL, "out of memory for a method");
	method->service = service;
	method->method =
		protobuf_c_service_descriptor_get_method_by_name(service, name);
	BUG_IF(method->method == NULL, "the service has no such method");
	BUG_IF(asprintf(&method->path, "/%s/%s", service->name, name) < 0,
	       "out of memory for a method's name");
	method->handle = grpc_channel_register_call(channel->core, method->path,
						    NULL, NULL);
	return method;
}

const struct channel_method *
channel_method(struct rpc_channel *channel,
	       const ProtobufCServiceDescriptor *service, const char *name)
{
	struct channel_method *method = find(
		atomic_load_explicit(&channel->methods, memory_order_acquire),
		service, name);

	if (method != NULL) {
		return method;
	}
	pthread_mutex_lock(&channel->mutex);
	method = find(atomic_load(&channel->methods), service, name);
	if (method == NULL) {
		method = method_new(channel, service, name);
		method->next = atomic_load(&channel->methods);
		atomic_store_explicit(&channel->methods, method,
				      memory_order_release);
	}
	pthread_mutex_unlock(&channel->mutex);
	return method;
}

/* ---- what calls share --------------------------------------------------- */

grpc_call *channel_call(struct rpc_channel *channel,
			const struct channel_method *method,
			const struct ctx *ctx)
{
	return grpc_channel_create_registered_call(
		channel->core, NULL, GRPC_PROPAGATE_DEFAULTS,
		poller_queue(channel->poller), method->handle,
		deadline_to_wire(ctx_deadline_ns(ctx)), NULL);
}

void channel_metadata(struct metadata_out *out, const struct ctx *ctx,
		      const struct rpc_metadata *metadata)
{
	metadata_out_init(out);
	metadata_out_add_facts(out, ctx);
	for (size_t i = 0; metadata != NULL && i < metadata->count; i++) {
		const struct rpc_metadatum *item = &metadata->items[i];

		metadata_out_add(out, item->key, item->value, item->size);
	}
}

grpc_op channel_metadata_op(const struct rpc_channel *channel,
			    const struct metadata_out *out)
{
	grpc_op op;

	memset(&op, 0, sizeof(op));
	op.op = GRPC_OP_SEND_INITIAL_METADATA;
	op.data.send_initial_metadata.count = out->count;
	op.data.send_initial_metadata.metadata = out->items;
	if (channel->wait_for_ready) {
		op.flags = GRPC_INITIAL_METADATA_WAIT_FOR_READY |
			   GRPC_INITIAL_METADATA_WAIT_FOR_READY_EXPLICITLY_SET;
	}
	return op;
}

/*
 * A call has failed for want of a server. Don't let the back-off run its course
 * while somebody wants to call: a server that comes back is found at once.
 */
void rpc_channel_hurry(struct rpc_channel *channel)
{
	int_fast64_t before = atomic_load(&channel->hurried_ns);
	int64_t now_ns = clock_now_ns();

	if (now_ns - before >= (int64_t)HURRY_MS * NS_PER_MS &&
	    atomic_compare_exchange_strong(&channel->hurried_ns, &before,
					   now_ns)) {
		grpc_channel_reset_connect_backoff(channel->core);
	}
}

struct status channel_status(struct rpc_channel *channel, struct ctx *ctx,
			     grpc_status_code code, grpc_slice text,
			     bool cancelled)
{
	struct status status = status_from_wire(code, text);
	struct status ended;

	if (status.code == STATUS_OK) {
		return status;
	}
	if (ctx_cause(ctx, &ended) != CTX_NONE) {
		return ended;
	}
	if (status.code == STATUS_CANCELLED && !cancelled) {
		return status_make(STATUS_UNAVAILABLE,
				   "the server dropped the call: %s",
				   status.message);
	}
	if (status.code == STATUS_UNAVAILABLE) {
		rpc_channel_hurry(channel);
	}
	return status;
}
