/*
 * Guards who watch over the same span of time: what stays under guard longer
 * than the span is reported. As the span is the same for all, the list is in
 * order of expiry by itself, and one timer serves it.
 */
#ifndef RESCIND_HTTP_PATROL_H
#define RESCIND_HTTP_PATROL_H

#include <stdint.h>

#include "loop/loop.h"

struct http_patrol;

/* Embedded in what is guarded; all zero when under no guard. */
struct http_guard {
	struct http_patrol *patrol;
	int64_t expires_ns;
	struct http_guard *prev, *next;
};

struct http_patrol {
	struct loop *loop;
	struct loop_timer timer;
	int64_t timer_ns; /* CLOCK_NEVER when it does not run */
	int64_t span_ns;
	struct http_guard *first, *last;
	/* Called with the guard already taken off. */
	void (*expired)(struct http_guard *guard);
};

void http_patrol_init(struct http_patrol *patrol, struct loop *loop,
		      int64_t span_ns,
		      void (*expired)(struct http_guard *guard));
/* Nothing may be under guard any more. */
void http_patrol_release(struct http_patrol *patrol);

/* Put under guard, from @now_ns, by @patrol; leaves the patrol it was with. */
void http_guard_join(struct http_guard *guard, struct http_patrol *patrol,
		     int64_t now_ns);
void http_guard_leave(struct http_guard *guard);

#endif
