/*
 * What the log and the metrics say of a branch that is over, or left in doubt.
 * Kept apart from what makes it move, as task_report.h.
 */
#ifndef RESCIND_WORKER_BRANCH_REPORT_H
#define RESCIND_WORKER_BRANCH_REPORT_H

#include "worker/branch_internal.h"

/* Its participant is over; before that is said on the stream. */
void branch_report(const struct branch *branch);

#endif
