#include "db/sqlite_txn.h"

#include <stddef.h>
#include <stdlib.h>

#include "db/sqlite_error.h"
#include "db/sqlite_open.h"

/* Lives and is recycled with its image: a transaction allocates nothing. */
struct sqlite_txn {
	struct db_txn base; /* first */
	struct job job;
	struct image *image;
	struct sqlite_db *db;
};

static struct sqlite_txn *of_job(struct job *job)
{
	return (struct sqlite_txn *)((char *)job -
				     offsetof(struct sqlite_txn, job));
}

/* ---- as a job ----------------------------------------------------------- */

static enum status_code txn_run(struct job *job, struct session *session,
				struct status *reterr)
{
	/* Staged transactions go to the lane, whose session is a writer's. */
	struct writer *writer = (struct writer *)session;

	return writer_publish(writer, of_job(job)->image, reterr);
}

static void txn_undo(struct job *job)
{
	image_rollback(of_job(job)->image);
	atomic_fetch_sub_explicit(&job->counters->staged_open, 1,
				  memory_order_relaxed);
}

static void txn_recycle(struct job *job)
{
	struct sqlite_txn *txn = of_job(job);

	pool_give_back(&txn->db->pool, txn->image);
}

static const struct job_kind txn_kind = {
	.run = txn_run,
	.undo = txn_undo,
	.recycle = txn_recycle,
};

/* ---- life --------------------------------------------------------------- */

static void txn_free(void *user)
{
	struct sqlite_txn *txn = user;

	job_release(&txn->job);
	free(txn);
}

/* The one that lives with @image, made at its first use. */
static struct sqlite_txn *txn_of_image(struct sqlite_db *db,
				       struct image *image)
{
	struct sqlite_txn *txn = image->user;

	if (txn != NULL) {
		return txn;
	}
	txn = calloc(1, sizeof(*txn));
	if (txn == NULL) {
		sqlite_bug("out of memory");
	}
	txn->base.ops = &sqlite_ops;
	txn->image = image;
	txn->db = db;
	job_init(&txn->job, &txn_kind, &db->lane.queue, &db->counters);
	image->user = txn;
	image->user_free = txn_free;
	return txn;
}

enum status_code txn_begin(struct db *base, struct ctx *ctx,
			   struct db_txn **ret_txn, struct status *reterr)
{
	struct sqlite_db *db = (struct sqlite_db *)base;
	struct sqlite_txn *txn;
	struct image *image;
	enum status_code code = pool_take(&db->pool, &image, reterr);

	if (code != STATUS_OK) {
		return code;
	}
	code = image_begin(image, reterr);
	if (code != STATUS_OK) {
		pool_give_back(&db->pool, image);
		return code;
	}
	txn = txn_of_image(db, image);
	atomic_fetch_add_explicit(&db->counters.staged_open, 1,
				  memory_order_relaxed);
	code = job_open(&txn->job, ctx, reterr);
	if (code != STATUS_OK) {
		job_abandon(&txn->job);
		return code;
	}
	*ret_txn = &txn->base;
	return STATUS_OK;
}

enum status_code txn_insert(struct db_txn *base, db_stmt stmt,
			    const struct db_value *values, size_t values_n,
			    struct status *reterr)
{
	struct sqlite_txn *txn = (struct sqlite_txn *)base;
	struct status err;
	enum status_code code = job_enter(&txn->job, reterr);

	if (code != STATUS_OK) {
		return code;
	}
	code = image_insert(txn->image, stmt, values, values_n, &err);
	job_leave(&txn->job, code, &err);
	if (code != STATUS_OK && reterr != NULL) {
		*reterr = err;
	}
	return code;
}

void txn_commit(struct db_txn *base, db_done_fn done, void *arg)
{
	job_submit(&((struct sqlite_txn *)base)->job, done, arg);
}

void txn_rollback(struct db_txn *base)
{
	job_abandon(&((struct sqlite_txn *)base)->job);
}
