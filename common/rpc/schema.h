/*
 * An index over descriptor sets: symbols, files, extensions, and which methods
 * stream. Reads the serialized descriptors directly; the bytes stay where they
 * are. Thread-safety: immutable once built.
 */
#ifndef RESCIND_RPC_SCHEMA_H
#define RESCIND_RPC_SCHEMA_H

#include "rpc/rpc.h"

struct schema_index;

struct schema_file {
	const char *name;    /* "worker.proto" */
	const uint8_t *data; /* serialized FileDescriptorProto */
	size_t size;
};

struct schema_method {
	bool client_streams;
	bool server_streams;
};

struct schema_index *schema_index_new(void);
void schema_index_free(struct schema_index *index);

/* Add all files of a set; a file that is there already (by name) is skipped.
 * INVALID_ARGUMENT when the bytes are not a descriptor set. */
MUSTCHECK enum status_code schema_index_add(struct schema_index *index,
					    const struct rpc_schema *schema,
					    struct status *reterr);

const struct schema_file *schema_file_by_name(const struct schema_index *index,
					      const char *name);
/* Any symbol: message, field, oneof, enum, enum value, service, method. */
const struct schema_file *
schema_file_by_symbol(const struct schema_index *index, const char *symbol);
const struct schema_file *
schema_file_by_extension(const struct schema_index *index, const char *type,
			 int32_t number);
/* Numbers of the extensions of @type; returns the count, -1 if no such type. */
long schema_extensions_of(const struct schema_index *index, const char *type,
			  int32_t *ret_numbers, size_t max);
/* @file and all that it imports, dependencies after dependents; the count. */
size_t schema_closure(const struct schema_index *index,
		      const struct schema_file *file,
		      const struct schema_file **ret_files, size_t max);
/* "pkg.Service" and "Method"; false if there is none. */
bool schema_method(const struct schema_index *index, const char *service,
		   const char *method, struct schema_method *ret_method);

#endif
