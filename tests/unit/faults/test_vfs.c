/* Each kind of call fails as it is told to, and passes its points. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "failpoint/failpoint.h"
#include "vfs.h"

#include <sqlite3.h>

static char dir[] = "/tmp/rescind-vfs.XXXXXX";
static char path[64];
static sqlite3_vfs *vfs;
static sqlite3_file *file;

static int open_file(void)
{
	int flags;
	int rc = vfs->xOpen(vfs, path, file,
			    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
				    SQLITE_OPEN_MAIN_DB,
			    &flags);

	return rc;
}

static int close_file(void)
{
	return file->pMethods->xClose(file);
}

static void setup(void)
{
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/file", dir);
	fault_vfs_register(false);
	vfs = sqlite3_vfs_find(FAULT_VFS);
	ck_assert_ptr_nonnull(vfs);
	file = calloc(1, (size_t)vfs->szOsFile);
	ck_assert_ptr_nonnull(file);
}

static void teardown(void)
{
	free(file);
	(void)unlink(path);
	ck_assert_int_eq(rmdir(dir), 0);
}

/* ---- calls --------------------------------------------------------------- */

static int do_open(void)
{
	int rc;

	close_file();
	rc = open_file();
	if (rc != SQLITE_OK) {
		fault_disarm();
		ck_assert_ptr_null(file->pMethods);
		ck_assert_int_eq(open_file(), SQLITE_OK);
	}
	return rc;
}

static int do_read(void)
{
	char byte;

	return file->pMethods->xRead(file, &byte, 1, 0);
}

static int do_write(void)
{
	return file->pMethods->xWrite(file, "x", 1, 0);
}

static int do_truncate(void)
{
	return file->pMethods->xTruncate(file, 1);
}

static int do_sync(void)
{
	return file->pMethods->xSync(file, SQLITE_SYNC_NORMAL);
}

static int do_delete(void)
{
	return vfs->xDelete(vfs, path, 0);
}

static const struct {
	const char *point;
	const char *after; /* NULL: there is none */
	int (*call)(void);
	int own_rc;
} calls[] = {
	{ "vfs.open", NULL, do_open, SQLITE_CANTOPEN },
	{ "vfs.read", NULL, do_read, SQLITE_IOERR_READ },
	{ "vfs.write", "vfs.write.after", do_write, SQLITE_IOERR_WRITE },
	{ "vfs.truncate", "vfs.truncate.after", do_truncate,
	  SQLITE_IOERR_TRUNCATE },
	{ "vfs.sync", "vfs.sync.after", do_sync, SQLITE_IOERR_FSYNC },
	{ "vfs.delete", NULL, do_delete, SQLITE_IOERR_DELETE },
};
enum { CALLS = sizeof(calls) / sizeof(calls[0]) };

static uint64_t passes(const char *point)
{
	return point != NULL ? atomic_load(&failpoint_cell(point)->passes) : 0;
}

static void expect(int call, int rc, bool done)
{
	uint64_t before = passes(calls[call].point);
	uint64_t after = passes(calls[call].after);

	ck_assert_int_eq(calls[call].call(), rc);
	ck_assert_uint_gt(passes(calls[call].point), before);
	if (calls[call].after != NULL) {
		ck_assert_uint_eq(passes(calls[call].after), after + done);
	}
}

static void fail_each_way(int call)
{
	ck_assert_int_eq(open_file(), SQLITE_OK);
	ck_assert_int_eq(do_write(), SQLITE_OK);
	fault_arm(calls[call].point, 1, SQLITE_FULL, false);
	ck_assert(!fault_struck());
	expect(call, SQLITE_FULL, false);
	ck_assert(fault_struck());
	fault_arm(calls[call].point, 1, 0, false);
	expect(call, calls[call].own_rc, false);
	fault_disarm();
	expect(call, SQLITE_OK, true);
	close_file();
}

START_TEST(a_call_fails_as_it_is_told)
{
	fail_each_way(_i);
}
END_TEST

START_TEST(so_it_does_where_the_disk_forgets)
{
	fault_vfs_forget(0);
	fail_each_way(_i);
}
END_TEST

/* ---- what is not in the file yet ------------------------------------------
 */

static bool exists(void)
{
	int can = -1;

	ck_assert_int_eq(vfs->xAccess(vfs, path, SQLITE_ACCESS_EXISTS, &can),
			 SQLITE_OK);
	return can == 1;
}

START_TEST(a_file_exists_once_it_was_written_to)
{
	fault_vfs_forget(0);
	ck_assert(!exists());
	ck_assert_int_eq(open_file(), SQLITE_OK);
	ck_assert(!exists());
	ck_assert_int_eq(do_write(), SQLITE_OK);
	ck_assert(exists());
	ck_assert_int_eq(do_sync(), SQLITE_OK);
	ck_assert(exists());
	ck_assert_int_eq(file->pMethods->xTruncate(file, 0), SQLITE_OK);
	ck_assert(!exists());
	close_file();
}
END_TEST

START_TEST(a_hint_of_its_size_does_not_lengthen_it)
{
	sqlite3_int64 size = 8192;
	int chunk = 4096;
	FILE *seen;

	fault_vfs_forget(0);
	ck_assert_int_eq(open_file(), SQLITE_OK);
	(void)file->pMethods->xFileControl(file, SQLITE_FCNTL_CHUNK_SIZE,
					   &chunk);
	ck_assert_int_eq(file->pMethods->xFileControl(
				 file, SQLITE_FCNTL_SIZE_HINT, &size),
			 SQLITE_OK);
	seen = fopen(path, "r");
	ck_assert_ptr_nonnull(seen);
	ck_assert_int_eq(fgetc(seen), EOF);
	ck_assert_int_eq(fclose(seen), 0);
	close_file();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("fault vfs");
	TCase *tc = tcase_create("vfs");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, a_call_fails_as_it_is_told, 0, CALLS);
	tcase_add_loop_test(tc, so_it_does_where_the_disk_forgets, 0, CALLS);
	tcase_add_test(tc, a_file_exists_once_it_was_written_to);
	tcase_add_test(tc, a_hint_of_its_size_does_not_lengthen_it);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
