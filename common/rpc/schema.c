#include "rpc/schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rpc/schema_internal.h"

/* Field numbers of descriptor.proto. */
enum {
	SET_FILE = 1,
	FILE_NAME = 1,
	FILE_DEPENDENCY = 3,
};
enum { FILES_MAX = 4096 }; /* of one index */

/* ---- adding ------------------------------------------------------------- */

/* The name of a well-formed file; false if it isn't one. */
static bool check_file(const struct wire_field *file,
		       struct wire_field *ret_name)
{
	return schema_text(file->data, file->size, FILE_NAME, ret_name) &&
	       ret_name->size > 0 && ret_name->size < SCHEMA_NAME_MAX &&
	       schema_walk(NULL, NULL, file);
}

static void add_file(struct schema_index *index, const struct wire_field *file,
		     const struct wire_field *name)
{
	const char *text = (const char *)name->data;
	struct schema_entry *entry;
	struct schema_symbol *symbol;

	if (schema_table_get(&index->files, text, name->size) != NULL) {
		return;
	}
	entry = schema_must(calloc(1, sizeof(*entry)));
	symbol = schema_table_put(&index->files, text, name->size, entry);
	entry->file.name = symbol->name;
	entry->file.data = file->data;
	entry->file.size = file->size;
	entry->index = index->entry_count;
	index->entries =
		schema_must(reallocarray(index->entries, index->entry_count + 1,
					 sizeof(struct schema_entry *)));
	index->entries[index->entry_count++] = entry;
	(void)schema_walk(index, entry, file); /* was checked before */
}

enum status_code schema_index_add(struct schema_index *index,
				  const struct rpc_schema *schema,
				  struct status *reterr)
{
	struct wire wire = wire_of(schema->data, schema->size);
	struct wire_field file;
	struct wire_field name;
	enum wire_result result;
	size_t count = 0;

	while ((result = wire_next(&wire, &file)) == WIRE_FIELD) {
		if (file.number == SET_FILE &&
		    (file.type != WIRE_LEN || !check_file(&file, &name) ||
		     ++count > FILES_MAX - index->entry_count)) {
			break;
		}
	}
	if (result != WIRE_END) {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "schema: file %zu is not a file descriptor, "
				  "or one too many",
				  count + 1);
	}
	wire = wire_of(schema->data, schema->size);
	while (wire_next(&wire, &file) == WIRE_FIELD) {
		if (file.number == SET_FILE && check_file(&file, &name)) {
			add_file(index, &file, &name);
		}
	}
	return STATUS_OK;
}

struct schema_index *schema_index_new(void)
{
	return schema_must(calloc(1, sizeof(struct schema_index)));
}

void schema_index_free(struct schema_index *index)
{
	if (index == NULL) {
		return;
	}
	for (size_t i = 0; i < index->entry_count; i++) {
		free(index->entries[i]);
	}
	free(index->entries);
	schema_table_release(&index->files);
	schema_table_release(&index->symbols);
	schema_table_release(&index->extensions);
	free(index);
}

/* ---- asking ------------------------------------------------------------- */

static const struct schema_file *file_of(const struct schema_symbol *symbol)
{
	return symbol != NULL ? &symbol->entry->file : NULL;
}

const struct schema_file *schema_file_by_name(const struct schema_index *index,
					      const char *name)
{
	return file_of(schema_table_get(&index->files, name, strlen(name)));
}

const struct schema_file *
schema_file_by_symbol(const struct schema_index *index, const char *symbol)
{
	return file_of(
		schema_table_get(&index->symbols, symbol, strlen(symbol)));
}

const struct schema_file *
schema_file_by_extension(const struct schema_index *index, const char *type,
			 int32_t number)
{
	char key[SCHEMA_NAME_MAX + 16];
	int length = snprintf(key, sizeof(key), "%s#%d", type, number);

	if (length < 0 || (size_t)length >= sizeof(key)) {
		return NULL;
	}
	return file_of(
		schema_table_get(&index->extensions, key, (size_t)length));
}

long schema_extensions_of(const struct schema_index *index, const char *type,
			  int32_t *ret_numbers, size_t max)
{
	const struct schema_table *table = &index->extensions;
	size_t size = strlen(type);
	const struct schema_symbol *symbol =
		schema_table_get(&index->symbols, type, size);
	size_t count = 0;

	if (symbol == NULL || symbol->kind != KIND_MESSAGE) {
		return -1;
	}
	for (size_t i = 0; i < table->bucket_count; i++) {
		for (symbol = table->buckets[i]; symbol != NULL;
		     symbol = symbol->next) {
			if (symbol->type_size != size ||
			    memcmp(symbol->name, type, size) != 0) {
				continue;
			}
			if (count < max) {
				ret_numbers[count] = symbol->number;
			}
			count++;
		}
	}
	return (long)count;
}

bool schema_method(const struct schema_index *index, const char *service,
		   const char *method, struct schema_method *ret_method)
{
	const struct schema_symbol *symbol;
	char name[SCHEMA_NAME_MAX];
	int length = snprintf(name, sizeof(name), "%s.%s", service, method);

	if (length < 0 || (size_t)length >= sizeof(name)) {
		return false;
	}
	symbol = schema_table_get(&index->symbols, name, (size_t)length);
	if (symbol == NULL || symbol->kind != KIND_METHOD) {
		return false;
	}
	*ret_method = symbol->method;
	return true;
}

/* ---- closure ------------------------------------------------------------ */

/* A file on the path of the search, and how far its imports were followed. */
struct step {
	struct schema_entry *entry;
	struct wire imports;
};

static struct schema_entry *next_import(const struct schema_index *index,
					struct step *step, const bool *seen)
{
	struct wire_field field;

	while (wire_next(&step->imports, &field) == WIRE_FIELD) {
		struct schema_symbol *symbol;

		if (field.number != FILE_DEPENDENCY || field.type != WIRE_LEN) {
			continue;
		}
		symbol = schema_table_get(&index->files,
					  (const char *)field.data, field.size);
		if (symbol != NULL && !seen[symbol->entry->index]) {
			return symbol->entry;
		}
	}
	return NULL;
}

static void enter(struct step *step, struct schema_entry *entry, bool *seen)
{
	seen[entry->index] = true;
	step->entry = entry;
	step->imports = wire_of(entry->file.data, entry->file.size);
}

/*
 * Depth first, each file noted when all that it imports has been: read
 * backwards that is every file before its imports. A path holds a file once, so
 * it is no longer than there are files, even if a hostile set imports in a
 * circle.
 */
static size_t search(const struct schema_index *index,
		     struct schema_entry *first, struct step *path, bool *seen,
		     struct schema_entry **done)
{
	size_t count = 0;
	size_t depth = 1;

	enter(&path[0], first, seen);
	while (depth > 0) {
		struct schema_entry *import =
			next_import(index, &path[depth - 1], seen);

		if (import != NULL) {
			enter(&path[depth++], import, seen);
		} else {
			done[count++] = path[--depth].entry;
		}
	}
	return count;
}

size_t schema_closure(const struct schema_index *index,
		      const struct schema_file *file,
		      const struct schema_file **ret_files, size_t max)
{
	const struct schema_symbol *symbol =
		schema_table_get(&index->files, file->name, strlen(file->name));
	size_t n = index->entry_count;
	struct step *path;
	struct schema_entry **done;
	bool *seen;
	size_t count;

	if (symbol == NULL) {
		return 0;
	}
	path = schema_must(calloc(n, sizeof(*path)));
	done = schema_must(calloc(n, sizeof(struct schema_entry *)));
	seen = schema_must(calloc(n, sizeof(*seen)));
	count = search(index, symbol->entry, path, seen, done);
	for (size_t i = 0; i < count && i < max; i++) {
		ret_files[i] = &done[count - 1 - i]->file;
	}
	free(seen);
	free(done);
	free(path);
	return count;
}
