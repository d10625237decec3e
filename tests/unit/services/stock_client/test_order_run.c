#include "stock_order/client/order_run.h"

#include <stdio.h>
#include <string.h>

#include "stock_order/adaptor/random_ids.h"
#include "suite.h"

enum { SCRIPT_MAX = 8 };

/* ---- a sender that follows a script ---------------------------------------
 */

/* What becomes of each order, in turn: a status code, or it stays out until its
 * ctx ends. */
enum { STAYS_OUT = -1 };

static struct sender {
	struct order_sender base;
	int script[SCRIPT_MAX];
	size_t sent;
	char keys[SCRIPT_MAX][ORDER_ID_SIZE];
	bool keyed[SCRIPT_MAX];
	struct order_draft draft;
	struct ctx *ctx;
	struct ctx_hook hook;
	struct loop_task task;
	order_sent_fn done;
	void *arg;
} sender;

static struct loop *loop;
static struct ctx *root;
static struct order_run run;
static struct order_run_options options;

static void answer(struct loop_task *task)
{
	int code = sender.script[sender.sent - 1];
	struct status status = status_ok();

	(void)task;
	if (code == STAYS_OUT) {
		ck_assert_int_ne(ctx_cause(sender.ctx, &status), CTX_NONE);
	} else if (code != STATUS_OK) {
		status = status_make((enum status_code)code, "said so");
	}
	(void)ctx_hook_remove(sender.ctx, &sender.hook);
	sender.ctx = NULL;
	sender.done(&status, status.code == STATUS_OK ? "an-id" : NULL,
		    sender.arg);
}

static void on_ctx_end(struct ctx_hook *hook, struct ctx *ctx)
{
	(void)hook;
	(void)ctx;
	loop_post(loop, &sender.task);
}

/* Called whenever an order has gone out. */
static void (*when_out)(void);

static void send_order(struct order_sender *self, struct ctx *ctx,
		       const struct order_draft *draft, const char *key,
		       order_sent_fn done, void *arg)
{
	size_t n = sender.sent++;

	ck_assert_ptr_eq(self, &sender.base);
	ck_assert_ptr_null(sender.ctx); /* one at a time */
	ck_assert_uint_lt(n, SCRIPT_MAX);
	ck_assert_int_eq(run.state, ORDER_RUN_SENDING);
	sender.draft = *draft;
	sender.keyed[n] = key != NULL;
	(void)snprintf(sender.keys[n], ORDER_ID_SIZE, "%s",
		       key != NULL ? key : "");
	sender.ctx = ctx;
	sender.done = done;
	sender.arg = arg;
	if (sender.script[n] != STAYS_OUT) {
		loop_post(loop, &sender.task);
	} else {
		ck_assert(ctx_hook_add(ctx, &sender.hook));
	}
	if (when_out != NULL) {
		when_out();
	}
}

/* ---- what is told ----------------------------------------------------------
 */

static size_t outcomes;
static enum status_code codes[SCRIPT_MAX];
static char message[STATUS_MESSAGE_SIZE];
static int overs;
/* Else on_outcome answers at once. */
static void (*when_told)(void);

static void on_outcome(const struct order_outcome *outcome, void *arg)
{
	ck_assert_ptr_eq(arg, &outcomes);
	ck_assert_uint_eq(outcome->number, outcomes + 1);
	ck_assert_int_ge(outcome->took_ns, 0);
	ck_assert((outcome->id != NULL) == (outcome->status.code == STATUS_OK));
	codes[outcomes++] = outcome->status.code;
	(void)snprintf(message, sizeof(message), "%s", outcome->status.message);
	if (when_told != NULL) {
		when_told();
	} else {
		order_run_reported(&run);
	}
}

static void on_over(void *arg)
{
	ck_assert_ptr_eq(arg, &outcomes);
	ck_assert_int_eq(run.state, ORDER_RUN_OVER);
	overs++;
	loop_stop(loop);
}

static void set_up(void)
{
	static const struct order_sender_ops ops = { .send = send_order };
	struct status status;

	ck_assert_int_eq(loop_new(&loop, &status), STATUS_OK);
	ck_assert_int_eq(ctx_root(loop, &root, &status), STATUS_OK);
	sender = (struct sender){ .base = { &ops },
				  .hook = { .fn = on_ctx_end },
				  .task = { .fn = answer } };
	options = (struct order_run_options){
		.loop = loop,
		.root = root,
		.sender = &sender.base,
		.draft = { .symbol = "AAPL", .quantity = 100 },
		.timeout_ns = (int64_t)60 * NS_PER_S,
		.on_outcome = on_outcome,
		.on_over = on_over,
		.arg = &outcomes,
	};
	outcomes = 0;
	overs = 0;
	when_out = NULL;
	when_told = NULL;
}

static void tear_down(void)
{
	ck_assert_ptr_null(sender.ctx);
	ctx_unref(root);
	loop_free(loop);
}

static void go(void)
{
	order_run_start(&run, &options);
	loop_run(loop);
	ck_assert_int_eq(overs, 1);
	ck_assert_uint_eq(outcomes, run.tally.sent);
	ck_assert_uint_eq(sender.sent, run.tally.sent);
}

/* ---- tests -----------------------------------------------------------------
 */

START_TEST(as_many_are_sent_as_were_asked_for)
{
	options.count = 5;
	go();
	ck_assert_uint_eq(run.tally.sent, 5);
	ck_assert_uint_eq(run.tally.accepted, 5);
	ck_assert_str_eq(sender.draft.symbol, "AAPL");
	ck_assert_int_eq(sender.draft.quantity, 100);
}
END_TEST

START_TEST(a_failure_is_told_and_does_not_end_the_run)
{
	options.count = 3;
	sender.script[1] = STATUS_UNAVAILABLE;
	go();
	ck_assert_int_eq(codes[0], STATUS_OK);
	ck_assert_int_eq(codes[1], STATUS_UNAVAILABLE);
	ck_assert_int_eq(codes[2], STATUS_OK);
	ck_assert_uint_eq(run.tally.failed, 1);
}
END_TEST

START_TEST(each_order_has_a_key_of_its_own_where_keys_are_wanted)
{
	options.count = 3;
	options.keys = random_ids();
	go();
	for (int i = 0; i < 3; i++) {
		ck_assert(sender.keyed[i]);
		ck_assert_uint_eq(strlen(sender.keys[i]), ORDER_ID_SIZE - 1);
	}
	ck_assert_str_ne(sender.keys[0], sender.keys[1]);
	ck_assert_str_ne(sender.keys[1], sender.keys[2]);
}
END_TEST

START_TEST(without_keys_there_are_none)
{
	options.count = 1;
	go();
	ck_assert(!sender.keyed[0]);
}
END_TEST

static void stop_at_second(void)
{
	if (sender.sent == 2) {
		order_run_stop(&run);
	}
}

START_TEST(a_stop_cancels_the_order_that_is_out)
{
	sender.script[1] = STAYS_OUT;
	when_out = stop_at_second;
	go();
	ck_assert_uint_eq(run.tally.sent, 2);
	ck_assert_int_eq(codes[1], STATUS_CANCELLED);
	ck_assert_uint_eq(run.tally.cancelled, 1);
	ck_assert_int_eq(tally_exit(&run.tally), CLIENT_EXIT_OK);
}
END_TEST

START_TEST(an_answer_that_crosses_the_stop_counts)
{
	sender.script[1] = STATUS_INVALID_ARGUMENT;
	when_out = stop_at_second;
	go();
	ck_assert_int_eq(codes[1], STATUS_INVALID_ARGUMENT);
	ck_assert_uint_eq(run.tally.accepted, 1);
	ck_assert_uint_eq(run.tally.failed, 1);
	ck_assert_uint_eq(run.tally.cancelled, 0);
}
END_TEST

static struct loop_task stop_task;

static void stop_from_task(struct loop_task *task)
{
	(void)task;
	ck_assert_int_eq(run.state, ORDER_RUN_RESTING);
	order_run_stop(&run);
	order_run_stop(&run); /* again is fine */
}

static void report_and_stop_soon(void)
{
	order_run_reported(&run);
	stop_task.fn = stop_from_task;
	loop_post(loop, &stop_task);
}

START_TEST(a_stop_between_two_orders_ends_the_run)
{
	options.interval_ns = (int64_t)1000 * NS_PER_S;
	when_told = report_and_stop_soon;
	go();
	ck_assert_uint_eq(run.tally.sent, 1);
	ck_assert_uint_eq(run.tally.cancelled, 0);
}
END_TEST

static void report_from_task(struct loop_task *task)
{
	(void)task;
	ck_assert_int_eq(run.state, ORDER_RUN_REPORTING);
	order_run_reported(&run);
}

static struct loop_timer later;

static void report_from_timer(struct loop_timer *timer, int64_t late_ns)
{
	(void)timer;
	(void)late_ns;
	report_from_task(NULL);
}

static void report_later(void)
{
	ck_assert_uint_eq(sender.sent, outcomes); /* none was sent meanwhile */
	later.fn = report_from_timer;
	loop_timer_start(loop, &later, clock_now_ns() + NS_PER_MS);
}

START_TEST(none_is_sent_while_the_last_is_being_told)
{
	options.count = 3;
	when_told = report_later;
	go();
	ck_assert_uint_eq(run.tally.sent, 3);
}
END_TEST

static void stop_then_report(void)
{
	order_run_stop(&run);
	ck_assert_int_eq(run.state, ORDER_RUN_REPORTING);
	order_run_reported(&run);
}

START_TEST(a_stop_while_one_is_told_ends_the_run_after_it)
{
	when_told = stop_then_report;
	go();
	ck_assert_uint_eq(run.tally.sent, 1);
	ck_assert_uint_eq(run.tally.accepted, 1);
}
END_TEST

START_TEST(an_order_that_gets_no_answer_in_time_has_failed)
{
	options.count = 2;
	options.timeout_ns = NS_PER_MS;
	sender.script[0] = STAYS_OUT;
	go();
	ck_assert_int_eq(codes[0], STATUS_DEADLINE_EXCEEDED);
	ck_assert_int_eq(codes[1], STATUS_OK);
	ck_assert_uint_eq(run.tally.cancelled, 0);
}
END_TEST

START_TEST(a_server_that_cancels_went_away)
{
	options.count = 1;
	sender.script[0] = STATUS_CANCELLED;
	go();
	ck_assert_int_eq(codes[0], STATUS_UNAVAILABLE);
	ck_assert_str_eq(message, "said so");
	ck_assert_uint_eq(run.tally.failed, 1);
}
END_TEST

START_TEST(orders_keep_to_the_interval_and_leave_out_what_was_missed)
{
	/* In time: one interval after the last. */
	ck_assert_int_eq(order_run_next_ns(100, 10, 100), 110);
	ck_assert_int_eq(order_run_next_ns(100, 10, 109), 110);
	/* Late: the next that is still to come. */
	ck_assert_int_eq(order_run_next_ns(100, 10, 110), 120);
	ck_assert_int_eq(order_run_next_ns(100, 10, 125), 130);
	/* No interval: at once. */
	ck_assert_int_eq(order_run_next_ns(100, 0, 125), 125);
	/* Beyond the end of time. */
	ck_assert_int_eq(order_run_next_ns(100, INT64_MAX, 125), CLOCK_NEVER);
}
END_TEST

START_TEST(states_have_names)
{
	ck_assert_str_eq(order_run_state_name(ORDER_RUN_RESTING), "resting");
	ck_assert_str_eq(order_run_state_name(ORDER_RUN_OVER), "over");
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("order_run");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, as_many_are_sent_as_were_asked_for);
	tcase_add_test(tc, a_failure_is_told_and_does_not_end_the_run);
	tcase_add_test(tc,
		       each_order_has_a_key_of_its_own_where_keys_are_wanted);
	tcase_add_test(tc, without_keys_there_are_none);
	tcase_add_test(tc, a_stop_cancels_the_order_that_is_out);
	tcase_add_test(tc, an_answer_that_crosses_the_stop_counts);
	tcase_add_test(tc, a_stop_between_two_orders_ends_the_run);
	tcase_add_test(tc, none_is_sent_while_the_last_is_being_told);
	tcase_add_test(tc, a_stop_while_one_is_told_ends_the_run_after_it);
	tcase_add_test(tc, an_order_that_gets_no_answer_in_time_has_failed);
	tcase_add_test(tc, a_server_that_cancels_went_away);
	tcase_add_test(
		tc, orders_keep_to_the_interval_and_leave_out_what_was_missed);
	tcase_add_test(tc, states_have_names);
	return run_case(tc, "order_run");
}
