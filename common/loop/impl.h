/*
 * Private to the loop: its state and what its files share.
 *
 * Falling asleep without losing a wake-up: the loop sets `asleep`, then looks
 * at the inbox, at `stopping` and (under the mutex) at the timers once more,
 * and only then waits. Whoever brings work first makes it visible and then
 * looks at `asleep`. All four accesses are sequentially consistent, so at least
 * one side sees the other. The one that finds the loop asleep takes the flag
 * down with it, so that of many posters one writes the eventfd.
 *
 * wake_fd and timer_fd are watched edge-triggered and never read: each write
 * and each expiry is an edge of its own, and a read would only cost a call.
 */
#ifndef RESCIND_LOOP_IMPL_H
#define RESCIND_LOOP_IMPL_H

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/epoll.h>

#include "loop/loop.h"
#include "loop/timers.h"

enum { LOOP_EVENTS_MAX = 128, LOOP_TURNS_MAX = 8 };

struct loop {
	/* Touched by every thread. */
	_Atomic(struct loop_task *) inbox; /* last posted first */
	atomic_bool asleep;
	atomic_bool stopping;
	atomic_bool running;

	/* Timers: any thread, under the mutex. */
	pthread_mutex_t mutex;
	struct timers timers;
	int64_t armed_ns; /* when timer_fd expires; CLOCK_NEVER: it won't */

	/* The loop thread's own. */
	int epoll_fd;
	struct loop_watch wake;	  /* eventfd */
	struct loop_watch timer;  /* timerfd */
	struct loop_watch signal; /* signalfd */
	struct loop_task *batch;  /* taken from the inbox, not yet run */
	struct loop_turn *turns;
	struct loop_signal *signals;
	sigset_t signal_set;
	int event_next, event_nr; /* events[next..nr) are still to be served */
	struct epoll_event events[LOOP_EVENTS_MAX];

	pthread_t thread;
	bool threaded;
};

/* Stop the process if another thread runs @loop. */
void loop_check_thread(const struct loop *loop);

/* tasks.c: wake the loop if it sleeps; of all who find it asleep one does. */
void loop_wake(struct loop *loop);
/* Run what was posted. What that posts meanwhile waits for the next turn, so
 * that no task can starve the rest. */
void loop_tasks_run(struct loop *loop);

/* expiry.c: serve the timers that are due, at most as many as there were, for
 * a callback may start a timer anew. */
void loop_timers_run(struct loop *loop);
/* See that the loop is woken in time, at @until_ns if no timer is earlier.
 * False when something is due already. */
bool loop_timers_arm(struct loop *loop, int64_t until_ns);
/* timer_fd has expired. The turn serves the timers; this only notes it. */
void loop_timers_expired(struct loop_watch *watch, uint32_t epoll_events);

/* signals.c: make and watch the signalfd. */
MUSTCHECK enum status_code loop_signals_open(struct loop *loop,
					     struct status *reterr);

#endif
