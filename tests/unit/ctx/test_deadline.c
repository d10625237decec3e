#include <check.h>
#include <semaphore.h>
#include <stdlib.h>

#include "ctx/ctx.h"

static struct loop *loop;
static struct ctx *root;

/* The loop is made but runs only where a test starts it: until then no timer is
 * served, as in a process that was stopped. */
static void setup(void)
{
	struct status err;

	ck_assert_int_eq(loop_new(&loop, &err), STATUS_OK);
	ck_assert_int_eq(ctx_root(loop, &root, &err), STATUS_OK);
}

static void teardown(void)
{
	ctx_unref(root);
	loop_free(loop);
	root = NULL; /* or the leak checker would find what leaked there */
}

static void start_loop(void)
{
	struct status err;

	ck_assert_int_eq(loop_start_thread(loop, &err), STATUS_OK);
}

struct waiter {
	struct ctx_hook hook;
	sem_t told;
	bool on_loop;
	int calls;
};

static void tell(struct ctx_hook *hook, struct ctx *ctx)
{
	struct waiter *waiter = (struct waiter *)hook;

	waiter->on_loop = loop_is_current(ctx_loop(ctx));
	waiter->calls++;
	sem_post(&waiter->told);
}

static void waiter_init(struct waiter *waiter)
{
	*waiter = (struct waiter){ .hook = { .fn = tell } };
	sem_init(&waiter->told, 0, 0);
}

START_TEST(a_deadline_ends_the_scope_on_the_loop)
{
	int64_t deadline_ns = clock_now_ns() + 5 * NS_PER_MS;
	struct ctx *ctx = ctx_new(root, deadline_ns);
	struct waiter waiter;
	struct status st;

	waiter_init(&waiter);
	ck_assert(ctx_hook_add(ctx, &waiter.hook));
	start_loop();
	sem_wait(&waiter.told);
	ck_assert_int_ge(clock_now_ns(), deadline_ns);
	ck_assert(waiter.on_loop);
	ck_assert_int_eq(ctx_cause(ctx, &st), CTX_DEADLINE);
	ck_assert_int_eq(st.code, STATUS_DEADLINE_EXCEEDED);
	ctx_unref(ctx);
}
END_TEST

START_TEST(the_clock_ends_a_scope_whose_timer_was_not_served)
{
	struct ctx *ctx = ctx_new(root, clock_now_ns());
	struct waiter waiter;

	waiter_init(&waiter);
	ck_assert(ctx_ended(ctx));
	ck_assert(!ctx_hook_add(ctx, &waiter.hook));
	ck_assert_int_eq(ctx_cause(ctx, NULL), CTX_DEADLINE);
	ck_assert(!ctx_end(ctx, CTX_FINISHED, NULL));
	ck_assert_int_eq(ctx_cause(ctx, NULL), CTX_DEADLINE);
	ctx_unref(ctx);
}
END_TEST

static void spin_until_ended(struct ctx *ctx)
{
	while (!ctx_ended(ctx)) {
	}
}

START_TEST(who_looks_at_the_clock_leaves_the_hooks_to_the_timer)
{
	struct ctx *ctx = ctx_new(root, clock_now_ns() + NS_PER_MS);
	struct waiter waiter;

	waiter_init(&waiter);
	ck_assert(ctx_hook_add(ctx, &waiter.hook));
	spin_until_ended(ctx);
	ck_assert_int_eq(waiter.calls, 0);
	start_loop();
	sem_wait(&waiter.told);
	ck_assert(waiter.on_loop);
	ctx_unref(ctx);
}
END_TEST

START_TEST(an_end_after_the_clock_decided_runs_the_hooks_with_its_cause)
{
	struct ctx *ctx = ctx_new(root, clock_now_ns() + NS_PER_MS);
	struct waiter waiter;

	waiter_init(&waiter);
	ck_assert(ctx_hook_add(ctx, &waiter.hook));
	spin_until_ended(ctx);
	ck_assert(!ctx_end(ctx, CTX_SHUTDOWN, NULL));
	ck_assert_int_eq(waiter.calls, 1);
	ck_assert_int_eq(ctx_cause(ctx, NULL), CTX_DEADLINE);
	ctx_unref(ctx);
}
END_TEST

START_TEST(a_child_has_the_earlier_of_both_deadlines)
{
	int64_t now_ns = clock_now_ns();
	struct ctx *ctx = ctx_new(root, now_ns + 2LL * NS_PER_S);
	struct ctx *sooner = ctx_new(ctx, now_ns + NS_PER_S);
	struct ctx *later = ctx_new(ctx, now_ns + 3LL * NS_PER_S);
	struct ctx *none = ctx_new(ctx, CLOCK_NEVER);

	ck_assert_int_eq(ctx_deadline_ns(root), CLOCK_NEVER);
	ck_assert_int_eq(ctx_deadline_ns(sooner), now_ns + NS_PER_S);
	ck_assert_int_eq(ctx_deadline_ns(later), now_ns + 2LL * NS_PER_S);
	ck_assert_int_eq(ctx_deadline_ns(none), now_ns + 2LL * NS_PER_S);
	ctx_unref(sooner);
	ctx_unref(later);
	ctx_unref(none);
	ctx_unref(ctx);
}
END_TEST

START_TEST(the_parents_deadline_ends_the_child_too)
{
	struct ctx *ctx = ctx_new(root, clock_now_ns() + 2 * NS_PER_MS);
	struct ctx *child = ctx_new(ctx, CLOCK_NEVER);
	struct waiter waiter;

	waiter_init(&waiter);
	ck_assert(ctx_hook_add(child, &waiter.hook));
	start_loop();
	sem_wait(&waiter.told);
	ck_assert_int_eq(ctx_cause(child, NULL), CTX_DEADLINE);
	ctx_unref(child);
	ctx_unref(ctx);
}
END_TEST

START_TEST(a_childs_deadline_leaves_the_parent_open)
{
	struct ctx *ctx = ctx_new(root, clock_now_ns() + 60LL * NS_PER_S);
	struct ctx *child = ctx_new(ctx, clock_now_ns() + 2 * NS_PER_MS);
	struct waiter waiter;

	waiter_init(&waiter);
	ck_assert(ctx_hook_add(child, &waiter.hook));
	start_loop();
	sem_wait(&waiter.told);
	ck_assert(!ctx_ended(ctx));
	ctx_unref(child);
	ctx_unref(ctx);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("deadline");
	TCase *tc = tcase_create("deadline");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_deadline_ends_the_scope_on_the_loop);
	tcase_add_test(tc, the_clock_ends_a_scope_whose_timer_was_not_served);
	tcase_add_test(tc,
		       who_looks_at_the_clock_leaves_the_hooks_to_the_timer);
	tcase_add_test(
		tc,
		an_end_after_the_clock_decided_runs_the_hooks_with_its_cause);
	tcase_add_test(tc, a_child_has_the_earlier_of_both_deadlines);
	tcase_add_test(tc, the_parents_deadline_ends_the_child_too);
	tcase_add_test(tc, a_childs_deadline_leaves_the_parent_open);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
