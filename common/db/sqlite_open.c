#include "db/sqlite_open.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "db/sqlite_error.h"
#include "db/sqlite_file.h"
#include "db/sqlite_txn.h"
#include "db/sqlite_work.h"
#include "failpoint/failpoint.h"

enum {
	STAGED_IDLE_DEFAULT = 8,
	STAGED_MAX_DEFAULT = 4096,
	GROUP_MAX_DEFAULT = 256,
	EXIT_SYNC_FAILED = 75,
};

/* ---- state -------------------------------------------------------------- */

static enum status_code get_health(struct db *base, struct status *reterr)
{
	return health_get(&((struct sqlite_db *)base)->lane.health, reterr);
}

static uint64_t value_of(atomic_ulong *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

static void get_stats(struct db *base, struct db_stats *ret_stats)
{
	struct sqlite_db *db = (struct sqlite_db *)base;

	ret_stats->committed = value_of(&db->counters.committed);
	ret_stats->rolled_back = value_of(&db->counters.rolled_back);
	ret_stats->failed = value_of(&db->counters.failed);
	ret_stats->staged_open = value_of(&db->counters.staged_open);
	ret_stats->groups = value_of(&db->lane.groups);
	ret_stats->sync_ns = value_of(&db->lane.sync_ns);
	ret_stats->queued = queue_length(&db->lane.queue);
}

/* ---- closing ------------------------------------------------------------ */

/* The reader first: the writer empties the log only when nobody reads in it. */
static void close_db(struct db *base)
{
	struct sqlite_db *db = (struct sqlite_db *)base;

	pool_shut(&db->pool);
	reader_stop(&db->reader);
	reader_release(&db->reader);
	lane_stop(&db->lane);
	if (value_of(&db->counters.staged_open) > 0) {
		sqlite_bug("closed with %llu staged transactions open",
			   (unsigned long long)value_of(
				   &db->counters.staged_open));
	}
	pool_release(&db->pool);
	FAILPOINT("db.close.before");
	lane_release(&db->lane);
	FAILPOINT("db.close.after");
	image_plan_release(&db->plan);
	free(db);
}

const struct db_ops sqlite_ops = {
	.txn_begin = txn_begin,
	.txn_insert = txn_insert,
	.txn_commit = txn_commit,
	.txn_rollback = txn_rollback,
	.immediate = work_immediate,
	.read = work_read,
	.exec = session_exec,
	.row_is_null = row_is_null,
	.row_integer = row_integer,
	.row_real = row_real,
	.row_text = row_text,
	.health = get_health,
	.stats = get_stats,
	.close = close_db,
};

/* ---- opening ------------------------------------------------------------ */

static void exit_at_once(const struct status *status, void *arg)
{
	(void)arg;
	fprintf(stderr, "database: %s\n", status->message);
	_exit(EXIT_SYNC_FAILED);
}

static size_t or_default(size_t value, size_t fallback)
{
	return value != 0 ? value : fallback;
}

static enum status_code open_writer(struct sqlite_db *db,
				    const struct db_sqlite_options *options,
				    struct status *reterr)
{
	sqlite3 *file;

	db->lane.on_fatal =
		options->on_fatal != NULL ? options->on_fatal : exit_at_once;
	db->lane.on_fatal_arg = options->on_fatal_arg;
	if (file_open_writer(options, db->plan.model, &file, reterr) !=
	    STATUS_OK) {
		return reterr->code;
	}
	if (lane_init(&db->lane, file, &db->plan,
		      or_default(options->group_max, GROUP_MAX_DEFAULT),
		      reterr) != STATUS_OK) {
		lane_release(&db->lane);
		return reterr->code;
	}
	return STATUS_OK;
}

static enum status_code open_reader(struct sqlite_db *db,
				    const struct db_sqlite_options *options,
				    struct status *reterr)
{
	sqlite3 *file;

	if (file_open_reader(options, &file, reterr) != STATUS_OK) {
		return reterr->code;
	}
	if (reader_init(&db->reader, file, options->statements,
			options->statements_n, reterr) != STATUS_OK) {
		reader_release(&db->reader);
		return reterr->code;
	}
	return STATUS_OK;
}

static enum status_code start_threads(struct sqlite_db *db,
				      const struct db_sqlite_options *options,
				      struct status *reterr)
{
	size_t max = or_default(options->staged_max, STAGED_MAX_DEFAULT);
	size_t keep = or_default(options->staged_idle, STAGED_IDLE_DEFAULT);

	if (lane_start(&db->lane, reterr) != STATUS_OK) {
		return reterr->code;
	}
	if (reader_start(&db->reader, reterr) != STATUS_OK) {
		goto err_lane;
	}
	if (pool_init(&db->pool, &db->plan, max, keep < max ? keep : max,
		      reterr) != STATUS_OK) {
		goto err_reader;
	}
	return STATUS_OK;

err_reader:
	reader_stop(&db->reader);
err_lane:
	lane_stop(&db->lane);
	return reterr->code;
}

static enum status_code open_file(struct sqlite_db *db,
				  const struct db_sqlite_options *options,
				  struct status *reterr)
{
	if (open_writer(db, options, reterr) != STATUS_OK) {
		goto err;
	}
	if (open_reader(db, options, reterr) != STATUS_OK) {
		goto err_writer;
	}
	if (start_threads(db, options, reterr) != STATUS_OK) {
		goto err_reader;
	}
	return STATUS_OK;

err_reader:
	reader_release(&db->reader);
err_writer:
	lane_release(&db->lane);
err:
	return status_wrap(reterr, "database '%s'", options->path);
}

enum status_code db_sqlite_open(const struct db_sqlite_options *options,
				struct db **ret_db, struct status *reterr)
{
	struct sqlite_db *db = calloc(1, sizeof(*db));
	struct status err;

	if (db == NULL) {
		sqlite_bug("out of memory");
	}
	db->base.ops = &sqlite_ops;
	if (image_plan_init(&db->plan, options->schema, options->staged_tables,
			    options->statements, options->statements_n,
			    &err) != STATUS_OK) {
		err.code = STATUS_INVALID_ARGUMENT;
		goto err;
	}
	if (open_file(db, options, &err) != STATUS_OK) {
		goto err_plan;
	}
	*ret_db = &db->base;
	return STATUS_OK;

err_plan:
	image_plan_release(&db->plan);
err:
	free(db);
	if (reterr != NULL) {
		*reterr = err;
	}
	return err.code;
}
