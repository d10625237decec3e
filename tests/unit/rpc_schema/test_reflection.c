#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "grpc/reflection/v1/reflection.pb-c.h"
#include "grpc/reflection/v1alpha/reflection.pb-c.h"
#include "rpc/reflection_answer.h"

typedef Grpc__Reflection__V1__ServerReflectionRequest Request;
typedef Grpc__Reflection__V1__ServerReflectionResponse Response;

#define ASKS(kind)                                                             \
	GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_##kind
#define HAS(kind)                                                              \
	GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_##kind

/* Every test runs with both; what they carry is the same on the wire. */
static const ProtobufCServiceDescriptor *const versions[] = {
	&grpc__reflection__v1__server_reflection__descriptor,
	&grpc__reflection__v1alpha__server_reflection__descriptor,
};
enum { VERSION_NR = 2 };

static struct fixture fixture;

static void setup(void)
{
	fixture_start(&fixture);
}

static void teardown(void)
{
	fixture_stop(&fixture);
}

static void open_stream(struct stream *stream, int version)
{
	stream_open(stream, &fixture, versions[version],
		    "ServerReflectionInfo");
}

static void ask_symbol(struct stream *stream, char *symbol)
{
	Request request = GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__INIT;

	request.message_request_case = ASKS(FILE_CONTAINING_SYMBOL);
	request.file_containing_symbol = symbol;
	stream_send(stream, &request.base);
}

static Response *next(struct stream *stream)
{
	ProtobufCMessage *message = stream_next(
		stream,
		&grpc__reflection__v1__server_reflection_response__descriptor);

	ck_assert_msg(message != NULL, "%s", stream->end.message);
	return (Response *)(void *)message;
}

static void done(Response *response)
{
	protobuf_c_message_free_unpacked(&response->base, NULL);
}

START_TEST(all_services_are_listed_itself_too)
{
	static const char *const names[] = {
		"grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection",
		"grpc.reflection.v1alpha.ServerReflection", "shapes.Forest"
	};
	Request request = GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__INIT;
	struct stream stream;
	Response *response;
	char star[] = "*";

	open_stream(&stream, _i);
	request.message_request_case = ASKS(LIST_SERVICES);
	request.list_services = star;
	stream_send(&stream, &request.base);
	response = next(&stream);
	ck_assert_int_eq(response->message_response_case,
			 HAS(LIST_SERVICES_RESPONSE));
	ck_assert_uint_eq(response->list_services_response->n_service, 4);
	for (int i = 0; i < 4; i++) {
		ck_assert_str_eq(
			response->list_services_response->service[i]->name,
			names[i]);
	}
	done(response);
	stream_cancel(&stream);
	stream_release(&stream);
}
END_TEST

START_TEST(requests_of_one_stream_are_answered_in_order)
{
	static const char *const symbols[] = {
		"shapes.Forest", "no.Such", "grpc.health.v1.Health.Watch",
		"grpc.reflection.v1alpha.ErrorResponse"
	};
	static const size_t files[] = { 2, 0, 1, 1 };
	struct stream stream;

	open_stream(&stream, _i);
	for (int i = 0; i < 4; i++) {
		ask_symbol(&stream, (char *)(uintptr_t)symbols[i]);
	}
	stream_close_send(&stream);
	for (int i = 0; i < 4; i++) {
		Response *response = next(&stream);

		ck_assert_str_eq(
			response->original_request->file_containing_symbol,
			symbols[i]);
		if (files[i] == 0) {
			ck_assert_int_eq(response->error_response->error_code,
					 STATUS_NOT_FOUND);
		} else {
			ck_assert_uint_eq(response->file_descriptor_response
						  ->n_file_descriptor_proto,
					  files[i]);
		}
		done(response);
	}
	check_end(&stream, STATUS_OK);
	stream_release(&stream);
}
END_TEST

START_TEST(a_request_beyond_the_limit_ends_the_stream)
{
	static char symbol[REFLECTION_REQUEST_SIZE_MAX + 1];
	struct stream stream;

	memset(symbol, 's', sizeof(symbol) - 1);
	open_stream(&stream, _i);
	ask_symbol(&stream, symbol);
	check_end(&stream, STATUS_INVALID_ARGUMENT);
	ck_assert_ptr_nonnull(strstr(stream.end.message, "over the limit"));
	stream_release(&stream);
}
END_TEST

START_TEST(open_streams_do_not_hold_up_the_end_of_a_server)
{
	struct stream stream;
	char symbol[] = "shapes.Forest";

	open_stream(&stream, _i);
	ask_symbol(&stream, symbol);
	done(next(&stream));
	fixture_stop_server(&fixture);
	check_end(&stream, STATUS_UNAVAILABLE);
	stream_release(&stream);
}
END_TEST

/* More than can be open at once: ended ones leave their place to others. */
START_TEST(many_streams_one_after_another_are_served)
{
	struct stream stream;
	char symbol[] = "shapes.Forest";

	for (size_t i = 0; i < 600; i++) {
		open_stream(&stream, _i);
		if (i % 2 == 0) {
			ask_symbol(&stream, symbol);
			done(next(&stream));
			stream_close_send(&stream);
			check_end(&stream, STATUS_OK);
		} else {
			stream_cancel(&stream);
		}
		stream_release(&stream);
	}
}
END_TEST

START_TEST(streams_at_once_have_a_limit)
{
	static struct stream streams[257];
	char symbol[] = "shapes.Forest";

	for (size_t i = 0; i < 256; i++) {
		open_stream(&streams[i], _i);
		ask_symbol(&streams[i], symbol);
		done(next(&streams[i]));
	}
	open_stream(&streams[256], _i);
	check_end(&streams[256], STATUS_RESOURCE_EXHAUSTED);
	stream_release(&streams[256]);
	for (size_t i = 0; i < 256; i++) {
		stream_cancel(&streams[i]);
		stream_release(&streams[i]);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("reflection");
	TCase *tc = tcase_create("reflection");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tc, 30);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, all_services_are_listed_itself_too, 0,
			    VERSION_NR);
	tcase_add_loop_test(tc, requests_of_one_stream_are_answered_in_order, 0,
			    VERSION_NR);
	tcase_add_loop_test(tc, a_request_beyond_the_limit_ends_the_stream, 0,
			    VERSION_NR);
	tcase_add_loop_test(tc, open_streams_do_not_hold_up_the_end_of_a_server,
			    0, VERSION_NR);
	tcase_add_loop_test(tc, many_streams_one_after_another_are_served, 0,
			    VERSION_NR);
	tcase_add_loop_test(tc, streams_at_once_have_a_limit, 0, VERSION_NR);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
