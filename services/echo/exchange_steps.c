/* The states of an exchange, how it opens, and how it ends. */
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
	case EXCHANGE_EXCHANGING:
		FAILPOINT("echo.enters.exchanging");
		break;
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

void exchange_move(struct exchange *ex, enum exchange_state to)
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

void exchange_finish(struct exchange *ex)
{
	exchange_move(ex, EXCHANGE_ANSWERED);
	ex->answer_due = true;
	ex->message = NULL; /* gone with the answer */
	roster_leave(&ex->echo->requests, &ex->live);
	if (ctx_hook_remove(ex->ctx, &ex->hook)) {
		exchange_put(ex);
	}
	exchange_one_finish(ex);
}

void exchange_roll_back(struct exchange *ex, enum ctx_cause cause)
{
	exchange_move(ex, EXCHANGE_ROLLING_BACK);
	ex->cause = cause;
	if (ex->txn != NULL) {
		db_txn_rollback(ex->txn);
		ex->txn = NULL;
	}
	exchange_finish(ex);
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

/* The deadline passed while our database was waited for. */
static enum ctx_cause why_kept_waiting(struct exchange *ex, const char *what)
{
	exchange_locked(ex, &ex->outcome);
	status_wrap(&ex->outcome, "%s", what);
	return CTX_DATABASE;
}

enum ctx_cause exchange_why_ended(struct exchange *ex)
{
	enum ctx_cause cause = ctx_cause(ex->ctx, &ex->outcome);

	if (ex->ended_ns == 0) {
		ex->ended_ns = clock_now_ns();
	}
	if (cause != CTX_DEADLINE) {
		return cause; /* it left or we stop: the text says so */
	}
	if (ex->state != EXCHANGE_OPENING) {
		wrap_worker_failed(&ex->outcome);
		return cause;
	}
	if (ex->trying) { /* not the work was slow */
		return why_kept_waiting(ex, "Failed to start transaction");
	}
	status_wrap(&ex->outcome, "Failed to start transaction");
	return cause;
}

enum ctx_cause exchange_why_failed(struct exchange *ex)
{
	enum ctx_cause cause = CTX_PEER_FAILED;

	if (ctx_ended(ex->ctx)) {
		return exchange_why_ended(ex);
	}
	if (ex->outcome.code == STATUS_DEADLINE_EXCEEDED) {
		cause = CTX_DEADLINE; /* it noticed before we did */
	}
	wrap_worker_failed(&ex->outcome);
	return cause;
}

/* The scope that the transaction hangs on. */
static struct ctx *txn_ctx(const struct exchange *ex)
{
	return ex->echo->commit == ECHO_ONE_PHASE ? ex->own_ctx : ex->ctx;
}

enum ctx_cause exchange_why_refused(struct exchange *ex, const char *what)
{
	enum ctx_cause cause = ctx_cause(txn_ctx(ex), NULL);

	if (cause == CTX_DEADLINE && ex->commit_ns != 0 &&
	    clock_now_ns() - ex->commit_ns > ECHO_COMMIT_PATIENCE_NS) {
		return why_kept_waiting(ex, what);
	}
	status_wrap(&ex->outcome, "%s", what);
	return cause == CTX_NONE ? CTX_DATABASE : cause;
}

/* ---- keys --------------------------------------------------------------- */

enum status_code exchange_keep(struct exchange *ex, const char *transaction_id,
			       struct status *reterr)
{
	struct echo_store_outcome *keep = ex->keep;

	if (keep == NULL) {
		return STATUS_OK;
	}
	snprintf(keep->request_id, sizeof(keep->request_id), "%s",
		 ex->request_id);
	snprintf(keep->transaction_id, sizeof(keep->transaction_id), "%s",
		 transaction_id);
	snprintf(keep->message, sizeof(keep->message), "%s",
		 ex->outcome.message);
	return echo_store_insert_key(ex->txn, keep, reterr);
}

/* ---- opening ------------------------------------------------------------ */

static void open_transaction(struct exchange *ex)
{
	if (db_txn_begin(ex->echo->db, txn_ctx(ex), &ex->txn, &ex->outcome) !=
	    STATUS_OK) {
		ex->txn = NULL;
		exchange_roll_back(ex,
				   exchange_why_refused(
					   ex, "Failed to start transaction"));
		return;
	}
	if (echo_store_insert(ex->txn, ex->request_id, ex->message,
			      &ex->outcome) != STATUS_OK) {
		exchange_roll_back(ex, exchange_why_refused(
					       ex, "Failed to insert request"));
		return;
	}
	log_debug(ex->ctx, NULL, "Inserted echo record for request_id=%s",
		  ex->request_id);
	if (ex->echo->commit == ECHO_ONE_PHASE) {
		exchange_one_begin(ex);
	} else {
		exchange_two_begin(ex);
	}
}

static void step_opening(struct exchange *ex)
{
	if (ex->ended) {
		exchange_roll_back(ex, exchange_why_ended(ex));
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
		exchange_roll_back(ex, exchange_why_ended(ex));
	} else {
		exchange_roll_back(ex,
				   exchange_why_refused(
					   ex, "Failed to start transaction"));
	}
}

void exchange_step(struct exchange *ex)
{
	switch (ex->state) {
	case EXCHANGE_OPENING:
		step_opening(ex);
		break;
	case EXCHANGE_EXCHANGING:
		exchange_two_abandon(ex);
		break;
	case EXCHANGE_CALLING:
	case EXCHANGE_COMMITTING:
		exchange_one_step(ex);
		break;
	case EXCHANGE_ANSWERED:
		break;
	case EXCHANGE_ROLLING_BACK:
	case EXCHANGE_STATE_NR:
	default:
		abort(); /* never left with the lock released */
	}
}
