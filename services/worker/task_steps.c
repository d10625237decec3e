/* The states of a task, and what it does in each of them. */
#include <stdio.h>
#include <stdlib.h>

#include "failpoint/failpoint.h"
#include "log/log.h"
#include "worker/store.h"
#include "worker/task_internal.h"

/* ---- states ------------------------------------------------------------- */

#define TO(symbol) (1U << TASK_##symbol)
static const struct {
	const char *name;
	unsigned moves;
} states[TASK_STATE_NR] = {
#define TASK_INFO(symbol, text, allowed)                                       \
	[TASK_##symbol] = { .name = (text), .moves = (allowed) },
	TASK_STATES(TASK_INFO)
#undef TASK_INFO
};
#undef TO

const char *task_state_name(enum task_state state)
{
	return (unsigned)state < TASK_STATE_NR ? states[state].name : "?";
}

bool task_may_move(enum task_state from, enum task_state to)
{
	return (states[from].moves & 1U << to) != 0;
}

/* Each state that is moved to has one. */
static void pass_point(enum task_state to)
{
	switch (to) {
	case TASK_WORKING:
		FAILPOINT("worker.enters.working");
		break;
	case TASK_COMMITTING:
		FAILPOINT("worker.enters.committing");
		break;
	case TASK_ROLLING_BACK:
		FAILPOINT("worker.enters.rolling_back");
		break;
	case TASK_ANSWERED:
		FAILPOINT("worker.enters.answered");
		break;
	case TASK_OPENING: /* where it begins */
	case TASK_STATE_NR:
	default:
		break;
	}
}

/* The one door through which a task changes its state. */
static void move(struct task *task, enum task_state to)
{
	if (!task_may_move(task->state, to)) {
		fprintf(stderr, "bug: task moves from %s to %s\n",
			task_state_name(task->state), task_state_name(to));
		abort();
	}
	pass_point(to);
	task->state = to;
}

/* ---- ends --------------------------------------------------------------- */

/* Nothing is waited for any more: take back what would still call us. */
static void finish(struct task *task)
{
	move(task, TASK_ANSWERED);
	task->answer_due = true;
	if (ctx_hook_remove(task->ctx, &task->hook)) {
		task_put(task);
	}
	if (loop_timer_stop(ctx_loop(task->ctx), &task->timer)) {
		task_put(task);
	}
}

/* Undo, and answer with task->outcome. */
static void roll_back(struct task *task, enum ctx_cause cause)
{
	move(task, TASK_ROLLING_BACK);
	task->cause = cause;
	if (task->txn != NULL) {
		db_txn_rollback(task->txn);
		task->txn = NULL;
	}
	finish(task);
}

/* The ctx ended while we were opening or working. */
static void roll_back_ended(struct task *task)
{
	enum ctx_cause cause = work_cause(task->ctx, &task->outcome);

	if (task->ended_ns == 0) {
		task->ended_ns = clock_now_ns();
	}
	roll_back(task, cause);
}

/* task->outcome is the database's refusal of @what. */
static void roll_back_refused(struct task *task, const char *what)
{
	struct status end;

	/* The ctx's own end, which the database noticed first? */
	if (ctx_ended(task->ctx) &&
	    ctx_cause(task->ctx, &end) != CTX_DATABASE &&
	    end.code == task->outcome.code) {
		roll_back_ended(task);
		return;
	}
	status_wrap(&task->outcome, "%s", what);
	task->ended_ns = 0; /* that it ended meanwhile is not why */
	roll_back(task, CTX_DATABASE);
}

/* ---- steps -------------------------------------------------------------- */

void task_set_alarm(struct task *task, int64_t at_ns)
{
	task_get(task);
	loop_timer_start(ctx_loop(task->ctx), &task->timer, at_ns);
}

static void commit(struct task *task)
{
	struct db_txn *txn = task->txn;
	int64_t patience_ns = work_patience_ends_ns(task->ctx, task->begun_ns);

	move(task, TASK_COMMITTING);
	if (patience_ns != CLOCK_NEVER) {
		task_set_alarm(task, patience_ns);
	}
	task->txn = NULL;
	task_get(task);
	db_txn_commit(txn, task_on_stored, task);
}

/* The row is staged: work, or be done with it at once. */
static void work(struct task *task)
{
	int64_t work_ns = task->worker->work_ns;

	log_debug(task->ctx, NULL, "Inserted task record for task_id=%s",
		  task->task_id);
	if (work_ns == 0) {
		commit(task);
		return;
	}
	move(task, TASK_WORKING);
	task_set_alarm(task, clock_add_ns(clock_now_ns(), work_ns));
}

void task_open(struct task *task, const char *data)
{
	struct worker *worker = task->worker;

	if (task->ended) {
		roll_back_ended(task);
		return;
	}
	if (db_txn_begin(worker->db, task->ctx, &task->txn, &task->outcome) !=
	    STATUS_OK) {
		task->txn = NULL;
		roll_back_refused(task, "failed to start transaction");
		return;
	}
	if (worker_store_insert(task->txn, task->task_id, data,
				&task->outcome) != STATUS_OK) {
		roll_back_refused(task, "failed to insert task");
		return;
	}
	work(task);
}

static void step_committing(struct task *task)
{
	if (!task->stored) {
		/* The database minds the ctx itself; only we mind the lock. */
		task->give_up_due = task->alarm;
		task->alarm = false;
		return;
	}
	if (task->outcome.code == STATUS_OK) {
		task->cause = CTX_FINISHED;
		status_set(&task->outcome, STATUS_OK,
			   "Work completed for task %s", task->task_id);
		finish(task);
		return;
	}
	roll_back_refused(task, "failed to commit");
}

void task_step(struct task *task)
{
	switch (task->state) {
	case TASK_WORKING:
		/* The clock is asked as well: a timer may lag behind it. */
		if (task->ended || (task->alarm && ctx_ended(task->ctx))) {
			roll_back_ended(task);
		} else if (task->alarm) {
			task->alarm = false;
			commit(task);
		}
		break;
	case TASK_COMMITTING:
		step_committing(task);
		break;
	case TASK_ANSWERED:
		break;
	case TASK_OPENING:
	case TASK_ROLLING_BACK:
	case TASK_STATE_NR:
	default:
		abort(); /* never left with the lock released */
	}
}
