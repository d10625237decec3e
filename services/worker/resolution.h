/*
 * A coordinator's orders for transactions whose stream is gone, carried out
 * together, so that they share what the disk costs; then, if it says so, what
 * is over is sealed.
 *
 *	struct resolution *r = resolution_new(worker, coordinator, n);
 *
 *	resolution_add(r, id, TWOPC_ORDER_COMMIT);	// n times
 *	resolution_start(r, ctx, over_below, done, arg);
 *
 * Threads: any.
 */
#ifndef RESCIND_WORKER_RESOLUTION_H
#define RESCIND_WORKER_RESOLUTION_H

#include "twopc/rule.h"
#include "worker/worker.h"

enum { RESOLUTIONS_MAX = 512 };

struct resolution;

/* @coordinator is a valid name, copied; at most @n orders. */
struct resolution *resolution_new(struct worker *worker,
				  const char *coordinator, size_t n);
/* @id is a valid name, copied; COMMIT or ROLLBACK. */
void resolution_add(struct resolution *resolution, const char *id,
		    enum twopc_order order);
/* One that is not started. */
void resolution_free(struct resolution *resolution);

/*
 * The outcome, exactly once, on the database's thread or inside
 * resolution_start(). @status is that of the seal; a verdict for each order, in
 * their order, valid inside the function.
 */
typedef void (*resolution_done_fn)(const struct status *status,
				   const enum twopc_verdict *verdicts, size_t n,
				   void *arg);

/*
 * Begin, and free it in the end. When @ctx ends, what the database has not
 * taken by then is not done, and its verdict is FAILED. @over_below is "" for
 * nothing, else a valid name; copied.
 */
void resolution_start(struct resolution *resolution, struct ctx *ctx,
		      const char *over_below, resolution_done_fn done,
		      void *arg);

#endif
