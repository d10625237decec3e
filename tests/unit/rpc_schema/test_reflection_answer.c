#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "grpc/reflection/v1/reflection.pb-c.h"
#include "rpc/reflection_answer.h"
#include "shapes_schema.h"

typedef Grpc__Reflection__V1__ServerReflectionRequest Request;
typedef Grpc__Reflection__V1__ServerReflectionResponse Response;

#define REQUEST_INIT GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__INIT
#define ASKS(kind)                                                             \
	GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_##kind
#define HAS(kind)                                                              \
	GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_##kind

static const char *const services[] = { "a.First", "shapes.Forest" };
static struct reflection_source source;

static void setup(void)
{
	struct schema_index *index = schema_index_new();
	struct status st;

	ck_assert_int_eq(schema_index_add(index, &shapes_schema, &st),
			 STATUS_OK);
	source = (struct reflection_source){ index, services, 2 };
}

static void teardown(void)
{
	schema_index_free((struct schema_index *)(uintptr_t)source.index);
}

/* Ask, and look at what every response holds. */
static Response *ask(Request *request)
{
	uint8_t data[1024];
	size_t size = grpc__reflection__v1__server_reflection_request__pack(
		request, data);
	uint8_t *bytes;
	struct status st;
	Response *response;

	ck_assert_msg(reflection_answer(&source, data, size, &bytes, &size,
					&st) == STATUS_OK,
		      "%s", st.message);
	response = grpc__reflection__v1__server_reflection_response__unpack(
		NULL, size, bytes);
	free(bytes);
	ck_assert_ptr_nonnull(response);
	ck_assert_str_eq(response->valid_host, request->host);
	ck_assert_ptr_nonnull(response->original_request);
	ck_assert_int_eq(response->original_request->message_request_case,
			 request->message_request_case);
	return response;
}

static void done(Response *response)
{
	grpc__reflection__v1__server_reflection_response__free_unpacked(
		response, NULL);
}

static void check_failed(Request *request, int code, const char *message)
{
	Response *response = ask(request);

	ck_assert_int_eq(response->message_response_case, HAS(ERROR_RESPONSE));
	ck_assert_int_eq(response->error_response->error_code, code);
	ck_assert_str_eq(response->error_response->error_message, message);
	done(response);
}

static void check_shapes(Request *request)
{
	const Grpc__Reflection__V1__FileDescriptorResponse *files;
	const struct schema_file *file =
		schema_file_by_name(source.index, "shapes.proto");
	Response *response = ask(request);

	ck_assert_int_eq(response->message_response_case,
			 HAS(FILE_DESCRIPTOR_RESPONSE));
	files = response->file_descriptor_response;
	ck_assert_uint_eq(files->n_file_descriptor_proto, 2);
	ck_assert_uint_eq(files->file_descriptor_proto[0].len, file->size);
	ck_assert_mem_eq(files->file_descriptor_proto[0].data, file->data,
			 file->size);
	done(response);
}

START_TEST(a_file_comes_with_all_that_it_imports)
{
	Request request = REQUEST_INIT;
	char name[] = "shapes.proto";
	char host[] = "some.host:1";

	request.host = host;
	request.message_request_case = ASKS(FILE_BY_FILENAME);
	request.file_by_filename = name;
	check_shapes(&request);
}
END_TEST

START_TEST(a_symbol_is_answered_by_its_file)
{
	Request request = REQUEST_INIT;
	char name[] = "shapes.Forest.Chat";

	request.message_request_case = ASKS(FILE_CONTAINING_SYMBOL);
	request.file_containing_symbol = name;
	check_shapes(&request);
}
END_TEST

START_TEST(an_extension_is_answered_by_the_file_that_declares_it)
{
	Grpc__Reflection__V1__ExtensionRequest extension =
		GRPC__REFLECTION__V1__EXTENSION_REQUEST__INIT;
	Request request = REQUEST_INIT;
	char type[] = "shapes.base.Point";

	extension.containing_type = type;
	extension.extension_number = 100;
	request.message_request_case = ASKS(FILE_CONTAINING_EXTENSION);
	request.file_containing_extension = &extension;
	check_shapes(&request);
	extension.extension_number = 150;
	check_failed(&request, STATUS_NOT_FOUND,
		     "no extension 150 of 'shapes.base.Point'");
}
END_TEST

START_TEST(extension_numbers_are_listed)
{
	Request request = REQUEST_INIT;
	char type[] = "shapes.base.Point";
	Response *response;

	request.message_request_case = ASKS(ALL_EXTENSION_NUMBERS_OF_TYPE);
	request.all_extension_numbers_of_type = type;
	response = ask(&request);
	ck_assert_int_eq(response->message_response_case,
			 HAS(ALL_EXTENSION_NUMBERS_RESPONSE));
	ck_assert_str_eq(
		response->all_extension_numbers_response->base_type_name, type);
	ck_assert_uint_eq(
		response->all_extension_numbers_response->n_extension_number,
		2);
	done(response);
	type[0] = 'S';
	check_failed(&request, STATUS_NOT_FOUND,
		     "no message type 'Shapes.base.Point'");
}
END_TEST

START_TEST(all_services_are_listed)
{
	Request request = REQUEST_INIT;
	Response *response;
	char star[] = "*";

	request.message_request_case = ASKS(LIST_SERVICES);
	request.list_services = star;
	response = ask(&request);
	ck_assert_int_eq(response->message_response_case,
			 HAS(LIST_SERVICES_RESPONSE));
	ck_assert_uint_eq(response->list_services_response->n_service, 2);
	for (int i = 0; i < 2; i++) {
		ck_assert_str_eq(
			response->list_services_response->service[i]->name,
			services[i]);
	}
	done(response);
}
END_TEST

START_TEST(what_is_not_there_is_not_found)
{
	Request request = REQUEST_INIT;
	char name[] = "nothing";

	request.message_request_case = ASKS(FILE_BY_FILENAME);
	request.file_by_filename = name;
	check_failed(&request, STATUS_NOT_FOUND, "no file 'nothing'");
	request.message_request_case = ASKS(FILE_CONTAINING_SYMBOL);
	check_failed(&request, STATUS_NOT_FOUND, "no symbol 'nothing'");
}
END_TEST

START_TEST(a_request_for_nothing_known_is_unimplemented)
{
	Request request = REQUEST_INIT;

	check_failed(&request, STATUS_UNIMPLEMENTED,
		     "the request asks for nothing that is known here");
}
END_TEST

START_TEST(bytes_that_are_no_request_are_refused)
{
	const uint8_t garbage[] = { 0x0a, 0x05, 'x' };
	const uint8_t not_text[] = { 0x22, 0x01, 0xff };
	uint8_t *response;
	struct status st;
	size_t size;

	ck_assert_int_eq(reflection_answer(&source, garbage, sizeof(garbage),
					   &response, &size, &st),
			 STATUS_INVALID_ARGUMENT);
	ck_assert_int_eq(reflection_answer(&source, not_text, sizeof(not_text),
					   &response, &size, &st),
			 STATUS_INVALID_ARGUMENT);
	ck_assert_ptr_nonnull(strstr(st.message, "file_containing_symbol"));
}
END_TEST

START_TEST(a_request_beyond_the_limit_is_refused)
{
	static uint8_t large[REFLECTION_REQUEST_SIZE_MAX + 1];
	uint8_t *response;
	struct status st;
	size_t size;

	ck_assert_int_eq(reflection_answer(&source, large, sizeof(large),
					   &response, &size, &st),
			 STATUS_INVALID_ARGUMENT);
	ck_assert_ptr_nonnull(strstr(st.message, "over the limit"));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("reflection_answer");
	TCase *tc = tcase_create("reflection_answer");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_file_comes_with_all_that_it_imports);
	tcase_add_test(tc, a_symbol_is_answered_by_its_file);
	tcase_add_test(tc,
		       an_extension_is_answered_by_the_file_that_declares_it);
	tcase_add_test(tc, extension_numbers_are_listed);
	tcase_add_test(tc, all_services_are_listed);
	tcase_add_test(tc, what_is_not_there_is_not_found);
	tcase_add_test(tc, a_request_for_nothing_known_is_unimplemented);
	tcase_add_test(tc, bytes_that_are_no_request_are_refused);
	tcase_add_test(tc, a_request_beyond_the_limit_is_refused);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
