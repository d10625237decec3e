/*
 * A worker that answers what and when a test says, behind the production port.
 */
#ifndef RESCIND_TEST_FAKE_WORKER_H
#define RESCIND_TEST_FAKE_WORKER_H

#include <semaphore.h>
#include <stdatomic.h>

#include "echo/worker_port.h"

struct fake_worker {
	struct worker_port port; /* what the code under test sees */
	atomic_int calls;	 /* or exchanges */
	char task_id[64];	 /* of the last of them */
	char data[64];
	struct ctx *ctx; /* of the last; referenced */
	sem_t called;

	/* In one phase. */
	_Atomic(struct worker_call *) call; /* not yet answered; or NULL */

	/* In two phases. */
	_Atomic(struct worker_link *) link; /* not yet ended; or NULL */
	char coordinator[64];
	char transaction_id[64];
	atomic_int commits;
	atomic_int rollbacks;
};

void fake_worker_init(struct fake_worker *fake);
void fake_worker_release(struct fake_worker *fake);
/* Wait until a call or exchange begins (a test that waits 5 s has failed). */
void fake_worker_await(struct fake_worker *fake);
/* Answer the call that waits. */
void fake_worker_reply(struct fake_worker *fake, enum status_code code,
		       const char *text);
/* Say something in the exchange. */
void fake_worker_say(struct fake_worker *fake, enum twopc_verdict verdict,
		     const char *text);
/* End it. */
void fake_worker_end(struct fake_worker *fake, enum status_code code,
		     const char *text);

#endif
