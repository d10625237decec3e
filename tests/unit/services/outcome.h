/* What came out of something that answers later, from any thread. */
#ifndef RESCIND_TEST_OUTCOME_H
#define RESCIND_TEST_OUTCOME_H

#include <pthread.h>

#include "status/status.h"

struct outcome {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	int answers;
	struct status status;
};

void outcome_init(struct outcome *outcome);
void outcome_release(struct outcome *outcome);

/* The answer function: counts, and keeps the last. */
void outcome_answer(const struct status *status, void *arg);

int outcome_answers(struct outcome *outcome);
/* Wait for the @n-th answer (a test that waits 5 s has failed). */
void outcome_wait(struct outcome *outcome, int n);

#endif
