/* What calls carry: messages in all four shapes, metadata, statuses. */
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"

START_TEST(a_unary_call_brings_back_its_answer)
{
	struct fixture f;
	struct outcome outcome;

	fixture_start(&f);
	call_text(&f, "Echo", "h\xC3\xA9llo", &outcome);
	ck_assert_int_eq(outcome.status.code, STATUS_OK);
	ck_assert_str_eq(outcome.text, "h\xC3\xA9llo");
	signal_await(&f.seen.over, 1);
	ck_assert_str_eq(f.seen.method, "/tester.Tester/Echo");
	ck_assert_int_eq(f.seen.status.code, STATUS_OK);
	ck_assert_int_eq(f.seen.end_cause, CTX_FINISHED);
	ck_assert_int_gt(f.seen.duration_ns, 0);
	fixture_stop(&f);
}
END_TEST

START_TEST(an_empty_message_is_a_message)
{
	struct fixture f;
	struct outcome outcome;

	fixture_start(&f);
	call_text(&f, "Echo", "", &outcome);
	ck_assert_int_eq(outcome.status.code, STATUS_OK);
	ck_assert(outcome.has_response);
	ck_assert_str_eq(outcome.text, "");
	fixture_stop(&f);
}
END_TEST

/* Larger than a frame, a flow-control window and what fits one slice. */
START_TEST(a_large_message_arrives_whole)
{
	Tester__Text request = TESTER__TEXT__INIT;
	struct fixture f;
	struct outcome outcome;

	fixture_start(&f);
	request.blob.len = 3 << 20;
	request.blob.data = calloc(1, request.blob.len);
	call_message(&f, "Echo", &request, &outcome);
	ck_assert_int_eq(outcome.status.code, STATUS_OK);
	ck_assert_uint_eq(outcome.blob_size, request.blob.len);
	free(request.blob.data);
	fixture_stop(&f);
}
END_TEST

START_TEST(an_answer_may_be_packed_already)
{
	Tester__Text request = TESTER__TEXT__INIT;
	Tester__Text answer = TESTER__TEXT__INIT;
	struct fixture f;
	struct outcome outcome;
	uint8_t bytes[64];

	fixture_start(&f);
	answer.text = (char *)(uintptr_t) "packed";
	answer.number = 7;
	request.blob.data = bytes;
	request.blob.len = tester__text__pack(&answer, bytes);
	call_message(&f, "Packed", &request, &outcome);
	ck_assert_int_eq(outcome.status.code, STATUS_OK);
	ck_assert_str_eq(outcome.text, "packed");
	ck_assert_int_eq(outcome.number, 7);
	request.blob.len = 0;
	call_message(&f, "Packed", &request, &outcome);
	ck_assert_int_eq(outcome.status.code, STATUS_OK);
	ck_assert(outcome.has_response);
	ck_assert_str_eq(outcome.text, "");
	fixture_stop(&f);
}
END_TEST

START_TEST(many_calls_share_a_connection)
{
	enum { N = 200 };
	Tester__Text request = TESTER__TEXT__INIT;
	static struct outcome outcomes[N];
	struct fixture f;
	struct ctx *ctx;

	fixture_start(&f);
	ctx = fixture_ctx(&f, 10000);
	for (int i = 0; i < N; i++) {
		outcome_init(&outcomes[i]);
		request.number = i;
		call_begin(&f, ctx, "Echo", &request, NULL, &outcomes[i]);
	}
	for (int i = 0; i < N; i++) {
		outcome_await(&outcomes[i]);
		ck_assert_int_eq(outcomes[i].status.code, STATUS_OK);
		ck_assert_int_eq(outcomes[i].number, i);
	}
	ck_assert_uint_eq(rpc_server_connections(f.server), 1);
	ctx_unref(ctx);
	fixture_stop(&f);
}
END_TEST

static void check_repeat(int number)
{
	struct fixture f;
	struct flow flow;
	struct ctx *ctx;
	Tester__Text request = TESTER__TEXT__INIT;

	fixture_start(&f);
	ctx = fixture_ctx(&f, 10000);
	flow_open(&flow, &f, ctx, "Repeat");
	flow.receive_on = true;
	request.text = (char *)(uintptr_t) "ab";
	request.number = number;
	rpc_stream_send(flow.stream, &request.base);
	rpc_stream_receive(flow.stream);
	signal_await(&flow.ended, 1);
	ck_assert_int_eq(flow.status.code, STATUS_OK);
	ck_assert_uint_eq(flow.received.count, (unsigned)abs(number));
	ctx_unref(ctx);
	fixture_stop(&f);
}

START_TEST(a_server_stream_brings_all_messages_and_the_status)
{
	check_repeat(100);
}
END_TEST

START_TEST(a_handler_may_send_and_finish_from_any_thread)
{
	check_repeat(-100);
}
END_TEST

START_TEST(a_stream_may_end_with_its_only_message)
{
	check_repeat(-1);
}
END_TEST

START_TEST(a_client_stream_is_answered_after_its_half_close)
{
	struct fixture f;
	struct flow flow;
	struct ctx *ctx;

	fixture_start(&f);
	ctx = fixture_ctx(&f, 10000);
	flow_open(&flow, &f, ctx, "Join");
	flow_send(&flow, "one ");
	flow_send(&flow, "two ");
	flow_send(&flow, "three");
	rpc_stream_close_send(flow.stream);
	rpc_stream_receive(flow.stream);
	signal_await(&flow.ended, 1);
	ck_assert_int_eq(flow.status.code, STATUS_OK);
	ck_assert_str_eq(flow.text, "one two three");
	ctx_unref(ctx);
	fixture_stop(&f);
}
END_TEST

START_TEST(a_bidirectional_stream_alternates)
{
	struct fixture f;
	struct flow flow;
	struct ctx *ctx;

	fixture_start(&f);
	ctx = fixture_ctx(&f, 10000);
	flow_open(&flow, &f, ctx, "Chat");
	for (unsigned i = 0; i < 5; i++) {
		rpc_stream_receive(flow.stream);
		flow_send(&flow, "x");
		signal_await(&flow.received, i + 1);
	}
	ck_assert(flow.sent_ok);
	rpc_stream_close_send(flow.stream);
	signal_await(&flow.ended, 1);
	ck_assert_int_eq(flow.status.code, STATUS_OK);
	ck_assert_str_eq(flow.text, "xxxxx");
	ctx_unref(ctx);
	fixture_stop(&f);
}
END_TEST

START_TEST(a_stream_may_begin_with_its_first_message)
{
	Tester__Text first = TESTER__TEXT__INIT;
	struct fixture f;
	struct flow flow;
	struct ctx *ctx;

	fixture_start(&f);
	ctx = fixture_ctx(&f, 10000);
	first.text = (char *)(uintptr_t) "x";
	flow_begin(&flow, &f, ctx, "Chat", &first);
	signal_await(&flow.received, 1);
	signal_await(&flow.sent, 1);
	ck_assert(flow.sent_ok);
	rpc_stream_receive(flow.stream);
	flow_post(&flow, "y", true);
	signal_await(&flow.ended, 1);
	ck_assert_int_eq(flow.status.code, STATUS_OK);
	ck_assert_str_eq(flow.text, "xy");
	ck_assert_uint_eq(flow.sent.count, 2);
	ctx_unref(ctx);
	fixture_stop(&f);
}
END_TEST

static struct flow begun;
static struct ctx *begun_ctx;

static void begin(struct fixture *f)
{
	Tester__Text first = TESTER__TEXT__INIT;

	first.text = (char *)(uintptr_t) "x";
	flow_begin(&begun, f, begun_ctx, "Chat", &first);
}

START_TEST(a_stream_may_begin_on_the_loops_thread)
{
	struct fixture f;

	fixture_start(&f);
	for (int i = 0; i < 100; i++) {
		begun_ctx = fixture_ctx(&f, 10000);
		fixture_on_loop(&f, begin);
		signal_await(&begun.received, 1);
		rpc_stream_receive(begun.stream);
		flow_post(&begun, "y", true);
		signal_await(&begun.ended, 1);
		ck_assert_int_eq(begun.status.code, STATUS_OK);
		ck_assert_str_eq(begun.text, "xy");
		ctx_unref(begun_ctx);
	}
	fixture_stop(&f);
}
END_TEST

START_TEST(sends_wait_for_their_turn)
{
	struct fixture f;
	struct flow flow;
	struct ctx *ctx;
	Tester__Text first = TESTER__TEXT__INIT;

	fixture_start(&f);
	ctx = fixture_ctx(&f, 10000);
	first.text = (char *)(uintptr_t) "one ";
	flow_begin(&flow, &f, ctx, "Join", &first);
	flow_post(&flow, "two ", false);
	flow_post(&flow, "three ", false);
	flow_post(&flow, "four", true);
	signal_await(&flow.ended, 1);
	ck_assert_int_eq(flow.status.code, STATUS_OK);
	ck_assert_str_eq(flow.text, "one two three four");
	ck_assert_uint_eq(flow.sent.count, 4);
	ctx_unref(ctx);
	fixture_stop(&f);
}
END_TEST

START_TEST(a_status_travels_with_code_message_and_details)
{
	uint8_t details[] = { 0, 1, 0xFF, 2, 3 };
	Tester__Text request = TESTER__TEXT__INIT;
	struct fixture f;
	struct outcome outcome;
	struct ctx *ctx;

	fixture_start(&f);
	ctx = fixture_ctx(&f, 10000);
	outcome_init(&outcome);
	outcome.trailing_key = "grpc-status-details-bin";
	request.number = STATUS_ABORTED;
	request.text = (char *)(uintptr_t) "not \xE2\x82\xAC"
					   "5\nbut 6%";
	request.blob = (ProtobufCBinaryData){ sizeof(details), details };
	call_begin(&f, ctx, "Fail", &request, NULL, &outcome);
	outcome_await(&outcome);
	ck_assert_int_eq(outcome.status.code, STATUS_ABORTED);
	ck_assert_str_eq(outcome.status.message, request.text);
	ck_assert(!outcome.has_response);
	ck_assert_uint_eq(outcome.trailing_size, 5);
	ck_assert_mem_eq(outcome.trailing, details, 5);
	ctx_unref(ctx);
	fixture_stop(&f);
}
END_TEST

START_TEST(every_code_is_told_as_it_is)
{
	Tester__Text request = TESTER__TEXT__INIT;
	struct fixture f;
	struct outcome outcome;

	fixture_start(&f);
	for (int code = STATUS_UNKNOWN; code < STATUS_CODE_NR; code++) {
		request.number = code;
		call_message(&f, "Fail", &request, &outcome);
		ck_assert_int_eq(outcome.status.code, code);
	}
	fixture_stop(&f);
}
END_TEST

/* The server says it although we did not cancel: it went away. */
START_TEST(cancelled_that_we_did_not_ask_for_is_unavailable)
{
	Tester__Text request = TESTER__TEXT__INIT;
	struct fixture f;
	struct outcome outcome;

	fixture_start(&f);
	request.number = STATUS_CANCELLED;
	request.text = (char *)(uintptr_t) "gone";
	call_message(&f, "Fail", &request, &outcome);
	ck_assert_int_eq(outcome.status.code, STATUS_UNAVAILABLE);
	ck_assert_ptr_nonnull(strstr(outcome.status.message, "gone"));
	fixture_stop(&f);
}
END_TEST

static void check_metadata(const char *key, const char *value, size_t size)
{
	struct rpc_metadatum item = { key, value, size };
	struct rpc_metadata metadata = { &item, 1 };
	Tester__Text request = TESTER__TEXT__INIT;
	struct fixture f;
	struct outcome outcome;
	struct ctx *ctx;

	fixture_start(&f);
	ctx = fixture_ctx(&f, 10000);
	outcome_init(&outcome);
	outcome.trailing_key = key;
	request.text = (char *)(uintptr_t)key;
	call_begin(&f, ctx, "Metadata", &request, &metadata, &outcome);
	outcome_await(&outcome);
	ck_assert_int_eq(outcome.status.code, STATUS_OK);
	ck_assert_uint_eq(outcome.blob_size, size);
	ck_assert_uint_eq(outcome.trailing_size, size);
	ck_assert_mem_eq(outcome.trailing, value, size);
	ctx_unref(ctx);
	fixture_stop(&f);
}

START_TEST(metadata_travels_both_ways)
{
	check_metadata("x-color", "red, or green", 13);
}
END_TEST

START_TEST(binary_metadata_travels_as_it_is)
{
	check_metadata("x-raw-bin", "\0\xFF\r\n\x80", 5);
}
END_TEST

START_TEST(metadata_that_http2_cannot_carry_is_encoded)
{
	struct rpc_metadatum item = { "x-color", "r\xC3\xB6t\r\n", 6 };
	struct rpc_metadata metadata = { &item, 1 };
	Tester__Text request = TESTER__TEXT__INIT;
	struct fixture f;
	struct outcome outcome;
	struct ctx *ctx;

	fixture_start(&f);
	ctx = fixture_ctx(&f, 10000);
	outcome_init(&outcome);
	outcome.trailing_key = "x-color";
	request.text = (char *)(uintptr_t) "x-color";
	call_begin(&f, ctx, "Metadata", &request, &metadata, &outcome);
	outcome_await(&outcome);
	ck_assert_str_eq(outcome.trailing, "r%C3%B6t%0D%0A");
	ctx_unref(ctx);
	fixture_stop(&f);
}
END_TEST

static void call_with_facts(struct fixture *f, const char *request_id,
			    const struct trace *trace)
{
	Tester__Text request = TESTER__TEXT__INIT;
	struct outcome outcome;
	struct ctx *ctx = fixture_ctx(f, 10000);

	if (request_id != NULL) {
		ctx_set_request_id(ctx, request_id);
	}
	if (trace != NULL) {
		ctx_set_trace(ctx, trace);
	}
	outcome_init(&outcome);
	call_begin(f, ctx, "Metadata", &request, NULL, &outcome);
	outcome_await(&outcome);
	ck_assert_int_eq(outcome.status.code, STATUS_OK);
	ctx_unref(ctx);
}

START_TEST(the_request_id_of_the_ctx_is_that_of_the_call)
{
	struct fixture f;

	fixture_start(&f);
	call_with_facts(&f, "req-7", NULL);
	ck_assert_str_eq(f.seen.request_id, "req-7");
	call_with_facts(&f, "r\xC3\xA9q 50%20", NULL);
	ck_assert_str_eq(f.seen.request_id, "r\xC3\xA9q 50%20");
	call_with_facts(&f, NULL, NULL);
	ck_assert_str_eq(f.seen.request_id, "");
	ck_assert(!f.seen.trace.present);
	fixture_stop(&f);
}
END_TEST

START_TEST(the_trace_of_the_ctx_is_continued_by_the_call)
{
	struct trace trace = trace_continue(NULL);
	struct fixture f;

	fixture_start(&f);
	call_with_facts(&f, NULL, &trace);
	ck_assert(f.seen.trace.present);
	ck_assert_mem_eq(f.seen.trace.trace_id, trace.trace_id, 16);
	ck_assert_mem_eq(f.seen.trace.parent_id, trace.span_id, 8);
	fixture_stop(&f);
}
END_TEST

/* ---- refused before any handler ----------------------------------------- */

static void check_refused(const char *method, const Tester__Text *request,
			  enum status_code code, const char *text)
{
	struct fixture f;
	struct outcome outcome;

	fixture_init(&f);
	f.server_options.message_max = 1000;
	fixture_start_server(&f);
	fixture_start_client(&f);
	call_message(&f, method, request, &outcome);
	ck_assert_int_eq(outcome.status.code, code);
	ck_assert_msg(strstr(outcome.status.message, text) != NULL,
		      "'%s' lacks '%s'", outcome.status.message, text);
	call_text(&f, "Echo", "goes on", &outcome);
	ck_assert_int_eq(outcome.status.code, STATUS_OK);
	while (rpc_server_in_flight(f.server) > 0) {
		sched_yield();
	}
	fixture_stop(&f);
}

START_TEST(an_unknown_method_is_unimplemented)
{
	Tester__Text request = TESTER__TEXT__INIT;

	check_refused("Absent", &request, STATUS_UNIMPLEMENTED,
		      "unknown method Absent of service tester.Tester");
}
END_TEST

static void ghost_done(const struct status *status,
		       const ProtobufCMessage *response,
		       const struct rpc_metadata *trailing, void *arg)
{
	struct outcome *outcome = arg;

	(void)response;
	(void)trailing;
	outcome->status = *status;
	signal_raise(&outcome->done);
}

START_TEST(an_unknown_service_is_unimplemented)
{
	Tester__Text request = TESTER__TEXT__INIT;
	struct fixture f;
	struct outcome outcome;
	struct ctx *ctx;

	fixture_start(&f);
	ctx = fixture_ctx(&f, 10000);
	outcome_init(&outcome);
	rpc_unary(f.channel, ctx, &tester__ghost__descriptor, "Haunt",
		  &request.base, NULL, ghost_done, &outcome);
	outcome_await(&outcome);
	ck_assert_int_eq(outcome.status.code, STATUS_UNIMPLEMENTED);
	ck_assert_str_eq(outcome.status.message,
			 "unknown service tester.Ghost");
	ctx_unref(ctx);
	fixture_stop(&f);
}
END_TEST

START_TEST(a_message_over_the_limit_is_refused)
{
	Tester__Text request = TESTER__TEXT__INIT;
	uint8_t bytes[1001] = { 0 };

	request.blob = (ProtobufCBinaryData){ sizeof(bytes), bytes };
	check_refused("Echo", &request, STATUS_RESOURCE_EXHAUSTED, "larger");
}
END_TEST

START_TEST(garbage_is_refused)
{
	/* A length that reaches beyond the end. */
	uint8_t bytes[] = { 0x7F, 'x' };
	ProtobufCMessageUnknownField field = {
		1, PROTOBUF_C_WIRE_TYPE_LENGTH_PREFIXED, 2, bytes
	};
	Tester__Text request = TESTER__TEXT__INIT;

	request.base.n_unknown_fields = 1;
	request.base.unknown_fields = &field;
	check_refused("Echo", &request, STATUS_INVALID_ARGUMENT, "");
}
END_TEST

START_TEST(text_that_is_not_utf8_is_refused)
{
	Tester__Text request = TESTER__TEXT__INIT;

	request.text = (char *)(uintptr_t) "\xFF";
	check_refused("Echo", &request, STATUS_INVALID_ARGUMENT, "text");
}
END_TEST

START_TEST(deep_nesting_is_refused)
{
	static Tester__Text texts[66];

	for (int i = 0; i < 66; i++) {
		tester__text__init(&texts[i]);
		texts[i].inner = i + 1 < 66 ? &texts[i + 1] : NULL;
	}
	check_refused("Echo", texts, STATUS_INVALID_ARGUMENT, "");
}
END_TEST

START_TEST(garbage_on_a_stream_ends_the_receive)
{
	struct fixture f;
	struct flow flow;
	struct ctx *ctx;

	fixture_start(&f);
	ctx = fixture_ctx(&f, 10000);
	flow_open(&flow, &f, ctx, "Listen");
	flow_send(&flow, "\xFF");
	signal_await(&f.seen.ended, 1);
	ck_assert_int_eq(f.seen.end.code, STATUS_INVALID_ARGUMENT);
	signal_await(&flow.ended, 1);
	ck_assert_int_eq(flow.status.code, STATUS_INVALID_ARGUMENT);
	ctx_unref(ctx);
	fixture_stop(&f);
}
END_TEST

START_TEST(a_response_over_the_clients_limit_is_refused)
{
	Tester__Text request = TESTER__TEXT__INIT;
	uint8_t bytes[1001] = { 0 };
	struct fixture f;
	struct outcome outcome;

	fixture_init(&f);
	f.channel_options.message_max = 1000;
	fixture_start_server(&f);
	fixture_start_client(&f);
	request.blob = (ProtobufCBinaryData){ sizeof(bytes), bytes };
	call_message(&f, "Echo", &request, &outcome);
	ck_assert_int_eq(outcome.status.code, STATUS_RESOURCE_EXHAUSTED);
	ck_assert(!outcome.has_response);
	fixture_stop(&f);
}
END_TEST

START_TEST(calls_over_the_limit_are_refused)
{
	Tester__Text request = TESTER__TEXT__INIT;
	struct fixture f;
	struct outcome first, second;
	struct ctx *ctx;

	fixture_init(&f);
	f.server_options.in_flight_max = 1;
	fixture_start_server(&f);
	fixture_start_client(&f);
	ctx = fixture_ctx(&f, 10000);
	outcome_init(&first);
	call_begin(&f, ctx, "Wait", &request, NULL, &first);
	signal_await(&f.seen.arrived, 1);
	ck_assert_uint_eq(rpc_server_in_flight(f.server), 1);
	call_text(&f, "Echo", "no room", &second);
	ck_assert_int_eq(second.status.code, STATUS_RESOURCE_EXHAUSTED);
	ck_assert_str_eq(second.status.message,
			 "too many calls in flight (limit 1)");
	call_text(&f, "Always", "any room", &second);
	ck_assert_int_eq(second.status.code, STATUS_OK);
	ck_assert_uint_eq(rpc_server_in_flight(f.server), 1);
	fixture_release(&f);
	outcome_await(&first);
	ck_assert_str_eq(first.text, "released");
	call_text(&f, "Echo", "room", &second);
	ck_assert_int_eq(second.status.code, STATUS_OK);
	ctx_unref(ctx);
	fixture_stop(&f);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("calls");

	tcase_add_test(tc, a_unary_call_brings_back_its_answer);
	tcase_add_test(tc, an_empty_message_is_a_message);
	tcase_add_test(tc, a_large_message_arrives_whole);
	tcase_add_test(tc, an_answer_may_be_packed_already);
	tcase_add_test(tc, many_calls_share_a_connection);
	tcase_add_test(tc, a_server_stream_brings_all_messages_and_the_status);
	tcase_add_test(tc, a_handler_may_send_and_finish_from_any_thread);
	tcase_add_test(tc, a_stream_may_end_with_its_only_message);
	tcase_add_test(tc, a_client_stream_is_answered_after_its_half_close);
	tcase_add_test(tc, a_bidirectional_stream_alternates);
	tcase_add_test(tc, a_stream_may_begin_with_its_first_message);
	tcase_add_test(tc, a_stream_may_begin_on_the_loops_thread);
	tcase_add_test(tc, sends_wait_for_their_turn);
	tcase_add_test(tc, a_status_travels_with_code_message_and_details);
	tcase_add_test(tc, every_code_is_told_as_it_is);
	tcase_add_test(tc, cancelled_that_we_did_not_ask_for_is_unavailable);
	tcase_add_test(tc, metadata_travels_both_ways);
	tcase_add_test(tc, binary_metadata_travels_as_it_is);
	tcase_add_test(tc, metadata_that_http2_cannot_carry_is_encoded);
	tcase_add_test(tc, the_request_id_of_the_ctx_is_that_of_the_call);
	tcase_add_test(tc, the_trace_of_the_ctx_is_continued_by_the_call);
	tcase_add_test(tc, an_unknown_method_is_unimplemented);
	tcase_add_test(tc, an_unknown_service_is_unimplemented);
	tcase_add_test(tc, a_message_over_the_limit_is_refused);
	tcase_add_test(tc, garbage_is_refused);
	tcase_add_test(tc, text_that_is_not_utf8_is_refused);
	tcase_add_test(tc, deep_nesting_is_refused);
	tcase_add_test(tc, garbage_on_a_stream_ends_the_receive);
	tcase_add_test(tc, a_response_over_the_clients_limit_is_refused);
	tcase_add_test(tc, calls_over_the_limit_are_refused);
	return run_case(tc, "rpc_calls");
}
