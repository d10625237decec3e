/* Unix time in milliseconds, for what people read and for expiry. */
#ifndef RESCIND_TWOPC_UNIX_MS_H
#define RESCIND_TWOPC_UNIX_MS_H

#include <stdint.h>
#include <time.h>

static inline int64_t unix_ms_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

#endif
