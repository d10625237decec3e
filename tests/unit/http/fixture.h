/*
 * A server on a loop of its own thread, and raw clients.
 *
 * Routes: /now answers in the handler; /later holds the request until the test
 * answers it (from the test's thread); /on-loop is answered by a task on the
 * loop; /always as /now, with HTTP_ALWAYS; /things/{id} and /things/{id}/{part}
 * answer with their segments; /body with method, form field and size.
 */
#ifndef HTTP_FIXTURE_H
#define HTTP_FIXTURE_H

#include <check.h>
#include <pthread.h>
#include <semaphore.h>

#include "http/http.h"

enum { FIXTURE_ENDS_MAX = 256, FIXTURE_HELD_MAX = 64, RESPONSE_MAX = 65536 };

/* A request that waits in /later. */
struct held {
	struct http_request *request;
	struct ctx *ctx; /* a reference of the fixture's */
	struct ctx_hook hook;
	sem_t ended;
};

struct fixture {
	struct loop *loop;
	struct ctx *root;
	struct http_server *server;
	struct http_options options;
	void (*add_routes)(struct fixture *f); /* more of them; may be NULL */
	uint16_t port;
	struct held held[FIXTURE_HELD_MAX];
	size_t held_nr;
	size_t held_taken; /* by the test */
	sem_t arrived;	   /* one for each held */
	pthread_mutex_t mutex;
	/* The last ones. */
	struct http_end ends[FIXTURE_ENDS_MAX];
	char end_paths[FIXTURE_ENDS_MAX][32];
	size_t end_nr;
	sem_t over; /* one for each end */
	sem_t drained;
};

/* Options with port 0 and the fixture's on_end; change them before start. */
void fixture_init(struct fixture *f);
void fixture_start(struct fixture *f);
/* Frees the server (unless the test did) and everything else. */
void fixture_stop(struct fixture *f);
/* Run @fn on the loop's thread, and wait until it returned. */
void fixture_on_loop(struct fixture *f, void (*fn)(struct fixture *f));
void fixture_free_server(struct fixture *f);
/* Stop accepting; the same, and drain, after which f->drained is posted; cancel
 * what is in flight. */
void fixture_stop_accepting(struct fixture *f);
void fixture_drain(struct fixture *f);
void fixture_cancel(struct fixture *f);
bool fixture_is_drained(struct fixture *f);

/* The next request to arrive at /later; fails the test after 5 s. */
struct held *fixture_await_held(struct fixture *f);
/* Its ctx ends; with what. */
enum ctx_cause held_await_end(struct held *held);
void held_answer(struct held *held, int status, const char *body);
/* Wait for the next report of a request's end. */
struct http_end fixture_await_over(struct fixture *f);
void await(sem_t *sem);

/* ---- clients ------------------------------------------------------------ */

int client_connect(const struct fixture *f);
void client_send(int fd, const char *text);
/* Connect and send. */
int client_open(const struct fixture *f, const char *text);
/* Read one response; its status, or -1 when the connection ended before it was
 * complete. @ret (RESPONSE_MAX bytes) gets it whole. */
int client_read(int fd, char *ret);
/* As client_read() for a response to HEAD, or the header of another. */
int client_read_head(int fd, char *ret);
/* Read the body of a chunked response, whose header has been read. False when
 * the connection ended before it was complete. @ret (@room bytes; NULL to throw
 * it away) gets it with a NUL. */
bool client_read_chunks(int fd, char *ret, size_t room, size_t *ret_size);
/* Whether nothing more comes but the end. */
bool client_at_end(int fd);
/* Whether the server closes, whatever else comes before. */
bool client_ends(int fd);
/* Close with a RST. */
void client_reset(int fd);
/* Connect, send, read, close. */
int client_ask(const struct fixture *f, const char *text, char *ret);

/* The main() of a test program. */
int run_tests(const char *name, const TTest *const *tests, size_t nr);
#define RUN_TESTS(name, ...)                                                   \
	int main(void)                                                         \
	{                                                                      \
		const TTest *const tests[] = { __VA_ARGS__ };                  \
                                                                               \
		return run_tests(name, tests,                                  \
				 sizeof(tests) / sizeof(tests[0]));            \
	}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: localhost\r\n\r\n"

#endif
