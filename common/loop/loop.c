/* The loop's life and its turn. */
#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "loop/bug.h"
#include "loop/impl.h"

static _Thread_local const struct loop *current;

bool loop_is_current(const struct loop *loop)
{
	return current == loop;
}

void loop_check_thread(const struct loop *loop)
{
	BUG_IF(atomic_load_explicit(&loop->running, memory_order_relaxed) &&
		       !loop_is_current(loop),
	       "called outside the loop's thread");
}

/* ---- life --------------------------------------------------------------- */

static void on_wake(struct loop_watch *watch, uint32_t epoll_events)
{
	(void)watch;
	(void)epoll_events;
}

static enum status_code open_descriptors(struct loop *loop,
					 struct status *reterr)
{
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	loop->wake.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	loop->timer.fd =
		timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (loop->epoll_fd < 0 || loop->wake.fd < 0 || loop->timer.fd < 0) {
		return status_set_errno(reterr, STATUS_RESOURCE_EXHAUSTED,
					errno, "create the loop's descriptors");
	}
	if (loop_watch_add(loop, &loop->wake, EPOLLIN | EPOLLET, reterr) !=
		    STATUS_OK ||
	    loop_watch_add(loop, &loop->timer, EPOLLIN | EPOLLET, reterr) !=
		    STATUS_OK) {
		return status_wrap(reterr, "set up the loop");
	}
	return loop_signals_open(loop, reterr);
}

enum status_code loop_new(struct loop **ret_loop, struct status *reterr)
{
	struct loop *loop = calloc(1, sizeof(*loop));

	if (loop == NULL) {
		return status_set(reterr, STATUS_RESOURCE_EXHAUSTED,
				  "no memory for the loop");
	}
	pthread_mutex_init(&loop->mutex, NULL);
	loop->armed_ns = CLOCK_NEVER;
	loop->epoll_fd = loop->wake.fd = loop->timer.fd = loop->signal.fd = -1;
	loop->wake.fn = on_wake;
	loop->timer.fn = loop_timers_expired;
	if (open_descriptors(loop, reterr) != STATUS_OK) {
		loop_free(loop);
		return reterr != NULL ? reterr->code : STATUS_INTERNAL;
	}
	*ret_loop = loop;
	return STATUS_OK;
}

static void close_if_open(int fd)
{
	if (fd >= 0) {
		close(fd);
	}
}

void loop_free(struct loop *loop)
{
	if (loop == NULL) {
		return;
	}
	BUG_IF(loop_is_current(loop), "loop_free() on the loop's own thread");
	if (loop->threaded) {
		loop_stop(loop);
		pthread_join(loop->thread, NULL);
	}
	BUG_IF(atomic_load(&loop->running), "loop_free() on a running loop");
	close_if_open(loop->signal.fd);
	close_if_open(loop->timer.fd);
	close_if_open(loop->wake.fd);
	close_if_open(loop->epoll_fd);
	timers_release(&loop->timers);
	pthread_mutex_destroy(&loop->mutex);
	free(loop);
}

void loop_stop(struct loop *loop)
{
	atomic_store(&loop->stopping, true);
	loop_wake(loop);
}

/* ---- the turn ----------------------------------------------------------- */

void loop_turn_add(struct loop *loop, struct loop_turn *turn)
{
	struct loop_turn **end = &loop->turns;
	int count = 0;

	loop_check_thread(loop);
	while (*end != NULL) {
		end = &(*end)->next;
		count++;
	}
	BUG_IF(count >= LOOP_TURNS_MAX, "too many turn callbacks");
	turn->next = NULL;
	*end = turn;
}

/* Returns the instant until which the loop may sleep. */
static int64_t run_turns(struct loop *loop)
{
	int64_t until_ns = CLOCK_NEVER;

	for (struct loop_turn *t = loop->turns; t != NULL; t = t->next) {
		int64_t at_ns = t->fn(t);

		until_ns = at_ns < until_ns ? at_ns : until_ns;
	}
	return until_ns;
}

static bool has_work(struct loop *loop)
{
	return atomic_load(&loop->inbox) != NULL || loop->batch != NULL ||
	       atomic_load(&loop->stopping);
}

/* Fetch the next events, and wait for them if there is nothing else to do. */
static void fetch_events(struct loop *loop, int64_t until_ns)
{
	int n;

	/* See impl.h for why nothing that arrives now is missed. */
	atomic_store(&loop->asleep, true);
	if (has_work(loop) || !loop_timers_arm(loop, until_ns)) {
		atomic_store(&loop->asleep, false);
	}
	n = epoll_wait(loop->epoll_fd, loop->events, LOOP_EVENTS_MAX,
		       atomic_load(&loop->asleep) ? -1 : 0);
	BUG_IF(n < 0 && errno != EINTR, "epoll_wait() refused its arguments");
	atomic_store(&loop->asleep, false);
	loop->event_next = 0;
	loop->event_nr = n > 0 ? n : 0;
}

static void serve_events(struct loop *loop)
{
	while (loop->event_next < loop->event_nr &&
	       !atomic_load(&loop->stopping)) {
		struct epoll_event *event = &loop->events[loop->event_next++];
		struct loop_watch *watch = event->data.ptr;

		if (watch != NULL) {
			watch->fn(watch, event->events);
		}
	}
}

void loop_run(struct loop *loop)
{
	BUG_IF(current != NULL, "this thread runs a loop already");
	BUG_IF(atomic_exchange(&loop->running, true), "the loop runs already");
	current = loop;
	for (;;) {
		int64_t until_ns;

		serve_events(loop);
		loop_timers_run(loop);
		loop_tasks_run(loop);
		/* The flag is consumed: a stop ends one run. */
		if (atomic_exchange(&loop->stopping, false)) {
			break;
		}
		until_ns = run_turns(loop);
		fetch_events(loop, until_ns);
	}
	current = NULL;
	atomic_store(&loop->running, false);
}

static void *run_thread(void *arg)
{
	loop_run(arg);
	return NULL;
}

enum status_code loop_start_thread(struct loop *loop, struct status *reterr)
{
	int err;

	BUG_IF(loop->threaded, "the loop has a thread already");
	err = pthread_create(&loop->thread, NULL, run_thread, loop);
	if (err != 0) {
		return status_set_errno(reterr, STATUS_RESOURCE_EXHAUSTED, err,
					"start the loop's thread");
	}
	loop->threaded = true;
	return STATUS_OK;
}
