#include "flush.h"

#include "log/log.h"

static void on_flushed(const struct status *status, void *hook)
{
	if (status->code != STATUS_OK) {
		log_warn(NULL, NULL, "the database could not be flushed: %s",
			 status->message);
	}
	lifecycle_hook_done(hook);
}

/* To come behind all that is queued is all that it is for. */
static enum status_code nothing(struct db_session *session, void *arg,
				struct status *reterr)
{
	(void)session;
	(void)arg;
	(void)reterr;
	return STATUS_OK;
}

static void flush(void *self, struct lifecycle_hook *hook)
{
	struct program_db *db = self;

	db_immediate(db->db, db->program->root, nothing, on_flushed, hook);
}

void stock_flush_add_hook(struct program_db *db, unsigned share_percent)
{
	lifecycle_add_hook(db->program->lifecycle, "flush", flush, db,
			   share_percent);
}
