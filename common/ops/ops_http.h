/*
 * What operators ask of any of our programs over HTTP:
 *
 *	/healthz   200 while the process can answer at all
 *	/readyz    200 when new work is welcome, else 503 and why not
 *	/metrics   the Prometheus page
 *
 * All three are answered while the server drains and when it is full. JSON for
 * those who accept it. Knows nothing of tasks or requests.
 */
#ifndef RESCIND_OPS_HTTP_H
#define RESCIND_OPS_HTTP_H

#include "http/http.h"
#include "metrics/metrics.h"

struct ops_http {
	struct metrics *metrics;
	/* Whether new work is welcome; *reterr says why not. Loop thread. */
	enum status_code (*ready)(void *arg, struct status *reterr);
	void *arg;
};

/* Before the server starts. @ops must outlive it. */
void ops_http_add(struct http_server *server, struct ops_http *ops);

#endif
