/*
 * worker.WorkerService on an rpc_server: turns calls into tasks, and their
 * outcomes into replies. What the generated code makes stops here.
 */
#ifndef RESCIND_WORKER_GRPC_EDGE_H
#define RESCIND_WORKER_GRPC_EDGE_H

#include "rpc/server.h"
#include "worker/task.h"

/* The name under which health is told. */
#define WORKER_SERVICE_NAME "worker.WorkerService"

/* Bytes of a request at most: its fields at their bounds, and some to spare, so
 * that a field that is a little too long is told by name. */
enum { WORKER_MESSAGE_SIZE_MAX = 4 * TASK_DATA_SIZE_MAX };

/* Before the server starts. @worker must outlive it. */
MUSTCHECK enum status_code worker_edge_add(struct rpc_server *server,
					   struct worker *worker,
					   struct status *reterr);

/* An rpc_server_options.on_end that counts; @arg is the struct work_metrics. */
void worker_edge_on_end(const char *method, const struct status *status,
			enum ctx_cause cause, int64_t duration_ns, void *arg);

#endif
