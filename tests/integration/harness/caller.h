/*
 * A gRPC caller on a bare HTTP/2 connection. It sees what a library hides:
 * whether a call was answered, refused or dropped, and what the connection had
 * been told before. Unary calls, several at a time; it does not look into
 * headers, so all that it knows of a status is that there was one.
 *
 *	struct caller caller;
 *	struct caller_answer answer;
 *	caller_open(&caller, port);
 *	caller_call(&caller, "/worker.WorkerService/DoWork", NULL, bytes, size);
 *	caller_receive(&caller, &answer);	// answer.end is CALLER_MESSAGE
 *	caller_close(&caller);
 */
#ifndef RESCIND_TEST_CALLER_H
#define RESCIND_TEST_CALLER_H

#include "harness/client.h"

enum {
	CALLS_MAX = 128,     /* at a time */
	MESSAGE_SIZE = 2048, /* of a response; a longer one is cut */
	TRAILERS_SIZE = 256,
};

/* How a call ended. */
enum caller_end {
	CALLER_MESSAGE, /* a response, then the status */
	CALLER_STATUS, /* the status alone: it failed, and the server says so */
	CALLER_REFUSED, /* the server says that it has not looked at it */
	CALLER_RESET,	/* any other reset of its stream */
	/* The connection ended, and nothing was said of it but that the server
	 * goes: said before it can have seen the call, which was on its way. */
	CALLER_CROSSED,
	CALLER_LOST, /* the connection ended, and nothing was said of it */
};

struct caller_answer {
	uint32_t call;
	enum caller_end end;
	bool seen; /* by the server, before it said that it goes */
	size_t size;
	unsigned char message[MESSAGE_SIZE];
	/* The fields with the status, as they were packed, and cut where
	 * longer: a text of the server's is in there as it is. */
	size_t trailers_size;
	unsigned char trailers[TRAILERS_SIZE];
};

struct caller {
	struct client wire;
	uint32_t calls_made;
	int64_t window; /* bytes that the server will take */
	bool told_to_go;
	uint32_t last_looked_at; /* when told to go: the last stream */
	struct caller_answer calls[CALLS_MAX];
	size_t calls_n;
};

/* To a loopback port; stops the test when nobody listens. */
void caller_open(struct caller *caller, int port);
void caller_close(struct caller *caller);

/* Whether a call may be made: takes in what has arrived, without waiting. False
 * when the server has said that it goes (GOAWAY), or has hung up. */
bool caller_may_call(struct caller *caller);
/*
 * Send all of a call, and a PING behind it, whose answer tells that the server
 * has seen the call: @method as "/package.Service/Method", @key as metadata
 * idempotency-key (may be NULL), a message of @size bytes. Its number; 0 when
 * the connection took it not or not whole.
 */
uint32_t caller_call(struct caller *caller, const char *method, const char *key,
		     const void *message, size_t size);
/* Wait for the end of a call, whichever comes first. False: none is in flight,
 * or patience is over. */
bool caller_receive(struct caller *caller, struct caller_answer *ret_answer);
/* As above, but give up after @ms. */
bool caller_receive_within(struct caller *caller,
			   struct caller_answer *ret_answer, int ms);
/* Whether the status comes with this text. */
bool caller_answer_says(const struct caller_answer *answer, const char *text);

#endif
