#include "store.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char schema[] =
	"CREATE TABLE IF NOT EXISTS work ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" what TEXT NOT NULL);" TWOPC_PREPARED_SCHEMA TWOPC_DECISIONS_SCHEMA;

static const char *const staged[] = { "work", TWOPC_DECISIONS_TABLE, NULL };

static const char *const statements[STORE_STMT_NR] = {
	[STORE_INSERT_WORK] = "INSERT INTO work (what) VALUES (?)",
	TWOPC_PREPARED_STATEMENTS(STORE_PREPARED)
		TWOPC_DECISIONS_STATEMENTS(STORE_DECISIONS)
};

/* ---- completions -------------------------------------------------------- */

void outcome_done(struct outcome *outcome, const struct status *status)
{
	pthread_mutex_lock(&outcome->lock);
	outcome->last = *status;
	outcome->done++;
	pthread_cond_broadcast(&outcome->news);
	pthread_mutex_unlock(&outcome->lock);
}

enum status_code outcome_wait(struct outcome *outcome, int n)
{
	struct timespec until;
	enum status_code code;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 20;
	pthread_mutex_lock(&outcome->lock);
	while (outcome->done < n) {
		ck_assert_msg(pthread_cond_timedwait(&outcome->news,
						     &outcome->lock,
						     &until) == 0,
			      "%d of %d completions came", outcome->done, n);
	}
	code = outcome->last.code;
	outcome->done -= n;
	pthread_mutex_unlock(&outcome->lock);
	return code;
}

enum status_code outcome_next(struct outcome *outcome)
{
	return outcome_wait(outcome, 1);
}

/* ---- life --------------------------------------------------------------- */

static enum status_code do_work(struct db_session *session,
				const char *coordinator, const char *id,
				const void *payload, size_t payload_size,
				void *arg, struct status *reterr)
{
	const struct db_value values[] = { db_text_n(payload, payload_size) };
	struct store *store = arg;
	enum status_code code;

	ck_assert(twopc_name_is_valid(coordinator) && twopc_name_is_valid(id));
	store->applied++;
	code = db_exec(session, STORE_INSERT_WORK, values, 1, NULL, NULL, NULL,
		       reterr);
	if (code == STATUS_OK && store->refuse_with != STATUS_OK) {
		return status_set(reterr, store->refuse_with, "refused");
	}
	return code;
}

void store_init(struct store *store)
{
	struct status err;

	memset(store, 0, sizeof(*store));
	strcpy(store->dir, "/tmp/rescind-twopc.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(store->dir));
	snprintf(store->path, sizeof(store->path), "%s/t.db", store->dir);
	store->options = (struct db_sqlite_options){
		.path = store->path,
		.schema = schema,
		.staged_tables = staged,
		.statements = statements,
		.statements_n = STORE_STMT_NR,
	};
	pthread_mutex_init(&store->outcome.lock, NULL);
	pthread_cond_init(&store->outcome.news, NULL);
	ck_assert_int_eq(loop_new(&store->loop, &err), STATUS_OK);
	ck_assert_int_eq(loop_start_thread(store->loop, &err), STATUS_OK);
	ck_assert_int_eq(ctx_root(store->loop, &store->root, &err), STATUS_OK);
	store_open(store);
}

void store_open(struct store *store)
{
	struct status err = status_ok();

	ck_assert_msg(db_sqlite_open(&store->options, &store->db, &err) ==
			      STATUS_OK,
		      "%s", err.message);
	ck_assert_int_eq(sqlite3_open(store->path, &store->raw), SQLITE_OK);
	sqlite3_busy_timeout(store->raw, 10000);
	store->prepared = (struct twopc_prepared){
		.db = store->db,
		.base = STORE_PREPARED,
		.apply = do_work,
		.apply_arg = store,
	};
	store->decisions = (struct twopc_decisions){
		.db = store->db,
		.base = STORE_DECISIONS,
	};
}

void store_close(struct store *store)
{
	sqlite3_close(store->raw);
	db_close(store->db);
}

void store_release(struct store *store)
{
	static const char *const suffixes[] = { "", "-wal", "-shm",
						"-journal" };
	char path[128];

	store_close(store);
	ctx_unref(store->root);
	loop_free(store->loop);
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		snprintf(path, sizeof(path), "%s%s", store->path, suffixes[i]);
		(void)unlink(path);
	}
	ck_assert_int_eq(rmdir(store->dir), 0);
}

/* ---- the file ----------------------------------------------------------- */

int64_t raw_int(struct store *store, const char *sql)
{
	sqlite3_stmt *stmt;
	int64_t value;

	ck_assert_msg(sqlite3_prepare_v2(store->raw, sql, -1, &stmt, NULL) ==
			      SQLITE_OK,
		      "%s: %s", sql, sqlite3_errmsg(store->raw));
	ck_assert_int_eq(sqlite3_step(stmt), SQLITE_ROW);
	value = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return value;
}

void raw_exec(struct store *store, const char *sql)
{
	int rc = sqlite3_exec(store->raw, sql, NULL, NULL, NULL);

	ck_assert_msg(rc == SQLITE_OK, "%s: %s", sql,
		      sqlite3_errmsg(store->raw));
}

/* ---- orders ------------------------------------------------------------- */

struct waiting {
	struct twopc_request request; /* first */
	struct store *store;
};

static void on_done(struct twopc_request *request, const struct status *status)
{
	struct waiting *waiting = (struct waiting *)request;

	outcome_done(&waiting->store->outcome, status);
}

enum twopc_verdict order(struct store *store, enum twopc_order order,
			 const char *coordinator, const char *id)
{
	struct waiting waiting = {
		.request = { .order = order,
			     .coordinator = coordinator,
			     .id = id,
			     .payload = id,
			     .payload_size = strlen(id),
			     .done = on_done },
		.store = store,
	};

	twopc_prepared_do(&store->prepared, store->root, &waiting.request);
	(void)outcome_next(&store->outcome);
	store->effect = waiting.request.effect;
	return waiting.request.verdict;
}
