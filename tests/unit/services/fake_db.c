#include "fake_db.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct fake_txn {
	struct db_txn txn;
	struct fake_db *fake;
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

	if (fake->insert_code != STATUS_OK) {
		return status_set(reterr, fake->insert_code, "no insert");
	}
	ck_assert_uint_eq(values_n, 2);
	fake->last_stmt = stmt;
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(values[i].type, DB_TEXT);
		snprintf(fake->last_values[i], sizeof(fake->last_values[i]),
			 "%.*s", (int)values[i].size, values[i].data);
	}
	return STATUS_OK;
}

static void wait_for_test(struct fake_db *fake, db_body_fn body,
			  db_done_fn done, void *arg)
{
	ck_assert_msg(fake->done == NULL, "one thing at a time");
	fake->body = body;
	fake->done = done;
	fake->done_arg = arg;
	pthread_cond_broadcast(&fake->asked);
}

static void txn_commit(struct db_txn *txn, db_done_fn done, void *arg)
{
	struct fake_db *fake = ((struct fake_txn *)txn)->fake;

	free(txn);
	pthread_mutex_lock(&fake->lock);
	fake->committed++;
	wait_for_test(fake, NULL, done, arg);
	pthread_mutex_unlock(&fake->lock);
}

static void txn_rollback(struct db_txn *txn)
{
	struct fake_db *fake = ((struct fake_txn *)txn)->fake;

	free(txn);
	pthread_mutex_lock(&fake->lock);
	fake->rolled_back++;
	pthread_mutex_unlock(&fake->lock);
}

static void immediate(struct db *db, struct ctx *ctx, db_body_fn body,
		      db_done_fn done, void *arg)
{
	struct fake_db *fake = (struct fake_db *)db;

	(void)ctx;
	pthread_mutex_lock(&fake->lock);
	fake->immediate++;
	wait_for_test(fake, body, done, arg);
	pthread_mutex_unlock(&fake->lock);
}

/* A session is the fake itself: what it executes is only counted. */
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

	(void)values, (void)values_n, (void)on_row, (void)arg;
	(void)ret_changes, (void)reterr;
	fake->executed++;
	fake->last_stmt = stmt;
	return STATUS_OK;
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
	.exec = exec,
	.health = health,
	.stats = stats,
};

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

bool fake_db_waits(struct fake_db *fake)
{
	bool waits;

	pthread_mutex_lock(&fake->lock);
	waits = fake->done != NULL;
	pthread_mutex_unlock(&fake->lock);
	return waits;
}

void fake_db_await(struct fake_db *fake)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 5;
	pthread_mutex_lock(&fake->lock);
	while (fake->done == NULL) {
		ck_assert_int_eq(pthread_cond_timedwait(&fake->asked,
							&fake->lock, &until),
				 0);
	}
	pthread_mutex_unlock(&fake->lock);
}

void fake_db_complete(struct fake_db *fake, enum status_code code,
		      const char *text)
{
	struct fake_session session = { { fake->db.ops }, fake };
	struct status status;
	db_done_fn done;

	pthread_mutex_lock(&fake->lock);
	done = fake->done;
	fake->done = NULL;
	pthread_mutex_unlock(&fake->lock);
	ck_assert_msg(done != NULL, "nothing waits for the database");
	status_set(&status, code, "%s", text);
	if (code == STATUS_OK && fake->body != NULL) {
		ck_assert_int_eq(fake->body(&session.session, NULL, &status),
				 STATUS_OK);
	}
	done(&status, fake->done_arg);
}

void fake_db_refuse_ended(struct fake_db *fake)
{
	struct status status;

	ck_assert_int_ne(ctx_cause(fake->txn_ctx, &status), CTX_NONE);
	fake_db_complete(fake, status.code, status.message);
}
