#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "ctx/ctx.h"

static struct loop *loop;
static struct ctx *root;

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

START_TEST(what_was_never_set_is_empty)
{
	ck_assert_str_eq(ctx_request_id(root), "");
	ck_assert(!ctx_trace(root)->present);
}
END_TEST

START_TEST(descendants_inherit_what_they_do_not_set)
{
	struct ctx *ctx = ctx_new(root, CLOCK_NEVER);
	struct trace trace = trace_continue(NULL);
	struct ctx *child, *grandchild;

	ctx_set_request_id(ctx, "r1");
	ctx_set_trace(ctx, &trace);
	child = ctx_new(ctx, CLOCK_NEVER);
	grandchild = ctx_new(child, CLOCK_NEVER);
	ctx_set_request_id(grandchild, "r2");
	ck_assert_str_eq(ctx_request_id(child), "r1");
	ck_assert_str_eq(ctx_request_id(grandchild), "r2");
	ck_assert_mem_eq(ctx_trace(grandchild)->trace_id, trace.trace_id, 16);
	ck_assert_str_eq(ctx_request_id(root), "");
	ctx_unref(grandchild);
	ctx_unref(child);
	ctx_unref(ctx);
}
END_TEST

START_TEST(request_ids_of_all_lengths_are_copied)
{
	struct ctx *ctx = ctx_new(root, CLOCK_NEVER);
	char id[300];

	for (size_t length = 0; length < sizeof(id); length++) {
		memset(id, 'x', length);
		id[length] = '\0';
		ctx_set_request_id(ctx, id);
		memset(id, 'y', length);
		ck_assert_uint_eq(strlen(ctx_request_id(ctx)), length);
		ck_assert_uint_eq(strspn(ctx_request_id(ctx), "x"), length);
	}
	ctx_end(ctx, CTX_FINISHED, NULL);
	ck_assert_uint_eq(strspn(ctx_request_id(ctx), "x"), sizeof(id) - 1);
	ctx_set_request_id(ctx, "short again");
	ck_assert_str_eq(ctx_request_id(ctx), "short again");
	ctx_unref(ctx);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("facts");
	TCase *tc = tcase_create("facts");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, what_was_never_set_is_empty);
	tcase_add_test(tc, descendants_inherit_what_they_do_not_set);
	tcase_add_test(tc, request_ids_of_all_lengths_are_copied);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
