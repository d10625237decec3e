/* Opening the file: its mode, its schema, and errors that a person can read. */
#ifndef RESCIND_DB_SQLITE_FILE_H
#define RESCIND_DB_SQLITE_FILE_H

#include <sqlite3.h>

#include "db/sqlite.h"

/*
 * The writer's connection: the file made where it is missing, in WAL mode, with
 * the schema, its tables compared with those of @image, and on disk.
 */
MUSTCHECK enum status_code
file_open_writer(const struct db_sqlite_options *options, sqlite3 *image,
		 sqlite3 **ret_db, struct status *reterr);

/* The reader's; the file is there and in order. */
MUSTCHECK enum status_code
file_open_reader(const struct db_sqlite_options *options, sqlite3 **ret_db,
		 struct status *reterr);

#endif
