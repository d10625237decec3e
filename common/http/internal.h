/*
 * What the files of this folder share. Nothing outside includes it.
 *
 * Everything here belongs to the loop's thread, but for the fields that say
 * otherwise. libmicrohttpd has no thread: its epoll descriptor is watched by
 * our loop, and it runs when the `wake` timer is served, so that what happens
 * in one turn (bytes that came, answers that were given) costs one run.
 *
 * Files: server.c life and running; listen.c and accept.c how connections come;
 * connection.c what is kept of each and how its client leaves; patrol.c its
 * time limits; receive.c a request from its first line to its handler, and the
 * way back; respond.c answers, from any thread; body.c those that are made
 * while they are sent.
 */
#ifndef RESCIND_HTTP_INTERNAL_H
#define RESCIND_HTTP_INTERNAL_H

#include <microhttpd.h>
#include <stdatomic.h>
#include <sys/socket.h>

#include "http/http.h"
#include "http/patrol.h"
#include "http/query.h"
#include "http/route.h"
#include "http/tls.h"
#include "loop/bug.h"

#define CONTAINER_OF(ptr, type, member)                                        \
	((type *)(void *)((char *)(ptr)-offsetof(type, member)))

enum {
	HTTP_LISTENERS_MAX = 2,
	/* A connection's buffer: header in, parsed fields, header out. It is
	 * wiped after every request, so its size costs time too. */
	HTTP_CONNECTION_MEMORY = 16 * 1024,
	HTTP_RESPONSE_HEADER_MAX = 2 * 1024, /* what is left of it */
	HTTP_REQUEST_HEADER_MAX =
		HTTP_CONNECTION_MEMORY - HTTP_RESPONSE_HEADER_MAX,
	/* What libmicrohttpd keeps of each field, parameter and cookie, rounded
	 * up. */
	HTTP_ENTRY_SIZE = 64,
	HTTP_URL_MAX = 8000,
	/* Of a refused body this much is read before the answer, because a
	 * client that is still sending would lose it to a reset. */
	HTTP_SWALLOW_MAX = 8 * 1024 * 1024,
	HTTP_REQUEST_ID_MAX = 128,
};

/* ---- the server --------------------------------------------------------- */

struct http_listener {
	struct loop_watch watch; /* fd -1: closed */
	struct http_server *server;
};

/* How far a drain is with the connections on which nothing is in flight. */
enum http_farewell {
	HTTP_FAREWELL_AHEAD,
	HTTP_FAREWELL_BEGUN, /* the timer runs */
	HTTP_FAREWELL_OVER,
};

struct http_server {
	struct ctx *root;
	struct loop *loop;
	struct http_options options; /* without its strings */
	struct http_tls tls;
	struct http_routes routes;

	struct MHD_Daemon *daemon;  /* NULL before start */
	struct loop_watch readable; /* libmicrohttpd's epoll descriptor */
	struct loop_timer wake;
	int64_t wake_ns; /* when it is due, or CLOCK_NEVER */
	bool inside;	 /* libmicrohttpd is running */

	struct http_listener listeners[HTTP_LISTENERS_MAX];
	size_t listener_nr;
	uint16_t port;
	bool paused; /* accepting waits for descriptors or room */
	struct loop_timer retry;

	size_t connection_nr;
	struct http_patrol receiving; /* a request has begun to arrive */
	struct http_patrol idle;      /* between requests */
	struct http_patrol finished;  /* nothing more will be sent: wake */
	struct http_patrol cancelled; /* sent after http_server_cancel() */

	struct http_request *handled;  /* list: those inside handlers */
	struct http_request *sending;  /* list: answers on their way out */
	struct http_request *answered; /* list: to be resumed */
	atomic_size_t in_flight; /* without HTTP_ALWAYS; read by any thread */
	size_t unfinished;	 /* from handler to last byte */
	atomic_bool draining;	 /* read by any thread */
	bool cancelling;
	void (*drained)(void *arg);
	void *drained_arg;
	enum http_farewell farewell; /* of the drain */
	struct loop_timer farewell_timer;
};

/* Run libmicrohttpd in this turn of the loop, or the next. */
void http_server_kick(struct http_server *server);

/* Connections are not waited for any longer. */
void http_server_end_farewell(struct http_server *server);

void http_daemon_init(struct http_server *server);
MUSTCHECK enum status_code http_daemon_start(struct http_server *server,
					     struct status *reterr);
/* Sends what was answered, and closes all connections. */
void http_daemon_release(struct http_server *server);

/* ---- listening ---------------------------------------------------------- */

/* Bind and listen as options say; fills descriptors and the port. */
MUSTCHECK enum status_code http_listen(const char *listen_on, uint16_t port,
				       int ret_fds[HTTP_LISTENERS_MAX],
				       size_t *ret_nr, uint16_t *ret_port,
				       struct status *reterr);

MUSTCHECK enum status_code http_accept_start(struct http_server *server,
					     struct status *reterr);
/* Take in what waits, then close the listeners. */
void http_accept_stop(struct http_server *server);
/* A connection was closed: there may be room again. */
void http_accept_resume(struct http_server *server);

/* ---- connections -------------------------------------------------------- */

#define HTTP_TOO_LARGE "431 Request Header Fields Too Large"

struct http_connection {
	struct http_server *server;
	struct loop_watch watch; /* for the client's leaving */
	uint32_t seen;		 /* of EPOLLRDHUP, EPOLLHUP, EPOLLERR */
	/* Until libmicrohttpd says that it is over; see http_request_forget().
	 */
	struct http_request *begun;
	bool left; /* a request ended because the client left */
	/* Suspended, or with a body that is being made, if any. */
	struct http_request *waiting;
	struct http_guard guard;  /* of receiving, idle or cancelled */
	struct http_guard finish; /* of finished */
};

/* libmicrohttpd's MHD_OPTION_NOTIFY_CONNECTION. */
void http_connection_notify(void *server, struct MHD_Connection *mhd,
			    void **connection,
			    enum MHD_ConnectionNotificationCode code);
struct http_connection *http_connection_of(struct MHD_Connection *mhd);
/* A request waits on it: from now on its client's leaving ends the ctx. */
void http_connection_wait(struct http_connection *connection,
			  struct http_request *request);
/* How its client went, as far as is known, now that it is gone. */
enum ctx_cause http_connection_cause(const struct http_connection *connection);
/* Its request is over. */
void http_connection_next(struct http_connection *connection);
/* Libmicrohttpd has read what it can: let it see a FIN that it missed. */
void http_connection_wake(struct http_guard *finish);
/*
 * Answer where libmicrohttpd does not: @status ("408 Request Timeout"), and
 * that is all. Over TLS nothing can be said. It is to be closed then.
 */
void http_connection_answer(struct http_connection *connection,
			    const char *status);
/* Close it soon, by way of libmicrohttpd's own notice. */
void http_connection_shut(struct http_connection *connection);
/* Close the connection that has been idle longest; false if none is. */
bool http_connection_evict(struct http_server *server);

/* ---- requests ----------------------------------------------------------- */

/*
 * LINE --header came--> BODY --all came--> HANDLED --answered--> ANSWERED
 *     \--refused at once-----\--refused------------------------/    |
 *                                 handed to libmicrohttpd, or dropped
 *                                                                  v
 *                                  STREAMED --sent, or cut-----> OVER
 *                                      ^--- from ANSWERED, where the body is
 *                                           made while it is sent
 */
enum http_request_state {
	HTTP_REQUEST_LINE,
	HTTP_REQUEST_BODY,
	HTTP_REQUEST_HANDLED,
	HTTP_REQUEST_ANSWERED,
	HTTP_REQUEST_STREAMED,
	HTTP_REQUEST_OVER,
};

/* Why a request will not reach a handler. Static text. */
struct http_refusal {
	int http_status; /* 0: it will */
	enum status_code code;
	const char *text;
};

/*
 * A body that is made while it is sent; see body.c. While a piece is owed all
 * that is not atomic up to `arg` belongs to whoever gives it.
 */
struct http_stream {
	char *piece;
	size_t size, capacity;
	bool last;
	bool failed;
	struct loop_task task; /* brings a piece from another thread */
	atomic_bool owed;

	void *arg;
	struct http_body body; /* next NULL: the response is not streamed */
	size_t sent;	       /* of the piece, to libmicrohttpd */
	bool inside_next;
	bool given;	/* the piece that was asked for is there */
	bool suspended; /* until it is */
	bool cut;	/* nothing more is sent */
};

struct http_request {
	struct http_server *server;
	struct http_connection *connection;
	struct MHD_Connection *mhd;
	struct ctx *ctx; /* NULL before the header came */
	enum http_request_state state;
	bool inside_handler;
	bool deferred; /* libmicrohttpd was asked to call once more */
	bool settled;  /* counted in unfinished */
	bool counted;  /* in in_flight */
	bool probed;   /* an interim 102 asked whether the client lives */
	bool http_1_0;
	bool blank_in_url;
	bool form;
	bool close;
	bool refused; /* not given to a handler */
	struct http_refusal refusal;
	int64_t begun_ns;

	const char *method;	/* libmicrohttpd's, as long as the request */
	const char *version_at; /* where it must be if the URI had no NUL */
	const struct http_route *route;
	struct http_captures captures;
	struct http_params query;
	struct http_params form_params;
	char *body; /* NUL-terminated */
	size_t body_size;
	size_t body_capacity;
	size_t body_dropped;
	char *form_text;

	/* The answer: written by the answering thread, once. */
	atomic_bool answer_given;
	struct MHD_Response *response;
	int status;
	size_t response_size;
	struct loop_task answer_task;
	struct http_request *answered_next;
	struct http_stream stream;

	struct http_request **list;	  /* server's handled, or sending */
	struct http_request *prev, *next; /* in it */

	/* The path as it came, a NUL, the query as it came; and behind them a
	 * copy of both in which they are cut up and decoded. */
	char *target;
	char *query_text; /* NULL: none */
	char path[];
};

/* libmicrohttpd's callbacks. */
void *http_request_begin(void *server, const char *uri,
			 struct MHD_Connection *mhd);
enum MHD_Result http_request_access(void *server, struct MHD_Connection *mhd,
				    const char *url, const char *method,
				    const char *version, const char *data,
				    size_t *size, void **request);
/*
 * Free a request of which nobody was told more than its first line: where a
 * header uses up the connection's memory libmicrohttpd does not say that the
 * request is over. NULL is fine.
 */
void http_request_forget(struct http_request *request);
void http_request_completed(void *server, struct MHD_Connection *mhd,
			    void **request,
			    enum MHD_RequestTerminationCode why);

/* It has arrived, or can't be received: refuse it or call its handler. */
enum MHD_Result http_request_dispatch(struct http_request *request);
/* Put it into one of its server's lists, out of the one it is in. */
void http_request_list(struct http_request *request,
		       struct http_request **list);
/* On the loop's thread: the answer is there. */
void http_request_answered(struct http_request *request);
/* The same as a task. */
void http_request_on_answer(struct loop_task *task);
/* Give the answer to libmicrohttpd. For its callbacks to return. */
enum MHD_Result http_request_hand_over(struct http_request *request);
/* Let libmicrohttpd go on with its connection, which is suspended. */
void http_request_resume(struct http_request *request);

/* ---- streamed bodies ---------------------------------------------------- */

/* The response that asks @body for what it consists of. */
struct MHD_Response *http_stream_open(struct http_request *request,
				      const struct http_body *body, void *arg);
/* Once the answer has arrived at the loop: whether it is streamed. */
bool http_request_is_streamed(const struct http_request *request);
/* Nothing more of it is to be sent. A piece that is owed is awaited first. */
void http_stream_cut(struct http_request *request);
/* Tell the owner that it is over. */
void http_stream_end(struct http_request *request);
void http_stream_release(struct http_stream *stream);

/* ---- header fields ------------------------------------------------------ */

/* What is looked at in every request, gathered in one pass. */
struct http_fields {
	unsigned content_length_nr, host_nr, transfer_encoding_nr;
	const char *content_length;
	const char *transfer_encoding;
	const char *content_type;
	const char *expect;
	const char *request_id;
	const char *traceparent;
	size_t memory; /* of the connection's, that the header takes */
	bool malformed;
};

/* @method and @version as libmicrohttpd gave them. */
void http_fields_gather(struct MHD_Connection *mhd, const char *method,
			const char *version, struct http_fields *ret_fields);
/* Whether the framing leaves no doubt where the request ends. */
struct http_refusal http_fields_check(const struct http_fields *fields,
				      bool http_1_0);
/* Visible ASCII, other bytes as '_'; at most HTTP_REQUEST_ID_MAX bytes. */
void http_request_id_clean(const char *text, char ret[HTTP_REQUEST_ID_MAX + 1]);

#endif
