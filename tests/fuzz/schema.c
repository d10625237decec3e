/* Bytes as a descriptor set: an index that took them can be asked anything. */
#include "rpc/schema.h"

#include "fuzz.h"
#include "rpc/wire.h"

static void look_at(const struct schema_index *index, const char *name)
{
	const struct schema_file *files[4];
	const struct schema_file *file = schema_file_by_name(index, name);
	struct schema_method method;
	int32_t numbers[4];

	if (file != NULL) {
		MUST(schema_closure(index, file, files, 4) >= 1);
		MUST(files[0] == file);
	}
	(void)schema_file_by_symbol(index, name);
	(void)schema_file_by_extension(index, name, 1);
	(void)schema_extensions_of(index, name, numbers, 4);
	(void)schema_method(index, name, name, &method);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rpc_schema schema = { data, size };
	struct schema_index *index = schema_index_new();
	struct wire wire = wire_of(data, size);
	struct wire_field file;
	struct wire_field name;
	struct status st;

	if (schema_index_add(index, &schema, &st) == STATUS_OK) {
		look_at(index, "worker.WorkerService");
		while (wire_next(&wire, &file) == WIRE_FIELD) {
			char text[64];

			if (file.type == WIRE_LEN &&
			    wire_find(file.data, file.size, 1, WIRE_LEN,
				      &name) == WIRE_FIELD) {
				snprintf(text, sizeof(text), "%.*s",
					 (int)name.size,
					 (const char *)name.data);
				look_at(index, text);
			}
		}
	}
	schema_index_free(index);
	return 0;
}
