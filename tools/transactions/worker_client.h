/*
 * Asking a worker, and waiting for its answer: for programs that have nothing
 * else to do.
 */
#ifndef RESCIND_TOOLS_WORKER_CLIENT_H
#define RESCIND_TOOLS_WORKER_CLIENT_H

#include "ctx/ctx.h"
#include "rpc/channel.h"

struct worker_client {
	struct loop *loop;
	struct ctx *root;
	struct rpc_poller *poller;
	struct rpc_channel *channel;
	int64_t timeout_ns; /* of each call */
};

/* On failure, too, to be closed. @tls may be NULL. */
MUSTCHECK enum status_code worker_client_open(struct worker_client *client,
					      const char *target,
					      const struct rpc_tls *tls,
					      int64_t timeout_ns,
					      struct status *reterr);
void worker_client_close(struct worker_client *client);

/* Valid inside the function alone. */
struct worker_transaction {
	const char *coordinator;
	const char *id;
	const char *state;  /* "prepared", "committed", "rolled back" */
	int64_t changed_ms; /* Unix time */
};

/*
 * Call @fn for each transaction of @coordinator ("": of all), ascending, page
 * after page; false ends it early.
 */
MUSTCHECK enum status_code worker_client_list(
	struct worker_client *client, const char *coordinator,
	bool in_doubt_only,
	bool (*fn)(const struct worker_transaction *transaction, void *arg),
	void *arg, struct status *reterr);

/* STATUS_OK when it was done, now or before; NOT_FOUND, FAILED_PRECONDITION. */
MUSTCHECK enum status_code worker_client_resolve(struct worker_client *client,
						 const char *coordinator,
						 const char *id, bool commit,
						 struct status *reterr);

#endif
