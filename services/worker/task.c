/* Life of a task, the news that come in, the answer that goes out. */
#include <stdlib.h>
#include <string.h>

#include "failpoint/failpoint.h"
#include "worker/task_internal.h"
#include "worker/task_report.h"

/* ---- references --------------------------------------------------------- */

void task_get(struct task *task)
{
	atomic_fetch_add_explicit(&task->refs, 1, memory_order_relaxed);
}

void task_put(struct task *task)
{
	struct worker *worker = task->worker;

	if (atomic_fetch_sub_explicit(&task->refs, 1, memory_order_acq_rel) !=
	    1) {
		return;
	}
	ctx_unref(task->ctx);
	pthread_mutex_destroy(&task->lock);
	free(task);
	atomic_fetch_sub(&worker->live, 1);
}

/* ---- telling ------------------------------------------------------------ */

/* Log and count before the answer, so that who has it can look there. */
static void tell(struct task *task)
{
	const struct task_end end = {
		.ctx = task->ctx,
		.task_id = task->task_id,
		.outcome = &task->outcome,
		.cause = task->cause,
		.begun_ns = task->begun_ns,
		.ended_ns = task->ended_ns,
	};

	task_report(&end, task->worker->metrics);
	task->answer(&task->outcome, task->answer_arg);
}

/*
 * Unlock, then do what the steps decided and what may come back to us or take
 * other locks.
 */
static void task_leave(struct task *task)
{
	bool give_up = task->give_up_due;
	bool answer = task->answer_due;

	task->give_up_due = false;
	task->answer_due = false;
	pthread_mutex_unlock(&task->lock);
	if (give_up) {
		struct status why = work_locked(task->worker->db);

		ctx_end(task->ctx, CTX_DATABASE, &why);
	}
	if (answer) {
		tell(task);
	}
}

/* ---- news --------------------------------------------------------------- */

static void on_ended(struct ctx_hook *hook, struct ctx *ctx)
{
	struct task *task =
		(struct task *)((char *)hook - offsetof(struct task, hook));

	(void)ctx;
	pthread_mutex_lock(&task->lock);
	task->ended = true;
	if (task->state != TASK_ANSWERED) {
		task->ended_ns = clock_now_ns();
	}
	task_step(task);
	task_leave(task);
	task_put(task);
}

static void on_alarm(struct loop_timer *timer, int64_t late_ns)
{
	struct task *task =
		(struct task *)((char *)timer - offsetof(struct task, timer));
	int64_t again_ns = CLOCK_NEVER;

	pthread_mutex_lock(&task->lock);
	if (task->state == TASK_WORKING) {
		again_ns = work_catch_up_ns(late_ns, &task->caught_up);
	}
	if (again_ns != CLOCK_NEVER) {
		task_set_alarm(task, again_ns);
	} else {
		task->alarm = true;
		task_step(task);
	}
	task_leave(task);
	task_put(task);
}

void task_on_stored(const struct status *status, void *arg)
{
	struct task *task = arg;

	FAILPOINT("worker.stored");
	pthread_mutex_lock(&task->lock);
	task->stored = true;
	task->outcome.code = status->code;
	if (status->code != STATUS_OK) {
		task->outcome = *status;
	}
	task_step(task);
	task_leave(task);
	task_put(task);
}

/* ---- start -------------------------------------------------------------- */

static struct task *task_new(struct worker *worker, struct ctx *ctx,
			     const char *task_id, task_answer_fn answer,
			     void *arg)
{
	size_t size = strlen(task_id) + 1;
	struct task *task = malloc(sizeof(*task) + size);

	if (task == NULL) {
		abort();
	}
	/* All but the outcome's text, which is written when it is known. */
	memset(task, 0, offsetof(struct task, outcome));
	task->outcome.code = STATUS_OK;
	task->outcome.message[0] = '\0';
	memcpy(task->task_id, task_id, size);
	pthread_mutex_init(&task->lock, NULL);
	atomic_init(&task->refs, 1);
	atomic_fetch_add(&worker->live, 1);
	task->worker = worker;
	task->ctx = ctx_new(ctx, CLOCK_NEVER);
	task->answer = answer;
	task->answer_arg = arg;
	task->begun_ns = clock_now_ns();
	task->state = TASK_OPENING;
	task->hook.fn = on_ended;
	task->timer.fn = on_alarm;
	return task;
}

void task_start(struct worker *worker, struct ctx *ctx, const char *task_id,
		const char *data, task_answer_fn answer, void *arg)
{
	struct status bad;
	struct task *task;

	if (work_validate(task_id, data, &bad) != STATUS_OK) {
		answer(&bad, arg);
		return;
	}
	task = task_new(worker, ctx, task_id, answer, arg);
	pthread_mutex_lock(&task->lock);
	task_get(task); /* the hook's */
	if (!ctx_hook_add(task->ctx, &task->hook)) {
		task->ended = true;
		task_put(task);
	}
	task_open(task, data);
	task_leave(task);
	task_put(task);
}
