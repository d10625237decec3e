/* Closing the parts, last registered first, some of them side by side. */
#include <stdio.h>
#include <unistd.h>

#include "lifecycle/internal.h"

static bool is_closing(const struct lifecycle_part *part)
{
	return atomic_load(&part->closed) == ANSWER_AWAITED;
}

static void log_closed(const struct lifecycle_part *part)
{
	log_info(NULL,
		 LOG_FIELDS(LOG_STR("part", part->name),
			    LOG_MS("took_ms",
				   clock_now_ns() - part->close_began_ns)),
		 "%s is closed", part->name);
}

static void *close_thread(void *arg)
{
	struct lifecycle_part *part = arg;

	part->ops->close(part->self);
	lifecycle_closed(part);
	return NULL;
}

/* True when it goes on by itself and lifecycle_closed() will tell its end. */
static bool close_begin(struct lifecycle_part *part)
{
	if (part->ops->close_begin != NULL) {
		part->ops->close_begin(part->self, part);
		return true;
	}
	if (part->ops->close == NULL) {
		return false;
	}
	if (part->beside &&
	    pthread_create(&part->thread, NULL, close_thread, part) == 0) {
		part->threaded = true;
		return true;
	}
	part->ops->close(part->self);
	return false;
}

static void close_part(struct lifecycle_part *part)
{
	part->close_began_ns = clock_now_ns();
	atomic_store(&part->closed, ANSWER_AWAITED);
	if (close_begin(part)) {
		part->lifecycle->closing++;
		return;
	}
	atomic_store(&part->closed, ANSWER_GIVEN);
	log_closed(part);
}

void closing_on_closed(struct loop_task *task)
{
	struct lifecycle_part *part =
		CONTAINER_OF(task, struct lifecycle_part, closed_task);

	if (part->threaded) {
		pthread_join(part->thread, NULL);
	}
	log_closed(part);
	part->lifecycle->closing--;
	closing_step(part->lifecycle);
}

/* Whether @part may close now that those after it are closing. */
static bool may_close(const struct lifecycle_part *part)
{
	const struct lifecycle *lifecycle = part->lifecycle;

	return lifecycle->closing == 0 ||
	       (part->beside && lifecycle->unclosed < lifecycle->part_nr &&
		(part + 1)->beside);
}

static bool some_hook_runs(const struct lifecycle *lifecycle)
{
	for (size_t i = 0; i < lifecycle->hook_nr; i++) {
		if (atomic_load(&lifecycle->hooks[i].done) == ANSWER_AWAITED) {
			return true;
		}
	}
	return false;
}

static void stopped(struct lifecycle *lifecycle)
{
	if (some_hook_runs(lifecycle)) {
		closing_leave(lifecycle, "a hook is still running");
	}
	lifecycle_set_step_timer(lifecycle, CLOCK_NEVER);
	(void)loop_timer_stop(lifecycle->loop, &lifecycle->deadline_timer);
	lifecycle_change_state(lifecycle, LIFECYCLE_STOPPED);
	log_info(NULL,
		 LOG_FIELDS(LOG_MS("took_ms",
				   clock_now_ns() - lifecycle->began_ns)),
		 "stopped%s", lifecycle->forced ? ", by force" : "");
	loop_stop(lifecycle->loop);
}

void closing_begin(struct lifecycle *lifecycle)
{
	int64_t limit_ns = clock_add_ns(clock_now_ns(),
					lifecycle->options.cancel_grace_ns);

	if (limit_ns < lifecycle->deadline_ns) {
		limit_ns = lifecycle->deadline_ns;
	}
	lifecycle_set_step_timer(lifecycle, limit_ns);
	lifecycle_change_state(lifecycle, LIFECYCLE_CLOSING);
	lifecycle->unclosed = lifecycle->part_nr;
	closing_step(lifecycle);
}

void closing_step(struct lifecycle *lifecycle)
{
	while (lifecycle->unclosed > 0) {
		struct lifecycle_part *part =
			&lifecycle->parts[lifecycle->unclosed - 1];

		if (!ladder_is_drained(part) || !may_close(part)) {
			break;
		}
		lifecycle->unclosed--;
		close_part(part);
	}
	if (lifecycle->closing > 0) {
		return;
	}
	if (lifecycle->unclosed > 0) {
		closing_leave(lifecycle, "not everything drained");
	}
	stopped(lifecycle);
}

void closing_leave(struct lifecycle *lifecycle, const char *why)
{
	for (size_t i = lifecycle->part_nr; i-- > 0;) {
		struct lifecycle_part *part = &lifecycle->parts[i];

		if (i < lifecycle->unclosed || is_closing(part)) {
			log_error(NULL, LOG_FIELDS(LOG_STR("part", part->name)),
				  "%s is left unclosed to the end of the "
				  "process",
				  part->name);
		}
	}
	log_error(NULL,
		  LOG_FIELDS(LOG_STR("reason", why),
			     LOG_MS("took_ms",
				    clock_now_ns() - lifecycle->began_ns)),
		  "stopped, by force");
	log_flush();
	_exit(LIFECYCLE_EXIT_FORCED);
}
