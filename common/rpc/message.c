/* Arena, packing, unpacking. */
#include "rpc/message.h"

#include <grpc/byte_buffer_reader.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "loop/bug.h"
#include "rpc/validate.h"

enum {
	ARENA_ALIGN = 16,
	CHUNK_SIZE = 4096, /* of chunks for small things */
};

struct arena_chunk {
	alignas(ARENA_ALIGN) struct arena_chunk *next;
};

/* ---- arena -------------------------------------------------------------- */

static void *allocator_alloc(void *data, size_t size)
{
	return arena_alloc(data, size);
}

/* All at once, with the arena. */
static void allocator_free(void *data, void *pointer)
{
	(void)data;
	(void)pointer;
}

void arena_init(struct arena *arena)
{
	arena->allocator = (ProtobufCAllocator){
		.alloc = allocator_alloc,
		.free = allocator_free,
		.allocator_data = arena,
	};
	arena->at = arena->inline_bytes;
	arena->end = arena->inline_bytes + sizeof(arena->inline_bytes);
	arena->chunks = NULL;
}

void arena_clear(struct arena *arena)
{
	struct arena_chunk *chunk = arena->chunks;

	while (chunk != NULL) {
		struct arena_chunk *next = chunk->next;

		free(chunk);
		chunk = next;
	}
	arena->chunks = NULL;
	arena->at = arena->inline_bytes;
	arena->end = arena->inline_bytes + sizeof(arena->inline_bytes);
}

static uint8_t *chunk_new(struct arena *arena, size_t size)
{
	struct arena_chunk *chunk = malloc(sizeof(*chunk) + size);

	BUG_IF(chunk == NULL, "out of memory for a message");
	chunk->next = arena->chunks;
	arena->chunks = chunk;
	return (uint8_t *)(chunk + 1);
}

void *arena_alloc(struct arena *arena, size_t size)
{
	uint8_t *bytes = arena->at;

	BUG_IF(size > SIZE_MAX / 2, "absurd size of a message");
	size = (size + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
	if (size > (size_t)(arena->end - arena->at)) {
		if (size > CHUNK_SIZE / 4) {
			return chunk_new(arena, size);
		}
		bytes = chunk_new(arena, CHUNK_SIZE);
		arena->end = bytes + CHUNK_SIZE;
	}
	arena->at = bytes + size;
	return bytes;
}

char *arena_text(struct arena *arena, const void *data, size_t size)
{
	char *text = arena_alloc(arena, size + 1);

	if (size > 0) {
		memcpy(text, data, size);
	}
	text[size] = '\0';
	return text;
}

/* ---- messages ----------------------------------------------------------- */

grpc_slice message_pack(const ProtobufCMessage *message)
{
	size_t size = protobuf_c_message_get_packed_size(message);
	grpc_slice slice = grpc_slice_malloc(size);

	protobuf_c_message_pack(message, GRPC_SLICE_START_PTR(slice));
	return slice;
}

static enum status_code unpack(const ProtobufCMessageDescriptor *descriptor,
			       const uint8_t *data, size_t size,
			       struct arena *arena,
			       ProtobufCMessage **ret_message,
			       struct status *reterr)
{
	if (!rpc_validate(descriptor, data, size, reterr)) {
		return reterr != NULL ? reterr->code : STATUS_INVALID_ARGUMENT;
	}
	*ret_message = protobuf_c_message_unpack(descriptor, &arena->allocator,
						 size, data);
	if (*ret_message == NULL) {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "the message is not a %s", descriptor->name);
	}
	return STATUS_OK;
}

/* protobuf-c wants its bytes in one piece, as small messages come. */
static enum status_code
unpack_pieces(const ProtobufCMessageDescriptor *descriptor,
	      grpc_byte_buffer *bytes, struct arena *arena,
	      ProtobufCMessage **ret_message, struct status *reterr)
{
	grpc_byte_buffer_reader reader;
	grpc_slice whole;
	enum status_code code;

	if (!grpc_byte_buffer_reader_init(&reader, bytes)) {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "the message can't be read");
	}
	whole = grpc_byte_buffer_reader_readall(&reader);
	grpc_byte_buffer_reader_destroy(&reader);
	code = unpack(descriptor, GRPC_SLICE_START_PTR(whole),
		      GRPC_SLICE_LENGTH(whole), arena, ret_message, reterr);
	grpc_slice_unref(whole);
	return code;
}

enum status_code message_unpack(const ProtobufCMessageDescriptor *descriptor,
				grpc_byte_buffer *bytes, struct arena *arena,
				ProtobufCMessage **ret_message,
				struct status *reterr)
{
	static const uint8_t nothing[1];
	const grpc_slice_buffer *slices =
		bytes != NULL ? &bytes->data.raw.slice_buffer : NULL;

	if (slices == NULL || slices->count == 0) {
		return unpack(descriptor, nothing, 0, arena, ret_message,
			      reterr);
	}
	if (slices->count == 1 &&
	    bytes->data.raw.compression == GRPC_COMPRESS_NONE) {
		const grpc_slice *slice = &slices->slices[0];

		return unpack(descriptor, GRPC_SLICE_START_PTR(*slice),
			      GRPC_SLICE_LENGTH(*slice), arena, ret_message,
			      reterr);
	}
	return unpack_pieces(descriptor, bytes, arena, ret_message, reterr);
}
