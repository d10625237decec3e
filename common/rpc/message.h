/*
 * Between protobuf-c's messages and gRPC's bytes: packing into slices, and
 * unpacking into an arena - one allocation a message where there would be one a
 * field, and for small messages none.
 */
#ifndef RESCIND_RPC_MESSAGE_H
#define RESCIND_RPC_MESSAGE_H

#include <grpc/byte_buffer.h>
#include <grpc/grpc.h>
#include <grpc/slice.h>

#include "rpc/rpc.h"

enum { ARENA_INLINE_SIZE = 768 };

/*
 * Memory that is released all at once. Must not move once initialized.
 * Thread-safety: none.
 */
struct arena {
	ProtobufCAllocator allocator; /* protobuf-c's view of it */
	uint8_t *at;
	uint8_t *end;
	struct arena_chunk *chunks;
	_Alignas(16) uint8_t inline_bytes[ARENA_INLINE_SIZE];
};

void arena_init(struct arena *arena);
/* Release everything in it; it can be used again. */
void arena_clear(struct arena *arena);
/* Never NULL. Aligned for anything. */
void *arena_alloc(struct arena *arena, size_t size);
/* A copy of @size bytes with a NUL behind. */
char *arena_text(struct arena *arena, const void *data, size_t size);

/* @message serialized. The slice is the caller's. */
grpc_slice message_pack(const ProtobufCMessage *message);

/*
 * Check and unpack @bytes (NULL is an empty message) into @arena, with which
 * the message lives and dies. INVALID_ARGUMENT when they are not a @descriptor.
 */
MUSTCHECK enum status_code
message_unpack(const ProtobufCMessageDescriptor *descriptor,
	       grpc_byte_buffer *bytes, struct arena *arena,
	       ProtobufCMessage **ret_message, struct status *reterr);

#endif
