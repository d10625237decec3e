#include "worker/worker.h"

#include "worker/store.h"

void worker_open(struct worker *worker, struct ctx *root)
{
	worker->ctx = ctx_new(root, CLOCK_NEVER);
	doubt_start(&worker->doubt, worker->db, WORKER_STORE_TWOPC, worker->ctx,
		    worker->metrics);
}

void worker_close(struct worker *worker)
{
	if (worker->ctx == NULL) {
		return;
	}
	doubt_stop(&worker->doubt);
	(void)ctx_end(worker->ctx, CTX_SHUTDOWN, NULL);
}

void worker_release(struct worker *worker)
{
	if (worker->ctx != NULL) {
		ctx_unref(worker->ctx);
		worker->ctx = NULL;
	}
}
