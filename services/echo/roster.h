/*
 * Names that are under way: of requests, and of idempotency keys.
 *
 * The nodes are their owners'. A name may be there several times, but for those
 * that are claimed. Bounded by who enters: at most one node an exchange.
 * Thread-safety: any thread; the lock inside is a leaf.
 */
#ifndef RESCIND_ECHO_ROSTER_H
#define RESCIND_ECHO_ROSTER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

enum { ROSTER_BUCKETS = 1024 };

/* Its texts must stay until it leaves. */
struct roster_node {
	const char *name;
	const char *meaning; /* of a claim: what is done under that name */

	struct roster_node *prev, *next; /* the roster's own */
	uint64_t hash;
};

struct roster {
	pthread_mutex_t lock;
	uint64_t seed;
	struct roster_node *buckets[ROSTER_BUCKETS];
};

void roster_init(struct roster *roster);
void roster_release(struct roster *roster);

void roster_enter(struct roster *roster, struct roster_node *node,
		  const char *name);
void roster_leave(struct roster *roster, struct roster_node *node);
bool roster_has(struct roster *roster, const char *name);

enum roster_claim {
	ROSTER_MINE,  /* entered */
	ROSTER_SAME,  /* another is under way, that means the same */
	ROSTER_OTHER, /* or something else */
};
/* Enter, unless the name is there already. */
enum roster_claim roster_claim(struct roster *roster, struct roster_node *node,
			       const char *name, const char *meaning);

#endif
