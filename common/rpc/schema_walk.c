#include <stdio.h>
#include <string.h>

#include "rpc/schema_internal.h"

/*
 * How descriptors nest, as field numbers of descriptor.proto. Every element has
 * its name in field 1, except that a file gives its package in field 2.
 */
enum { CHILD_NR = 9 };

static const uint8_t children[KIND_NR][CHILD_NR] = {
	[KIND_FILE] = { [4] = KIND_MESSAGE,
			[5] = KIND_ENUM,
			[6] = KIND_SERVICE,
			[7] = KIND_EXTENSION },
	[KIND_MESSAGE] = { [2] = KIND_FIELD,
			   [3] = KIND_MESSAGE,
			   [4] = KIND_ENUM,
			   [6] = KIND_EXTENSION,
			   [8] = KIND_ONEOF },
	[KIND_ENUM] = { [2] = KIND_VALUE },
	[KIND_SERVICE] = { [2] = KIND_METHOD },
};

enum {
	NAME = 1,
	FILE_PACKAGE = 2,
	EXTENSION_EXTENDEE = 2,
	EXTENSION_NUMBER = 3,
	METHOD_CLIENT_STREAMING = 5,
	METHOD_SERVER_STREAMING = 6,

	DEPTH_MAX = 64,
};

/*
 * One walk over a file, to check it (index is NULL) or to enter its symbols. A
 * set is checked as a whole before anything of it is entered, so that a bad one
 * leaves the index as it was.
 */
struct walk {
	struct schema_index *index;
	struct schema_entry *entry;
	unsigned depth;
	size_t size;
	char scope[SCHEMA_NAME_MAX]; /* full name of the element */
};

bool schema_text(const uint8_t *data, size_t size, uint32_t number,
		 struct wire_field *ret_text)
{
	enum wire_result result =
		wire_find(data, size, number, WIRE_LEN, ret_text);

	if (result == WIRE_END) {
		ret_text->size = 0;
	}
	return result != WIRE_BAD &&
	       (ret_text->size == 0 ||
		wire_is_text(ret_text->data, ret_text->size));
}

/* Go into the scope of @name; false if the full name is too long. */
static bool walk_push(struct walk *walk, const struct wire_field *name)
{
	size_t dot = walk->size > 0 && name->size > 0;

	if (name->size >= sizeof(walk->scope) - walk->size - dot) {
		return false;
	}
	if (dot > 0) {
		walk->scope[walk->size] = '.';
	}
	if (name->size > 0) {
		memcpy(walk->scope + walk->size + dot, name->data, name->size);
	}
	walk->size += dot + name->size;
	return true;
}

static bool read_flag(const uint8_t *data, size_t size, uint32_t number)
{
	struct wire_field field;

	return wire_find(data, size, number, WIRE_VARINT, &field) ==
		       WIRE_FIELD &&
	       field.value != 0;
}

/* An extension is found by its name, and by the type and number it extends. */
static bool walk_extension(struct walk *walk, const uint8_t *data, size_t size)
{
	struct wire_field type;
	struct wire_field number;
	struct schema_symbol *symbol;
	char key[SCHEMA_NAME_MAX + 16];
	int length;

	if (!schema_text(data, size, EXTENSION_EXTENDEE, &type) ||
	    wire_find(data, size, EXTENSION_NUMBER, WIRE_VARINT, &number) !=
		    WIRE_FIELD ||
	    type.size < 2 || type.data[0] != '.' ||
	    type.size > SCHEMA_NAME_MAX) {
		return false;
	}
	if (walk->index == NULL) {
		return true;
	}
	length = snprintf(key, sizeof(key), "%.*s#%d", (int)type.size - 1,
			  (const char *)type.data + 1, (int32_t)number.value);
	symbol = schema_table_put(&walk->index->extensions, key, (size_t)length,
				  walk->entry);
	symbol->number = (int32_t)number.value;
	symbol->type_size = type.size - 1;
	return true;
}

static bool walk_enter(struct walk *walk, enum schema_kind kind,
		       const uint8_t *data, size_t size)
{
	struct schema_symbol *symbol;

	if (kind == KIND_EXTENSION && !walk_extension(walk, data, size)) {
		return false;
	}
	if (kind == KIND_FILE || walk->index == NULL) {
		return true;
	}
	symbol = schema_table_put(&walk->index->symbols, walk->scope,
				  walk->size, walk->entry);
	if (symbol->kind != KIND_NONE) {
		return true; /* another file had the name first */
	}
	symbol->kind = kind;
	if (kind == KIND_METHOD) {
		symbol->method.client_streams =
			read_flag(data, size, METHOD_CLIENT_STREAMING);
		symbol->method.server_streams =
			read_flag(data, size, METHOD_SERVER_STREAMING);
	}
	return true;
}

static bool walk_element(struct walk *walk, enum schema_kind kind,
			 const uint8_t *data, size_t size);

static bool walk_children(struct walk *walk, enum schema_kind kind,
			  const uint8_t *data, size_t size)
{
	struct wire wire = wire_of(data, size);
	struct wire_field field;
	enum wire_result result;

	while ((result = wire_next(&wire, &field)) == WIRE_FIELD) {
		enum schema_kind child = field.number < CHILD_NR
						 ? children[kind][field.number]
						 : KIND_NONE;

		if (child != KIND_NONE &&
		    (field.type != WIRE_LEN ||
		     !walk_element(walk, child, field.data, field.size))) {
			return false;
		}
	}
	return result == WIRE_END;
}

static bool walk_element(struct walk *walk, enum schema_kind kind,
			 const uint8_t *data, size_t size)
{
	size_t outside = walk->size;
	struct wire_field name;
	bool ok;

	if (!schema_text(data, size, kind == KIND_FILE ? FILE_PACKAGE : NAME,
			 &name) ||
	    (name.size == 0 && kind != KIND_FILE) || walk->depth == DEPTH_MAX ||
	    !walk_push(walk, &name) || !walk_enter(walk, kind, data, size)) {
		return false;
	}
	if (kind == KIND_ENUM) {
		walk->size = outside; /* values are siblings of their enum */
	}
	walk->depth++;
	ok = walk_children(walk, kind, data, size);
	walk->depth--;
	walk->size = outside;
	return ok;
}

bool schema_walk(struct schema_index *index, struct schema_entry *entry,
		 const struct wire_field *file)
{
	struct walk walk = { .index = index, .entry = entry };

	return walk_element(&walk, KIND_FILE, file->data, file->size);
}
