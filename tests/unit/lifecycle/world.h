/*
 * A lifecycle on a real loop, with parts and hooks that do as they are told and
 * write down what was asked of them.
 */
#ifndef TEST_LIFECYCLE_WORLD_H
#define TEST_LIFECYCLE_WORLD_H

#include <pthread.h>
#include <signal.h>

#include "lifecycle/lifecycle.h"

extern struct loop *loop;
extern struct lifecycle *lifecycle;

/* When a part says that it has drained, or that it is closed. */
enum when {
	AT_ONCE,
	BY_TIMER,  /* on the loop, a few milliseconds later */
	BY_THREAD, /* from another thread */
	ON_CANCEL, /* drain only */
	NEVER,
};

struct fake {
	const char *name;
	enum when drains;
	enum when closes; /* not AT_ONCE: by close_begin() */
	int signal_on_drain;
	int signal_on_cancel;
	int signal_on_close;
	pthread_barrier_t *meets;	  /* close() waits here */
	struct lifecycle_hook *ends_hook; /* when it is cancelled */

	struct lifecycle_part *part;
	struct loop_timer timer;
	struct lifecycle_ops ops;
};

struct fake_hook {
	const char *name;
	enum when done;
	int signal;
	struct lifecycle_hook *hook;
	struct loop_timer timer;
};

/* Fresh loop, lifecycle and trace; signals blocked. NULL: default options. */
void world_init(const struct lifecycle_options *options);
void world_release(void);

struct lifecycle_part *world_add(struct fake *fake);
void world_add_hook(struct fake_hook *fake, unsigned share_percent);

void trace(const char *verb, const char *name);
/* "stop http, drain http, ..." so far. Shared with children. */
const char *trace_text(void);
/* What the log got meanwhile; a child's lines too. */
const char *log_text(void);

/* SIGTERM to ourselves, run, and the exit code. */
int signal_and_run(void);
/*
 * The same in a child process, for ladders that end the process: there
 * world_init(@options), then @add for parts and hooks. (Not with a loop made
 * before the fork: epoll goes on watching the parent's signals then.)
 */
int run_in_child(const struct lifecycle_options *options, void (*add)(void));

#endif
