#include "worker/work.h"

#include <string.h>

enum {
	/* A timer served later than this says that the process was stopped. */
	STOPPED_NS = 100 * NS_PER_MS,
	/* What news of the time of the stop are given to arrive. */
	CATCH_UP_NS = 20 * NS_PER_MS,
	/* Before the deadline, a write that waits gives up. */
	MARGIN_NS_MAX = 50 * NS_PER_MS,
};

enum status_code work_validate(const char *task_id, const char *data,
			       struct status *reterr)
{
	if (task_id[0] == '\0') {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "task_id must not be empty");
	}
	if (strnlen(task_id, TASK_ID_SIZE_MAX + 1) > TASK_ID_SIZE_MAX) {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "task_id must not exceed %d bytes",
				  TASK_ID_SIZE_MAX);
	}
	if (strnlen(data, TASK_DATA_SIZE_MAX + 1) > TASK_DATA_SIZE_MAX) {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "data must not exceed %d bytes",
				  TASK_DATA_SIZE_MAX);
	}
	return STATUS_OK;
}

int64_t work_catch_up_ns(int64_t late_ns, bool *caught_up)
{
	if (late_ns <= STOPPED_NS || *caught_up) {
		return CLOCK_NEVER;
	}
	*caught_up = true;
	return clock_now_ns() + CATCH_UP_NS;
}

int64_t work_margin_ns(const struct ctx *ctx, int64_t begun_ns)
{
	int64_t deadline_ns = ctx_deadline_ns(ctx);
	int64_t margin_ns = (deadline_ns - begun_ns) / 10;

	if (deadline_ns == CLOCK_NEVER) {
		return 0;
	}
	return margin_ns < MARGIN_NS_MAX ? margin_ns : MARGIN_NS_MAX;
}

int64_t work_patience_ends_ns(const struct ctx *ctx, int64_t begun_ns)
{
	int64_t deadline_ns = ctx_deadline_ns(ctx);
	int64_t margin_ns = work_margin_ns(ctx, begun_ns);
	int64_t now_ns = clock_now_ns();

	if (deadline_ns == CLOCK_NEVER) {
		return CLOCK_NEVER;
	}
	if (deadline_ns - margin_ns > now_ns) {
		return deadline_ns - margin_ns;
	}
	return now_ns + (deadline_ns - now_ns) / 2;
}

struct status work_locked(struct db *db)
{
	struct status why;
	enum status_code health = db_health(db, &why);

	if (health == STATUS_OK) {
		status_set(&why, STATUS_UNAVAILABLE, "database is locked");
	} else if (health == STATUS_UNAVAILABLE) {
		status_wrap(&why, "database is locked");
	}
	why.code = STATUS_UNAVAILABLE;
	return why;
}

enum ctx_cause work_cause(struct ctx *ctx, struct status *ret_status)
{
	enum ctx_cause cause = ctx_cause(ctx, ret_status);

	if (ret_status->code == STATUS_CANCELLED) {
		status_set(ret_status, STATUS_CANCELLED, "work cancelled");
	}
	return cause;
}
