/* What the tasks and branches of a process stand on. */
#ifndef RESCIND_WORKER_H
#define RESCIND_WORKER_H

#include <stdatomic.h>

#include "db/db.h"
#include "ops/work_metrics.h"

/* Fill, then start tasks from anywhere. */
struct worker {
	struct db *db;
	struct work_metrics *metrics;
	int64_t work_ns;    /* how long a task takes; 0: no waiting at all */
	atomic_size_t live; /* tasks and branches not yet freed */
};

#endif
