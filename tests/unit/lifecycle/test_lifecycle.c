#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "world.h"

static const struct lifecycle_options quick = {
	.shutdown_timeout_ns = 50L * NS_PER_MS,
	.cancel_grace_ns = 50L * NS_PER_MS,
};

static struct fake db = { .name = "db" };
static struct fake grpc = { .name = "grpc" };
static struct fake http = { .name = "http" };

/* db, grpc and http, started in this order. */
static void add_parts(void)
{
	world_add(&db);
	world_add(&grpc);
	world_add(&http);
}

static void assert_logged(const char *text)
{
	ck_assert_msg(strstr(log_text(), text) != NULL,
		      "not logged: %s in:\n%s", text, log_text());
}

#define STOP_AND_DRAIN                                                         \
	"stop http, stop grpc, stop db, drain http, drain grpc, drain db"

/* ---- orderly ------------------------------------------------------------ */

START_TEST(all_stop_accepting_then_drain_then_close_in_reverse)
{
	world_init(NULL);
	add_parts();
	ck_assert_int_eq(signal_and_run(), 0);
	ck_assert_str_eq(trace_text(),
			 STOP_AND_DRAIN ", close http, close grpc, close db");
	assert_logged("SIGTERM");
	assert_logged("http has drained");
	assert_logged("db is closed");
	world_release();
}
END_TEST

static const enum when later[] = { BY_TIMER, BY_THREAD };

START_TEST(nothing_closes_before_all_have_drained)
{
	world_init(NULL);
	db.drains = later[_i];
	http.drains = later[1 - _i];
	add_parts();
	ck_assert_int_eq(signal_and_run(), 0);
	ck_assert_str_eq(trace_text(),
			 STOP_AND_DRAIN ", close http, close grpc, close db");
	world_release();
}
END_TEST

static void on_ready(bool ready, void *arg)
{
	trace(ready ? "ready" : "unready", arg);
	ck_assert(lifecycle_is_ready(lifecycle) == ready);
}

START_TEST(readiness_turns_first)
{
	static char a[] = "a", b[] = "b";
	struct fake_hook hook = { .name = "flush" };

	world_init(NULL);
	world_add(&db);
	world_add_hook(&hook, 10);
	lifecycle_on_ready(lifecycle, on_ready, a);
	lifecycle_on_ready(lifecycle, on_ready, b);
	ck_assert(!lifecycle_is_ready(lifecycle));
	lifecycle_ready(lifecycle);
	lifecycle_ready(lifecycle);
	ck_assert_int_eq(signal_and_run(), 0);
	lifecycle_ready(lifecycle);
	ck_assert(!lifecycle_is_ready(lifecycle));
	ck_assert_str_eq(trace_text(),
			 "ready a, ready b, unready a, unready b, hook flush, "
			 "stop db, drain db, close db");
	world_release();
}
END_TEST

START_TEST(a_part_that_can_do_nothing_hinders_nothing)
{
	static const struct lifecycle_ops nothing = { NULL };

	world_init(NULL);
	lifecycle_add(lifecycle, "nothing", &nothing, NULL);
	ck_assert_int_eq(signal_and_run(), 0);
	world_release();
}
END_TEST

START_TEST(a_lifecycle_without_parts_stops)
{
	world_init(NULL);
	lifecycle_stop(lifecycle, "no need");
	lifecycle_stop(lifecycle, "again");
	ck_assert_int_eq(lifecycle_run(lifecycle), 0);
	assert_logged("no need");
	ck_assert_ptr_null(strstr(log_text(), "again"));
	world_release();
}
END_TEST

static void *stop_it(void *arg)
{
	lifecycle_stop(arg, "from a thread");
	return NULL;
}

START_TEST(any_thread_may_stop)
{
	pthread_t thread;

	world_init(NULL);
	add_parts();
	ck_assert_int_eq(pthread_create(&thread, NULL, stop_it, lifecycle), 0);
	ck_assert_int_eq(lifecycle_run(lifecycle), 0);
	pthread_join(thread, NULL);
	world_release();
}
END_TEST

START_TEST(drained_before_it_was_asked_counts_for_nothing)
{
	world_init(&quick);
	db.drains = ON_CANCEL;
	lifecycle_drained(world_add(&db));
	ck_assert_int_eq(signal_and_run(), LIFECYCLE_EXIT_FORCED);
	ck_assert_str_eq(trace_text(),
			 "stop db, drain db, cancel db, close db");
	world_release();
}
END_TEST

START_TEST(the_drain_delay_passes_before_listeners_stop)
{
	const struct lifecycle_options delay = { .drain_delay_ns =
							 30L * NS_PER_MS };
	int64_t began;

	world_init(&delay);
	world_add(&db);
	began = clock_now_ns();
	ck_assert_int_eq(signal_and_run(), 0);
	ck_assert_int_ge(clock_now_ns() - began, 30L * NS_PER_MS);
	ck_assert_str_eq(trace_text(), "stop db, drain db, close db");
	world_release();
}
END_TEST

static const struct lifecycle_options bad[] = {
	{ .shutdown_timeout_ns = -1 },
	{ .drain_delay_ns = -1 },
	{ .cancel_grace_ns = -1 },
	{ .shutdown_timeout_ns = 5, .drain_delay_ns = 5 },
	{ .drain_delay_ns = 30L * NS_PER_S },
};

START_TEST(times_that_make_no_sense_are_refused)
{
	struct status err = status_ok();
	struct lifecycle *l;

	world_init(NULL);
	ck_assert_int_eq(lifecycle_new(loop, &bad[_i], &l, &err),
			 STATUS_INVALID_ARGUMENT);
	ck_assert_str_ne(err.message, "");
	world_release();
}
END_TEST

/* ---- hooks -------------------------------------------------------------- */

START_TEST(hooks_run_in_turn_before_any_part_stops)
{
	struct fake_hook fill = { .name = "fill", .done = BY_TIMER };
	struct fake_hook hand = { .name = "hand", .done = BY_THREAD };
	struct fake_hook flush = { .name = "flush" };

	world_init(NULL);
	world_add_hook(&fill, 50);
	world_add_hook(&hand, 25);
	world_add_hook(&flush, 25);
	world_add(&db);
	ck_assert_int_eq(signal_and_run(), 0);
	ck_assert_str_eq(trace_text(),
			 "hook fill, done fill, hook hand, hook flush, "
			 "stop db, drain db, close db");
	assert_logged("shutdown hook fill is done");
	world_release();
}
END_TEST

static int64_t first_hook_ns;

static void check_quarter(void *self, struct lifecycle_hook *hook)
{
	int64_t deadline_ns = lifecycle_hook_deadline_ns(hook);

	first_hook_ns = clock_now_ns();
	ck_assert_int_le(deadline_ns, first_hook_ns + 25L * NS_PER_S);
	ck_assert_int_gt(deadline_ns, first_hook_ns + 20L * NS_PER_S);
	trace("checked", self);
	lifecycle_hook_done(hook);
}

static void check_all(void *self, struct lifecycle_hook *hook)
{
	/* From the beginning of the ladder on, not of this hook. */
	ck_assert_int_le(lifecycle_hook_deadline_ns(hook),
			 first_hook_ns + 100L * NS_PER_S);
	trace("checked", self);
	lifecycle_hook_done(hook);
}

START_TEST(a_hook_knows_its_share_and_never_gets_more_than_is_left)
{
	static char quarter[] = "quarter", all[] = "all";
	const struct lifecycle_options options = { .shutdown_timeout_ns =
							   100L * NS_PER_S };

	world_init(&options);
	lifecycle_add_hook(lifecycle, quarter, check_quarter, quarter, 25);
	lifecycle_add_hook(lifecycle, all, check_all, all, 100);
	ck_assert_int_eq(signal_and_run(), 0);
	ck_assert_str_eq(trace_text(), "checked quarter, checked all");
	world_release();
}
END_TEST

START_TEST(a_hook_that_takes_more_than_its_share_is_left_behind)
{
	const struct lifecycle_options options = { .shutdown_timeout_ns =
							   500L * NS_PER_MS };
	struct fake_hook slow = { .name = "slow", .done = NEVER };
	struct fake_hook next = { .name = "next" };

	world_init(&options);
	world_add_hook(&slow, 1);
	world_add_hook(&next, 1);
	db.drains = ON_CANCEL;
	db.ends_hook = slow.hook;
	world_add(&db);
	ck_assert_int_eq(signal_and_run(), LIFECYCLE_EXIT_FORCED);
	ck_assert_str_eq(trace_text(), "hook slow, hook next, stop db, "
				       "drain db, cancel db, close db");
	assert_logged("shutdown hook slow is not done: its share");
	assert_logged("shutdown hook slow is done");
	world_release();
}
END_TEST

static void add_stuck_hook(void)
{
	static struct fake_hook stuck = { .name = "stuck", .done = NEVER };

	world_add_hook(&stuck, 50);
	world_add(&db);
}

START_TEST(a_hook_that_never_ends_is_not_returned_under)
{
	ck_assert_int_eq(run_in_child(&quick, add_stuck_hook),
			 LIFECYCLE_EXIT_FORCED);
	ck_assert_str_eq(trace_text(),
			 "hook stuck, stop db, drain db, close db");
	assert_logged("a hook is still running");
}
END_TEST

/* ---- second signal, deadline -------------------------------------------- */

START_TEST(the_second_signal_cancels_only_what_has_not_drained)
{
	world_init(NULL);
	grpc.drains = ON_CANCEL;
	grpc.signal_on_drain = SIGINT;
	add_parts();
	ck_assert_int_eq(signal_and_run(), LIFECYCLE_EXIT_FORCED);
	ck_assert_str_eq(trace_text(), STOP_AND_DRAIN
			 ", cancel grpc, close http, close grpc, close db");
	assert_logged("grpc has not drained, cancelling");
	world_release();
}
END_TEST

START_TEST(the_deadline_cancels)
{
	int64_t began;

	world_init(&quick);
	http.drains = ON_CANCEL;
	add_parts();
	began = clock_now_ns();
	ck_assert_int_eq(signal_and_run(), LIFECYCLE_EXIT_FORCED);
	ck_assert_int_ge(clock_now_ns() - began, 50L * NS_PER_MS);
	ck_assert_str_eq(trace_text(), STOP_AND_DRAIN
			 ", cancel http, close http, close grpc, close db");
	assert_logged("the shutdown timeout has passed");
	world_release();
}
END_TEST

START_TEST(cancelled_work_may_drain_later_from_another_thread)
{
	world_init(NULL);
	db.drains = BY_THREAD;
	db.signal_on_drain = SIGTERM;
	http.drains = ON_CANCEL;
	add_parts();
	ck_assert_int_eq(signal_and_run(), LIFECYCLE_EXIT_FORCED);
	ck_assert_ptr_nonnull(
		strstr(trace_text(), "close http, close grpc, close db"));
	world_release();
}
END_TEST

START_TEST(the_second_signal_ends_the_hooks)
{
	struct fake_hook work = { .name = "work",
				  .done = NEVER,
				  .signal = SIGTERM };
	struct fake_hook flush = { .name = "flush" };

	world_init(NULL);
	world_add_hook(&work, 50);
	world_add_hook(&flush, 10);
	db.drains = ON_CANCEL;
	db.ends_hook = work.hook;
	world_add(&db);
	ck_assert_int_eq(signal_and_run(), LIFECYCLE_EXIT_FORCED);
	ck_assert_str_eq(trace_text(), "hook work, stop db, drain db, "
				       "cancel db, close db");
	assert_logged("shutdown hook work is not done: signalled again");
	assert_logged("shutdown hook flush is left out: signalled again");
	world_release();
}
END_TEST

START_TEST(the_second_signal_ends_the_delay_and_forces_nobody_who_is_idle)
{
	const struct lifecycle_options delay = { .drain_delay_ns =
							 29L * NS_PER_S };
	struct fake_hook last = { .name = "last", .signal = SIGTERM };

	world_init(&delay);
	world_add_hook(&last, 10);
	/* The hook is through when the signal is served. */
	add_parts();
	ck_assert_int_eq(signal_and_run(), 0);
	ck_assert_str_eq(trace_text(), "hook last, " STOP_AND_DRAIN
				       ", close http, close grpc, close db");
	world_release();
}
END_TEST

/* ---- what never drains -------------------------------------------------- */

static void assert_left_at_grpc(void)
{
	ck_assert_str_eq(trace_text(),
			 STOP_AND_DRAIN ", cancel grpc, close http");
	assert_logged("grpc did not drain even when cancelled");
	assert_logged("grpc is left unclosed");
	assert_logged("db is left unclosed");
	ck_assert_ptr_null(strstr(log_text(), "http is left unclosed"));
}

START_TEST(after_the_grace_only_what_nobody_uses_is_closed)
{
	grpc.drains = NEVER;
	ck_assert_int_eq(run_in_child(&quick, add_parts),
			 LIFECYCLE_EXIT_FORCED);
	assert_left_at_grpc();
}
END_TEST

START_TEST(the_third_signal_ends_the_grace)
{
	grpc.drains = NEVER;
	grpc.signal_on_drain = SIGTERM;
	grpc.signal_on_cancel = SIGTERM;
	ck_assert_int_eq(run_in_child(NULL, add_parts), LIFECYCLE_EXIT_FORCED);
	assert_left_at_grpc();
}
END_TEST

/* ---- closing ------------------------------------------------------------ */

START_TEST(parts_marked_so_close_side_by_side_and_the_next_waits)
{
	pthread_barrier_t both;

	pthread_barrier_init(&both, NULL, 2);
	world_init(NULL);
	grpc.meets = http.meets = &both;
	add_parts();
	lifecycle_close_beside(grpc.part);
	lifecycle_close_beside(http.part);
	ck_assert_int_eq(signal_and_run(), 0);
	ck_assert_ptr_nonnull(strstr(trace_text(), "close http"));
	ck_assert_ptr_nonnull(strstr(trace_text(), "close grpc"));
	ck_assert_str_eq(trace_text() + strlen(trace_text()) - 8, "close db");
	world_release();
}
END_TEST

START_TEST(one_that_closes_by_and_by_is_waited_for)
{
	world_init(NULL);
	http.closes = BY_TIMER;
	grpc.closes = BY_THREAD;
	add_parts();
	lifecycle_close_beside(http.part); /* its neighbour is not */
	ck_assert_int_eq(signal_and_run(), 0);
	ck_assert_str_eq(trace_text(),
			 STOP_AND_DRAIN ", close http, closed http, "
					"close grpc, close db");
	world_release();
}
END_TEST

START_TEST(two_that_close_by_and_by_may_do_so_side_by_side)
{
	world_init(NULL);
	http.closes = BY_TIMER;
	grpc.closes = BY_THREAD;
	add_parts();
	lifecycle_close_beside(http.part);
	lifecycle_close_beside(grpc.part);
	ck_assert_int_eq(signal_and_run(), 0);
	ck_assert_str_eq(trace_text(),
			 STOP_AND_DRAIN ", close http, close grpc, "
					"closed http, close db");
	world_release();
}
END_TEST

START_TEST(a_close_that_never_ends_is_left_at_its_limit)
{
	grpc.closes = NEVER;
	ck_assert_int_eq(run_in_child(&quick, add_parts),
			 LIFECYCLE_EXIT_FORCED);
	ck_assert_str_eq(trace_text(),
			 STOP_AND_DRAIN ", close http, close grpc");
	assert_logged("the time for closing is over");
	assert_logged("grpc is left unclosed");
	assert_logged("db is left unclosed");
}
END_TEST

START_TEST(a_close_that_never_ends_is_left_at_the_third_signal_not_the_second)
{
	http.closes = BY_TIMER;
	http.signal_on_close = SIGTERM;
	grpc.closes = NEVER;
	grpc.signal_on_close = SIGTERM;
	ck_assert_int_eq(run_in_child(NULL, add_parts), LIFECYCLE_EXIT_FORCED);
	ck_assert_str_eq(trace_text(), STOP_AND_DRAIN
			 ", close http, closed http, close grpc");
	assert_logged("signalled again while closing");
}
END_TEST

/* ---- misuse ------------------------------------------------------------- */

START_TEST(too_many_parts_stop_the_process)
{
	world_init(NULL);
	for (int i = 0; i <= LIFECYCLE_PARTS_MAX; i++) {
		lifecycle_add(lifecycle, "one more", &db.ops, &db);
	}
}
END_TEST

START_TEST(a_share_of_nothing_stops_the_process)
{
	struct fake_hook none = { .name = "none" };

	world_init(NULL);
	world_add_hook(&none, 0);
}
END_TEST

static TCase *orderly_tests(void)
{
	TCase *tc = tcase_create("orderly");

	tcase_add_test(tc, all_stop_accepting_then_drain_then_close_in_reverse);
	tcase_add_loop_test(tc, nothing_closes_before_all_have_drained, 0, 2);
	tcase_add_test(tc, readiness_turns_first);
	tcase_add_test(tc, a_part_that_can_do_nothing_hinders_nothing);
	tcase_add_test(tc, a_lifecycle_without_parts_stops);
	tcase_add_test(tc, any_thread_may_stop);
	tcase_add_test(tc, drained_before_it_was_asked_counts_for_nothing);
	tcase_add_test(tc, the_drain_delay_passes_before_listeners_stop);
	tcase_add_loop_test(tc, times_that_make_no_sense_are_refused, 0,
			    sizeof(bad) / sizeof(bad[0]));
	tcase_add_test(tc, hooks_run_in_turn_before_any_part_stops);
	tcase_add_test(tc,
		       a_hook_knows_its_share_and_never_gets_more_than_is_left);
	return tc;
}

static TCase *forced_tests(void)
{
	TCase *tc = tcase_create("forced");

	tcase_add_test(tc,
		       a_hook_that_takes_more_than_its_share_is_left_behind);
	tcase_add_test(tc, a_hook_that_never_ends_is_not_returned_under);
	tcase_add_test(tc, the_second_signal_cancels_only_what_has_not_drained);
	tcase_add_test(tc, the_deadline_cancels);
	tcase_add_test(tc, cancelled_work_may_drain_later_from_another_thread);
	tcase_add_test(tc, the_second_signal_ends_the_hooks);
	tcase_add_test(
		tc,
		the_second_signal_ends_the_delay_and_forces_nobody_who_is_idle);
	tcase_add_test(tc, after_the_grace_only_what_nobody_uses_is_closed);
	tcase_add_test(tc, the_third_signal_ends_the_grace);
	return tc;
}

static TCase *closing_tests(void)
{
	TCase *tc = tcase_create("closing");

	tcase_add_test(tc,
		       parts_marked_so_close_side_by_side_and_the_next_waits);
	tcase_add_test(tc, one_that_closes_by_and_by_is_waited_for);
	tcase_add_test(tc, two_that_close_by_and_by_may_do_so_side_by_side);
	tcase_add_test(tc, a_close_that_never_ends_is_left_at_its_limit);
	tcase_add_test(
		tc,
		a_close_that_never_ends_is_left_at_the_third_signal_not_the_second);
	tcase_add_test_raise_signal(tc, too_many_parts_stop_the_process,
				    SIGABRT);
	tcase_add_test_raise_signal(tc, a_share_of_nothing_stops_the_process,
				    SIGABRT);
	return tc;
}

int main(void)
{
	Suite *suite = suite_create("lifecycle");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, orderly_tests());
	suite_add_tcase(suite, forced_tests());
	suite_add_tcase(suite, closing_tests());
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
