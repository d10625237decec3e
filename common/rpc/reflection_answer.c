#include "rpc/reflection_answer.h"

#include <stdlib.h>

#include "grpc/reflection/v1/reflection.pb-c.h"
#include "rpc/validate.h"

typedef Grpc__Reflection__V1__ServerReflectionRequest Request;
typedef Grpc__Reflection__V1__ServerReflectionResponse Response;

#define REQUEST(kind)                                                          \
	GRPC__REFLECTION__V1__SERVER_REFLECTION_REQUEST__MESSAGE_REQUEST_##kind
#define RESPONSE(kind)                                                         \
	GRPC__REFLECTION__V1__SERVER_REFLECTION_RESPONSE__MESSAGE_RESPONSE_##kind

/* A response and the parts that one of its kinds is made of. */
struct answer {
	Response response;
	Grpc__Reflection__V1__FileDescriptorResponse files;
	Grpc__Reflection__V1__ExtensionNumberResponse numbers;
	Grpc__Reflection__V1__ListServiceResponse list;
	Grpc__Reflection__V1__ErrorResponse error;
	struct status failed; /* holds the text of error */
	void *memory[2];      /* arrays that the parts point to */
};

static void answer_init(struct answer *answer, Request *request)
{
	grpc__reflection__v1__server_reflection_response__init(
		&answer->response);
	grpc__reflection__v1__file_descriptor_response__init(&answer->files);
	grpc__reflection__v1__extension_number_response__init(&answer->numbers);
	grpc__reflection__v1__list_service_response__init(&answer->list);
	grpc__reflection__v1__error_response__init(&answer->error);
	answer->memory[0] = NULL;
	answer->memory[1] = NULL;
	answer->response.valid_host = request->host;
	answer->response.original_request = request;
}

static void answer_release(struct answer *answer)
{
	free(answer->memory[0]);
	free(answer->memory[1]);
}

/* Let the answer be answer->failed, which the caller has set. */
static void answer_failed(struct answer *answer)
{
	answer->error.error_code = (int32_t)answer->failed.code;
	answer->error.error_message = answer->failed.message;
	answer->response.error_response = &answer->error;
	answer->response.message_response_case = RESPONSE(ERROR_RESPONSE);
}

static void *answer_array(struct answer *answer, int slot, size_t count,
			  size_t size)
{
	/* calloc() of nothing may be NULL without memory being out. */
	answer->memory[slot] = calloc(count + 1, size);
	if (answer->memory[slot] == NULL) {
		status_set(&answer->failed, STATUS_RESOURCE_EXHAUSTED,
			   "out of memory");
		answer_failed(answer);
	}
	return answer->memory[slot];
}

/* ---- kinds -------------------------------------------------------------- */

/* @file and all that it imports: a client needs them to make sense of it. */
static void answer_file(struct answer *answer,
			const struct reflection_source *source,
			const struct schema_file *file)
{
	size_t count = schema_closure(source->index, file, NULL, 0);
	const struct schema_file **files =
		answer_array(answer, 0, count, sizeof(struct schema_file *));
	ProtobufCBinaryData *data =
		answer_array(answer, 1, count, sizeof(*data));

	if (files == NULL || data == NULL) {
		return;
	}
	(void)schema_closure(source->index, file, files, count);
	for (size_t i = 0; i < count; i++) {
		data[i].len = files[i]->size;
		/* Only read from: protobuf-c has no const for it. */
		data[i].data = (uint8_t *)(uintptr_t)files[i]->data;
	}
	answer->files.n_file_descriptor_proto = count;
	answer->files.file_descriptor_proto = data;
	answer->response.file_descriptor_response = &answer->files;
	answer->response.message_response_case =
		RESPONSE(FILE_DESCRIPTOR_RESPONSE);
}

static void answer_file_or_none(struct answer *answer,
				const struct reflection_source *source,
				const struct schema_file *file,
				const char *what, const char *name)
{
	if (file != NULL) {
		answer_file(answer, source, file);
		return;
	}
	status_set(&answer->failed, STATUS_NOT_FOUND, "no %s '%s'", what, name);
	answer_failed(answer);
}

static void
answer_extension(struct answer *answer, const struct reflection_source *source,
		 const Grpc__Reflection__V1__ExtensionRequest *asked)
{
	const struct schema_file *file = schema_file_by_extension(
		source->index, asked->containing_type, asked->extension_number);

	if (file != NULL) {
		answer_file(answer, source, file);
		return;
	}
	status_set(&answer->failed, STATUS_NOT_FOUND, "no extension %d of '%s'",
		   asked->extension_number, asked->containing_type);
	answer_failed(answer);
}

static void answer_numbers(struct answer *answer,
			   const struct reflection_source *source, char *type)
{
	long count = schema_extensions_of(source->index, type, NULL, 0);
	int32_t *numbers;

	if (count < 0) {
		answer_file_or_none(answer, source, NULL, "message type", type);
		return;
	}
	numbers = answer_array(answer, 0, (size_t)count, sizeof(*numbers));
	if (numbers == NULL) {
		return;
	}
	(void)schema_extensions_of(source->index, type, numbers, (size_t)count);
	answer->numbers.base_type_name = type;
	answer->numbers.n_extension_number = (size_t)count;
	answer->numbers.extension_number = numbers;
	answer->response.all_extension_numbers_response = &answer->numbers;
	answer->response.message_response_case =
		RESPONSE(ALL_EXTENSION_NUMBERS_RESPONSE);
}

static void answer_list(struct answer *answer,
			const struct reflection_source *source)
{
	size_t count = source->service_count;
	Grpc__Reflection__V1__ServiceResponse *services =
		answer_array(answer, 0, count, sizeof(*services));
	Grpc__Reflection__V1__ServiceResponse **list =
		answer_array(answer, 1, count,
			     sizeof(Grpc__Reflection__V1__ServiceResponse *));

	if (services == NULL || list == NULL) {
		return;
	}
	for (size_t i = 0; i < count; i++) {
		grpc__reflection__v1__service_response__init(&services[i]);
		/* Only read from, as above. */
		services[i].name = (char *)(uintptr_t)source->services[i];
		list[i] = &services[i];
	}
	answer->list.n_service = count;
	answer->list.service = list;
	answer->response.list_services_response = &answer->list;
	answer->response.message_response_case =
		RESPONSE(LIST_SERVICES_RESPONSE);
}

/* ---- the whole ---------------------------------------------------------- */

static void answer_request(struct answer *answer,
			   const struct reflection_source *source,
			   Request *request)
{
	const struct schema_index *index = source->index;
	const char *name;

	switch ((int)request->message_request_case) {
	case REQUEST(FILE_BY_FILENAME):
		name = request->file_by_filename;
		answer_file_or_none(answer, source,
				    schema_file_by_name(index, name), "file",
				    name);
		break;
	case REQUEST(FILE_CONTAINING_SYMBOL):
		name = request->file_containing_symbol;
		answer_file_or_none(answer, source,
				    schema_file_by_symbol(index, name),
				    "symbol", name);
		break;
	case REQUEST(FILE_CONTAINING_EXTENSION):
		answer_extension(answer, source,
				 request->file_containing_extension);
		break;
	case REQUEST(ALL_EXTENSION_NUMBERS_OF_TYPE):
		answer_numbers(answer, source,
			       request->all_extension_numbers_of_type);
		break;
	case REQUEST(LIST_SERVICES):
		answer_list(answer, source);
		break;
	case REQUEST(_NOT_SET):
	default:
		status_set(&answer->failed, STATUS_UNIMPLEMENTED,
			   "the request asks for nothing that is known here");
		answer_failed(answer);
		break;
	}
}

static enum status_code unpack(const uint8_t *data, size_t size,
			       Request **ret_request, struct status *reterr)
{
	if (size > REFLECTION_REQUEST_SIZE_MAX) {
		status_set(reterr, STATUS_INVALID_ARGUMENT,
			   "a reflection request of %zu bytes is over "
			   "the limit of %d",
			   size, REFLECTION_REQUEST_SIZE_MAX);
		return STATUS_INVALID_ARGUMENT;
	}
	if (!rpc_validate(
		    &grpc__reflection__v1__server_reflection_request__descriptor,
		    data, size, reterr)) {
		return STATUS_INVALID_ARGUMENT;
	}
	*ret_request = grpc__reflection__v1__server_reflection_request__unpack(
		NULL, size, data);
	if (*ret_request == NULL) {
		status_set(reterr, STATUS_RESOURCE_EXHAUSTED, "out of memory");
		return STATUS_RESOURCE_EXHAUSTED;
	}
	return STATUS_OK;
}

enum status_code reflection_answer(const struct reflection_source *source,
				   const uint8_t *request, size_t size,
				   uint8_t **ret_response, size_t *ret_size,
				   struct status *reterr)
{
	struct answer answer;
	Request *asked = NULL;
	enum status_code code = unpack(request, size, &asked, reterr);

	if (code != STATUS_OK) {
		return code;
	}
	answer_init(&answer, asked);
	answer_request(&answer, source, asked);
	size = grpc__reflection__v1__server_reflection_response__get_packed_size(
		&answer.response);
	*ret_response = malloc(size + 1);
	if (*ret_response == NULL) {
		code = status_set(reterr, STATUS_RESOURCE_EXHAUSTED,
				  "out of memory");
	} else {
		*ret_size =
			grpc__reflection__v1__server_reflection_response__pack(
				&answer.response, *ret_response);
	}
	answer_release(&answer);
	grpc__reflection__v1__server_reflection_request__free_unpacked(asked,
								       NULL);
	return code;
}
