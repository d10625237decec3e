/*
 * How many of the connections that were handed to gRPC are still open.
 *
 * gRPC closes them without telling. What tells is the descriptor: under its
 * number there is either the same socket still (the kernel gives each socket a
 * cookie that is never used again), or nothing, or something else. So a table
 * by number holds the cookies; it costs no descriptor and no event, and is
 * looked through only when somebody asks, or when the limit seems reached.
 * Thread-safety: any thread.
 */
#ifndef RESCIND_RPC_CONNECTIONS_H
#define RESCIND_RPC_CONNECTIONS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct connections {
	pthread_mutex_t mutex;
	uint64_t *cookies; /* by descriptor; 0: none of ours */
	size_t size;
	size_t count; /* of cookies; not fewer than are open */
	size_t max;
	int64_t swept_ns;
};

void connections_init(struct connections *connections, size_t max);
void connections_release(struct connections *connections);
/* Remember the socket @fd; false when there are too many (or no memory). */
bool connections_add(struct connections *connections, int fd);
/* How many are open now. */
size_t connections_count(struct connections *connections);

#endif
