/*
 * Many clients at once, some of which leave before they are answered.
 *
 *	struct load_request *requests = load_plan(300, "storm");
 *	requests[7].leave = LOAD_RESET;
 *	requests[7].leave_ms = 250;
 *	load_start(&load, port, requests, 300, 300);
 *	... load_answered(&load) tells how far it is ...
 *	load_wait(&load);
 *	... requests[i].end and .status say how each went ...
 *	free(requests);
 */
#ifndef RESCIND_TEST_LOAD_H
#define RESCIND_TEST_LOAD_H

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/pair.h"

enum load_leave {
	LOAD_STAY,  /* wait for the answer */
	LOAD_CLOSE, /* FIN */
	LOAD_RESET, /* RST */
	LOAD_KILL,  /* the client is a curl, which gets SIGKILL */
	LOAD_LEAVE_NR,
};

enum load_end {
	LOAD_ANSWERED, /* with .status, possibly before it would have left */
	LOAD_LEFT,     /* as planned */
	LOAD_LOST,     /* the connection ended without an answer */
	LOAD_REFUSED,  /* no connection */
};

struct load_request {
	char id[48];
	int begin_ms; /* after its turn came */
	enum load_leave leave;
	int leave_ms; /* after it was sent */

	enum load_end end;
	int status;
	int64_t sent_ms; /* as now_ms() */
	int64_t left_ms;
};

struct load {
	int port;
	struct load_request *requests;
	size_t requests_n;
	atomic_size_t next;
	atomic_size_t answered;
	pthread_t *threads;
	size_t threads_n;
};

/* @n requests with ids "<prefix>-<i>" that stay; free() them. */
struct load_request *load_plan(size_t n, const char *prefix);

/* @threads of them at a time, in order, each on a connection of its own. */
void load_start(struct load *load, int port, struct load_request *requests,
		size_t n, size_t threads);
void load_wait(struct load *load);
/* load_start(), load_wait() */
void load_run(int port, struct load_request *requests, size_t n,
	      size_t threads);
/* How many have had their answer by now. */
size_t load_answered(struct load *load);

/* How many ended with this status. */
size_t load_count(const struct load_request *requests, size_t n, int status);

/*
 * The invariants that hold whatever was interrupted, once nothing is in doubt
 * any more: every id is in both databases, once, or in neither; every answered
 * 200 or 202 is there, and nothing that was answered otherwise.
 */
void load_expect_consistent(struct pair *pair,
			    const struct load_request *requests, size_t n);

#endif
