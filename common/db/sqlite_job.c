#include "db/sqlite_job.h"

#include <stddef.h>

#include "db/sqlite_error.h"
#include "db/sqlite_queue.h"

/* ---- states ------------------------------------------------------------- */

#define TO(state) (1u << JOB_##state)

static const struct {
	const char *name;
	unsigned allowed;
} states[JOB_STATE_NR] = {
	[JOB_ENDED] = { "ended", TO(OPEN) },
	[JOB_OPEN] = { "open", TO(QUEUED) | TO(UNDONE) | TO(ENDED) },
	[JOB_UNDONE] = { "undone", TO(REFUSED) | TO(ENDED) },
	[JOB_QUEUED] = { "queued", TO(RUNNING) | TO(REFUSED) },
	[JOB_RUNNING] = { "running", TO(ENDED) },
	[JOB_REFUSED] = { "refused", TO(ENDED) },
};

const char *job_state_name(enum job_state state)
{
	return states[state].name;
}

/* The only writer of job->state. */
static void job_move(struct job *job, enum job_state to)
{
	if ((states[job->state].allowed & (1u << to)) == 0) {
		sqlite_bug("a transaction can't go from %s to %s",
			   job_state_name(job->state), job_state_name(to));
	}
	job->state = to;
}

/* ---- references --------------------------------------------------------- */

static void job_unref(struct job *job)
{
	if (atomic_fetch_sub_explicit(&job->refs, 1, memory_order_acq_rel) ==
	    1) {
		job->kind->recycle(job);
	}
}

/* Let go of the ctx and of the owner's reference. */
static void job_let_go(struct job *job)
{
	struct ctx *ctx = job->ctx;

	if (ctx != NULL && ctx_hook_remove(ctx, &job->hook)) {
		job_unref(job);
	}
	job_unref(job);
	if (ctx != NULL) {
		ctx_unref(ctx);
	}
}

/* ---- undoing ------------------------------------------------------------ */

/* Under the lock: nothing remains of it, and @why is in job->status. */
static void undo_now(struct job *job, enum job_state to, atomic_ulong *counter)
{
	job->kind->undo(job);
	job_move(job, to);
	atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

static void undo_by_ctx(struct job *job, enum job_state to)
{
	(void)ctx_cause(job->ctx, &job->status);
	undo_now(job, to, &job->counters->rolled_back);
}

static void on_ctx_end(struct ctx_hook *hook, struct ctx *ctx)
{
	struct job *job =
		(struct job *)((char *)hook - offsetof(struct job, hook));

	(void)ctx;
	pthread_mutex_lock(&job->lock);
	switch (job->state) {
	case JOB_OPEN:
		undo_by_ctx(job, JOB_UNDONE);
		break;
	case JOB_QUEUED:
		undo_by_ctx(job, JOB_REFUSED);
		queue_refuse(job->queue, job);
		break;
	case JOB_UNDONE:
	case JOB_REFUSED:
	case JOB_RUNNING: /* too late: it stands as it will */
	case JOB_ENDED:
		break;
	case JOB_STATE_NR:
		sqlite_bug("no such state");
	}
	pthread_mutex_unlock(&job->lock);
	job_unref(job);
}

/* ---- the caller's side -------------------------------------------------- */

void job_init(struct job *job, const struct job_kind *kind,
	      struct job_queue *queue, struct job_counters *counters)
{
	job->kind = kind;
	job->queue = queue;
	job->counters = counters;
	job->hook.fn = on_ctx_end;
	job->state = JOB_ENDED;
	pthread_mutex_init(&job->lock, NULL);
}

void job_release(struct job *job)
{
	pthread_mutex_destroy(&job->lock);
}

enum status_code job_open(struct job *job, struct ctx *ctx,
			  struct status *reterr)
{
	job->ctx = ctx_ref(ctx);
	job->declined = false;
	job->status.code = STATUS_OK;
	job->status.message[0] = '\0';
	atomic_store_explicit(&job->refs, 2, memory_order_relaxed);
	job_move(job, JOB_OPEN);
	if (ctx_hook_add(ctx, &job->hook)) {
		return STATUS_OK;
	}
	atomic_store_explicit(&job->refs, 1, memory_order_relaxed);
	undo_by_ctx(job, JOB_UNDONE);
	if (reterr != NULL) {
		*reterr = job->status;
	}
	return job->status.code;
}

/* Under the lock. */
static bool still_open(struct job *job)
{
	if (job->state == JOB_OPEN && ctx_ended(job->ctx)) {
		undo_by_ctx(job, JOB_UNDONE);
	}
	if (job->state != JOB_OPEN && job->state != JOB_UNDONE) {
		sqlite_bug("an insert into a transaction that is %s",
			   job_state_name(job->state));
	}
	return job->state == JOB_OPEN;
}

enum status_code job_enter(struct job *job, struct status *reterr)
{
	enum status_code code = STATUS_OK;

	pthread_mutex_lock(&job->lock);
	if (!still_open(job)) {
		code = job->status.code;
		if (reterr != NULL) {
			*reterr = job->status;
		}
		pthread_mutex_unlock(&job->lock);
	}
	return code;
}

void job_leave(struct job *job, enum status_code code, const struct status *err)
{
	if (code != STATUS_OK) {
		job->status = *err;
		undo_now(job, JOB_UNDONE, &job->counters->failed);
	}
	pthread_mutex_unlock(&job->lock);
}

void job_submit(struct job *job, db_done_fn done, void *arg)
{
	pthread_mutex_lock(&job->lock);
	job->done = done;
	job->arg = arg;
	job_move(job, job->state == JOB_UNDONE ? JOB_REFUSED : JOB_QUEUED);
	/* Under the lock, so that a ctx that ends now finds it in the queue. */
	queue_post(job->queue, job, job->state == JOB_REFUSED);
	pthread_mutex_unlock(&job->lock);
}

void job_submit_refused(struct job *job, const struct status *why,
			db_done_fn done, void *arg)
{
	pthread_mutex_lock(&job->lock);
	if (job->state == JOB_OPEN) {
		job->status = *why;
		undo_now(job, JOB_UNDONE, &job->counters->failed);
	}
	pthread_mutex_unlock(&job->lock);
	job_submit(job, done, arg);
}

void job_abandon(struct job *job)
{
	pthread_mutex_lock(&job->lock);
	if (job->state == JOB_OPEN) {
		undo_now(job, JOB_ENDED, &job->counters->rolled_back);
	} else {
		job_move(job, JOB_ENDED);
	}
	pthread_mutex_unlock(&job->lock);
	job_let_go(job);
}

/* ---- the thread's side -------------------------------------------------- */

bool job_start(struct job *job)
{
	bool runs;

	pthread_mutex_lock(&job->lock);
	if (job->state == JOB_QUEUED && ctx_ended(job->ctx)) {
		undo_by_ctx(job, JOB_REFUSED);
	} else if (job->state == JOB_QUEUED) {
		job_move(job, JOB_RUNNING);
	}
	runs = job->state == JOB_RUNNING;
	pthread_mutex_unlock(&job->lock);
	return runs;
}

/* Under the lock: a job that ran is counted here, others were before. */
static void end_run(struct job *job)
{
	struct job_counters *counters = job->counters;
	atomic_ulong *counter = &counters->failed;

	if (job->status.code == STATUS_OK) {
		counter = &counters->committed;
	} else if (job->declined) {
		counter = &counters->rolled_back;
	}
	job->kind->undo(job);
	atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

void job_finish(struct job *job)
{
	db_done_fn done = job->done;
	void *arg = job->arg;
	struct status status;

	pthread_mutex_lock(&job->lock);
	if (job->state == JOB_RUNNING) {
		end_run(job);
	}
	job_move(job, JOB_ENDED);
	status.code = job->status.code;
	status.message[0] = '\0';
	if (status.code != STATUS_OK) {
		status = job->status;
	}
	pthread_mutex_unlock(&job->lock);
	job_let_go(job);
	done(&status, arg);
}
