#include "world.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define CONTAINER_OF(ptr, type, member)                                        \
	((type *)(void *)((char *)(ptr)-offsetof(type, member)))

enum { TRACE_SIZE = 4096, THREADS_MAX = 8 };

struct loop *loop;
struct lifecycle *lifecycle;
static char *trace_buf;
static pthread_mutex_t trace_lock = PTHREAD_MUTEX_INITIALIZER;
static FILE *log_file;
static pthread_t threads[THREADS_MAX];
static int thread_nr;

/* ---- what happened ------------------------------------------------------ */

void trace(const char *verb, const char *name)
{
	size_t used;

	pthread_mutex_lock(&trace_lock);
	used = strlen(trace_buf);
	(void)snprintf(trace_buf + used, TRACE_SIZE - used, "%s%s %s",
		       used > 0 ? ", " : "", verb, name);
	pthread_mutex_unlock(&trace_lock);
}

const char *trace_text(void)
{
	return trace_buf;
}

const char *log_text(void)
{
	static char text[65536];
	ssize_t size = pread(fileno(log_file), text, sizeof(text) - 1, 0);

	text[size > 0 ? size : 0] = '\0';
	return text;
}

static void raise_if(int signo)
{
	if (signo != 0) {
		kill(getpid(), signo);
	}
}

/* ---- parts -------------------------------------------------------------- */

static void *drained_thread(void *part)
{
	lifecycle_drained(part);
	lifecycle_drained(part);
	return NULL;
}

static void *closed_thread(void *part)
{
	lifecycle_closed(part);
	return NULL;
}

static void in_thread(void *(*fn)(void *), void *arg)
{
	ck_assert_int_lt(thread_nr, THREADS_MAX);
	ck_assert_int_eq(pthread_create(&threads[thread_nr++], NULL, fn, arg),
			 0);
}

static void on_drain_timer(struct loop_timer *timer, int64_t late_ns)
{
	(void)late_ns;
	lifecycle_drained(CONTAINER_OF(timer, struct fake, timer)->part);
}

static void on_close_timer(struct loop_timer *timer, int64_t late_ns)
{
	struct fake *fake = CONTAINER_OF(timer, struct fake, timer);

	(void)late_ns;
	trace("closed", fake->name);
	lifecycle_closed(fake->part);
}

static void start_timer(struct loop_timer *timer,
			void (*fn)(struct loop_timer *, int64_t))
{
	timer->fn = fn;
	loop_timer_start(loop, timer, clock_now_ns() + 3 * NS_PER_MS);
}

static void fake_stop(void *self)
{
	struct fake *fake = self;

	trace("stop", fake->name);
}

static void fake_drain(void *self, struct lifecycle_part *part)
{
	struct fake *fake = self;

	trace("drain", fake->name);
	raise_if(fake->signal_on_drain);
	if (fake->drains == AT_ONCE) {
		lifecycle_drained(part);
	} else if (fake->drains == BY_TIMER) {
		start_timer(&fake->timer, on_drain_timer);
	} else if (fake->drains == BY_THREAD) {
		in_thread(drained_thread, part);
	}
}

static void fake_cancel(void *self)
{
	struct fake *fake = self;

	trace("cancel", fake->name);
	raise_if(fake->signal_on_cancel);
	if (fake->ends_hook != NULL) {
		lifecycle_hook_done(fake->ends_hook);
	}
	if (fake->drains == ON_CANCEL) {
		lifecycle_drained(fake->part);
	}
}

static void fake_close(void *self)
{
	struct fake *fake = self;

	if (fake->meets != NULL) {
		pthread_barrier_wait(fake->meets);
	}
	trace("close", fake->name);
	raise_if(fake->signal_on_close);
}

static void fake_close_begin(void *self, struct lifecycle_part *part)
{
	struct fake *fake = self;

	trace("close", fake->name);
	raise_if(fake->signal_on_close);
	if (fake->closes == BY_TIMER) {
		start_timer(&fake->timer, on_close_timer);
	} else if (fake->closes == BY_THREAD) {
		in_thread(closed_thread, part);
	}
}

struct lifecycle_part *world_add(struct fake *fake)
{
	fake->ops = (struct lifecycle_ops){
		.stop_accepting = fake_stop,
		.drain = fake_drain,
		.cancel = fake_cancel,
	};
	if (fake->closes == AT_ONCE) {
		fake->ops.close = fake_close;
	} else {
		fake->ops.close_begin = fake_close_begin;
	}
	fake->part = lifecycle_add(lifecycle, fake->name, &fake->ops, fake);
	return fake->part;
}

/* ---- hooks -------------------------------------------------------------- */

static void *done_thread(void *hook)
{
	lifecycle_hook_done(hook);
	lifecycle_hook_done(hook);
	return NULL;
}

static void on_hook_timer(struct loop_timer *timer, int64_t late_ns)
{
	struct fake_hook *fake = CONTAINER_OF(timer, struct fake_hook, timer);

	(void)late_ns;
	trace("done", fake->name);
	lifecycle_hook_done(fake->hook);
}

static void on_hook(void *self, struct lifecycle_hook *hook)
{
	struct fake_hook *fake = self;

	ck_assert_ptr_eq(hook, fake->hook);
	trace("hook", fake->name);
	raise_if(fake->signal);
	if (fake->done == AT_ONCE) {
		lifecycle_hook_done(hook);
	} else if (fake->done == BY_THREAD) {
		in_thread(done_thread, hook);
	} else if (fake->done == BY_TIMER) {
		start_timer(&fake->timer, on_hook_timer);
	}
}

void world_add_hook(struct fake_hook *fake, unsigned share_percent)
{
	fake->hook = lifecycle_add_hook(lifecycle, fake->name, on_hook, fake,
					share_percent);
}

/* ---- life --------------------------------------------------------------- */

/* Once, and before a child that shall share them. */
static void records_init(void)
{
	if (trace_buf != NULL) {
		return;
	}
	trace_buf = mmap(NULL, TRACE_SIZE, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(trace_buf, MAP_FAILED);
	log_file = tmpfile();
	ck_assert_ptr_nonnull(log_file);
	ck_assert_int_ge(dup2(fileno(log_file), STDERR_FILENO), 0);
}

void world_init(const struct lifecycle_options *options)
{
	struct status err = status_ok();

	loop_block_signals();
	records_init();
	ck_assert_msg(loop_new(&loop, &err) == STATUS_OK, "%s", err.message);
	ck_assert_msg(lifecycle_new(loop, options, &lifecycle, &err) ==
			      STATUS_OK,
		      "%s", err.message);
}

void world_release(void)
{
	while (thread_nr > 0) {
		pthread_join(threads[--thread_nr], NULL);
	}
	lifecycle_free(lifecycle);
	loop_free(loop);
	fclose(log_file);
	munmap(trace_buf, TRACE_SIZE);
	trace_buf = NULL;
}

int signal_and_run(void)
{
	kill(getpid(), SIGTERM);
	return lifecycle_run(lifecycle);
}

int run_in_child(const struct lifecycle_options *options, void (*add)(void))
{
	int status;
	pid_t pid;

	records_init();
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		world_init(options);
		add();
		(void)signal_and_run();
		_exit(100); /* it should not have returned */
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}
