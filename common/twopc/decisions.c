#include "twopc/decisions.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "failpoint/failpoint.h"
#include "twopc/bug.h"
#include "twopc/unix_ms.h"

static db_stmt stmt(const struct twopc_decisions *decisions,
		    enum twopc_decisions_stmt which)
{
	return decisions->base + which;
}

static struct twopc_decision decision_of(const struct db_row *row)
{
	return (struct twopc_decision){
		.id = db_row_text(row, 0, NULL),
		.participant = db_row_text(row, 1, NULL),
		.note = db_row_text(row, 2, NULL),
		.decided_ms = db_row_integer(row, 3),
	};
}

/* ---- opening ------------------------------------------------------------ */

static void draw(void *to, size_t size)
{
	if (getrandom(to, size, 0) != (ssize_t)size) {
		twopc_bug("no random numbers");
	}
}

struct identity {
	char coordinator[TWOPC_UUID_SIZE];
	char stem[TWOPC_STEM_SIZE];
};

static bool take_identity(const struct db_row *row, void *arg)
{
	struct identity *identity = arg;

	snprintf(identity->coordinator, sizeof(identity->coordinator), "%s",
		 db_row_text(row, 0, NULL));
	snprintf(identity->stem, sizeof(identity->stem), "%s",
		 db_row_text(row, 1, NULL));
	return false;
}

/* Who we are from now on, if we have not been anybody yet. */
static enum status_code keep(struct db_session *session,
			     struct twopc_opening *opening,
			     struct status *reterr)
{
	uint8_t random[16];
	char uuid[TWOPC_UUID_SIZE];
	struct db_value values[1];

	draw(random, sizeof(random));
	twopc_uuid_format(random, uuid);
	values[0] = db_text(uuid);
	return db_exec(session, stmt(opening->decisions, TWOPC_DECISIONS_KEEP),
		       values, 1, NULL, NULL, NULL, reterr);
}

static enum status_code identify(struct db_session *session,
				 struct twopc_decisions *decisions,
				 struct identity *ret_identity,
				 struct status *reterr)
{
	ret_identity->coordinator[0] = '\0';
	ret_identity->stem[0] = '\0';
	return db_exec(session, stmt(decisions, TWOPC_DECISIONS_IDENTITY), NULL,
		       0, take_identity, ret_identity, NULL, reterr);
}

static enum status_code take_over(struct db_session *session,
				  struct twopc_opening *opening,
				  struct status *reterr)
{
	const struct db_value values[] = { db_text(opening->stem) };

	return db_exec(session,
		       stmt(opening->decisions, TWOPC_DECISIONS_TAKE_OVER),
		       values, 1, NULL, NULL, NULL, reterr);
}

static bool take_decision(const struct db_row *row, void *arg)
{
	struct twopc_opening *opening = arg;
	const struct twopc_decision decision = decision_of(row);

	opening->refusal.code =
		opening->loaded(opening, &decision, &opening->refusal);
	return opening->refusal.code == STATUS_OK;
}

static enum status_code load(struct db_session *session,
			     struct twopc_opening *opening,
			     struct status *reterr)
{
	const struct db_value all[] = { db_text(""), db_integer(-1) };
	enum status_code code;

	opening->refusal = status_ok();
	code = db_exec(session, stmt(opening->decisions, TWOPC_DECISIONS_LIST),
		       all, 2, take_decision, opening, NULL, reterr);
	if (code == STATUS_OK && opening->refusal.code != STATUS_OK) {
		*reterr = opening->refusal;
		return reterr->code;
	}
	return code;
}

static enum status_code open_body(struct db_session *session, void *arg,
				  struct status *reterr)
{
	struct twopc_opening *opening = arg;
	struct identity identity;
	uint64_t random;

	FAILPOINT("twopc.open.before");
	if (keep(session, opening, reterr) != STATUS_OK ||
	    identify(session, opening->decisions, &identity, reterr) !=
		    STATUS_OK) {
		return reterr->code;
	}
	memcpy(opening->coordinator, identity.coordinator,
	       sizeof(identity.coordinator));
	draw(&random, sizeof(random));
	twopc_stem_next(identity.stem, (uint64_t)unix_ms_now(), random,
			opening->stem);
	FAILPOINT("twopc.open.identified");
	if (take_over(session, opening, reterr) != STATUS_OK) {
		return reterr->code;
	}
	FAILPOINT("twopc.open.taken_over");
	return load(session, opening, reterr);
}

static void on_opened(const struct status *status, void *arg)
{
	struct twopc_opening *opening = arg;
	struct twopc_decisions *decisions = opening->decisions;

	FAILPOINT("twopc.open.after");
	if (status->code == STATUS_OK) {
		memcpy(decisions->coordinator, opening->coordinator,
		       sizeof(decisions->coordinator));
		memcpy(decisions->stem, opening->stem, sizeof(decisions->stem));
	}
	opening->done(opening, status);
}

void twopc_decisions_open(struct twopc_decisions *decisions, struct ctx *ctx,
			  struct twopc_opening *opening)
{
	opening->decisions = decisions;
	db_immediate(decisions->db, ctx, open_body, on_opened, opening);
}

/* ---- deciding and forgetting -------------------------------------------- */

enum status_code twopc_decisions_insert(const struct twopc_decisions *decisions,
					struct db_txn *txn, const char *id,
					const char *participant,
					const char *note, struct status *reterr)
{
	const struct db_value values[] = { db_text(id), db_text(participant),
					   db_text(note),
					   db_integer(unix_ms_now()) };

	return db_txn_insert(txn, stmt(decisions, TWOPC_DECISIONS_INSERT),
			     values, 4, reterr);
}

static enum status_code forget_one(struct db_session *session,
				   struct twopc_decisions *decisions,
				   const struct twopc_item *item,
				   struct status *reterr)
{
	const struct db_value values[] = { db_text(item->id) };

	return db_exec(session, stmt(decisions, TWOPC_DECISIONS_FORGET), values,
		       1, NULL, NULL, NULL, reterr);
}

static enum status_code forget_body(struct db_session *session, void *arg,
				    struct status *reterr)
{
	struct twopc_forgetting *forgetting = arg;
	struct twopc_decisions *decisions = forgetting->decisions;
	struct identity identity;
	enum status_code code = identify(session, decisions, &identity, reterr);

	if (code == STATUS_OK && strcmp(identity.stem, decisions->stem) != 0) {
		return status_set(reterr, STATUS_FAILED_PRECONDITION,
				  "another process has taken over this "
				  "coordinator");
	}
	for (size_t i = 0; i < forgetting->items_n && code == STATUS_OK; i++) {
		FAILPOINT("twopc.forget.one");
		code = forget_one(session, decisions, &forgetting->items[i],
				  reterr);
	}
	return code;
}

static void on_forgotten(const struct status *status, void *arg)
{
	struct twopc_forgetting *forgetting = arg;

	forgetting->done(forgetting, status);
}

void twopc_decisions_forget(struct twopc_decisions *decisions, struct ctx *ctx,
			    struct twopc_forgetting *forgetting)
{
	forgetting->decisions = decisions;
	db_immediate(decisions->db, ctx, forget_body, on_forgotten, forgetting);
}

/* ---- looking ------------------------------------------------------------ */

static bool show_decision(const struct db_row *row, void *arg)
{
	struct twopc_decisions_page *page = arg;
	const struct twopc_decision decision = decision_of(row);

	page->row(page, &decision);
	return true;
}

static enum status_code page_body(struct db_session *session, void *arg,
				  struct status *reterr)
{
	struct twopc_decisions_page *page = arg;
	const struct db_value values[] = {
		db_text(page->after), db_integer((int64_t)page->rows_max)
	};

	return db_exec(session, stmt(page->decisions, TWOPC_DECISIONS_LIST),
		       values, 2, show_decision, page, NULL, reterr);
}

static void on_page(const struct status *status, void *arg)
{
	struct twopc_decisions_page *page = arg;

	page->done(page, status);
}

void twopc_decisions_list(struct twopc_decisions *decisions, struct ctx *ctx,
			  struct twopc_decisions_page *page)
{
	page->decisions = decisions;
	db_read(decisions->db, ctx, page_body, on_page, page);
}
