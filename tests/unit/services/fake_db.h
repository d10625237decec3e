/*
 * A database that does what a test says, behind the production port.
 *
 * Nothing completes by itself: commits, immediate transactions and reads wait
 * until the test completes them, one after another, so that it decides what
 * happens between. What the callers did is counted. Thread-safe.
 *
 * What bodies execute is only counted, unless the test says who does it:
 * fake_record.h, for one.
 */
#ifndef RESCIND_TEST_FAKE_DB_H
#define RESCIND_TEST_FAKE_DB_H

#include <pthread.h>

#include "db/db.h"

enum { FAKE_WAITS_MAX = 1024, FAKE_STMTS_MAX = 32, FAKE_VALUES_MAX = 5 };

/* What waits to be completed. */
struct fake_wait {
	db_done_fn done;
	void *arg;
	db_body_fn body; /* of an immediate transaction or a read */
	struct ctx *ctx; /* whose end refuses it; referenced */
};

/* As the port's exec, of @fake's only session. */
typedef enum status_code (*fake_exec_fn)(void *self, db_stmt stmt,
					 const struct db_value *values,
					 size_t values_n, db_row_fn on_row,
					 void *arg, int64_t *ret_changes,
					 struct status *reterr);

struct fake_db {
	struct db db; /* what the code under test sees */

	/* Set by the test: what the next calls answer. */
	enum status_code begin_code;
	enum status_code insert_code;
	db_stmt insert_stmt; /* which alone answers so; 0: all */
	enum status_code health_code;
	fake_exec_fn exec; /* may be NULL */
	void *exec_self;

	/* What happened. */
	int begun;
	int committed;	 /* asked for */
	int rolled_back; /* asked for */
	int immediate;	 /* asked for */
	int reads;	 /* asked for */
	int executed;	 /* statements of bodies */
	unsigned last_stmt;
	int inserted[FAKE_STMTS_MAX];	       /* rows, by statement */
	char last_values[FAKE_VALUES_MAX][64]; /* texts of the last insert */

	pthread_mutex_t lock;
	pthread_cond_t asked;
	struct fake_wait waits[FAKE_WAITS_MAX]; /* in the order they came */
	size_t waits_n;
	struct ctx *txn_ctx; /* of the last staged transaction; referenced */
};

void fake_db_init(struct fake_db *fake);
/* Checks that every staged transaction was committed or rolled back, once. */
void fake_db_release(struct fake_db *fake);

/* Hand a row to @on_row, as fake_db.exec may; what that answers. */
bool fake_row(db_row_fn on_row, void *arg, const struct db_value *values,
	      int values_n);

/* Whether something waits to be completed. */
bool fake_db_waits(struct fake_db *fake);
/* Wait until something does (a test that waits 5 s has failed). */
void fake_db_await(struct fake_db *fake);
/* How many do. */
size_t fake_db_waiting(struct fake_db *fake);
/*
 * Complete what has waited longest, on this thread; with OK a body is run
 * first, and what that says counts.
 */
void fake_db_complete(struct fake_db *fake, enum status_code code,
		      const char *text);
/* The same with the code and text with which its scope ended. */
void fake_db_refuse_ended(struct fake_db *fake);

#endif
