#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rpc/schema_internal.h"

enum { BUCKET_NR_FIRST = 64 };

void *schema_must(void *memory)
{
	if (memory == NULL) {
		fprintf(stderr, "schema: out of memory\n");
		abort();
	}
	return memory;
}

/* FNV-1a. The names come from the program's own schemas, not from callers. */
static uint64_t hash_of(const char *name, size_t size)
{
	uint64_t hash = 0xcbf29ce484222325;

	for (size_t i = 0; i < size; i++) {
		hash = (hash ^ (uint8_t)name[i]) * 0x100000001b3;
	}
	return hash;
}

struct schema_symbol *schema_table_get(const struct schema_table *table,
				       const char *name, size_t size)
{
	uint64_t hash = hash_of(name, size);
	struct schema_symbol *symbol;

	if (table->bucket_count == 0) {
		return NULL;
	}
	symbol = table->buckets[hash & (table->bucket_count - 1)];
	while (symbol != NULL &&
	       (symbol->hash != hash || symbol->size != size ||
		memcmp(symbol->name, name, size) != 0)) {
		symbol = symbol->next;
	}
	return symbol;
}

static void table_grow(struct schema_table *table)
{
	size_t count = table->bucket_count > 0 ? table->bucket_count * 2
					       : BUCKET_NR_FIRST;
	struct schema_symbol **buckets =
		schema_must(calloc(count, sizeof(struct schema_symbol *)));

	for (size_t i = 0; i < table->bucket_count; i++) {
		struct schema_symbol *symbol = table->buckets[i];

		while (symbol != NULL) {
			struct schema_symbol *next = symbol->next;
			struct schema_symbol **bucket =
				&buckets[symbol->hash & (count - 1)];

			symbol->next = *bucket;
			*bucket = symbol;
			symbol = next;
		}
	}
	free(table->buckets);
	table->buckets = buckets;
	table->bucket_count = count;
}

struct schema_symbol *schema_table_put(struct schema_table *table,
				       const char *name, size_t size,
				       struct schema_entry *entry)
{
	struct schema_symbol *symbol = schema_table_get(table, name, size);
	struct schema_symbol **bucket;

	if (symbol != NULL) {
		return symbol;
	}
	if (table->count == table->bucket_count) {
		table_grow(table);
	}
	symbol = schema_must(calloc(1, sizeof(*symbol) + size + 1));
	symbol->hash = hash_of(name, size);
	symbol->entry = entry;
	symbol->size = size;
	memcpy(symbol->name, name, size);
	bucket = &table->buckets[symbol->hash & (table->bucket_count - 1)];
	symbol->next = *bucket;
	*bucket = symbol;
	table->count++;
	return symbol;
}

void schema_table_release(struct schema_table *table)
{
	for (size_t i = 0; i < table->bucket_count; i++) {
		while (table->buckets[i] != NULL) {
			struct schema_symbol *symbol = table->buckets[i];

			table->buckets[i] = symbol->next;
			free(symbol);
		}
	}
	free(table->buckets);
}
