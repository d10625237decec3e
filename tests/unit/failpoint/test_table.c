/* The file that a program and its test share. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "failpoint/table.h"

static char dir[] = "/tmp/rescind-failpoint.XXXXXX";
static char path[64];

static void setup(void)
{
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/control", dir);
}

static void teardown(void)
{
	(void)unlink(path);
	ck_assert_int_eq(rmdir(dir), 0); /* and nothing else was left there */
}

static void fill(struct failpoint_table *table)
{
	for (uint32_t i = 0; i < table->cells_n; i++) {
		snprintf(table->cells[i].name, FAILPOINT_NAME_SIZE, "p%u", i);
	}
}

static struct failpoint_table *create(size_t n)
{
	struct failpoint_table *table = NULL;
	struct status err = status_ok();

	ck_assert_msg(failpoint_table_create(path, n, fill, &table, &err) ==
			      STATUS_OK,
		      "%s", err.message);
	return table;
}

static struct failpoint_table *map(void)
{
	struct failpoint_table *table = NULL;
	struct status err = status_ok();

	ck_assert_msg(failpoint_table_map(path, &table, &err) == STATUS_OK,
		      "%s", err.message);
	return table;
}

START_TEST(both_see_the_same)
{
	const struct failpoint_order kill = { FAILPOINT_KILL, 7, false, 0 };
	struct failpoint_table *ours = create(3);
	struct failpoint_table *theirs = map();
	struct failpoint_cell *cell = failpoint_table_find(theirs, "p2");

	ck_assert_uint_eq(theirs->cells_n, 3);
	ck_assert_int_eq(theirs->pid, getpid());
	ck_assert_ptr_eq(cell, &theirs->cells[2]);
	ck_assert_ptr_null(failpoint_table_find(theirs, "p3"));
	failpoint_cell_arm(cell, &kill);
	ck_assert_uint_eq(atomic_load(&ours->cells[2].order),
			  failpoint_order_pack(&kill));
	ck_assert_uint_eq(atomic_load(&ours->cells[1].order), 0);
	atomic_fetch_add(&ours->cells[2].passes, 41);
	ck_assert_uint_eq(atomic_load(&cell->passes), 41);
	failpoint_table_unmap(theirs);
	failpoint_table_unmap(ours);
}
END_TEST

START_TEST(a_new_one_leaves_the_old_to_those_who_have_it)
{
	struct failpoint_table *first = create(2);
	struct failpoint_table *seen = map();
	struct failpoint_table *second;
	struct failpoint_table *then;

	atomic_store(&first->cells[0].passes, 5);
	second = create(1);
	then = map();
	ck_assert_uint_eq(atomic_load(&seen->cells[0].passes), 5);
	ck_assert_uint_eq(then->cells_n, 1);
	ck_assert_uint_eq(atomic_load(&then->cells[0].passes), 0);
	failpoint_table_unmap(first);
	failpoint_table_unmap(seen);
	failpoint_table_unmap(second);
	failpoint_table_unmap(then);
}
END_TEST

START_TEST(awaiting_ends_with_time)
{
	struct failpoint_table *table = create(1);

	ck_assert(!failpoint_cell_await(&table->cells[0], 1, 1));
	failpoint_cell_strike(&table->cells[0]);
	ck_assert(failpoint_cell_await(&table->cells[0], 1, 60000));
	ck_assert(!failpoint_cell_await(&table->cells[0], 2, 1));
	failpoint_table_unmap(table);
}
END_TEST

static void write_file(const void *data, size_t size)
{
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_uint_eq(fwrite(data, 1, size, file), size);
	ck_assert_int_eq(fclose(file), 0);
}

static enum status_code try_to_map(void)
{
	struct failpoint_table *table;
	struct status err;
	enum status_code code = failpoint_table_map(path, &table, &err);

	if (code != STATUS_OK) {
		ck_assert_ptr_nonnull(strstr(err.message, path));
	}
	return code;
}

START_TEST(what_is_no_table_is_refused)
{
	struct failpoint_table *table = create(1);
	char copy[sizeof(*table) + sizeof(table->cells[0]) + 1] = { 0 };

	memcpy(copy, table, sizeof(copy) - 1);
	failpoint_table_unmap(table);
	(void)unlink(path);
	ck_assert_int_eq(try_to_map(), STATUS_NOT_FOUND);
	write_file("", 0);
	ck_assert_int_eq(try_to_map(), STATUS_FAILED_PRECONDITION);
	write_file(copy, sizeof(copy)); /* a byte more */
	ck_assert_int_eq(try_to_map(), STATUS_FAILED_PRECONDITION);
	write_file(copy, sizeof(copy) - 2);
	ck_assert_int_eq(try_to_map(), STATUS_FAILED_PRECONDITION);
	copy[0] ^= 1;
	write_file(copy, sizeof(copy) - 1);
	ck_assert_int_eq(try_to_map(), STATUS_FAILED_PRECONDITION);
	copy[0] ^= 1;
	write_file(copy, sizeof(copy) - 1);
	ck_assert_int_eq(try_to_map(), STATUS_OK);
}
END_TEST

START_TEST(a_place_that_is_not_there_is_named)
{
	struct failpoint_table *table;
	struct status err;

	ck_assert_int_eq(failpoint_table_create("/nowhere/at/all", 1, fill,
						&table, &err),
			 STATUS_INVALID_ARGUMENT);
	ck_assert_ptr_nonnull(strstr(err.message, "/nowhere/at/all"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("failpoint table");
	TCase *tc = tcase_create("table");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, both_see_the_same);
	tcase_add_test(tc, a_new_one_leaves_the_old_to_those_who_have_it);
	tcase_add_test(tc, awaiting_ends_with_time);
	tcase_add_test(tc, what_is_no_table_is_refused);
	tcase_add_test(tc, a_place_that_is_not_there_is_named);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
