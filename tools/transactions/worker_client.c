#include "worker_client.h"

#include <semaphore.h>
#include <stdio.h>
#include <string.h>

#include "worker.pb-c.h"

enum {
	PAGE_SIZE = 256,
	NAME_SIZE = 65,
};

/* A page in the making; filled on the poller's thread while we wait. */
struct page {
	sem_t done;
	struct status status;
	bool (*fn)(const struct worker_transaction *transaction, void *arg);
	void *arg;
	bool more;		     /* and wanted */
	char coordinator[NAME_SIZE]; /* of the last */
	char id[NAME_SIZE];
};

/* ---- life --------------------------------------------------------------- */

enum status_code worker_client_open(struct worker_client *client,
				    const char *target,
				    const struct rpc_tls *tls,
				    int64_t timeout_ns, struct status *reterr)
{
	struct rpc_channel_options options;

	*client = (struct worker_client){ .timeout_ns = timeout_ns };
	if (loop_new(&client->loop, reterr) != STATUS_OK ||
	    ctx_root(client->loop, &client->root, reterr) != STATUS_OK ||
	    loop_start_thread(client->loop, reterr) != STATUS_OK ||
	    rpc_poller_new(&client->poller, reterr) != STATUS_OK) {
		return reterr->code;
	}
	rpc_channel_options_init(&options);
	options.target = target;
	options.tls = tls;
	return rpc_channel_new(client->poller, &options, &client->channel,
			       reterr);
}

void worker_client_close(struct worker_client *client)
{
	rpc_channel_free(client->channel);
	if (client->poller != NULL) {
		rpc_poller_free(client->poller);
	}
	if (client->root != NULL) {
		ctx_unref(client->root);
	}
	loop_free(client->loop);
}

static void call(struct worker_client *client, const char *method,
		 const ProtobufCMessage *request, rpc_unary_done_fn done,
		 void *arg)
{
	struct ctx *ctx = ctx_new(
		client->root, clock_add_ns(clock_now_ns(), client->timeout_ns));

	rpc_unary(client->channel, ctx, &worker__worker_service__descriptor,
		  method, request, NULL, done, arg);
	ctx_unref(ctx);
}

static void await(sem_t *done)
{
	while (sem_wait(done) != 0) {
	}
}

/* ---- listing ------------------------------------------------------------ */

static const char *state_name(Worker__Verdict state)
{
	switch (state) {
	case WORKER__VERDICT__PREPARED:
		return "prepared";
	case WORKER__VERDICT__COMMITTED:
		return "committed";
	case WORKER__VERDICT__ROLLED_BACK:
		return "rolled back";
	case WORKER__VERDICT__VERDICT_UNSPECIFIED:
	case WORKER__VERDICT__FAILED:
	case WORKER__VERDICT__UNKNOWN:
	case _WORKER__VERDICT_IS_INT_SIZE:
	default:
		return "?";
	}
}

static void take_page(struct page *page,
		      const Worker__ListTransactionsResponse *response)
{
	page->more = response->more && response->n_transactions > 0;
	for (size_t i = 0; i < response->n_transactions; i++) {
		const Worker__Transaction *t = response->transactions[i];
		const struct worker_transaction transaction = {
			.coordinator = t->coordinator,
			.id = t->transaction_id,
			.state = state_name(t->state),
			.changed_ms = t->changed_at_ms,
		};

		snprintf(page->coordinator, NAME_SIZE, "%s", t->coordinator);
		snprintf(page->id, NAME_SIZE, "%s", t->transaction_id);
		if (!page->fn(&transaction, page->arg)) {
			page->more = false;
			return;
		}
	}
}

static void on_page(const struct status *status,
		    const ProtobufCMessage *response,
		    const struct rpc_metadata *trailing, void *arg)
{
	struct page *page = arg;

	(void)trailing;
	page->status = *status;
	page->more = false;
	if (status->code == STATUS_OK) {
		take_page(page, (const void *)response);
	}
	sem_post(&page->done);
}

static void ask_page(struct worker_client *client, struct page *page,
		     const char *coordinator, bool in_doubt_only)
{
	Worker__ListTransactionsRequest request;

	worker__list_transactions_request__init(&request);
	/* protobuf-c's strings are not const, though packing only reads. */
	request.coordinator = (char *)(uintptr_t)coordinator;
	request.in_doubt_only = in_doubt_only;
	request.page_size = PAGE_SIZE;
	request.after_coordinator = page->coordinator;
	request.after_transaction_id = page->id;
	call(client, "ListTransactions", &request.base, on_page, page);
	await(&page->done);
}

enum status_code worker_client_list(
	struct worker_client *client, const char *coordinator,
	bool in_doubt_only,
	bool (*fn)(const struct worker_transaction *transaction, void *arg),
	void *arg, struct status *reterr)
{
	struct page page = { .fn = fn, .arg = arg };

	sem_init(&page.done, 0, 0);
	do {
		ask_page(client, &page, coordinator, in_doubt_only);
	} while (page.status.code == STATUS_OK && page.more);
	sem_destroy(&page.done);
	if (page.status.code != STATUS_OK) {
		*reterr = page.status;
	}
	return page.status.code;
}

/* ---- resolving ---------------------------------------------------------- */

struct resolution {
	sem_t done;
	struct status status;
	Worker__Verdict verdict;
};

static void on_resolved(const struct status *status,
			const ProtobufCMessage *message,
			const struct rpc_metadata *trailing, void *arg)
{
	const Worker__ResolveTransactionsResponse *response =
		(const void *)message;
	struct resolution *resolution = arg;

	(void)trailing;
	resolution->status = *status;
	if (status->code == STATUS_OK && response->n_verdicts == 1) {
		resolution->verdict = response->verdicts[0];
	}
	sem_post(&resolution->done);
}

static void ask_to_resolve(struct worker_client *client,
			   struct resolution *resolution,
			   const char *coordinator, const char *id, bool commit)
{
	Worker__ResolveTransactionsRequest request;
	Worker__Resolution one;
	Worker__Resolution *all[] = { &one };

	worker__resolution__init(&one);
	one.transaction_id = (char *)(uintptr_t)id;
	one.order = commit ? WORKER__ORDER__COMMIT : WORKER__ORDER__ROLLBACK;
	worker__resolve_transactions_request__init(&request);
	request.coordinator = (char *)(uintptr_t)coordinator;
	request.n_resolutions = 1;
	request.resolutions = all;
	call(client, "ResolveTransactions", &request.base, on_resolved,
	     resolution);
	await(&resolution->done);
}

static enum status_code judge(Worker__Verdict verdict, bool commit,
			      const char *id, struct status *reterr)
{
	Worker__Verdict wanted = commit ? WORKER__VERDICT__COMMITTED
					: WORKER__VERDICT__ROLLED_BACK;

	if (verdict == wanted) {
		return STATUS_OK;
	}
	if (verdict == WORKER__VERDICT__UNKNOWN) {
		return status_set(reterr, STATUS_NOT_FOUND,
				  "there is no transaction %s (any more)", id);
	}
	if (verdict == WORKER__VERDICT__FAILED) {
		return status_set(reterr, STATUS_UNAVAILABLE,
				  "the worker's database failed, %s is as it "
				  "was: try again",
				  id);
	}
	return status_set(reterr, STATUS_FAILED_PRECONDITION,
			  "transaction %s was %s already", id,
			  state_name(verdict));
}

enum status_code worker_client_resolve(struct worker_client *client,
				       const char *coordinator, const char *id,
				       bool commit, struct status *reterr)
{
	struct resolution resolution = { .verdict = WORKER__VERDICT__FAILED };

	sem_init(&resolution.done, 0, 0);
	ask_to_resolve(client, &resolution, coordinator, id, commit);
	sem_destroy(&resolution.done);
	if (resolution.status.code != STATUS_OK) {
		*reterr = resolution.status;
		return reterr->code;
	}
	return judge(resolution.verdict, commit, id, reterr);
}
