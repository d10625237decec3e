/*
 * Metadata and statuses on their way to and from gRPC's slices. What arrives is
 * made fit to be shown (UTF-8 without NUL), what leaves is made fit for HTTP/2.
 */
#ifndef RESCIND_RPC_METADATA_H
#define RESCIND_RPC_METADATA_H

#include <grpc/grpc.h>
#include <grpc/slice.h>

#include "rpc/message.h"
#include "rpc/rpc.h"

enum {
	METADATA_INLINE = 4,
	REQUEST_ID_SIZE = 256, /* longer ones are cut, NUL included */
};

/* Metadata to be sent: owns its slices. */
struct metadata_out {
	grpc_metadata *items; /* inline_items, or allocated */
	size_t count;
	size_t capacity;
	grpc_metadata inline_items[METADATA_INLINE];
};

void metadata_out_init(struct metadata_out *out);
void metadata_out_release(struct metadata_out *out);
/*
 * Copies. @key must be legal (lower-case; anything else stops the process). In
 * values of keys that do not end in "-bin" bytes that HTTP/2 can't carry are
 * percent-encoded.
 */
void metadata_out_add(struct metadata_out *out, const char *key,
		      const void *value, size_t size);
/* request-id and traceparent of @ctx. */
void metadata_out_add_facts(struct metadata_out *out, const struct ctx *ctx);

/* The value of the first @key, or NULL. */
const grpc_slice *metadata_find(const grpc_metadata_array *in, const char *key);
/* Set request-id and traceparent of @in on @ctx. */
void metadata_set_facts(const grpc_metadata_array *in, struct ctx *ctx);
/* What users are shown; keys and values get a NUL behind, in @arena. */
struct rpc_metadata metadata_view(const grpc_metadata_array *in,
				  struct arena *arena);

/* Copy into a status, or out of it. Numbers outside of the list are UNKNOWN. */
struct status status_from_wire(grpc_status_code code, grpc_slice text);
grpc_slice status_text_to_wire(const struct status *status);

/* Copy @data into @ret as UTF-8 with '?' for every byte that is none, cut to
 * fit, NUL behind. */
void text_clean(const uint8_t *data, size_t size, char *ret, size_t ret_size);

gpr_timespec deadline_to_wire(int64_t deadline_ns);
int64_t deadline_from_wire(gpr_timespec deadline);

#endif
