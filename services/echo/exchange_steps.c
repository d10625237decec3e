/* The states of an exchange, and what it does in each of them. */
#include <stdio.h>
#include <stdlib.h>

#include "echo/exchange_internal.h"
#include "echo/store.h"
#include "failpoint/failpoint.h"
#include "log/log.h"

/* ---- states ------------------------------------------------------------- */

#define TO(symbol) (1U << EXCHANGE_##symbol)
static const struct {
	const char *name;
	unsigned moves;
} states[EXCHANGE_STATE_NR] = {
#define EXCHANGE_INFO(symbol, text, allowed)                                   \
	[EXCHANGE_##symbol] = { .name = (text), .moves = (allowed) },
	EXCHANGE_STATES(EXCHANGE_INFO)
#undef EXCHANGE_INFO
};
#undef TO

const char *exchange_state_name(enum exchange_state state)
{
	return (unsigned)state < EXCHANGE_STATE_NR ? states[state].name : "?";
}

bool exchange_may_move(enum exchange_state from, enum exchange_state to)
{
	return (states[from].moves & 1U << to) != 0;
}

/* Each state that is moved to has one. */
static void pass_point(enum exchange_state to)
{
	switch (to) {
	case EXCHANGE_CALLING:
		FAILPOINT("echo.enters.calling");
		break;
	case EXCHANGE_COMMITTING:
		FAILPOINT("echo.enters.committing");
		break;
	case EXCHANGE_ROLLING_BACK:
		FAILPOINT("echo.enters.rolling_back");
		break;
	case EXCHANGE_ANSWERED:
		FAILPOINT("echo.enters.answered");
		break;
	case EXCHANGE_OPENING: /* where it begins */
	case EXCHANGE_STATE_NR:
	default:
		break;
	}
}

/* The one door through which an exchange changes its state. */
static void move(struct exchange *ex, enum exchange_state to)
{
	if (!exchange_may_move(ex->state, to)) {
		fprintf(stderr, "bug: exchange moves from %s to %s\n",
			exchange_state_name(ex->state),
			exchange_state_name(to));
		abort();
	}
	pass_point(to);
	ex->state = to;
}

/* ---- ends --------------------------------------------------------------- */

/* Nothing is waited for any more: take back what would still call us. */
static void finish(struct exchange *ex)
{
	move(ex, EXCHANGE_ANSWERED);
	ex->answer_due = true;
	ex->message = NULL; /* gone with the answer */
	if (ctx_hook_remove(ex->ctx, &ex->hook)) {
		exchange_put(ex);
	}
	if (ex->waiting_long &&
	    loop_timer_stop(ctx_loop(ex->ctx), &ex->timer)) {
		exchange_put(ex);
	}
}

/* Undo, and answer with ex->outcome. */
static void roll_back(struct exchange *ex, enum ctx_cause cause)
{
	move(ex, EXCHANGE_ROLLING_BACK);
	ex->cause = cause;
	if (ex->txn != NULL) {
		db_txn_rollback(ex->txn);
		ex->txn = NULL;
	}
	finish(ex);
}

/* "rpc error: code = <Code> desc = <text>", as clients of gRPC know it. */
static void wrap_worker_failed(struct status *status)
{
	struct status inner = *status;

	status_set(status, inner.code,
		   "Worker failed: rpc error: code = %s desc = %s",
		   status_code_go_name(inner.code), inner.message);
}

void exchange_locked(struct exchange *ex, struct status *ret_status)
{
	enum status_code health = db_health(ex->echo->db, ret_status);

	if (health == STATUS_OK) {
		status_set(ret_status, STATUS_UNAVAILABLE,
			   "database is locked");
	} else if (health == STATUS_UNAVAILABLE) {
		status_wrap(ret_status, "database is locked");
	}
	ret_status->code = STATUS_UNAVAILABLE;
}

/* The client's ctx ended before the worker said yes. */
static void roll_back_ended(struct exchange *ex)
{
	enum ctx_cause cause = ctx_cause(ex->ctx, &ex->outcome);

	if (ex->ended_ns == 0) {
		ex->ended_ns = clock_now_ns();
	}
	if (cause != CTX_DEADLINE) {
		/* The client left or we stop: the text says so already. */
	} else if (ex->state == EXCHANGE_CALLING) {
		wrap_worker_failed(&ex->outcome);
	} else {
		if (ex->trying) { /* not the work was slow */
			exchange_locked(ex, &ex->outcome);
			cause = CTX_DATABASE;
		}
		status_wrap(&ex->outcome, "Failed to start transaction");
	}
	roll_back(ex, cause);
}

/* ex->outcome is the database's refusal of @what. */
static void roll_back_refused(struct exchange *ex, const char *what)
{
	enum ctx_cause cause = ctx_cause(ex->txn_ctx, NULL);

	status_wrap(&ex->outcome, "%s", what);
	roll_back(ex, cause == CTX_NONE ? CTX_DATABASE : cause);
}

/* ex->outcome is the worker's refusal, or why it can't be reached. */
static void roll_back_failed(struct exchange *ex)
{
	enum ctx_cause cause = CTX_PEER_FAILED;

	if (ctx_ended(ex->ctx)) {
		roll_back_ended(ex);
		return;
	}
	if (ex->outcome.code == STATUS_DEADLINE_EXCEEDED) {
		cause = CTX_DEADLINE; /* it noticed before we did */
	}
	wrap_worker_failed(&ex->outcome);
	roll_back(ex, cause);
}

/* ---- steps -------------------------------------------------------------- */

static void commit(struct exchange *ex)
{
	struct db_txn *txn = ex->txn;

	move(ex, EXCHANGE_COMMITTING);
	ex->commit_ns = clock_now_ns();
	ex->txn = NULL;
	exchange_get(ex);
	db_txn_commit(txn, exchange_on_stored, ex);
}

static void call_worker(struct exchange *ex)
{
	struct worker_port *worker = ex->echo->worker;

	log_debug(ex->ctx, NULL, "Inserted echo record for request_id=%s",
		  ex->request_id);
	move(ex, EXCHANGE_CALLING);
	exchange_get(ex);
	worker->ops->do_work(worker, ex->ctx, ex->request_id, ex->message,
			     &ex->call);
}

static void open_transaction(struct exchange *ex)
{
	if (db_txn_begin(ex->echo->db, ex->txn_ctx, &ex->txn, &ex->outcome) !=
	    STATUS_OK) {
		ex->txn = NULL;
		roll_back_refused(ex, "Failed to start transaction");
		return;
	}
	if (echo_store_insert(ex->txn, ex->request_id, ex->message,
			      &ex->outcome) != STATUS_OK) {
		roll_back_refused(ex, "Failed to insert request");
		return;
	}
	call_worker(ex);
}

static void step_opening(struct exchange *ex)
{
	if (ex->ended) {
		roll_back_ended(ex);
	} else if (!ex->tried && !ex->trying) {
		ex->trying = true;
		exchange_get(ex);
		db_immediate(ex->echo->db, ex->ctx,
			     ex->doubt == ECHO_MAYBE_FULL ? echo_store_try_write
							  : echo_store_try_lock,
			     exchange_on_tried, ex);
	} else if (!ex->tried) {
		return;
	} else if (ex->outcome.code == STATUS_OK) {
		open_transaction(ex);
	} else if (ctx_ended(ex->ctx)) {
		roll_back_ended(ex);
	} else {
		roll_back_refused(ex, "Failed to start transaction");
	}
}

static void step_calling(struct exchange *ex)
{
	if (ex->replied && ex->outcome.code == STATUS_OK) {
		commit(ex);
	} else if (ex->replied) {
		roll_back_failed(ex);
	} else if (ex->ended) {
		roll_back_ended(ex);
	}
}

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

static void step_committing(struct exchange *ex)
{
	if (ex->stored && ex->outcome.code == STATUS_OK) {
		ex->cause = CTX_FINISHED;
		finish(ex);
	} else if (ex->stored) {
		roll_back_refused(ex, "Failed to commit");
	} else if (ex->out_of_patience) {
		ex->out_of_patience = false;
		ex->give_up_due = true;
	} else if (ex->ended && !ex->waiting_long) {
		begin_to_wait(ex);
	}
}

void exchange_step(struct exchange *ex)
{
	switch (ex->state) {
	case EXCHANGE_OPENING:
		step_opening(ex);
		break;
	case EXCHANGE_CALLING:
		step_calling(ex);
		break;
	case EXCHANGE_COMMITTING:
		step_committing(ex);
		break;
	case EXCHANGE_ANSWERED:
		break;
	case EXCHANGE_ROLLING_BACK:
	case EXCHANGE_STATE_NR:
	default:
		abort(); /* never left with the lock released */
	}
}
