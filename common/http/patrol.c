#include "http/patrol.h"

#include <stddef.h>

#include "loop/bug.h"

/* The timer is left alone when its guard goes: it looks again when it fires. */
static void arm(struct http_patrol *patrol)
{
	if (patrol->first != NULL && patrol->timer_ns == CLOCK_NEVER) {
		patrol->timer_ns = patrol->first->expires_ns;
		loop_timer_start(patrol->loop, &patrol->timer,
				 patrol->timer_ns);
	}
}

static void on_timer(struct loop_timer *timer, int64_t late_ns)
{
	struct http_patrol *patrol =
		(struct http_patrol *)(void *)((char *)timer -
					       offsetof(struct http_patrol,
							timer));
	int64_t now_ns = clock_now_ns();

	(void)late_ns;
	patrol->timer_ns = CLOCK_NEVER;
	while (patrol->first != NULL && patrol->first->expires_ns <= now_ns) {
		struct http_guard *guard = patrol->first;

		http_guard_leave(guard);
		patrol->expired(guard);
	}
	arm(patrol);
}

void http_patrol_init(struct http_patrol *patrol, struct loop *loop,
		      int64_t span_ns,
		      void (*expired)(struct http_guard *guard))
{
	*patrol = (struct http_patrol){
		.loop = loop,
		.timer = { .fn = on_timer },
		.timer_ns = CLOCK_NEVER,
		.span_ns = span_ns,
		.expired = expired,
	};
}

void http_patrol_release(struct http_patrol *patrol)
{
	BUG_IF(patrol->first != NULL, "released with someone under guard");
	if (patrol->timer_ns != CLOCK_NEVER) {
		loop_timer_stop(patrol->loop, &patrol->timer);
		patrol->timer_ns = CLOCK_NEVER;
	}
}

void http_guard_leave(struct http_guard *guard)
{
	struct http_patrol *patrol = guard->patrol;

	if (patrol == NULL) {
		return;
	}
	*(guard->prev != NULL ? &guard->prev->next : &patrol->first) =
		guard->next;
	*(guard->next != NULL ? &guard->next->prev : &patrol->last) =
		guard->prev;
	*guard = (struct http_guard){ 0 };
}

void http_guard_join(struct http_guard *guard, struct http_patrol *patrol,
		     int64_t now_ns)
{
	http_guard_leave(guard);
	guard->patrol = patrol;
	guard->expires_ns = clock_add_ns(now_ns, patrol->span_ns);
	guard->prev = patrol->last;
	*(patrol->last != NULL ? &patrol->last->next : &patrol->first) = guard;
	patrol->last = guard;
	arm(patrol);
}
