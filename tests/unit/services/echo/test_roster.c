/* Names that are under way. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "echo/fingerprint.h"
#include "echo/roster.h"

static struct roster roster;

static void set_up(void)
{
	roster_init(&roster);
}

static void tear_down(void)
{
	roster_release(&roster);
}

START_TEST(a_name_is_there_until_its_last_node_leaves)
{
	struct roster_node a;
	struct roster_node b;

	ck_assert(!roster_has(&roster, "r1"));
	roster_enter(&roster, &a, "r1");
	roster_enter(&roster, &b, "r1");
	ck_assert(roster_has(&roster, "r1"));
	ck_assert(!roster_has(&roster, "r2"));
	roster_leave(&roster, &a);
	ck_assert(roster_has(&roster, "r1"));
	roster_leave(&roster, &b);
	ck_assert(!roster_has(&roster, "r1"));
}
END_TEST

START_TEST(a_name_is_claimed_once_at_a_time)
{
	struct roster_node a;
	struct roster_node b;

	ck_assert_int_eq(roster_claim(&roster, &a, "k", "x"), ROSTER_MINE);
	ck_assert_int_eq(roster_claim(&roster, &b, "k", "x"), ROSTER_SAME);
	ck_assert_int_eq(roster_claim(&roster, &b, "k", "y"), ROSTER_OTHER);
	ck_assert_int_eq(roster_claim(&roster, &b, "l", "x"), ROSTER_MINE);
	roster_leave(&roster, &a);
	ck_assert_int_eq(roster_claim(&roster, &a, "k", "y"), ROSTER_MINE);
	roster_leave(&roster, &a);
	roster_leave(&roster, &b);
}
END_TEST

START_TEST(many_names_come_and_go_in_any_order)
{
	enum { NAMES = 5000 };
	static struct roster_node nodes[NAMES];
	static char names[NAMES][16];

	for (int i = 0; i < NAMES; i++) {
		snprintf(names[i], sizeof(names[i]), "r%d", i);
		roster_enter(&roster, &nodes[i], names[i]);
	}
	for (int i = 0; i < NAMES; i += 2) {
		roster_leave(&roster, &nodes[i]);
	}
	for (int i = 0; i < NAMES; i++) {
		ck_assert_int_eq(roster_has(&roster, names[i]), i % 2 == 1);
	}
	for (int i = NAMES - 1; i > 0; i -= 2) {
		roster_leave(&roster, &nodes[i]);
		ck_assert(!roster_has(&roster, names[i]));
	}
}
END_TEST

START_TEST(a_fingerprint_tells_texts_and_where_they_end)
{
	char a[ECHO_FINGERPRINT_SIZE];
	char b[ECHO_FINGERPRINT_SIZE];

	fingerprint((const char *const[]){ "a", "bc", NULL }, a);
	fingerprint((const char *const[]){ "a", "bc", NULL }, b);
	ck_assert_str_eq(a, b);
	ck_assert_uint_eq(strlen(a), ECHO_FINGERPRINT_SIZE - 1);
	fingerprint((const char *const[]){ "ab", "c", NULL }, b);
	ck_assert_str_ne(a, b);
	fingerprint((const char *const[]){ "a", "bd", NULL }, b);
	ck_assert_str_ne(a, b);
	fingerprint((const char *const[]){ "a", "bc", "", NULL }, b);
	ck_assert_str_ne(a, b);
	/* FNV-1a of "a\0" by hand: what is on disk must not change. */
	fingerprint((const char *const[]){ "a", NULL }, b);
	ck_assert_str_eq(b, "0880954519ab1be95aa0733055b70e0c");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("roster");
	TCase *tc = tcase_create("roster");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, a_name_is_there_until_its_last_node_leaves);
	tcase_add_test(tc, a_name_is_claimed_once_at_a_time);
	tcase_add_test(tc, many_names_come_and_go_in_any_order);
	tcase_add_test(tc, a_fingerprint_tells_texts_and_where_they_end);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
