/*
 * Power cuts: a child on a disk that forgets what was not synced, which is
 * killed; and what the parent then finds in the file.
 */
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "failpoint/failpoint.h"
#include "fixture.h"
#include "suite.h"
#include "vfs.h"

enum { SWEEP_MAX = 2000 };

static struct fixture f;

/* A directory and options, but no loop: threads are the child's. */
static void setup(void)
{
	fault_vfs_register(false);
	fixture_init(&f);
	ctx_unref(f.root);
	loop_free(f.loop);
	f.root = NULL;
	f.loop = NULL;
}

static void teardown(void)
{
	struct status err;

	ck_assert_int_eq(loop_new(&f.loop, &err), STATUS_OK);
	ck_assert_int_eq(ctx_root(f.loop, &f.root, &err), STATUS_OK);
	fixture_release(&f);
}

/* ---- children ------------------------------------------------------------ */

struct child {
	pid_t pid;
	int acks; /* a byte for each commit that it was told of */
	int acked;
};

static _Noreturn void live(void (*life)(int arg, int acks), int arg, int acks)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	life(arg, acks);
	exit(0);
}

static void child_start(struct child *child, void (*life)(int arg, int acks),
			int arg)
{
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	child->pid = fork();
	ck_assert_int_ge(child->pid, 0);
	if (child->pid == 0) {
		close(fds[0]);
		live(life, arg, fds[1]);
	}
	close(fds[1]);
	child->acks = fds[0];
	child->acked = 0;
}

/* Wait for @n more; false: it ended before. */
static bool child_await_acks(struct child *child, int n)
{
	char byte;

	for (; n > 0; n--) {
		if (read(child->acks, &byte, 1) != 1) {
			return false;
		}
		child->acked++;
	}
	return true;
}

/* To its end; its exit code, or 128 + signal. */
static int child_end(struct child *child)
{
	int wait_status;

	while (child_await_acks(child, 1)) {
	}
	close(child->acks);
	ck_assert_int_eq(waitpid(child->pid, &wait_status, 0), child->pid);
	return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status)
					: WEXITSTATUS(wait_status);
}

static void child_kill(struct child *child)
{
	ck_assert_int_eq(kill(child->pid, SIGKILL), 0);
	ck_assert_int_eq(child_end(child), 128 + SIGKILL);
}

static void acknowledge(int acks)
{
	if (write(acks, "!", 1) != 1) {
		_exit(1);
	}
}

/* ---- what it takes to be durable ------------------------------------------
 */

static const struct mode {
	const char *journal;
	const char *synchronous;
	int rows; /* of the one that was committed */
} modes[] = {
	{ "WAL", "FULL", 1 },	 { "WAL", "NORMAL", 0 }, { "WAL", "OFF", 0 },
	{ "DELETE", "FULL", 1 }, { "DELETE", "OFF", 0 },
};
enum { MODES = sizeof(modes) / sizeof(modes[0]) };

static sqlite3 *open_raw(const char *vfs)
{
	sqlite3 *db = NULL;

	if (sqlite3_open_v2(f.path, &db,
			    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
			    vfs) != SQLITE_OK) {
		fprintf(stderr, "open: %s\n", sqlite3_errmsg(db));
		_exit(1);
	}
	return db;
}

__attribute__((format(printf, 2, 3))) static void exec_raw(sqlite3 *db,
							   const char *fmt, ...)
{
	char sql[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(sql, sizeof(sql), fmt, args);
	va_end(args);
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) {
		fprintf(stderr, "%s: %s\n", sql, sqlite3_errmsg(db));
		_exit(1);
	}
}

static int count_raw(sqlite3 *db)
{
	sqlite3_stmt *stmt;
	int n = -1;

	if (sqlite3_prepare_v2(db, "SELECT count(*) FROM t", -1, &stmt, NULL) ==
		    SQLITE_OK &&
	    sqlite3_step(stmt) == SQLITE_ROW) {
		n = sqlite3_column_int(stmt, 0);
	}
	sqlite3_finalize(stmt);
	return n;
}

/* One connection writes, another one reads what it wrote. */
static sqlite3 *insert_one(const struct mode *mode)
{
	sqlite3 *writer;
	sqlite3 *reader;

	fault_vfs_forget(0);
	writer = open_raw(FAULT_VFS);
	exec_raw(writer, "PRAGMA journal_mode=%s", mode->journal);
	exec_raw(writer, "PRAGMA synchronous=%s", mode->synchronous);
	exec_raw(writer, "INSERT INTO t VALUES (1)");
	reader = open_raw(FAULT_VFS);
	if (count_raw(reader) != 1) {
		_exit(2);
	}
	sqlite3_close(reader);
	return writer;
}

static void commit_one(int mode, int acks)
{
	(void)insert_one(&modes[mode]);
	acknowledge(acks);
	for (;;) {
		pause();
	}
}

static void commit_one_and_exit(int mode, int acks)
{
	sqlite3_close(insert_one(&modes[mode]));
	acknowledge(acks);
}

static void make_table(const struct mode *mode)
{
	sqlite3 *db = open_raw(NULL);

	exec_raw(db, "PRAGMA journal_mode=%s; CREATE TABLE t (n)",
		 mode->journal);
	sqlite3_close(db);
}

static void expect_rows(int n)
{
	sqlite3 *db = open_raw(NULL);

	ck_assert_int_eq(count_raw(db), n);
	sqlite3_close(db);
}

START_TEST(a_commit_survives_a_power_cut_if_it_was_synced)
{
	struct child child;

	make_table(&modes[_i]);
	child_start(&child, commit_one, _i);
	ck_assert(child_await_acks(&child, 1));
	child_kill(&child);
	expect_rows(modes[_i].rows);
}
END_TEST

START_TEST(every_commit_survives_an_exit)
{
	struct child child;

	make_table(&modes[_i]);
	child_start(&child, commit_one_and_exit, _i);
	ck_assert_int_eq(child_end(&child), 0);
	ck_assert_int_eq(child.acked, 1);
	expect_rows(1);
}
END_TEST

/* ---- our databases ---------------------------------------------------------
 */

static void child_opens(int seed)
{
	struct status err;

	if (loop_new(&f.loop, &err) != STATUS_OK ||
	    ctx_root(f.loop, &f.root, &err) != STATUS_OK) {
		_exit(1);
	}
	fault_vfs_forget((uint64_t)seed);
	f.options.vfs = FAULT_VFS;
	if (db_sqlite_open(&f.options, &f.db, &err) != STATUS_OK) {
		fprintf(stderr, "%s\n", err.message);
		_exit(1);
	}
}

static void commit_numbered(int run, int i, int acks)
{
	char name[32];

	snprintf(name, sizeof(name), "run%d-%d", run, i);
	if (commit_item(&f, name, NULL) != STATUS_OK) {
		_exit(2);
	}
	acknowledge(acks);
}

static void commit_for_ever(int seed, int acks)
{
	child_opens(seed);
	for (int i = 0;; i++) {
		commit_numbered(seed, i, acks);
	}
}

/* The first @acked of @run are there, once, and the file is whole. */
static void expect_run(int run, int acked)
{
	char sql[128];

	snprintf(sql, sizeof(sql),
		 "SELECT count(*) FROM items WHERE name LIKE 'run%d-%%'", run);
	ck_assert_int_ge(raw_int(&f, sql), acked);
	/* In order, and none beyond the one that may have been under way. */
	ck_assert_int_le(raw_int(&f, sql), acked + 1);
	for (int i = 0; i < acked; i++) {
		snprintf(sql, sizeof(sql),
			 "SELECT count(*) FROM items WHERE name = 'run%d-%d'",
			 run, i);
		ck_assert_int_eq(raw_int(&f, sql), 1);
	}
	ck_assert_int_eq(raw_int(&f, "SELECT integrity_check = 'ok'"
				     " FROM pragma_integrity_check"),
			 1);
}

static void look(void)
{
	ck_assert_int_eq(sqlite3_open(f.path, &f.raw), SQLITE_OK);
}

static void look_away(void)
{
	sqlite3_close(f.raw);
	f.raw = NULL;
}

START_TEST(no_acknowledged_commit_is_lost_when_the_power_fails)
{
	enum { CUTS = 4 };
	int acked[CUTS];

	for (int i = 0; i < CUTS; i++) {
		struct child child;

		child_start(&child, commit_for_ever, _i * CUTS + i);
		ck_assert(child_await_acks(&child, 1 + (_i * 7 + i) % 23));
		child_kill(&child);
		acked[i] = child.acked;
		look();
		for (int run = 0; run <= i; run++) {
			expect_run(_i * CUTS + run, acked[run]);
		}
		look_away();
	}
}
END_TEST

/* Dies at pass @arg of the point. */
static const char *point;

static void commit_some(int nth, int acks)
{
	char orders[64];
	struct status err;

	snprintf(orders, sizeof(orders), "%s=kill@%d", point, nth);
	if (failpoint_arm(orders, &err) != STATUS_OK) {
		_exit(1);
	}
	child_opens(nth);
	for (int i = 0; i < 4; i++) {
		commit_numbered(nth, i, acks);
	}
	db_close(f.db);
}

static const struct {
	const char *point;
	int least; /* times that it is passed */
} points[] = {
	{ "vfs.write", 20 },	  { "vfs.write.after", 20 },
	{ "vfs.sync", 8 },	  { "vfs.sync.after", 8 },
	{ "vfs.truncate", 1 },	  { "vfs.truncate.after", 1 },
	{ "db.begin.before", 5 }, { "db.begin.after", 5 },
	{ "db.member.after", 4 }, { "db.commit.before", 4 },
	{ "db.commit.after", 4 }, { "db.completion.before", 4 },
};
enum { POINTS = sizeof(points) / sizeof(points[0]) };

/* All that was ever acknowledged, or more where the answer did not get out. */
static void expect_in_all(int acked)
{
	if (acked > 0) {
		ck_assert_int_ge(raw_int(&f, "SELECT count(*) FROM items"),
				 acked);
	}
}

/* Each run goes on with the file as the last one left it. */
START_TEST(nor_when_it_fails_at_any_pass_of_a_point)
{
	int nth = 0;
	int acked = 0;
	int code;

	point = points[_i].point;
	do {
		struct child child;

		child_start(&child, commit_some, ++nth);
		code = child_end(&child);
		ck_assert_msg(code == 0 || code == 128 + SIGKILL,
			      "%s, pass %d: code %d", point, nth, code);
		acked += child.acked;
		look();
		if (child.acked > 0) {
			expect_run(nth, child.acked);
		}
		expect_in_all(acked);
		look_away();
		ck_assert_int_lt(nth, SWEEP_MAX);
	} while (code != 0);
	ck_assert_int_gt(nth, points[_i].least);
}
END_TEST

int main(void)
{
	enum { ROUNDS = 8 };
	TCase *tc = tcase_create("forget");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, a_commit_survives_a_power_cut_if_it_was_synced,
			    0, MODES);
	tcase_add_loop_test(tc, every_commit_survives_an_exit, 0, MODES);
	tcase_add_loop_test(tc,
			    no_acknowledged_commit_is_lost_when_the_power_fails,
			    0, ROUNDS);
	tcase_add_loop_test(tc, nor_when_it_fails_at_any_pass_of_a_point, 0,
			    POINTS);
	return suite_run("forget", tc);
}
