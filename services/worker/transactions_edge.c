#include "worker/transactions_edge.h"

#include <stdlib.h>
#include <string.h>

#include "failpoint/failpoint.h"
#include "twopc/prepared.h"
#include "worker.pb-c.h"
#include "worker/names.h"
#include "worker/resolution.h"
#include "worker/store.h"
#include "worker/worker.h"

/* ---- both --------------------------------------------------------------- */

static bool admit(struct worker *worker, struct rpc_call *call)
{
	struct status full;

	if (atomic_fetch_add(&worker->inquiries, 1) < INQUIRIES_MAX) {
		return true;
	}
	atomic_fetch_sub(&worker->inquiries, 1);
	status_set(&full, STATUS_RESOURCE_EXHAUSTED,
		   "too many calls about transactions (limit %d)",
		   INQUIRIES_MAX);
	rpc_call_finish(call, &full, NULL, 0);
	return false;
}

static void leave(struct worker *worker)
{
	atomic_fetch_sub(&worker->inquiries, 1);
}

static void *allocate(size_t n, size_t size)
{
	void *memory = calloc(n > 0 ? n : 1, size);

	if (memory == NULL) {
		abort();
	}
	return memory;
}

/* ---- ListTransactions --------------------------------------------------- */

struct list_call {
	struct twopc_listing listing; /* first */
	struct twopc_prepared record;
	struct worker *worker;
	struct rpc_call *call;
};

static void list_reply(struct list_call *list)
{
	Worker__ListTransactionsResponse response =
		WORKER__LIST_TRANSACTIONS_RESPONSE__INIT;
	size_t n = list->listing.rows_n;
	Worker__Transaction *rows = allocate(n, sizeof(*rows));
	Worker__Transaction **pointers =
		allocate(n, sizeof(Worker__Transaction *));

	for (size_t i = 0; i < n; i++) {
		struct twopc_prepared_row *row = &list->listing.rows[i];

		worker__transaction__init(&rows[i]);
		rows[i].coordinator = row->coordinator;
		rows[i].transaction_id = row->id;
		rows[i].state = verdict_of_row(row->row);
		rows[i].changed_at_ms = row->changed_ms;
		pointers[i] = &rows[i];
	}
	response.n_transactions = n;
	response.transactions = pointers;
	response.more = list->listing.more;
	rpc_call_reply(list->call, &response.base);
	free(pointers);
	free(rows);
}

static void on_listed(struct twopc_listing *listing,
		      const struct status *status)
{
	struct list_call *list = (struct list_call *)listing;

	FAILPOINT("worker.list.done");
	leave(list->worker);
	if (status->code == STATUS_OK) {
		list_reply(list);
	} else {
		rpc_call_finish(list->call, status, NULL, 0);
	}
	free(listing->rows);
	free(list);
}

static enum status_code
check_list(const Worker__ListTransactionsRequest *request,
	   struct status *reterr)
{
	const char *after = request->after_coordinator;
	bool of_one = request->coordinator[0] != '\0';

	if (name_check_optional("coordinator", request->coordinator, reterr) !=
		    STATUS_OK ||
	    name_check_optional("after_coordinator", after, reterr) !=
		    STATUS_OK ||
	    name_check_optional("after_transaction_id",
				request->after_transaction_id,
				reterr) != STATUS_OK) {
		return reterr->code;
	}
	if (request->page_size < 0) {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "page_size must not be negative");
	}
	if (of_one && after[0] != '\0' &&
	    strcmp(after, request->coordinator) != 0) {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "after_coordinator must be the coordinator "
				  "whose transactions are asked for");
	}
	if (!of_one && after[0] == '\0' &&
	    request->after_transaction_id[0] != '\0') {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "after_coordinator must be given with "
				  "after_transaction_id");
	}
	return STATUS_OK;
}

void list_transactions(struct rpc_call *call, const ProtobufCMessage *message,
		       void *self)
{
	const Worker__ListTransactionsRequest *request = (const void *)message;
	struct worker *worker = self;
	struct list_call *list;
	struct status bad;
	size_t n = LIST_PAGE_MAX;

	FAILPOINT("worker.list.received");
	if (check_list(request, &bad) != STATUS_OK) {
		rpc_call_finish(call, &bad, NULL, 0);
		return;
	}
	if (!admit(worker, call)) {
		return;
	}
	if (request->page_size > 0 && request->page_size < LIST_PAGE_MAX) {
		n = (size_t)request->page_size;
	}
	list = allocate(1, sizeof(*list));
	list->worker = worker;
	list->call = call;
	list->record = (struct twopc_prepared){ .db = worker->db,
						.base = WORKER_STORE_TWOPC };
	list->listing = (struct twopc_listing){
		.coordinator = request->coordinator,
		.in_doubt_only = request->in_doubt_only,
		.after_coordinator = request->after_coordinator,
		.after_id = request->after_transaction_id,
		.rows = allocate(n, sizeof(struct twopc_prepared_row)),
		.rows_max = n,
		.done = on_listed,
	};
	twopc_prepared_list(&list->record, rpc_call_ctx(call), &list->listing);
}

/* ---- ResolveTransactions ------------------------------------------------ */

struct resolve_call {
	struct worker *worker;
	struct rpc_call *call;
};

static void resolve_reply(struct rpc_call *call,
			  const enum twopc_verdict *verdicts, size_t n)
{
	Worker__ResolveTransactionsResponse response =
		WORKER__RESOLVE_TRANSACTIONS_RESPONSE__INIT;
	Worker__Verdict wire[RESOLUTIONS_MAX];

	for (size_t i = 0; i < n; i++) {
		wire[i] = verdict_to_wire(verdicts[i]);
	}
	response.n_verdicts = n;
	response.verdicts = wire;
	rpc_call_reply(call, &response.base);
}

static void on_resolved(const struct status *status,
			const enum twopc_verdict *verdicts, size_t n, void *arg)
{
	struct resolve_call *resolve = arg;

	leave(resolve->worker);
	if (status->code == STATUS_OK) {
		resolve_reply(resolve->call, verdicts, n);
	} else {
		rpc_call_finish(resolve->call, status, NULL, 0);
	}
	free(resolve);
}

static enum status_code check_item(const Worker__Resolution *item, size_t i,
				   struct status *reterr)
{
	if (name_check("transaction_id", item->transaction_id, reterr) !=
	    STATUS_OK) {
		return status_wrap(reterr, "resolutions[%zu]", i);
	}
	if (item->order != WORKER__ORDER__COMMIT &&
	    item->order != WORKER__ORDER__ROLLBACK) {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "resolutions[%zu]: order must be COMMIT or "
				  "ROLLBACK",
				  i);
	}
	return STATUS_OK;
}

static enum status_code
check_resolve(const Worker__ResolveTransactionsRequest *request,
	      struct status *reterr)
{
	if (name_check("coordinator", request->coordinator, reterr) !=
		    STATUS_OK ||
	    name_check_optional("over_below", request->over_below, reterr) !=
		    STATUS_OK) {
		return reterr->code;
	}
	if (request->n_resolutions > RESOLUTIONS_MAX) {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "resolutions must not be more than %d",
				  RESOLUTIONS_MAX);
	}
	for (size_t i = 0; i < request->n_resolutions; i++) {
		if (check_item(request->resolutions[i], i, reterr) !=
		    STATUS_OK) {
			return reterr->code;
		}
	}
	return STATUS_OK;
}

void resolve_transactions(struct rpc_call *call,
			  const ProtobufCMessage *message, void *self)
{
	const Worker__ResolveTransactionsRequest *request =
		(const void *)message;
	struct worker *worker = self;
	struct resolve_call *resolve;
	struct resolution *resolution;
	struct status bad;

	FAILPOINT("worker.resolve.received");
	if (check_resolve(request, &bad) != STATUS_OK) {
		rpc_call_finish(call, &bad, NULL, 0);
		return;
	}
	if (!admit(worker, call)) {
		return;
	}
	resolve = allocate(1, sizeof(*resolve));
	*resolve = (struct resolve_call){ worker, call };
	resolution = resolution_new(worker, request->coordinator,
				    request->n_resolutions);
	for (size_t i = 0; i < request->n_resolutions; i++) {
		const Worker__Resolution *item = request->resolutions[i];

		resolution_add(resolution, item->transaction_id,
			       item->order == WORKER__ORDER__COMMIT
				       ? TWOPC_ORDER_COMMIT
				       : TWOPC_ORDER_ROLLBACK);
	}
	resolution_start(resolution, rpc_call_ctx(call), request->over_below,
			 on_resolved, resolve);
}
