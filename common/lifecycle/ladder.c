/* From the first signal to the moment at which parts may be closed. */
#include "lifecycle/internal.h"

static void hook_next(struct lifecycle *lifecycle);
static void delay_begin(struct lifecycle *lifecycle);
static void draining_begin(struct lifecycle *lifecycle);
static void cancelling_begin(struct lifecycle *lifecycle, const char *why);

bool ladder_is_drained(const struct lifecycle_part *part)
{
	return atomic_load(&part->drained) == ANSWER_GIVEN;
}

void ladder_begin(struct lifecycle *lifecycle, const char *reason)
{
	const struct lifecycle_options *options = &lifecycle->options;

	lifecycle->began_ns = clock_now_ns();
	lifecycle->deadline_ns =
		clock_add_ns(lifecycle->began_ns, options->shutdown_timeout_ns);
	log_info(NULL,
		 LOG_FIELDS(LOG_STR("reason", reason),
			    LOG_MS("timeout_ms", options->shutdown_timeout_ns)),
		 "stopping");
	lifecycle_change_state(lifecycle, LIFECYCLE_HOOKS);
	lifecycle_set_ready(lifecycle, false);
	loop_timer_start(lifecycle->loop, &lifecycle->deadline_timer,
			 lifecycle->deadline_ns);
	hook_next(lifecycle);
}

/* ---- hooks -------------------------------------------------------------- */

static void hook_next(struct lifecycle *lifecycle)
{
	struct lifecycle_hook *hook = &lifecycle->hooks[lifecycle->hook_at];
	int64_t share_ns;

	if (lifecycle->hook_at == lifecycle->hook_nr) {
		delay_begin(lifecycle);
		return;
	}
	share_ns = lifecycle->options.shutdown_timeout_ns / 100 *
		   hook->share_percent;
	hook->began_ns = clock_now_ns();
	hook->deadline_ns = clock_add_ns(hook->began_ns, share_ns);
	if (hook->deadline_ns > lifecycle->deadline_ns) {
		hook->deadline_ns = lifecycle->deadline_ns;
	}
	lifecycle_set_step_timer(lifecycle, hook->deadline_ns);
	atomic_store(&hook->done, ANSWER_AWAITED);
	hook->fn(hook->self, hook);
}

void ladder_on_hook_done(struct loop_task *task)
{
	struct lifecycle_hook *hook =
		CONTAINER_OF(task, struct lifecycle_hook, task);
	struct lifecycle *lifecycle = hook->lifecycle;

	log_info(NULL,
		 LOG_FIELDS(LOG_STR("hook", hook->name),
			    LOG_MS("took_ms", clock_now_ns() - hook->began_ns)),
		 "shutdown hook %s is done", hook->name);
	if (lifecycle->state == LIFECYCLE_HOOKS &&
	    hook == &lifecycle->hooks[lifecycle->hook_at]) {
		lifecycle->hook_at++;
		hook_next(lifecycle);
	}
}

/* The hook that runs is not waited for any longer. */
static void hook_abandon(struct lifecycle *lifecycle, const char *why)
{
	struct lifecycle_hook *hook = &lifecycle->hooks[lifecycle->hook_at];

	log_warn(NULL,
		 LOG_FIELDS(LOG_STR("hook", hook->name),
			    LOG_MS("took_ms", clock_now_ns() - hook->began_ns)),
		 "shutdown hook %s is not done: %s, going on without it",
		 hook->name, why);
	lifecycle->forced = true;
	lifecycle->hook_at++;
}

static bool hook_is_awaited(const struct lifecycle *lifecycle)
{
	return lifecycle->hook_at < lifecycle->hook_nr &&
	       atomic_load(&lifecycle->hooks[lifecycle->hook_at].done) ==
		       ANSWER_AWAITED;
}

/* ---- delay and drain ---------------------------------------------------- */

static void delay_begin(struct lifecycle *lifecycle)
{
	int64_t delay_ns = lifecycle->options.drain_delay_ns;

	lifecycle_change_state(lifecycle, LIFECYCLE_DRAIN_DELAY);
	if (delay_ns == 0) {
		draining_begin(lifecycle);
		return;
	}
	lifecycle_set_step_timer(lifecycle,
				 clock_add_ns(clock_now_ns(), delay_ns));
}

static void drain_ask(struct lifecycle_part *part)
{
	part->drain_began_ns = clock_now_ns();
	atomic_store(&part->drained, ANSWER_AWAITED);
	if (part->ops->drain != NULL) {
		part->ops->drain(part->self, part);
	} else {
		lifecycle_drained(part);
	}
}

static void stop_and_drain(struct lifecycle *lifecycle)
{
	for (size_t i = lifecycle->part_nr; i-- > 0;) {
		struct lifecycle_part *part = &lifecycle->parts[i];

		if (part->ops->stop_accepting != NULL) {
			part->ops->stop_accepting(part->self);
		}
	}
	lifecycle->undrained = lifecycle->part_nr;
	for (size_t i = lifecycle->part_nr; i-- > 0;) {
		drain_ask(&lifecycle->parts[i]);
	}
}

static void draining_begin(struct lifecycle *lifecycle)
{
	lifecycle_set_step_timer(lifecycle, CLOCK_NEVER);
	lifecycle_change_state(lifecycle, LIFECYCLE_DRAINING);
	stop_and_drain(lifecycle);
	if (lifecycle->undrained == 0) {
		closing_begin(lifecycle);
	}
}

void ladder_on_drained(struct loop_task *task)
{
	struct lifecycle_part *part =
		CONTAINER_OF(task, struct lifecycle_part, drained_task);
	struct lifecycle *lifecycle = part->lifecycle;

	/* Of a part that can't be anything but empty there is no news. */
	log_at(part->ops->drain != NULL ? LOG_INFO : LOG_DEBUG, NULL,
	       LOG_FIELDS(LOG_STR("part", part->name),
			  LOG_MS("took_ms",
				 clock_now_ns() - part->drain_began_ns)),
	       "%s has drained", part->name);
	lifecycle->undrained--;
	if (lifecycle->state == LIFECYCLE_CLOSING) {
		closing_step(lifecycle);
	} else if (lifecycle->undrained == 0) {
		closing_begin(lifecycle);
	}
}

/* ---- cancel ------------------------------------------------------------- */

static void cancel_undrained(struct lifecycle *lifecycle)
{
	for (size_t i = lifecycle->part_nr; i-- > 0;) {
		struct lifecycle_part *part = &lifecycle->parts[i];

		if (ladder_is_drained(part)) {
			continue;
		}
		lifecycle->forced = true;
		log_warn(NULL, LOG_FIELDS(LOG_STR("part", part->name)),
			 "%s has not drained, cancelling", part->name);
		if (part->ops->cancel != NULL) {
			part->ops->cancel(part->self);
		}
	}
}

/* The hook that runs and those that have not run yet. */
static void abandon_hooks(struct lifecycle *lifecycle, const char *why)
{
	if (hook_is_awaited(lifecycle)) {
		hook_abandon(lifecycle, why);
	}
	for (size_t i = lifecycle->hook_at; i < lifecycle->hook_nr; i++) {
		struct lifecycle_hook *hook = &lifecycle->hooks[i];

		if (atomic_load(&hook->done) == ANSWER_NOT_ASKED) {
			log_warn(NULL, LOG_FIELDS(LOG_STR("hook", hook->name)),
				 "shutdown hook %s is left out: %s", hook->name,
				 why);
			lifecycle->forced = true;
		}
	}
}

static void cancelling_begin(struct lifecycle *lifecycle, const char *why)
{
	enum lifecycle_state from = lifecycle->state;

	if (from == LIFECYCLE_HOOKS) {
		abandon_hooks(lifecycle, why);
	}
	log_warn(NULL, LOG_FIELDS(LOG_STR("reason", why)),
		 "cancelling what is in flight");
	lifecycle_change_state(lifecycle, LIFECYCLE_CANCELLING);
	lifecycle_set_step_timer(
		lifecycle, clock_add_ns(clock_now_ns(),
					lifecycle->options.cancel_grace_ns));
	if (from != LIFECYCLE_DRAINING) {
		stop_and_drain(lifecycle);
	}
	cancel_undrained(lifecycle);
	if (lifecycle->undrained == 0) {
		closing_begin(lifecycle);
	}
}

static void give_up(struct lifecycle *lifecycle, const char *why)
{
	for (size_t i = lifecycle->part_nr; i-- > 0;) {
		struct lifecycle_part *part = &lifecycle->parts[i];

		if (!ladder_is_drained(part)) {
			log_error(NULL,
				  LOG_FIELDS(LOG_STR("part", part->name),
					     LOG_STR("reason", why)),
				  "%s did not drain even when cancelled",
				  part->name);
		}
	}
	lifecycle->gave_up = true;
	closing_begin(lifecycle);
}

/* ---- events ------------------------------------------------------------- */

static void hurry(struct lifecycle *lifecycle, const char *why)
{
	switch (lifecycle->state) {
	case LIFECYCLE_HOOKS:
	case LIFECYCLE_DRAIN_DELAY:
	case LIFECYCLE_DRAINING:
		cancelling_begin(lifecycle, why);
		break;
	case LIFECYCLE_CANCELLING:
		/* The second may find that the deadline was quicker. */
		if (lifecycle->signal_nr > 2) {
			give_up(lifecycle, why);
		}
		break;
	case LIFECYCLE_CLOSING:
		if (lifecycle->signal_nr > 2) {
			closing_leave(lifecycle, why);
		}
		break;
	case LIFECYCLE_STOPPED:
		break;
	case LIFECYCLE_RUNNING:
	case LIFECYCLE_STATE_NR:
	default:
		lifecycle_bug("hurried where it can't be",
			      lifecycle_state_name(lifecycle->state));
	}
}

void ladder_on_signal(struct lifecycle *lifecycle, const char *name)
{
	lifecycle->signal_nr++;
	if (lifecycle->state == LIFECYCLE_RUNNING) {
		ladder_begin(lifecycle, name);
		return;
	}
	log_warn(NULL, LOG_FIELDS(LOG_STR("signal", name)),
		 "signalled again while %s",
		 lifecycle_state_name(lifecycle->state));
	hurry(lifecycle, "signalled again");
}

void ladder_on_deadline(struct lifecycle *lifecycle)
{
	/* From CANCELLING on there are other limits. */
	if (lifecycle->state == LIFECYCLE_HOOKS ||
	    lifecycle->state == LIFECYCLE_DRAIN_DELAY ||
	    lifecycle->state == LIFECYCLE_DRAINING) {
		cancelling_begin(lifecycle, "the shutdown timeout has passed");
	}
}

void ladder_on_step_timer(struct lifecycle *lifecycle)
{
	switch (lifecycle->state) {
	case LIFECYCLE_HOOKS:
		if (hook_is_awaited(lifecycle)) {
			hook_abandon(lifecycle, "its share of the time is up");
			hook_next(lifecycle);
		}
		break;
	case LIFECYCLE_DRAIN_DELAY:
		draining_begin(lifecycle);
		break;
	case LIFECYCLE_CANCELLING:
		give_up(lifecycle, "the grace after cancelling is over");
		break;
	case LIFECYCLE_CLOSING:
		closing_leave(lifecycle, "the time for closing is over");
	case LIFECYCLE_RUNNING:
	case LIFECYCLE_DRAINING:
	case LIFECYCLE_STOPPED:
	case LIFECYCLE_STATE_NR:
	default:
		lifecycle_bug("timer where none runs",
			      lifecycle_state_name(lifecycle->state));
	}
}
