/*
 * Two phases: twopc/coordinator.h says what is to be done, this does it, under
 * the exchange's lock.
 *
 * All goes well:
 *
 *	BEGIN       a place in the registry; "prepare" to the worker
 *	VOTED_YES   the worker has it on disk: the decision joins our row in the
 *	            staged transaction, which is committed
 *	DECIDED     that is on disk; "commit" to the worker
 *	CONFIRMED   the worker is done: the client gets its answer
 *
 * The client leaves: ABANDONED; before the decision our rows are undone and the
 * worker is told, after it the exchange goes on without the client. The stream
 * breaks: LINK_LOST; the keeper's resolver brings it to its end, and CONFIRMED
 * may come from there (exchange_confirmed()) while the client still waits.
 */
#include "echo/exchange_internal.h"
#include "failpoint/failpoint.h"
#include "log/log.h"

static void step(struct exchange *ex, enum twopc_coordinator_event event);

/* ---- telling ------------------------------------------------------------ */

static void tell_orphaned(struct exchange *ex)
{
	log_warn(ex->ctx,
		 LOG_FIELDS(LOG_STR("transaction", twopc_entry_id(ex->entry))),
		 "HANDED OVER request_id=%s: it is committed here, and the "
		 "worker could not be told yet",
		 ex->request_id);
}

static void tell_contradiction(struct exchange *ex,
			       enum twopc_coordinator_event event)
{
	work_metrics_contradiction(ex->echo->metrics);
	log_error(
		ex->ctx,
		LOG_FIELDS(LOG_STR("transaction",
				   ex->entry != NULL ? twopc_entry_id(ex->entry)
						     : ""),
			   LOG_STR("said", twopc_coordinator_event_name(event)),
			   LOG_STR("state", twopc_coordinator_state_name(
						    ex->twopc.state))),
		"CONTRADICTION: the worker says of request_id=%s what can't "
		"be",
		ex->request_id);
}

/* ---- orders to the worker ----------------------------------------------- */

static void send_prepare(struct exchange *ex)
{
	struct worker_port *worker = ex->echo->worker;
	const struct worker_order order = {
		.coordinator = ex->echo->keeper->decisions.coordinator,
		.transaction_id = twopc_entry_id(ex->entry),
		.task_id = ex->request_id,
		.data = ex->message,
	};

	exchange_get(ex); /* the link's */
	FAILPOINT("echo.exchange.prepare.before");
	worker->ops->prepare(worker, ex->own_ctx, &order, &ex->link);
	FAILPOINT("echo.exchange.prepare.after");
}

static void send_commit(struct exchange *ex)
{
	struct worker_port *worker = ex->echo->worker;

	FAILPOINT("echo.exchange.commit.before");
	worker->ops->commit(worker, &ex->link);
	FAILPOINT("echo.exchange.commit.after");
}

static void send_rollback(struct exchange *ex)
{
	struct worker_port *worker = ex->echo->worker;

	FAILPOINT("echo.exchange.rollback.before");
	worker->ops->rollback(worker, &ex->link);
	FAILPOINT("echo.exchange.rollback.after");
}

/* ---- the decision ------------------------------------------------------- */

static void on_decided(const struct status *status, void *arg)
{
	struct exchange *ex = arg;

	FAILPOINT("echo.exchange.decided");
	pthread_mutex_lock(&ex->lock);
	echo_note_write(ex->echo, status->code == STATUS_OK);
	if (status->code == STATUS_OK) {
		step(ex, TWOPC_DECIDED);
	} else {
		ex->outcome = *status;
		ex->cause = exchange_why_refused(ex, "Failed to commit");
		step(ex, TWOPC_DECISION_REFUSED);
	}
	exchange_leave(ex);
	exchange_put(ex);
}

static enum status_code write_decision(struct exchange *ex,
				       struct status *reterr)
{
	const struct twopc_keeper *keeper = ex->echo->keeper;

	if (twopc_decisions_insert(&keeper->decisions, ex->txn,
				   twopc_entry_id(ex->entry),
				   keeper->options.participant, ex->request_id,
				   reterr) != STATUS_OK) {
		return reterr->code;
	}
	return exchange_keep(ex, twopc_entry_id(ex->entry), reterr);
}

static void decide(struct exchange *ex)
{
	struct db_txn *txn = ex->txn;
	struct status refused;

	ex->commit_ns = clock_now_ns();
	FAILPOINT("echo.exchange.decide.before");
	if (write_decision(ex, &refused) != STATUS_OK) {
		ex->txn = NULL;
		db_txn_rollback(txn);
		ex->outcome = refused;
		ex->cause = exchange_why_refused(ex, "Failed to commit");
		step(ex, TWOPC_DECISION_REFUSED);
		return;
	}
	FAILPOINT("echo.exchange.decide.written");
	ex->txn = NULL;
	exchange_get(ex); /* the commit's */
	db_txn_commit(txn, on_decided, ex);
	FAILPOINT("echo.exchange.decide.after");
}

/* ---- steps -------------------------------------------------------------- */

/* Each state that is moved to has one. */
static void pass_point(enum twopc_coordinator_state to)
{
	switch (to) {
	case TWOPC_COORDINATOR_PREPARING:
		FAILPOINT("echo.exchange.enters.preparing");
		break;
	case TWOPC_COORDINATOR_DECIDING:
		FAILPOINT("echo.exchange.enters.deciding");
		break;
	case TWOPC_COORDINATOR_COMMITTING:
		FAILPOINT("echo.exchange.enters.committing");
		break;
	case TWOPC_COORDINATOR_RESOLVING:
		FAILPOINT("echo.exchange.enters.resolving");
		break;
	case TWOPC_COORDINATOR_ABORTING:
		FAILPOINT("echo.exchange.enters.aborting");
		break;
	case TWOPC_COORDINATOR_COMMITTED:
		FAILPOINT("echo.exchange.enters.committed");
		break;
	case TWOPC_COORDINATOR_HANDED_OVER:
		FAILPOINT("echo.exchange.enters.handed_over");
		break;
	case TWOPC_COORDINATOR_ABORTED:
		FAILPOINT("echo.exchange.enters.aborted");
		break;
	case TWOPC_COORDINATOR_OPEN: /* where it begins */
	case TWOPC_COORDINATOR_STATE_NR:
	default:
		break;
	}
}

static void undo(struct exchange *ex)
{
	if (ex->txn != NULL) {
		db_txn_rollback(ex->txn);
		ex->txn = NULL;
	}
}

/* ex->outcome and, where it is a failure, ex->cause are set. */
static void answer(struct exchange *ex, unsigned todo)
{
	if ((todo & TWOPC_ANSWER_ABORTED) != 0) {
		exchange_roll_back(ex, ex->cause);
	} else if ((todo & TWOPC_ANSWERS) != 0) {
		ex->accepted = (todo & TWOPC_ANSWER_ACCEPTED) != 0;
		ex->cause = CTX_FINISHED;
		exchange_finish(ex);
	}
}

static void send(struct exchange *ex, unsigned todo)
{
	if ((todo & TWOPC_SEND_PREPARE) != 0) {
		send_prepare(ex);
	}
	if ((todo & TWOPC_SEND_COMMIT) != 0) {
		send_commit(ex);
	}
	if ((todo & TWOPC_SEND_ROLLBACK) != 0) {
		send_rollback(ex);
	}
}

static void step(struct exchange *ex, enum twopc_coordinator_event event)
{
	enum twopc_coordinator_state from = ex->twopc.state;
	unsigned todo = twopc_coordinator_step(&ex->twopc, event);

	if (ex->twopc.state != from) {
		pass_point(ex->twopc.state);
	}
	if ((todo & TWOPC_CONTRADICTION) != 0) {
		tell_contradiction(ex, event);
	}
	if ((todo & TWOPC_MARK_ORPHANED) != 0) {
		tell_orphaned(ex);
	}
	if ((todo & TWOPC_UNDO) != 0) {
		undo(ex);
	}
	twopc_keeper_mark(ex->echo->keeper, &ex->entry, todo);
	send(ex, todo);
	if ((todo & TWOPC_NUDGE) != 0) {
		twopc_keeper_nudge(ex->echo->keeper);
	}
	answer(ex, todo);
	if ((todo & TWOPC_DECIDE) != 0) {
		decide(ex);
	}
}

/* ---- news --------------------------------------------------------------- */

/* Of what comes once the decision is asked for, nothing changes what the client
 * is told. */
static bool is_undecided(const struct exchange *ex)
{
	return ex->twopc.state == TWOPC_COORDINATOR_PREPARING;
}

void exchange_two_abandon(struct exchange *ex)
{
	if (is_undecided(ex)) {
		ex->cause = exchange_why_ended(ex);
	}
	step(ex, TWOPC_ABANDONED);
}

static void take_prepared(struct exchange *ex, const char *message)
{
	if (is_undecided(ex)) {
		status_set(&ex->outcome, STATUS_OK, "%s", message);
	}
	step(ex, TWOPC_VOTED_YES);
}

/* By itself, which none of ours does: it is as good as a refusal. */
static void take_rolled_back(struct exchange *ex, const char *message)
{
	if (is_undecided(ex)) {
		status_set(&ex->outcome, STATUS_ABORTED,
			   "the worker rolled back: %s", message);
		ex->cause = exchange_why_failed(ex);
	}
	step(ex, TWOPC_ROLLED_BACK);
}

static void take_committed(struct exchange *ex)
{
	if (is_undecided(ex)) {
		status_set(&ex->outcome, STATUS_INTERNAL,
			   "the worker committed what nobody has decided");
		ex->cause = exchange_why_failed(ex);
	}
	step(ex, TWOPC_CONFIRMED);
}

static void pass_said(enum twopc_verdict verdict)
{
	if (verdict == TWOPC_VERDICT_PREPARED) {
		FAILPOINT("echo.exchange.prepared");
	} else if (verdict == TWOPC_VERDICT_COMMITTED) {
		FAILPOINT("echo.exchange.committed");
	} else {
		FAILPOINT("echo.exchange.rolled_back");
	}
}

static void on_said(struct worker_link *link, enum twopc_verdict verdict,
		    const char *message)
{
	struct exchange *ex = EXCHANGE_OF(link, link);

	pass_said(verdict);
	pthread_mutex_lock(&ex->lock);
	switch (verdict) {
	case TWOPC_VERDICT_PREPARED:
		take_prepared(ex, message);
		break;
	case TWOPC_VERDICT_COMMITTED:
		take_committed(ex);
		break;
	case TWOPC_VERDICT_ROLLED_BACK:
		take_rolled_back(ex, message);
		break;
	case TWOPC_VERDICT_FAILED:
	case TWOPC_VERDICT_UNKNOWN:
	case TWOPC_VERDICT_NR:
	default:
		break; /* no word; how the exchange ends will tell */
	}
	exchange_leave(ex);
}

/*
 * Whether a worker that ends an exchange so has certainly nothing prepared. The
 * others may be the transport's own, or come from a write whose end is not
 * known.
 */
static bool is_refusal(enum status_code code)
{
	switch (code) {
	case STATUS_INVALID_ARGUMENT:
	case STATUS_NOT_FOUND:
	case STATUS_ALREADY_EXISTS:
	case STATUS_PERMISSION_DENIED:
	case STATUS_RESOURCE_EXHAUSTED:
	case STATUS_FAILED_PRECONDITION:
	case STATUS_ABORTED:
	case STATUS_OUT_OF_RANGE:
	case STATUS_UNIMPLEMENTED:
	case STATUS_UNAUTHENTICATED:
		return true;
	case STATUS_OK:
	case STATUS_CANCELLED:
	case STATUS_UNKNOWN:
	case STATUS_DEADLINE_EXCEEDED:
	case STATUS_INTERNAL:
	case STATUS_UNAVAILABLE:
	case STATUS_DATA_LOSS:
	default:
		return false;
	}
}

/* Nothing was decided: what is the client told? */
static void take_refusal(struct exchange *ex, const struct status *status)
{
	ex->outcome = *status;
	if (status->code == STATUS_OK) {
		status_set(&ex->outcome, STATUS_UNAVAILABLE,
			   "the worker ended the exchange without a word");
	} else if (status->code == STATUS_UNIMPLEMENTED) {
		status_set(&ex->outcome, STATUS_UNIMPLEMENTED,
			   "the worker does not know the exchange in two "
			   "phases, echo needs -commit=one-phase for it: %s",
			   status->message);
		log_error(ex->ctx, NULL, "%s", ex->outcome.message);
	}
	ex->cause = exchange_why_failed(ex);
}

static void on_link_ended(struct worker_link *link, const struct status *status)
{
	struct exchange *ex = EXCHANGE_OF(link, link);

	FAILPOINT("echo.exchange.ended");
	pthread_mutex_lock(&ex->lock);
	work_metrics_rpc(ex->echo->metrics, WORK_CLIENT, status->code);
	if (is_undecided(ex)) {
		take_refusal(ex, status);
	}
	step(ex, is_refusal(status->code) ? TWOPC_VOTED_NO : TWOPC_LINK_LOST);
	exchange_leave(ex);
	exchange_put(ex);
}

void exchange_confirmed(void *owner)
{
	struct exchange *ex = owner;

	FAILPOINT("echo.exchange.confirmed");
	pthread_mutex_lock(&ex->lock);
	step(ex, TWOPC_CONFIRMED);
	exchange_leave(ex);
	exchange_put(ex);
}

/* ---- begin -------------------------------------------------------------- */

void exchange_two_begin(struct exchange *ex)
{
	if (twopc_keeper_begin(ex->echo->keeper, ex, &ex->entry,
			       &ex->outcome) != STATUS_OK) {
		exchange_roll_back(ex,
				   exchange_why_refused(
					   ex, "Failed to start transaction"));
		return;
	}
	exchange_move(ex, EXCHANGE_EXCHANGING);
	twopc_coordinator_init(&ex->twopc);
	ex->link.said = on_said;
	ex->link.ended = on_link_ended;
	step(ex, TWOPC_BEGIN);
}
