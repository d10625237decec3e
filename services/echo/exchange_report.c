#include "echo/exchange_report.h"

#include "log/log.h"

static void report_committed(const struct exchange_end *end,
			     struct work_metrics *metrics, int64_t now_ns)
{
	int64_t duration_ns = now_ns - end->begun_ns;

	work_metrics_committed(metrics, duration_ns);
	log_info(end->ctx, LOG_FIELDS(LOG_MS("after_ms", duration_ns)),
		 "TRANSACTION COMMITTED for request_id=%s", end->request_id);
}

static void report_rolled_back(const struct exchange_end *end,
			       struct work_metrics *metrics, int64_t now_ns)
{
	int64_t duration_ns = now_ns - end->begun_ns;

	work_metrics_rolled_back(metrics, end->cause, duration_ns,
				 end->ended_ns != 0 ? now_ns - end->ended_ns
						    : -1);
	log_info(end->ctx,
		 LOG_FIELDS(LOG_STR("cause", ctx_cause_name(end->cause)),
			    LOG_STR("reason", end->outcome->message),
			    LOG_MS("after_ms", duration_ns)),
		 "TRANSACTION ROLLED BACK for request_id=%s", end->request_id);
}

void exchange_report_diverged(const struct exchange_end *end,
			      struct work_metrics *metrics)
{
	work_metrics_diverged(metrics);
	log_warn(end->ctx,
		 LOG_FIELDS(LOG_STR("cause", ctx_cause_name(end->cause))),
		 "The worker has committed what was rolled back here, "
		 "request_id=%s",
		 end->request_id);
}

void exchange_report(const struct exchange_end *end,
		     struct work_metrics *metrics)
{
	int64_t now_ns = clock_now_ns();

	if (end->outcome->code == STATUS_OK) {
		report_committed(end, metrics, now_ns);
		return;
	}
	report_rolled_back(end, metrics, now_ns);
	if (end->worker_committed) {
		exchange_report_diverged(end, metrics);
	}
}
