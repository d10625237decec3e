#include "outcome.h"

#include <check.h>
#include <time.h>

enum { PATIENCE_S = 5 };

void outcome_init(struct outcome *outcome)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&outcome->changed, &attr);
	pthread_condattr_destroy(&attr);
	pthread_mutex_init(&outcome->lock, NULL);
	outcome->answers = 0;
	outcome->status = status_ok();
}

void outcome_release(struct outcome *outcome)
{
	pthread_cond_destroy(&outcome->changed);
	pthread_mutex_destroy(&outcome->lock);
}

void outcome_answer(const struct status *status, void *arg)
{
	struct outcome *outcome = arg;

	pthread_mutex_lock(&outcome->lock);
	outcome->answers++;
	outcome->status = *status;
	pthread_cond_broadcast(&outcome->changed);
	pthread_mutex_unlock(&outcome->lock);
}

int outcome_answers(struct outcome *outcome)
{
	int answers;

	pthread_mutex_lock(&outcome->lock);
	answers = outcome->answers;
	pthread_mutex_unlock(&outcome->lock);
	return answers;
}

void outcome_wait(struct outcome *outcome, int n)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += PATIENCE_S;
	pthread_mutex_lock(&outcome->lock);
	while (outcome->answers < n) {
		ck_assert_int_eq(pthread_cond_timedwait(&outcome->changed,
							&outcome->lock, &until),
				 0);
	}
	pthread_mutex_unlock(&outcome->lock);
}
