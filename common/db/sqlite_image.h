/*
 * A private, memory-only connection with tables of the shape of the file's: the
 * rows of one staged transaction are inserted and checked there. About 30 KB
 * with an open transaction, 30 us to open, 1.5 us for begin, insert and undo.
 *
 * Threads: one at a time; the transaction that has it sees to that.
 */
#ifndef RESCIND_DB_SQLITE_IMAGE_H
#define RESCIND_DB_SQLITE_IMAGE_H

#include <pthread.h>
#include <sqlite3.h>

#include "db/db.h"
#include "db/sqlite_schema.h"

/* What all images of a database have in common; must outlive them. */
struct image_plan {
	/*
	 * An image without rows, of which the others are copies: copying its
	 * pages costs half of running the schema.
	 */
	sqlite3 *model;
	pthread_mutex_t model_lock;
	struct staged_tables tables;
	const char *const *statements;
	size_t statements_n;
	/* Of each statement, whether it is an INSERT that can be staged. */
	bool *stageable;
};

struct image {
	struct image *next; /* the pool's own */
	const struct image_plan *plan;
	sqlite3 *db;
	sqlite3_stmt *begin, *rollback;
	sqlite3_stmt **inserts; /* by db_stmt, NULL where not stageable */
	sqlite3_stmt **selects; /* by staged table */
	/* Who uses it, kept with it, and what frees that. */
	void *user;
	void (*user_free)(void *user);
};

/*
 * Run @schema on a model and look at its tables @tables (ends in NULL). The
 * arguments are borrowed, @schema for the call only.
 */
MUSTCHECK enum status_code
image_plan_init(struct image_plan *plan, const char *schema,
		const char *const *tables, const char *const *statements,
		size_t statements_n, struct status *reterr);
void image_plan_release(struct image_plan *plan);

MUSTCHECK enum status_code image_open(struct image_plan *plan,
				      struct image **ret_image,
				      struct status *reterr);
/* NULL is fine. */
void image_close(struct image *image);

MUSTCHECK enum status_code image_begin(struct image *image,
				       struct status *reterr);
MUSTCHECK enum status_code image_insert(struct image *image, db_stmt stmt,
					const struct db_value *values,
					size_t values_n, struct status *reterr);
/* Forget the rows. Also after an error, also when none is open. */
void image_rollback(struct image *image);

#endif
