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
	ctx_unref(ex->own_ctx);
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
		.worker_committed = ex->echo->commit == ECHO_ONE_PHASE &&
				    ex->commit_ns != 0,
	};
}

void exchange_tell_diverged(const struct exchange *ex)
{
	const struct exchange_end end = end_of(ex);

	exchange_report_diverged(&end, ex->echo->metrics);
}

/* Log and count before the answer, so that who has it can look there. */
static void tell(struct exchange *ex)
{
	const struct exchange_end end = end_of(ex);
	const struct exchange_outcome outcome = {
		.how = ex->outcome.code != STATUS_OK ? HOW_FAILED
		       : ex->accepted		     ? HOW_ACCEPTED
						     : HOW_COMMITTED,
		.status = &ex->outcome,
		.request_id = ex->request_id,
	};

	exchange_report(&end, ex->echo->metrics);
	ex->answer(&outcome, ex->answer_arg);
}

void exchange_leave(struct exchange *ex)
{
	bool give_up = ex->give_up_due;
	bool answer = ex->answer_due;

	ex->give_up_due = false;
	ex->answer_due = false;
	pthread_mutex_unlock(&ex->lock);
	if (give_up) {
		struct status why;

		exchange_locked(ex, &why);
		ctx_end(ex->own_ctx, CTX_DATABASE, &why);
	}
	if (answer) {
		tell(ex);
	}
}

/* ---- news --------------------------------------------------------------- */

static void on_ended(struct ctx_hook *hook, struct ctx *ctx)
{
	struct exchange *ex = EXCHANGE_OF(hook, hook);

	(void)ctx;
	pthread_mutex_lock(&ex->lock);
	ex->ended = true;
	if (ex->state != EXCHANGE_COMMITTING &&
	    ex->state != EXCHANGE_ANSWERED) {
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

void exchange_take(void *owner)
{
	exchange_get(owner);
}

/* ---- start -------------------------------------------------------------- */

/* What our stream to the worker says of itself is the client's. */
static struct ctx *own_ctx_new(const struct echo *echo, struct ctx *ctx)
{
	struct ctx *own;

	if (echo->commit == ECHO_ONE_PHASE) {
		return ctx_new(echo->root, CLOCK_NEVER);
	}
	own = ctx_new(echo->root, ctx_deadline_ns(ctx));
	ctx_set_request_id(own, ctx_request_id(ctx));
	if (ctx_trace(ctx)->present) {
		ctx_set_trace(own, ctx_trace(ctx));
	}
	return own;
}

static struct exchange *exchange_new(struct echo *echo, struct ctx *ctx,
				     const struct exchange_ask *ask)
{
	size_t size = strlen(ask->request_id) + 1;
	struct exchange *ex = malloc(sizeof(*ex) + size);

	if (ex == NULL) {
		abort();
	}
	/* All but the outcome's text, which is written when it is known. */
	memset(ex, 0, offsetof(struct exchange, outcome));
	ex->outcome.code = STATUS_OK;
	ex->outcome.message[0] = '\0';
	memcpy(ex->request_id, ask->request_id, size);
	pthread_mutex_init(&ex->lock, NULL);
	atomic_init(&ex->refs, 1);
	echo_enter(echo);
	roster_enter(&echo->requests, &ex->live, ex->request_id);
	ex->echo = echo;
	ex->ctx = ctx_ref(ctx);
	ex->own_ctx = own_ctx_new(echo, ctx);
	ex->message = ask->message;
	ex->keep = ask->keep;
	ex->begun_ns = clock_now_ns();
	ex->state = EXCHANGE_OPENING;
	ex->hook.fn = on_ended;
	return ex;
}

void exchange_start(struct echo *echo, struct ctx *ctx,
		    const struct exchange_ask *ask, exchange_answer_fn answer,
		    void *arg)
{
	struct exchange *ex = exchange_new(echo, ctx, ask);

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
