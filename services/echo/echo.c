#include "echo/echo.h"

#include <string.h>

/*
 * Short, since a database that is locked right after a write is the case that
 * they miss; long enough that under load no request tries the database, and
 * that few requests wait for a trial's sync.
 */
enum {
	LOCK_COUNTS_NS = 10 * NS_PER_MS,
	WRITE_COUNTS_S = 5,
};

void echo_init(struct echo *echo)
{
	memset(echo, 0, sizeof(*echo));
	atomic_init(&echo->live, 1);
	atomic_init(&echo->written_ns, INT64_MIN);
	atomic_init(&echo->locked_ns, INT64_MIN);
	roster_init(&echo->requests);
	roster_init(&echo->keys);
}

size_t echo_live(const struct echo *echo)
{
	size_t live = atomic_load(&echo->live);

	return atomic_load(&echo->draining) ? live : live - 1;
}

void echo_enter(struct echo *echo)
{
	atomic_fetch_add_explicit(&echo->live, 1, memory_order_relaxed);
}

void echo_leave(struct echo *echo)
{
	if (atomic_fetch_sub_explicit(&echo->live, 1, memory_order_acq_rel) ==
	    1) {
		echo->on_drained(echo->on_drained_arg);
	}
}

void echo_drain(struct echo *echo, void (*done)(void *arg), void *arg)
{
	echo->on_drained = done;
	echo->on_drained_arg = arg;
	atomic_store(&echo->draining, true);
	echo_leave(echo);
}

static void on_patience_over(struct loop_timer *timer, int64_t late_ns)
{
	struct echo *echo = (struct echo *)((char *)timer -
					    offsetof(struct echo, patience));

	(void)late_ns;
	ctx_end(echo->root, CTX_SHUTDOWN, NULL);
}

void echo_cancel(struct echo *echo)
{
	echo->patience.fn = on_patience_over;
	loop_timer_start(ctx_loop(echo->root), &echo->patience,
			 clock_now_ns() + ECHO_COMMIT_PATIENCE_NS);
}

void echo_release(struct echo *echo)
{
	if (echo->root != NULL) {
		(void)loop_timer_stop(ctx_loop(echo->root), &echo->patience);
	}
}

enum echo_doubt echo_doubt(const struct echo *echo)
{
	int64_t now_ns = clock_now_ns();

	if (atomic_load_explicit(&echo->written_ns, memory_order_relaxed) <
	    now_ns - (int64_t)WRITE_COUNTS_S * NS_PER_S) {
		return ECHO_MAYBE_FULL;
	}
	if (atomic_load_explicit(&echo->locked_ns, memory_order_relaxed) <
	    now_ns - LOCK_COUNTS_NS) {
		return ECHO_MAYBE_LOCKED;
	}
	return ECHO_SURE;
}

void echo_note_lock(struct echo *echo)
{
	atomic_store_explicit(&echo->locked_ns, clock_now_ns(),
			      memory_order_relaxed);
}

void echo_note_write(struct echo *echo, bool taken)
{
	atomic_store_explicit(&echo->written_ns,
			      taken ? clock_now_ns() : INT64_MIN,
			      memory_order_relaxed);
	if (taken) {
		echo_note_lock(echo);
	}
}
