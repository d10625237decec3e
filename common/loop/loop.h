/*
 * One epoll thread: tasks from other threads, timers, signals, watched sockets.
 *
 * A program has one loop, run by its main thread with loop_run(), or (tests,
 * benches) by a thread that loop_start_thread() makes. Callbacks run on that
 * thread, one after another, and must never block.
 *
 * The structs below are embedded in their users' objects; the loop allocates
 * nothing per task, timer or watch. Each must stay valid until its callback
 * ran or the matching stop function answered true.
 *
 * Signals: block them (loop_block_signals()) before any other thread starts,
 * so that they arrive at the loop's signalfd and nowhere else.
 */
#ifndef RESCIND_LOOP_H
#define RESCIND_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "loop/clock.h"
#include "status/status.h"

struct loop;

/* ---- life --------------------------------------------------------------- */

MUSTCHECK enum status_code loop_new(struct loop **ret_loop,
				    struct status *reterr);
/* Run callbacks on the calling thread until loop_stop(). */
void loop_run(struct loop *loop);
/* Run the loop on a thread of its own; loop_free() stops and joins it. */
MUSTCHECK enum status_code loop_start_thread(struct loop *loop,
					     struct status *reterr);
/*
 * Make loop_run() return after the current callback; called before, make it
 * return at once. A loop may be run again and goes on where it was. Any thread.
 */
void loop_stop(struct loop *loop);
/* NULL is fine. Tasks still queued are dropped without being run. */
void loop_free(struct loop *loop);
/* True on the thread that runs the loop. */
bool loop_is_current(const struct loop *loop);

/* ---- tasks: any thread -> loop thread ----------------------------------- */

struct loop_task {
	void (*fn)(struct loop_task *task);
	struct loop_task *next; /* the loop's own */
};

/*
 * Run task->fn on the loop thread, soon. Any thread, never blocks, tasks of one
 * thread run in the order in which they were posted. A task that is queued
 * must not be posted again; inside its own callback it may be.
 * Wakes the loop only when it sleeps: posting to a busy loop is a few atomics.
 */
void loop_post(struct loop *loop, struct loop_task *task);

/* ---- timers: started and stopped from any thread ------------------------ */

struct loop_timer {
	/* @late_ns: how long after its instant the timer was served. A large
	 * value says that the process was stopped or starved meanwhile. */
	void (*fn)(struct loop_timer *timer, int64_t late_ns);
	int64_t at_ns; /* the loop's own from here on */
	size_t slot;   /* 0 when not in the heap, else heap index + 1 */
};

/* Call fn once on the loop thread at @at_ns (monotonic). Not yet started. */
void loop_timer_start(struct loop *loop, struct loop_timer *timer,
		      int64_t at_ns);
/*
 * True: fn will not run any more. False: it has run, is running, or was never
 * started. Any thread; never waits.
 */
bool loop_timer_stop(struct loop *loop, struct loop_timer *timer);

/* ---- watched descriptors: loop thread only ------------------------------ */

struct loop_watch {
	void (*fn)(struct loop_watch *watch, uint32_t epoll_events);
	int fd;
};

/*
 * Watch watch->fd for @epoll_events (EPOLLIN, EPOLLRDHUP, EPOLLONESHOT ...).
 * Level-triggered unless EPOLLET is among them. The descriptor stays the
 * caller's, and has to be removed before it is closed.
 */
MUSTCHECK enum status_code loop_watch_add(struct loop *loop,
					  struct loop_watch *watch,
					  uint32_t epoll_events,
					  struct status *reterr);
MUSTCHECK enum status_code loop_watch_change(struct loop *loop,
					     struct loop_watch *watch,
					     uint32_t epoll_events,
					     struct status *reterr);
/*
 * After it returned fn is not called any more, even for events that were
 * already fetched in this turn; the struct may be freed.
 */
void loop_watch_remove(struct loop *loop, struct loop_watch *watch);

/*
 * A callback at the end of every turn of the loop, after all events, tasks and
 * timers of that turn and before it sleeps: for work that gathers over a turn.
 * At most 8 of them, never removed. @fn returns the instant (monotonic ns,
 * CLOCK_NEVER for none) until which the loop may sleep at most.
 */
struct loop_turn {
	int64_t (*fn)(struct loop_turn *turn);
	struct loop_turn *next; /* the loop's own */
};
void loop_turn_add(struct loop *loop, struct loop_turn *turn);

/* ---- signals ------------------------------------------------------------ */

/* Block SIGINT, SIGTERM, SIGHUP, SIGUSR1; ignore SIGPIPE and SIGXFSZ, so that
 * such writes fail instead. First in main. */
void loop_block_signals(void);

struct loop_signal {
	void (*fn)(struct loop_signal *signal, int signo);
	int signo;
	struct loop_signal *next; /* the loop's own */
};
/*
 * Before loop_run(), or on its thread; @signal stays valid as long as the loop.
 * FAILED_PRECONDITION if the calling thread has not blocked signal->signo.
 */
MUSTCHECK enum status_code loop_signal_add(struct loop *loop,
					   struct loop_signal *signal,
					   struct status *reterr);

#endif
