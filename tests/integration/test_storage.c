/*
 * Databases that are locked, full, unwritable, or not ours: what clients are
 * told meanwhile, and that it is over when the trouble is.
 */
#include "harness/disk.h"
#include "harness/pair.h"
#include "harness/run.h"
#include "harness/suite.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- locked -------------------------------------------------------------- */

static const char *db_of(struct pair *pair, const char *program)
{
	return strcmp(program, "echo") == 0 ? pair->echo_db : pair->worker_db;
}

static void lock_past_the_deadline(const char *program)
{
	struct pair_options options = { .work = "0s", .timeout = "1s" };
	struct pair pair;
	struct reply reply;
	char seconds[256];
	sqlite3 *lock;

	pair_start(&pair, &options);
	lock = rows_lock(db_of(&pair, program));
	http_get(pair.http_port, &reply, "/echo?request_id=locked");
	ck_assert_msg(reply.status == 503, "%d: %s", reply.status, reply.body);
	ck_assert_ptr_nonnull(strstr(reply.body, "locked"));
	ck_assert(reply_header(&reply, "Retry-After", seconds));
	echo_await_rolled_back(&pair, "locked");
	rows_unlock(lock);
	pair_expect_works(&pair, "unlocked");
	pair_expect_rows(&pair, "locked", 0, 0);
	pair_end(&pair);
}

START_TEST(echos_database_locked_past_the_deadline_is_503)
{
	lock_past_the_deadline("echo");
}
END_TEST

START_TEST(workers_database_locked_past_the_deadline_is_503)
{
	lock_past_the_deadline("worker");
}
END_TEST

static void lock_for_a_while(const char *program)
{
	struct pair_options options = { .work = "0s", .timeout = "60s" };
	struct pair pair;
	struct client client;
	struct reply reply;
	sqlite3 *lock;

	pair_start(&pair, &options);
	lock = rows_lock(db_of(&pair, program));
	pair_send(&pair, &client, "patient");
	UNTIL(http_metric(pair.http_port,
			  "rescind_in_flight{service=\"echo\"}") == 1);
	if (strcmp(program, "worker") == 0) {
		pair_await_working(&pair, "patient");
	}
	/* It waits: there is no answer while the lock is held. */
	ck_assert(!client_receive_within(&client, &reply, 200));
	pair_expect_rows(&pair, "patient", 0, 0);
	rows_unlock(lock);
	ck_assert(client_receive(&client, &reply));
	ck_assert_int_eq(reply.status, 200);
	pair_expect_committed(&pair, "patient");
	client_close(&client);
	pair_end(&pair);
}

START_TEST(echos_database_locked_for_a_while_is_waited_for)
{
	lock_for_a_while("echo");
}
END_TEST

START_TEST(workers_database_locked_for_a_while_is_waited_for)
{
	lock_for_a_while("worker");
}
END_TEST

START_TEST(readers_do_not_disturb)
{
	struct pair_options options = { .work = "0s", .timeout = "5s" };
	struct pair pair;
	sqlite3 *reader;

	pair_start(&pair, &options);
	ck_assert_int_eq(sqlite3_open_v2(pair.echo_db, &reader,
					 SQLITE_OPEN_READONLY, NULL),
			 SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(reader,
				      "BEGIN; SELECT * FROM echo_requests",
				      NULL, NULL, NULL),
			 SQLITE_OK);
	pair_expect_works(&pair, "beside-a-reader");
	sqlite3_close(reader);
	pair_end(&pair);
}
END_TEST

/* ---- full ---------------------------------------------------------------- */

/* One that takes some room. */
static int big_request(struct pair *pair, int i)
{
	static char message[7 * 1024];

	memset(message, 'm', sizeof(message) - 1);
	return http_status_of(pair->http_port,
			      "/echo?request_id=big-%d&message=%s", i, message);
}

static bool disk_status(int status)
{
	return status == 500 || status == 503;
}

/* Requests until one is refused: what room the files still had is used up. */
static int until_refused(struct pair *pair)
{
	enum { TRIES_MAX = 2000 };
	int i = 0;
	int status;

	do {
		ck_assert_int_lt(i, TRIES_MAX);
		status = big_request(pair, i++);
	} while (status == 200);
	ck_assert_msg(disk_status(status), "answered %d", status);
	return i - 1;
}

/*
 * Not in echo's database; nor in worker's, but where worker had committed
 * before echo's disk refused, and then it is told.
 */
static void expect_undone(struct pair *pair, const char *id)
{
	ck_assert_int_eq(echo_rows(pair->echo_db, id), 0);
	if (worker_rows(pair->worker_db, id) != 0) {
		process_await_id(&pair->echo,
				 "The worker has committed what was rolled "
				 "back here, request_id=",
				 id);
		ck_assert(http_metric(pair->http_port,
				      "rescind_diverged_total{service="
				      "\"echo\"}") >= 1);
	}
}

static void expect_recovery(struct pair *pair)
{
	pair_await_ready(pair);
	pair_expect_works(pair, "recovered");
	ck_assert_int_eq(rows_query(pair->echo_db,
				    "SELECT integrity_check = 'ok' "
				    "FROM pragma_integrity_check"),
			 1);
	ck_assert_int_eq(rows_query(pair->worker_db,
				    "SELECT integrity_check = 'ok' "
				    "FROM pragma_integrity_check"),
			 1);
	ck_assert(process_is_alive(&pair->echo));
	ck_assert(process_is_alive(&pair->worker));
}

static void full_disk_of(const char *program)
{
	struct pair_options options = {
		.work = "0s",
		.timeout = "5s",
		.worker_flags = FLAGS("-metrics-port", "0"),
	};
	bool is_echo = strcmp(program, "echo") == 0;
	struct pair pair;
	char dir[PATH_SIZE];
	char filler[PATH_SIZE];
	char id[32];
	int refused;

	pair_prepare(&pair, &options);
	scratch_path(dir, pair.dir, "small");
	ck_assert_int_eq(mkdir(dir, 0777), 0);
	if (!disk_mount_small(dir)) {
		scratch_remove(pair.dir);
		return;
	}
	scratch_path(is_echo ? pair.echo_db : pair.worker_db, dir, "full.db");
	scratch_path(filler, dir, "filler");
	pair_start_worker(&pair);
	pair_start_echo(&pair);
	pair_await_ready(&pair);
	pair_expect_works(&pair, "before");

	disk_fill_up(filler);
	refused = until_refused(&pair);
	snprintf(id, sizeof(id), "big-%d", refused);
	echo_await_rolled_back(&pair, id);
	expect_undone(&pair, id);
	if (is_echo) {
		UNTIL(http_status_of(pair.http_port, "/readyz") == 503);
	} else {
		UNTIL(http_status_of(process_port(&pair.worker, "metrics_port"),
				     "/readyz") == 503);
	}
	ck_assert_int_eq(http_status_of(pair.http_port, "/healthz"), 200);
	/* Now that it knows, it begins nothing anywhere. */
	ck_assert(disk_status(big_request(&pair, 9999)));
	pair_expect_rows(&pair, "big-9999", 0, 0);

	ck_assert_int_eq(unlink(filler), 0);
	if (!is_echo) {
		UNTIL(http_status_of(process_port(&pair.worker, "metrics_port"),
				     "/readyz") == 200);
	}
	expect_recovery(&pair);
	pair_expect_rows(&pair, "before", 1, 1);
	expect_undone(&pair, id);
	process_end(&pair.echo);
	process_end(&pair.worker);
	disk_unmount(dir);
	pair_end(&pair);
}

START_TEST(echos_disk_full)
{
	full_disk_of("echo");
}
END_TEST

START_TEST(workers_disk_full)
{
	full_disk_of("worker");
}
END_TEST

/* What a file may grow to: another way in which a write fails, for everyone. */
START_TEST(a_limit_on_file_size)
{
	const struct process_options small = { .file_size_max = 256 * 1024 };
	struct pair_options options = { .work = "0s",
					.timeout = "5s",
					.echo_process = &small };
	struct rlimit lifted = { RLIM_INFINITY, RLIM_INFINITY };
	struct pair pair;
	char id[32];
	int refused;

	pair_start(&pair, &options);
	refused = until_refused(&pair);
	snprintf(id, sizeof(id), "big-%d", refused);
	expect_undone(&pair, id);
	ck_assert_int_eq(prlimit(pair.echo.pid, RLIMIT_FSIZE, &lifted, NULL),
			 0);
	expect_recovery(&pair);
	pair_end(&pair);
}
END_TEST

/* ---- unwritable ---------------------------------------------------------- */

/* As chattr +i does: also those who have it open can't write. */
static bool set_immutable(const char *path, bool on)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int flags = 0;
	bool done;

	if (fd < 0) {
		return false;
	}
	done = ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0;
	flags = on ? flags | FS_IMMUTABLE_FL : flags & ~FS_IMMUTABLE_FL;
	done = done && ioctl(fd, FS_IOC_SETFLAGS, &flags) == 0;
	close(fd);
	return done;
}

START_TEST(a_file_that_turns_read_only)
{
	struct pair_options options = { .work = "0s", .timeout = "5s" };
	struct pair pair;
	char wal[PATH_SIZE + 8];
	int status;
	int again;

	pair_start(&pair, &options);
	pair_expect_works(&pair, "before");
	snprintf(wal, sizeof(wal), "%s-wal", pair.echo_db);
	if (!set_immutable(wal, true)) {
		fprintf(stderr, "can't make a file immutable: skipped\n");
		pair_end(&pair);
		return;
	}
	status = pair_request(&pair, "unwritable");
	UNTIL(http_status_of(pair.http_port, "/readyz") == 503);
	again = pair_request(&pair, "again");
	ck_assert(set_immutable(wal, false));
	ck_assert_msg(disk_status(status), "answered %d", status);
	ck_assert_msg(disk_status(again), "answered %d", again);
	expect_recovery(&pair);
	expect_undone(&pair, "unwritable");
	pair_expect_rows(&pair, "again", 0, 0);
	pair_end(&pair);
}
END_TEST

/* ---- not ours, at the start ---------------------------------------------- */

/* Each program refuses to start with this file: not 0, one line, file
 * untouched. */
static void expect_refused(const char *program, const char *db,
			   const struct process_options *process)
{
	struct outcome outcome;
	const char *port =
		strcmp(program, "echo") == 0 ? "-http-port" : "-port";

	RUN(&outcome, program, process, port, "0", "-db", db);
	ck_assert_int_ne(outcome.code, 0);
	ck_assert_int_lt(outcome.code, 128);
	ck_assert_msg(outcome_lines(&outcome) == 1, "not one line: %s",
		      outcome.text);
	ck_assert_msg(strstr(outcome.text, db) != NULL,
		      "does not name the file: %s", outcome.text);
}

START_TEST(a_file_that_is_no_database_is_refused)
{
	static const char text[] =
		"Dear diary,\nthis is a text, and so long that nobody can take "
		"it for the header of a database that is yet to be written.\n";
	char dir[PATH_SIZE];
	char db[PATH_SIZE];
	struct stat before;
	struct stat after;

	scratch_make(dir);
	scratch_path(db, dir, "diary.txt");
	file_write(db, text, strlen(text));
	ck_assert_int_eq(stat(db, &before), 0);
	expect_refused("echo", db, NULL);
	expect_refused("worker", db, NULL);
	ck_assert_int_eq(stat(db, &after), 0);
	ck_assert_int_eq(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
	ck_assert_int_eq(before.st_size, after.st_size);
	scratch_remove(dir);
}
END_TEST

START_TEST(a_database_of_another_schema_is_refused)
{
	char dir[PATH_SIZE];
	char db[PATH_SIZE];

	scratch_make(dir);
	scratch_path(db, dir, "other.db");
	rows_exec(db, "CREATE TABLE echo_requests(colour TEXT);"
		      "CREATE TABLE worker_tasks(colour TEXT)");
	expect_refused("echo", db, NULL);
	expect_refused("worker", db, NULL);
	ck_assert_int_eq(rows_query(db, "SELECT COUNT(*) FROM echo_requests"),
			 0);
	scratch_remove(dir);
}
END_TEST

START_TEST(a_database_without_permission_is_refused)
{
	/* Permissions do not stop root. */
	const struct process_options nobody = {
		.uid = geteuid() == 0 ? UID_NOBODY : 0,
	};
	char dir[PATH_SIZE];
	char db[PATH_SIZE];

	scratch_make(dir);
	ck_assert_int_eq(chmod(dir, 0755), 0);
	scratch_path(db, dir, "theirs.db");
	rows_exec(db, "CREATE TABLE t(x)");
	ck_assert_int_eq(chmod(db, 0400), 0);
	if (geteuid() != 0) {
		ck_assert_int_eq(chmod(db, 0), 0);
	}
	expect_refused("echo", db, &nobody);
	expect_refused("worker", db, &nobody);
	scratch_remove(dir);
}
END_TEST

START_TEST(a_folder_that_is_not_there_is_refused)
{
	expect_refused("echo", "/nowhere/at/all/test.db", NULL);
	expect_refused("worker", "/nowhere/at/all/test.db", NULL);
}
END_TEST

START_TEST(two_workers_on_one_database_both_serve)
{
	struct pair_options options = { .work = "0s", .timeout = "20s" };
	struct pair first;
	struct pair second;

	pair_start(&first, &options);
	pair_prepare(&second, &options);
	snprintf(second.worker_db, PATH_SIZE, "%s", first.worker_db);
	pair_start_worker(&second);
	pair_start_echo(&second);
	pair_await_ready(&second);
	for (int i = 0; i < 20; i++) {
		char id[32];

		snprintf(id, sizeof(id), "first-%d", i);
		pair_expect_works(&first, id);
		snprintf(id, sizeof(id), "second-%d", i);
		pair_expect_works(&second, id);
	}
	pair_end(&second);
	pair_end(&first);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		echos_database_locked_past_the_deadline_is_503,
		workers_database_locked_past_the_deadline_is_503,
		echos_database_locked_for_a_while_is_waited_for,
		workers_database_locked_for_a_while_is_waited_for,
		readers_do_not_disturb,
		echos_disk_full,
		workers_disk_full,
		a_limit_on_file_size,
		a_file_that_turns_read_only,
		a_file_that_is_no_database_is_refused,
		a_database_of_another_schema_is_refused,
		a_database_without_permission_is_refused,
		a_folder_that_is_not_there_is_refused,
		two_workers_on_one_database_both_serve,
		NULL,
	};

	return suite_run("storage", tests);
}
