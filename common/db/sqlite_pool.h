/*
 * Images, kept open between transactions. A helper thread opens spare ones
 * ahead of need and closes those that nobody needed for a while, so that
 * beginning a transaction seldom pays for opening one.
 *
 * Thread-safety: all functions, any thread.
 */
#ifndef RESCIND_DB_SQLITE_POOL_H
#define RESCIND_DB_SQLITE_POOL_H

#include <pthread.h>

#include "db/sqlite_image.h"

struct image_pool {
	struct image_plan *plan;
	size_t max;  /* images in use at most */
	size_t keep; /* spare ones when idle */
	pthread_t helper;
	pthread_mutex_t lock; /* over everything below */
	pthread_cond_t wake;  /* the helper */
	pthread_cond_t returned;
	struct image *idle; /* a stack: the warmest first */
	size_t idle_n;
	size_t idle_least; /* since the helper last looked */
	size_t in_use;
	enum {
		HELPER_WORKS,
		HELPER_NAPS,   /* will look at superfluous ones by itself */
		HELPER_SLEEPS, /* until woken */
	} helper_state;
	bool closing;
};

MUSTCHECK enum status_code pool_init(struct image_pool *pool,
				     struct image_plan *plan, size_t max,
				     size_t keep, struct status *reterr);
/* Refuse pool_take() from here on: UNAVAILABLE. */
void pool_shut(struct image_pool *pool);
/* Waits for images that are on their way back. */
void pool_release(struct image_pool *pool);

/* RESOURCE_EXHAUSTED when @max are in use. */
MUSTCHECK enum status_code pool_take(struct image_pool *pool,
				     struct image **ret_image,
				     struct status *reterr);
/* Without an open transaction. */
void pool_give_back(struct image_pool *pool, struct image *image);

#endif
