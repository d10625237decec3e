#include "db/sqlite_health.h"

void health_init(struct health *health)
{
	pthread_mutex_init(&health->lock, NULL);
	health->why = status_ok();
	atomic_init(&health->good, true);
}

void health_release(struct health *health)
{
	pthread_mutex_destroy(&health->lock);
}

bool health_is_good(struct health *health)
{
	return atomic_load_explicit(&health->good, memory_order_acquire);
}

void health_set(struct health *health, const struct status *status)
{
	bool good = status->code == STATUS_OK;

	if (good && health_is_good(health)) {
		return;
	}
	pthread_mutex_lock(&health->lock);
	health->why = *status;
	atomic_store_explicit(&health->good, good, memory_order_release);
	pthread_mutex_unlock(&health->lock);
}

enum status_code health_get(struct health *health, struct status *reterr)
{
	enum status_code code;

	if (health_is_good(health)) {
		return STATUS_OK;
	}
	pthread_mutex_lock(&health->lock);
	code = health->why.code;
	if (reterr != NULL && code != STATUS_OK) {
		*reterr = health->why;
	}
	pthread_mutex_unlock(&health->lock);
	return code;
}
