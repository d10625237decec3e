/*
 * What the tests of db share: a database in a directory of its own, a loop and
 * a root ctx, a second, raw connection that sees what is really in the file,
 * and a way to wait for completions.
 */
#ifndef RESCIND_TEST_DB_FIXTURE_H
#define RESCIND_TEST_DB_FIXTURE_H

#include <limits.h>
#include <pthread.h>
#include <sqlite3.h>

#include "ctx/ctx.h"
#include "db/sqlite.h"
#include "loop/loop.h"

/* Statements of the fixture's database. */
enum {
	INSERT_ITEM,   /* name, note; name is UNIQUE */
	INSERT_THING,  /* i, r, t, b */
	COUNT_ITEMS,   /* a row of one number */
	NOTE_OF_ITEM,  /* name */
	SET_NOTE,      /* note, name */
	DELETE_ITEM,   /* name */
	COUNT_FOREVER, /* a query that takes minutes */
	INSERT_CHILD,  /* parent's name; checked at the end */
	INSERT_TYRANT, /* n, UNIQUE ON CONFLICT ROLLBACK */
	STATEMENTS_NR
};

struct fixture {
	char dir[64];
	char path[96];
	struct loop *loop;
	struct ctx *root;
	struct db_sqlite_options options;
	struct db *db;
	sqlite3 *raw;
};

/* A directory, a loop on its own thread, options; no database yet. */
void fixture_init(struct fixture *f);
/* The same with the database opened; aborts the test when that fails. */
void fixture_open(struct fixture *f);
/* The same, and wait until the writer's thread has prepared its log. */
void fixture_open_ready(struct fixture *f);
void fixture_close(struct fixture *f);
/* Closes what is open, and removes the directory. */
void fixture_release(struct fixture *f);

/* Through the raw connection; aborts the test on an error. */
int64_t raw_int(struct fixture *f, const char *sql);
void raw_exec(struct fixture *f, const char *sql);
bool file_exists(const struct fixture *f, const char *suffix);
/* Bytes of the write-ahead log, -1 where there is none. */
int64_t log_size(const struct fixture *f);

/* Completions to wait for. */
struct outcome {
	pthread_mutex_t lock;
	pthread_cond_t news;
	int done;
	struct status last;
	int by_code[STATUS_CODE_NR];
};

void outcome_init(struct outcome *o);
void outcome_done(const struct status *status, void *arg);
/* Wait until @n are done (20 s at most); the last one's code. */
enum status_code outcome_wait(struct outcome *o, int n);
int outcome_count(struct outcome *o);

/* A ctx without a deadline. */
struct ctx *open_ctx(struct fixture *f);
/* Begin and insert an item; aborts the test when refused. */
struct db_txn *stage_item(struct fixture *f, struct ctx *ctx, const char *name);
/* Stage and commit an item, and wait; the code. */
enum status_code commit_item(struct fixture *f, const char *name,
			     struct status *ret_status);

#endif
