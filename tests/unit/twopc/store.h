/*
 * What the tests of the records share: a real database in a directory of its
 * own, that of a coordinator and of a participant at once, whose work is to
 * insert what was prepared into a table; a raw connection that sees what is in
 * the file; and ways to wait for completions.
 */
#ifndef RESCIND_TEST_TWOPC_STORE_H
#define RESCIND_TEST_TWOPC_STORE_H

#include <pthread.h>
#include <sqlite3.h>

#include "ctx/ctx.h"
#include "db/sqlite.h"
#include "loop/loop.h"
#include "twopc/decisions.h"
#include "twopc/prepared.h"

enum {
	STORE_INSERT_WORK, /* what */
	STORE_PREPARED,
	STORE_DECISIONS = STORE_PREPARED + TWOPC_PREPARED_STMT_NR,
	STORE_STMT_NR = STORE_DECISIONS + TWOPC_DECISIONS_STMT_NR
};

/* A completion to wait for. */
struct outcome {
	pthread_mutex_t lock;
	pthread_cond_t news;
	int done;
	struct status last;
};

struct store {
	char dir[64];
	char path[96];
	struct loop *loop;
	struct ctx *root;
	struct db_sqlite_options options;
	struct db *db;
	sqlite3 *raw;
	struct twopc_prepared prepared;
	struct twopc_decisions decisions;
	struct outcome outcome;
	int applied;		  /* calls of the apply function */
	enum twopc_effect effect; /* of the last order() */
	enum status_code refuse_with;
};

void store_init(struct store *store);
void store_close(struct store *store);
void store_open(struct store *store);
void store_release(struct store *store);

void outcome_done(struct outcome *outcome, const struct status *status);
/* Wait for @n in all (20 s at most); the last one's code. */
enum status_code outcome_wait(struct outcome *outcome, int n);
/* Wait for one more. */
enum status_code outcome_next(struct outcome *outcome);

/* Through the raw connection; aborts the test on an error. */
int64_t raw_int(struct store *store, const char *sql);
void raw_exec(struct store *store, const char *sql);

/* Give an order and wait; what is said is in store->outcome.last. */
enum twopc_verdict order(struct store *store, enum twopc_order order,
			 const char *coordinator, const char *id);

#endif
