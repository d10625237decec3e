#include "worker/exchange_edge.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "failpoint/failpoint.h"
#include "worker.pb-c.h"
#include "worker/branch.h"
#include "worker/names.h"

/* Lives as long as its call. */
struct exchange_call {
	struct rpc_call *call;
	struct worker *worker;
	struct branch *branch; /* the poller's: NULL until the first order */

	pthread_mutex_t lock; /* what follows; after the branch's */
	bool sending;	      /* PREPARED */
	bool once_more;	      /* when that is sent */
	bool ended;	      /* the call is */
};

/* ---- what goes out ------------------------------------------------------ */

static void on_sent(struct rpc_call *call, bool ok, void *arg);

static void send_prepared(struct exchange_call *ex, const char *message)
{
	Worker__ExchangeResponse response = WORKER__EXCHANGE_RESPONSE__INIT;

	response.verdict = WORKER__VERDICT__PREPARED;
	/* protobuf-c's strings are not const, though packing only reads. */
	response.message = (char *)(uintptr_t)message;
	ex->sending = true;
	rpc_call_send(ex->call, &response.base, on_sent, ex);
}

static void on_sent(struct rpc_call *call, bool ok, void *arg)
{
	struct exchange_call *ex = arg;

	(void)call;
	(void)ok; /* If not, the ctx has ended, and the branch knows. */
	FAILPOINT("worker.exchange.sent");
	pthread_mutex_lock(&ex->lock);
	ex->sending = false;
	if (ex->once_more && !ex->ended) {
		ex->once_more = false;
		send_prepared(ex, "Prepared, as before");
	}
	pthread_mutex_unlock(&ex->lock);
}

static void say_prepared(void *arg, const char *message)
{
	struct exchange_call *ex = arg;

	pthread_mutex_lock(&ex->lock);
	if (ex->sending) {
		ex->once_more = true;
	} else {
		send_prepared(ex, message);
	}
	pthread_mutex_unlock(&ex->lock);
}

/* Nothing may touch @ex after the end: it may be gone, with the call. */
static struct rpc_call *take_call(struct exchange_call *ex)
{
	struct rpc_call *call = ex->call;

	pthread_mutex_lock(&ex->lock);
	ex->ended = true;
	pthread_mutex_unlock(&ex->lock);
	return call;
}

/* In one batch with the status. */
static void answer(void *arg, enum twopc_verdict verdict, const char *message)
{
	Worker__ExchangeResponse response = WORKER__EXCHANGE_RESPONSE__INIT;

	response.verdict = verdict_to_wire(verdict);
	response.message = (char *)(uintptr_t)message;
	rpc_call_reply(take_call(arg), &response.base);
}

static void end(void *arg, const struct status *status)
{
	rpc_call_finish(take_call(arg), status, NULL, 0);
}

static const struct branch_link link_ops = {
	.say_prepared = say_prepared,
	.answer = answer,
	.end = end,
};

/* ---- what comes in: the poller's thread --------------------------------- */

static bool is_another(const char *name, const char *known)
{
	return name[0] != '\0' && strcmp(name, known) != 0;
}

/* After the first message both may be left out, and must not change. */
static enum status_code check_names(const struct exchange_call *ex,
				    const Worker__ExchangeRequest *request,
				    struct status *reterr)
{
	if (ex->branch == NULL) {
		if (name_check("coordinator", request->coordinator, reterr) !=
		    STATUS_OK) {
			return reterr->code;
		}
		return name_check("transaction_id", request->transaction_id,
				  reterr);
	}
	if (is_another(request->coordinator, branch_coordinator(ex->branch))) {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "coordinator must not change in mid-stream");
	}
	if (is_another(request->transaction_id, branch_id(ex->branch))) {
		return status_set(
			reterr, STATUS_INVALID_ARGUMENT,
			"transaction_id must not change in mid-stream");
	}
	return STATUS_OK;
}

static enum status_code check_order(const Worker__ExchangeRequest *request,
				    struct status *reterr)
{
	bool prepares = request->order == WORKER__ORDER__PREPARE;

	if (!prepares && request->order != WORKER__ORDER__COMMIT &&
	    request->order != WORKER__ORDER__ROLLBACK) {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "order must be PREPARE, COMMIT or ROLLBACK");
	}
	if (prepares != (request->work != NULL)) {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "work must be given with PREPARE, and with "
				  "nothing else");
	}
	return STATUS_OK;
}

/* Whether another one may count: the first word of an end is the last. */
static bool give_order(struct exchange_call *ex,
		       const Worker__ExchangeRequest *request)
{
	if (ex->branch == NULL) {
		ex->branch = branch_new(ex->worker, rpc_call_ctx(ex->call),
					request->coordinator,
					request->transaction_id, &link_ops, ex);
	}
	if (request->order == WORKER__ORDER__PREPARE) {
		branch_prepare(ex->branch, request->work->task_id,
			       request->work->data);
		return true;
	}
	if (request->order == WORKER__ORDER__COMMIT) {
		branch_commit(ex->branch);
	} else {
		branch_rollback(ex->branch);
	}
	return false;
}

/* What came makes no sense, or there is nothing that could come. */
static void refuse(struct exchange_call *ex, const struct status *why)
{
	if (ex->branch != NULL) {
		branch_break(ex->branch, why);
	} else {
		end(ex, why);
	}
}

static void on_received(struct rpc_call *call, const ProtobufCMessage *message,
			const struct status *end, void *arg);

static void receive(struct exchange_call *ex)
{
	pthread_mutex_lock(&ex->lock);
	if (!ex->ended) {
		rpc_call_receive(ex->call, on_received, ex);
	}
	pthread_mutex_unlock(&ex->lock);
}

static void on_end(struct exchange_call *ex, const struct status *end)
{
	const struct status empty =
		status_make(STATUS_INVALID_ARGUMENT, "no order was given");

	if (end->code != STATUS_OK) {
		refuse(ex, end);
	} else if (ex->branch == NULL) {
		refuse(ex, &empty);
	} else {
		branch_half_close(ex->branch);
	}
}

static void on_received(struct rpc_call *call, const ProtobufCMessage *message,
			const struct status *end, void *arg)
{
	const Worker__ExchangeRequest *request = (const void *)message;
	struct exchange_call *ex = arg;
	struct status bad;

	(void)call;
	FAILPOINT("worker.exchange.received");
	if (request == NULL) {
		on_end(ex, end);
		return;
	}
	if (check_names(ex, request, &bad) != STATUS_OK ||
	    check_order(request, &bad) != STATUS_OK) {
		refuse(ex, &bad);
	} else if (give_order(ex, request)) {
		receive(ex);
	}
}

/* ---- life --------------------------------------------------------------- */

static void on_gone(void *arg)
{
	struct exchange_call *ex = arg;

	if (ex->branch != NULL) {
		branch_put(ex->branch);
	}
	pthread_mutex_destroy(&ex->lock);
	free(ex);
}

void exchange_edge(struct rpc_call *call, void *self)
{
	struct exchange_call *ex = calloc(1, sizeof(*ex));

	if (ex == NULL) {
		abort();
	}
	FAILPOINT("worker.exchange.opened");
	ex->call = call;
	ex->worker = self;
	pthread_mutex_init(&ex->lock, NULL);
	rpc_call_on_gone(call, on_gone, ex);
	rpc_call_receive(call, on_received, ex);
}
