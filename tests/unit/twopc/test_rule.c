/* Names, ids, and what the record says to each order. */
#include <string.h>

#include "suite.h"
#include "twopc/id.h"
#include "twopc/rule.h"

/* ---- ids ---------------------------------------------------------------- */

START_TEST(ids_sort_in_the_order_of_their_making)
{
	char stem[TWOPC_STEM_SIZE];
	char before[TWOPC_ID_SIZE];
	char id[TWOPC_ID_SIZE];

	twopc_stem_format(0x01935d0a9c41, UINT64_C(0xffffffffffffffff), stem);
	ck_assert_str_eq(stem, "01935d0a9c41-ffffffffffffffff");
	twopc_id_format(stem, 0xfff, before);
	twopc_id_format(stem, 0x1000, id);
	ck_assert_str_eq(id, "01935d0a9c41-ffffffffffffffff-000000001000");
	ck_assert_int_lt(strcmp(before, id), 0);
	twopc_stem_format(0x01935d0a9c42, 0, stem);
	twopc_id_format(stem, 1, before);
	ck_assert_int_lt(strcmp(id, before), 0);
}
END_TEST

START_TEST(milliseconds_are_read_off_stems_and_ids)
{
	ck_assert_uint_eq(twopc_stem_ms("00000000002a-0000000000000001"), 42);
	ck_assert_uint_eq(twopc_stem_ms("00000000002a-"), 42);
	ck_assert_uint_eq(twopc_stem_ms(""), 0);
	ck_assert_uint_eq(twopc_stem_ms("00000000002a"), 0);
	ck_assert_uint_eq(twopc_stem_ms("00000000002A-"), 0);
	ck_assert_uint_eq(twopc_stem_ms("-0000000002a-"), 0);
	ck_assert_uint_eq(twopc_stem_ms("0x000000002a-"), 0);
}
END_TEST

START_TEST(the_next_stem_is_above_whatever_the_clock_says)
{
	char stem[TWOPC_STEM_SIZE];

	twopc_stem_next("", 42, 1, stem);
	ck_assert_str_eq(stem, "00000000002a-0000000000000001");
	twopc_stem_next("00000000002a-ffffffffffffffff", 42, 2, stem);
	ck_assert_str_eq(stem, "00000000002b-0000000000000002");
	twopc_stem_next("000000000100-0000000000000000", 42, 3, stem);
	ck_assert_str_eq(stem, "000000000101-0000000000000003");
	ck_assert(twopc_stem_is_of(stem, "000000000101-0000000000000003-1"));
	ck_assert(!twopc_stem_is_of(stem, "000000000101-0000000000000004-1"));
	ck_assert(!twopc_stem_is_of(stem, ""));
}
END_TEST

START_TEST(uuids_are_of_version_four)
{
	uint8_t random[16];
	char uuid[TWOPC_UUID_SIZE];

	memset(random, 0xff, sizeof(random));
	twopc_uuid_format(random, uuid);
	ck_assert_str_eq(uuid, "ffffffff-ffff-4fff-bfff-ffffffffffff");
	memset(random, 0, sizeof(random));
	random[15] = 0x1e;
	twopc_uuid_format(random, uuid);
	ck_assert_str_eq(uuid, "00000000-0000-4000-8000-00000000001e");
	ck_assert(twopc_name_is_valid(uuid));
}
END_TEST

START_TEST(names_are_printable_and_bounded)
{
	char name[TWOPC_NAME_SIZE_MAX + 2];

	memset(name, 'x', sizeof(name));
	name[TWOPC_NAME_SIZE_MAX + 1] = '\0';
	ck_assert(!twopc_name_is_valid(name));
	name[TWOPC_NAME_SIZE_MAX] = '\0';
	ck_assert(twopc_name_is_valid(name));
	ck_assert(twopc_name_is_valid("!~"));
	ck_assert(!twopc_name_is_valid(""));
	ck_assert(!twopc_name_is_valid("a b"));
	ck_assert(!twopc_name_is_valid("a\n"));
	ck_assert(!twopc_name_is_valid("\x7f"));
	ck_assert(!twopc_name_is_valid("\xc3\xa4"));
}
END_TEST

/* ---- the rule ----------------------------------------------------------- */

#define V(symbol) TWOPC_VERDICT_##symbol
#define E(symbol) TWOPC_EFFECT_##symbol

/* As rule.h draws it: row, over, and what each order is told and does. */
static const struct {
	enum twopc_row row;
	bool over;
	struct twopc_ruling prepare, commit, rollback;
} table[] = {
	{ TWOPC_ROW_NONE,
	  false,
	  { V(PREPARED), E(ADD_PREPARED) },
	  { V(UNKNOWN), E(NONE) },
	  { V(ROLLED_BACK), E(ADD_ROLLED_BACK) } },
	{ TWOPC_ROW_NONE,
	  true,
	  { V(UNKNOWN), E(NONE) },
	  { V(UNKNOWN), E(NONE) },
	  { V(UNKNOWN), E(NONE) } },
	{ TWOPC_ROW_PREPARED,
	  false,
	  { V(PREPARED), E(NONE) },
	  { V(COMMITTED), E(APPLY) },
	  { V(ROLLED_BACK), E(UNDO) } },
	{ TWOPC_ROW_PREPARED,
	  true,
	  { V(PREPARED), E(NONE) },
	  { V(COMMITTED), E(APPLY) },
	  { V(ROLLED_BACK), E(DROP) } },
	{ TWOPC_ROW_COMMITTED,
	  false,
	  { V(COMMITTED), E(NONE) },
	  { V(COMMITTED), E(NONE) },
	  { V(COMMITTED), E(NONE) } },
	{ TWOPC_ROW_COMMITTED,
	  true,
	  { V(COMMITTED), E(NONE) },
	  { V(COMMITTED), E(NONE) },
	  { V(COMMITTED), E(NONE) } },
	{ TWOPC_ROW_ROLLED_BACK,
	  false,
	  { V(ROLLED_BACK), E(NONE) },
	  { V(ROLLED_BACK), E(NONE) },
	  { V(ROLLED_BACK), E(NONE) } },
	{ TWOPC_ROW_ROLLED_BACK,
	  true,
	  { V(ROLLED_BACK), E(NONE) },
	  { V(ROLLED_BACK), E(NONE) },
	  { V(ROLLED_BACK), E(NONE) } },
};
enum { TABLE_NR = sizeof(table) / sizeof(table[0]) };

static void expect(enum twopc_order order, int at, struct twopc_ruling want)
{
	struct twopc_ruling have =
		twopc_rule(order, table[at].row, table[at].over);

	ck_assert_msg(have.verdict == want.verdict &&
			      have.effect == want.effect,
		      "%s of what is %s: %s, effect %d",
		      twopc_order_name(order), twopc_row_name(table[at].row),
		      twopc_verdict_name(have.verdict), (int)have.effect);
}

START_TEST(every_order_of_every_row)
{
	expect(TWOPC_ORDER_PREPARE, _i, table[_i].prepare);
	expect(TWOPC_ORDER_COMMIT, _i, table[_i].commit);
	expect(TWOPC_ORDER_ROLLBACK, _i, table[_i].rollback);
}
END_TEST

/* The row after an effect. */
static enum twopc_row row_after(enum twopc_row row, enum twopc_effect effect)
{
	switch (effect) {
	case TWOPC_EFFECT_NONE:
		return row;
	case TWOPC_EFFECT_ADD_PREPARED:
		return TWOPC_ROW_PREPARED;
	case TWOPC_EFFECT_APPLY:
		return TWOPC_ROW_COMMITTED;
	case TWOPC_EFFECT_DROP:
		return TWOPC_ROW_NONE;
	case TWOPC_EFFECT_ADD_ROLLED_BACK:
	case TWOPC_EFFECT_UNDO:
	default:
		return TWOPC_ROW_ROLLED_BACK;
	}
}

static enum status_code told(enum twopc_order order, enum twopc_verdict verdict)
{
	struct status status;

	return twopc_verdict_status(order, verdict, "tx", &status);
}

START_TEST(an_order_given_twice_is_told_the_same_and_does_nothing_more)
{
	for (int order = 0; order < TWOPC_ORDER_NR; order++) {
		struct twopc_ruling first = twopc_rule(
			(enum twopc_order)order, table[_i].row, table[_i].over);
		struct twopc_ruling again = twopc_rule(
			(enum twopc_order)order,
			row_after(table[_i].row, first.effect), table[_i].over);

		ck_assert_int_eq(told((enum twopc_order)order, again.verdict),
				 told((enum twopc_order)order, first.verdict));
		ck_assert_int_eq(again.effect, TWOPC_EFFECT_NONE);
	}
}
END_TEST

START_TEST(an_outcome_is_never_turned_round)
{
	static const enum twopc_row ends[] = { TWOPC_ROW_COMMITTED,
					       TWOPC_ROW_ROLLED_BACK };

	for (int order = 0; order < TWOPC_ORDER_NR; order++) {
		for (int end = 0; end < 2; end++) {
			ck_assert_int_eq(twopc_rule((enum twopc_order)order,
						    ends[end], _i)
						 .effect,
					 TWOPC_EFFECT_NONE);
		}
	}
}
END_TEST

static void rule_of_nothing(void *arg)
{
	(void)arg;
	(void)twopc_rule(TWOPC_ORDER_NR, TWOPC_ROW_NONE, false);
}

static void rule_of_no_row(void *arg)
{
	(void)arg;
	(void)twopc_rule(TWOPC_ORDER_COMMIT, (enum twopc_row)4, false);
}

START_TEST(an_order_that_is_none_stops_the_process)
{
	ck_assert(aborts(rule_of_nothing, NULL));
	ck_assert(aborts(rule_of_no_row, NULL));
}
END_TEST

/* ---- what the caller is told -------------------------------------------- */

static const struct {
	enum twopc_order order;
	enum twopc_verdict verdict;
	enum status_code code;
	bool contradiction;
} answers[] = {
	{ TWOPC_ORDER_PREPARE, V(PREPARED), STATUS_OK, false },
	{ TWOPC_ORDER_PREPARE, V(COMMITTED), STATUS_OK, true },
	{ TWOPC_ORDER_PREPARE, V(ROLLED_BACK), STATUS_ABORTED, false },
	{ TWOPC_ORDER_PREPARE, V(UNKNOWN), STATUS_FAILED_PRECONDITION, false },
	{ TWOPC_ORDER_COMMIT, V(COMMITTED), STATUS_OK, false },
	{ TWOPC_ORDER_COMMIT, V(UNKNOWN), STATUS_NOT_FOUND, true },
	{ TWOPC_ORDER_COMMIT, V(ROLLED_BACK), STATUS_FAILED_PRECONDITION,
	  true },
	{ TWOPC_ORDER_COMMIT, V(PREPARED), STATUS_FAILED_PRECONDITION, false },
	{ TWOPC_ORDER_ROLLBACK, V(ROLLED_BACK), STATUS_OK, false },
	{ TWOPC_ORDER_ROLLBACK, V(UNKNOWN), STATUS_OK, false },
	{ TWOPC_ORDER_ROLLBACK, V(COMMITTED), STATUS_FAILED_PRECONDITION,
	  true },
};
enum { ANSWERS_NR = sizeof(answers) / sizeof(answers[0]) };

START_TEST(a_verdict_has_a_status)
{
	struct status status = status_ok();

	ck_assert_int_eq(twopc_verdict_status(answers[_i].order,
					      answers[_i].verdict, "tx-1",
					      &status),
			 answers[_i].code);
	ck_assert_int_eq(status.code, answers[_i].code);
	if (answers[_i].code != STATUS_OK) {
		ck_assert_ptr_nonnull(strstr(status.message, "tx-1"));
	}
	ck_assert_int_eq(twopc_verdict_is_contradiction(answers[_i].order,
							answers[_i].verdict),
			 answers[_i].contradiction);
}
END_TEST

START_TEST(everything_has_a_name)
{
	for (int i = 0; i < TWOPC_ROW_NR; i++) {
		ck_assert_str_ne(twopc_row_name((enum twopc_row)i), "?");
	}
	for (int i = 0; i < TWOPC_ORDER_NR; i++) {
		ck_assert_str_ne(twopc_order_name((enum twopc_order)i), "?");
	}
	for (int i = 0; i < TWOPC_VERDICT_NR; i++) {
		ck_assert_str_ne(twopc_verdict_name((enum twopc_verdict)i),
				 "?");
	}
	ck_assert_str_eq(twopc_row_name((enum twopc_row)TWOPC_ROW_NR), "?");
	ck_assert_str_eq(twopc_order_name(TWOPC_ORDER_NR), "?");
	ck_assert_str_eq(twopc_verdict_name(TWOPC_VERDICT_NR), "?");
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("rule");

	tcase_add_test(tc, ids_sort_in_the_order_of_their_making);
	tcase_add_test(tc, milliseconds_are_read_off_stems_and_ids);
	tcase_add_test(tc, the_next_stem_is_above_whatever_the_clock_says);
	tcase_add_test(tc, uuids_are_of_version_four);
	tcase_add_test(tc, names_are_printable_and_bounded);
	tcase_add_loop_test(tc, every_order_of_every_row, 0, TABLE_NR);
	tcase_add_loop_test(
		tc, an_order_given_twice_is_told_the_same_and_does_nothing_more,
		0, TABLE_NR);
	tcase_add_loop_test(tc, an_outcome_is_never_turned_round, 0, 2);
	tcase_add_test(tc, an_order_that_is_none_stops_the_process);
	tcase_add_loop_test(tc, a_verdict_has_a_status, 0, ANSWERS_NR);
	tcase_add_test(tc, everything_has_a_name);
	return suite_run("twopc rule", tc);
}
