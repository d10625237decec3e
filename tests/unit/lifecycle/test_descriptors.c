#include <check.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "lifecycle/descriptors.h"

static void set_soft(rlim_t soft)
{
	struct rlimit limit;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	ck_assert(soft <= limit.rlim_max);
	limit.rlim_cur = soft;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

START_TEST(the_soft_limit_is_raised_to_the_hard_one)
{
	struct status err = status_ok();
	struct rlimit limit;
	size_t raised = 0;

	set_soft(100);
	ck_assert_int_eq(descriptors_raise(&raised, &err), STATUS_OK);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	ck_assert(limit.rlim_cur == limit.rlim_max);
	ck_assert_uint_eq(raised, limit.rlim_max);
	ck_assert_int_eq(descriptors_raise(NULL, &err), STATUS_OK);
}
END_TEST

static const struct {
	size_t wanted, per_request, reserved, fit;
} admits[] = {
	{ 10, 1, 20, 10 },	  { 80, 1, 20, 80 },
	{ 81, 1, 20, 80 },	  { 4096, 2, 20, 40 },
	{ 4096, 3, 20, 26 },	  { 4096, 1, 100, 1 },
	{ 4096, 1, SIZE_MAX, 1 }, { 4096, SIZE_MAX, 0, 1 },
	{ 4096, 0, 20, 4096 },	  { 0, 1, 20, 1 },
};

START_TEST(as_many_are_admitted_as_descriptors_suffice_for)
{
	set_soft(100);
	ck_assert_uint_eq(descriptors_admit(admits[_i].wanted,
					    admits[_i].per_request,
					    admits[_i].reserved),
			  admits[_i].fit);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("descriptors");
	TCase *tc = tcase_create("descriptors");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tc, the_soft_limit_is_raised_to_the_hard_one);
	tcase_add_loop_test(tc, as_many_are_admitted_as_descriptors_suffice_for,
			    0, sizeof(admits) / sizeof(admits[0]));
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
