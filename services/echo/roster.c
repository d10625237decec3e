#include "echo/roster.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

/* Names are clients' own: without a seed they could choose their bucket. */
static uint64_t draw_seed(void)
{
	uint64_t seed;

	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != sizeof(seed)) {
		struct timespec now;

		clock_gettime(CLOCK_REALTIME, &now);
		seed = (uint64_t)now.tv_nsec * UINT64_C(0x9e3779b97f4a7c15);
	}
	return seed;
}

void roster_init(struct roster *roster)
{
	memset(roster, 0, sizeof(*roster));
	pthread_mutex_init(&roster->lock, NULL);
	roster->seed = draw_seed();
}

void roster_release(struct roster *roster)
{
	pthread_mutex_destroy(&roster->lock);
}

/* FNV-1a, begun at the seed and stirred at the end. */
static uint64_t hash_of(const struct roster *roster, const char *name)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325) ^ roster->seed;

	for (; *name != '\0'; name++) {
		hash = (hash ^ (unsigned char)*name) * UINT64_C(0x100000001b3);
	}
	hash ^= hash >> 33;
	hash *= UINT64_C(0xff51afd7ed558ccd);
	return hash ^ hash >> 33;
}

static struct roster_node **bucket_of(struct roster *roster, uint64_t hash)
{
	return &roster->buckets[hash % ROSTER_BUCKETS];
}

static struct roster_node *find(struct roster *roster, const char *name,
				uint64_t hash)
{
	struct roster_node *node = *bucket_of(roster, hash);

	while (node != NULL &&
	       (node->hash != hash || strcmp(node->name, name) != 0)) {
		node = node->next;
	}
	return node;
}

static void add(struct roster *roster, struct roster_node *node)
{
	struct roster_node **bucket = bucket_of(roster, node->hash);

	node->prev = NULL;
	node->next = *bucket;
	if (node->next != NULL) {
		node->next->prev = node;
	}
	*bucket = node;
}

void roster_enter(struct roster *roster, struct roster_node *node,
		  const char *name)
{
	node->name = name;
	node->meaning = "";
	node->hash = hash_of(roster, name);
	pthread_mutex_lock(&roster->lock);
	add(roster, node);
	pthread_mutex_unlock(&roster->lock);
}

void roster_leave(struct roster *roster, struct roster_node *node)
{
	pthread_mutex_lock(&roster->lock);
	if (node->prev != NULL) {
		node->prev->next = node->next;
	} else {
		*bucket_of(roster, node->hash) = node->next;
	}
	if (node->next != NULL) {
		node->next->prev = node->prev;
	}
	pthread_mutex_unlock(&roster->lock);
}

bool roster_has(struct roster *roster, const char *name)
{
	uint64_t hash = hash_of(roster, name);
	bool has;

	pthread_mutex_lock(&roster->lock);
	has = find(roster, name, hash) != NULL;
	pthread_mutex_unlock(&roster->lock);
	return has;
}

enum roster_claim roster_claim(struct roster *roster, struct roster_node *node,
			       const char *name, const char *meaning)
{
	enum roster_claim claim = ROSTER_MINE;
	const struct roster_node *other;

	node->name = name;
	node->meaning = meaning;
	node->hash = hash_of(roster, name);
	pthread_mutex_lock(&roster->lock);
	other = find(roster, name, node->hash);
	if (other == NULL) {
		add(roster, node);
	} else {
		claim = strcmp(other->meaning, meaning) == 0 ? ROSTER_SAME
							     : ROSTER_OTHER;
	}
	pthread_mutex_unlock(&roster->lock);
	return claim;
}
