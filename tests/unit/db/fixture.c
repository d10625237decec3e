#include "fixture.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static const char schema[] =
	"CREATE TABLE IF NOT EXISTS items ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" name TEXT NOT NULL UNIQUE,"
	" note TEXT,"
	" created_at DATETIME DEFAULT CURRENT_TIMESTAMP);"
	"CREATE TABLE IF NOT EXISTS things (i INTEGER, r REAL, t TEXT, b BLOB);"
	"CREATE TABLE IF NOT EXISTS children ("
	" parent TEXT REFERENCES items(name) DEFERRABLE INITIALLY DEFERRED);"
	"CREATE TABLE IF NOT EXISTS tyrants ("
	" n INTEGER UNIQUE ON CONFLICT ROLLBACK);";

static const char *const staged[] = { "items", "things", "children", "tyrants",
				      NULL };

static const char *const statements[STATEMENTS_NR] = {
	[INSERT_ITEM] = "INSERT INTO items (name, note) VALUES (?, ?)",
	[INSERT_THING] = "INSERT INTO things VALUES (?, ?, ?, ?)",
	[COUNT_ITEMS] = "SELECT count(*) FROM items",
	[NOTE_OF_ITEM] = "SELECT note, id FROM items WHERE name = ?",
	[SET_NOTE] = "UPDATE items SET note = ? WHERE name = ?",
	[DELETE_ITEM] = "DELETE FROM items WHERE name = ?",
	[COUNT_FOREVER] = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL"
			  " SELECT i + 1 FROM n WHERE i < 1000000000)"
			  " SELECT count(*) FROM n",
	[INSERT_CHILD] = "INSERT INTO children VALUES (?)",
	[INSERT_TYRANT] = "INSERT INTO tyrants VALUES (?)",
};

/* ---- life --------------------------------------------------------------- */

void fixture_init(struct fixture *f)
{
	struct status err;

	memset(f, 0, sizeof(*f));
	strcpy(f->dir, "/tmp/rescind-db.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/t.db", f->dir);
	f->options = (struct db_sqlite_options){
		.path = f->path,
		.schema = schema,
		.staged_tables = staged,
		.statements = statements,
		.statements_n = STATEMENTS_NR,
		.staged_max = 2000,
	};
	ck_assert_int_eq(loop_new(&f->loop, &err), STATUS_OK);
	ck_assert_int_eq(loop_start_thread(f->loop, &err), STATUS_OK);
	ck_assert_int_eq(ctx_root(f->loop, &f->root, &err), STATUS_OK);
}

void fixture_open(struct fixture *f)
{
	struct status err = status_ok();

	if (f->loop == NULL) {
		fixture_init(f);
	}
	ck_assert_msg(db_sqlite_open(&f->options, &f->db, &err) == STATUS_OK,
		      "%s", err.message);
	ck_assert_int_eq(sqlite3_open(f->path, &f->raw), SQLITE_OK);
	sqlite3_busy_timeout(f->raw, 10000);
}

static enum status_code do_nothing(struct db_session *session, void *arg,
				   struct status *reterr)
{
	(void)session;
	(void)arg;
	(void)reterr;
	return STATUS_OK;
}

void fixture_open_ready(struct fixture *f)
{
	struct outcome o;

	outcome_init(&o);
	fixture_open(f);
	db_immediate(f->db, f->root, do_nothing, outcome_done, &o);
	ck_assert_int_eq(outcome_wait(&o, 1), STATUS_OK);
}

void fixture_close(struct fixture *f)
{
	sqlite3_close(f->raw);
	f->raw = NULL;
	db_close(f->db);
	f->db = NULL;
}

void fixture_release(struct fixture *f)
{
	static const char *const suffixes[] = { "", "-wal", "-shm",
						"-journal" };
	char path[128];

	fixture_close(f);
	ctx_unref(f->root);
	loop_free(f->loop);
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		snprintf(path, sizeof(path), "%s%s", f->path, suffixes[i]);
		(void)unlink(path);
	}
	ck_assert_int_eq(rmdir(f->dir), 0);
}

/* ---- the file ----------------------------------------------------------- */

int64_t raw_int(struct fixture *f, const char *sql)
{
	sqlite3_stmt *stmt;
	int64_t value;

	ck_assert_msg(sqlite3_prepare_v2(f->raw, sql, -1, &stmt, NULL) ==
			      SQLITE_OK,
		      "%s: %s", sql, sqlite3_errmsg(f->raw));
	ck_assert_int_eq(sqlite3_step(stmt), SQLITE_ROW);
	value = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return value;
}

void raw_exec(struct fixture *f, const char *sql)
{
	int rc = sqlite3_exec(f->raw, sql, NULL, NULL, NULL);

	ck_assert_msg(rc == SQLITE_OK, "%s: %s", sql, sqlite3_errmsg(f->raw));
}

bool file_exists(const struct fixture *f, const char *suffix)
{
	char path[128];

	snprintf(path, sizeof(path), "%s%s", f->path, suffix);
	return access(path, F_OK) == 0;
}

int64_t log_size(const struct fixture *f)
{
	struct stat st;
	char path[128];

	snprintf(path, sizeof(path), "%s-wal", f->path);
	return stat(path, &st) == 0 ? (int64_t)st.st_size : -1;
}

/* ---- completions -------------------------------------------------------- */

void outcome_init(struct outcome *o)
{
	memset(o, 0, sizeof(*o));
	pthread_mutex_init(&o->lock, NULL);
	pthread_cond_init(&o->news, NULL);
}

void outcome_done(const struct status *status, void *arg)
{
	struct outcome *o = arg;

	pthread_mutex_lock(&o->lock);
	o->last = *status;
	o->by_code[status->code]++;
	o->done++;
	pthread_cond_broadcast(&o->news);
	pthread_mutex_unlock(&o->lock);
}

enum status_code outcome_wait(struct outcome *o, int n)
{
	struct timespec until;
	enum status_code code;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 20;
	pthread_mutex_lock(&o->lock);
	while (o->done < n) {
		ck_assert_msg(
			pthread_cond_timedwait(&o->news, &o->lock, &until) == 0,
			"%d of %d completions came", o->done, n);
	}
	code = o->last.code;
	pthread_mutex_unlock(&o->lock);
	return code;
}

int outcome_count(struct outcome *o)
{
	int n;

	pthread_mutex_lock(&o->lock);
	n = o->done;
	pthread_mutex_unlock(&o->lock);
	return n;
}

/* ---- shortcuts ---------------------------------------------------------- */

struct ctx *open_ctx(struct fixture *f)
{
	return ctx_new(f->root, CLOCK_NEVER);
}

struct db_txn *stage_item(struct fixture *f, struct ctx *ctx, const char *name)
{
	const struct db_value values[] = { db_text(name), db_text("note") };
	struct status err = status_ok();
	struct db_txn *txn;

	ck_assert_msg(db_txn_begin(f->db, ctx, &txn, &err) == STATUS_OK, "%s",
		      err.message);
	ck_assert_msg(db_txn_insert(txn, INSERT_ITEM, values, 2, &err) ==
			      STATUS_OK,
		      "%s", err.message);
	return txn;
}

enum status_code commit_item(struct fixture *f, const char *name,
			     struct status *ret_status)
{
	struct ctx *ctx = open_ctx(f);
	struct outcome o;
	enum status_code code;

	outcome_init(&o);
	db_txn_commit(stage_item(f, ctx, name), outcome_done, &o);
	code = outcome_wait(&o, 1);
	if (ret_status != NULL) {
		*ret_status = o.last;
	}
	ctx_unref(ctx);
	return code;
}
