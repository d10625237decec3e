#include "worker/resolution.h"

#include <stdlib.h>
#include <string.h>

#include "failpoint/failpoint.h"
#include "worker/order.h"
#include "worker/store.h"

struct item {
	struct order order; /* first */
	struct resolution *resolution;
	char id[TWOPC_NAME_SIZE_MAX + 1];
};

struct resolution {
	struct worker *worker;
	struct ctx *ctx; /* a child of the caller's, which may be gone */
	resolution_done_fn done;
	void *arg;
	atomic_size_t left; /* orders, and whoever starts them */
	char coordinator[TWOPC_NAME_SIZE_MAX + 1];
	char over_below[TWOPC_NAME_SIZE_MAX + 1];
	struct twopc_prepared record; /* for the seal */
	struct twopc_seal seal;
	enum twopc_verdict verdicts[RESOLUTIONS_MAX];
	size_t n;
	size_t items_max;
	struct item items[];
};

/* ---- making ------------------------------------------------------------- */

struct resolution *resolution_new(struct worker *worker,
				  const char *coordinator, size_t n)
{
	struct resolution *r = malloc(sizeof(*r) + n * sizeof(struct item));

	if (r == NULL || n > RESOLUTIONS_MAX) {
		abort();
	}
	memset(r, 0, sizeof(*r));
	r->worker = worker;
	r->items_max = n;
	memcpy(r->coordinator, coordinator, strlen(coordinator) + 1);
	return r;
}

void resolution_add(struct resolution *resolution, const char *id,
		    enum twopc_order order)
{
	struct item *item = &resolution->items[resolution->n];

	if (resolution->n == resolution->items_max) {
		abort();
	}
	resolution->n++;
	memcpy(item->id, id, strlen(id) + 1);
	item->resolution = resolution;
	item->order.request = (struct twopc_request){
		.order = order,
		.coordinator = resolution->coordinator,
		.id = item->id,
	};
}

void resolution_free(struct resolution *resolution)
{
	if (resolution->ctx != NULL) {
		ctx_unref(resolution->ctx);
	}
	free(resolution);
}

/* ---- its end ------------------------------------------------------------ */

static void finish(struct resolution *r, const struct status *status)
{
	FAILPOINT("worker.resolve.answer.before");
	r->done(status, r->verdicts, r->n, r->arg);
	FAILPOINT("worker.resolve.answer.after");
	resolution_free(r);
}

static void on_sealed(struct twopc_seal *seal, const struct status *status)
{
	struct resolution *r =
		(struct resolution *)((char *)seal -
				      offsetof(struct resolution, seal));

	FAILPOINT("worker.resolve.seal.after");
	finish(r, status);
}

static void seal(struct resolution *r)
{
	r->record = (struct twopc_prepared){ .db = r->worker->db,
					     .base = WORKER_STORE_TWOPC };
	r->seal.coordinator = r->coordinator;
	r->seal.over_below = r->over_below;
	r->seal.done = on_sealed;
	FAILPOINT("worker.resolve.seal.before");
	twopc_prepared_seal(&r->record, r->ctx, &r->seal);
}

/* Another one is done; the last one goes on. */
static void count(struct resolution *r)
{
	const struct status ok = status_ok();

	if (atomic_fetch_sub(&r->left, 1) != 1) {
		return;
	}
	if (r->over_below[0] != '\0') {
		seal(r);
	} else {
		finish(r, &ok);
	}
}

/* ---- orders ------------------------------------------------------------- */

static void on_order_done(struct order *order, const struct status *status)
{
	struct item *item = (struct item *)order; /* its first member */
	struct resolution *r = item->resolution;

	(void)status; /* The verdict says it all. */
	r->verdicts[item - r->items] = order->request.verdict;
	count(r);
}

void resolution_start(struct resolution *resolution, struct ctx *ctx,
		      const char *over_below, resolution_done_fn done,
		      void *arg)
{
	size_t n = resolution->n;

	resolution->ctx = ctx_new(ctx, CLOCK_NEVER);
	resolution->done = done;
	resolution->arg = arg;
	memcpy(resolution->over_below, over_below, strlen(over_below) + 1);
	atomic_init(&resolution->left, n + 1);
	FAILPOINT("worker.resolve.start");
	for (size_t i = 0; i < n; i++) {
		order_carry_out(&resolution->items[i].order, resolution->worker,
				resolution->ctx, ORDER_BY_RESOLVER,
				on_order_done);
	}
	count(resolution);
}
