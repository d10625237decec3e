/* What a file, a reader and a disk after a power cut have of what was written.
 */
#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unsynced.h"

enum {
	ROOM = 5 * 4096 + 700,
	OPEN_FLAGS =
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MAIN_DB
};

static char dir[] = "/tmp/rescind-unsynced.XXXXXX";
static char path[64];
static sqlite3_file *real;
static struct unsynced *file;

static void setup(void)
{
	sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
	int flags;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/file", dir);
	real = calloc(1, (size_t)vfs->szOsFile);
	ck_assert_int_eq(vfs->xOpen(vfs, path, real, OPEN_FLAGS, &flags),
			 SQLITE_OK);
	file = unsynced_get(path);
	unsynced_seed(0);
}

static void teardown(void)
{
	unsynced_put(file);
	real->pMethods->xClose(real);
	free(real);
	(void)unlink(path);
	ck_assert_int_eq(rmdir(dir), 0);
}

/* ---- a file in memory to compare with ------------------------------------ */

struct shadow {
	unsigned char bytes[ROOM];
	int size;
};

static void shadow_write(struct shadow *s, const unsigned char *from, int n,
			 int at)
{
	memcpy(s->bytes + at, from, (size_t)n);
	s->size = at + n > s->size ? at + n : s->size;
}

static void shadow_truncate(struct shadow *s, int size)
{
	if (size < s->size) {
		memset(s->bytes + size, 0, (size_t)(s->size - size));
	}
	s->size = size;
}

/* What others see, and what a power cut leaves. */
static bool disk_is(const struct shadow *s)
{
	unsigned char bytes[ROOM + 1] = { 0 };
	int fd = open(path, O_RDONLY);
	ssize_t n;

	ck_assert_int_ge(fd, 0);
	n = read(fd, bytes, sizeof(bytes));
	/* Closing it drops the locks on the file: there are none. */
	close(fd);
	return n == s->size && memcmp(bytes, s->bytes, (size_t)n) == 0;
}

static void expect_read(const struct shadow *s, int at, int n)
{
	unsigned char bytes[ROOM];
	unsigned char expected[ROOM] = { 0 };
	int there = at < s->size ? s->size - at : 0;
	int rc;

	memset(bytes, 0xAA, sizeof(bytes));
	there = there < n ? there : n;
	memcpy(expected, s->bytes + at, (size_t)there);
	rc = unsynced_read(file, real, bytes, n, at);
	ck_assert_int_eq(rc, there < n ? SQLITE_IOERR_SHORT_READ : SQLITE_OK);
	ck_assert_int_eq(memcmp(bytes, expected, (size_t)n), 0);
}

static void expect_size(const struct shadow *s)
{
	int64_t size = -1;

	ck_assert_int_eq(unsynced_size(file, real, &size), SQLITE_OK);
	ck_assert_int_eq(size, s->size);
}

/* ---- one thing after another --------------------------------------------- */

static void write_text(const char *text, int at)
{
	ck_assert_int_eq(
		unsynced_write(file, real, text, (int)strlen(text), at),
		SQLITE_OK);
}

static void sync_it(void)
{
	ck_assert_int_eq(unsynced_sync(file, real, SQLITE_SYNC_NORMAL),
			 SQLITE_OK);
}

static struct shadow shadow_of(const char *text)
{
	struct shadow s = { .size = (int)strlen(text) };

	memcpy(s.bytes, text, strlen(text));
	return s;
}

static void expect_disk(const char *text)
{
	struct shadow s = shadow_of(text);

	ck_assert_msg(disk_is(&s), "the file is not '%s'", text);
}

START_TEST(a_write_is_read_but_in_the_file_only_after_a_sync)
{
	struct shadow s = shadow_of("hello");
	int64_t size;

	ck_assert(!unsynced_find(path, &size));
	write_text("hello", 0);
	expect_read(&s, 0, 5);
	expect_read(&s, 3, 100);
	expect_size(&s);
	expect_disk("");
	ck_assert(unsynced_find(path, &size));
	ck_assert_int_eq(size, 5);
	sync_it();
	expect_disk("hello");
	expect_read(&s, 0, 5);
	ck_assert(!unsynced_find(path, &size));
}
END_TEST

START_TEST(what_is_behind_a_cut_does_not_come_back)
{
	write_text("0123456789", 0);
	sync_it();
	ck_assert_int_eq(unsynced_truncate(file, real, 4), SQLITE_OK);
	expect_disk("0123456789");
	write_text("x", 6);
	sync_it();
	{
		struct shadow s = { "0123\0\0x", 7 };

		ck_assert(disk_is(&s));
		expect_read(&s, 0, 7);
	}
}
END_TEST

START_TEST(all_who_have_it_open_see_the_same)
{
	struct unsynced *other = unsynced_get(path);
	struct shadow s = shadow_of("hello");

	ck_assert_ptr_eq(other, file);
	write_text("hello", 0);
	unsynced_put(other);
	other = unsynced_get(path);
	ck_assert_ptr_eq(other, file);
	expect_read(&s, 0, 5);
	unsynced_put(other);
}
END_TEST

START_TEST(what_nobody_has_open_is_still_there)
{
	struct shadow s = shadow_of("hello");

	write_text("hello", 0);
	unsynced_put(file);
	file = unsynced_get(path);
	expect_read(&s, 0, 5);
	expect_disk("");
}
END_TEST

START_TEST(a_file_that_was_deleted_is_forgotten)
{
	struct shadow s = shadow_of("");
	int64_t size;

	write_text("hello", 0);
	unsynced_delete(path);
	ck_assert(!unsynced_find(path, &size));
	unsynced_put(file);
	file = unsynced_get(path);
	expect_size(&s);
}
END_TEST

START_TEST(a_sync_that_failed_is_not_made_good_by_the_next)
{
	struct shadow s = shadow_of("jello");

	write_text("hello", 0);
	sync_it();
	write_text("j", 0);
	unsynced_lose(file);
	sync_it();
	expect_read(&s, 0, 5);
	expect_disk("hello");
	write_text("J", 0); /* but what is written again is */
	sync_it();
	expect_disk("Jello");
}
END_TEST

START_TEST(an_exit_writes_all_out)
{
	write_text("0123456789", 0);
	sync_it();
	ck_assert_int_eq(unsynced_truncate(file, real, 4), SQLITE_OK);
	write_text("x", 4);
	unsynced_write_out();
	expect_disk("0123x");
	teardown();
	memcpy(dir, "/tmp/rescind-unsynced.XXXXXX", sizeof(dir));
	setup();
}
END_TEST

/* ---- at random ------------------------------------------------------------
 */

struct history {
	struct shadow now;
	struct shadow synced;
	int leaked; /* times at which the file had more than was synced */
	int kept;   /* times at which it had not all that was written */
};

static void step(struct history *h)
{
	unsigned char bytes[ROOM];
	int at = rand() % (ROOM / 2);
	int n = 1 + rand() % (ROOM / 2);

	switch (rand() % 8) {
	case 0:
	case 1:
	case 2:
	case 3:
		for (int i = 0; i < n; i++) {
			bytes[i] = (unsigned char)(1 + rand() % 255);
		}
		ck_assert_int_eq(unsynced_write(file, real, bytes, n, at),
				 SQLITE_OK);
		shadow_write(&h->now, bytes, n, at);
		break;
	case 4:
		ck_assert_int_eq(unsynced_truncate(file, real, at), SQLITE_OK);
		shadow_truncate(&h->now, at);
		break;
	case 5:
		sync_it();
		h->synced = h->now;
		ck_assert(disk_is(&h->synced));
		break;
	default:
		expect_read(&h->now, at, n);
		break;
	}
	expect_size(&h->now);
	h->leaked += !disk_is(&h->synced);
	h->kept += !disk_is(&h->now);
}

START_TEST(in_any_order_a_reader_sees_all_and_the_file_what_was_synced)
{
	enum { STEPS = 400 };
	static struct history h;

	srand((unsigned)_i + 1);
	memset(&h, 0, sizeof(h));
	for (int i = 0; i < STEPS; i++) {
		step(&h);
		ck_assert_int_eq(h.leaked, 0);
	}
	ck_assert_int_gt(h.kept, STEPS / 10);
}
END_TEST

START_TEST(with_a_seed_the_file_has_some_of_what_was_not_synced)
{
	enum { STEPS = 400 };
	static struct history h;

	srand((unsigned)_i + 1);
	unsynced_seed((uint64_t)_i + 1);
	memset(&h, 0, sizeof(h));
	for (int i = 0; i < STEPS; i++) {
		step(&h);
	}
	ck_assert_int_gt(h.leaked, STEPS / 20);
	ck_assert_int_gt(h.kept, STEPS / 20);
}
END_TEST

START_TEST(a_write_is_torn_between_sectors_only)
{
	enum { SECTOR = 512, SECTORS = 8 };
	int torn = 0;

	unsynced_seed(7);
	for (int round = 1; round <= 50; round++) {
		unsigned char bytes[SECTORS * SECTOR];
		int new = 0;
		int fd;

		memset(bytes, round, sizeof(bytes));
		ck_assert_int_eq(
			unsynced_write(file, real, bytes, sizeof(bytes), 0),
			SQLITE_OK);
		memset(bytes, 0, sizeof(bytes));
		fd = open(path, O_RDONLY);
		ck_assert_int_ge(read(fd, bytes, sizeof(bytes)), 0);
		close(fd);
		for (int i = 0; i < SECTORS; i++) {
			const unsigned char *sector = bytes + i * SECTOR;

			new += sector[0] == round;
			for (int j = 1; j < SECTOR; j++) {
				ck_assert_int_eq(sector[j], sector[0]);
			}
		}
		torn += new > 0 && new < SECTORS;
		sync_it();
	}
	ck_assert_int_gt(torn, 10);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("unsynced");
	TCase *tc = tcase_create("unsynced");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 50);
	tcase_add_test(tc, a_write_is_read_but_in_the_file_only_after_a_sync);
	tcase_add_test(tc, what_is_behind_a_cut_does_not_come_back);
	tcase_add_test(tc, all_who_have_it_open_see_the_same);
	tcase_add_test(tc, what_nobody_has_open_is_still_there);
	tcase_add_test(tc, a_file_that_was_deleted_is_forgotten);
	tcase_add_test(tc, a_sync_that_failed_is_not_made_good_by_the_next);
	tcase_add_test(tc, an_exit_writes_all_out);
	tcase_add_loop_test(
		tc, in_any_order_a_reader_sees_all_and_the_file_what_was_synced,
		0, 20);
	tcase_add_loop_test(
		tc, with_a_seed_the_file_has_some_of_what_was_not_synced, 0,
		20);
	tcase_add_test(tc, a_write_is_torn_between_sectors_only);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
