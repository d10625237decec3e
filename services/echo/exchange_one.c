/*
 * One phase: the worker commits first, in a single call, and we after it.
 */
#include "echo/exchange_internal.h"
#include "failpoint/failpoint.h"
#include "log/log.h"

/* ---- news --------------------------------------------------------------- */

static void on_replied(struct worker_call *call, const struct status *status,
		       const char *message)
{
	struct exchange *ex = EXCHANGE_OF(call, call);
	bool diverged = false;

	pthread_mutex_lock(&ex->lock);
	work_metrics_rpc(ex->echo->metrics, WORK_CLIENT, status->code);
	if (ex->state == EXCHANGE_CALLING) {
		ex->replied = true;
		if (status->code == STATUS_OK) {
			status_set(&ex->outcome, STATUS_OK, "%s", message);
		} else {
			ex->outcome = *status;
		}
		exchange_step(ex);
	} else {
		diverged = status->code == STATUS_OK;
	}
	exchange_leave(ex);
	if (diverged) {
		exchange_tell_diverged(ex);
	}
	exchange_put(ex);
}

static void on_stored(const struct status *status, void *arg)
{
	struct exchange *ex = arg;

	FAILPOINT("echo.stored");
	pthread_mutex_lock(&ex->lock);
	ex->stored = true;
	echo_note_write(ex->echo, status->code == STATUS_OK);
	if (status->code != STATUS_OK) {
		ex->outcome = *status;
	}
	exchange_step(ex);
	exchange_leave(ex);
	exchange_put(ex);
}

static void on_out_of_patience(struct loop_timer *timer, int64_t late_ns)
{
	struct exchange *ex = EXCHANGE_OF(timer, timer);

	(void)late_ns;
	pthread_mutex_lock(&ex->lock);
	ex->out_of_patience = true;
	exchange_step(ex);
	exchange_leave(ex);
	exchange_put(ex);
}

/* ---- calling ------------------------------------------------------------ */

void exchange_one_begin(struct exchange *ex)
{
	struct worker_port *worker = ex->echo->worker;

	exchange_move(ex, EXCHANGE_CALLING);
	ex->call.done = on_replied;
	ex->timer.fn = on_out_of_patience;
	exchange_get(ex);
	worker->ops->do_work(worker, ex->ctx, ex->request_id, ex->message,
			     &ex->call);
}

static void commit(struct exchange *ex)
{
	struct db_txn *txn = ex->txn;
	struct status refused;

	exchange_move(ex, EXCHANGE_COMMITTING);
	ex->commit_ns = clock_now_ns();
	if (exchange_keep(ex, "", &refused) != STATUS_OK) {
		ex->outcome = refused;
		exchange_roll_back(
			ex, exchange_why_refused(ex, "Failed to commit"));
		return;
	}
	ex->txn = NULL;
	exchange_get(ex);
	db_txn_commit(txn, on_stored, ex);
}

static void step_calling(struct exchange *ex)
{
	if (ex->replied && ex->outcome.code == STATUS_OK) {
		commit(ex);
	} else if (ex->replied) {
		exchange_roll_back(ex, exchange_why_failed(ex));
	} else if (ex->ended) {
		exchange_roll_back(ex, exchange_why_ended(ex));
	}
}

/* ---- committing --------------------------------------------------------- */

/*
 * The client's end no longer counts, but from then on nobody may wait for ever:
 * a commit that the database has not taken by then is given up in time.
 */
static void begin_to_wait(struct exchange *ex)
{
	int64_t until_ns = ex->commit_ns + ECHO_COMMIT_PATIENCE_NS;
	int64_t deadline_ns = ctx_deadline_ns(ex->ctx);

	if (deadline_ns != CLOCK_NEVER && deadline_ns > until_ns) {
		until_ns = deadline_ns;
	}
	ex->waiting_long = true;
	exchange_get(ex);
	loop_timer_start(ctx_loop(ex->ctx), &ex->timer, until_ns);
}

void exchange_one_finish(struct exchange *ex)
{
	if (ex->waiting_long &&
	    loop_timer_stop(ctx_loop(ex->ctx), &ex->timer)) {
		exchange_put(ex);
	}
}

static void step_committing(struct exchange *ex)
{
	if (ex->stored && ex->outcome.code == STATUS_OK) {
		ex->cause = CTX_FINISHED;
		exchange_finish(ex);
	} else if (ex->stored) {
		exchange_roll_back(
			ex, exchange_why_refused(ex, "Failed to commit"));
	} else if (ex->out_of_patience) {
		ex->out_of_patience = false;
		ex->give_up_due = true;
	} else if (ex->ended && !ex->waiting_long) {
		begin_to_wait(ex);
	}
}

void exchange_one_step(struct exchange *ex)
{
	if (ex->state == EXCHANGE_CALLING) {
		step_calling(ex);
	} else {
		step_committing(ex);
	}
}
