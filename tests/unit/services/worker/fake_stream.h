/* The stream of a branch in a test: counts and keeps what is said on it. */
#ifndef RESCIND_TEST_FAKE_STREAM_H
#define RESCIND_TEST_FAKE_STREAM_H

#include <pthread.h>

#include "worker/branch.h"

struct fake_stream {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	int said; /* in all */
	int said_of[TWOPC_VERDICT_NR];
	char message[STATUS_MESSAGE_SIZE]; /* the last */
	int ends;
	struct status end;
};

extern const struct branch_link fake_stream_link;

void fake_stream_init(struct fake_stream *stream);
void fake_stream_release(struct fake_stream *stream);
/* Wait for the end (a test that waits 5 s has failed). */
void fake_stream_await_end(struct fake_stream *stream);

#endif
