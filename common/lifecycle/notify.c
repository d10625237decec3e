/* What systemd is told. Failures to tell it are its business, not ours. */
#include <systemd/sd-daemon.h>

#include "lifecycle/internal.h"

static void on_watchdog(struct loop_timer *timer, int64_t late_ns)
{
	struct lifecycle *lifecycle =
		CONTAINER_OF(timer, struct lifecycle, watchdog_timer);

	(void)late_ns;
	(void)sd_notify(0, "WATCHDOG=1");
	loop_timer_start(lifecycle->loop, timer,
			 clock_add_ns(clock_now_ns(), lifecycle->watchdog_ns));
}

/* Twice as often as asked, so that one delay does not kill us. */
static void watchdog_start(struct lifecycle *lifecycle)
{
	uint64_t usec;

	if (lifecycle->watchdog_ns != 0 || sd_watchdog_enabled(0, &usec) <= 0 ||
	    usec < 2 || usec > INT64_MAX / NS_PER_US) {
		return;
	}
	lifecycle->watchdog_ns = (int64_t)(usec / 2) * NS_PER_US;
	lifecycle->watchdog_timer.fn = on_watchdog;
	loop_timer_start(lifecycle->loop, &lifecycle->watchdog_timer,
			 clock_add_ns(clock_now_ns(), lifecycle->watchdog_ns));
}

void notify_ready(struct lifecycle *lifecycle)
{
	(void)sd_notify(0, "READY=1\nSTATUS=running");
	watchdog_start(lifecycle);
}

void notify_state(const struct lifecycle *lifecycle)
{
	(void)sd_notifyf(0, "%sSTATUS=%s",
			 lifecycle->state == LIFECYCLE_HOOKS ? "STOPPING=1\n"
							     : "",
			 lifecycle_state_name(lifecycle->state));
}
