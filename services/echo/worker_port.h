/*
 * The port through which an exchange reaches the worker.
 * Implementations: grpc_worker.h (production), a table of replies (tests).
 * What resolves transactions goes through twopc/keeper.h's own port.
 */
#ifndef RESCIND_ECHO_WORKER_PORT_H
#define RESCIND_ECHO_WORKER_PORT_H

#include "ctx/ctx.h"
#include "status/status.h"
#include "twopc/rule.h"

struct worker_port;

/* ---- in one phase ------------------------------------------------------- */

/*
 * A call under way, part of its owner's object; the owner fills in @done.
 * @done is called exactly once, on any thread, never inside do_work(). With
 * code OK the worker has committed and @message is what it says (valid inside
 * the function, may be cut); otherwise it has not, as far as is known.
 */
struct worker_call {
	void (*done)(struct worker_call *call, const struct status *status,
		     const char *message);
};

/* ---- in two phases ------------------------------------------------------ */

/* What the worker is asked for; used before prepare() returns. */
struct worker_order {
	const char *coordinator;
	const char *transaction_id;
	const char *task_id;
	const char *data;
};

/*
 * An exchange under way, part of its owner's object; the owner fills in the
 * functions. They are called on any thread, one at a time, never inside a call
 * of the port.
 */
struct worker_link {
	/* What the worker says of the transaction: PREPARED, COMMITTED or
	 * ROLLED_BACK, and a message (valid inside the function). */
	void (*said)(struct worker_link *link, enum twopc_verdict verdict,
		     const char *message);
	/*
	 * Exactly once, and the last: nothing more will come, or reach the
	 * worker. OK where it ended the exchange in order; else its refusal, or
	 * why it can't be reached. The owner gives no order after this has
	 * returned.
	 */
	void (*ended)(struct worker_link *link, const struct status *status);

	void *stream; /* the port's own */
};

/* ---- the port ----------------------------------------------------------- */

struct worker_port_ops {
	/*
	 * Ask for the task. The texts are used before this returns. The call is
	 * cancelled when @ctx ends, and carries its deadline.
	 */
	void (*do_work)(struct worker_port *port, struct ctx *ctx,
			const char *task_id, const char *data,
			struct worker_call *call);
	/*
	 * Begin an exchange, and have the task prepared. It is broken off when
	 * @ctx ends, and carries its deadline.
	 */
	void (*prepare)(struct worker_port *port, struct ctx *ctx,
			const struct worker_order *order,
			struct worker_link *link);
	/* The last order; one of the two, once. */
	void (*commit)(struct worker_port *port, struct worker_link *link);
	void (*rollback)(struct worker_port *port, struct worker_link *link);
	/* Whether a call made now would reach a worker. Any thread. */
	bool (*is_ready)(struct worker_port *port);
};

/* The first member of an implementation's own struct. */
struct worker_port {
	const struct worker_port_ops *ops;
};

#endif
