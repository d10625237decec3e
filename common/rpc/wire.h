/*
 * A reader of protobuf's wire format that never trusts its input: it looks at
 * no byte outside of what it was given, and what it returns lies inside.
 *
 *	struct wire wire = wire_of(data, size);
 *	struct wire_field field;
 *	enum wire_result result;
 *
 *	while ((result = wire_next(&wire, &field)) == WIRE_FIELD) {
 *		...
 *	}
 *	if (result == WIRE_BAD) {
 *		// malformed; fields before this one were returned
 *	}
 *
 * It is as strict as protobuf-c's unpacking: what passes here as a field is one
 * there too. Groups are malformed to both.
 * Source: https://protobuf.dev/programming-guides/encoding/.
 */
#ifndef RESCIND_RPC_WIRE_H
#define RESCIND_RPC_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum wire_type {
	WIRE_VARINT = 0,
	WIRE_I64 = 1,
	WIRE_LEN = 2,
	WIRE_GROUP_START = 3,
	WIRE_GROUP_END = 4,
	WIRE_I32 = 5,
};

enum wire_result {
	WIRE_END,   /* nothing is left */
	WIRE_FIELD, /* here is the next */
	WIRE_BAD,   /* what is left is malformed */
};

struct wire {
	const uint8_t *at;
	const uint8_t *end;
};

struct wire_field {
	uint32_t number;
	enum wire_type type;
	uint64_t value;	     /* VARINT */
	const uint8_t *data; /* LEN: content; I32, I64: the bytes */
	size_t size;
};

static inline struct wire wire_of(const uint8_t *data, size_t size)
{
	/* No arithmetic on NULL: an empty message may have no bytes at all. */
	return (struct wire){ data, size > 0 ? data + size : data };
}

/* The next field. After WIRE_END or WIRE_BAD @wire stays where it is. */
enum wire_result wire_next(struct wire *wire, struct wire_field *ret_field);

/* The next base-128 number of a packed field; false if there is no whole one.
 */
bool wire_varint(struct wire *wire, uint64_t *ret_value);

/*
 * The value of the last field @number of @data that has the type @type, as
 * protobuf has the last one count. WIRE_END when there is none.
 */
enum wire_result wire_find(const uint8_t *data, size_t size, uint32_t number,
			   enum wire_type type, struct wire_field *ret_field);

/* Well-formed UTF-8 (no surrogates, nothing overlong) without NUL. */
bool wire_is_text(const uint8_t *data, size_t size);

#endif
