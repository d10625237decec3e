/*
 * An order carried out at the durable record (twopc/prepared.h), with what the
 * log and the metrics have to say of it. The record applies a commit by
 * inserting the task that was prepared.
 *
 * Those of the stream that prepared it are reported by that one (branch.h);
 * here are the others, by which what was in doubt is resolved:
 *
 *	TRANSACTION COMMITTED for task_id=t1 transaction=... coordinator=...
 *		by=resolver
 *	TRANSACTION ROLLED BACK for transaction=... coordinator=... by=stream
 *
 * and, for all, what no coordinator can ask for that keeps to the protocol.
 */
#ifndef RESCIND_WORKER_ORDER_H
#define RESCIND_WORKER_ORDER_H

#include "twopc/prepared.h"
#include "worker/work.h"
#include "worker/worker.h"

/* Who gave it. */
enum order_by {
	ORDER_BY_OWNER,	   /* the stream that did the work */
	ORDER_BY_STREAM,   /* another one */
	ORDER_BY_RESOLVER, /* ResolveTransactions */
};

/* Part of its owner's object; the fields are for @done to read. */
struct order {
	struct twopc_request request;
	char task_id[TASK_ID_SIZE_MAX + 1]; /* what it committed; else "" */

	struct twopc_prepared record; /* its own */
	struct worker *worker;
	enum order_by by;
	void (*done)(struct order *order, const struct status *status);
};

/* Whether it was this order that committed, or rolled back, what was prepared;
 * for @done. */
bool order_committed(const struct order *order);
bool order_rolled_back(const struct order *order);

/*
 * Carry out order->request, of which all but the end was filled in, on @ctx:
 * as twopc_prepared_do(). @done as its own, after the report.
 */
void order_carry_out(struct order *order, struct worker *worker,
		     struct ctx *ctx, enum order_by by,
		     void (*done)(struct order *order,
				  const struct status *status));

#endif
