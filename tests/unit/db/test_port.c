/* The port: values, and the way to whatever adapter made the object. */
#include <check.h>
#include <string.h>

#include "db/db.h"
#include "suite.h"

/* ---- an adapter that only counts ---------------------------------------- */

static int begins, closes;

static enum status_code fake_begin(struct db *db, struct ctx *ctx,
				   struct db_txn **ret_txn,
				   struct status *reterr)
{
	(void)db;
	(void)ctx;
	(void)ret_txn;
	begins++;
	return status_set(reterr, STATUS_UNIMPLEMENTED, "fake");
}

static void fake_close(struct db *db)
{
	(void)db;
	closes++;
}

static const struct db_ops fake_ops = { .txn_begin = fake_begin,
					.close = fake_close };

START_TEST(calls_reach_the_adapter)
{
	struct db db = { .ops = &fake_ops };
	struct db_txn *txn;
	struct status err;

	ck_assert_int_eq(db_txn_begin(&db, NULL, &txn, &err),
			 STATUS_UNIMPLEMENTED);
	ck_assert_str_eq(err.message, "fake");
	db_close(&db);
	ck_assert_int_eq(begins, 1);
	ck_assert_int_eq(closes, 1);
}
END_TEST

START_TEST(closing_nothing_is_fine)
{
	db_close(NULL);
}
END_TEST

START_TEST(values_say_what_they_are)
{
	ck_assert_int_eq(db_null().type, DB_NULL);
	ck_assert_int_eq(db_integer(-1).type, DB_INTEGER);
	ck_assert_int_eq(db_integer(INT64_MIN).integer, INT64_MIN);
	ck_assert_int_eq(db_real(0.5).type, DB_REAL);
	ck_assert_double_eq(db_real(0.5).real, 0.5);
	ck_assert_int_eq(db_text("abc").type, DB_TEXT);
	ck_assert_uint_eq(db_text("abc").size, 3);
	ck_assert_uint_eq(db_text_n("a\0c", 3).size, 3);
	ck_assert_int_eq(db_blob("ab", 2).type, DB_BLOB);
}
END_TEST

START_TEST(no_text_is_null)
{
	ck_assert_int_eq(db_text(NULL).type, DB_NULL);
	ck_assert_int_eq(db_text("").type, DB_TEXT);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("port");

	tcase_add_test(tc, calls_reach_the_adapter);
	tcase_add_test(tc, closing_nothing_is_fine);
	tcase_add_test(tc, values_say_what_they_are);
	tcase_add_test(tc, no_text_is_null);
	return suite_run("port", tc);
}
