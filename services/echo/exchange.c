/* Life of an exchange, the news that come in, the answer that goes out. */
#include <stdlib.h>
#include <string.h>

#include "echo/exchange_internal.h"
#include "echo/exchange_report.h"
#include "failpoint/failpoint.h"

/* ---- references --------------------------------------------------------- */

void exchange_get(struct exchange *ex)
{
	atomic_fetch_add_explicit(&ex->refs, 1, memory_order_relaxed);
}

void exchange_put(struct exchange *ex)
{
	struct echo *echo = ex->echo;

	if (atomic_fetch_sub_explicit(&ex->refs, 1, memory_order_acq_rel) !=
	    1) {
		return;
	}
	ctx_unref(ex->txn_ctx);
	ctx_unref(ex->ctx);
	pthread_mutex_destroy(&ex->lock);
	free(ex);
	echo_leave(echo);
}

/* ---- telling ------------------------------------------------------------ */

static struct exchange_end end_of(const struct exchange *ex)
{
	return (struct exchange_end){
		.ctx = ex->ctx,
		.request_id = ex->request_id,
		.outcome = &ex->outcome,
		.cause = ex->cause,
		.begun_ns = ex->begun_ns,
		.ended_ns = ex->ended_ns,
		.worker_committed = ex->commit_ns != 0,
	};
}

/* Log and count before the answer, so that who has it can look there. */
static void tell(struct exchange *ex)
{
	const struct exchange_end end = end_of(ex);

	exchange_report(&end, ex->echo->metrics);
	ex->answer(&ex->outcome, ex->answer_arg);
}

/*
 * Unlock, then do what the steps decided and what may come back to us or take
 * other locks.
 */
static void exchange_leave(struct exchange *ex)
{
	bool give_up = ex->give_up_due;
	bool answer = ex->answer_due;

	ex->give_up_due = false;
	ex->answer_due = false;
	pthread_mutex_unlock(&ex->lock);
	if (give_up) {
		struct status why;

		exchange_locked(ex, &why);
		ctx_end(ex->txn_ctx, CTX_DATABASE, &why);
	}
	if (answer) {
		tell(ex);
	}
}

/* ---- news --------------------------------------------------------------- */

#define EXCHANGE_OF(member, pointer)                                           \
	((struct exchange *)((char *)(pointer)-offsetof(struct exchange,       \
							member)))

static void on_ended(struct ctx_hook *hook, struct ctx *ctx)
{
	struct exchange *ex = EXCHANGE_OF(hook, hook);

	(void)ctx;
	pthread_mutex_lock(&ex->lock);
	ex->ended = true;
	if (ex->state == EXCHANGE_OPENING || ex->state == EXCHANGE_CALLING) {
		ex->ended_ns = clock_now_ns();
	}
	exchange_step(ex);
	exchange_leave(ex);
	exchange_put(ex);
}

void exchange_on_tried(const struct status *status, void *arg)
{
	struct exchange *ex = arg;

	pthread_mutex_lock(&ex->lock);
	if (status->code == STATUS_OK && ex->doubt == ECHO_MAYBE_FULL) {
		echo_note_write(ex->echo, true);
	} else if (status->code == STATUS_OK) {
		echo_note_lock(ex->echo);
	}
	if (ex->state == EXCHANGE_OPENING) {
		ex->tried = true;
		ex->outcome = *status;
		exchange_step(ex);
	}
	exchange_leave(ex);
	exchange_put(ex);
}

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
		const struct exchange_end end = end_of(ex);

		exchange_report_diverged(&end, ex->echo->metrics);
	}
	exchange_put(ex);
}

void exchange_on_stored(const struct status *status, void *arg)
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

/* ---- start -------------------------------------------------------------- */

static struct exchange *exchange_new(struct echo *echo, struct ctx *ctx,
				     const char *request_id,
				     const char *message)
{
	size_t size = strlen(request_id) + 1;
	struct exchange *ex = malloc(sizeof(*ex) + size);

	if (ex == NULL) {
		abort();
	}
	/* All but the outcome's text, which is written when it is known. */
	memset(ex, 0, offsetof(struct exchange, outcome));
	ex->outcome.code = STATUS_OK;
	ex->outcome.message[0] = '\0';
	memcpy(ex->request_id, request_id, size);
	pthread_mutex_init(&ex->lock, NULL);
	atomic_init(&ex->refs, 1);
	echo_enter(echo);
	ex->echo = echo;
	ex->ctx = ctx_ref(ctx);
	ex->txn_ctx = ctx_new(echo->root, CLOCK_NEVER);
	ex->message = message;
	ex->begun_ns = clock_now_ns();
	ex->state = EXCHANGE_OPENING;
	ex->hook.fn = on_ended;
	ex->timer.fn = on_out_of_patience;
	ex->call.done = on_replied;
	return ex;
}

void exchange_start(struct echo *echo, struct ctx *ctx, const char *request_id,
		    const char *message, exchange_answer_fn answer, void *arg)
{
	struct exchange *ex = exchange_new(echo, ctx, request_id, message);

	ex->answer = answer;
	ex->answer_arg = arg;
	pthread_mutex_lock(&ex->lock);
	exchange_get(ex); /* the hook's */
	if (!ctx_hook_add(ex->ctx, &ex->hook)) {
		ex->ended = true;
		exchange_put(ex);
	}
	ex->doubt = echo_doubt(echo);
	ex->tried = ex->doubt == ECHO_SURE;
	exchange_step(ex);
	exchange_leave(ex);
	exchange_put(ex);
}
