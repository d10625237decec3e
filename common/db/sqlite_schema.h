/*
 * The staged tables: their columns, as a private image has them and as the
 * file must have them, and the two statements that carry rows across.
 */
#ifndef RESCIND_DB_SQLITE_SCHEMA_H
#define RESCIND_DB_SQLITE_SCHEMA_H

#include <sqlite3.h>

#include "status/status.h"

struct staged_table {
	const char *name;
	char *select_sql; /* of the image: the columns that are carried over */
	char *insert_sql; /* into the file: the same columns */
	int columns_n;
};

struct staged_tables {
	struct staged_table *tables;
	size_t n;
};

/*
 * Read the shape of the tables @names (ends in NULL, borrowed) from @image, on
 * which the schema has been run. FAILED_PRECONDITION where one is missing.
 */
MUSTCHECK enum status_code staged_tables_init(struct staged_tables *tables,
					      sqlite3 *image,
					      const char *const *names,
					      struct status *reterr);
void staged_tables_release(struct staged_tables *tables);

/* FAILED_PRECONDITION where table @name differs between the two. */
MUSTCHECK enum status_code schema_compare(sqlite3 *image, sqlite3 *file,
					  const char *name,
					  struct status *reterr);

#endif
