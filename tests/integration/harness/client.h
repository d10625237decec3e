/*
 * An HTTP client on a bare socket, which can do to a connection all that
 * clients do: send bytes as they are, close, reset, half-close, vanish.
 *
 *	struct client c;
 *	struct reply r;
 *	client_open(&c, port);
 *	client_get(&c, "/echo?request_id=%s", id);
 *	client_receive(&c, &r);		// r.status is 200
 *	client_close(&c);		// FIN
 */
#ifndef RESCIND_TEST_CLIENT_H
#define RESCIND_TEST_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "harness/scratch.h"

enum { REPLY_SIZE = 65536 };

struct client {
	int fd;
	char buf[REPLY_SIZE]; /* received and not yet consumed */
	size_t size;
};

struct reply {
	int status;   /* 0: the connection ended before a whole reply */
	int interims; /* 1xx replies that came before */
	size_t body_size;
	char head[REPLY_SIZE];
	char body[REPLY_SIZE];
};

/* To a loopback port; stops the test when nobody listens. */
void client_open(struct client *client, int port);
/* False when nobody listens. */
bool client_try_open(struct client *client, int port);
/* As client_open(), with little room for what is not received yet: the peer
 * can't send much ahead. */
void client_open_narrow(struct client *client, int port);

/* False when the peer takes no more. */
bool client_send(struct client *client, const void *data, size_t size);
/* "GET <path as by printf> HTTP/1.1", Host, and an empty line. */
bool client_get(struct client *client, const char *path_fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* The same with more header lines, each ending in CRLF. */
bool client_get_with(struct client *client, const char *headers,
		     const char *path_fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* A request with a body. */
bool client_post(struct client *client, const char *path,
		 const char *content_type, const void *body, size_t size);
/* The same with more header lines, each ending in CRLF. */
bool client_post_with(struct client *client, const char *headers,
		      const char *path, const char *content_type,
		      const void *body, size_t size);
/* Whether the kernel has not heard so far that the peer has closed. */
bool client_is_open(const struct client *client);

/* Wait for a whole reply. False (and status 0): the connection ended, or
 * patience is over. */
bool client_receive(struct client *client, struct reply *ret_reply);
/* As above, but give up after @ms; whether a reply came. */
bool client_receive_within(struct client *client, struct reply *ret_reply,
			   int ms);
/* Of a reply whose body is long: its head alone. */
bool client_receive_head(struct client *client, struct reply *ret_reply);
/*
 * Of a chunked body, behind its head: wait for all of it. *ret_whole: it came
 * to its end, and not only the connection. NUL-terminated; free().
 */
char *client_receive_chunks(struct client *client, size_t *ret_size,
			    bool *ret_whole);
/* Of a body behind its head: wait for @size bytes. NUL-terminated; free(). */
char *client_receive_bytes(struct client *client, size_t size);
/* Wait until the peer has closed the connection; false: patience is over. */
bool client_sees_end(struct client *client);

/* For other protocols. Wait until @until_ms, as now_ms() counts, for more bytes
 * in buf: how many, 0 for the end of the connection, -1 for too late. */
ssize_t client_receive_more(struct client *client, int64_t until_ms);
/* The first @size bytes of buf are done with. */
void client_consume(struct client *client, size_t size);

void client_close(struct client *client);      /* FIN */
void client_reset(struct client *client);      /* RST */
void client_half_close(struct client *client); /* FIN, and goes on reading */
/* Without any packet, as when the cable is pulled; false: not permitted. */
bool client_vanish(struct client *client);

/* One request on a connection of its own. */
void http_get(int port, struct reply *ret_reply, const char *path_fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The status alone; 0 when nobody listens or answers. */
int http_status_of(int port, const char *path_fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* The value of a header field of the reply, copied; false: there is none. */
bool reply_header(const struct reply *reply, const char *name,
		  char ret_value[256]);
/* A number of the /metrics page: @series is a whole name with its labels.
 * Negative: no such line. */
double http_metric(int port, const char *series);

/* A port that was free a moment ago. */
int free_port(void);

#endif
