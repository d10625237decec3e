/* Disks that fail: at every write, sync and open in turn. */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fixture.h"
#include "suite.h"
#include "vfs.h"

enum { EXIT_FATAL = 75, SWEEP_MAX = 200 };

static struct fixture f;

static void setup(void)
{
	fault_vfs_register(false);
	fixture_init(&f);
	f.options.vfs = FAULT_VFS;
}

static void teardown(void)
{
	fault_disarm();
	fixture_release(&f);
}

/* ---- writes ------------------------------------------------------------- */

static const struct fault_case {
	int rc;
	bool sticky;
	enum status_code code;
	const char *text;
} write_cases[] = {
	{ SQLITE_FULL, false, STATUS_RESOURCE_EXHAUSTED, "disk is full" },
	{ SQLITE_FULL, true, STATUS_RESOURCE_EXHAUSTED, "disk is full" },
	{ SQLITE_IOERR_WRITE, false, STATUS_INTERNAL, "disk I/O error" },
	{ SQLITE_IOERR_WRITE, true, STATUS_INTERNAL, "disk I/O error" },
	{ SQLITE_READONLY, true, STATUS_UNAVAILABLE, "readonly" },
};
enum { WRITE_CASES = sizeof(write_cases) / sizeof(write_cases[0]) };

/* Commit four items; each is told the truth. True if the fault struck. */
static bool commit_through(const struct fault_case *c, unsigned nth)
{
	int told_ok = 0;

	fault_arm("vfs.write", nth, c->rc, c->sticky);
	for (int i = 0; i < 4; i++) {
		char name[16];
		struct status st;

		snprintf(name, sizeof(name), "n%d", i);
		if (commit_item(&f, name, &st) == STATUS_OK) {
			told_ok++;
			ck_assert_int_eq(db_health(f.db, NULL), STATUS_OK);
		} else {
			ck_assert_int_eq(st.code, c->code);
			ck_assert_msg(strstr(st.message, c->text) != NULL, "%s",
				      st.message);
			ck_assert_int_eq(db_health(f.db, &st), c->code);
		}
	}
	fault_disarm();
	ck_assert_int_eq(raw_int(&f, "SELECT count(*) FROM items"), told_ok);
	ck_assert(fault_struck() || told_ok == 4);
	return fault_struck();
}

START_TEST(a_failed_write_fails_its_transaction_and_no_more)
{
	const struct fault_case *c = &write_cases[_i];
	unsigned nth = 0;
	bool struck;

	do {
		fixture_open_ready(&f);
		raw_exec(&f, "DELETE FROM items");
		struck = commit_through(c, ++nth);
		ck_assert_int_eq(commit_item(&f, "after", NULL), STATUS_OK);
		ck_assert_int_eq(db_health(f.db, NULL), STATUS_OK);
		fixture_close(&f);
		ck_assert_uint_lt(nth, SWEEP_MAX);
	} while (struck);
	ck_assert_uint_gt(nth, 4); /* it has swept something */
}
END_TEST

START_TEST(a_full_disk_fails_the_whole_group)
{
	enum { N = 5 };
	struct ctx *ctx;
	struct outcome o;

	fixture_open_ready(&f);
	ctx = open_ctx(&f);
	outcome_init(&o);
	raw_exec(&f, "BEGIN IMMEDIATE");
	for (int i = 0; i < N; i++) {
		char name[16];

		snprintf(name, sizeof(name), "n%d", i);
		db_txn_commit(stage_item(&f, ctx, name), outcome_done, &o);
	}
	fault_arm("vfs.write", 1, SQLITE_FULL, true);
	raw_exec(&f, "ROLLBACK");
	outcome_wait(&o, N);
	fault_disarm();
	ck_assert_int_eq(o.by_code[STATUS_RESOURCE_EXHAUSTED], N);
	ck_assert_int_eq(raw_int(&f, "SELECT count(*) FROM items"), 0);
	ctx_unref(ctx);
}
END_TEST

START_TEST(health_recovers_by_itself_when_the_disk_does)
{
	const struct timespec tick = { .tv_nsec = NS_PER_MS };
	int64_t until_ns;

	fixture_open_ready(&f);
	fault_arm("vfs.write", 1, SQLITE_FULL, true);
	ck_assert_int_eq(commit_item(&f, "a", NULL), STATUS_RESOURCE_EXHAUSTED);
	ck_assert_int_ne(db_health(f.db, NULL), STATUS_OK);
	fault_disarm();
	until_ns = clock_now_ns() + 10 * (int64_t)NS_PER_S;
	while (db_health(f.db, NULL) != STATUS_OK) {
		ck_assert(clock_now_ns() < until_ns);
		nanosleep(&tick, NULL); /* health has no event to wait for */
	}
	ck_assert_int_eq(raw_int(&f, "SELECT count(*) FROM items"), 0);
}
END_TEST

START_TEST(health_stays_bad_while_the_disk_is_full)
{
	const struct timespec tick = { .tv_nsec = 10 * NS_PER_MS };
	int64_t until_ns;

	fixture_open_ready(&f);
	fault_arm("vfs.write", 1, SQLITE_FULL, true);
	ck_assert_int_ne(commit_item(&f, "a", NULL), STATUS_OK);
	/* Longer than it takes to probe once. */
	until_ns = clock_now_ns() + 1300 * (int64_t)NS_PER_MS;
	while (clock_now_ns() < until_ns) {
		ck_assert_int_eq(db_health(f.db, NULL),
				 STATUS_RESOURCE_EXHAUSTED);
		nanosleep(&tick, NULL);
	}
}
END_TEST

/* ---- in a process that dies --------------------------------------------- */

/* As if killed: nothing is done on the way out. */
static _Noreturn void vanish(int code)
{
	syscall(SYS_exit_group, code);
	abort();
}

static void die(const struct status *status, void *arg)
{
	(void)status;
	(void)arg;
	vanish(EXIT_FATAL);
}

/* Run @child in a process of its own; its exit code. */
static int run_child(void (*child)(unsigned nth, int acks), unsigned nth,
		     int *ret_acked)
{
	int fds[2];
	int wstatus;
	char byte;
	pid_t pid;

	ck_assert_int_eq(pipe(fds), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		close(fds[0]);
		child(nth, fds[1]);
		vanish(0);
	}
	close(fds[1]);
	*ret_acked = 0;
	while (read(fds[0], &byte, 1) == 1) {
		(*ret_acked)++;
	}
	close(fds[0]);
	ck_assert_int_eq(waitpid(pid, &wstatus, 0), pid);
	ck_assert_msg(WIFEXITED(wstatus), "killed by %d", WTERMSIG(wstatus));
	return WEXITSTATUS(wstatus);
}

/* A directory and options, but no loop: threads are the child's. */
static void setup_for_children(void)
{
	fault_vfs_register(false);
	fixture_init(&f);
	ctx_unref(f.root);
	loop_free(f.loop);
	f.root = NULL;
	f.loop = NULL;
	f.options.vfs = FAULT_VFS;
	f.options.on_fatal = die;
}

static void teardown_for_children(void)
{
	struct status err;

	ck_assert_int_eq(loop_new(&f.loop, &err), STATUS_OK);
	ck_assert_int_eq(ctx_root(f.loop, &f.root, &err), STATUS_OK);
	fixture_release(&f);
}

static void child_opens(void)
{
	struct status err;

	if (loop_new(&f.loop, &err) != STATUS_OK ||
	    ctx_root(f.loop, &f.root, &err) != STATUS_OK) {
		vanish(1);
	}
	fixture_open_ready(&f);
}

static void acknowledge(int acks)
{
	if (write(acks, "!", 1) != 1) {
		vanish(1);
	}
}

static void commit_with_failing_sync(unsigned nth, int acks)
{
	child_opens();
	fault_arm("vfs.sync", nth, SQLITE_IOERR_FSYNC, false);
	for (int i = 0; i < 5; i++) {
		char name[32];

		snprintf(name, sizeof(name), "run%u-%d", nth, i);
		if (commit_item(&f, name, NULL) != STATUS_OK) {
			vanish(2); /* it must die instead */
		}
		acknowledge(acks);
	}
	fixture_close(&f);
}

START_TEST(a_failed_sync_is_fatal_and_loses_nothing_acknowledged)
{
	int deaths = 0;
	int acked_in_all = 0;
	int code;

	do {
		int acked;

		code = run_child(commit_with_failing_sync, (unsigned)deaths + 1,
				 &acked);
		acked_in_all += acked;
		ck_assert(code == 0 || code == EXIT_FATAL);
		ck_assert_int_eq(sqlite3_open(f.path, &f.raw), SQLITE_OK);
		ck_assert_int_ge(raw_int(&f, "SELECT count(*) FROM items"),
				 acked_in_all);
		ck_assert_int_eq(raw_int(&f, "SELECT integrity_check = 'ok'"
					     " FROM pragma_integrity_check"),
				 1);
		sqlite3_close(f.raw);
		f.raw = NULL;
		deaths += code == EXIT_FATAL;
		ck_assert_int_lt(deaths, SWEEP_MAX);
	} while (code == EXIT_FATAL);
	/* Five commits, the log's header, log and file at the close. */
	ck_assert_int_ge(deaths, 7);
}
END_TEST

/* Rows of a megabyte, until the log's index would need a second part. */
static void outgrow_the_index(unsigned nth, int acks)
{
	static char note[1 << 20];
	const char *name = "big";
	struct db_value values[] = { db_text(name),
				     db_blob(note, sizeof(note)) };

	(void)nth;
	child_opens();
	raw_exec(&f, "BEGIN; SELECT count(*) FROM items"); /* keeps the log */
	fault_arm("vfs.shm_grow", 1, SQLITE_IOERR_SHMSIZE, true);
	for (int i = 0; i < 32; i++) {
		struct ctx *ctx = open_ctx(&f);
		char item[16];
		struct db_txn *txn;
		struct outcome o;
		struct status err;

		outcome_init(&o);
		snprintf(item, sizeof(item), "big%d", i);
		values[0] = db_text(item);
		if (db_txn_begin(f.db, ctx, &txn, &err) != STATUS_OK ||
		    db_txn_insert(txn, INSERT_ITEM, values, 2, &err) !=
			    STATUS_OK) {
			vanish(1);
		}
		db_txn_commit(txn, outcome_done, &o);
		if (outcome_wait(&o, 1) != STATUS_OK) {
			vanish(fault_struck() ? 0 : 1);
		}
		acknowledge(acks);
		ctx_unref(ctx);
	}
	vanish(3);
}

/*
 * The frames are in the log and synced when SQLite finds that it can't extend
 * the log's index: told to have failed, such a commit must not be revived.
 */
START_TEST(a_commit_that_failed_late_is_not_revived_by_a_crash)
{
	int acked;

	ck_assert_int_eq(run_child(outgrow_the_index, 0, &acked), 0);
	ck_assert_int_ge(acked, 10);
	ck_assert_int_eq(sqlite3_open(f.path, &f.raw), SQLITE_OK);
	ck_assert_int_eq(raw_int(&f, "SELECT count(*) FROM items"), acked);
}
END_TEST

/* ---- opening ------------------------------------------------------------ */

static const struct {
	const char *point;
	int rc;
} open_faults[] = {
	{ "vfs.open", SQLITE_CANTOPEN },
	{ "vfs.write", SQLITE_FULL },
};
enum { OPEN_FAULTS = sizeof(open_faults) / sizeof(open_faults[0]) };

static void unlink_all(void)
{
	static const char *const suffixes[] = { "", "-journal", "-wal",
						"-shm" };
	char path[128];

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		snprintf(path, sizeof(path), "%s%s", f.path, suffixes[i]);
		(void)unlink(path);
	}
}

/* Open and close; true when the fault struck. */
static bool open_through(const char *path)
{
	struct status err = status_ok();
	enum status_code code = db_sqlite_open(&f.options, &f.db, &err);

	if (code == STATUS_OK) {
		db_close(f.db);
		f.db = NULL;
	} else {
		ck_assert(fault_struck());
		ck_assert_ptr_nonnull(strstr(err.message, path));
	}
	fault_disarm();
	return fault_struck();
}

START_TEST(an_open_that_fails_can_be_repeated)
{
	unsigned nth = 0;
	bool struck;

	do {
		fault_arm(open_faults[_i].point, ++nth, open_faults[_i].rc,
			  true);
		struck = open_through(f.path);
		fixture_open(&f);
		ck_assert_int_eq(raw_int(&f, "SELECT count(*) FROM items"), 0);
		fixture_close(&f);
		unlink_all();
		ck_assert_uint_lt(nth, SWEEP_MAX);
	} while (struck);
	ck_assert_uint_gt(nth, 2);
}
END_TEST

START_TEST(a_full_disk_leaves_the_log_short_but_usable)
{
	fixture_open(&f);
	fixture_close(&f);
	/* What an open of a database in order writes first are the zeros. */
	fault_arm("vfs.write", 10, SQLITE_FULL, false);
	fixture_open_ready(&f);
	ck_assert(fault_struck());
	ck_assert_int_lt(log_size(&f), 64 << 10); /* it leaves others room */
	ck_assert_int_eq(commit_item(&f, "a", NULL), STATUS_OK);
	ck_assert_int_eq(raw_int(&f, "SELECT count(*) FROM items"), 1);
}
END_TEST

static void open_with_failing_sync(unsigned nth, int acks)
{
	struct status err;

	(void)acks;
	fault_arm("vfs.sync", nth, SQLITE_IOERR_FSYNC, false);
	if (db_sqlite_open(&f.options, &f.db, &err) != STATUS_OK) {
		vanish(1);
	}
	db_close(f.db);
	vanish(fault_struck() ? 2 : 0);
}

/* The open fails, or, once others may rely on it, the process dies. */
START_TEST(a_failed_sync_at_the_start_is_never_passed_over)
{
	unsigned nth = 0;
	int code;

	do {
		int acked;

		code = run_child(open_with_failing_sync, ++nth, &acked);
		ck_assert_msg(code == 0 || code == 1 || code == EXIT_FATAL,
			      "sync %u: code %d", nth, code);
		ck_assert_int_eq(sqlite3_open(f.path, &f.raw), SQLITE_OK);
		ck_assert_int_eq(raw_int(&f, "SELECT integrity_check = 'ok'"
					     " FROM pragma_integrity_check"),
				 1);
		sqlite3_close(f.raw);
		f.raw = NULL;
		unlink_all();
		ck_assert_uint_lt(nth, SWEEP_MAX);
	} while (code != 0);
	/* Eight: three for the mode, two for the schema, one for the log's
	 * length, two for the close. */
	ck_assert_uint_ge(nth, 9);
}
END_TEST

static TCase *make_case(const char *name, SFun before, SFun after)
{
	TCase *tc = tcase_create(name);

	tcase_add_checked_fixture(tc, before, after);
	tcase_set_timeout(tc, 120);
	return tc;
}

int main(void)
{
	TCase *tc = make_case("faults", setup, teardown);
	TCase *children =
		make_case("deaths", setup_for_children, teardown_for_children);

	tcase_add_loop_test(tc,
			    a_failed_write_fails_its_transaction_and_no_more, 0,
			    WRITE_CASES);
	tcase_add_test(tc, a_full_disk_fails_the_whole_group);
	tcase_add_test(tc, health_recovers_by_itself_when_the_disk_does);
	tcase_add_test(tc, health_stays_bad_while_the_disk_is_full);
	tcase_add_loop_test(tc, an_open_that_fails_can_be_repeated, 0,
			    OPEN_FAULTS);
	tcase_add_test(tc, a_full_disk_leaves_the_log_short_but_usable);
	tcase_add_test(children,
		       a_failed_sync_at_the_start_is_never_passed_over);
	tcase_add_test(children,
		       a_failed_sync_is_fatal_and_loses_nothing_acknowledged);
	tcase_add_test(children,
		       a_commit_that_failed_late_is_not_revived_by_a_crash);
	return suite_run_two("faults", tc, children);
}
