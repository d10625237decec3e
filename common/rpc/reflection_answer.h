/*
 * The answer to one request of server reflection: bytes to bytes, no server.
 * The messages of v1 and v1alpha are the same on the wire.
 */
#ifndef RESCIND_RPC_REFLECTION_ANSWER_H
#define RESCIND_RPC_REFLECTION_ANSWER_H

#include "rpc/schema.h"

/* A request names one thing; more than this is not meant well. */
enum { REFLECTION_REQUEST_SIZE_MAX = 16384 };

/* What there is to tell. Borrowed. */
struct reflection_source {
	const struct schema_index *index;
	const char *const *services; /* full names */
	size_t service_count;
};

/*
 * Answer the ServerReflectionRequest @request. What can't be found is answered
 * too, with an error_response. *ret_response is malloc'd.
 * INVALID_ARGUMENT when it is no such message, or is too large.
 */
MUSTCHECK enum status_code
reflection_answer(const struct reflection_source *source,
		  const uint8_t *request, size_t size, uint8_t **ret_response,
		  size_t *ret_size, struct status *reterr);

#endif
