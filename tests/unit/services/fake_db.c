#include "fake_db.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct fake_txn {
	struct db_txn txn;
	struct fake_db *fake;
	struct ctx *ctx;
};

static enum status_code txn_begin(struct db *db, struct ctx *ctx,
				  struct db_txn **ret_txn,
				  struct status *reterr)
{
	struct fake_db *fake = (struct fake_db *)db;
	struct fake_txn *txn;

	if (fake->begin_code != STATUS_OK) {
		return status_set(reterr, fake->begin_code, "no begin");
	}
	txn = calloc(1, sizeof(*txn));
	ck_assert_ptr_nonnull(txn);
	txn->txn.ops = db->ops;
	txn->fake = fake;
	txn->ctx = ctx_ref(ctx);
	pthread_mutex_lock(&fake->lock);
	fake->begun++;
	if (fake->txn_ctx != NULL) {
		ctx_unref(fake->txn_ctx);
	}
	fake->txn_ctx = ctx_ref(ctx);
	pthread_mutex_unlock(&fake->lock);
	*ret_txn = &txn->txn;
	return STATUS_OK;
}

static enum status_code txn_insert(struct db_txn *txn, db_stmt stmt,
				   const struct db_value *values,
				   size_t values_n, struct status *reterr)
{
	struct fake_db *fake = ((struct fake_txn *)txn)->fake;

	if (fake->insert_code != STATUS_OK &&
	    (fake->insert_stmt == 0 || fake->insert_stmt == stmt)) {
		return status_set(reterr, fake->insert_code, "no insert");
	}
	fake->last_stmt = stmt;
	if (stmt < FAKE_STMTS_MAX) {
		fake->inserted[stmt]++;
	}
	for (size_t i = 0; i < values_n && i < FAKE_VALUES_MAX; i++) {
		if (values[i].type == DB_TEXT) {
			snprintf(fake->last_values[i],
				 sizeof(fake->last_values[i]), "%.*s",
				 (int)values[i].size, values[i].data);
		}
	}
	return STATUS_OK;
}

/* Under the lock; takes the reference to @ctx. */
static void wait_for_test(struct fake_db *fake, struct ctx *ctx,
			  db_body_fn body, db_done_fn done, void *arg)
{
	ck_assert_uint_lt(fake->waits_n, FAKE_WAITS_MAX);
	fake->waits[fake->waits_n++] = (struct fake_wait){
		.done = done, .arg = arg, .body = body, .ctx = ctx
	};
	pthread_cond_broadcast(&fake->asked);
}

static void txn_commit(struct db_txn *base, db_done_fn done, void *arg)
{
	struct fake_txn *txn = (struct fake_txn *)base;
	struct fake_db *fake = txn->fake;

	pthread_mutex_lock(&fake->lock);
	fake->committed++;
	wait_for_test(fake, txn->ctx, NULL, done, arg);
	pthread_mutex_unlock(&fake->lock);
	free(txn);
}

static void txn_rollback(struct db_txn *base)
{
	struct fake_txn *txn = (struct fake_txn *)base;
	struct fake_db *fake = txn->fake;

	ctx_unref(txn->ctx);
	free(txn);
	pthread_mutex_lock(&fake->lock);
	fake->rolled_back++;
	pthread_mutex_unlock(&fake->lock);
}

static void immediate(struct db *db, struct ctx *ctx, db_body_fn body,
		      db_done_fn done, void *arg)
{
	struct fake_db *fake = (struct fake_db *)db;

	pthread_mutex_lock(&fake->lock);
	fake->immediate++;
	wait_for_test(fake, ctx_ref(ctx), body, done, arg);
	pthread_mutex_unlock(&fake->lock);
}

static void read_body(struct db *db, struct ctx *ctx, db_body_fn body,
		      db_done_fn done, void *arg)
{
	struct fake_db *fake = (struct fake_db *)db;

	pthread_mutex_lock(&fake->lock);
	fake->reads++;
	wait_for_test(fake, ctx_ref(ctx), body, done, arg);
	pthread_mutex_unlock(&fake->lock);
}

/* A session is the fake itself. */
struct fake_session {
	struct db_session session;
	struct fake_db *fake;
};

static enum status_code exec(struct db_session *session, db_stmt stmt,
			     const struct db_value *values, size_t values_n,
			     db_row_fn on_row, void *arg, int64_t *ret_changes,
			     struct status *reterr)
{
	struct fake_db *fake = ((struct fake_session *)session)->fake;

	fake->executed++;
	fake->last_stmt = stmt;
	if (fake->exec == NULL) {
		return STATUS_OK;
	}
	return fake->exec(fake->exec_self, stmt, values, values_n, on_row, arg,
			  ret_changes, reterr);
}

struct fake_db_row {
	struct db_row row;
	const struct db_value *values;
	int values_n;
};

static const struct db_value *column_of(const struct db_row *row, int column)
{
	const struct fake_db_row *fake = (const struct fake_db_row *)row;

	ck_assert_int_lt(column, fake->values_n);
	return &fake->values[column];
}

static bool row_is_null(const struct db_row *row, int column)
{
	return column_of(row, column)->type == DB_NULL;
}

static int64_t row_integer(const struct db_row *row, int column)
{
	const struct db_value *value = column_of(row, column);

	return value->type == DB_INTEGER ? value->integer : 0;
}

static const char *row_text(const struct db_row *row, int column,
			    size_t *ret_size)
{
	const struct db_value *value = column_of(row, column);
	bool is_null = value->type == DB_NULL;

	if (ret_size != NULL) {
		*ret_size = is_null ? 0 : value->size;
	}
	return is_null ? "" : value->data;
}

static enum status_code health(struct db *db, struct status *reterr)
{
	struct fake_db *fake = (struct fake_db *)db;

	if (fake->health_code == STATUS_OK) {
		return STATUS_OK;
	}
	return status_set(reterr, fake->health_code, "disk is sulking");
}

static void stats(struct db *db, struct db_stats *ret_stats)
{
	struct fake_db *fake = (struct fake_db *)db;

	memset(ret_stats, 0, sizeof(*ret_stats));
	ret_stats->committed = (uint64_t)fake->committed;
	ret_stats->sync_ns = 1500 * (uint64_t)NS_PER_MS;
}

static const struct db_ops ops = {
	.txn_begin = txn_begin,
	.txn_insert = txn_insert,
	.txn_commit = txn_commit,
	.txn_rollback = txn_rollback,
	.immediate = immediate,
	.read = read_body,
	.exec = exec,
	.row_is_null = row_is_null,
	.row_integer = row_integer,
	.row_text = row_text,
	.health = health,
	.stats = stats,
};

bool fake_row(db_row_fn on_row, void *arg, const struct db_value *values,
	      int values_n)
{
	const struct fake_db_row row = { { &ops }, values, values_n };

	return on_row(&row.row, arg);
}

void fake_db_init(struct fake_db *fake)
{
	memset(fake, 0, sizeof(*fake));
	fake->db.ops = &ops;
	pthread_mutex_init(&fake->lock, NULL);
	pthread_cond_init(&fake->asked, NULL);
}

void fake_db_release(struct fake_db *fake)
{
	ck_assert_int_eq(fake->begun, fake->committed + fake->rolled_back);
	ck_assert(!fake_db_waits(fake));
	if (fake->txn_ctx != NULL) {
		ctx_unref(fake->txn_ctx);
	}
	pthread_cond_destroy(&fake->asked);
	pthread_mutex_destroy(&fake->lock);
}

size_t fake_db_waiting(struct fake_db *fake)
{
	size_t n;

	pthread_mutex_lock(&fake->lock);
	n = fake->waits_n;
	pthread_mutex_unlock(&fake->lock);
	return n;
}

bool fake_db_waits(struct fake_db *fake)
{
	return fake_db_waiting(fake) > 0;
}

void fake_db_await(struct fake_db *fake)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 5;
	pthread_mutex_lock(&fake->lock);
	while (fake->waits_n == 0) {
		ck_assert_int_eq(pthread_cond_timedwait(&fake->asked,
							&fake->lock, &until),
				 0);
	}
	pthread_mutex_unlock(&fake->lock);
}

static struct fake_wait pop(struct fake_db *fake)
{
	struct fake_wait wait;

	pthread_mutex_lock(&fake->lock);
	ck_assert_msg(fake->waits_n > 0, "nothing waits for the database");
	wait = fake->waits[0];
	fake->waits_n--;
	memmove(fake->waits, fake->waits + 1,
		fake->waits_n * sizeof(fake->waits[0]));
	pthread_mutex_unlock(&fake->lock);
	return wait;
}

static void complete(struct fake_db *fake, struct fake_wait *wait,
		     struct status *status)
{
	struct fake_session session = { { fake->db.ops }, fake };

	if (status->code == STATUS_OK && wait->body != NULL) {
		status->code = wait->body(&session.session, wait->arg, status);
	}
	ctx_unref(wait->ctx);
	wait->done(status, wait->arg);
}

void fake_db_complete(struct fake_db *fake, enum status_code code,
		      const char *text)
{
	struct status status = status_make(code, "%s", text);
	struct fake_wait wait = pop(fake);

	complete(fake, &wait, &status);
}

void fake_db_refuse_ended(struct fake_db *fake)
{
	struct fake_wait wait = pop(fake);
	struct status status;

	ck_assert_int_ne(ctx_cause(wait.ctx, &status), CTX_NONE);
	complete(fake, &wait, &status);
}
