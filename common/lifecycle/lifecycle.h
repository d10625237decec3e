/*
 * Start in order, stop in reverse: the one way in which our programs end.
 *
 * Parts are registered in the order in which they were started. On SIGTERM,
 * SIGINT or lifecycle_stop() the ladder runs on the loop's thread:
 *
 *   RUNNING -> HOOKS -> DRAIN_DELAY -> DRAINING -> CLOSING -> STOPPED
 *                                          \-> CANCELLING -/
 *
 *   readiness turns false, systemd is told STOPPING=1;
 *   pre-shutdown hooks run, one after the other in the order in which they
 *   were added, each with its own share of the deadline; parts still serve;
 *   (drain delay, for load balancers that need time to notice);
 *   stop_accepting of every part, last registered first;
 *   drain of every part, together; each calls back when it is empty;
 *   at the deadline, or at a second signal: cancel of every part that has not
 *   drained, and a short wait (cancel_grace) for what that ends;
 *   close of every part, last registered first; databases were registered
 *   first, so they close last.
 *
 * Every hook's run and every part's drain and close is logged with its
 * duration. lifecycle_run() returns the exit code: 0 when everything drained by
 * itself; LIFECYCLE_EXIT_FORCED when a hook did not finish in its share, or a
 * part had not drained when the deadline passed or the second signal came.
 *
 * Signals: the first begins, the second goes to CANCELLING from wherever the
 * ladder stands before it, the third (and the end of cancel_grace) stops
 * waiting for parts that don't drain even so. What may still use a part can't
 * be closed, so then closing goes from the last registered part down to the
 * first that has not drained and stops there: that part, and all that were
 * registered before it and that it may stand on, are left to the end of the
 * process. The log names them, is flushed, and lifecycle_run() ends the process
 * with _exit(LIFECYCLE_EXIT_FORCED) instead of returning to a caller that would
 * free what is in use. The same happens to a close_begin() whose end is not
 * told by the deadline (or cancel_grace after CLOSING began, if that is later)
 * or before the third signal, and to a hook that has not called back by the
 * end. Databases survive it, as they survive a kill.
 *
 * A start that fails half-way ends the same way: lifecycle_stop() and
 * lifecycle_run() close what was registered so far.
 *
 * systemd: READY=1 when lifecycle_ready() is called, STOPPING=1, STATUS=...,
 * WATCHDOG=1 at half of WATCHDOG_USEC, through libsystemd.
 *
 * Thread-safety: loop thread, or before it runs; lifecycle_is_ready(),
 * lifecycle_drained(), lifecycle_closed(), lifecycle_hook_done() and
 * lifecycle_stop() from any thread.
 */
#ifndef RESCIND_LIFECYCLE_H
#define RESCIND_LIFECYCLE_H

#include <stdbool.h>
#include <stdint.h>

#include "loop/loop.h"
#include "status/status.h"

enum { LIFECYCLE_EXIT_FORCED = 3 };
enum { LIFECYCLE_PARTS_MAX = 32, LIFECYCLE_HOOKS_MAX = 16 };

struct lifecycle;
struct lifecycle_part;
struct lifecycle_hook;

/* What a part can do; any may be NULL. */
struct lifecycle_ops {
	void (*stop_accepting)(void *self);
	/* Call lifecycle_drained(part) when empty; at once is fine. NULL: the
	 * part is always empty. */
	void (*drain)(void *self, struct lifecycle_part *part);
	/* End what is in flight. lifecycle_drained() is still awaited. */
	void (*cancel)(void *self);
	/* Release. May block: nothing is served any more. */
	void (*close)(void *self);
	/* Instead of close, for what takes time: begin to release, and call
	 * lifecycle_closed(part) when done. Must not block. */
	void (*close_begin)(void *self, struct lifecycle_part *part);
};

/* 0 stands for the default. */
struct lifecycle_options {
	int64_t shutdown_timeout_ns; /* one deadline over all; default 30 s */
	int64_t drain_delay_ns;	     /* default 0; less than the timeout */
	int64_t cancel_grace_ns;     /* default 5 s */
};

/*
 * Takes SIGTERM and SIGINT of @loop, which must have been blocked with
 * loop_block_signals(). @options may be NULL. INVALID_ARGUMENT for negative
 * times, and for a drain delay that leaves nothing of the timeout.
 */
MUSTCHECK enum status_code
lifecycle_new(struct loop *loop, const struct lifecycle_options *options,
	      struct lifecycle **ret_lifecycle, struct status *reterr);

/* @name and @ops are borrowed for good. At most LIFECYCLE_PARTS_MAX. */
struct lifecycle_part *lifecycle_add(struct lifecycle *lifecycle,
				     const char *name,
				     const struct lifecycle_ops *ops,
				     void *self);
/*
 * Tell the ladder that @part is empty. Any thread; again is harmless, and so is
 * a call before drain was asked, which counts for nothing.
 */
void lifecycle_drained(struct lifecycle_part *part);

/*
 * Let @part close at the same time as those parts registered directly before
 * and after it that are marked so too; the part before them waits for them all.
 * A close() then runs on a thread of its own, a close_begin() on the loop's.
 */
void lifecycle_close_beside(struct lifecycle_part *part);
/* Tell the ladder that what close_begin() began is done. Any thread. */
void lifecycle_closed(struct lifecycle_part *part);

/*
 * Call @fn on the loop's thread before any part is stopped: finish or hand over
 * background work, flush. It must not block; lifecycle_hook_done() says that it
 * is through, at once or later from any thread. It may take @share_percent
 * (1-100) of the shutdown timeout, and then the ladder goes on without it: what
 * it had begun should belong to a part, whose cancel ends it. @name is borrowed
 * for good. At most LIFECYCLE_HOOKS_MAX.
 */
struct lifecycle_hook *
lifecycle_add_hook(struct lifecycle *lifecycle, const char *name,
		   void (*fn)(void *self, struct lifecycle_hook *hook),
		   void *self, unsigned share_percent);
/* Any thread; again is harmless. */
void lifecycle_hook_done(struct lifecycle_hook *hook);
/* The instant at which @hook's time is up; from within its fn on. */
int64_t lifecycle_hook_deadline_ns(const struct lifecycle_hook *hook);

/*
 * Called when readiness changes, on the loop's thread (or inside
 * lifecycle_ready(), where that comes before the loop runs). At most 8.
 */
void lifecycle_on_ready(struct lifecycle *lifecycle,
			void (*fn)(bool ready, void *arg), void *arg);

/* Everything is up: readiness true, sd_notify READY=1. No effect once the
 * ladder runs. */
void lifecycle_ready(struct lifecycle *lifecycle);
bool lifecycle_is_ready(const struct lifecycle *lifecycle);

/* Run the loop until STOPPED; returns the exit code. */
int lifecycle_run(struct lifecycle *lifecycle);
/*
 * Begin the ladder as a signal would, in the loop's next turn. @reason is
 * copied, for the log. Again is harmless: only signals hurry the ladder. Any
 * thread.
 */
void lifecycle_stop(struct lifecycle *lifecycle, const char *reason);
/*
 * Before loop_free() of its loop, which must not run any more, and after the
 * threads that may report to it have ended. Not while the ladder runs. Closes
 * no part. NULL is fine.
 */
void lifecycle_free(struct lifecycle *lifecycle);

#endif
