/* What the participant says is to be done, done. */
#include <stdlib.h>

#include "failpoint/failpoint.h"
#include "log/log.h"
#include "worker/branch_internal.h"
#include "worker/branch_report.h"
#include "worker/store.h"

/* ---- the work ----------------------------------------------------------- */

static void undo_work(struct branch *branch)
{
	if (branch->txn != NULL) {
		db_txn_rollback(branch->txn);
		branch->txn = NULL;
	}
}

static void stop_timer(struct branch *branch)
{
	if (loop_timer_stop(ctx_loop(branch->call), &branch->timer)) {
		branch_put(branch); /* whoever steps has one, too */
	}
}

void branch_set_alarm(struct branch *branch, int64_t at_ns)
{
	branch_get(branch);
	loop_timer_start(ctx_loop(branch->call), &branch->timer, at_ns);
}

void branch_finish_work(struct branch *branch)
{
	FAILPOINT("worker.exchange.work.after");
	undo_work(branch); /* it was checked; what it wrote is the payload */
	branch_step(branch, TWOPC_AT_WORK_DONE);
}

static enum status_code stage(struct branch *branch, const char **ret_doing)
{
	struct payload_view task;
	struct status *reterr = &branch->outcome;

	if (!payload_read(branch->payload.bytes, branch->payload.size, &task)) {
		abort(); /* We have just made it. */
	}
	*ret_doing = "failed to start transaction";
	if (db_txn_begin(branch->worker->db, branch->ctx, &branch->txn,
			 reterr) != STATUS_OK) {
		branch->txn = NULL;
		return reterr->code;
	}
	*ret_doing = "failed to insert task";
	if (worker_store_insert(branch->txn, task.task_id, task.data, reterr) !=
	    STATUS_OK) {
		return reterr->code;
	}
	log_debug(branch->call, NULL, "Inserted task record for task_id=%s",
		  task.task_id);
	return STATUS_OK;
}

/* branch->outcome is the database's refusal. */
static void fail_work(struct branch *branch, const char *doing)
{
	if (ctx_ended(branch->call)) {
		branch_lose_call(branch); /* It noticed that before us. */
		return;
	}
	undo_work(branch);
	status_wrap(&branch->outcome, "%s", doing);
	branch->cause = CTX_DATABASE;
	branch_step(branch, TWOPC_AT_WORK_FAILED);
}

static void begin_work(struct branch *branch)
{
	int64_t work_ns = branch->worker->work_ns;
	const char *doing;

	FAILPOINT("worker.exchange.work.before");
	if (stage(branch, &doing) != STATUS_OK) {
		fail_work(branch, doing);
	} else if (work_ns == 0) {
		branch_finish_work(branch);
	} else {
		branch_set_alarm(branch, clock_add_ns(clock_now_ns(), work_ns));
	}
}

static void stop_work(struct branch *branch)
{
	stop_timer(branch);
	undo_work(branch);
}

/* ---- the record --------------------------------------------------------- */

static void carry_out(struct branch *branch, enum twopc_order order,
		      struct ctx *ctx)
{
	bool ours = branch->prepared || order == TWOPC_ORDER_PREPARE;

	branch->order.request = (struct twopc_request){
		.order = order,
		.coordinator = branch->coordinator,
		.id = branch->id,
		.payload = branch->payload.bytes,
		.payload_size = branch->payload.size,
	};
	branch_get(branch);
	order_carry_out(&branch->order, branch->worker, ctx,
			ours ? ORDER_BY_OWNER : ORDER_BY_STREAM,
			branch_on_stored);
}

static void prepare(struct branch *branch)
{
	int64_t patience_ns =
		work_patience_ends_ns(branch->call, branch->begun_ns);

	if (patience_ns != CLOCK_NEVER) {
		branch_set_alarm(branch, patience_ns);
	}
	carry_out(branch, TWOPC_ORDER_PREPARE, branch->ctx);
}

/* ---- the stream --------------------------------------------------------- */

/*
 * In the words of a task in one phase, where it is known what it was: once it
 * is prepared, the work is done.
 */
static struct status done_text(const struct branch *branch)
{
	const char *task_id = branch->order.task_id;
	struct payload_view task;

	if (task_id[0] == '\0' &&
	    payload_read(branch->payload.bytes, branch->payload.size, &task)) {
		task_id = task.task_id;
	}
	return task_id[0] != '\0'
		       ? status_make(STATUS_OK, "Work completed for task %s",
				     task_id)
		       : status_make(STATUS_OK, "Work completed for %s",
				     branch->id);
}

static void say_prepared(struct branch *branch)
{
	const struct status text = done_text(branch);

	FAILPOINT("worker.exchange.say_prepared.before");
	branch->link->say_prepared(branch->link_arg, text.message);
	FAILPOINT("worker.exchange.say_prepared.after");
	if (branch->half_closed) {
		branch_leave_in_doubt(branch);
	}
}

static void answer(struct branch *branch, enum twopc_verdict verdict,
		   const struct status *text)
{
	FAILPOINT("worker.exchange.answer.before");
	branch->link->answer(branch->link_arg, verdict, text->message);
	FAILPOINT("worker.exchange.answer.after");
}

static void say_committed(struct branch *branch)
{
	const struct status text = done_text(branch);

	answer(branch, TWOPC_VERDICT_COMMITTED, &text);
}

static void say_rolled_back(struct branch *branch)
{
	const struct status text =
		status_make(STATUS_OK, "Rolled back %s", branch->id);

	answer(branch, TWOPC_VERDICT_ROLLED_BACK, &text);
}

/* Without a word: refused, or lost. */
static void say_nothing(struct branch *branch)
{
	FAILPOINT("worker.exchange.end.before");
	branch->link->end(branch->link_arg, &branch->outcome);
	FAILPOINT("worker.exchange.end.after");
}

void branch_lose(struct branch *branch)
{
	branch->lost = true;
	branch_step(branch, TWOPC_AT_LINK_LOST);
}

void branch_leave_in_doubt(struct branch *branch)
{
	branch->cause = CTX_FINISHED;
	branch->outcome = status_ok();
	branch_lose(branch);
}

/* ---- all of it ---------------------------------------------------------- */

/* Each state that is moved to has one. */
static void pass_point(enum twopc_participant_state to)
{
	switch (to) {
	case TWOPC_PARTICIPANT_WORKING:
		FAILPOINT("worker.exchange.enters.working");
		break;
	case TWOPC_PARTICIPANT_PREPARING:
		FAILPOINT("worker.exchange.enters.preparing");
		break;
	case TWOPC_PARTICIPANT_PREPARED:
		FAILPOINT("worker.exchange.enters.prepared");
		break;
	case TWOPC_PARTICIPANT_COMMITTING:
		FAILPOINT("worker.exchange.enters.committing");
		break;
	case TWOPC_PARTICIPANT_UNDOING:
		FAILPOINT("worker.exchange.enters.undoing");
		break;
	case TWOPC_PARTICIPANT_COMMITTED:
		FAILPOINT("worker.exchange.enters.committed");
		break;
	case TWOPC_PARTICIPANT_ROLLED_BACK:
		FAILPOINT("worker.exchange.enters.rolled_back");
		break;
	case TWOPC_PARTICIPANT_REFUSED:
		FAILPOINT("worker.exchange.enters.refused");
		break;
	case TWOPC_PARTICIPANT_IN_DOUBT:
		FAILPOINT("worker.exchange.enters.in_doubt");
		break;
	case TWOPC_PARTICIPANT_OPEN: /* where it begins */
	case TWOPC_PARTICIPANT_STATE_NR:
	default:
		break;
	}
}

/* Nothing is waited for any more: take back what would still call us. */
static void stop_waiting(struct branch *branch)
{
	stop_timer(branch);
	if (ctx_hook_remove(branch->call, &branch->hook)) {
		branch_put(branch); /* whoever steps has one, too */
	}
}

/* The last. Log and count before it is said, so that who hears it can look. */
static void end(struct branch *branch, unsigned todo)
{
	branch_report(branch);
	stop_waiting(branch);
	if (todo & TWOPC_SEND_COMMITTED) {
		say_committed(branch);
	} else if (todo & TWOPC_SEND_ROLLED_BACK) {
		say_rolled_back(branch);
	} else {
		say_nothing(branch);
	}
}

void branch_step(struct branch *branch, enum twopc_participant_event event)
{
	enum twopc_participant_state from = branch->twopc.state;
	unsigned todo = twopc_participant_step(&branch->twopc, event);

	if (branch->twopc.state != from) {
		pass_point(branch->twopc.state);
	}
	if (todo & TWOPC_WORK) {
		begin_work(branch);
	}
	if (todo & TWOPC_STOP_WORK) {
		stop_work(branch);
	}
	if (todo & TWOPC_STORE_PREPARE) {
		prepare(branch);
	}
	if (todo & TWOPC_STORE_COMMIT) {
		carry_out(branch, TWOPC_ORDER_COMMIT, branch->worker->ctx);
	}
	if (todo & TWOPC_STORE_ROLLBACK) {
		carry_out(branch, TWOPC_ORDER_ROLLBACK, branch->worker->ctx);
	}
	if (todo & TWOPC_HURRY) {
		(void)ctx_end(branch->ctx, CTX_CALLER_CANCELLED, NULL);
	}
	if (todo & TWOPC_SEND_PREPARED) {
		say_prepared(branch);
	}
	if (todo & TWOPC_FINISH) {
		end(branch, todo);
	}
}
