#include "db/sqlite_work.h"

#include <stdlib.h>

#include "db/sqlite_error.h"
#include "db/sqlite_open.h"

/* A body on its way to the writer's or the reader's thread. */
struct work {
	struct job job; /* first; its arg is the body's too */
	db_body_fn body;
};

static enum status_code work_run(struct job *job, struct session *session,
				 struct status *reterr)
{
	struct work *work = (struct work *)job;
	enum status_code code = work->body(&session->base, job->arg, reterr);

	job->declined = code != STATUS_OK && session->failed_rc == SQLITE_OK;
	return code;
}

/* A body that has not run has nothing to undo; the writer undoes the rest. */
static void work_undo(struct job *job)
{
	(void)job;
}

static void work_recycle(struct job *job)
{
	job_release(job);
	free(job);
}

static const struct job_kind work_kind = {
	.run = work_run,
	.undo = work_undo,
	.recycle = work_recycle,
};

static void submit(struct job_queue *queue, struct job_counters *counters,
		   struct ctx *ctx, db_body_fn body, db_done_fn done, void *arg)
{
	struct work *work = calloc(1, sizeof(*work));
	struct status why;

	if (work == NULL) {
		sqlite_bug("out of memory");
	}
	work->body = body;
	job_init(&work->job, &work_kind, queue, counters);
	if (job_open(&work->job, ctx, NULL) == STATUS_OK &&
	    !queue_admits(queue, &why)) {
		job_submit_refused(&work->job, &why, done, arg);
	} else {
		job_submit(&work->job, done, arg);
	}
}

void work_immediate(struct db *base, struct ctx *ctx, db_body_fn body,
		    db_done_fn done, void *arg)
{
	struct sqlite_db *db = (struct sqlite_db *)base;

	submit(&db->lane.queue, &db->counters, ctx, body, done, arg);
}

void work_read(struct db *base, struct ctx *ctx, db_body_fn body,
	       db_done_fn done, void *arg)
{
	struct sqlite_db *db = (struct sqlite_db *)base;

	submit(&db->reader.queue, &db->reads, ctx, body, done, arg);
}
