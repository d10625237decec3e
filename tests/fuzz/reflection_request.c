/* The bytes of a reflection request: the answer to a good one is well-formed.
 */
#include "rpc/reflection_answer.h"

#include "fuzz.h"
#include "grpc/reflection/v1/reflection.pb-c.h"
#include "rpc/validate.h"
#include "shapes_schema.h"

static const struct reflection_source *source(void)
{
	static const char *const services[] = { "shapes.Forest" };
	static struct reflection_source source = { NULL, services, 1 };
	struct schema_index *index;
	struct status st;

	if (source.index == NULL) {
		index = schema_index_new();
		MUST(schema_index_add(index, &shapes_schema, &st) == STATUS_OK);
		source.index = index;
	}
	return &source;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *response;
	size_t response_size;
	struct status st;

	if (reflection_answer(source(), data, size, &response, &response_size,
			      &st) != STATUS_OK) {
		MUST(st.code == STATUS_INVALID_ARGUMENT);
		return 0;
	}
	MUST(rpc_validate(
		&grpc__reflection__v1__server_reflection_response__descriptor,
		response, response_size, &st));
	free(response);
	return 0;
}
