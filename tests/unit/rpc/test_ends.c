/* How calls end early: deadlines, cancellation, lost peers, shutdown. */
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fixture.h"

/* Begin Wait below @ctx, and see it arrive. */
static void begin_wait(struct fixture *f, struct ctx *ctx,
		       struct outcome *outcome)
{
	Tester__Text request = TESTER__TEXT__INIT;

	outcome_init(outcome);
	call_begin(f, ctx, "Wait", &request, NULL, outcome);
	signal_await(&f->seen.arrived, 1);
}

/* ---- deadlines ---------------------------------------------------------- */

START_TEST(a_deadline_ends_both_sides)
{
	struct fixture f;
	struct outcome outcome;
	struct ctx *ctx;

	fixture_start(&f);
	ctx = fixture_ctx(&f, 1000);
	begin_wait(&f, ctx, &outcome);
	outcome_await(&outcome);
	ck_assert_int_eq(outcome.status.code, STATUS_DEADLINE_EXCEEDED);
	ck_assert_int_ge(outcome.at_ns, ctx_deadline_ns(ctx));
	signal_await(&f.seen.ended, 1);
	ck_assert_int_eq(f.seen.cause, CTX_DEADLINE);
	signal_await(&f.seen.over, 1);
	ck_assert_int_eq(f.seen.end_cause, CTX_DEADLINE);
	ctx_unref(ctx);
	fixture_stop(&f);
}
END_TEST

/* grpc-timeout is rounded up: the caller's cancellation comes before our own
 * deadline, and is told as what it is. */
START_TEST(a_rounded_deadline_is_still_a_deadline)
{
	struct fixture f;
	struct outcome outcome;
	struct ctx *ctx;

	fixture_start(&f);
	ctx = fixture_ctx(&f, 1234);
	begin_wait(&f, ctx, &outcome);
	outcome_await(&outcome);
	ck_assert_int_eq(outcome.status.code, STATUS_DEADLINE_EXCEEDED);
	signal_await(&f.seen.ended, 1);
	ck_assert_int_eq(f.seen.cause, CTX_DEADLINE);
	ctx_unref(ctx);
	fixture_stop(&f);
}
END_TEST

START_TEST(a_stopped_callers_deadline_ends_the_call_all_the_same)
{
	struct caller caller;
	struct fixture f;

	caller_fork(&caller, 500);
	fixture_init(&f);
	fixture_start_server(&f);
	caller_call(&caller, rpc_server_port(f.server));
	signal_await(&f.seen.arrived, 1);
	kill(caller.pid, SIGSTOP);
	signal_await(&f.seen.ended, 1);
	ck_assert_int_eq(f.seen.cause, CTX_DEADLINE);
	caller_kill(&caller);
	fixture_stop(&f);
}
END_TEST

START_TEST(a_call_after_the_deadline_never_leaves)
{
	Tester__Text request = TESTER__TEXT__INIT;
	struct fixture f;
	struct outcome outcome;
	struct ctx *ctx;

	fixture_start(&f);
	ctx = fixture_ctx(&f, 0);
	outcome_init(&outcome);
	call_begin(&f, ctx, "Echo", &request, NULL, &outcome);
	outcome_await(&outcome);
	ck_assert_int_eq(outcome.status.code, STATUS_DEADLINE_EXCEEDED);
	call_text(&f, "Echo", "", &outcome);
	signal_await(&f.seen.over, 1);
	ctx_unref(ctx);
	fixture_stop(&f);
	ck_assert_uint_eq(f.seen.over.count, 1);
}
END_TEST

/* ---- cancellation ------------------------------------------------------- */

START_TEST(the_end_of_the_callers_ctx_ends_the_servers)
{
	struct status why = status_make(STATUS_CANCELLED, "the client left");
	struct fixture f;
	struct outcome outcome;
	struct ctx *ctx;

	fixture_start(&f);
	ctx = fixture_ctx(&f, 60000);
	begin_wait(&f, ctx, &outcome);
	ck_assert(ctx_end(ctx, CTX_CLIENT_CLOSED, &why));
	outcome_await(&outcome);
	ck_assert_int_eq(outcome.status.code, STATUS_CANCELLED);
	ck_assert_str_eq(outcome.status.message, "the client left");
	signal_await(&f.seen.ended, 1);
	ck_assert_int_eq(f.seen.cause, CTX_CALLER_CANCELLED);
	signal_await(&f.seen.over, 1);
	while (rpc_server_in_flight(f.server) > 0) {
		sched_yield();
	}
	ctx_unref(ctx);
	fixture_stop(&f);
}
END_TEST

START_TEST(a_call_on_an_ended_ctx_never_leaves)
{
	Tester__Text request = TESTER__TEXT__INIT;
	struct fixture f;
	struct outcome outcome;
	struct ctx *ctx;

	fixture_start(&f);
	ctx = fixture_ctx(&f, -1);
	ctx_end(ctx, CTX_SHUTDOWN, NULL);
	outcome_init(&outcome);
	call_begin(&f, ctx, "Wait", &request, NULL, &outcome);
	outcome_await(&outcome);
	ck_assert_int_eq(outcome.status.code, STATUS_UNAVAILABLE);
	ck_assert_uint_eq(f.seen.arrived.count, 0);
	ctx_unref(ctx);
	fixture_stop(&f);
}
END_TEST

/* Every instant of a call's life meets a cancellation; all must end, once. */
START_TEST(cancellations_at_any_moment_end_every_call)
{
	enum { N = 2000 };
	Tester__Text request = TESTER__TEXT__INIT;
	struct outcome *outcomes = calloc(N, sizeof(*outcomes));
	struct fixture f;
	int ok = 0;

	ck_assert_ptr_nonnull(outcomes);
	fixture_start(&f);
	for (int i = 0; i < N; i++) {
		struct ctx *ctx = fixture_ctx(&f, 10000);

		outcome_init(&outcomes[i]);
		call_begin(&f, ctx, "Echo", &request, NULL, &outcomes[i]);
		for (volatile int spin = 0; spin < (i % 200) * 500; spin++) {
		}
		ctx_end(ctx, CTX_CLIENT_CLOSED, NULL);
		ctx_unref(ctx);
	}
	for (int i = 0; i < N; i++) {
		outcome_await(&outcomes[i]);
		ok += outcomes[i].status.code == STATUS_OK;
		ck_assert(outcomes[i].status.code == STATUS_OK ||
			  outcomes[i].status.code == STATUS_CANCELLED);
		ck_assert(outcomes[i].has_response ==
			  (outcomes[i].status.code == STATUS_OK));
		ck_assert_uint_eq(outcomes[i].done.count, 1);
	}
	ck_assert_int_lt(ok, N);
	fixture_stop(&f);
	free(outcomes);
}
END_TEST

struct crossing {
	struct ctx *other;
	struct signal done;
};

static void end_the_other(const struct status *status,
			  const ProtobufCMessage *response,
			  const struct rpc_metadata *trailing, void *arg)
{
	struct crossing *crossing = arg;

	(void)status;
	(void)response;
	(void)trailing;
	ctx_end(crossing->other, CTX_CLIENT_CLOSED, NULL);
	signal_raise(&crossing->done);
}

/* Two calls are answered at once, and the first answer ends the other's ctx. */
static void cross(struct outcome *ret_outcome)
{
	Tester__Text request = TESTER__TEXT__INIT;
	struct crossing crossing;
	struct fixture f;
	struct ctx *ctx;

	fixture_start(&f);
	ctx = fixture_ctx(&f, 60000);
	crossing.other = fixture_ctx(&f, 60000);
	signal_init(&crossing.done);
	rpc_unary(f.channel, ctx, &tester__tester__descriptor, "Wait",
		  &request.base, NULL, end_the_other, &crossing);
	signal_await(&f.seen.arrived, 1);
	outcome_init(ret_outcome);
	call_begin(&f, crossing.other, "Wait", &request, NULL, ret_outcome);
	signal_await(&f.seen.arrived, 2);
	fixture_release(&f);
	outcome_await(ret_outcome);
	signal_await(&crossing.done, 1);
	ctx_unref(crossing.other);
	ctx_unref(ctx);
	fixture_stop(&f);
}

/*
 * Two answers arrive together; what the first brings about comes too late to
 * undo the second. On a busy machine they may arrive apart, and the second call
 * is then cancelled, as it should be.
 */
START_TEST(an_ok_that_has_arrived_stays_an_ok)
{
	enum { TRIES_MAX = 20 };
	struct outcome outcome;

	for (int i = 0; i < TRIES_MAX; i++) {
		cross(&outcome);
		if (outcome.status.code == STATUS_OK) {
			ck_assert_str_eq(outcome.text, "released");
			return;
		}
		ck_assert_int_eq(outcome.status.code, STATUS_CANCELLED);
	}
	ck_abort_msg("no answer has ever overtaken the cancellation");
}
END_TEST

START_TEST(a_cancelled_stream_ends_a_waiting_receive)
{
	struct fixture f;
	struct flow flow;
	struct ctx *ctx;

	fixture_start(&f);
	ctx = fixture_ctx(&f, 60000);
	flow_open(&flow, &f, ctx, "Listen");
	flow_send(&flow, "x");
	signal_await(&f.seen.arrived, 1);
	rpc_stream_cancel(flow.stream);
	signal_await(&f.seen.ended, 1);
	ck_assert_int_eq(f.seen.end.code, STATUS_CANCELLED);
	ck_assert_int_eq(f.seen.cause, CTX_CALLER_CANCELLED);
	signal_await(&flow.ended, 1);
	ck_assert_int_eq(flow.status.code, STATUS_CANCELLED);
	ctx_unref(ctx);
	fixture_stop(&f);
}
END_TEST

START_TEST(a_half_close_is_not_a_cancellation)
{
	struct fixture f;
	struct flow flow;
	struct ctx *ctx;

	fixture_start(&f);
	ctx = fixture_ctx(&f, 60000);
	flow_open(&flow, &f, ctx, "Listen");
	flow_send(&flow, "x");
	rpc_stream_close_send(flow.stream);
	signal_await(&f.seen.ended, 1);
	ck_assert_int_eq(f.seen.end.code, STATUS_OK);
	ck_assert_int_eq(f.seen.cause, CTX_NONE);
	signal_await(&flow.ended, 1);
	ctx_unref(ctx);
	fixture_stop(&f);
}
END_TEST

START_TEST(a_call_is_gone_after_all_that_it_calls)
{
	struct fixture f;
	struct flow flow;
	struct ctx *ctx;

	fixture_start(&f);
	ctx = fixture_ctx(&f, 60000);
	flow_open(&flow, &f, ctx, "Listen");
	flow_send(&flow, "x");
	signal_await(&f.seen.arrived, 1);
	ck_assert_uint_eq(f.seen.gone.count, 0);
	rpc_stream_close_send(flow.stream);
	signal_await(&f.seen.gone, 1);
	ck_assert_uint_eq(f.seen.ended.count, 1);
	ctx_unref(ctx);
	fixture_stop(&f);
	ck_assert_uint_eq(f.seen.gone.count, 1);
}
END_TEST

START_TEST(a_call_that_another_thread_ends_is_gone_without_its_receive)
{
	struct fixture f;
	struct flow flow;
	struct ctx *ctx;

	fixture_start(&f);
	ctx = fixture_ctx(&f, 60000);
	flow_open(&flow, &f, ctx, "Listen");
	rpc_stream_receive(flow.stream);
	signal_await(&f.seen.arrived, 1);
	fixture_release(&f);
	signal_await(&f.seen.gone, 1);
	ck_assert_uint_eq(f.seen.ended.count, 0);
	ctx_unref(ctx);
	fixture_stop(&f);
}
END_TEST

START_TEST(the_end_of_the_ctx_ends_a_stream)
{
	struct fixture f;
	struct flow flow;
	struct ctx *ctx;

	fixture_start(&f);
	ctx = fixture_ctx(&f, 60000);
	flow_open(&flow, &f, ctx, "Chat");
	rpc_stream_receive(flow.stream);
	flow_send(&flow, "x");
	signal_await(&flow.received, 1);
	ctx_end(ctx, CTX_SHUTDOWN, NULL);
	signal_await(&flow.ended, 1);
	ck_assert_int_eq(flow.status.code, STATUS_UNAVAILABLE);
	ctx_unref(ctx);
	fixture_stop(&f);
}
END_TEST

START_TEST(a_stream_that_has_ended_ignores_what_is_asked_of_it)
{
	struct fixture f;
	struct flow flow;
	struct ctx *ctx;

	fixture_start(&f);
	ctx = fixture_ctx(&f, 10000);
	flow_open(&flow, &f, ctx, "Chat");
	flow.kept = true;
	rpc_stream_cancel(flow.stream);
	signal_await(&flow.ended, 1);
	rpc_stream_receive(flow.stream);
	rpc_stream_close_send(flow.stream);
	rpc_stream_cancel(flow.stream);
	rpc_stream_release(flow.stream);
	ck_assert_uint_eq(flow.ended.count, 1);
	ck_assert_uint_eq(flow.received.count, 0);
	ctx_unref(ctx);
	fixture_stop(&f);
}
END_TEST

START_TEST(a_stream_on_an_ended_ctx_only_ends)
{
	struct fixture f;
	struct flow flow;
	struct ctx *ctx;

	fixture_start(&f);
	ctx = fixture_ctx(&f, -1);
	ctx_end(ctx, CTX_CLIENT_CLOSED, NULL);
	flow_open(&flow, &f, ctx, "Chat");
	signal_await(&flow.ended, 1);
	ck_assert_int_eq(flow.status.code, STATUS_CANCELLED);
	ctx_unref(ctx);
	fixture_stop(&f);
}
END_TEST

START_TEST(a_stream_that_begins_on_an_ended_ctx_only_ends)
{
	Tester__Text first = TESTER__TEXT__INIT;
	struct fixture f;
	struct flow flow;
	struct ctx *ctx;

	fixture_start(&f);
	ctx = fixture_ctx(&f, -1);
	ctx_end(ctx, CTX_CLIENT_CLOSED, NULL);
	flow_begin(&flow, &f, ctx, "Chat", &first);
	signal_await(&flow.ended, 1);
	ck_assert_int_eq(flow.status.code, STATUS_CANCELLED);
	ck_assert_uint_eq(flow.received.count, 0);
	ctx_unref(ctx);
	fixture_stop(&f);
}
END_TEST

START_TEST(sends_after_the_end_are_dropped)
{
	struct fixture f;
	struct flow flow;
	struct outcome outcome;
	struct ctx *ctx;

	fixture_start(&f);
	ctx = fixture_ctx(&f, 10000);
	flow_open(&flow, &f, ctx, "Chat");
	flow.kept = true;
	rpc_stream_cancel(flow.stream);
	signal_await(&flow.ended, 1);
	/* As often as one likes: none of them waits. */
	for (int i = 0; i < 2 * RPC_SENDS_MAX; i++) {
		flow_post(&flow, "y", true);
		call_text(&f, "Echo", "behind it", &outcome);
	}
	ck_assert_uint_eq(flow.sent.count, 0);
	rpc_stream_release(flow.stream);
	ctx_unref(ctx);
	fixture_stop(&f);
}
END_TEST

START_TEST(sends_that_wait_go_with_their_stream)
{
	enum { BLOB_SIZE = 1 << 20 };
	Tester__Text first = TESTER__TEXT__INIT;
	struct fixture f;
	struct flow flow;
	struct ctx *ctx;
	char *text = malloc(BLOB_SIZE);

	ck_assert_ptr_nonnull(text);
	memset(text, 'x', BLOB_SIZE - 1);
	text[BLOB_SIZE - 1] = '\0';
	fixture_start(&f);
	ctx = fixture_ctx(&f, 60000);
	/* Its handler reads one message: flow control stops the next. */
	first.text = text;
	first.number = 100;
	flow_begin(&flow, &f, ctx, "Repeat", &first);
	signal_await(&flow.received, 1);
	for (int i = 1; i < RPC_SENDS_MAX; i++) {
		flow_post(&flow, text, i + 1 == RPC_SENDS_MAX);
	}
	ctx_end(ctx, CTX_CLIENT_CLOSED, NULL);
	signal_await(&flow.ended, 1);
	ck_assert_uint_eq(flow.sent.count, RPC_SENDS_MAX);
	ck_assert(flow.sent_lost);
	ctx_unref(ctx);
	fixture_stop(&f);
	free(text);
}
END_TEST

START_TEST(a_caller_that_reads_nothing_does_not_hold_up_its_cancellation)
{
	enum { BLOB_SIZE = 1 << 20 };
	Tester__Text request = TESTER__TEXT__INIT;
	struct fixture f;
	struct flow flow;
	struct ctx *ctx;
	char *text = malloc(BLOB_SIZE);

	ck_assert_ptr_nonnull(text);
	memset(text, 'x', BLOB_SIZE - 1);
	text[BLOB_SIZE - 1] = '\0';
	fixture_start(&f);
	ctx = fixture_ctx(&f, 60000);
	flow_open(&flow, &f, ctx, "Repeat");
	request.text = text;
	request.number = 100;
	rpc_stream_send(flow.stream, &request.base);
	signal_await(&flow.sent, 1);
	ctx_end(ctx, CTX_CLIENT_CLOSED, NULL);
	signal_await(&flow.ended, 1);
	signal_await(&f.seen.over, 1);
	ck_assert_int_eq(f.seen.end_cause, CTX_CALLER_CANCELLED);
	ctx_unref(ctx);
	fixture_stop(&f);
	free(text);
}
END_TEST

/* ---- lost peers --------------------------------------------------------- */

START_TEST(a_killed_callers_call_ends_at_once)
{
	struct caller caller;
	struct fixture f;
	int64_t killed_ns;

	caller_fork(&caller, 60000);
	fixture_init(&f);
	fixture_start_server(&f);
	caller_call(&caller, rpc_server_port(f.server));
	signal_await(&f.seen.arrived, 1);
	killed_ns = clock_now_ns();
	caller_kill(&caller);
	signal_await(&f.seen.ended, 1);
	ck_assert_int_eq(f.seen.cause, CTX_CALLER_CANCELLED);
	ck_assert_int_lt(clock_now_ns() - killed_ns, 2 * (int64_t)NS_PER_S);
	fixture_stop(&f);
}
END_TEST

START_TEST(keepalive_notices_a_stopped_caller)
{
	struct caller caller;
	struct fixture f;

	caller_fork(&caller, 60000);
	fixture_init(&f);
	f.server_options.keepalive_ns = 300 * (int64_t)NS_PER_MS;
	f.server_options.keepalive_timeout_ns = 300 * (int64_t)NS_PER_MS;
	fixture_start_server(&f);
	caller_call(&caller, rpc_server_port(f.server));
	signal_await(&f.seen.arrived, 1);
	kill(caller.pid, SIGSTOP);
	signal_await(&f.seen.ended, 1);
	ck_assert_int_eq(f.seen.cause, CTX_CALLER_CANCELLED);
	caller_kill(&caller);
	fixture_stop(&f);
}
END_TEST

/* ---- stopping ----------------------------------------------------------- */

static void on_drained(void *arg)
{
	struct fixture *f = arg;

	signal_raise(&f->drained);
}

static void stop_and_drain(struct fixture *f)
{
	rpc_server_stop_accepting(f->server);
	rpc_server_drain(f->server, on_drained, f);
}

static void cancel(struct fixture *f)
{
	rpc_server_cancel(f->server);
}

START_TEST(a_drain_waits_for_the_calls_in_flight)
{
	struct fixture f;
	struct outcome first, second;
	struct ctx *ctx;

	fixture_start(&f);
	ctx = fixture_ctx(&f, 60000);
	begin_wait(&f, ctx, &first);
	fixture_on_loop(&f, stop_and_drain);
	call_text(&f, "Echo", "too late", &second);
	ck_assert_int_eq(second.status.code, STATUS_UNAVAILABLE);
	ck_assert_str_eq(second.status.message, "server is shutting down");
	call_text(&f, "Always", "never too late", &second);
	ck_assert_int_eq(second.status.code, STATUS_OK);
	ck_assert(!signal_await_ms(&f.drained, 1, 50));
	fixture_release(&f);
	outcome_await(&first);
	ck_assert_int_eq(first.status.code, STATUS_OK);
	signal_await(&f.drained, 1);
	ctx_unref(ctx);
	fixture_stop(&f);
}
END_TEST

START_TEST(a_drain_without_calls_is_done_at_once)
{
	struct fixture f;

	fixture_start(&f);
	fixture_on_loop(&f, stop_and_drain);
	signal_await(&f.drained, 1);
	fixture_stop(&f);
}
END_TEST

START_TEST(a_stopped_server_takes_no_connections)
{
	struct fixture f;
	struct outcome outcome;

	fixture_start(&f);
	fixture_on_loop(&f, stop_and_drain);
	signal_await(&f.drained, 1);
	call_text(&f, "Echo", "", &outcome);
	ck_assert_int_eq(outcome.status.code, STATUS_UNAVAILABLE);
	ck_assert_ptr_null(strstr(outcome.status.message, "shutting down"));
	fixture_stop(&f);
}
END_TEST

START_TEST(cancelling_the_server_ends_the_calls_ctxs)
{
	struct fixture f;
	struct outcome outcome;
	struct ctx *ctx;

	fixture_start(&f);
	ctx = fixture_ctx(&f, 60000);
	begin_wait(&f, ctx, &outcome);
	fixture_on_loop(&f, stop_and_drain);
	fixture_on_loop(&f, cancel);
	signal_await(&f.seen.ended, 1);
	ck_assert_int_eq(f.seen.cause, CTX_SHUTDOWN);
	outcome_await(&outcome);
	ck_assert_int_eq(outcome.status.code, STATUS_UNAVAILABLE);
	signal_await(&f.drained, 1);
	ctx_unref(ctx);
	fixture_stop(&f);
}
END_TEST

START_TEST(cancelling_the_server_ends_a_waiting_receive)
{
	struct fixture f;
	struct flow flow;
	struct ctx *ctx;

	fixture_start(&f);
	ctx = fixture_ctx(&f, 60000);
	flow_open(&flow, &f, ctx, "Listen");
	signal_await(&f.seen.arrived, 1);
	fixture_on_loop(&f, cancel);
	signal_await(&f.seen.ended, 1);
	ck_assert_int_eq(f.seen.end.code, STATUS_UNAVAILABLE);
	ck_assert_int_eq(f.seen.cause, CTX_SHUTDOWN);
	signal_await(&flow.ended, 1);
	ck_assert_int_eq(flow.status.code, STATUS_UNAVAILABLE);
	ctx_unref(ctx);
	fixture_stop(&f);
}
END_TEST

START_TEST(a_server_can_be_freed_with_calls_in_flight)
{
	struct fixture f;
	struct outcome outcome;
	struct ctx *ctx;

	fixture_start(&f);
	ctx = fixture_ctx(&f, 60000);
	begin_wait(&f, ctx, &outcome);
	fixture_stop_server(&f);
	ck_assert_int_eq(f.seen.cause, CTX_SHUTDOWN);
	outcome_await(&outcome);
	ck_assert_int_eq(outcome.status.code, STATUS_UNAVAILABLE);
	ctx_unref(ctx);
	fixture_stop(&f);
}
END_TEST

static void do_nothing(struct fixture *f)
{
	(void)f;
}

static void drain_and_free(struct fixture *f)
{
	rpc_server_drain(f->server, on_drained, f);
	rpc_server_free(f->server);
	f->server = NULL;
}

/* The answer of the drain is on its way to the loop when the server goes. */
START_TEST(a_server_can_be_freed_before_its_drain_is_told)
{
	struct fixture f;

	fixture_start(&f);
	fixture_on_loop(&f, drain_and_free);
	fixture_on_loop(&f, do_nothing);
	ck_assert_uint_eq(f.drained.count, 0);
	fixture_stop(&f);
}
END_TEST

/* Nothing is lost between a stop under load and the free. */
START_TEST(calls_during_a_shutdown_are_answered_or_unavailable)
{
	enum { N = 500 };
	Tester__Text request = TESTER__TEXT__INIT;
	struct outcome *outcomes = calloc(N, sizeof(*outcomes));
	struct fixture f;
	struct ctx *ctx;

	ck_assert_ptr_nonnull(outcomes);
	fixture_start(&f);
	ctx = fixture_ctx(&f, 20000);
	for (int i = 0; i < N; i++) {
		outcome_init(&outcomes[i]);
		call_begin(&f, ctx, "Echo", &request, NULL, &outcomes[i]);
		if (i == N / 2) {
			fixture_on_loop(&f, stop_and_drain);
		}
	}
	signal_await(&f.drained, 1);
	fixture_stop_server(&f);
	for (int i = 0; i < N; i++) {
		outcome_await(&outcomes[i]);
		ck_assert_msg(outcomes[i].status.code == STATUS_OK ||
				      outcomes[i].status.code ==
					      STATUS_UNAVAILABLE,
			      "%s", outcomes[i].status.message);
	}
	ctx_unref(ctx);
	fixture_stop(&f);
	free(outcomes);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("ends");

	tcase_add_test(tc, a_deadline_ends_both_sides);
	tcase_add_test(tc, a_rounded_deadline_is_still_a_deadline);
	tcase_add_test(tc,
		       a_stopped_callers_deadline_ends_the_call_all_the_same);
	tcase_add_test(tc, a_call_after_the_deadline_never_leaves);
	tcase_add_test(tc, the_end_of_the_callers_ctx_ends_the_servers);
	tcase_add_test(tc, a_call_on_an_ended_ctx_never_leaves);
	tcase_add_test(tc, cancellations_at_any_moment_end_every_call);
	tcase_add_test(tc, an_ok_that_has_arrived_stays_an_ok);
	tcase_add_test(tc, a_cancelled_stream_ends_a_waiting_receive);
	tcase_add_test(tc, a_half_close_is_not_a_cancellation);
	tcase_add_test(tc, a_call_is_gone_after_all_that_it_calls);
	tcase_add_test(
		tc,
		a_call_that_another_thread_ends_is_gone_without_its_receive);
	tcase_add_test(tc, the_end_of_the_ctx_ends_a_stream);
	tcase_add_test(tc, a_stream_on_an_ended_ctx_only_ends);
	tcase_add_test(tc, a_stream_that_begins_on_an_ended_ctx_only_ends);
	tcase_add_test(tc, sends_after_the_end_are_dropped);
	tcase_add_test(tc, sends_that_wait_go_with_their_stream);
	tcase_add_test(tc, a_stream_that_has_ended_ignores_what_is_asked_of_it);
	tcase_add_test(
		tc,
		a_caller_that_reads_nothing_does_not_hold_up_its_cancellation);
	tcase_add_test(tc, a_killed_callers_call_ends_at_once);
	tcase_add_test(tc, keepalive_notices_a_stopped_caller);
	tcase_add_test(tc, a_drain_waits_for_the_calls_in_flight);
	tcase_add_test(tc, a_drain_without_calls_is_done_at_once);
	tcase_add_test(tc, a_stopped_server_takes_no_connections);
	tcase_add_test(tc, cancelling_the_server_ends_the_calls_ctxs);
	tcase_add_test(tc, cancelling_the_server_ends_a_waiting_receive);
	tcase_add_test(tc, a_server_can_be_freed_with_calls_in_flight);
	tcase_add_test(tc, a_server_can_be_freed_before_its_drain_is_told);
	tcase_add_test(tc, calls_during_a_shutdown_are_answered_or_unavailable);
	return run_case(tc, "rpc_ends");
}
