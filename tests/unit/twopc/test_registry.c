/* What the registry knows of transactions, and for how long. */
#include <string.h>

#include "loop/clock.h"
#include "suite.h"
#include "twopc/registry.h"

#define STEM "000000000002-00000000000000aa"
#define OLD  "000000000001-00000000000000bb-0000000000"

enum { ENTRIES_MAX = 1000 };

static struct twopc_registry *registry;
static int owners[ENTRIES_MAX]; /* their addresses alone */

static void setup(void)
{
	registry = twopc_registry_new(STEM, ENTRIES_MAX);
}

static void teardown(void)
{
	twopc_registry_free(registry);
}

static struct twopc_entry *begin(int owner)
{
	struct twopc_entry *entry = NULL;
	struct status err = status_ok();

	ck_assert_msg(twopc_registry_begin(registry, &owners[owner], owner,
					   &entry, &err) == STATUS_OK,
		      "%s", err.message);
	return entry;
}

static void mark(struct twopc_entry *entry, unsigned todo)
{
	twopc_registry_mark(registry, entry, todo, 1000);
}

static enum status_code load(const char *id)
{
	struct status err;

	return twopc_registry_load(registry, id, 5, &err);
}

static enum twopc_standing look(const char *id)
{
	return twopc_registry_look(registry, id);
}

static const char *low(void)
{
	static char id[TWOPC_ID_SIZE];

	twopc_registry_low(registry, id);
	return id;
}

/* ---- a transaction's life ------------------------------------------------ */

START_TEST(ids_count_up)
{
	struct twopc_entry *first = begin(0);
	struct twopc_entry *second = begin(1);

	ck_assert_str_eq(twopc_entry_id(first), STEM "-000000000001");
	ck_assert_str_eq(twopc_entry_id(second), STEM "-000000000002");
	twopc_registry_release(registry, first);
	twopc_registry_release(registry, second);
}
END_TEST

START_TEST(a_committed_one_stays_until_its_decision_is_forgotten)
{
	struct twopc_entry *entry = begin(0);
	char id[TWOPC_ID_SIZE];

	strcpy(id, twopc_entry_id(entry));
	ck_assert_int_eq(look(id), TWOPC_LIVE_STANDING);
	mark(entry, TWOPC_MARK_DECIDED | TWOPC_SEND_COMMIT);
	ck_assert_int_eq(look(id), TWOPC_DECIDED_STANDING);
	mark(entry, TWOPC_MARK_SETTLED | TWOPC_END);
	ck_assert_int_eq(look(id), TWOPC_SETTLED_STANDING);
	twopc_registry_release(registry, entry);
	ck_assert_int_eq(look(id), TWOPC_SETTLED_STANDING);
	ck_assert_str_eq(low(), id);
	twopc_registry_forget(registry, id);
	ck_assert_int_eq(look(id), TWOPC_ABSENT_STANDING);
	ck_assert_str_eq(low(), STEM "-000000000002");
}
END_TEST

START_TEST(an_aborted_one_is_absent_at_once_but_its_owners_until_released)
{
	struct twopc_entry *entry = begin(0);

	mark(entry, TWOPC_MARK_GONE);
	ck_assert_int_eq(look(STEM "-000000000001"), TWOPC_ABSENT_STANDING);
	ck_assert_str_eq(low(), STEM "-000000000002");
	ck_assert_str_eq(twopc_entry_id(entry), STEM "-000000000001");
	twopc_registry_release(registry, entry);
}
END_TEST

/* Of a process that ends with exchanges still open. */
START_TEST(what_was_not_released_is_freed_with_the_registry)
{
	struct twopc_entry *entries[4];

	for (int i = 0; i < 4; i++) {
		entries[i] = begin(i);
	}
	mark(entries[0], TWOPC_MARK_GONE);
	mark(entries[1], TWOPC_MARK_GONE);
	mark(entries[2], TWOPC_MARK_GONE);
	mark(entries[3], TWOPC_MARK_DECIDED);
	twopc_registry_release(registry, entries[1]);
}
END_TEST

START_TEST(a_live_one_that_is_released_is_gone)
{
	twopc_registry_release(registry, begin(0));
	ck_assert_int_eq(look(STEM "-000000000001"), TWOPC_ABSENT_STANDING);
}
END_TEST

START_TEST(only_the_resolver_settles_an_orphan_and_its_owner_is_told)
{
	struct twopc_entry *entry = begin(7);

	mark(entry, TWOPC_MARK_ORPHANED | TWOPC_NUDGE);
	ck_assert_ptr_null(twopc_registry_take_confirmed(registry));
	twopc_registry_settle(registry, twopc_entry_id(entry));
	ck_assert_int_eq(look(twopc_entry_id(entry)), TWOPC_SETTLED_STANDING);
	ck_assert_ptr_eq(twopc_registry_take_confirmed(registry), &owners[7]);
	ck_assert_ptr_null(twopc_registry_take_confirmed(registry));
	/* Forgotten before the owner has heard. */
	twopc_registry_forget(registry, STEM "-000000000001");
	ck_assert_int_eq(look(STEM "-000000000001"), TWOPC_ABSENT_STANDING);
	mark(entry, TWOPC_MARK_SETTLED | TWOPC_ANSWER_COMMITTED);
	ck_assert_str_eq(twopc_entry_id(entry), STEM "-000000000001");
	twopc_registry_release(registry, entry);
}
END_TEST

START_TEST(an_owner_that_left_is_not_told)
{
	struct twopc_entry *entries[3];

	for (int i = 0; i < 3; i++) {
		entries[i] = begin(i);
		mark(entries[i], TWOPC_MARK_DECIDED);
		mark(entries[i], TWOPC_MARK_ORPHANED);
		twopc_registry_settle(registry, twopc_entry_id(entries[i]));
	}
	twopc_registry_release(registry, entries[_i]);
	for (int i = 0; i < 3; i++) {
		if (i != _i) {
			ck_assert_ptr_eq(
				twopc_registry_take_confirmed(registry),
				&owners[i]);
			twopc_registry_release(registry, entries[i]);
		}
	}
	ck_assert_ptr_null(twopc_registry_take_confirmed(registry));
}
END_TEST

/* An answer that comes late must not touch what is not an orphan. */
START_TEST(settling_and_forgetting_pass_over_others)
{
	struct twopc_entry *entry = begin(0);

	twopc_registry_settle(registry, twopc_entry_id(entry));
	ck_assert_int_eq(look(twopc_entry_id(entry)), TWOPC_LIVE_STANDING);
	twopc_registry_forget(registry, twopc_entry_id(entry));
	ck_assert_int_eq(look(twopc_entry_id(entry)), TWOPC_LIVE_STANDING);
	mark(entry, TWOPC_MARK_DECIDED);
	twopc_registry_settle(registry, twopc_entry_id(entry));
	twopc_registry_forget(registry, twopc_entry_id(entry));
	ck_assert_int_eq(look(twopc_entry_id(entry)), TWOPC_DECIDED_STANDING);
	twopc_registry_settle(registry, "nobody");
	twopc_registry_forget(registry, "nobody");
	ck_assert_ptr_null(twopc_registry_take_confirmed(registry));
	twopc_registry_release(registry, entry);
}
END_TEST

/* ---- marks that can't be ------------------------------------------------- */

static const struct {
	unsigned before[2];
	unsigned mark;
} bad_marks[] = {
	{ { 0 }, TWOPC_MARK_SETTLED },
	{ { TWOPC_MARK_DECIDED }, TWOPC_MARK_DECIDED },
	{ { TWOPC_MARK_DECIDED }, TWOPC_MARK_GONE },
	{ { TWOPC_MARK_ORPHANED }, TWOPC_MARK_DECIDED },
	{ { TWOPC_MARK_ORPHANED }, TWOPC_MARK_GONE },
	{ { TWOPC_MARK_GONE }, TWOPC_MARK_DECIDED },
	{ { TWOPC_MARK_GONE }, TWOPC_MARK_ORPHANED },
	{ { TWOPC_MARK_DECIDED, TWOPC_MARK_SETTLED }, TWOPC_MARK_ORPHANED },
	{ { 0 }, TWOPC_MARK_DECIDED | TWOPC_MARK_GONE },
};
enum { BAD_MARKS_NR = sizeof(bad_marks) / sizeof(bad_marks[0]) };

struct bad_mark {
	struct twopc_entry *entry;
	unsigned mark;
};

static void mark_badly(void *arg)
{
	struct bad_mark *bad = arg;

	mark(bad->entry, bad->mark);
}

START_TEST(marks_that_cannot_be_stop_the_process)
{
	struct bad_mark bad = { .entry = begin(0), .mark = bad_marks[_i].mark };

	for (int i = 0; i < 2 && bad_marks[_i].before[i] != 0; i++) {
		mark(bad.entry, bad_marks[_i].before[i]);
	}
	ck_assert(aborts(mark_badly, &bad));
	twopc_registry_release(registry, bad.entry);
}
END_TEST

static void make_without_stem(void *arg)
{
	twopc_registry_free(twopc_registry_new(arg, 1));
}

START_TEST(a_stem_that_is_none_stops_the_process)
{
	char none[] = "1-2";

	ck_assert(aborts(make_without_stem, none));
}
END_TEST

/* ---- what is not ours ---------------------------------------------------- */

START_TEST(what_was_not_given_out_yet_is_not_ours_to_judge)
{
	ck_assert_int_eq(look(STEM "-000000000000"), TWOPC_ABSENT_STANDING);
	ck_assert_int_eq(look(STEM "-000000000001"), TWOPC_LATER_STANDING);
	twopc_registry_release(registry, begin(0));
	ck_assert_int_eq(look(STEM "-000000000001"), TWOPC_ABSENT_STANDING);
	ck_assert_int_eq(look(STEM "-000000000002"), TWOPC_LATER_STANDING);
	ck_assert_int_eq(look("000000000003-0000000000000000-000000000001"),
			 TWOPC_LATER_STANDING);
	ck_assert_int_eq(look(OLD "01"), TWOPC_ABSENT_STANDING);
}
END_TEST

START_TEST(decisions_are_loaded_as_orphans)
{
	struct twopc_item items[4];

	ck_assert_int_eq(load(OLD "01"), STATUS_OK);
	ck_assert_int_eq(load(OLD "03"), STATUS_OK);
	ck_assert_int_eq(look(OLD "01"), TWOPC_ORPHANED_STANDING);
	ck_assert_int_eq(look(OLD "02"), TWOPC_ABSENT_STANDING);
	ck_assert_str_eq(low(), OLD "01");
	ck_assert_uint_eq(twopc_registry_collect(registry,
						 TWOPC_ORPHANED_STANDING, "",
						 items, 4),
			  2);
	ck_assert_str_eq(items[0].id, OLD "01");
	ck_assert_str_eq(items[1].id, OLD "03");
	twopc_registry_settle(registry, OLD "01");
	ck_assert_ptr_null(twopc_registry_take_confirmed(registry));
	twopc_registry_forget(registry, OLD "01");
	ck_assert_str_eq(low(), OLD "03");
}
END_TEST

START_TEST(what_cannot_be_a_decision_of_ours_is_refused)
{
	ck_assert_int_eq(load(OLD "02"), STATUS_OK);
	ck_assert_int_eq(load(OLD "02"), STATUS_INVALID_ARGUMENT);
	ck_assert_int_eq(load(OLD "01"), STATUS_INVALID_ARGUMENT);
	ck_assert_int_eq(load(STEM "-000000000001"), STATUS_INVALID_ARGUMENT);
	ck_assert_int_eq(load("000000000003-0000000000000000-000000000001"),
			 STATUS_INVALID_ARGUMENT);
	ck_assert_int_eq(load(""), STATUS_INVALID_ARGUMENT);
	ck_assert_int_eq(load("zzzzzzzzzzzz-zzzzzzzzzzzzzzzz-zzzzzzzzzzzz"),
			 STATUS_INVALID_ARGUMENT);
	ck_assert_int_eq(load(OLD "0"), STATUS_INVALID_ARGUMENT);
}
END_TEST

START_TEST(the_table_is_bounded)
{
	struct twopc_entry *entries[ENTRIES_MAX];
	struct twopc_entry *entry;
	struct status err;

	for (int i = 0; i < ENTRIES_MAX; i++) {
		entries[i] = begin(i);
	}
	ck_assert_int_eq(
		twopc_registry_begin(registry, &owners[0], 0, &entry, &err),
		STATUS_RESOURCE_EXHAUSTED);
	mark(entries[500], TWOPC_MARK_GONE);
	twopc_registry_release(registry, entries[500]);
	entries[500] = begin(500);
	/* All are found: it has grown meanwhile. */
	for (int i = 0; i < ENTRIES_MAX; i++) {
		ck_assert_int_eq(look(twopc_entry_id(entries[i])),
				 TWOPC_LIVE_STANDING);
		twopc_registry_release(registry, entries[i]);
	}
	ck_assert_str_eq(low(), STEM "-0000000003ea");
}
END_TEST

START_TEST(a_full_table_loads_nothing)
{
	struct status err;

	twopc_registry_free(registry);
	registry = twopc_registry_new(STEM, 1);
	ck_assert_int_eq(load(OLD "01"), STATUS_OK);
	ck_assert_int_eq(twopc_registry_load(registry, OLD "02", 0, &err),
			 STATUS_RESOURCE_EXHAUSTED);
}
END_TEST

/* ---- pages and figures --------------------------------------------------- */

START_TEST(collecting_goes_on_where_it_ended)
{
	struct twopc_entry *entries[10];
	struct twopc_item items[4];

	for (int i = 0; i < 10; i++) {
		entries[i] = begin(i);
		if (i % 2 == 0) {
			mark(entries[i], TWOPC_MARK_ORPHANED);
		}
	}
	ck_assert_uint_eq(twopc_registry_collect(registry,
						 TWOPC_SETTLED_STANDING, "",
						 items, 4),
			  0);
	ck_assert_uint_eq(twopc_registry_collect(registry,
						 TWOPC_ORPHANED_STANDING, "",
						 items, 4),
			  4);
	ck_assert_str_eq(items[3].id, twopc_entry_id(entries[6]));
	ck_assert_uint_eq(twopc_registry_collect(registry,
						 TWOPC_ORPHANED_STANDING,
						 items[3].id, items, 4),
			  1);
	ck_assert_str_eq(items[0].id, twopc_entry_id(entries[8]));
	/* After one that is not there any more. */
	twopc_registry_release(registry, entries[1]);
	ck_assert_uint_eq(
		twopc_registry_collect(registry, TWOPC_ORPHANED_STANDING,
				       STEM "-000000000002", items, 4),
		4);
	ck_assert_str_eq(items[0].id, twopc_entry_id(entries[2]));
	for (int i = 0; i < 10; i++) {
		if (i != 1) {
			twopc_registry_release(registry, entries[i]);
		}
	}
}
END_TEST

START_TEST(figures_and_pages)
{
	struct twopc_registry_stats stats;
	struct twopc_view views[3];
	struct twopc_entry *entries[4];

	twopc_registry_stats(registry, &stats);
	ck_assert_int_eq(stats.oldest_ns, CLOCK_NEVER);
	ck_assert_int_eq(load(OLD "01"), STATUS_OK);
	for (int i = 0; i < 4; i++) {
		entries[i] = begin(i);
	}
	twopc_registry_mark(registry, entries[1], TWOPC_MARK_DECIDED, 3);
	twopc_registry_mark(registry, entries[2], TWOPC_MARK_DECIDED, 9);
	twopc_registry_mark(registry, entries[2], TWOPC_MARK_SETTLED, 10);
	twopc_registry_stats(registry, &stats);
	ck_assert_uint_eq(stats.by_standing[TWOPC_LIVE_STANDING], 2);
	ck_assert_uint_eq(stats.by_standing[TWOPC_DECIDED_STANDING], 1);
	ck_assert_uint_eq(stats.by_standing[TWOPC_ORPHANED_STANDING], 1);
	ck_assert_uint_eq(stats.by_standing[TWOPC_SETTLED_STANDING], 1);
	ck_assert_uint_eq(stats.by_standing[TWOPC_ABSENT_STANDING], 0);
	ck_assert_int_eq(stats.oldest_ns, 3);
	ck_assert_uint_eq(twopc_registry_page(registry, "", views, 3), 3);
	ck_assert_str_eq(views[0].id, OLD "01");
	ck_assert_int_eq(views[0].standing, TWOPC_ORPHANED_STANDING);
	ck_assert_int_eq(views[0].since_ns, 5);
	ck_assert_uint_eq(twopc_registry_page(registry, views[2].id, views, 3),
			  2);
	ck_assert_int_eq(views[0].standing, TWOPC_SETTLED_STANDING);
	ck_assert_int_eq(views[0].since_ns, 10);
	for (int i = 0; i < 4; i++) {
		twopc_registry_release(registry, entries[i]);
	}
}
END_TEST

START_TEST(standings_have_names)
{
	for (int i = 0; i < TWOPC_STANDING_NR; i++) {
		ck_assert_str_ne(twopc_standing_name((enum twopc_standing)i),
				 "?");
	}
	ck_assert_str_eq(twopc_standing_name(TWOPC_STANDING_NR), "?");
	twopc_registry_free(NULL);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("registry");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, ids_count_up);
	tcase_add_test(tc,
		       a_committed_one_stays_until_its_decision_is_forgotten);
	tcase_add_test(
		tc,
		an_aborted_one_is_absent_at_once_but_its_owners_until_released);
	tcase_add_test(tc, what_was_not_released_is_freed_with_the_registry);
	tcase_add_test(tc, a_live_one_that_is_released_is_gone);
	tcase_add_test(
		tc, only_the_resolver_settles_an_orphan_and_its_owner_is_told);
	tcase_add_loop_test(tc, an_owner_that_left_is_not_told, 0, 3);
	tcase_add_test(tc, settling_and_forgetting_pass_over_others);
	tcase_add_loop_test(tc, marks_that_cannot_be_stop_the_process, 0,
			    BAD_MARKS_NR);
	tcase_add_test(tc, a_stem_that_is_none_stops_the_process);
	tcase_add_test(tc, what_was_not_given_out_yet_is_not_ours_to_judge);
	tcase_add_test(tc, decisions_are_loaded_as_orphans);
	tcase_add_test(tc, what_cannot_be_a_decision_of_ours_is_refused);
	tcase_add_test(tc, the_table_is_bounded);
	tcase_add_test(tc, a_full_table_loads_nothing);
	tcase_add_test(tc, collecting_goes_on_where_it_ended);
	tcase_add_test(tc, figures_and_pages);
	tcase_add_test(tc, standings_have_names);
	return suite_run("twopc registry", tc);
}
