/*
 * The port through which an exchange reaches the worker.
 * Implementations: grpc_worker.h (production), a table of replies (tests).
 */
#ifndef RESCIND_ECHO_WORKER_PORT_H
#define RESCIND_ECHO_WORKER_PORT_H

#include "ctx/ctx.h"
#include "status/status.h"

struct worker_port;

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

struct worker_port_ops {
	/*
	 * Ask for the task. The texts are used before this returns. The call is
	 * cancelled when @ctx ends, and carries its deadline.
	 */
	void (*do_work)(struct worker_port *port, struct ctx *ctx,
			const char *task_id, const char *data,
			struct worker_call *call);
	/* Whether a call made now would reach a worker. Any thread. */
	bool (*is_ready)(struct worker_port *port);
};

/* The first member of an implementation's own struct. */
struct worker_port {
	const struct worker_port_ops *ops;
};

#endif
