/* One database of the SQLite adapter: its parts, and the table of its ops. */
#ifndef RESCIND_DB_SQLITE_OPEN_H
#define RESCIND_DB_SQLITE_OPEN_H

#include "db/sqlite.h"
#include "db/sqlite_lane.h"
#include "db/sqlite_pool.h"
#include "db/sqlite_reader.h"

struct sqlite_db {
	struct db base; /* first */
	struct image_plan plan;
	struct image_pool pool;
	struct lane lane;
	struct reader reader;
	struct job_counters counters; /* of transactions */
	struct job_counters reads;    /* of reads, which nobody asks for */
};

extern const struct db_ops sqlite_ops;

#endif
