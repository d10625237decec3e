#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "ctx/ctx.h"

static struct loop *loop;
static struct ctx *root;
static char trail[16];
static size_t trail_size;

static void setup(void)
{
	struct status err;

	ck_assert_int_eq(loop_new(&loop, &err), STATUS_OK);
	ck_assert_int_eq(ctx_root(loop, &root, &err), STATUS_OK);
	trail_size = 0;
}

static void teardown(void)
{
	ctx_unref(root);
	loop_free(loop);
	root = NULL; /* or the leak checker would find what leaked there */
}

/* A hook that leaves its letter. */
struct letter {
	struct ctx_hook hook;
	char c;
	struct letter *victim; /* taken back meanwhile */
	enum ctx_cause cause;
};

static void mark(struct ctx_hook *hook, struct ctx *ctx)
{
	struct letter *letter = (struct letter *)hook;

	letter->cause = ctx_cause(ctx, NULL);
	trail[trail_size++] = letter->c;
	trail[trail_size] = '\0';
	if (letter->victim != NULL) {
		ck_assert(ctx_hook_remove(ctx, &letter->victim->hook));
	}
}

static struct letter letter(char c)
{
	return (struct letter){ .hook = { .fn = mark }, .c = c };
}

START_TEST(hooks_run_in_order_children_among_them)
{
	struct ctx *ctx = ctx_new(root, CLOCK_NEVER);
	struct letter a = letter('a'), b = letter('b'), c = letter('c');
	struct ctx *child;

	ck_assert(ctx_hook_add(ctx, &a.hook));
	child = ctx_new(ctx, CLOCK_NEVER);
	ck_assert(ctx_hook_add(child, &b.hook));
	ck_assert(ctx_hook_add(ctx, &c.hook));
	ck_assert(ctx_end(ctx, CTX_CLIENT_CLOSED, NULL));
	ck_assert_str_eq(trail, "abc");
	ck_assert_int_eq(b.cause, CTX_CLIENT_CLOSED);
	ctx_unref(child);
	ctx_unref(ctx);
}
END_TEST

START_TEST(only_the_first_end_counts)
{
	struct ctx *ctx = ctx_new(root, CLOCK_NEVER);
	struct status why = status_make(STATUS_ABORTED, "lost a race");
	struct letter a = letter('a');
	struct status st;

	ck_assert(ctx_hook_add(ctx, &a.hook));
	ck_assert(!ctx_ended(ctx));
	ck_assert_int_eq(ctx_cause(ctx, &st), CTX_NONE);
	ck_assert_int_eq(st.code, STATUS_OK);
	ck_assert(ctx_end(ctx, CTX_PEER_FAILED, &why));
	ck_assert(!ctx_end(ctx, CTX_FINISHED, NULL));
	ck_assert(ctx_ended(ctx));
	ck_assert_int_eq(ctx_cause(ctx, &st), CTX_PEER_FAILED);
	ck_assert_int_eq(st.code, STATUS_ABORTED);
	ck_assert_str_eq(st.message, "lost a race");
	ck_assert_str_eq(trail, "a");
	ctx_unref(ctx);
}
END_TEST

START_TEST(a_hook_that_was_taken_back_never_runs)
{
	struct ctx *ctx = ctx_new(root, CLOCK_NEVER);
	struct letter a = letter('a'), b = letter('b'), c = letter('c');

	ck_assert(!ctx_hook_remove(ctx, &b.hook));
	ck_assert(ctx_hook_add(ctx, &a.hook));
	ck_assert(ctx_hook_add(ctx, &b.hook));
	ck_assert(ctx_hook_add(ctx, &c.hook));
	ck_assert(ctx_hook_remove(ctx, &b.hook));
	ck_assert(!ctx_hook_remove(ctx, &b.hook));
	ctx_end(ctx, CTX_FINISHED, NULL);
	ck_assert_str_eq(trail, "ac");
	ck_assert(!ctx_hook_remove(ctx, &a.hook));
	ctx_unref(ctx);
}
END_TEST

START_TEST(a_hook_may_take_back_one_that_comes_later)
{
	struct ctx *ctx = ctx_new(root, CLOCK_NEVER);
	struct letter a = letter('a'), b = letter('b'), c = letter('c');

	a.victim = &b;
	ck_assert(ctx_hook_add(ctx, &a.hook));
	ck_assert(ctx_hook_add(ctx, &b.hook));
	ck_assert(ctx_hook_add(ctx, &c.hook));
	ctx_end(ctx, CTX_FINISHED, NULL);
	ck_assert_str_eq(trail, "ac");
	ctx_unref(ctx);
}
END_TEST

START_TEST(no_hook_can_be_added_after_the_end)
{
	struct ctx *ctx = ctx_new(root, CLOCK_NEVER);
	struct letter a = letter('a');

	ctx_end(ctx, CTX_FINISHED, NULL);
	ck_assert(!ctx_hook_add(ctx, &a.hook));
	ck_assert_uint_eq(trail_size, 0);
	ctx_unref(ctx);
}
END_TEST

START_TEST(a_child_of_an_ended_parent_has_ended)
{
	struct ctx *ctx = ctx_new(root, CLOCK_NEVER);
	struct letter a = letter('a');
	struct status st;
	struct ctx *child;

	ctx_end(ctx, CTX_SHUTDOWN, NULL);
	child = ctx_new(ctx, clock_now_ns() + NS_PER_S);
	ck_assert_int_eq(ctx_cause(child, &st), CTX_SHUTDOWN);
	ck_assert_int_eq(st.code, STATUS_UNAVAILABLE);
	ck_assert(!ctx_hook_add(child, &a.hook));
	ck_assert(!ctx_end(child, CTX_FINISHED, NULL));
	ctx_unref(child);
	ctx_unref(ctx);
}
END_TEST

START_TEST(the_end_of_a_child_leaves_its_parent_open)
{
	struct ctx *child = ctx_new(root, CLOCK_NEVER);

	ctx_end(child, CTX_FINISHED, NULL);
	ck_assert(!ctx_ended(root));
	ctx_unref(child);
	ck_assert(ctx_end(root, CTX_SHUTDOWN, NULL));
}
END_TEST

/* A parent's hook asks the parent's last child, which is told only later. */
static struct ctx *asked;

static void ask(struct ctx_hook *hook, struct ctx *ctx)
{
	mark(hook, ctx);
	ck_assert_int_eq(ctx_cause(asked, NULL), CTX_CLIENT_RESET);
}

START_TEST(children_have_ended_as_soon_as_their_parent_has)
{
	struct ctx *ctx = ctx_new(root, CLOCK_NEVER);
	struct letter a = { .hook = { .fn = ask }, .c = 'a' };
	struct letter b = letter('b');

	ck_assert(ctx_hook_add(ctx, &a.hook));
	asked = ctx_new(ctx, CLOCK_NEVER);
	ck_assert(ctx_hook_add(asked, &b.hook));
	ctx_end(ctx, CTX_CLIENT_RESET, NULL);
	ck_assert_str_eq(trail, "ab");
	ctx_unref(asked);
	ctx_unref(ctx);
}
END_TEST

/* The hook holds the last reference, and drops it. */
static void drop(struct ctx_hook *hook, struct ctx *ctx)
{
	mark(hook, ctx);
	ctx_unref(ctx);
}

START_TEST(a_child_may_lose_its_last_reference_in_its_own_hook)
{
	struct ctx *ctx = ctx_new(root, CLOCK_NEVER);
	struct ctx *child = ctx_new(ctx, clock_now_ns() + NS_PER_S);
	struct letter a = { .hook = { .fn = drop }, .c = 'a' };

	ck_assert(ctx_hook_add(child, &a.hook));
	ctx_end(ctx, CTX_FINISHED, NULL);
	ck_assert_str_eq(trail, "a");
	ctx_unref(ctx);
}
END_TEST

START_TEST(a_child_keeps_its_parent)
{
	struct ctx *ctx = ctx_new(root, CLOCK_NEVER);
	struct ctx *child = ctx_new(ctx, CLOCK_NEVER);

	ctx_set_request_id(ctx, "r1");
	ctx_unref(ctx);
	ck_assert_str_eq(ctx_request_id(child), "r1");
	ck_assert_ptr_eq(ctx_loop(child), loop);
	ctx_unref(child);
}
END_TEST

START_TEST(every_cause_has_a_name_and_says_no)
{
	for (int cause = CTX_NONE + 1; cause < CTX_CAUSE_NR; cause++) {
		struct ctx *ctx = ctx_new(root, CLOCK_NEVER);
		struct status st;

		ctx_end(ctx, (enum ctx_cause)cause, NULL);
		ctx_cause(ctx, &st);
		ck_assert_int_ne(st.code, STATUS_OK);
		ck_assert_uint_gt(strlen(st.message), 0);
		ctx_unref(ctx);
	}
	ck_assert_str_eq(ctx_cause_name(CTX_CLIENT_CLOSED), "client_closed");
	ck_assert_str_eq(ctx_cause_name(CTX_NONE), "none");
	ck_assert_str_eq(ctx_cause_name(CTX_CAUSE_NR), "unknown");
}
END_TEST

START_TEST(a_scope_with_hooks_may_not_lose_its_last_reference)
{
	struct letter a = letter('a');
	struct ctx *ctx = ctx_new(root, CLOCK_NEVER);

	ck_assert(ctx_hook_add(ctx, &a.hook));
	ctx_unref(ctx);
}
END_TEST

START_TEST(a_scope_cannot_end_without_a_cause)
{
	ctx_end(root, CTX_NONE, NULL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ctx");
	TCase *tc = tcase_create("ctx");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, hooks_run_in_order_children_among_them);
	tcase_add_test(tc, only_the_first_end_counts);
	tcase_add_test(tc, a_hook_that_was_taken_back_never_runs);
	tcase_add_test(tc, a_hook_may_take_back_one_that_comes_later);
	tcase_add_test(tc, no_hook_can_be_added_after_the_end);
	tcase_add_test(tc, a_child_of_an_ended_parent_has_ended);
	tcase_add_test(tc, the_end_of_a_child_leaves_its_parent_open);
	tcase_add_test(tc, children_have_ended_as_soon_as_their_parent_has);
	tcase_add_test(tc, a_child_may_lose_its_last_reference_in_its_own_hook);
	tcase_add_test(tc, a_child_keeps_its_parent);
	tcase_add_test(tc, every_cause_has_a_name_and_says_no);
	tcase_add_test_raise_signal(
		tc, a_scope_with_hooks_may_not_lose_its_last_reference,
		SIGABRT);
	tcase_add_test_raise_signal(tc, a_scope_cannot_end_without_a_cause,
				    SIGABRT);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
