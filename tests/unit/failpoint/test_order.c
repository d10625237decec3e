/* Orders as texts and as words. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "failpoint/order.h"

static const struct {
	const char *text;
	struct failpoint_order order;
} good[] = {
	{ "kill", { FAILPOINT_KILL, 1, false, 0 } },
	{ "kill@3", { FAILPOINT_KILL, 3, false, 0 } },
	{ "stop@1+", { FAILPOINT_STOP, 1, true, 0 } },
	{ "stall", { FAILPOINT_STALL, 1, false, 0 } },
	{ "stall:50ms@2+", { FAILPOINT_STALL, 2, true, 50 } },
	{ "stall:2147483647ms", { FAILPOINT_STALL, 1, false, INT32_MAX } },
	{ "fail", { FAILPOINT_FAIL, 1, false, 0 } },
	{ "fail:1034@16777215",
	  { FAILPOINT_FAIL, FAILPOINT_NTH_MAX, false, 1034 } },
};

static void expect_equal(struct failpoint_order a, struct failpoint_order b)
{
	ck_assert_int_eq(a.action, b.action);
	ck_assert_uint_eq(a.nth, b.nth);
	ck_assert_int_eq(a.onwards, b.onwards);
	ck_assert_int_eq(a.value, b.value);
}

START_TEST(a_text_is_understood)
{
	struct failpoint_order order;
	struct status err = status_ok();

	ck_assert_msg(failpoint_order_parse(good[_i].text, &order, &err) ==
			      STATUS_OK,
		      "%s", err.message);
	expect_equal(order, good[_i].order);
}
END_TEST

START_TEST(a_word_is_what_was_packed)
{
	uint64_t word = failpoint_order_pack(&good[_i].order);

	ck_assert_uint_ne(word, 0);
	expect_equal(failpoint_order_unpack(word), good[_i].order);
}
END_TEST

START_TEST(off_is_the_word_0)
{
	struct failpoint_order order;
	struct status err;

	ck_assert_int_eq(failpoint_order_parse("off", &order, &err), STATUS_OK);
	ck_assert_int_eq(order.action, FAILPOINT_OFF);
	ck_assert_uint_eq(failpoint_order_pack(&order), 0);
	ck_assert_int_eq(failpoint_order_unpack(0).action, FAILPOINT_OFF);
}
END_TEST

static const char *const bad[] = {
	"",
	"die",
	"kil",
	"killed",
	"kill ",
	" kill",
	"kill:3",
	"kill@",
	"kill@0",
	"kill@-1",
	"kill@+1",
	"kill@3 ",
	"kill@3++",
	"kill@16777216",
	"kill@99999999999999999999",
	"stall:50",
	"stall:50s",
	"stall:ms",
	"stall:0ms",
	"stall:2147483648ms",
	"stall@2:50ms",
	"fail:",
	"fail:0",
	"fail:x",
	"fail:-5",
	"fail:5ms",
	"off@1",
	"off:1",
};
enum {
	GOOD = sizeof(good) / sizeof(good[0]),
	BAD = sizeof(bad) / sizeof(bad[0])
};

START_TEST(what_is_not_understood_is_named)
{
	struct failpoint_order order;
	struct status err;

	ck_assert_int_eq(failpoint_order_parse(bad[_i], &order, &err),
			 STATUS_INVALID_ARGUMENT);
	ck_assert_ptr_nonnull(strstr(err.message, bad[_i]));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("failpoint order");
	TCase *tc = tcase_create("order");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_loop_test(tc, a_text_is_understood, 0, GOOD);
	tcase_add_loop_test(tc, a_word_is_what_was_packed, 0, GOOD);
	tcase_add_test(tc, off_is_the_word_0);
	tcase_add_loop_test(tc, what_is_not_understood_is_named, 0, BAD);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
