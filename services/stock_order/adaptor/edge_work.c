#include "stock_order/adaptor/edge_work.h"

#include <stddef.h>

#include "log/log.h"

/* ---- failures ----------------------------------------------------------- */

static const struct {
	int http;
	enum status_code rpc;
} errors[STATUS_CODE_NR] = {
#define EDGE_ERROR(code, http, rpc) [STATUS_##code] = { http, STATUS_##rpc },
	EDGE_ERRORS(EDGE_ERROR)
#undef EDGE_ERROR
};

static bool is_listed(enum status_code code)
{
	return (unsigned)code < STATUS_CODE_NR && errors[code].http != 0;
}

int edge_http_status(enum status_code code)
{
	return is_listed(code) ? errors[code].http : 500;
}

enum status_code edge_rpc_code(enum status_code code)
{
	return is_listed(code) ? errors[code].rpc : STATUS_INTERNAL;
}

/* ---- work --------------------------------------------------------------- */

void edge_work_begin(struct edge_work *work, const struct order_edge *edge,
		     struct ctx *parent)
{
	work->edge = edge;
	work->began_ns = clock_now_ns();
	work->ctx =
		ctx_new(parent, clock_add_ns(work->began_ns, edge->timeout_ns));
}

static bool is_the_callers_fault(enum status_code code)
{
	int http = edge_http_status(code);

	return http >= 400 && http < 499;
}

/* Who asked is told, too; but it is ours to do something about it. */
static void log_trouble(const struct edge_work *work,
			const struct status *outcome)
{
	log_warn(work->ctx,
		 LOG_FIELDS(LOG_STR("code", status_code_name(outcome->code))),
		 "request failed: %s", outcome->message);
}

static void count(const struct edge_work *work, const struct status *outcome,
		  bool changes)
{
	int64_t duration_ns = clock_now_ns() - work->began_ns;
	enum ctx_cause cause;

	if (outcome->code == STATUS_OK && changes) {
		work_metrics_committed(work->edge->metrics, duration_ns);
		return;
	}
	if (outcome->code == STATUS_OK || is_the_callers_fault(outcome->code)) {
		work_metrics_answered(work->edge->metrics, duration_ns);
		return;
	}
	cause = ctx_cause(work->ctx, NULL);
	if (cause == CTX_NONE) {
		cause = CTX_DATABASE;
		log_trouble(work, outcome);
	}
	if (changes) {
		work_metrics_rolled_back(work->edge->metrics, cause,
					 duration_ns, -1);
	} else {
		work_metrics_answered(work->edge->metrics, duration_ns);
	}
}

void edge_work_end(struct edge_work *work, const struct status *outcome,
		   bool changes)
{
	count(work, outcome, changes);
	ctx_unref(work->ctx);
	work->ctx = NULL;
}
