/*
 * A database that does what a test says, behind the production port.
 *
 * Nothing completes by itself: commits and immediate transactions wait until
 * the test completes them, one at a time, so that it decides what happens
 * between. What the callers did is counted. Thread-safe.
 */
#ifndef RESCIND_TEST_FAKE_DB_H
#define RESCIND_TEST_FAKE_DB_H

#include <pthread.h>

#include "db/db.h"

struct fake_db {
	struct db db; /* what the code under test sees */

	/* Set by the test: what the next calls answer. */
	enum status_code begin_code;
	enum status_code insert_code;
	enum status_code health_code;

	/* What happened. */
	int begun;
	int committed;	 /* asked for */
	int rolled_back; /* asked for */
	int immediate;	 /* asked for */
	int executed;	 /* statements of bodies */
	unsigned last_stmt;
	char last_values[2][64]; /* of the last insert */

	pthread_mutex_t lock;
	pthread_cond_t asked;
	db_done_fn done; /* what waits to be completed; NULL: nothing */
	void *done_arg;
	db_body_fn body;     /* of an immediate transaction */
	struct ctx *txn_ctx; /* of the last staged transaction; referenced */
};

void fake_db_init(struct fake_db *fake);
/* Checks that every staged transaction was committed or rolled back, once. */
void fake_db_release(struct fake_db *fake);

/* Whether something waits to be completed. */
bool fake_db_waits(struct fake_db *fake);
/* Wait until something does (a test that waits 5 s has failed). */
void fake_db_await(struct fake_db *fake);
/* Complete what waits, on this thread; with OK a body is run first. */
void fake_db_complete(struct fake_db *fake, enum status_code code,
		      const char *text);
/* The same with the code and text with which the transaction's scope ended. */
void fake_db_refuse_ended(struct fake_db *fake);

#endif
