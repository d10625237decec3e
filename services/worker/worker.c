#include "worker/worker.h"

#include "worker/store.h"

/* What an order still gets once its caller's time is over. */
enum { LAST_CALL_NS = 1 * NS_PER_S };

void worker_open(struct worker *worker, struct ctx *root)
{
	worker->ctx = ctx_new(root, CLOCK_NEVER);
	doubt_start(&worker->doubt, worker->db, WORKER_STORE_TWOPC, worker->ctx,
		    worker->metrics);
}

static void on_last_call(struct loop_timer *timer, int64_t late_ns)
{
	struct worker *worker =
		(struct worker *)((char *)timer -
				  offsetof(struct worker, last_call));

	(void)late_ns;
	(void)ctx_end(worker->ctx, CTX_SHUTDOWN, NULL);
}

void worker_last_call(struct worker *worker)
{
	if (atomic_exchange(&worker->called, true)) {
		return;
	}
	worker->last_call.fn = on_last_call;
	loop_timer_start(ctx_loop(worker->ctx), &worker->last_call,
			 clock_now_ns() + LAST_CALL_NS);
}

void worker_close(struct worker *worker)
{
	if (worker->ctx == NULL) {
		return;
	}
	doubt_stop(&worker->doubt);
	atomic_store(&worker->called, true);
	(void)loop_timer_stop(ctx_loop(worker->ctx), &worker->last_call);
	(void)ctx_end(worker->ctx, CTX_SHUTDOWN, NULL);
}

void worker_release(struct worker *worker)
{
	if (worker->ctx != NULL) {
		ctx_unref(worker->ctx);
		worker->ctx = NULL;
	}
}
