/* How a request ends: its answer's way back to libmicrohttpd, or into nothing.
 */
#include <stdlib.h>

#include "http/internal.h"

enum { CLIENT_LEFT = 499 };

/* ---- where it is -------------------------------------------------------- */

static void list_remove(struct http_request *request)
{
	if (request->list == NULL) {
		return;
	}
	*(request->prev != NULL ? &request->prev->next : request->list) =
		request->next;
	if (request->next != NULL) {
		request->next->prev = request->prev;
	}
	request->prev = request->next = NULL;
	request->list = NULL;
}

void http_request_list(struct http_request *request, struct http_request **list)
{
	list_remove(request);
	request->list = list;
	request->next = *list;
	if (request->next != NULL) {
		request->next->prev = request;
	}
	*list = request;
}

/* ---- the end ------------------------------------------------------------ */

static void report_end(struct http_request *request)
{
	const struct http_options *options = &request->server->options;
	bool left = request->connection->left;
	bool streamed = http_request_is_streamed(request);
	struct http_end end = {
		.status = left ? CLIENT_LEFT : request->status,
		.cause = ctx_cause(request->ctx, NULL),
		.duration_ns = clock_now_ns() - request->begun_ns,
		.body_size = left && !streamed ? 0 : request->response_size,
		.cut = request->stream.cut,
	};

	if (end.cause == CTX_NONE) {
		end.cause = CTX_FINISHED;
	}
	if (options->on_end != NULL) {
		options->on_end(request, &end, options->on_end_arg);
	}
}

/* It has its answer, and no longer counts. */
static void finish(struct http_request *request)
{
	request->state = HTTP_REQUEST_OVER;
	report_end(request);
	list_remove(request);
	if (request->counted) {
		atomic_fetch_sub_explicit(&request->server->in_flight, 1,
					  memory_order_relaxed);
	}
	ctx_end(request->ctx, CTX_FINISHED, NULL);
}

/* What is under way from now on has to be fetched. */
static void begin_sending(struct http_request *request)
{
	struct http_server *server = request->server;

	http_request_list(request, &server->sending);
	if (server->cancelling) {
		http_guard_join(&request->connection->guard, &server->cancelled,
				clock_now_ns());
	}
}

/* It still counts, until its body is over. */
static void begin_stream(struct http_request *request)
{
	request->state = HTTP_REQUEST_STREAMED;
	if (request->connection->left || request->server->cancelling) {
		request->stream.cut = true;
	}
}

/*
 * MHD_NO closes the connection, and with it what a client that left had sent
 * behind this request.
 */
enum MHD_Result http_request_hand_over(struct http_request *request)
{
	struct http_connection *connection = request->connection;
	struct MHD_Response *response = request->response;
	bool streamed = http_request_is_streamed(request);
	enum MHD_Result result = MHD_NO;

	if (streamed) {
		begin_stream(request);
	} else {
		finish(request);
		begin_sending(request);
	}
	if (!connection->left && !request->stream.cut) {
		result = MHD_queue_response(
			request->mhd, (unsigned)request->status, response);
	}
	MHD_destroy_response(response);
	request->response = NULL;
	if (streamed && result == MHD_YES) {
		http_connection_wait(connection, request);
	}
	return result;
}

static void free_request(struct http_request *request)
{
	if (request->ctx != NULL) {
		ctx_unref(request->ctx);
	}
	if (request->response != NULL) {
		MHD_destroy_response(request->response);
	}
	http_stream_release(&request->stream);
	http_params_release(&request->query);
	http_params_release(&request->form_params);
	free(request->form_text);
	free(request->body);
	free(request);
}

void http_request_forget(struct http_request *request)
{
	if (request != NULL) {
		BUG_IF(request->state != HTTP_REQUEST_LINE,
		       "a request with a header is forgotten");
		free_request(request);
	}
}

/*
 * A header that leaves too little of the connection's memory for any answer
 * makes libmicrohttpd close in silence.
 */
static void answer_raw(struct http_request *request)
{
	static const char answer[] =
		"HTTP/1.1 431 Request Header Fields Too Large\r\n"
		"Connection: close\r\nContent-Length: 0\r\n\r\n";

	if (request->server->tls.cert == NULL) {
		(void)send(request->connection->watch.fd, answer,
			   sizeof(answer) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	}
}

/* Resumed, but the client was gone before the answer was fetched. */
static void lose_answer(struct http_request *request)
{
	request->connection->left = true;
	ctx_end(request->ctx, CTX_CLIENT_CLOSED, NULL);
	request->stream.cut = http_request_is_streamed(request);
	finish(request);
}

static void finish_stream(struct http_request *request, bool whole)
{
	struct http_connection *connection = request->connection;

	connection->waiting = NULL;
	/* The client is gone, or has fetched nothing for too long. */
	if (!whole && !request->stream.cut) {
		request->stream.cut = true;
		connection->left = true;
		ctx_end(request->ctx, http_connection_cause(connection), NULL);
	}
	finish(request);
}

static void finish_late(struct http_request *request, bool whole)
{
	if (request->state == HTTP_REQUEST_ANSWERED) {
		lose_answer(request);
	} else if (request->state == HTTP_REQUEST_STREAMED) {
		finish_stream(request, whole);
	}
	list_remove(request);
	if (http_request_is_streamed(request)) {
		http_stream_end(request);
	}
}

void http_request_completed(void *arg, struct MHD_Connection *mhd, void **slot,
			    enum MHD_RequestTerminationCode why)
{
	struct http_server *server = arg;
	struct http_request *request = *slot;
	struct http_connection *connection;

	(void)mhd;
	if (request == NULL) {
		return;
	}
	connection = request->connection;
	BUG_IF(request->state == HTTP_REQUEST_HANDLED,
	       "a connection was closed under its handler");
	finish_late(request, why == MHD_REQUEST_TERMINATED_COMPLETED_OK);
	if (request->status == MHD_HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE &&
	    why == MHD_REQUEST_TERMINATED_WITH_ERROR) {
		answer_raw(request);
	}
	if (request->settled) {
		server->unfinished--;
	}
	free_request(request);
	connection->begun = NULL;
	*slot = NULL;
	http_connection_next(connection);
}

/* ---- the answer --------------------------------------------------------- */

void http_request_resume(struct http_request *request)
{
	struct http_server *server = request->server;

	request->answered_next = server->answered;
	server->answered = request;
	http_server_kick(server);
}

void http_request_answered(struct http_request *request)
{
	request->state = HTTP_REQUEST_ANSWERED;
	if (!request->inside_handler) {
		request->connection->waiting = NULL;
		http_request_resume(request);
	}
}

void http_request_on_answer(struct loop_task *task)
{
	http_request_answered(
		CONTAINER_OF(task, struct http_request, answer_task));
}
