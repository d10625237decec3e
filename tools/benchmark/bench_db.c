/*
 * Durable commits a second of `db` alone: N staged transactions outstanding,
 * each begun again as soon as it is on disk. The transactions are begun and
 * filled on the loop's thread and complete on the database's, as in a service.
 *
 *	bench_db [-seconds 3] [-dir /tmp]
 *	name=db_commit outstanding=64 per_s=45000 p50_us=1400 p99_us=2900 ...
 */
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctx/ctx.h"
#include "db/sqlite.h"
#include "loop/loop.h"

enum { OUTSTANDING_MAX = 256, SAMPLES_MAX = 1 << 22 };

static const char schema[] =
	"CREATE TABLE IF NOT EXISTS bench_tasks ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT, task_id TEXT NOT NULL,"
	" data TEXT NOT NULL,"
	" created_at DATETIME DEFAULT CURRENT_TIMESTAMP)";
static const char *const tables[] = { "bench_tasks", NULL };
static const char *const statements[] = {
	"INSERT INTO bench_tasks (task_id, data) VALUES (?, ?)"
};

struct run {
	struct loop *loop;
	struct ctx *root;
	struct db *db;
	int64_t until_ns;
	pthread_mutex_t lock; /* over everything below */
	pthread_cond_t finished;
	int running;
	uint32_t *samples_us;
	size_t samples_n;
};

struct client {
	struct loop_task task; /* first */
	struct run *run;
	struct ctx *ctx;
	int64_t began_ns;
};

static _Noreturn void die(const char *what, const struct status *err)
{
	fprintf(stderr, "bench_db: %s: %s\n", what, err->message);
	exit(1);
}

static void client_stops(struct run *run)
{
	pthread_mutex_lock(&run->lock);
	if (--run->running == 0) {
		pthread_cond_signal(&run->finished);
	}
	pthread_mutex_unlock(&run->lock);
}

static void on_committed(const struct status *status, void *arg)
{
	struct client *client = arg;
	struct run *run = client->run;
	int64_t now = clock_now_ns();

	if (status->code != STATUS_OK) {
		die("commit", status);
	}
	ctx_unref(client->ctx);
	pthread_mutex_lock(&run->lock);
	if (run->samples_n < SAMPLES_MAX) {
		run->samples_us[run->samples_n++] =
			(uint32_t)((now - client->began_ns) / NS_PER_US);
	}
	pthread_mutex_unlock(&run->lock);
	if (now < run->until_ns) {
		loop_post(run->loop, &client->task);
	} else {
		client_stops(run);
	}
}

static void begin(struct loop_task *task)
{
	struct client *client = (struct client *)task;
	struct run *run = client->run;
	const struct db_value values[] = { db_text("req-0123456789abcdef"),
					   db_text("hello from the bench") };
	struct db_txn *txn;
	struct status err;

	client->began_ns = clock_now_ns();
	client->ctx =
		ctx_new(run->root, client->began_ns + 10 * (int64_t)NS_PER_S);
	if (db_txn_begin(run->db, client->ctx, &txn, &err) != STATUS_OK) {
		die("begin", &err);
	}
	if (db_txn_insert(txn, 0, values, 2, &err) != STATUS_OK) {
		die("insert", &err);
	}
	db_txn_commit(txn, on_committed, client);
}

static int compare_u32(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a;
	uint32_t y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static unsigned quantile(const struct run *run, double q)
{
	size_t at = (size_t)(q * (double)run->samples_n);

	return run->samples_n == 0
		       ? 0
		       : run->samples_us[at < run->samples_n
						 ? at
						 : run->samples_n - 1];
}

static void report(struct run *run, int outstanding, double seconds,
		   const struct db_stats *before)
{
	struct db_stats now;
	double groups;

	db_stats(run->db, &now);
	groups = (double)(now.groups - before->groups);
	qsort(run->samples_us, run->samples_n, sizeof(uint32_t), compare_u32);
	printf("name=db_commit outstanding=%d per_s=%.0f p50_us=%u p99_us=%u "
	       "group=%.1f commit_us=%.0f\n",
	       outstanding, (double)run->samples_n / seconds,
	       quantile(run, 0.50), quantile(run, 0.99),
	       (double)run->samples_n / groups,
	       (double)(now.sync_ns - before->sync_ns) / 1e3 / groups);
	fflush(stdout);
}

static void measure(struct run *run, int outstanding, double seconds)
{
	static struct client clients[OUTSTANDING_MAX];
	struct db_stats before;
	int64_t began_ns = clock_now_ns();

	db_stats(run->db, &before);
	run->samples_n = 0;
	run->running = outstanding;
	run->until_ns = began_ns + (int64_t)(seconds * NS_PER_S);
	for (int i = 0; i < outstanding; i++) {
		clients[i] =
			(struct client){ .task = { .fn = begin }, .run = run };
		loop_post(run->loop, &clients[i].task);
	}
	pthread_mutex_lock(&run->lock);
	while (run->running > 0) {
		pthread_cond_wait(&run->finished, &run->lock);
	}
	pthread_mutex_unlock(&run->lock);
	report(run, outstanding, (double)(clock_now_ns() - began_ns) / 1e9,
	       &before);
}

static void open_run(struct run *run, const char *path)
{
	const struct db_sqlite_options options = {
		.path = path,
		.schema = schema,
		.staged_tables = tables,
		.statements = statements,
		.statements_n = 1,
		.staged_max = OUTSTANDING_MAX,
	};
	struct status err;

	pthread_mutex_init(&run->lock, NULL);
	pthread_cond_init(&run->finished, NULL);
	run->samples_us = calloc(SAMPLES_MAX, sizeof(uint32_t));
	if (run->samples_us == NULL ||
	    loop_new(&run->loop, &err) != STATUS_OK ||
	    loop_start_thread(run->loop, &err) != STATUS_OK ||
	    ctx_root(run->loop, &run->root, &err) != STATUS_OK ||
	    db_sqlite_open(&options, &run->db, &err) != STATUS_OK) {
		die("start", &err);
	}
}

int main(int argc, char **argv)
{
	static const int levels[] = { 1, 8, 64, 256 };
	double seconds = 3;
	const char *dir = "/tmp";
	char folder[PATH_MAX];
	char path[PATH_MAX];
	struct run run = { 0 };

	for (int i = 1; i + 1 < argc; i += 2) {
		if (strcmp(argv[i], "-seconds") == 0) {
			seconds = atof(argv[i + 1]);
		} else if (strcmp(argv[i], "-dir") == 0) {
			dir = argv[i + 1];
		} else {
			fprintf(stderr,
				"usage: bench_db [-seconds n] [-dir path]\n");
			return 2;
		}
	}
	snprintf(folder, sizeof(folder), "%s/bench_db.XXXXXX", dir);
	if (mkdtemp(folder) == NULL || snprintf(path, sizeof(path), "%s/b.db",
						folder) >= (int)sizeof(path)) {
		perror(folder);
		return 1;
	}
	open_run(&run, path);
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		measure(&run, levels[i], seconds);
	}
	db_close(run.db);
	ctx_unref(run.root);
	loop_free(run.loop);
	free(run.samples_us);
	(void)unlink(path);
	(void)rmdir(folder);
	return 0;
}
