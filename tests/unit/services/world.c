#include "world.h"

#include <check.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "log/log.h"

enum { PATIENCE_S = 5 };

void world_init(struct world *world, const char *service)
{
	struct log_options log = { .component = "TEST", .level = LOG_DEBUG };
	struct status bad;

	world->log_fd = memfd_create("log", MFD_CLOEXEC);
	log.fd = world->log_fd;
	ck_assert_int_eq(log_init(&log, &bad), STATUS_OK);
	ck_assert_int_eq(loop_new(&world->loop, &bad), STATUS_OK);
	ck_assert_int_eq(ctx_root(world->loop, &world->root, &bad), STATUS_OK);
	ck_assert_int_eq(loop_start_thread(world->loop, &bad), STATUS_OK);
	world->metrics = metrics_new();
	world->work_metrics = work_metrics_new(world->metrics, service);
	fake_db_init(&world->db);
	outcome_init(&world->outcome);
}

static void nothing(void *arg)
{
	(void)arg;
}

void world_release(struct world *world)
{
	world_settle(world);
	fake_db_release(&world->db);
	ctx_unref(world->root);
	loop_free(world->loop);
	work_metrics_free(world->work_metrics);
	metrics_free(world->metrics);
	outcome_release(&world->outcome);
	log_close();
	close(world->log_fd);
}

bool world_logged(struct world *world, const char *text)
{
	static char log[1 << 20];
	ssize_t size;

	log_flush();
	size = pread(world->log_fd, log, sizeof(log) - 1, 0);
	ck_assert_int_ge(size, 0);
	log[size] = '\0';
	return strstr(log, text) != NULL;
}

bool world_counted(struct world *world, const char *series, int value)
{
	char line[256];
	size_t size;
	char *page = metrics_render(world->metrics, &size);
	bool found;

	snprintf(line, sizeof(line), "\n%s %d\n", series, value);
	found = strstr(page, line) != NULL;
	free(page);
	return found;
}

struct errand {
	struct loop_task task;
	void (*fn)(void *arg);
	void *arg;
	sem_t done;
};

static void run_errand(struct loop_task *task)
{
	struct errand *errand = (struct errand *)task;

	errand->fn(errand->arg);
	sem_post(&errand->done);
}

static void wait_for(sem_t *sem)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += PATIENCE_S;
	ck_assert_int_eq(sem_timedwait(sem, &until), 0);
	sem_destroy(sem);
}

void world_on_loop(struct world *world, void (*fn)(void *arg), void *arg)
{
	struct errand errand = { .task = { .fn = run_errand },
				 .fn = fn,
				 .arg = arg };

	sem_init(&errand.done, 0, 0);
	loop_post(world->loop, &errand.task);
	wait_for(&errand.done);
}

void world_settle(struct world *world)
{
	world_on_loop(world, nothing, NULL);
}

static void keep_busy(void *arg)
{
	const int64_t *until_ns = arg;

	while (clock_now_ns() < *until_ns) {
	}
}

void world_block_loop(struct world *world, int64_t until_ns)
{
	world_on_loop(world, keep_busy, &until_ns);
}

struct due {
	struct loop_timer timer;
	sem_t served;
};

static void on_due(struct loop_timer *timer, int64_t late_ns)
{
	(void)late_ns;
	sem_post(&((struct due *)timer)->served);
}

void world_serve_timers(struct world *world)
{
	struct due due = { .timer = { .fn = on_due } };

	sem_init(&due.served, 0, 0);
	loop_timer_start(world->loop, &due.timer, clock_now_ns());
	wait_for(&due.served);
}

struct end_watch {
	struct ctx_hook hook;
	sem_t ended;
	int64_t at_ns;
};

static void on_end(struct ctx_hook *hook, struct ctx *ctx)
{
	struct end_watch *watch = (struct end_watch *)hook;

	(void)ctx;
	watch->at_ns = clock_now_ns();
	sem_post(&watch->ended);
}

int64_t world_await_end(struct ctx *ctx)
{
	struct end_watch watch = { .hook = { .fn = on_end } };

	sem_init(&watch.ended, 0, 0);
	if (!ctx_hook_add(ctx, &watch.hook)) {
		sem_destroy(&watch.ended);
		return clock_now_ns();
	}
	wait_for(&watch.ended);
	return watch.at_ns;
}
