#include "worker/task_report.h"

#include "log/log.h"

static void report_committed(const struct task_end *end,
			     struct work_metrics *metrics, int64_t now_ns)
{
	int64_t duration_ns = now_ns - end->begun_ns;

	work_metrics_committed(metrics, duration_ns);
	log_info(end->ctx, LOG_FIELDS(LOG_MS("after_ms", duration_ns)),
		 "TRANSACTION COMMITTED for task_id=%s", end->task_id);
}

static void report_rolled_back(const struct task_end *end,
			       struct work_metrics *metrics, int64_t now_ns)
{
	const char *cause = ctx_cause_name(end->cause);
	int64_t duration_ns = now_ns - end->begun_ns;

	work_metrics_rolled_back(metrics, end->cause, duration_ns,
				 end->ended_ns != 0 ? now_ns - end->ended_ns
						    : -1);
	if (end->ended_ns != 0) {
		log_info(end->ctx, LOG_FIELDS(LOG_STR("cause", cause)),
			 "Context cancelled for task_id=%s", end->task_id);
	}
	log_info(end->ctx,
		 LOG_FIELDS(LOG_STR("cause", cause),
			    LOG_STR("reason", end->outcome->message),
			    LOG_MS("after_ms", duration_ns)),
		 "TRANSACTION ROLLED BACK for task_id=%s", end->task_id);
}

void task_report(const struct task_end *end, struct work_metrics *metrics)
{
	int64_t now_ns = clock_now_ns();

	if (end->outcome->code == STATUS_OK) {
		report_committed(end, metrics, now_ns);
	} else {
		report_rolled_back(end, metrics, now_ns);
	}
}
