/*
 * A server with health, reflection and one more service in this process, a
 * client of it, and calls that wait for what they are told.
 */
#ifndef RESCIND_TEST_RPC_FIXTURE_H
#define RESCIND_TEST_RPC_FIXTURE_H

#include <pthread.h>

#include "rpc/channel.h"
#include "rpc/health.h"
#include "rpc/reflection.h"

struct fixture {
	struct loop *loop;
	struct ctx *root;
	struct rpc_poller *poller; /* the server's */
	struct rpc_poller *client_poller;
	struct rpc_server *server;
	struct rpc_health *health;
	struct rpc_reflection *reflection;
	struct rpc_channel *channel;

	pthread_mutex_t mutex; /* the calls that the server has ended */
	pthread_cond_t changed;
	size_t ended;
	bool hold;
};

void fixture_start(struct fixture *fixture);
/* As a program does: server first. Harmless again. */
void fixture_stop_server(struct fixture *fixture);
void fixture_stop(struct fixture *fixture);
/* Wait until the server has ended @count calls. */
void fixture_wait_ended(struct fixture *fixture, size_t count);

/* Stop the server's poller at the next end of a call, until told otherwise. */
void fixture_hold(struct fixture *fixture, bool hold);

/* The outcome of a unary call; @ret_response (may be NULL) is to be freed with
 * protobuf_c_message_free_unpacked(), NULL unless OK. */
struct status fixture_call(struct fixture *fixture,
			   const ProtobufCServiceDescriptor *service,
			   const char *method, const ProtobufCMessage *request,
			   ProtobufCMessage **ret_response);

/* ---- streams ------------------------------------------------------------ */

enum { STREAM_MESSAGES_MAX = 64 };

struct bytes {
	uint8_t *data;
	size_t size;
};

/* A stream that receives whatever comes, for stream_next() to hand out. */
struct stream {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	struct rpc_stream *stream;
	struct ctx *ctx;
	struct bytes messages[STREAM_MESSAGES_MAX]; /* a ring */
	size_t received;
	size_t taken;
	bool sending;
	bool last;
	bool ended;
	struct status end;
};

void stream_open(struct stream *stream, struct fixture *fixture,
		 const ProtobufCServiceDescriptor *service, const char *method);
/* Waits until it is taken by flow control. */
void stream_send(struct stream *stream, const ProtobufCMessage *message);
/* The same, and half-close; the stream may end at once. */
void stream_send_last(struct stream *stream, const ProtobufCMessage *message);
void stream_close_send(struct stream *stream);
/* Wait for a message (to be freed as above), or NULL: it has ended. */
ProtobufCMessage *stream_next(struct stream *stream,
			      const ProtobufCMessageDescriptor *descriptor);
/* Wait for the end, past all messages. */
struct status stream_end(struct stream *stream);
#define check_end(stream, wanted)                                              \
	do {                                                                   \
		struct status end_ = stream_end(stream);                       \
                                                                               \
		ck_assert_msg(end_.code == (wanted), "%s: %s",                 \
			      status_code_name(end_.code), end_.message);      \
	} while (0)
/* Leave, and wait for the end. */
void stream_cancel(struct stream *stream);
/* After the end. */
void stream_release(struct stream *stream);

#endif
