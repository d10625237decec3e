#include "rpc/validate.h"

#include "rpc/wire.h"

/* ---- sentences ---------------------------------------------------------- */

static bool refuse_message(const ProtobufCMessageDescriptor *descriptor,
			   const struct wire *wire, const uint8_t *start,
			   struct status *reterr)
{
	status_set(reterr, STATUS_INVALID_ARGUMENT,
		   "%s: malformed or unsupported bytes at offset %zu",
		   descriptor->name, (size_t)(wire->at - start));
	return false;
}

static bool refuse_field(const ProtobufCMessageDescriptor *descriptor,
			 const ProtobufCFieldDescriptor *known,
			 const char *what, struct status *reterr)
{
	if (known->name == NULL) { /* generated with optimize_for=CODE_SIZE */
		status_set(reterr, STATUS_INVALID_ARGUMENT, "%s: field %u %s",
			   descriptor->name, known->id, what);
	} else {
		status_set(reterr, STATUS_INVALID_ARGUMENT, "%s: field '%s' %s",
			   descriptor->name, known->name, what);
	}
	return false;
}

/* ---- types -------------------------------------------------------------- */

static enum wire_type wire_type_of(ProtobufCType type)
{
	switch (type) {
	case PROTOBUF_C_TYPE_SFIXED32:
	case PROTOBUF_C_TYPE_FIXED32:
	case PROTOBUF_C_TYPE_FLOAT:
		return WIRE_I32;
	case PROTOBUF_C_TYPE_SFIXED64:
	case PROTOBUF_C_TYPE_FIXED64:
	case PROTOBUF_C_TYPE_DOUBLE:
		return WIRE_I64;
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_BYTES:
	case PROTOBUF_C_TYPE_MESSAGE:
		return WIRE_LEN;
	case PROTOBUF_C_TYPE_INT32:
	case PROTOBUF_C_TYPE_SINT32:
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_INT64:
	case PROTOBUF_C_TYPE_SINT64:
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_BOOL:
	case PROTOBUF_C_TYPE_ENUM:
	default:
		return WIRE_VARINT;
	}
}

/* Whole numbers of @type side by side. */
static bool is_packed(enum wire_type type, const struct wire_field *field)
{
	struct wire wire = wire_of(field->data, field->size);
	uint64_t value;

	if (type == WIRE_I32) {
		return field->size % 4 == 0;
	}
	if (type == WIRE_I64) {
		return field->size % 8 == 0;
	}
	while (wire.at < wire.end) {
		if (!wire_varint(&wire, &value)) {
			return false;
		}
	}
	return true;
}

/* ---- the walk ----------------------------------------------------------- */

static bool check_message(const ProtobufCMessageDescriptor *descriptor,
			  const uint8_t *data, size_t size, unsigned depth,
			  struct status *reterr);

static bool check_delimited(const ProtobufCMessageDescriptor *descriptor,
			    const ProtobufCFieldDescriptor *known,
			    const struct wire_field *field, unsigned depth,
			    struct status *reterr)
{
	if (known->type == PROTOBUF_C_TYPE_STRING) {
		return wire_is_text(field->data, field->size) ||
		       refuse_field(descriptor, known,
				    "is not valid UTF-8 without NUL", reterr);
	}
	if (known->type != PROTOBUF_C_TYPE_MESSAGE) {
		return true;
	}
	if (depth == RPC_NESTING_MAX) {
		return refuse_field(descriptor, known, "is nested too deep",
				    reterr);
	}
	return check_message(known->descriptor, field->data, field->size,
			     depth + 1, reterr);
}

static bool check_field(const ProtobufCMessageDescriptor *descriptor,
			const ProtobufCFieldDescriptor *known,
			const struct wire_field *field, unsigned depth,
			struct status *reterr)
{
	enum wire_type type = wire_type_of(known->type);

	if (field->type == type) {
		return type != WIRE_LEN ||
		       check_delimited(descriptor, known, field, depth, reterr);
	}
	if (field->type != WIRE_LEN ||
	    known->label != PROTOBUF_C_LABEL_REPEATED) {
		return refuse_field(descriptor, known,
				    "has another type on the wire", reterr);
	}
	return is_packed(type, field) ||
	       refuse_field(descriptor, known,
			    "is not a whole packed list of numbers", reterr);
}

/*
 * The declaration of field @number, or NULL. Senders write fields in the order
 * of their numbers, so the one after the last is tried first.
 */
static const ProtobufCFieldDescriptor *
find_field(const ProtobufCMessageDescriptor *descriptor, uint32_t number,
	   unsigned *guess)
{
	unsigned low = 0;
	unsigned high = descriptor->n_field_ranges;

	if (*guess < descriptor->n_fields &&
	    descriptor->fields[*guess].id == number) {
		return &descriptor->fields[(*guess)++];
	}
	while (low < high) {
		unsigned middle = low + (high - low) / 2;
		const ProtobufCIntRange *range =
			&descriptor->field_ranges[middle];
		unsigned count =
			(unsigned)(range[1].orig_index - range[0].orig_index);

		if ((int64_t)number < range->start_value) {
			high = middle;
		} else if ((int64_t)number - range->start_value >= count) {
			low = middle + 1;
		} else {
			*guess = range->orig_index + number -
				 (unsigned)range->start_value;
			return &descriptor->fields[(*guess)++];
		}
	}
	return NULL;
}

static bool check_message(const ProtobufCMessageDescriptor *descriptor,
			  const uint8_t *data, size_t size, unsigned depth,
			  struct status *reterr)
{
	struct wire wire = wire_of(data, size);
	struct wire_field field;
	enum wire_result result;
	unsigned guess = 0;

	while ((result = wire_next(&wire, &field)) == WIRE_FIELD) {
		const ProtobufCFieldDescriptor *known =
			find_field(descriptor, field.number, &guess);

		if (known != NULL &&
		    !check_field(descriptor, known, &field, depth, reterr)) {
			return false;
		}
	}
	return result == WIRE_END ||
	       refuse_message(descriptor, &wire, data, reterr);
}

bool rpc_validate(const ProtobufCMessageDescriptor *descriptor,
		  const uint8_t *data, size_t size, struct status *reterr)
{
	return check_message(descriptor, data, size, 0, reterr);
}
