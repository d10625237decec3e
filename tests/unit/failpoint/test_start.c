/* What the environment does to a program. */
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "failpoint/table.h"

static char dir[] = "/tmp/rescind-failpoint.XXXXXX";
static char control[64];
static char said[4096]; /* by the last program, on stdout and stderr */

static void setup(void)
{
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(control, sizeof(control), "%s/control", dir);
}

static void teardown(void)
{
	(void)unlink(control);
	ck_assert_int_eq(rmdir(dir), 0);
}

static void read_all(int fd)
{
	size_t size = 0;
	ssize_t n;

	while ((n = read(fd, said + size, sizeof(said) - 1 - size)) > 0) {
		size += (size_t)n;
	}
	said[size] = '\0';
}

/* Run the program; its exit code, or 128 + signal. */
static int run(const char *orders, const char *at)
{
	int wait_status;
	int ends[2];
	pid_t pid;

	ck_assert_int_eq(pipe(ends), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		dup2(ends[1], STDOUT_FILENO);
		dup2(ends[1], STDERR_FILENO);
		if (setenv("RESCIND_FAILPOINTS", orders, 1) == 0 &&
		    setenv("RESCIND_FAILPOINTS_CONTROL", at, 1) == 0) {
			execl(SUBJECT, SUBJECT, NULL);
		}
		_exit(127);
	}
	close(ends[1]);
	read_all(ends[0]);
	close(ends[0]);
	ck_assert_int_eq(waitpid(pid, &wait_status, 0), pid);
	return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status)
					: WEXITSTATUS(wait_status);
}

static const char all_turns[] = "turn 1: 0\nturn 2: 0\nturn 3: 0\nturn 4: 0\n";

START_TEST(without_orders_nothing_happens)
{
	ck_assert_int_eq(run("", ""), 0);
	ck_assert_str_eq(said, all_turns);
}
END_TEST

START_TEST(a_list_has_every_point_and_runs_nothing)
{
	ck_assert_int_eq(run("list", control), 0);
	ck_assert_str_eq(said, "subject.end\nsubject.read\nsubject.turn\n");
	ck_assert_int_ne(access(control, F_OK), 0);
}
END_TEST

START_TEST(orders_are_obeyed)
{
	ck_assert_int_eq(run("subject.turn=kill@4,subject.read=fail@2+", ""),
			 128 + SIGKILL);
	ck_assert_str_eq(said, "turn 1: 0\nturn 2: 5\nturn 3: 5\n");
}
END_TEST

START_TEST(the_table_tells_where_it_died)
{
	struct failpoint_table *table;
	struct failpoint_cell *cell;
	struct status err;

	ck_assert_int_eq(run("subject.turn=kill@3", control), 128 + SIGKILL);
	ck_assert_int_eq(failpoint_table_map(control, &table, &err), STATUS_OK);
	ck_assert_uint_eq(table->cells_n, 3);
	cell = failpoint_table_find(table, "subject.turn");
	ck_assert_uint_eq(atomic_load(&cell->passes), 3);
	ck_assert_uint_eq(atomic_load(&cell->struck), 1);
	ck_assert(!cell->answers);
	cell = failpoint_table_find(table, "subject.read");
	ck_assert_uint_eq(atomic_load(&cell->passes), 2);
	ck_assert_uint_eq(atomic_load(&cell->struck), 0);
	ck_assert(cell->answers);
	cell = failpoint_table_find(table, "subject.end");
	ck_assert_uint_eq(atomic_load(&cell->passes), 0);
	failpoint_table_unmap(table);
}
END_TEST

static const struct {
	const char *orders;
	const char *control;
	const char *line;
} refused[] = {
	{ "subject.turn=explode", "",
	  "RESCIND_FAILPOINTS: subject.turn: 'explode' is none of kill, stop, "
	  "stall, fail and off\n" },
	{ "subject.trun=kill", "",
	  "RESCIND_FAILPOINTS: there is no point 'subject.trun'\n" },
	{ "lists", "",
	  "RESCIND_FAILPOINTS: 'lists' is not of the form point=order\n" },
	{ "subject.end=fail", "",
	  "RESCIND_FAILPOINTS: subject.end: this point can't fail\n" },
	{ "", "/nowhere/at/all",
	  "RESCIND_FAILPOINTS_CONTROL: make '/nowhere/at/all': No such file or "
	  "directory\n" },
};
enum { REFUSED = sizeof(refused) / sizeof(refused[0]) };

START_TEST(what_makes_no_sense_ends_it_with_one_line)
{
	ck_assert_int_eq(run(refused[_i].orders, refused[_i].control), 2);
	ck_assert_str_eq(said, refused[_i].line);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("failpoint start");
	TCase *tc = tcase_create("start");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, without_orders_nothing_happens);
	tcase_add_test(tc, a_list_has_every_point_and_runs_nothing);
	tcase_add_test(tc, orders_are_obeyed);
	tcase_add_test(tc, the_table_tells_where_it_died);
	tcase_add_loop_test(tc, what_makes_no_sense_ends_it_with_one_line, 0,
			    REFUSED);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
