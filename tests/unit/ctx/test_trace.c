#include <check.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "ctx/ctx.h"

#define TRACE_ID  "0af7651916cd43dd8448eb211c80319c"
#define PARENT_ID "b7ad6b7169203331"

static bool continues(const char *traceparent)
{
	struct trace trace = trace_continue(traceparent);
	char text[TRACEPARENT_SIZE];

	ck_assert(trace.present);
	trace_format(&trace, text);
	return strncmp(text + 3, TRACE_ID, 32) == 0;
}

START_TEST(a_trace_goes_on_with_our_span_as_the_parent)
{
	struct trace trace = trace_continue("00-" TRACE_ID "-" PARENT_ID "-01");
	char text[TRACEPARENT_SIZE];

	trace_format(&trace, text);
	ck_assert_uint_eq(strlen(text), TRACEPARENT_SIZE - 1);
	ck_assert_int_eq(strncmp(text, "00-" TRACE_ID "-", 36), 0);
	ck_assert_str_eq(text + 52, "-01");
	ck_assert_int_ne(strncmp(text + 36, PARENT_ID, 16), 0);
	ck_assert_int_eq(trace.parent_id[0], 0xb7);
	ck_assert_int_eq(trace.parent_id[7], 0x31);
}
END_TEST

START_TEST(only_the_sampled_flag_is_passed_on)
{
	struct trace trace = trace_continue("00-" TRACE_ID "-" PARENT_ID "-ff");

	ck_assert_int_eq(trace.flags, 1);
	trace = trace_continue("00-" TRACE_ID "-" PARENT_ID "-fe");
	ck_assert_int_eq(trace.flags, 0);
}
END_TEST

START_TEST(a_later_version_is_read_as_far_as_it_is_known)
{
	ck_assert(continues("01-" TRACE_ID "-" PARENT_ID "-01"));
	ck_assert(continues("cc-" TRACE_ID "-" PARENT_ID "-01-what-comes"));
	ck_assert(!continues("cc-" TRACE_ID "-" PARENT_ID "-01.what-comes"));
	ck_assert(!continues("cc-" TRACE_ID "-" PARENT_ID "-012"));
}
END_TEST

static const char *const malformed[] = {
	"",
	"00",
	"00-" TRACE_ID "-" PARENT_ID,
	"00-" TRACE_ID "-" PARENT_ID "-",
	"00-" TRACE_ID "-" PARENT_ID "-0",
	"00-" TRACE_ID "-" PARENT_ID "-01-more",
	"00-" TRACE_ID "-" PARENT_ID "-01 ",
	" 00-" TRACE_ID "-" PARENT_ID "-01",
	"ff-" TRACE_ID "-" PARENT_ID "-01",
	"0g-" TRACE_ID "-" PARENT_ID "-01",
	"00_" TRACE_ID "-" PARENT_ID "-01",
	"00-" TRACE_ID "_" PARENT_ID "-01",
	"00-" TRACE_ID "-" PARENT_ID "_01",
	"00-" TRACE_ID "-" PARENT_ID "-0x",
	"00-0AF7651916CD43DD8448EB211C80319C-" PARENT_ID "-01",
	"00-" TRACE_ID "-B7AD6B7169203331-01",
	"00-00000000000000000000000000000000-" PARENT_ID "-01",
	"00-" TRACE_ID "-0000000000000000-01",
};

START_TEST(a_malformed_header_begins_a_new_trace)
{
	static const uint8_t zero[8];
	struct trace trace = trace_continue(malformed[_i]);

	ck_assert(!continues(malformed[_i]));
	ck_assert(trace.present);
	ck_assert_mem_eq(trace.parent_id, zero, 8);
	ck_assert_mem_ne(trace.span_id, zero, 8);
}
END_TEST

static void *one_trace(void *arg)
{
	*(struct trace *)arg = trace_continue(NULL);
	return NULL;
}

START_TEST(threads_do_not_draw_the_same_ids)
{
	struct trace traces[3];
	pthread_t thread;

	for (int i = 0; i < 2; i++) {
		pthread_create(&thread, NULL, one_trace, &traces[i]);
		pthread_join(thread, NULL);
	}
	one_trace(&traces[2]);
	ck_assert_mem_ne(traces[0].trace_id, traces[1].trace_id, 16);
	ck_assert_mem_ne(traces[0].trace_id, traces[2].trace_id, 16);
	ck_assert_mem_ne(traces[0].span_id, traces[1].span_id, 8);
	one_trace(&traces[0]);
	ck_assert_mem_ne(traces[0].trace_id, traces[2].trace_id, 16);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("trace");
	TCase *tc = tcase_create("trace");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tc, a_trace_goes_on_with_our_span_as_the_parent);
	tcase_add_test(tc, only_the_sampled_flag_is_passed_on);
	tcase_add_test(tc, a_later_version_is_read_as_far_as_it_is_known);
	tcase_add_loop_test(tc, a_malformed_header_begins_a_new_trace, 0,
			    sizeof(malformed) / sizeof(malformed[0]));
	tcase_add_test(tc, threads_do_not_draw_the_same_ids);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
