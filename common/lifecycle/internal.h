/*
 * The ladder's insides. Everything here belongs to the loop's thread except
 * the atomics, through which other threads report.
 */
#ifndef RESCIND_LIFECYCLE_INTERNAL_H
#define RESCIND_LIFECYCLE_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "lifecycle/lifecycle.h"
#include "log/log.h"

/*
 * RUNNING -> HOOKS -> DRAIN_DELAY -> DRAINING -> CLOSING -> STOPPED
 *              |           |            |          ^
 *              +-----------+------------+--> CANCELLING
 *
 * RUNNING      ends with a signal or lifecycle_stop()
 * HOOKS        waits for lifecycle_hook_done() or the end of the hook's share
 * DRAIN_DELAY  waits for time alone
 * DRAINING     waits for lifecycle_drained() of every part
 * CANCELLING   the same, at most cancel_grace
 * CLOSING      waits for lifecycle_closed() of those that close by and by
 *
 * X(symbol, name, states that may follow)
 */
#define LIFECYCLE_STATES(X)                                                    \
	X(RUNNING, "running", TO(HOOKS))                                       \
	X(HOOKS, "hooks", TO(DRAIN_DELAY) | TO(CANCELLING))                    \
	X(DRAIN_DELAY, "drain delay", TO(DRAINING) | TO(CANCELLING))           \
	X(DRAINING, "draining", TO(CANCELLING) | TO(CLOSING))                  \
	X(CANCELLING, "cancelling", TO(CLOSING))                               \
	X(CLOSING, "closing", TO(STOPPED))                                     \
	X(STOPPED, "stopped", 0)

enum lifecycle_state {
#define STATE_ENUM(symbol, name, next) LIFECYCLE_##symbol,
	LIFECYCLE_STATES(STATE_ENUM)
#undef STATE_ENUM
		LIFECYCLE_STATE_NR
};

/* What was asked of a part or a hook, and whether it has answered. */
enum answer { ANSWER_NOT_ASKED, ANSWER_AWAITED, ANSWER_GIVEN };

struct lifecycle_part {
	struct lifecycle *lifecycle;
	const char *name;
	const struct lifecycle_ops *ops;
	void *self;

	_Atomic int drained; /* enum answer */
	struct loop_task drained_task;
	int64_t drain_began_ns;

	_Atomic int closed; /* enum answer */
	struct loop_task closed_task;
	int64_t close_began_ns;
	bool beside;
	bool threaded;
	pthread_t thread; /* if threaded: runs close() */
};

struct lifecycle_hook {
	struct lifecycle *lifecycle;
	const char *name;
	void (*fn)(void *self, struct lifecycle_hook *hook);
	void *self;
	unsigned share_percent;
	_Atomic int done; /* enum answer */
	struct loop_task task;
	int64_t began_ns;
	int64_t deadline_ns;
};

struct ready_listener {
	void (*fn)(bool ready, void *arg);
	void *arg;
};
enum { READY_LISTENERS_MAX = 8, REASON_SIZE = 128 };

struct lifecycle {
	struct loop *loop;
	struct lifecycle_options options;
	enum lifecycle_state state;
	int64_t began_ns;    /* the ladder */
	int64_t deadline_ns; /* over all */
	unsigned signal_nr;  /* how often we were signalled */
	bool forced;
	bool gave_up; /* on parts that did not drain */

	_Atomic bool ready;
	struct ready_listener listeners[READY_LISTENERS_MAX];
	size_t listener_nr;

	struct lifecycle_part parts[LIFECYCLE_PARTS_MAX];
	size_t part_nr;
	size_t undrained; /* parts whose answer has not been served yet */
	size_t unclosed;  /* parts[unclosed - 1] is the next to close */
	size_t closing;	  /* parts whose close was begun and is not over */

	struct lifecycle_hook hooks[LIFECYCLE_HOOKS_MAX];
	size_t hook_nr;
	size_t hook_at;

	struct loop_signal signals[2];
	struct loop_timer deadline_timer;
	struct loop_timer step_timer; /* share, delay, grace or closing */
	struct loop_timer watchdog_timer;
	int64_t watchdog_ns; /* between two pings; 0: none */

	_Atomic bool stop_asked;
	struct loop_task stop_task;
	char reason[REASON_SIZE];
};

#define CONTAINER_OF(ptr, type, member)                                        \
	((type *)(void *)((char *)(ptr)-offsetof(type, member)))

/* A mistake of the caller's: say so and abort(). */
_Noreturn void lifecycle_bug(const char *what, const char *name);

/* The one function that changes the state. */
void lifecycle_change_state(struct lifecycle *lifecycle,
			    enum lifecycle_state to);
const char *lifecycle_state_name(enum lifecycle_state state);
/* Served once the awaited party has answered; *answer is where it does. */
void lifecycle_answer(_Atomic int *answer, struct lifecycle *lifecycle,
		      struct loop_task *task);
void lifecycle_set_step_timer(struct lifecycle *lifecycle, int64_t at_ns);
void lifecycle_set_ready(struct lifecycle *lifecycle, bool ready);

/* ladder.c */
void ladder_begin(struct lifecycle *lifecycle, const char *reason);
void ladder_on_signal(struct lifecycle *lifecycle, const char *name);
void ladder_on_deadline(struct lifecycle *lifecycle);
void ladder_on_step_timer(struct lifecycle *lifecycle);
void ladder_on_hook_done(struct loop_task *task);
void ladder_on_drained(struct loop_task *task);
bool ladder_is_drained(const struct lifecycle_part *part);

/* closing.c */
void closing_begin(struct lifecycle *lifecycle);
void closing_step(struct lifecycle *lifecycle);
void closing_on_closed(struct loop_task *task);
/* End the process, with what can't be closed as it is. */
_Noreturn void closing_leave(struct lifecycle *lifecycle, const char *why);

/* notify.c: systemd. Without it all of this does nothing. */
void notify_ready(struct lifecycle *lifecycle);
void notify_state(const struct lifecycle *lifecycle);

#endif
