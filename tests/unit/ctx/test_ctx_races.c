/* What holds only if no interleaving of threads breaks it. */
#include <check.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "ctx/ctx.h"

enum { ROUNDS = 4000, HOOKS = 16, CHILDREN = 8, LIFE_S = 100 };

static struct loop *loop;
static struct ctx *root;

static void setup(void)
{
	struct status err;

	ck_assert_int_eq(loop_new(&loop, &err), STATUS_OK);
	ck_assert_int_eq(ctx_root(loop, &root, &err), STATUS_OK);
	ck_assert_int_eq(loop_start_thread(loop, &err), STATUS_OK);
}

static void teardown(void)
{
	ctx_unref(root);
	loop_free(loop);
	root = NULL; /* or the leak checker would find what leaked there */
}

/* ---- two threads that meet at each round -------------------------------- */

/*
 * The helper runs step() while the test does its own part of the round. They
 * meet by spinning, so that both parts begin within nanoseconds.
 */
static struct {
	atomic_int begun, ended;
	pthread_t thread;
	void (*step)(void);
} helper;

/* Wait until both have arrived; @count only grows, by two a round. */
static void meet(atomic_int *count)
{
	int target = atomic_fetch_add(count, 1) / 2 * 2 + 2;

	for (int spins = 1; atomic_load(count) < target; spins++) {
		if (spins % 100 == 0) {
			sched_yield();
		}
	}
}

static void *help(void *arg)
{
	(void)arg;
	for (int i = 0; i < ROUNDS; i++) {
		meet(&helper.begun);
		helper.step();
		meet(&helper.ended);
	}
	return NULL;
}

static void helper_start(void (*step)(void))
{
	helper.step = step;
	atomic_store(&helper.begun, 0);
	atomic_store(&helper.ended, 0);
	pthread_create(&helper.thread, NULL, help, NULL);
}

static void helper_join(void)
{
	pthread_join(helper.thread, NULL);
}

/* A moment of a few hundred nanoseconds, another in each round. */
static void dither(int round)
{
	for (volatile int i = 0; i < round % 512; i++) {
	}
}

/* ---- the scope of a round, and its hooks -------------------------------- */

struct counted {
	struct ctx_hook hook;
	atomic_int calls;
};

static struct ctx *ctx;
static struct counted hooks[HOOKS];
static atomic_int ends;

static void count(struct ctx_hook *hook, struct ctx *of)
{
	ck_assert(ctx_ended(of));
	atomic_fetch_add(&((struct counted *)hook)->calls, 1);
}

static void hooks_add(void)
{
	for (int i = 0; i < HOOKS; i++) {
		hooks[i].hook = (struct ctx_hook){ .fn = count };
		atomic_store(&hooks[i].calls, 0);
		ck_assert(ctx_hook_add(ctx, &hooks[i].hook));
	}
}

static void end_shutdown(void)
{
	atomic_fetch_add(&ends, ctx_end(ctx, CTX_SHUTDOWN, NULL) ? 1 : 0);
}

/* Sometimes before, sometimes after the test, which dithers at another pace. */
static void end_a_bit_later(void)
{
	static int round;

	dither(round++);
	end_shutdown();
}

START_TEST(a_hook_is_either_taken_back_or_runs_never_both_never_neither)
{
	int removed[HOOKS];

	helper_start(end_a_bit_later);
	for (int round = 0; round < ROUNDS; round++) {
		ctx = ctx_new(root, CLOCK_NEVER);
		hooks_add();
		meet(&helper.begun);
		dither(round * 7);
		for (int i = HOOKS - 1; i >= 0; i--) {
			removed[i] = ctx_hook_remove(ctx, &hooks[i].hook);
		}
		meet(&helper.ended);
		for (int i = 0; i < HOOKS; i++) {
			ck_assert_int_eq(removed[i] + hooks[i].calls, 1);
		}
		ctx_unref(ctx);
	}
	helper_join();
}
END_TEST

START_TEST(of_two_ends_one_counts_and_hooks_run_once)
{
	enum ctx_cause cause;
	int mine = 0;

	helper_start(end_shutdown);
	for (int round = 0; round < ROUNDS; round++) {
		bool first;

		ctx = ctx_new(root, CLOCK_NEVER);
		hooks_add();
		meet(&helper.begun);
		first = ctx_end(ctx, CTX_CLIENT_CLOSED, NULL);
		cause = ctx_cause(ctx, NULL);
		meet(&helper.ended);
		mine += first;
		ck_assert_int_eq(cause,
				 first ? CTX_CLIENT_CLOSED : CTX_SHUTDOWN);
		for (int i = 0; i < HOOKS; i++) {
			ck_assert_int_eq(hooks[i].calls, 1);
		}
		ctx_unref(ctx);
	}
	helper_join();
	ck_assert_int_eq(mine + ends, ROUNDS);
}
END_TEST

/* Each ctx_hook_add() that said yes is followed by exactly one call. */
static atomic_int added[HOOKS];

static void add_while_it_ends(void)
{
	for (int i = 0; i < HOOKS; i++) {
		hooks[i].hook = (struct ctx_hook){ .fn = count };
		atomic_store(&hooks[i].calls, 0);
		added[i] = ctx_hook_add(ctx, &hooks[i].hook);
	}
}

START_TEST(a_hook_added_while_the_scope_ends_runs_or_is_refused)
{
	helper_start(add_while_it_ends);
	for (int round = 0; round < ROUNDS; round++) {
		ctx = ctx_new(root, CLOCK_NEVER);
		meet(&helper.begun);
		dither(round);
		ctx_end(ctx, CTX_FINISHED, NULL);
		meet(&helper.ended);
		for (int i = 0; i < HOOKS; i++) {
			ck_assert_int_eq(hooks[i].calls, added[i]);
		}
		ctx_unref(ctx);
	}
	helper_join();
}
END_TEST

/* ---- lifetimes: the sanitizers are the judges --------------------------- */

static struct ctx *children[CHILDREN];

static void drop_children(void)
{
	for (int i = 0; i < CHILDREN; i++) {
		ctx_unref(children[i]);
	}
}

START_TEST(children_may_go_while_their_parent_ends)
{
	helper_start(drop_children);
	for (int round = 0; round < ROUNDS; round++) {
		ctx = ctx_new(root, CLOCK_NEVER);
		for (int i = 0; i < CHILDREN; i++) {
			children[i] = ctx_new(ctx, CLOCK_NEVER);
		}
		meet(&helper.begun);
		ctx_end(ctx, CTX_SHUTDOWN, NULL);
		ctx_unref(ctx);
		meet(&helper.ended);
	}
	helper_join();
}
END_TEST

/* A scope is dropped at about the instant at which its timer is served. */
START_TEST(a_scope_may_go_while_its_deadline_passes)
{
	unsigned seed = 1;

	for (int round = 0; round < ROUNDS; round++) {
		int64_t at_ns = clock_now_ns() + 5000;
		int64_t until_ns = at_ns + rand_r(&seed) % 20000;
		struct ctx *scope = ctx_new(root, at_ns);
		struct ctx *child = ctx_new(scope, CLOCK_NEVER);

		while (clock_now_ns() < until_ns) {
		}
		ctx_unref(scope);
		ck_assert(ctx_ended(child));
		ctx_unref(child);
	}
}
END_TEST

/* As a request does: one reference is its own, one its hook's. */
struct request {
	struct ctx_hook hook;
	atomic_int refs;
	struct ctx *ctx;
	struct ctx *child;
};

static void request_unref(struct request *request)
{
	if (atomic_fetch_sub(&request->refs, 1) == 1) {
		ctx_unref(request->child);
		ctx_unref(request->ctx);
		free(request);
	}
}

static void request_abort(struct ctx_hook *hook, struct ctx *of)
{
	struct request *request = (struct request *)hook;

	ck_assert_ptr_eq(of, request->child);
	request_unref(request);
}

static struct request *request_new(int64_t deadline_ns)
{
	struct request *request = calloc(1, sizeof(*request));

	request->hook.fn = request_abort;
	atomic_store(&request->refs, 2);
	request->ctx = ctx_new(root, deadline_ns);
	request->child = ctx_new(request->ctx, CLOCK_NEVER);
	return request;
}

static void request_run(unsigned *seed)
{
	int64_t now_ns = clock_now_ns();
	int64_t until_ns = now_ns + rand_r(seed) % 20000;
	struct request *request = request_new(now_ns + 10000);

	if (!ctx_hook_add(request->child, &request->hook)) {
		request_unref(request);
	} else {
		while (clock_now_ns() < until_ns) {
		}
		if (ctx_hook_remove(request->child, &request->hook)) {
			ctx_end(request->ctx, CTX_FINISHED, NULL);
			request_unref(request);
		}
	}
	request_unref(request);
}

START_TEST(requests_end_by_themselves_or_by_their_deadline)
{
	unsigned seed = 2;

	for (int round = 0; round < ROUNDS; round++) {
		request_run(&seed);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ctx races");
	TCase *tc = tcase_create("races");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tc, LIFE_S);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(
		tc,
		a_hook_is_either_taken_back_or_runs_never_both_never_neither);
	tcase_add_test(tc, of_two_ends_one_counts_and_hooks_run_once);
	tcase_add_test(tc,
		       a_hook_added_while_the_scope_ends_runs_or_is_refused);
	tcase_add_test(tc, children_may_go_while_their_parent_ends);
	tcase_add_test(tc, a_scope_may_go_while_its_deadline_passes);
	tcase_add_test(tc, requests_end_by_themselves_or_by_their_deadline);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
