#include "harness/coordinator.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* protobuf-c's strings are not const, though packing only reads. */
#define TEXT(text) ((char *)(uintptr_t)(text))

static void must(enum status_code code, const struct status *status)
{
	ck_assert_msg(code == STATUS_OK, "%s", status->message);
}

void coordinator_open(struct coordinator *coordinator, const char *name,
		      int grpc_port)
{
	struct rpc_channel_options options;
	struct status bad;
	char target[64];

	memset(coordinator, 0, sizeof(*coordinator));
	coordinator->patience_ms = PATIENCE_MS;
	snprintf(coordinator->name, sizeof(coordinator->name), "%s", name);
	must(loop_new(&coordinator->loop, &bad), &bad);
	must(ctx_root(coordinator->loop, &coordinator->root, &bad), &bad);
	must(loop_start_thread(coordinator->loop, &bad), &bad);
	must(rpc_poller_new(&coordinator->poller, &bad), &bad);
	rpc_channel_options_init(&options);
	snprintf(target, sizeof(target), "localhost:%d", grpc_port);
	options.target = target;
	options.wait_for_ready = true;
	must(rpc_channel_new(coordinator->poller, &options,
			     &coordinator->channel, &bad),
	     &bad);
}

void coordinator_close(struct coordinator *coordinator)
{
	rpc_channel_free(coordinator->channel);
	rpc_poller_free(coordinator->poller);
	ctx_unref(coordinator->root);
	loop_free(coordinator->loop);
}

/* ---- waiting ------------------------------------------------------------- */

static void wait_init(pthread_mutex_t *lock, pthread_cond_t *changed)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(changed, &attr);
	pthread_condattr_destroy(&attr);
	pthread_mutex_init(lock, NULL);
}

/* Under the lock. */
static void wait_for_news(pthread_mutex_t *lock, pthread_cond_t *changed,
			  int64_t until_ms)
{
	struct timespec until = { until_ms / 1000, until_ms % 1000 * 1000000 };
	int rc = pthread_cond_timedwait(changed, lock, &until);

	ck_assert_msg(rc == 0, "waited in vain for an exchange");
}

/* ---- a stream ------------------------------------------------------------ */

static void on_message(struct rpc_stream *stream,
		       const ProtobufCMessage *message, void *arg)
{
	const Worker__ExchangeResponse *response = (const void *)message;
	struct exchange *ex = arg;

	pthread_mutex_lock(&ex->lock);
	ck_assert_uint_lt(ex->said_n, EXCHANGE_SAID_MAX);
	ex->said[ex->said_n++] = response->verdict;
	snprintf(ex->message, sizeof(ex->message), "%s", response->message);
	pthread_cond_broadcast(&ex->changed);
	pthread_mutex_unlock(&ex->lock);
	rpc_stream_receive(stream);
}

static void on_sent(struct rpc_stream *stream, bool ok, void *arg)
{
	struct exchange *ex = arg;

	(void)stream;
	(void)ok;
	pthread_mutex_lock(&ex->lock);
	ex->sending = false;
	pthread_cond_broadcast(&ex->changed);
	pthread_mutex_unlock(&ex->lock);
}

static void on_end(struct rpc_stream *stream, const struct status *status,
		   const struct rpc_metadata *trailing, void *arg)
{
	struct exchange *ex = arg;

	(void)stream;
	(void)trailing;
	pthread_mutex_lock(&ex->lock);
	ex->ended = true;
	ex->end = *status;
	pthread_cond_broadcast(&ex->changed);
	pthread_mutex_unlock(&ex->lock);
}

void exchange_open_for(struct exchange *exchange,
		       struct coordinator *coordinator, const char *id,
		       int timeout_ms)
{
	static const struct rpc_stream_callbacks callbacks = {
		.on_message = on_message,
		.on_sent = on_sent,
		.on_end = on_end,
	};

	memset(exchange, 0, sizeof(*exchange));
	wait_init(&exchange->lock, &exchange->changed);
	exchange->coordinator = coordinator;
	snprintf(exchange->id, sizeof(exchange->id), "%s", id);
	exchange->ctx =
		ctx_new(coordinator->root,
			clock_now_ns() + timeout_ms * (int64_t)NS_PER_MS);
	exchange->stream =
		rpc_stream_open(coordinator->channel, exchange->ctx,
				&worker__worker_service__descriptor, "Exchange",
				NULL, &callbacks, exchange);
	rpc_stream_receive(exchange->stream);
}

void exchange_open(struct exchange *exchange, struct coordinator *coordinator,
		   const char *id)
{
	exchange_open_for(exchange, coordinator, id, 10 * PATIENCE_MS);
}

void exchange_send(struct exchange *exchange,
		   const Worker__ExchangeRequest *request)
{
	int64_t until_ms = now_ms() + PATIENCE_MS;

	pthread_mutex_lock(&exchange->lock);
	exchange->sending = true;
	pthread_mutex_unlock(&exchange->lock);
	rpc_stream_send(exchange->stream, &request->base);
	pthread_mutex_lock(&exchange->lock);
	while (exchange->sending && !exchange->ended) {
		wait_for_news(&exchange->lock, &exchange->changed, until_ms);
	}
	pthread_mutex_unlock(&exchange->lock);
}

static void give(struct exchange *ex, Worker__Order order,
		 Worker__WorkRequest *work)
{
	Worker__ExchangeRequest request = WORKER__EXCHANGE_REQUEST__INIT;

	request.order = order;
	request.work = work;
	if (!ex->named) {
		ex->named = true;
		request.coordinator = ex->coordinator->name;
		request.transaction_id = ex->id;
	}
	exchange_send(ex, &request);
}

void exchange_prepare(struct exchange *exchange, const char *task_id,
		      const char *data)
{
	Worker__WorkRequest work = WORKER__WORK_REQUEST__INIT;

	work.task_id = TEXT(task_id);
	work.data = TEXT(data);
	give(exchange, WORKER__ORDER__PREPARE, &work);
}

void exchange_order(struct exchange *exchange, Worker__Order order)
{
	give(exchange, order, NULL);
}

void exchange_half_close(struct exchange *exchange)
{
	rpc_stream_close_send(exchange->stream);
}

void exchange_cancel(struct exchange *exchange)
{
	rpc_stream_cancel(exchange->stream);
}

Worker__Verdict exchange_next(struct exchange *exchange)
{
	int64_t until_ms = now_ms() + PATIENCE_MS;
	Worker__Verdict verdict = WORKER__VERDICT__VERDICT_UNSPECIFIED;

	pthread_mutex_lock(&exchange->lock);
	while (exchange->read_n == exchange->said_n && !exchange->ended) {
		wait_for_news(&exchange->lock, &exchange->changed, until_ms);
	}
	if (exchange->read_n < exchange->said_n) {
		verdict = exchange->said[exchange->read_n++];
	}
	pthread_mutex_unlock(&exchange->lock);
	return verdict;
}

enum status_code exchange_end(struct exchange *exchange)
{
	int64_t until_ms = now_ms() + PATIENCE_MS;

	pthread_mutex_lock(&exchange->lock);
	while (!exchange->ended) {
		wait_for_news(&exchange->lock, &exchange->changed, until_ms);
	}
	pthread_mutex_unlock(&exchange->lock);
	return exchange->end.code;
}

void exchange_expect_end(struct exchange *exchange, enum status_code code)
{
	ck_assert_int_eq(exchange_next(exchange),
			 WORKER__VERDICT__VERDICT_UNSPECIFIED);
	ck_assert_msg(exchange_end(exchange) == code, "%s, not %s: %s",
		      status_code_name(exchange->end.code),
		      status_code_name(code), exchange->end.message);
}

void exchange_close(struct exchange *exchange)
{
	exchange_cancel(exchange);
	(void)exchange_end(exchange);
	rpc_stream_release(exchange->stream);
	ctx_unref(exchange->ctx);
	pthread_cond_destroy(&exchange->changed);
	pthread_mutex_destroy(&exchange->lock);
}

void exchange_leave_in_doubt(struct coordinator *coordinator, const char *id,
			     const char *task_id)
{
	struct exchange ex;

	exchange_open(&ex, coordinator, id);
	exchange_prepare(&ex, task_id, "data");
	exchange_half_close(&ex);
	ck_assert_int_eq(exchange_next(&ex), WORKER__VERDICT__PREPARED);
	exchange_expect_end(&ex, STATUS_OK);
	exchange_close(&ex);
}

/* ---- orders without a stream --------------------------------------------- */

struct waiting {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool done;
	struct listed *listed;
	struct resolved *resolved;
};

static void take_list(struct listed *listed,
		      const Worker__ListTransactionsResponse *response)
{
	const Worker__Transaction *last;

	listed->n = response->n_transactions;
	listed->more = response->more;
	if (listed->n == 0) {
		return;
	}
	last = response->transactions[listed->n - 1];
	snprintf(listed->first, sizeof(listed->first), "%s",
		 response->transactions[0]->transaction_id);
	snprintf(listed->last, sizeof(listed->last), "%s",
		 last->transaction_id);
	snprintf(listed->last_coordinator, sizeof(listed->last_coordinator),
		 "%s", last->coordinator);
	listed->last_state = last->state;
	for (size_t i = 1; i < listed->n; i++) {
		ck_assert_int_ne(response->transactions[i]->changed_at_ms, 0);
	}
}

static void take_verdicts(struct resolved *resolved,
			  const Worker__ResolveTransactionsResponse *response)
{
	ck_assert_uint_le(response->n_verdicts, RESOLVED_MAX);
	resolved->n = response->n_verdicts;
	for (size_t i = 0; i < resolved->n; i++) {
		resolved->verdicts[i] = response->verdicts[i];
	}
}

static void on_done(const struct status *status,
		    const ProtobufCMessage *response,
		    const struct rpc_metadata *trailing, void *arg)
{
	struct waiting *waiting = arg;

	(void)trailing;
	pthread_mutex_lock(&waiting->lock);
	waiting->done = true;
	if (waiting->listed != NULL) {
		waiting->listed->status = *status;
		if (response != NULL) {
			take_list(waiting->listed, (const void *)response);
		}
	} else {
		waiting->resolved->status = *status;
		if (response != NULL) {
			take_verdicts(waiting->resolved,
				      (const void *)response);
		}
	}
	pthread_cond_broadcast(&waiting->changed);
	pthread_mutex_unlock(&waiting->lock);
}

static void call(struct coordinator *coordinator, const char *method,
		 const ProtobufCMessage *request, struct waiting *waiting)
{
	int64_t until_ms = now_ms() + 2 * PATIENCE_MS;
	struct ctx *ctx = ctx_new(coordinator->root,
				  clock_now_ns() + coordinator->patience_ms *
							   (int64_t)NS_PER_MS);

	wait_init(&waiting->lock, &waiting->changed);
	rpc_unary(coordinator->channel, ctx,
		  &worker__worker_service__descriptor, method, request, NULL,
		  on_done, waiting);
	pthread_mutex_lock(&waiting->lock);
	while (!waiting->done) {
		wait_for_news(&waiting->lock, &waiting->changed, until_ms);
	}
	pthread_mutex_unlock(&waiting->lock);
	pthread_cond_destroy(&waiting->changed);
	pthread_mutex_destroy(&waiting->lock);
	ctx_unref(ctx);
}

void coordinator_list(struct coordinator *coordinator,
		      const Worker__ListTransactionsRequest *request,
		      struct listed *ret_listed)
{
	struct waiting waiting = { .listed = ret_listed };

	memset(ret_listed, 0, sizeof(*ret_listed));
	call(coordinator, "ListTransactions", &request->base, &waiting);
}

size_t coordinator_in_doubt(struct coordinator *coordinator)
{
	Worker__ListTransactionsRequest request =
		WORKER__LIST_TRANSACTIONS_REQUEST__INIT;
	struct listed listed;
	char after[65] = "";
	size_t n = 0;

	request.coordinator = coordinator->name;
	request.in_doubt_only = true;
	do {
		request.after_transaction_id = after;
		coordinator_list(coordinator, &request, &listed);
		must(listed.status.code, &listed.status);
		n += listed.n;
		memcpy(after, listed.last, sizeof(after));
	} while (listed.more);
	return n;
}

void coordinator_resolve(struct coordinator *coordinator,
			 const Worker__ResolveTransactionsRequest *request,
			 struct resolved *ret_resolved)
{
	struct waiting waiting = { .resolved = ret_resolved };

	ret_resolved->n = 0;
	call(coordinator, "ResolveTransactions", &request->base, &waiting);
}

Worker__Verdict coordinator_resolve_one(struct coordinator *coordinator,
					const char *id, Worker__Order order)
{
	Worker__ResolveTransactionsRequest request =
		WORKER__RESOLVE_TRANSACTIONS_REQUEST__INIT;
	Worker__Resolution item = WORKER__RESOLUTION__INIT;
	Worker__Resolution *items[] = { &item };
	static struct resolved resolved;

	item.transaction_id = TEXT(id);
	item.order = order;
	request.coordinator = coordinator->name;
	request.n_resolutions = 1;
	request.resolutions = items;
	coordinator_resolve(coordinator, &request, &resolved);
	must(resolved.status.code, &resolved.status);
	ck_assert_uint_eq(resolved.n, 1);
	return resolved.verdicts[0];
}

void coordinator_seal(struct coordinator *coordinator, const char *over_below)
{
	Worker__ResolveTransactionsRequest request =
		WORKER__RESOLVE_TRANSACTIONS_REQUEST__INIT;
	static struct resolved resolved;

	request.coordinator = coordinator->name;
	request.over_below = TEXT(over_below);
	coordinator_resolve(coordinator, &request, &resolved);
	must(resolved.status.code, &resolved.status);
}
