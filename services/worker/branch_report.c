#include "worker/branch_report.h"

#include "log/log.h"
#include "worker/task_report.h"

static const char *task_of(const struct branch *branch)
{
	struct payload_view task;

	return payload_read(branch->payload.bytes, branch->payload.size, &task)
		       ? task.task_id
		       : "";
}

static void report_end(const struct branch *branch,
		       const struct status *outcome)
{
	const struct task_end end = {
		.ctx = branch->call,
		.task_id = task_of(branch),
		.outcome = outcome,
		.cause = branch->cause,
		.begun_ns = branch->begun_ns,
		.ended_ns = branch->ended_ns,
	};

	task_report(&end, branch->worker->metrics);
}

static void report_in_doubt(const struct branch *branch)
{
	const char *reason = branch->outcome.code != STATUS_OK
				     ? branch->outcome.message
				     : "its caller says nothing more";

	log_warn(branch->call,
		 LOG_FIELDS(
			 LOG_STR("transaction", branch->id),
			 LOG_STR("coordinator", branch->coordinator),
			 LOG_STR("cause", ctx_cause_name(branch->cause)),
			 LOG_STR("reason", reason),
			 LOG_MS("after_ms", clock_now_ns() - branch->begun_ns)),
		 "TRANSACTION LEFT IN DOUBT for task_id=%s", task_of(branch));
}

/* Whether it was we who ended it, not a resolver before us. */
static bool we_committed(const struct branch *branch)
{
	return branch->order.by == ORDER_BY_OWNER &&
	       order_committed(&branch->order);
}

static bool we_rolled_back(const struct branch *branch)
{
	return !branch->prepared || (branch->order.by == ORDER_BY_OWNER &&
				     order_rolled_back(&branch->order));
}

void branch_report(const struct branch *branch)
{
	const struct status committed = status_ok();

	if (branch->payload.bytes == NULL) {
		return; /* It did no work; the orders were reported. */
	}
	switch (branch->twopc.state) {
	case TWOPC_PARTICIPANT_COMMITTED:
		if (we_committed(branch)) {
			report_end(branch, &committed);
		}
		break;
	case TWOPC_PARTICIPANT_ROLLED_BACK:
		if (we_rolled_back(branch)) {
			report_end(branch, &branch->outcome);
		}
		break;
	case TWOPC_PARTICIPANT_REFUSED:
		if (!branch->prepared) {
			report_end(branch, &branch->outcome);
		}
		break;
	case TWOPC_PARTICIPANT_IN_DOUBT:
		report_in_doubt(branch);
		break;
	case TWOPC_PARTICIPANT_OPEN:
	case TWOPC_PARTICIPANT_WORKING:
	case TWOPC_PARTICIPANT_PREPARING:
	case TWOPC_PARTICIPANT_PREPARED:
	case TWOPC_PARTICIPANT_COMMITTING:
	case TWOPC_PARTICIPANT_UNDOING:
	case TWOPC_PARTICIPANT_STATE_NR:
	default:
		break;
	}
}
