#include "fixture.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shapes.pb-c.h"
#include "shapes_schema.h"

enum { CALL_TIMEOUT_S = 20 };

#define MUST_BE_OK(call, status)                                               \
	ck_assert_msg((call) == STATUS_OK, "%s", (status).message)

/* ---- server and client -------------------------------------------------- */

static void on_call_end(const char *method, const struct status *status,
			enum ctx_cause cause, int64_t duration_ns, void *arg)
{
	struct fixture *fixture = arg;

	(void)method;
	(void)status;
	(void)cause;
	(void)duration_ns;
	pthread_mutex_lock(&fixture->mutex);
	fixture->ended++;
	pthread_cond_broadcast(&fixture->changed);
	while (fixture->hold) {
		pthread_cond_wait(&fixture->changed, &fixture->mutex);
	}
	pthread_mutex_unlock(&fixture->mutex);
}

void fixture_hold(struct fixture *fixture, bool hold)
{
	pthread_mutex_lock(&fixture->mutex);
	fixture->hold = hold;
	pthread_cond_broadcast(&fixture->changed);
	pthread_mutex_unlock(&fixture->mutex);
}

void fixture_wait_ended(struct fixture *fixture, size_t count)
{
	pthread_mutex_lock(&fixture->mutex);
	while (fixture->ended < count) {
		pthread_cond_wait(&fixture->changed, &fixture->mutex);
	}
	pthread_mutex_unlock(&fixture->mutex);
}

static void start_server(struct fixture *fixture)
{
	static const struct rpc_method none[] = { { NULL } };
	struct rpc_server_options options;
	struct status st;

	rpc_server_options_init(&options);
	options.on_end = on_call_end;
	options.on_end_arg = fixture;
	MUST_BE_OK(rpc_server_new(fixture->root, fixture->poller, &options,
				  &fixture->server, &st),
		   st);
	MUST_BE_OK(rpc_server_add_service(fixture->server,
					  &shapes__forest__descriptor,
					  &shapes_schema, none, NULL, &st),
		   st);
	MUST_BE_OK(rpc_health_new(fixture->server, &fixture->health, &st), st);
	MUST_BE_OK(
		rpc_reflection_new(fixture->server, &fixture->reflection, &st),
		st);
	MUST_BE_OK(rpc_server_start(fixture->server, &st), st);
}

void fixture_start(struct fixture *fixture)
{
	struct rpc_channel_options options;
	struct status st;
	char target[32];

	memset(fixture, 0, sizeof(*fixture));
	pthread_mutex_init(&fixture->mutex, NULL);
	pthread_cond_init(&fixture->changed, NULL);
	MUST_BE_OK(loop_new(&fixture->loop, &st), st);
	MUST_BE_OK(ctx_root(fixture->loop, &fixture->root, &st), st);
	MUST_BE_OK(rpc_poller_new(&fixture->poller, &st), st);
	MUST_BE_OK(rpc_poller_new(&fixture->client_poller, &st), st);
	start_server(fixture);
	MUST_BE_OK(loop_start_thread(fixture->loop, &st), st);
	rpc_channel_options_init(&options);
	snprintf(target, sizeof(target), "127.0.0.1:%d",
		 rpc_server_port(fixture->server));
	options.target = target;
	MUST_BE_OK(rpc_channel_new(fixture->client_poller, &options,
				   &fixture->channel, &st),
		   st);
}

struct stop {
	struct loop_task task;
	struct rpc_server *server;
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	bool done;
};

/* Servers are freed on the loop's thread. */
static void on_stop(struct loop_task *task)
{
	struct stop *stop = (struct stop *)(void *)task;

	rpc_server_free(stop->server);
	pthread_mutex_lock(&stop->mutex);
	stop->done = true;
	pthread_cond_signal(&stop->changed);
	pthread_mutex_unlock(&stop->mutex);
}

void fixture_stop_server(struct fixture *fixture)
{
	struct stop stop = { { on_stop, NULL },
			     fixture->server,
			     PTHREAD_MUTEX_INITIALIZER,
			     PTHREAD_COND_INITIALIZER,
			     false };

	fixture->server = NULL;
	loop_post(fixture->loop, &stop.task);
	pthread_mutex_lock(&stop.mutex);
	while (!stop.done) {
		pthread_cond_wait(&stop.changed, &stop.mutex);
	}
	pthread_mutex_unlock(&stop.mutex);
}

void fixture_stop(struct fixture *fixture)
{
	fixture_stop_server(fixture);
	rpc_channel_free(fixture->channel);
	rpc_reflection_free(fixture->reflection);
	rpc_health_free(fixture->health);
	rpc_poller_free(fixture->client_poller);
	rpc_poller_free(fixture->poller);
	ctx_unref(fixture->root);
	loop_free(fixture->loop);
}

/* ---- unary -------------------------------------------------------------- */

static struct bytes pack(const ProtobufCMessage *message)
{
	struct bytes bytes;

	bytes.size = protobuf_c_message_get_packed_size(message);
	bytes.data = malloc(bytes.size + 1);
	ck_assert_ptr_nonnull(bytes.data);
	protobuf_c_message_pack(message, bytes.data);
	return bytes;
}

static ProtobufCMessage *unpack(struct bytes *bytes,
				const ProtobufCMessageDescriptor *descriptor)
{
	ProtobufCMessage *message = protobuf_c_message_unpack(
		descriptor, NULL, bytes->size, bytes->data);

	ck_assert_ptr_nonnull(message);
	free(bytes->data);
	return message;
}

struct outcome {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	bool done;
	struct status status;
	struct bytes response;
	const ProtobufCMessageDescriptor *descriptor;
};

static void on_done(const struct status *status,
		    const ProtobufCMessage *response,
		    const struct rpc_metadata *trailing, void *arg)
{
	struct outcome *outcome = arg;

	(void)trailing;
	pthread_mutex_lock(&outcome->mutex);
	outcome->status = *status;
	if (response != NULL) {
		outcome->response = pack(response);
		outcome->descriptor = response->descriptor;
	}
	outcome->done = true;
	pthread_cond_signal(&outcome->changed);
	pthread_mutex_unlock(&outcome->mutex);
}

static struct ctx *call_ctx(struct fixture *fixture)
{
	return ctx_new(fixture->root,
		       clock_now_ns() + CALL_TIMEOUT_S * (int64_t)NS_PER_S);
}

struct status fixture_call(struct fixture *fixture,
			   const ProtobufCServiceDescriptor *service,
			   const char *method, const ProtobufCMessage *request,
			   ProtobufCMessage **ret_response)
{
	struct outcome outcome = { .mutex = PTHREAD_MUTEX_INITIALIZER,
				   .changed = PTHREAD_COND_INITIALIZER };
	struct ctx *ctx = call_ctx(fixture);
	ProtobufCMessage *response = NULL;

	rpc_unary(fixture->channel, ctx, service, method, request, NULL,
		  on_done, &outcome);
	pthread_mutex_lock(&outcome.mutex);
	while (!outcome.done) {
		pthread_cond_wait(&outcome.changed, &outcome.mutex);
	}
	pthread_mutex_unlock(&outcome.mutex);
	ctx_unref(ctx);
	if (outcome.response.data != NULL) {
		response = unpack(&outcome.response, outcome.descriptor);
	}
	if (ret_response != NULL) {
		*ret_response = response;
	} else if (response != NULL) {
		protobuf_c_message_free_unpacked(response, NULL);
	}
	return outcome.status;
}

/* ---- streams ------------------------------------------------------------ */

static void on_message(struct rpc_stream *rpc_stream,
		       const ProtobufCMessage *message, void *arg)
{
	struct stream *stream = arg;

	pthread_mutex_lock(&stream->mutex);
	ck_assert_uint_lt(stream->received - stream->taken,
			  STREAM_MESSAGES_MAX);
	stream->messages[stream->received++ % STREAM_MESSAGES_MAX] =
		pack(message);
	pthread_cond_broadcast(&stream->changed);
	pthread_mutex_unlock(&stream->mutex);
	rpc_stream_receive(rpc_stream);
}

static void on_sent(struct rpc_stream *rpc_stream, bool ok, void *arg)
{
	struct stream *stream = arg;

	if (ok && stream->last) {
		rpc_stream_close_send(rpc_stream);
	}
	pthread_mutex_lock(&stream->mutex);
	stream->sending = false;
	pthread_cond_broadcast(&stream->changed);
	pthread_mutex_unlock(&stream->mutex);
}

static void on_end(struct rpc_stream *rpc_stream, const struct status *status,
		   const struct rpc_metadata *trailing, void *arg)
{
	struct stream *stream = arg;

	(void)rpc_stream;
	(void)trailing;
	pthread_mutex_lock(&stream->mutex);
	stream->ended = true;
	stream->end = *status;
	pthread_cond_broadcast(&stream->changed);
	pthread_mutex_unlock(&stream->mutex);
}

void stream_open(struct stream *stream, struct fixture *fixture,
		 const ProtobufCServiceDescriptor *service, const char *method)
{
	static const struct rpc_stream_callbacks callbacks = { on_message,
							       on_sent,
							       on_end };

	memset(stream, 0, sizeof(*stream));
	pthread_mutex_init(&stream->mutex, NULL);
	pthread_cond_init(&stream->changed, NULL);
	stream->ctx = call_ctx(fixture);
	stream->stream = rpc_stream_open(fixture->channel, stream->ctx, service,
					 method, NULL, &callbacks, stream);
	rpc_stream_receive(stream->stream);
}

void stream_send(struct stream *stream, const ProtobufCMessage *message)
{
	pthread_mutex_lock(&stream->mutex);
	stream->sending = true;
	rpc_stream_send(stream->stream, message);
	while (stream->sending && !stream->ended) {
		pthread_cond_wait(&stream->changed, &stream->mutex);
	}
	pthread_mutex_unlock(&stream->mutex);
}

void stream_send_last(struct stream *stream, const ProtobufCMessage *message)
{
	stream->last = true;
	stream_send(stream, message);
}

void stream_close_send(struct stream *stream)
{
	rpc_stream_close_send(stream->stream);
}

ProtobufCMessage *stream_next(struct stream *stream,
			      const ProtobufCMessageDescriptor *descriptor)
{
	ProtobufCMessage *message = NULL;

	pthread_mutex_lock(&stream->mutex);
	while (stream->received == stream->taken && !stream->ended) {
		pthread_cond_wait(&stream->changed, &stream->mutex);
	}
	if (stream->received > stream->taken) {
		message = unpack(&stream->messages[stream->taken++ %
						   STREAM_MESSAGES_MAX],
				 descriptor);
	}
	pthread_mutex_unlock(&stream->mutex);
	return message;
}

struct status stream_end(struct stream *stream)
{
	pthread_mutex_lock(&stream->mutex);
	while (!stream->ended) {
		pthread_cond_wait(&stream->changed, &stream->mutex);
	}
	pthread_mutex_unlock(&stream->mutex);
	return stream->end;
}

void stream_cancel(struct stream *stream)
{
	(void)ctx_end(stream->ctx, CTX_CALLER_CANCELLED, NULL);
	(void)stream_end(stream);
}

void stream_release(struct stream *stream)
{
	rpc_stream_release(stream->stream);
	while (stream->taken < stream->received) {
		free(stream->messages[stream->taken++ % STREAM_MESSAGES_MAX]
			     .data);
	}
	pthread_mutex_destroy(&stream->mutex);
	pthread_cond_destroy(&stream->changed);
	ctx_unref(stream->ctx);
}
