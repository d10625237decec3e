/* Life of a branch, and the news that come in. */
#include "worker/branch.h"

#include <stdlib.h>
#include <string.h>

#include "failpoint/failpoint.h"
#include "worker/branch_internal.h"

/* ---- references --------------------------------------------------------- */

void branch_get(struct branch *branch)
{
	atomic_fetch_add_explicit(&branch->refs, 1, memory_order_relaxed);
}

void branch_put(struct branch *branch)
{
	struct worker *worker = branch->worker;

	if (atomic_fetch_sub_explicit(&branch->refs, 1, memory_order_acq_rel) !=
	    1) {
		return;
	}
	payload_release(&branch->payload);
	ctx_unref(branch->ctx);
	pthread_mutex_destroy(&branch->lock);
	free(branch);
	atomic_fetch_sub(&worker->live, 1);
}

/* ---- how it ends from outside ------------------------------------------- */

static bool may_end(const struct branch *branch)
{
	return !branch->lost && !twopc_participant_is_over(&branch->twopc);
}

/* We gave up on a locked database before the stream's own end came. */
static bool note_lock(struct branch *branch)
{
	if (branch->twopc.state != TWOPC_PARTICIPANT_PREPARING ||
	    ctx_cause(branch->ctx, &branch->outcome) != CTX_DATABASE) {
		return false;
	}
	branch->cause = CTX_DATABASE;
	status_wrap(&branch->outcome, "failed to prepare");
	return true;
}

void branch_lose_call(struct branch *branch)
{
	if (!may_end(branch)) {
		return;
	}
	if (!note_lock(branch)) {
		branch->ended_ns = clock_now_ns();
		branch->cause = work_cause(branch->call, &branch->outcome);
	}
	branch_lose(branch);
	if (branch->cause == CTX_SHUTDOWN) {
		worker_last_call(branch->worker);
	}
}

/*
 * Its coordinator's client has left, or that one's deadline has passed: echoes
 * of it come a little before our own.
 */
static void note_rollback(struct branch *branch)
{
	int64_t deadline_ns = ctx_deadline_ns(branch->call);
	int64_t now_ns = clock_now_ns();
	bool late = deadline_ns != CLOCK_NEVER &&
		    now_ns >= deadline_ns - work_margin_ns(branch->call,
							   branch->begun_ns);

	branch->ended_ns = now_ns;
	branch->cause = late ? CTX_DEADLINE : CTX_CALLER_CANCELLED;
	status_set(&branch->outcome, STATUS_CANCELLED,
		   "its coordinator rolled it back");
}

/* ---- news --------------------------------------------------------------- */

static void on_ended(struct ctx_hook *hook, struct ctx *ctx)
{
	struct branch *branch =
		(struct branch *)((char *)hook - offsetof(struct branch, hook));

	(void)ctx;
	FAILPOINT("worker.exchange.lost");
	pthread_mutex_lock(&branch->lock);
	branch_lose_call(branch);
	pthread_mutex_unlock(&branch->lock);
	branch_put(branch);
}

/* The clock is asked as well: a timer of the ctx may lag behind it. */
static void end_work(struct branch *branch, int64_t late_ns)
{
	int64_t again_ns = work_catch_up_ns(late_ns, &branch->caught_up);

	if (again_ns != CLOCK_NEVER) {
		branch_set_alarm(branch, again_ns);
	} else if (ctx_ended(branch->call)) {
		branch_lose_call(branch);
	} else {
		branch_finish_work(branch);
	}
}

/* A prepare that waits for a locked database. */
static void give_up(struct branch *branch)
{
	struct status why = work_locked(branch->worker->db);

	(void)ctx_end(branch->ctx, CTX_DATABASE, &why);
}

static void on_alarm(struct loop_timer *timer, int64_t late_ns)
{
	struct branch *branch =
		(struct branch *)((char *)timer -
				  offsetof(struct branch, timer));

	FAILPOINT("worker.exchange.alarm");
	pthread_mutex_lock(&branch->lock);
	if (branch->twopc.state == TWOPC_PARTICIPANT_WORKING) {
		end_work(branch, late_ns);
	} else if (branch->twopc.state == TWOPC_PARTICIPANT_PREPARING) {
		give_up(branch);
	}
	pthread_mutex_unlock(&branch->lock);
	branch_put(branch);
}

/* Keep why, unless we know of a better reason. */
static void note_refusal(struct branch *branch, enum twopc_order order,
			 enum twopc_verdict verdict,
			 const struct status *status)
{
	static const char *const doing[TWOPC_ORDER_NR] = {
		[TWOPC_ORDER_PREPARE] = "failed to prepare",
		[TWOPC_ORDER_COMMIT] = "failed to commit",
		[TWOPC_ORDER_ROLLBACK] = "failed to roll back",
	};

	if (branch->lost || branch->twopc.rollback_due) {
		return;
	}
	branch->outcome = *status;
	branch->cause = CTX_CALLER_CANCELLED;
	if (verdict == TWOPC_VERDICT_FAILED) {
		status_wrap(&branch->outcome, "%s", doing[order]);
		branch->cause = CTX_DATABASE;
	}
}

void branch_on_stored(struct order *order, const struct status *status)
{
	struct branch *branch =
		(struct branch *)((char *)order -
				  offsetof(struct branch, order));
	enum twopc_verdict verdict = order->request.verdict;

	pthread_mutex_lock(&branch->lock);
	if (verdict == TWOPC_VERDICT_FAILED && ctx_ended(branch->call)) {
		branch_lose_call(
			branch); /* The database noticed it before us. */
	}
	if (status->code != STATUS_OK) {
		note_refusal(branch, order->request.order, verdict, status);
	}
	branch->prepared |= verdict == TWOPC_VERDICT_PREPARED;
	branch_step(branch, twopc_participant_stored(verdict));
	pthread_mutex_unlock(&branch->lock);
	branch_put(branch);
}

/* ---- orders ------------------------------------------------------------- */

static bool is_same_work(const struct branch *branch, const char *task_id,
			 const char *data)
{
	struct payload_view task;

	return payload_read(branch->payload.bytes, branch->payload.size,
			    &task) &&
	       strcmp(task.task_id, task_id) == 0 &&
	       strcmp(task.data, data) == 0;
}

static enum status_code take_work(struct branch *branch, const char *task_id,
				  const char *data, struct status *reterr)
{
	if (work_validate(task_id, data, reterr) != STATUS_OK) {
		return status_wrap(reterr, "work");
	}
	if (branch->payload.bytes == NULL) {
		payload_make(&branch->payload, task_id, data);
	} else if (!is_same_work(branch, task_id, data)) {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "work must not change in mid-stream");
	}
	return STATUS_OK;
}

static void break_stream(struct branch *branch, const struct status *why)
{
	if (ctx_ended(branch->call)) {
		branch_lose_call(branch);
	} else if (may_end(branch)) {
		branch->cause = CTX_CALLER_CANCELLED;
		branch->outcome = *why;
		branch_lose(branch);
	}
}

void branch_prepare(struct branch *branch, const char *task_id,
		    const char *data)
{
	struct status bad;

	FAILPOINT("worker.exchange.received.prepare");
	pthread_mutex_lock(&branch->lock);
	if (take_work(branch, task_id, data, &bad) != STATUS_OK) {
		break_stream(branch, &bad);
	} else {
		branch_step(branch, TWOPC_AT_PREPARE);
	}
	pthread_mutex_unlock(&branch->lock);
}

void branch_commit(struct branch *branch)
{
	FAILPOINT("worker.exchange.received.commit");
	pthread_mutex_lock(&branch->lock);
	branch_step(branch, TWOPC_AT_COMMIT);
	pthread_mutex_unlock(&branch->lock);
}

void branch_rollback(struct branch *branch)
{
	FAILPOINT("worker.exchange.received.rollback");
	pthread_mutex_lock(&branch->lock);
	if (may_end(branch) && !branch->twopc.rollback_due) {
		note_rollback(branch);
	}
	branch_step(branch, TWOPC_AT_ROLLBACK);
	pthread_mutex_unlock(&branch->lock);
}

void branch_half_close(struct branch *branch)
{
	pthread_mutex_lock(&branch->lock);
	branch->half_closed = true;
	if (branch->twopc.state == TWOPC_PARTICIPANT_PREPARED) {
		branch_leave_in_doubt(branch);
	}
	pthread_mutex_unlock(&branch->lock);
}

void branch_break(struct branch *branch, const struct status *why)
{
	pthread_mutex_lock(&branch->lock);
	break_stream(branch, why);
	pthread_mutex_unlock(&branch->lock);
}

/* ---- start -------------------------------------------------------------- */

const char *branch_coordinator(const struct branch *branch)
{
	return branch->coordinator;
}

const char *branch_id(const struct branch *branch)
{
	return branch->id;
}

static struct branch *make(struct worker *worker, struct ctx *ctx)
{
	struct branch *branch = malloc(sizeof(*branch));

	if (branch == NULL) {
		abort();
	}
	/* All but the outcome's text, which is written when it is known. */
	memset(branch, 0, offsetof(struct branch, outcome));
	branch->outcome.code = STATUS_OK;
	branch->outcome.message[0] = '\0';
	pthread_mutex_init(&branch->lock, NULL);
	atomic_init(&branch->refs, 1);
	atomic_fetch_add(&worker->live, 1);
	twopc_participant_init(&branch->twopc);
	branch->worker = worker;
	branch->call = ctx;
	branch->ctx = ctx_new(ctx, CLOCK_NEVER);
	branch->begun_ns = clock_now_ns();
	branch->hook.fn = on_ended;
	branch->timer.fn = on_alarm;
	return branch;
}

struct branch *branch_new(struct worker *worker, struct ctx *ctx,
			  const char *coordinator, const char *id,
			  const struct branch_link *link, void *arg)
{
	struct branch *branch = make(worker, ctx);

	branch->link = link;
	branch->link_arg = arg;
	memcpy(branch->coordinator, coordinator, strlen(coordinator) + 1);
	memcpy(branch->id, id, strlen(id) + 1);
	pthread_mutex_lock(&branch->lock);
	branch_get(branch); /* the hook's */
	if (!ctx_hook_add(ctx, &branch->hook)) {
		branch_lose_call(branch);
		pthread_mutex_unlock(&branch->lock);
		branch_put(branch);
		return branch;
	}
	pthread_mutex_unlock(&branch->lock);
	return branch;
}
