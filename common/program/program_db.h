/*
 * A database as a part of a program. Its failed sync ends the process, at once
 * and with PROGRAM_EXIT_SYNC_FAILED: what the disk holds is unknown then, and
 * recovery from the file is the only honest way on.
 *
 *	program_db_options(&app->program, path, &options);
 *	options.schema = ...;
 *	if (program_db_open(&app->db, &app->program, &options, reterr) ...
 *	program_db_add(&app->db, "database");
 */
#ifndef RESCIND_PROGRAM_DB_H
#define RESCIND_PROGRAM_DB_H

#include <pthread.h>

#include "db/sqlite.h"
#include "program/program.h"

struct program_db {
	struct program *program;
	struct db *db;	      /* NULL when closed, or never opened */
	pthread_mutex_t lock; /* of db, between check and close */
	struct lifecycle_part *part;
};

/* Where @path says, with room for as many staged transactions as @program lets
 * be in flight. */
void program_db_options(const struct program *program, const char *path,
			struct db_sqlite_options *ret_options);

/* Open it, and show it in the metrics. */
MUSTCHECK enum status_code
program_db_open(struct program_db *db, struct program *program,
		const struct db_sqlite_options *options, struct status *reterr);

/* Register it: it only closes, on whichever thread the ladder wants it to
 * (lifecycle_close_beside()). Before whatever uses it. @name is borrowed for
 * good. */
void program_db_add(struct program_db *db, const char *name);

/* For program.check: whether it takes writes; *reterr says what is wrong with
 * the "database". Any thread, also while it closes. */
MUSTCHECK enum status_code program_db_check(struct program_db *db,
					    struct status *reterr);

/* Close it, if the ladder did not. May block. */
void program_db_release(struct program_db *db);

#endif
