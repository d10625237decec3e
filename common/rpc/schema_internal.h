/*
 * The inside of a schema index, shared by the files that fill it and search it.
 */
#ifndef RESCIND_RPC_SCHEMA_INTERNAL_H
#define RESCIND_RPC_SCHEMA_INTERNAL_H

#include "rpc/schema.h"
#include "rpc/wire.h"

enum { SCHEMA_NAME_MAX = 1024 }; /* of a file or symbol, NUL included */

/* What has a name of its own in a file. */
enum schema_kind {
	KIND_NONE,
	KIND_FILE,
	KIND_MESSAGE,
	KIND_FIELD,
	KIND_ONEOF,
	KIND_ENUM,
	KIND_VALUE,
	KIND_SERVICE,
	KIND_METHOD,
	KIND_EXTENSION,
	KIND_NR
};

struct schema_entry {
	struct schema_file file;
	size_t index; /* in order of arrival */
};

/* ---- tables ------------------------------------------------------------- */

/* A name in a table: of a file, of a symbol, or "type#number". */
struct schema_symbol {
	struct schema_symbol *next; /* in its bucket */
	uint64_t hash;
	struct schema_entry *entry;
	enum schema_kind kind;
	struct schema_method method;
	int32_t number;	  /* of an extension */
	size_t type_size; /* of an extension: the part before '#' */
	size_t size;
	char name[];
};

/* A hash table that owns its symbols. All zero is an empty one. */
struct schema_table {
	struct schema_symbol **buckets;
	size_t bucket_count; /* a power of two, or 0 */
	size_t count;
};

struct schema_symbol *schema_table_get(const struct schema_table *table,
				       const char *name, size_t size);
/* The new symbol (kind NONE), or the one that had the name already. */
struct schema_symbol *schema_table_put(struct schema_table *table,
				       const char *name, size_t size,
				       struct schema_entry *entry);
void schema_table_release(struct schema_table *table);

/* @memory, unless it is NULL: then memory is out, and the process stops. */
void *schema_must(void *memory);

/* ---- the index ---------------------------------------------------------- */

struct schema_index {
	struct schema_entry **entries;
	size_t entry_count;
	struct schema_table files;
	struct schema_table symbols;
	struct schema_table extensions;
};

/*
 * Enter all symbols of @file into @index as @entry's, or with @index NULL only
 * look whether that could be done. False if @file is no file descriptor.
 */
bool schema_walk(struct schema_index *index, struct schema_entry *entry,
		 const struct wire_field *file);

/*
 * The text in field @number of the descriptor @data; size 0 if there is none.
 * False if @data is malformed or it isn't text.
 */
bool schema_text(const uint8_t *data, size_t size, uint32_t number,
		 struct wire_field *ret_text);

#endif
