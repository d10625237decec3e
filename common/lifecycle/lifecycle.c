/* Registration, readiness and what reaches the ladder from outside. */
#include "lifecycle/lifecycle.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lifecycle/internal.h"

#define SHUTDOWN_TIMEOUT_NS ((int64_t)30 * NS_PER_S)
#define CANCEL_GRACE_NS	    ((int64_t)5 * NS_PER_S)

void lifecycle_bug(const char *what, const char *name)
{
	fprintf(stderr, "lifecycle: %s: '%s'\n", what, name);
	abort();
}

/* ---- states ------------------------------------------------------------- */

static const struct {
	const char *name;
	unsigned next;
} states[LIFECYCLE_STATE_NR] = {
#define TO(symbol)		       (1u << LIFECYCLE_##symbol)
#define STATE_CONF(symbol, name, next) [LIFECYCLE_##symbol] = { name, next },
	LIFECYCLE_STATES(STATE_CONF)
#undef STATE_CONF
#undef TO
};

const char *lifecycle_state_name(enum lifecycle_state state)
{
	return states[state].name;
}

void lifecycle_change_state(struct lifecycle *lifecycle,
			    enum lifecycle_state to)
{
	enum lifecycle_state from = lifecycle->state;

	if ((states[from].next & (1u << to)) == 0) {
		lifecycle_bug("no such move", states[to].name);
	}
	log_debug(NULL, NULL, "lifecycle: %s -> %s", states[from].name,
		  states[to].name);
	lifecycle->state = to;
	notify_state(lifecycle);
}

void lifecycle_answer(_Atomic int *answer, struct lifecycle *lifecycle,
		      struct loop_task *task)
{
	int awaited = ANSWER_AWAITED;

	if (atomic_compare_exchange_strong(answer, &awaited, ANSWER_GIVEN)) {
		loop_post(lifecycle->loop, task);
	}
}

void lifecycle_set_step_timer(struct lifecycle *lifecycle, int64_t at_ns)
{
	(void)loop_timer_stop(lifecycle->loop, &lifecycle->step_timer);
	if (at_ns != CLOCK_NEVER) {
		loop_timer_start(lifecycle->loop, &lifecycle->step_timer,
				 at_ns);
	}
}

/* ---- what comes from the loop ------------------------------------------- */

static void on_signal(struct loop_signal *signal, int signo)
{
	/* signals[] is the array's first or second element. */
	size_t index = signo == SIGTERM ? 0 : 1;
	struct lifecycle *lifecycle =
		CONTAINER_OF(signal - index, struct lifecycle, signals);

	ladder_on_signal(lifecycle, signo == SIGTERM ? "SIGTERM" : "SIGINT");
}

static void on_deadline(struct loop_timer *timer, int64_t late_ns)
{
	(void)late_ns;
	ladder_on_deadline(
		CONTAINER_OF(timer, struct lifecycle, deadline_timer));
}

static void on_step_timer(struct loop_timer *timer, int64_t late_ns)
{
	(void)late_ns;
	ladder_on_step_timer(CONTAINER_OF(timer, struct lifecycle, step_timer));
}

static void on_stop(struct loop_task *task)
{
	struct lifecycle *lifecycle =
		CONTAINER_OF(task, struct lifecycle, stop_task);

	/* A signal may have been first. */
	if (lifecycle->state == LIFECYCLE_RUNNING) {
		ladder_begin(lifecycle, lifecycle->reason);
	}
}

/* ---- life --------------------------------------------------------------- */

static enum status_code set_options(struct lifecycle *lifecycle,
				    const struct lifecycle_options *options,
				    struct status *reterr)
{
	struct lifecycle_options *set = &lifecycle->options;

	if (options != NULL) {
		*set = *options;
	}
	if (set->shutdown_timeout_ns < 0 || set->drain_delay_ns < 0 ||
	    set->cancel_grace_ns < 0) {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "shutdown times must not be negative");
	}
	if (set->shutdown_timeout_ns == 0) {
		set->shutdown_timeout_ns = SHUTDOWN_TIMEOUT_NS;
	}
	if (set->cancel_grace_ns == 0) {
		set->cancel_grace_ns = CANCEL_GRACE_NS;
	}
	if (set->drain_delay_ns >= set->shutdown_timeout_ns) {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "the drain delay leaves nothing of the "
				  "shutdown timeout");
	}
	return STATUS_OK;
}

static enum status_code add_signals(struct lifecycle *lifecycle,
				    struct status *reterr)
{
	static const int signos[] = { SIGTERM, SIGINT };

	for (size_t i = 0; i < 2; i++) {
		enum status_code code;

		lifecycle->signals[i].fn = on_signal;
		lifecycle->signals[i].signo = signos[i];
		code = loop_signal_add(lifecycle->loop, &lifecycle->signals[i],
				       reterr);
		if (code != STATUS_OK) {
			return status_wrap(reterr, "watch for signal %d",
					   signos[i]);
		}
	}
	return STATUS_OK;
}

enum status_code lifecycle_new(struct loop *loop,
			       const struct lifecycle_options *options,
			       struct lifecycle **ret_lifecycle,
			       struct status *reterr)
{
	struct lifecycle *lifecycle = calloc(1, sizeof(*lifecycle));
	enum status_code code;

	if (lifecycle == NULL) {
		return status_set(reterr, STATUS_RESOURCE_EXHAUSTED,
				  "no memory for the lifecycle");
	}
	lifecycle->loop = loop;
	lifecycle->state = LIFECYCLE_RUNNING;
	lifecycle->deadline_timer.fn = on_deadline;
	lifecycle->step_timer.fn = on_step_timer;
	lifecycle->stop_task.fn = on_stop;
	/* Signals last: the loop keeps a pointer to us from then on. */
	code = set_options(lifecycle, options, reterr);
	if (code == STATUS_OK) {
		code = add_signals(lifecycle, reterr);
	}
	if (code != STATUS_OK) {
		free(lifecycle);
		return code;
	}
	*ret_lifecycle = lifecycle;
	return STATUS_OK;
}

void lifecycle_free(struct lifecycle *lifecycle)
{
	if (lifecycle == NULL) {
		return;
	}
	if (lifecycle->state != LIFECYCLE_RUNNING &&
	    lifecycle->state != LIFECYCLE_STOPPED) {
		lifecycle_bug("freed while the ladder runs",
			      lifecycle_state_name(lifecycle->state));
	}
	(void)loop_timer_stop(lifecycle->loop, &lifecycle->deadline_timer);
	(void)loop_timer_stop(lifecycle->loop, &lifecycle->step_timer);
	(void)loop_timer_stop(lifecycle->loop, &lifecycle->watchdog_timer);
	free(lifecycle);
}

/* ---- registration ------------------------------------------------------- */

struct lifecycle_part *lifecycle_add(struct lifecycle *lifecycle,
				     const char *name,
				     const struct lifecycle_ops *ops,
				     void *self)
{
	struct lifecycle_part *part;

	if (lifecycle->part_nr == LIFECYCLE_PARTS_MAX) {
		lifecycle_bug("too many parts", name);
	}
	if (lifecycle->state != LIFECYCLE_RUNNING) {
		lifecycle_bug("part added while the ladder runs", name);
	}
	part = &lifecycle->parts[lifecycle->part_nr++];
	part->lifecycle = lifecycle;
	part->name = name;
	part->ops = ops;
	part->self = self;
	part->drained_task.fn = ladder_on_drained;
	part->closed_task.fn = closing_on_closed;
	return part;
}

void lifecycle_close_beside(struct lifecycle_part *part)
{
	part->beside = true;
}

void lifecycle_drained(struct lifecycle_part *part)
{
	lifecycle_answer(&part->drained, part->lifecycle, &part->drained_task);
}

void lifecycle_closed(struct lifecycle_part *part)
{
	lifecycle_answer(&part->closed, part->lifecycle, &part->closed_task);
}

struct lifecycle_hook *
lifecycle_add_hook(struct lifecycle *lifecycle, const char *name,
		   void (*fn)(void *self, struct lifecycle_hook *hook),
		   void *self, unsigned share_percent)
{
	struct lifecycle_hook *hook;

	if (lifecycle->hook_nr == LIFECYCLE_HOOKS_MAX) {
		lifecycle_bug("too many hooks", name);
	}
	if (lifecycle->state != LIFECYCLE_RUNNING) {
		lifecycle_bug("hook added while the ladder runs", name);
	}
	if (share_percent < 1 || share_percent > 100) {
		lifecycle_bug("share is not from 1 to 100 percent", name);
	}
	hook = &lifecycle->hooks[lifecycle->hook_nr++];
	hook->lifecycle = lifecycle;
	hook->name = name;
	hook->fn = fn;
	hook->self = self;
	hook->share_percent = share_percent;
	hook->task.fn = ladder_on_hook_done;
	return hook;
}

void lifecycle_hook_done(struct lifecycle_hook *hook)
{
	lifecycle_answer(&hook->done, hook->lifecycle, &hook->task);
}

int64_t lifecycle_hook_deadline_ns(const struct lifecycle_hook *hook)
{
	return hook->deadline_ns;
}

/* ---- readiness ---------------------------------------------------------- */

void lifecycle_on_ready(struct lifecycle *lifecycle,
			void (*fn)(bool ready, void *arg), void *arg)
{
	if (lifecycle->listener_nr == READY_LISTENERS_MAX) {
		lifecycle_bug("too many listeners to readiness", "");
	}
	lifecycle->listeners[lifecycle->listener_nr++] =
		(struct ready_listener){ .fn = fn, .arg = arg };
}

void lifecycle_set_ready(struct lifecycle *lifecycle, bool ready)
{
	if (atomic_exchange(&lifecycle->ready, ready) == ready) {
		return;
	}
	for (size_t i = 0; i < lifecycle->listener_nr; i++) {
		lifecycle->listeners[i].fn(ready, lifecycle->listeners[i].arg);
	}
}

void lifecycle_ready(struct lifecycle *lifecycle)
{
	if (lifecycle->state != LIFECYCLE_RUNNING) {
		return;
	}
	lifecycle_set_ready(lifecycle, true);
	notify_ready(lifecycle);
}

bool lifecycle_is_ready(const struct lifecycle *lifecycle)
{
	return atomic_load(&lifecycle->ready);
}

/* ---- running ------------------------------------------------------------ */

int lifecycle_run(struct lifecycle *lifecycle)
{
	while (lifecycle->state != LIFECYCLE_STOPPED) {
		loop_run(lifecycle->loop);
	}
	return lifecycle->forced ? LIFECYCLE_EXIT_FORCED : 0;
}

void lifecycle_stop(struct lifecycle *lifecycle, const char *reason)
{
	if (atomic_exchange(&lifecycle->stop_asked, true)) {
		return;
	}
	(void)snprintf(lifecycle->reason, sizeof(lifecycle->reason), "%s",
		       reason);
	loop_post(lifecycle->loop, &lifecycle->stop_task);
}
