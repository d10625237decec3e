/*
 * Exchanges: a bidirectional stream each. The first order goes out with the
 * stream's beginning; the last takes the half-close along, which says nothing
 * by itself.
 */
#include "echo/grpc_worker.h"
#include "worker.pb-c.h"

enum twopc_verdict grpc_exchange_verdict(int wire)
{
	switch (wire) {
	case WORKER__VERDICT__UNKNOWN:
		return TWOPC_VERDICT_UNKNOWN;
	case WORKER__VERDICT__PREPARED:
		return TWOPC_VERDICT_PREPARED;
	case WORKER__VERDICT__COMMITTED:
		return TWOPC_VERDICT_COMMITTED;
	case WORKER__VERDICT__ROLLED_BACK:
		return TWOPC_VERDICT_ROLLED_BACK;
	default:
		return TWOPC_VERDICT_FAILED;
	}
}

/* ---- what the worker says ----------------------------------------------- */

static void on_message(struct rpc_stream *stream,
		       const ProtobufCMessage *message, void *arg)
{
	const Worker__ExchangeResponse *response = (const void *)message;
	enum twopc_verdict verdict =
		grpc_exchange_verdict((int)response->verdict);
	struct worker_link *link = arg;

	link->said(link, verdict, response->message);
	if (verdict != TWOPC_VERDICT_COMMITTED &&
	    verdict != TWOPC_VERDICT_ROLLED_BACK) {
		rpc_stream_receive(stream); /* the others end it */
	}
}

static void on_end(struct rpc_stream *stream, const struct status *status,
		   const struct rpc_metadata *trailing, void *arg)
{
	struct worker_link *link = arg;

	(void)trailing;
	link->ended(link, status); /* which may free it */
	rpc_stream_release(stream);
}

/* ---- what it is told ---------------------------------------------------- */

void grpc_exchange_prepare(struct worker_port *port, struct ctx *ctx,
			   const struct worker_order *order,
			   struct worker_link *link)
{
	static const struct rpc_stream_callbacks callbacks = {
		.on_message = on_message,
		.on_end = on_end,
	};
	Worker__ExchangeRequest request;
	Worker__WorkRequest work;

	worker__work_request__init(&work);
	/* protobuf-c's strings are not const, though packing only reads. */
	work.task_id = (char *)(uintptr_t)order->task_id;
	work.data = (char *)(uintptr_t)order->data;
	worker__exchange_request__init(&request);
	request.order = WORKER__ORDER__PREPARE;
	request.coordinator = (char *)(uintptr_t)order->coordinator;
	request.transaction_id = (char *)(uintptr_t)order->transaction_id;
	request.work = &work;
	link->stream = rpc_stream_begin(
		GRPC_WORKER_OF(port, port)->channel, ctx,
		&worker__worker_service__descriptor, "Exchange", NULL,
		&callbacks, link, &request.base);
}

static void send_last(struct worker_link *link, Worker__Order order)
{
	Worker__ExchangeRequest request;

	worker__exchange_request__init(&request);
	request.order = order;
	rpc_stream_send_last(link->stream, &request.base);
}

void grpc_exchange_commit(struct worker_port *port, struct worker_link *link)
{
	(void)port;
	send_last(link, WORKER__ORDER__COMMIT);
}

void grpc_exchange_rollback(struct worker_port *port, struct worker_link *link)
{
	(void)port;
	send_last(link, WORKER__ORDER__ROLLBACK);
}
