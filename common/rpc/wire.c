#include "rpc/wire.h"

#include <limits.h>
#include <string.h>

#include "text/utf8.h"

enum {
	VARINT_SIZE_MAX = 10,
	TAG_SIZE_MAX = 5,
	LENGTH_SIZE_MAX = 5,
};

/* A number of at most @size_max bytes. */
static bool read_number(struct wire *wire, size_t size_max, uint64_t *ret_value)
{
	size_t left = (size_t)(wire->end - wire->at);
	size_t max = left < size_max ? left : size_max;
	uint64_t value = 0;

	for (size_t i = 0; i < max; i++) {
		uint8_t byte = wire->at[i];

		value |= (uint64_t)(byte & 0x7f) << (7 * i);
		if (byte < 0x80) {
			wire->at += i + 1;
			*ret_value = value;
			return true;
		}
	}
	return false;
}

bool wire_varint(struct wire *wire, uint64_t *ret_value)
{
	if (wire->at < wire->end && *wire->at < 0x80) {
		*ret_value = *wire->at++;
		return true;
	}
	return read_number(wire, VARINT_SIZE_MAX, ret_value);
}

static bool read_tag(struct wire *wire, struct wire_field *field)
{
	uint64_t tag;

	if (wire->at < wire->end && *wire->at < 0x80) {
		tag = *wire->at++;
	} else if (!read_number(wire, TAG_SIZE_MAX, &tag)) {
		return false;
	}
	field->type = (enum wire_type)(tag & 7);
	field->number = (uint32_t)(tag >> 3);
	return field->number != 0 && tag <= UINT32_MAX;
}

static bool read_bytes(struct wire *wire, uint64_t size,
		       struct wire_field *field)
{
	if (size > (uint64_t)(wire->end - wire->at)) {
		return false;
	}
	field->data = wire->at;
	field->size = (size_t)size;
	wire->at += size;
	return true;
}

static bool read_delimited(struct wire *wire, struct wire_field *field)
{
	uint64_t size;

	if (wire->at < wire->end && *wire->at < 0x80) {
		size = *wire->at++;
	} else if (!read_number(wire, LENGTH_SIZE_MAX, &size)) {
		return false;
	}
	return size <= INT_MAX && read_bytes(wire, size, field);
}

static bool read_value(struct wire *wire, struct wire_field *field)
{
	switch (field->type) {
	case WIRE_VARINT:
		return wire_varint(wire, &field->value);
	case WIRE_I64:
		return read_bytes(wire, 8, field);
	case WIRE_LEN:
		return read_delimited(wire, field);
	case WIRE_I32:
		return read_bytes(wire, 4, field);
	case WIRE_GROUP_START:
	case WIRE_GROUP_END:
	default:
		return false;
	}
}

enum wire_result wire_next(struct wire *wire, struct wire_field *ret_field)
{
	struct wire next = *wire;

	if (wire->at == wire->end) {
		return WIRE_END;
	}
	if (!read_tag(&next, ret_field) || !read_value(&next, ret_field)) {
		return WIRE_BAD;
	}
	*wire = next;
	return WIRE_FIELD;
}

enum wire_result wire_find(const uint8_t *data, size_t size, uint32_t number,
			   enum wire_type type, struct wire_field *ret_field)
{
	struct wire wire = wire_of(data, size);
	struct wire_field field;
	enum wire_result found = WIRE_END;
	enum wire_result result;

	while ((result = wire_next(&wire, &field)) == WIRE_FIELD) {
		if (field.number == number && field.type == type) {
			*ret_field = field;
			found = WIRE_FIELD;
		}
	}
	return result == WIRE_BAD ? WIRE_BAD : found;
}

/* ---- text --------------------------------------------------------------- */

bool wire_is_text(const uint8_t *data, size_t size)
{
	return size == 0 || (memchr(data, '\0', size) == NULL &&
			     utf8_is_valid((const char *)data, size));
}
