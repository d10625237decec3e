#include "twopc/prepared.h"

#include <stdio.h>
#include <string.h>

#include "failpoint/failpoint.h"
#include "twopc/bug.h"
#include "twopc/unix_ms.h"

/* Rows that one transaction drops: every other writer waits. */
enum { DROP_MAX = 256 };

static db_stmt stmt(const struct twopc_prepared *prepared,
		    enum twopc_prepared_stmt which)
{
	return prepared->base + which;
}

/* ---- orders ------------------------------------------------------------- */

struct look {
	int64_t row;
	bool over;
};

static bool take_look(const struct db_row *row, void *arg)
{
	struct look *look = arg;

	look->row = db_row_integer(row, 0); /* 0 for NULL: none */
	look->over = db_row_integer(row, 1) != 0;
	return false;
}

struct payload {
	void *data;
	size_t size;
};

static bool take_payload(const struct db_row *row, void *arg)
{
	struct payload *payload = arg;
	const char *data = db_row_text(row, 0, &payload->size);

	payload->data = malloc(payload->size + 1);
	if (payload->data == NULL) {
		twopc_bug("out of memory");
	}
	memcpy(payload->data, data, payload->size);
	return false;
}

static enum status_code add(struct db_session *session,
			    struct twopc_request *request, enum twopc_row row,
			    struct status *reterr)
{
	const struct db_value values[] = {
		db_text(request->coordinator),
		db_text(request->id),
		db_integer(row),
		row == TWOPC_ROW_PREPARED
			? db_blob(request->payload, request->payload_size)
			: db_null(),
		db_integer(unix_ms_now()),
	};

	return db_exec(session, stmt(request->prepared, TWOPC_PREPARED_ADD),
		       values, 5, NULL, NULL, NULL, reterr);
}

static enum status_code set(struct db_session *session,
			    struct twopc_request *request, enum twopc_row row,
			    struct status *reterr)
{
	const struct db_value values[] = {
		db_text(request->coordinator),
		db_text(request->id),
		db_integer(row),
		db_integer(unix_ms_now()),
	};

	return db_exec(session, stmt(request->prepared, TWOPC_PREPARED_SET),
		       values, 4, NULL, NULL, NULL, reterr);
}

static enum status_code drop(struct db_session *session,
			     struct twopc_request *request,
			     struct status *reterr)
{
	const struct db_value key[] = { db_text(request->coordinator),
					db_text(request->id) };

	return db_exec(session, stmt(request->prepared, TWOPC_PREPARED_DROP),
		       key, 2, NULL, NULL, NULL, reterr);
}

static enum status_code apply(struct db_session *session,
			      struct twopc_request *request,
			      struct status *reterr)
{
	const struct twopc_prepared *prepared = request->prepared;
	const struct db_value key[] = { db_text(request->coordinator),
					db_text(request->id) };
	struct payload payload = { .data = NULL };
	enum status_code code =
		db_exec(session, stmt(prepared, TWOPC_PREPARED_PAYLOAD), key, 2,
			take_payload, &payload, NULL, reterr);

	if (code == STATUS_OK) {
		FAILPOINT("twopc.apply.before");
		code = prepared->apply(session, request->coordinator,
				       request->id, payload.data, payload.size,
				       prepared->apply_arg, reterr);
		FAILPOINT("twopc.apply.after");
	}
	free(payload.data);
	if (code != STATUS_OK) {
		return code;
	}
	return set(session, request, TWOPC_ROW_COMMITTED, reterr);
}

static enum status_code do_effect(struct db_session *session,
				  struct twopc_request *request,
				  enum twopc_effect effect,
				  struct status *reterr)
{
	switch (effect) {
	case TWOPC_EFFECT_NONE:
		return STATUS_OK;
	case TWOPC_EFFECT_ADD_PREPARED:
		return add(session, request, TWOPC_ROW_PREPARED, reterr);
	case TWOPC_EFFECT_ADD_ROLLED_BACK:
		return add(session, request, TWOPC_ROW_ROLLED_BACK, reterr);
	case TWOPC_EFFECT_APPLY:
		return apply(session, request, reterr);
	case TWOPC_EFFECT_UNDO:
		return set(session, request, TWOPC_ROW_ROLLED_BACK, reterr);
	case TWOPC_EFFECT_DROP:
		return drop(session, request, reterr);
	}
	twopc_bug("there is no effect %d", (int)effect);
}

static enum status_code look_at(struct db_session *session,
				struct twopc_request *request,
				struct look *ret_look, struct status *reterr)
{
	const struct db_value key[] = { db_text(request->coordinator),
					db_text(request->id) };
	enum status_code code =
		db_exec(session, stmt(request->prepared, TWOPC_PREPARED_LOOK),
			key, 2, take_look, ret_look, NULL, reterr);

	if (code != STATUS_OK) {
		return code;
	}
	if (ret_look->row < 0 || ret_look->row >= TWOPC_ROW_NR) {
		return status_set(reterr, STATUS_DATA_LOSS,
				  "transaction %s is in a state %lld that does "
				  "not exist",
				  request->id, (long long)ret_look->row);
	}
	return STATUS_OK;
}

/*
 * A refusal is no failure here: what it says of the row holds only once those
 * of the group that made it so are on disk, and a body that fails is told
 * before that.
 */
static enum status_code order_body(struct db_session *session, void *arg,
				   struct status *reterr)
{
	struct twopc_request *request = arg;
	struct look look = { .row = TWOPC_ROW_NONE };
	struct twopc_ruling ruling;
	enum status_code code;

	if (!twopc_name_is_valid(request->coordinator) ||
	    !twopc_name_is_valid(request->id)) {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "a coordinator and a transaction are called "
				  "by 1 to %d printable characters",
				  TWOPC_NAME_SIZE_MAX);
	}
	code = look_at(session, request, &look, reterr);
	if (code != STATUS_OK) {
		return code;
	}
	ruling =
		twopc_rule(request->order, (enum twopc_row)look.row, look.over);
	request->verdict = ruling.verdict;
	request->effect = ruling.effect;
	FAILPOINT("twopc.order.before");
	code = do_effect(session, request, ruling.effect, reterr);
	FAILPOINT("twopc.order.after");
	return code;
}

static void on_ordered(const struct status *status, void *arg)
{
	struct twopc_request *request = arg;
	struct status refusal = status_ok();

	if (status->code != STATUS_OK) {
		request->verdict = TWOPC_VERDICT_FAILED;
		request->effect = TWOPC_EFFECT_NONE;
		request->done(request, status);
		return;
	}
	(void)twopc_verdict_status(request->order, request->verdict,
				   request->id, &refusal);
	request->done(request, &refusal);
}

void twopc_prepared_do(struct twopc_prepared *prepared, struct ctx *ctx,
		       struct twopc_request *request)
{
	request->prepared = prepared;
	request->verdict = TWOPC_VERDICT_FAILED;
	request->effect = TWOPC_EFFECT_NONE;
	db_immediate(prepared->db, ctx, order_body, on_ordered, request);
}

/* ---- sealing ------------------------------------------------------------ */

static enum status_code seal_body(struct db_session *session, void *arg,
				  struct status *reterr)
{
	struct twopc_seal *seal = arg;
	const struct db_value bound[] = { db_text(seal->coordinator),
					  db_text(seal->over_below),
					  db_integer(unix_ms_now()) };
	const struct db_value range[] = { db_text(seal->coordinator),
					  db_text(seal->over_below),
					  db_integer(DROP_MAX) };
	enum status_code code;

	if (!twopc_name_is_valid(seal->coordinator) ||
	    !twopc_name_is_valid(seal->over_below)) {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "neither coordinator nor bound may be empty "
				  "or longer than %d",
				  TWOPC_NAME_SIZE_MAX);
	}
	FAILPOINT("twopc.seal.before");
	code = db_exec(session, stmt(seal->prepared, TWOPC_PREPARED_SEAL),
		       bound, 3, NULL, NULL, NULL, reterr);
	if (code != STATUS_OK) {
		return code;
	}
	FAILPOINT("twopc.seal.written");
	code = db_exec(session, stmt(seal->prepared, TWOPC_PREPARED_DROP_OVER),
		       range, 3, NULL, NULL, &seal->changes, reterr);
	FAILPOINT("twopc.seal.after");
	return code;
}

static void on_sealed(const struct status *status, void *arg)
{
	struct twopc_seal *seal = arg;
	struct ctx *ctx = seal->ctx;

	if (status->code == STATUS_OK) {
		seal->dropped += seal->changes;
		if (seal->changes == DROP_MAX) { /* there may be more */
			db_immediate(seal->prepared->db, ctx, seal_body,
				     on_sealed, seal);
			return;
		}
	}
	seal->done(seal, status);
	ctx_unref(ctx);
}

void twopc_prepared_seal(struct twopc_prepared *prepared, struct ctx *ctx,
			 struct twopc_seal *seal)
{
	seal->prepared = prepared;
	seal->ctx = ctx_ref(ctx);
	seal->dropped = 0;
	db_immediate(prepared->db, ctx, seal_body, on_sealed, seal);
}

/* ---- expiry ------------------------------------------------------------- */

static enum status_code expire_body(struct db_session *session, void *arg,
				    struct status *reterr)
{
	struct twopc_expiry *expiry = arg;
	const struct db_value old[] = {
		db_integer(expiry->now_ms - TWOPC_TOMBSTONE_MS),
		db_integer(DROP_MAX),
	};
	const struct db_value very_old[] = {
		db_integer(expiry->now_ms - TWOPC_SEAL_MS),
	};
	int64_t tombstones;
	int64_t seals;
	enum status_code code = db_exec(
		session, stmt(expiry->prepared, TWOPC_PREPARED_DROP_TOMBSTONES),
		old, 2, NULL, NULL, &tombstones, reterr);

	if (code == STATUS_OK) {
		code = db_exec(
			session,
			stmt(expiry->prepared, TWOPC_PREPARED_DROP_SEALS),
			very_old, 1, NULL, NULL, &seals, reterr);
	}
	if (code == STATUS_OK) {
		expiry->dropped = tombstones + seals;
	}
	return code;
}

static void on_expired(const struct status *status, void *arg)
{
	struct twopc_expiry *expiry = arg;

	if (status->code != STATUS_OK) {
		expiry->dropped = 0;
	}
	expiry->done(expiry, status);
}

void twopc_prepared_expire(struct twopc_prepared *prepared, struct ctx *ctx,
			   struct twopc_expiry *expiry)
{
	expiry->prepared = prepared;
	expiry->dropped = 0;
	db_immediate(prepared->db, ctx, expire_body, on_expired, expiry);
}

/* ---- looking ------------------------------------------------------------ */

static bool take_row(const struct db_row *row, void *arg)
{
	struct twopc_listing *listing = arg;
	struct twopc_prepared_row *to = &listing->rows[listing->rows_n];

	if (listing->rows_n == listing->rows_max) {
		listing->more = true;
		return false;
	}
	snprintf(to->coordinator, sizeof(to->coordinator), "%s",
		 db_row_text(row, 0, NULL));
	snprintf(to->id, sizeof(to->id), "%s", db_row_text(row, 1, NULL));
	to->row = (enum twopc_row)db_row_integer(row, 2);
	to->changed_ms = db_row_integer(row, 3);
	listing->rows_n++;
	return true;
}

static enum status_code list_all(struct db_session *session,
				 struct twopc_listing *listing,
				 struct status *reterr)
{
	const struct db_value values[] = {
		db_text(listing->after_coordinator),
		db_text(listing->after_id),
		db_integer(listing->in_doubt_only),
		db_integer((int64_t)listing->rows_max + 1),
	};

	return db_exec(session,
		       stmt(listing->prepared, TWOPC_PREPARED_LIST_ALL), values,
		       4, take_row, listing, NULL, reterr);
}

static enum status_code list_of(struct db_session *session,
				struct twopc_listing *listing,
				struct status *reterr)
{
	const struct db_value values[] = {
		db_text(listing->coordinator),
		db_text(listing->after_id),
		db_integer(listing->in_doubt_only),
		db_integer((int64_t)listing->rows_max + 1),
	};

	return db_exec(session, stmt(listing->prepared, TWOPC_PREPARED_LIST_OF),
		       values, 4, take_row, listing, NULL, reterr);
}

static enum status_code list_body(struct db_session *session, void *arg,
				  struct status *reterr)
{
	struct twopc_listing *listing = arg;

	listing->rows_n = 0;
	listing->more = false;
	FAILPOINT("twopc.list");
	return listing->coordinator[0] == '\0'
		       ? list_all(session, listing, reterr)
		       : list_of(session, listing, reterr);
}

static void on_listed(const struct status *status, void *arg)
{
	struct twopc_listing *listing = arg;

	listing->done(listing, status);
}

void twopc_prepared_list(struct twopc_prepared *prepared, struct ctx *ctx,
			 struct twopc_listing *listing)
{
	listing->prepared = prepared;
	listing->rows_n = 0;
	listing->more = false;
	db_read(prepared->db, ctx, list_body, on_listed, listing);
}

static bool take_summary(const struct db_row *row, void *arg)
{
	struct twopc_summary *summary = arg;

	summary->in_doubt = db_row_integer(row, 0);
	summary->oldest_ms = db_row_integer(row, 1); /* 0 for NULL */
	return false;
}

static enum status_code summary_body(struct db_session *session, void *arg,
				     struct status *reterr)
{
	struct twopc_summary *summary = arg;

	return db_exec(session, stmt(summary->prepared, TWOPC_PREPARED_SUMMARY),
		       NULL, 0, take_summary, summary, NULL, reterr);
}

static void on_summarized(const struct status *status, void *arg)
{
	struct twopc_summary *summary = arg;

	summary->done(summary, status);
}

void twopc_prepared_summarize(struct twopc_prepared *prepared, struct ctx *ctx,
			      struct twopc_summary *summary)
{
	summary->prepared = prepared;
	summary->in_doubt = 0;
	summary->oldest_ms = 0;
	db_read(prepared->db, ctx, summary_body, on_summarized, summary);
}
