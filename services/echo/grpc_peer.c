/* What the keeper asks the worker: unary calls, of which one is under way. */
#include "echo/grpc_worker.h"
#include "failpoint/failpoint.h"
#include "worker.pb-c.h"

/* ---- listing ------------------------------------------------------------ */

static void tell_listed(struct twopc_peer_call *call,
			const Worker__ListTransactionsResponse *response)
{
	const char *ids[TWOPC_BATCH_MAX];
	struct status status = status_ok();

	if (response->n_transactions > TWOPC_BATCH_MAX) {
		status_set(&status, STATUS_INTERNAL,
			   "the worker lists more than it was asked for");
		call->listed(call, &status, NULL, 0, false);
		return;
	}
	for (size_t i = 0; i < response->n_transactions; i++) {
		ids[i] = response->transactions[i]->transaction_id;
	}
	call->listed(call, &status, ids, response->n_transactions,
		     response->more != 0);
}

static void on_listed(const struct status *status,
		      const ProtobufCMessage *response,
		      const struct rpc_metadata *trailing, void *arg)
{
	struct twopc_peer_call *call = arg;

	(void)trailing;
	FAILPOINT("echo.resolver.listed");
	if (status->code == STATUS_OK) {
		tell_listed(call, (const void *)response);
	} else {
		call->listed(call, status, NULL, 0, false);
	}
}

static void list(struct twopc_peer *peer, struct ctx *ctx,
		 const char *coordinator, const char *after, size_t ids_max,
		 struct twopc_peer_call *call)
{
	Worker__ListTransactionsRequest request;

	worker__list_transactions_request__init(&request);
	/* protobuf-c's strings are not const, though packing only reads. */
	request.coordinator = (char *)(uintptr_t)coordinator;
	request.in_doubt_only = true;
	request.page_size = (int32_t)ids_max;
	request.after_coordinator = (char *)(uintptr_t)coordinator;
	request.after_transaction_id = (char *)(uintptr_t)after;
	FAILPOINT("echo.resolver.list.before");
	rpc_unary(GRPC_WORKER_OF(peer, peer)->channel, ctx,
		  &worker__worker_service__descriptor, "ListTransactions",
		  &request.base, NULL, on_listed, call);
	FAILPOINT("echo.resolver.list.after");
}

/* ---- resolving ---------------------------------------------------------- */

static void tell_resolved(struct twopc_peer_call *call, size_t items_n,
			  const Worker__ResolveTransactionsResponse *response)
{
	enum twopc_verdict verdicts[TWOPC_BATCH_MAX];
	struct status status = status_ok();

	if (response->n_verdicts != items_n) {
		status_set(&status, STATUS_INTERNAL,
			   "the worker answers %zu orders with %zu verdicts",
			   items_n, response->n_verdicts);
		call->resolved(call, &status, NULL);
		return;
	}
	for (size_t i = 0; i < items_n; i++) {
		verdicts[i] = grpc_exchange_verdict((int)response->verdicts[i]);
	}
	call->resolved(call, &status, verdicts);
}

static void on_resolved(const struct status *status,
			const ProtobufCMessage *response,
			const struct rpc_metadata *trailing, void *arg)
{
	struct grpc_worker *worker = arg;
	struct twopc_peer_call *call = worker->resolving;

	(void)trailing;
	FAILPOINT("echo.resolver.resolved");
	if (status->code == STATUS_OK) {
		tell_resolved(call, worker->resolving_n,
			      (const void *)response);
	} else {
		call->resolved(call, status, NULL);
	}
}

static Worker__Order wire_order(enum twopc_order order)
{
	return order == TWOPC_ORDER_COMMIT ? WORKER__ORDER__COMMIT
					   : WORKER__ORDER__ROLLBACK;
}

static void resolve(struct twopc_peer *peer, struct ctx *ctx,
		    const char *coordinator, const struct twopc_item *items,
		    size_t items_n, const char *over_below,
		    struct twopc_peer_call *call)
{
	struct grpc_worker *worker = GRPC_WORKER_OF(peer, peer);
	Worker__ResolveTransactionsRequest request;
	Worker__Resolution resolutions[TWOPC_BATCH_MAX];
	Worker__Resolution *pointers[TWOPC_BATCH_MAX];

	worker__resolve_transactions_request__init(&request);
	for (size_t i = 0; i < items_n; i++) {
		worker__resolution__init(&resolutions[i]);
		resolutions[i].transaction_id = (char *)(uintptr_t)items[i].id;
		resolutions[i].order = wire_order(items[i].order);
		pointers[i] = &resolutions[i];
	}
	request.coordinator = (char *)(uintptr_t)coordinator;
	request.n_resolutions = items_n;
	request.resolutions = pointers;
	request.over_below = (char *)(uintptr_t)over_below;
	worker->resolving = call;
	worker->resolving_n = items_n;
	FAILPOINT("echo.resolver.resolve.before");
	rpc_unary(worker->channel, ctx, &worker__worker_service__descriptor,
		  "ResolveTransactions", &request.base, NULL, on_resolved,
		  worker);
	FAILPOINT("echo.resolver.resolve.after");
}

const struct twopc_peer_ops grpc_peer_ops = { .list = list,
					      .resolve = resolve };
