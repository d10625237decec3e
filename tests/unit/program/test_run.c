/* The shape of main(), with steps that note their order. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "program/program.h"

static struct program program;
static char order[256];
static enum flags_outcome parsed;
static bool starts;

static void note(const char *step)
{
	strncat(order, step, sizeof(order) - strlen(order) - 1);
}

static enum flags_outcome parse(void *self, int argc, char **argv,
				struct status *reterr)
{
	ck_assert_ptr_eq(self, order);
	ck_assert_int_eq(argc, 1);
	ck_assert_str_eq(argv[0], "p");
	note("parse ");
	status_set(reterr, STATUS_INVALID_ARGUMENT, "no such flag");
	return parsed;
}

static enum status_code start(void *self, struct status *reterr)
{
	struct status why;

	(void)self;
	note("start ");
	ck_assert_ptr_nonnull(program.loop);
	ck_assert_ptr_nonnull(program.root);
	ck_assert_ptr_nonnull(program.metrics);
	ck_assert_ptr_nonnull(program.work_metrics);
	ck_assert_ptr_nonnull(program.lifecycle);
	ck_assert_uint_eq(program.in_flight_max, 10);
	ck_assert_uint_ge(program_connections_max(&program), 10);
	ck_assert_int_eq(program_check_ready(&program, &why),
			 STATUS_UNAVAILABLE);
	ck_assert_str_eq(why.message, "stopping");
	return starts ? STATUS_OK
		      : status_set(reterr, STATUS_NOT_FOUND, "no disk");
}

static enum status_code is_well(void *arg, struct status *reterr)
{
	const bool *well = arg;

	return *well ? STATUS_OK
		     : status_set(reterr, STATUS_UNAVAILABLE, "unwell");
}

static void announce(void *self)
{
	static bool well = true;
	struct status why;

	(void)self;
	note("announce ");
	ck_assert_int_eq(program_check_ready(&program, &why), STATUS_OK);
	program.check = is_well;
	program.check_arg = &well;
	ck_assert_int_eq(program_check_ready(&program, &why), STATUS_OK);
	well = false;
	ck_assert_int_eq(program_check_ready(&program, &why),
			 STATUS_UNAVAILABLE);
	ck_assert_str_eq(why.message, "unwell");
	lifecycle_stop(program.lifecycle, "seen enough");
}

static void release(void *self)
{
	(void)self;
	note("release ");
}

static int run(enum flags_outcome outcome, bool does_start)
{
	static const struct program_steps steps = {
		.parse = parse,
		.start = start,
		.announce = announce,
		.release = release,
	};
	char name[] = "p", *argv[] = { name, NULL };

	order[0] = '\0';
	parsed = outcome;
	starts = does_start;
	program = (struct program){ .name = "p",
				    .component = "P",
				    .version = "1" };
	program.config.max_in_flight = 10;
	return program_run(&program, &steps, order, 1, argv);
}

START_TEST(a_program_runs_from_its_flags_to_its_end)
{
	ck_assert_int_eq(run(FLAGS_RUN, true), 0);
	ck_assert_str_eq(order, "parse start announce release ");
	ck_assert_ptr_null(program.loop);
}
END_TEST

START_TEST(a_program_that_can_t_start_releases_what_there_is)
{
	ck_assert_int_eq(run(FLAGS_RUN, false), PROGRAM_EXIT_STARTUP);
	ck_assert_str_eq(order, "parse start release ");
	ck_assert_ptr_null(program.lifecycle);
}
END_TEST

START_TEST(without_good_flags_nothing_starts)
{
	ck_assert_int_eq(run(FLAGS_INVALID, true), PROGRAM_EXIT_USAGE);
	ck_assert_str_eq(order, "parse ");
	ck_assert_int_eq(run(FLAGS_EXIT, true), 0);
	ck_assert_str_eq(order, "parse ");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("program_run");
	TCase *tc = tcase_create("run");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tc, a_program_runs_from_its_flags_to_its_end);
	tcase_add_test(tc, a_program_that_can_t_start_releases_what_there_is);
	tcase_add_test(tc, without_good_flags_nothing_starts);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
