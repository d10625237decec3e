/* Immediate transactions and reads: the functions of struct db_ops. */
#ifndef RESCIND_DB_SQLITE_WORK_H
#define RESCIND_DB_SQLITE_WORK_H

#include "db/db.h"

void work_immediate(struct db *db, struct ctx *ctx, db_body_fn body,
		    db_done_fn done, void *arg);
void work_read(struct db *db, struct ctx *ctx, db_body_fn body, db_done_fn done,
	       void *arg);

#endif
