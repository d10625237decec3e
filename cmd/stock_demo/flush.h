/*
 * A hook that flushes: what was asked of the database before the signal is on
 * disk before any part begins to stop.
 *
 * Where another program holds the database locked, it waits no longer than its
 * share of the time. It is a part of the ladder as well, so that it is given up
 * when the parts begin to stop, and not waited for by the database's close.
 */
#ifndef RESCIND_CMD_STOCK_DEMO_FLUSH_H
#define RESCIND_CMD_STOCK_DEMO_FLUSH_H

#include <stdatomic.h>

#include "program/program_db.h"

struct stock_flush {
	struct program_db *db;
	struct lifecycle_part *part;
	struct lifecycle_hook *hook;
	struct ctx *ctx; /* NULL: it has not begun */
	atomic_bool under_way;
};

/* @db is open, and registered before. It may take @share_percent of the
 * shutdown timeout. */
void stock_flush_add(struct stock_flush *flush, struct program_db *db,
		     unsigned share_percent);

#endif
