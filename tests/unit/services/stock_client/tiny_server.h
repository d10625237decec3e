/*
 * An HTTP server that does what it is told, one connection after another: what
 * to do with each request is a script, and what came is kept.
 *
 *	tiny_server_start(&server, (const char *const[]){
 *		"HTTP/1.1 201 Created\r\n...", TINY_CLOSE, NULL });
 */
#ifndef RESCIND_TEST_TINY_SERVER_H
#define RESCIND_TEST_TINY_SERVER_H

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdint.h>

/* Instead of an answer: close the connection; or wait until the client does. */
extern const char TINY_CLOSE[];
extern const char TINY_HANG[];

enum { TINY_REQUESTS_MAX = 8, TINY_REQUEST_SIZE = 4096 };

struct tiny_server {
	uint16_t port;
	int listener;
	pthread_t thread;
	const char *const *script;
	atomic_uint connections;
	atomic_uint requests_n;
	char requests[TINY_REQUESTS_MAX][TINY_REQUEST_SIZE];
	sem_t arrived; /* a request */
	sem_t left;    /* a client, in TINY_HANG */
};

/* Serve on a loopback port until the script ends, and refuse from then on. */
void tiny_server_start(struct tiny_server *server, const char *const *script);
/* Wait for the script's end. */
void tiny_server_stop(struct tiny_server *server);

#endif
