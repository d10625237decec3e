#include "worker/order.h"

#include <string.h>

#include "failpoint/failpoint.h"
#include "log/log.h"
#include "worker/payload.h"
#include "worker/store.h"

/* ---- points ------------------------------------------------------------- */

static void pass_before(enum twopc_order order)
{
	switch (order) {
	case TWOPC_ORDER_PREPARE:
		FAILPOINT("worker.exchange.prepare.before");
		break;
	case TWOPC_ORDER_COMMIT:
		FAILPOINT("worker.exchange.commit.before");
		break;
	case TWOPC_ORDER_ROLLBACK:
		FAILPOINT("worker.exchange.rollback.before");
		break;
	case TWOPC_ORDER_NR:
	default:
		break;
	}
}

static void pass_after(enum twopc_order order)
{
	switch (order) {
	case TWOPC_ORDER_PREPARE:
		FAILPOINT("worker.exchange.prepare.after");
		break;
	case TWOPC_ORDER_COMMIT:
		FAILPOINT("worker.exchange.commit.after");
		break;
	case TWOPC_ORDER_ROLLBACK:
		FAILPOINT("worker.exchange.rollback.after");
		break;
	case TWOPC_ORDER_NR:
	default:
		break;
	}
}

/* ---- outcomes ----------------------------------------------------------- */

bool order_committed(const struct order *order)
{
	return order->request.effect == TWOPC_EFFECT_APPLY;
}

bool order_rolled_back(const struct order *order)
{
	return order->request.effect == TWOPC_EFFECT_UNDO ||
	       order->request.effect == TWOPC_EFFECT_DROP;
}

/* ---- reports ------------------------------------------------------------ */

static void report_committed(const struct order *order)
{
	work_metrics_committed(order->worker->metrics, -1);
	work_metrics_resolved(order->worker->metrics, WORK_COMMITTED);
	log_info(NULL,
		 LOG_FIELDS(LOG_STR("transaction", order->request.id),
			    LOG_STR("coordinator", order->request.coordinator),
			    LOG_STR("by", order->by == ORDER_BY_RESOLVER
						  ? "resolver"
						  : "stream")),
		 "TRANSACTION COMMITTED for task_id=%s", order->task_id);
}

static void report_rolled_back(const struct order *order)
{
	work_metrics_rolled_back(order->worker->metrics, CTX_CALLER_CANCELLED,
				 -1, -1);
	work_metrics_resolved(order->worker->metrics, WORK_ROLLED_BACK);
	log_info(NULL,
		 LOG_FIELDS(LOG_STR("coordinator", order->request.coordinator),
			    LOG_STR("by", order->by == ORDER_BY_RESOLVER
						  ? "resolver"
						  : "stream")),
		 "TRANSACTION ROLLED BACK for transaction=%s",
		 order->request.id);
}

static void report_contradiction(const struct order *order)
{
	work_metrics_contradiction(order->worker->metrics);
	log_error(
		NULL,
		LOG_FIELDS(LOG_STR("coordinator", order->request.coordinator)),
		"CONTRADICTION: asked to %s transaction=%s, which is %s here",
		twopc_order_name(order->request.order), order->request.id,
		twopc_verdict_name(order->request.verdict));
}

static void report(const struct order *order)
{
	const struct twopc_request *request = &order->request;

	if (twopc_verdict_is_contradiction(request->order, request->verdict)) {
		report_contradiction(order);
	}
	if (order->by == ORDER_BY_OWNER) {
		return;
	}
	if (order_committed(order)) {
		report_committed(order);
	} else if (order_rolled_back(order)) {
		report_rolled_back(order);
	}
}

/* ---- carrying out ------------------------------------------------------- */

static enum status_code apply(struct db_session *session,
			      const char *coordinator, const char *id,
			      const void *payload, size_t payload_size,
			      void *arg, struct status *reterr)
{
	struct payload_view task;
	struct order *order = arg;

	if (!payload_read(payload, payload_size, &task)) {
		return status_set(reterr, STATUS_DATA_LOSS,
				  "what coordinator %s prepared as %s can't "
				  "be read",
				  coordinator, id);
	}
	memcpy(order->task_id, task.task_id, strlen(task.task_id) + 1);
	return worker_store_apply(session, task.task_id, task.data,
				  task.data_size, reterr);
}

static void on_done(struct twopc_request *request, const struct status *status)
{
	struct order *order = (struct order *)request; /* its first member */

	pass_after(request->order);
	if (request->verdict != TWOPC_VERDICT_FAILED) {
		doubt_changed(&order->worker->doubt);
		report(order);
	}
	order->done(order, status);
}

void order_carry_out(struct order *order, struct worker *worker,
		     struct ctx *ctx, enum order_by by,
		     void (*done)(struct order *order,
				  const struct status *status))
{
	order->record = (struct twopc_prepared){ .db = worker->db,
						 .base = WORKER_STORE_TWOPC,
						 .apply = apply,
						 .apply_arg = order };
	order->worker = worker;
	order->by = by;
	order->done = done;
	order->task_id[0] = '\0';
	order->request.done = on_done;
	pass_before(order->request.order);
	twopc_prepared_do(&order->record, ctx, &order->request);
}
