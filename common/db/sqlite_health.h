/*
 * What db_health() answers: how the last thing went that the writer tried.
 * Set on the writer's thread, read from any.
 */
#ifndef RESCIND_DB_SQLITE_HEALTH_H
#define RESCIND_DB_SQLITE_HEALTH_H

#include <pthread.h>
#include <stdatomic.h>

#include "status/status.h"

struct health {
	atomic_bool good;
	pthread_mutex_t lock; /* over why */
	struct status why;
};

void health_init(struct health *health);
void health_release(struct health *health);
void health_set(struct health *health, const struct status *status);
bool health_is_good(struct health *health);
enum status_code health_get(struct health *health, struct status *reterr);

#endif
