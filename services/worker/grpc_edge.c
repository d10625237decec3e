#include "worker/grpc_edge.h"

#include "failpoint/failpoint.h"
#include "log/log.h"
#include "worker.pb-c.h"
#include "worker/exchange_edge.h"
#include "worker/transactions_edge.h"
#include "worker_schema.h"

static void reply(const struct status *outcome, void *arg)
{
	Worker__WorkResponse response;
	struct rpc_call *call = arg;

	FAILPOINT("worker.reply.before");
	if (outcome->code != STATUS_OK) {
		rpc_call_finish(call, outcome, NULL, 0);
		return;
	}
	worker__work_response__init(&response);
	response.success = true;
	/* protobuf-c's strings are not const, though packing only reads. */
	response.message = (char *)(uintptr_t)outcome->message;
	rpc_call_reply(call, &response.base);
	FAILPOINT("worker.reply.after");
}

static void do_work(struct rpc_call *call, const ProtobufCMessage *request,
		    void *self)
{
	const Worker__WorkRequest *work = (const void *)request;

	FAILPOINT("worker.request");
	task_start(self, rpc_call_ctx(call), work->task_id, work->data, reply,
		   call);
}

enum status_code worker_edge_add(struct rpc_server *server,
				 struct worker *worker, struct status *reterr)
{
	static const struct rpc_method methods[] = {
		{ "DoWork", .unary = do_work },
		{ "Exchange", .stream = exchange_edge },
		{ "ListTransactions", .unary = list_transactions,
		  .always = true },
		{ "ResolveTransactions", .unary = resolve_transactions,
		  .always = true },
		{ NULL },
	};

	return rpc_server_add_service(server,
				      &worker__worker_service__descriptor,
				      &worker_schema, methods, worker, reterr);
}

void worker_edge_on_end(const char *method, const struct status *status,
			enum ctx_cause cause, int64_t duration_ns, void *arg)
{
	work_metrics_rpc(arg, WORK_SERVER, status->code);
	log_debug(NULL,
		  LOG_FIELDS(LOG_STR("code", status_code_name(status->code)),
			     LOG_STR("cause", ctx_cause_name(cause)),
			     LOG_MS("after_ms", duration_ns)),
		  "Call of %s ended", method);
}
