/* Condition variables that wait by the monotonic clock. */
#ifndef RESCIND_DB_SQLITE_COND_H
#define RESCIND_DB_SQLITE_COND_H

#include <pthread.h>
#include <stdbool.h>

#include "loop/clock.h"

static inline void cond_init(pthread_cond_t *cond)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(cond, &attr);
	pthread_condattr_destroy(&attr);
}

/* False when @until_ns (CLOCK_NEVER for none) has come. */
static inline bool cond_wait_until(pthread_cond_t *cond, pthread_mutex_t *lock,
				   int64_t until_ns)
{
	struct timespec at = { .tv_sec = until_ns / NS_PER_S,
			       .tv_nsec = until_ns % NS_PER_S };

	if (until_ns == CLOCK_NEVER) {
		pthread_cond_wait(cond, lock);
		return true;
	}
	return pthread_cond_timedwait(cond, lock, &at) == 0;
}

#endif
