/* The loop's timers: started and stopped by all, armed and served in turn. */
#include <sys/timerfd.h>

#include "loop/bug.h"
#include "loop/impl.h"

/* Under the mutex. */
static void arm(struct loop *loop, int64_t at_ns)
{
	/* An instant of 0 would disarm; a past one expires at once. */
	int64_t instant_ns = at_ns > 0 ? at_ns : 1;
	struct itimerspec spec = {
		.it_value = { .tv_sec = instant_ns / NS_PER_S,
			      .tv_nsec = instant_ns % NS_PER_S },
	};

	timerfd_settime(loop->timer.fd, TFD_TIMER_ABSTIME, &spec, NULL);
	loop->armed_ns = at_ns;
}

void loop_timer_start(struct loop *loop, struct loop_timer *timer,
		      int64_t at_ns)
{
	pthread_mutex_lock(&loop->mutex);
	BUG_IF(timer->slot != 0, "timer was started already");
	timer->at_ns = at_ns;
	timers_insert(&loop->timers, timer);
	/* A loop that is awake looks at the timers before it sleeps. */
	if (at_ns < loop->armed_ns && atomic_load(&loop->asleep)) {
		arm(loop, at_ns);
	}
	pthread_mutex_unlock(&loop->mutex);
}

bool loop_timer_stop(struct loop *loop, struct loop_timer *timer)
{
	bool pending;

	pthread_mutex_lock(&loop->mutex);
	pending = timer->slot != 0;
	if (pending) {
		timers_remove(&loop->timers, timer);
	}
	/* timer_fd stays as it is: to wake once for nothing is cheaper than a
	 * call for each of the many timers that are stopped before their time.
	 */
	pthread_mutex_unlock(&loop->mutex);
	return pending;
}

static struct loop_timer *pop_due(struct loop *loop, int64_t *ret_late_ns)
{
	struct loop_timer *timer = NULL;

	pthread_mutex_lock(&loop->mutex);
	if (loop->timers.count > 0) {
		int64_t now_ns = clock_now_ns();

		timer = timers_pop_due(&loop->timers, now_ns);
		if (timer != NULL) {
			*ret_late_ns = now_ns - timer->at_ns;
		}
	}
	pthread_mutex_unlock(&loop->mutex);
	return timer;
}

void loop_timers_run(struct loop *loop)
{
	struct loop_timer *timer;
	int64_t late_ns;
	size_t budget;

	pthread_mutex_lock(&loop->mutex);
	budget = loop->timers.count;
	pthread_mutex_unlock(&loop->mutex);
	while (budget-- > 0 && !atomic_load(&loop->stopping)) {
		timer = pop_due(loop, &late_ns);
		if (timer == NULL) {
			return;
		}
		timer->fn(timer, late_ns);
	}
}

bool loop_timers_arm(struct loop *loop, int64_t until_ns)
{
	bool sleep = true;

	pthread_mutex_lock(&loop->mutex);
	if (timers_earliest_ns(&loop->timers) < until_ns) {
		until_ns = timers_earliest_ns(&loop->timers);
	}
	if (until_ns != CLOCK_NEVER && until_ns <= clock_now_ns()) {
		sleep = false;
	} else if (until_ns < loop->armed_ns) {
		arm(loop, until_ns);
	}
	pthread_mutex_unlock(&loop->mutex);
	return sleep;
}

void loop_timers_expired(struct loop_watch *watch, uint32_t epoll_events)
{
	struct loop *loop =
		(struct loop *)((char *)watch - offsetof(struct loop, timer));

	(void)epoll_events;
	pthread_mutex_lock(&loop->mutex);
	/* It may be armed anew already; then it is armed once more, no harm. */
	loop->armed_ns = CLOCK_NEVER;
	pthread_mutex_unlock(&loop->mutex);
}
