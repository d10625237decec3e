/*
 * A hook that flushes: what was asked of the database before the signal is on
 * disk before any part begins to stop.
 */
#ifndef RESCIND_CMD_STOCK_DEMO_FLUSH_H
#define RESCIND_CMD_STOCK_DEMO_FLUSH_H

#include "program/program_db.h"

/* @db is open. It may take @share_percent of the shutdown timeout. */
void stock_flush_add_hook(struct program_db *db, unsigned share_percent);

#endif
