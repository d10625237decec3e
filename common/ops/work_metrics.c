#include "ops/work_metrics.h"

#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DB_STATS_NR = 7 };

static const int http_codes[] = {
	200, 201, 202, 400, 401, 403, 404, 405, 408, 409, 413,
	414, 415, 422, 429, 431, 499, 500, 501, 503, 504, 0, /* 0: any other */
};
enum { HTTP_CODES_NR = sizeof(http_codes) / sizeof(http_codes[0]) };

/* One number of db_stats(), as the registry reads it. */
struct db_stat {
	struct work_metrics *wm;
	size_t offset;
	double unit;
};

struct work_metrics {
	struct metrics *metrics;
	const char *service;
	struct metrics_counter *committed;
	struct metrics_counter *rolled_back[CTX_CAUSE_NR];
	struct metrics_counter *diverged;
	struct metrics_counter *resolved[WORK_OUTCOME_NR];
	struct metrics_counter *contradictions;
	struct metrics_histogram *duration;
	struct metrics_histogram *cancel;
	struct metrics_counter *rpc[WORK_SIDE_NR][STATUS_CODE_NR];
	struct metrics_counter *http[HTTP_CODES_NR];
	struct db_stat db_stats[DB_STATS_NR];
	pthread_mutex_t db_lock;
	struct db *db;	      /* NULL: not open any more */
	struct db_stats last; /* of db */
};

static struct metrics_counter *
ended_counter(struct work_metrics *wm, const char *outcome, const char *cause)
{
	return metrics_counter(wm->metrics, "rescind_transactions_total",
			       "Transactions ended, by outcome and cause",
			       METRICS_LABELS({ "service", wm->service },
					      { "outcome", outcome },
					      { "cause", cause }));
}

static void add_transactions(struct work_metrics *wm)
{
	const struct metrics_label *labels =
		METRICS_LABELS({ "service", wm->service });

	wm->committed =
		ended_counter(wm, "committed", ctx_cause_name(CTX_FINISHED));
	for (int c = CTX_FINISHED + 1; c < CTX_CAUSE_NR; c++) {
		wm->rolled_back[c] = ended_counter(
			wm, "rolled_back", ctx_cause_name((enum ctx_cause)c));
	}
	wm->diverged = metrics_counter(
		wm->metrics, "rescind_diverged_total",
		"Transactions that one process kept and another rolled back",
		labels);
	wm->duration = metrics_histogram_seconds(
		wm->metrics, "rescind_request_duration_seconds",
		"From the request's arrival to its answer", labels);
	wm->cancel = metrics_histogram_seconds(
		wm->metrics, "rescind_cancel_to_rollback_seconds",
		"From the news that the caller left to rolled back", labels);
}

static void add_resolved(struct work_metrics *wm)
{
	static const char *const names[WORK_OUTCOME_NR] = {
		[WORK_COMMITTED] = "committed",
		[WORK_ROLLED_BACK] = "rolled_back",
	};

	for (int i = 0; i < WORK_OUTCOME_NR; i++) {
		wm->resolved[i] = metrics_counter(
			wm->metrics, "rescind_resolved_total",
			"Transactions in doubt that were resolved, by outcome",
			METRICS_LABELS({ "service", wm->service },
				       { "outcome", names[i] }));
	}
	wm->contradictions = metrics_counter(
		wm->metrics, "rescind_contradictions_total",
		"Orders and answers that can't be: somebody interfered, or a "
		"database was lost",
		METRICS_LABELS({ "service", wm->service }));
}

static void add_rpc(struct work_metrics *wm, enum work_side side,
		    const char *name)
{
	for (int code = 0; code < STATUS_CODE_NR; code++) {
		wm->rpc[side][code] = metrics_counter(
			wm->metrics, "rescind_rpc_calls_total",
			"gRPC calls ended, by code",
			METRICS_LABELS(
				{ "service", wm->service }, { "side", name },
				{ "code",
				  status_code_name((enum status_code)code) }));
	}
}

static void add_http(struct work_metrics *wm)
{
	for (size_t i = 0; i < HTTP_CODES_NR; i++) {
		char code[16] = "other";

		if (http_codes[i] != 0) {
			snprintf(code, sizeof(code), "%d", http_codes[i]);
		}
		wm->http[i] = metrics_counter(
			wm->metrics, "rescind_http_responses_total",
			"HTTP responses, by status code",
			METRICS_LABELS({ "service", wm->service },
				       { "code", code }));
	}
}

struct work_metrics *work_metrics_new(struct metrics *metrics,
				      const char *service)
{
	struct work_metrics *wm = calloc(1, sizeof(*wm));

	if (wm == NULL) {
		abort();
	}
	wm->metrics = metrics;
	wm->service = service;
	pthread_mutex_init(&wm->db_lock, NULL);
	add_transactions(wm);
	add_resolved(wm);
	add_rpc(wm, WORK_SERVER, "server");
	add_rpc(wm, WORK_CLIENT, "client");
	add_http(wm);
	return wm;
}

void work_metrics_free(struct work_metrics *wm)
{
	if (wm != NULL) {
		pthread_mutex_destroy(&wm->db_lock);
	}
	free(wm);
}

/* With the lock. */
static void refresh(struct work_metrics *wm)
{
	if (wm->db != NULL) {
		db_stats(wm->db, &wm->last);
	}
}

static double read_db_stat(void *arg)
{
	const struct db_stat *stat = arg;
	struct work_metrics *wm = stat->wm;
	uint64_t value;

	pthread_mutex_lock(&wm->db_lock);
	refresh(wm);
	memcpy(&value, (const char *)&wm->last + stat->offset, sizeof(value));
	pthread_mutex_unlock(&wm->db_lock);
	return (double)value * stat->unit;
}

static double read_db_usable(void *arg)
{
	struct work_metrics *wm = arg;
	bool usable;

	pthread_mutex_lock(&wm->db_lock);
	usable = wm->db != NULL && db_health(wm->db, NULL) == STATUS_OK;
	pthread_mutex_unlock(&wm->db_lock);
	return usable ? 1 : 0;
}

void work_metrics_watch_db(struct work_metrics *wm, struct db *db)
{
	static const struct {
		const char *name;
		const char *help;
		size_t offset;
		double unit;
	} shown[DB_STATS_NR] = {
		{ "rescind_db_committed_total", "Transactions on disk",
		  offsetof(struct db_stats, committed), 1 },
		{ "rescind_db_rolled_back_total", "Transactions rolled back",
		  offsetof(struct db_stats, rolled_back), 1 },
		{ "rescind_db_failed_total", "Transactions refused",
		  offsetof(struct db_stats, failed), 1 },
		{ "rescind_db_groups_total", "Group transactions on disk",
		  offsetof(struct db_stats, groups), 1 },
		{ "rescind_db_staged_open", "Staged transactions open now",
		  offsetof(struct db_stats, staged_open), 1 },
		{ "rescind_db_queued", "Transactions waiting for the writer",
		  offsetof(struct db_stats, queued), 1 },
		{ "rescind_db_sync_seconds_total", "Time spent committing",
		  offsetof(struct db_stats, sync_ns), 1e-9 },
	};

	wm->db = db;
	for (size_t i = 0; i < DB_STATS_NR; i++) {
		wm->db_stats[i] =
			(struct db_stat){ wm, shown[i].offset, shown[i].unit };
		work_metrics_watch(wm, shown[i].name, shown[i].help,
				   read_db_stat, &wm->db_stats[i]);
	}
	work_metrics_watch(wm, "rescind_db_usable",
			   "1 when the database takes writes", read_db_usable,
			   wm);
}

void work_metrics_forget_db(struct work_metrics *wm)
{
	pthread_mutex_lock(&wm->db_lock);
	refresh(wm);
	wm->db = NULL;
	pthread_mutex_unlock(&wm->db_lock);
}

void work_metrics_watch(struct work_metrics *wm, const char *name,
			const char *help, double (*read)(void *arg), void *arg)
{
	metrics_read_gauge(wm->metrics, name, help,
			   METRICS_LABELS({ "service", wm->service }), read,
			   arg);
}

void work_metrics_watch_doubt(struct work_metrics *wm,
			      double (*in_doubt)(void *arg),
			      double (*oldest_seconds)(void *arg), void *arg)
{
	work_metrics_watch(wm, "rescind_in_doubt",
			   "Transactions that wait for another process's word",
			   in_doubt, arg);
	work_metrics_watch(wm, "rescind_in_doubt_oldest_seconds",
			   "For how long the oldest of them does",
			   oldest_seconds, arg);
}

void work_metrics_committed(struct work_metrics *wm, int64_t duration_ns)
{
	metrics_inc(wm->committed, 1);
	if (duration_ns >= 0) {
		metrics_observe_ns(wm->duration, duration_ns);
	}
}

void work_metrics_rolled_back(struct work_metrics *wm, enum ctx_cause cause,
			      int64_t duration_ns, int64_t cancel_ns)
{
	/* An end without a cause would be a fault of ours: name it so. */
	if (cause <= CTX_FINISHED || cause >= CTX_CAUSE_NR) {
		cause = CTX_INTERNAL;
	}
	metrics_inc(wm->rolled_back[cause], 1);
	if (duration_ns >= 0) {
		metrics_observe_ns(wm->duration, duration_ns);
	}
	if (cancel_ns >= 0) {
		metrics_observe_ns(wm->cancel, cancel_ns);
	}
}

void work_metrics_answered(struct work_metrics *wm, int64_t duration_ns)
{
	metrics_observe_ns(wm->duration, duration_ns);
}

void work_metrics_diverged(struct work_metrics *wm)
{
	metrics_inc(wm->diverged, 1);
}

void work_metrics_resolved(struct work_metrics *wm, enum work_outcome outcome)
{
	metrics_inc(wm->resolved[outcome], 1);
}

void work_metrics_contradiction(struct work_metrics *wm)
{
	metrics_inc(wm->contradictions, 1);
}

void work_metrics_rpc(struct work_metrics *wm, enum work_side side,
		      enum status_code code)
{
	unsigned index = (unsigned)code;

	metrics_inc(
		wm->rpc[side][index < STATUS_CODE_NR ? index : STATUS_UNKNOWN],
		1);
}

void work_metrics_http(struct work_metrics *wm, int status)
{
	size_t i = 0;

	while (http_codes[i] != status && http_codes[i] != 0) {
		i++;
	}
	metrics_inc(wm->http[i], 1);
}
