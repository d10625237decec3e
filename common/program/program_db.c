#include "program/program_db.h"

#include <unistd.h>

#include "log/log.h"

/* A staged transaction's connection comes back after its answer. */
enum { STAGED_SPARE = 512 };

static void on_sync_failed(const struct status *status, void *arg)
{
	(void)arg;
	log_error(NULL, NULL,
		  "The database could not be synced; what the disk holds is "
		  "unknown, so this process ends: %s",
		  status->message);
	log_flush();
	_exit(PROGRAM_EXIT_SYNC_FAILED);
}

void program_db_options(const struct program *program, const char *path,
			struct db_sqlite_options *ret_options)
{
	*ret_options = (struct db_sqlite_options){
		.path = path,
		.staged_max = program->in_flight_max + STAGED_SPARE,
		.on_fatal = on_sync_failed,
	};
}

enum status_code program_db_open(struct program_db *db, struct program *program,
				 const struct db_sqlite_options *options,
				 struct status *reterr)
{
	db->program = program;
	pthread_mutex_init(&db->lock, NULL);
	if (db_sqlite_open(options, &db->db, reterr) != STATUS_OK) {
		return reterr->code;
	}
	work_metrics_watch_db(program->work_metrics, db->db);
	return STATUS_OK;
}

enum status_code program_db_check(struct program_db *db, struct status *reterr)
{
	enum status_code code;

	pthread_mutex_lock(&db->lock);
	code = db->db != NULL
		       ? db_health(db->db, reterr)
		       : status_set(reterr, STATUS_UNAVAILABLE, "closed");
	pthread_mutex_unlock(&db->lock);
	return code == STATUS_OK ? code : status_wrap(reterr, "database");
}

/* Closing takes a while; who asks meanwhile is told that it is closed. */
static struct db *take_away(struct program_db *db)
{
	struct db *taken;

	pthread_mutex_lock(&db->lock);
	taken = db->db;
	db->db = NULL;
	pthread_mutex_unlock(&db->lock);
	work_metrics_forget_db(db->program->work_metrics);
	return taken;
}

static void close_db(void *self)
{
	struct program_db *db = self;

	if (db->db != NULL) {
		db_close(take_away(db));
	}
}

void program_db_add(struct program_db *db, const char *name)
{
	static const struct lifecycle_ops ops = { .close = close_db };

	db->part = lifecycle_add(db->program->lifecycle, name, &ops, db);
}

void program_db_release(struct program_db *db)
{
	close_db(db);
}
