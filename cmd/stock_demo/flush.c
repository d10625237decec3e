#include "flush.h"

#include "log/log.h"

static void on_flushed(const struct status *status, void *self)
{
	struct stock_flush *flush = self;

	if (status->code != STATUS_OK) {
		log_warn(NULL, NULL, "the database could not be flushed: %s",
			 status->message);
	}
	atomic_store(&flush->under_way, false);
	lifecycle_hook_done(flush->hook);
	lifecycle_drained(flush->part);
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

static void hook(void *self, struct lifecycle_hook *hook)
{
	struct stock_flush *flush = self;

	(void)hook;
	flush->ctx = ctx_new(flush->db->program->root, CLOCK_NEVER);
	atomic_store(&flush->under_way, true);
	db_immediate(flush->db->db, flush->ctx, nothing, on_flushed, flush);
}

/* The time for it is over, or it was done long ago. */
static void drain(void *self, struct lifecycle_part *part)
{
	struct stock_flush *flush = self;

	if (atomic_load(&flush->under_way)) {
		(void)ctx_end(flush->ctx, CTX_SHUTDOWN, NULL);
	} else {
		lifecycle_drained(part);
	}
}

static void close_begin(void *self, struct lifecycle_part *part)
{
	struct stock_flush *flush = self;

	if (flush->ctx != NULL) {
		ctx_unref(flush->ctx);
		flush->ctx = NULL;
	}
	lifecycle_closed(part);
}

void stock_flush_add(struct stock_flush *flush, struct program_db *db,
		     unsigned share_percent)
{
	static const struct lifecycle_ops ops = {
		.drain = drain,
		.close_begin = close_begin,
	};
	struct lifecycle *lifecycle = db->program->lifecycle;

	flush->db = db;
	flush->part = lifecycle_add(lifecycle, "flush", &ops, flush);
	flush->hook = lifecycle_add_hook(lifecycle, "flush", hook, flush,
					 share_percent);
}
