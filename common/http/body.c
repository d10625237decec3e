/*
 * Bodies that are made while they are sent.
 *
 * Libmicrohttpd asks for bytes when it has sent what it had. Where the piece at
 * hand is used up the owner is asked for the next one; if that is not there at
 * once the connection is suspended, and resumed when it comes, as it is for a
 * handler's answer. So a connection is either with libmicrohttpd, which sends,
 * or suspended, and then a piece is owed. Only in the former state can it be
 * closed under us; the latter ends by the piece, or by the owner's giving up.
 */
#include <stdlib.h>
#include <string.h>

#include "http/internal.h"

/* Sent at once to clients that know no chunks; others fill their memory. */
enum { UNCHUNKED_BLOCK_SIZE = 4096 };

/* ---- the owner's side: any thread --------------------------------------- */

/* On the loop's thread: what was asked for is there. */
static void deliver(struct http_request *request)
{
	struct http_stream *stream = &request->stream;

	stream->given = true;
	stream->sent = 0;
	request->response_size += stream->size;
	if (stream->failed) {
		http_stream_cut(request);
	}
	if (stream->suspended) {
		stream->suspended = false;
		http_request_resume(request);
	}
}

static void on_piece(struct loop_task *task)
{
	deliver(CONTAINER_OF(task, struct http_request, stream.task));
}

/* The last thing that the owner does to the request, until asked again. */
static void hand_in(struct http_request *request)
{
	struct http_server *server = request->server;

	BUG_IF(!atomic_exchange_explicit(&request->stream.owed, false,
					 memory_order_relaxed),
	       "a piece of a body that nobody asked for");
	if (loop_is_current(server->loop)) {
		deliver(request);
	} else {
		loop_post(server->loop, &request->stream.task);
	}
}

static void keep(struct http_stream *stream, const void *data, size_t size)
{
	if (size > stream->capacity) {
		free(stream->piece);
		stream->piece = malloc(size);
		BUG_IF(stream->piece == NULL, "out of memory");
		stream->capacity = size;
	}
	if (size > 0) {
		memcpy(stream->piece, data, size);
	}
	stream->size = size;
}

void http_body_give(struct http_request *request, const void *data, size_t size,
		    bool last)
{
	BUG_IF(size > HTTP_BODY_PIECE_MAX, "too large a piece of a body");
	BUG_IF(size == 0 && !last, "an empty piece of a body");
	keep(&request->stream, data, size);
	request->stream.last = last;
	hand_in(request);
}

void http_body_fail(struct http_request *request)
{
	request->stream.size = 0;
	request->stream.failed = true;
	hand_in(request);
}

/* ---- libmicrohttpd's side ----------------------------------------------- */

/* Whether the piece is there already. */
static bool ask(struct http_request *request)
{
	struct http_stream *stream = &request->stream;

	stream->given = false;
	stream->inside_next = true;
	atomic_store_explicit(&stream->owed, true, memory_order_relaxed);
	stream->body.next(request, stream->arg);
	stream->inside_next = false;
	return stream->given;
}

static bool is_used_up(const struct http_stream *stream)
{
	return stream->sent == stream->size;
}

static ssize_t take(struct http_stream *stream, char *ret, size_t room)
{
	size_t left = stream->size - stream->sent;
	size_t n = left < room ? left : room;

	memcpy(ret, stream->piece + stream->sent, n);
	stream->sent += n;
	return (ssize_t)n;
}

/*
 * A connection that libmicrohttpd closes because of what the reader says is
 * cleaned up when it looks at it again, for which it knows no reason. It looks
 * in every run at those with a timeout of their own.
 */
static void see_it_closed(struct http_request *request)
{
	(void)MHD_set_connection_option(
		request->mhd, MHD_CONNECTION_OPTION_TIMEOUT,
		(unsigned)request->server->options.idle_timeout_s + 1);
	http_server_kick(request->server);
}

static ssize_t end_of_body(struct http_request *request)
{
	if (request->stream.cut) {
		see_it_closed(request);
		return MHD_CONTENT_READER_END_WITH_ERROR;
	}
	if (request->http_1_0) {
		see_it_closed(request);
	}
	return MHD_CONTENT_READER_END_OF_STREAM;
}

/* MHD_ContentReaderCallback. After an end @arg may be gone. */
static ssize_t read_body(void *arg, uint64_t position, char *ret, size_t room)
{
	struct http_request *request = arg;
	struct http_stream *stream = &request->stream;

	(void)position;
	if (!stream->cut && is_used_up(stream) && !stream->last &&
	    !ask(request)) {
		stream->suspended = true;
		MHD_suspend_connection(request->mhd);
		return 0;
	}
	if (stream->cut || is_used_up(stream)) {
		return end_of_body(request);
	}
	return take(stream, ret, room);
}

/* Before HTTP/1.1 the end of the connection is the end of the body, unless it
 * ends with a reset. */
static void end_with_reset(const struct http_connection *connection)
{
	const struct sockaddr nobody = { .sa_family = AF_UNSPEC };

	(void)connect(connection->watch.fd, &nobody, sizeof(nobody));
}

/*
 * One that is suspended meets its end when the piece that is owed has come;
 * libmicrohttpd learns of the others' from their sockets.
 */
void http_stream_cut(struct http_request *request)
{
	struct http_stream *stream = &request->stream;

	if (stream->cut) {
		return;
	}
	stream->cut = true;
	request->connection->waiting = NULL;
	if (request->http_1_0) {
		end_with_reset(request->connection);
	}
	if (!stream->inside_next && !stream->suspended) {
		http_connection_shut(request->connection);
	}
}

/* ---- life --------------------------------------------------------------- */

struct MHD_Response *http_stream_open(struct http_request *request,
				      const struct http_body *body, void *arg)
{
	struct MHD_Response *response = MHD_create_response_from_callback(
		MHD_SIZE_UNKNOWN, UNCHUNKED_BLOCK_SIZE, read_body, request,
		NULL);

	BUG_IF(response == NULL, "out of memory");
	/* Of a chunked answer to HEAD it would send the last chunk. */
	if (strcmp(request->method, "HEAD") == 0) {
		(void)MHD_set_response_options(
			response, MHD_RF_HTTP_1_0_COMPATIBLE_STRICT,
			MHD_RO_END);
	}
	request->stream.body = *body;
	request->stream.arg = arg;
	request->stream.task.fn = on_piece;
	return response;
}

bool http_request_is_streamed(const struct http_request *request)
{
	return request->stream.body.next != NULL;
}

void http_stream_end(struct http_request *request)
{
	BUG_IF(request->stream.suspended,
	       "a connection was closed while its body was made");
	request->stream.body.done(request, request->stream.arg);
}

void http_stream_release(struct http_stream *stream)
{
	free(stream->piece);
}
