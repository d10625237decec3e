#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base_schema.h"
#include "rpc/schema.h"
#include "shapes_schema.h"

static struct schema_index *index_of(const struct rpc_schema *schema)
{
	struct schema_index *index = schema_index_new();
	struct status st;

	ck_assert_msg(schema_index_add(index, schema, &st) == STATUS_OK, "%s",
		      st.message);
	return index;
}

static const char *file_of(const struct schema_index *index, const char *symbol)
{
	const struct schema_file *file = schema_file_by_symbol(index, symbol);

	return file != NULL ? file->name : "(none)";
}

START_TEST(every_kind_of_symbol_leads_to_its_file)
{
	static const char *const symbols[] = {
		"shapes.Tree",		 "shapes.Tree.children",
		"shapes.Tree.choice",	 "shapes.Tree.point",
		"shapes.Tree.Leaf",	 "shapes.Tree.Leaf.edge",
		"shapes.Tree.Leaf.Edge", "shapes.Tree.Leaf.SERRATED",
		"shapes.Colour",	 "shapes.GREEN",
		"shapes.Forest",	 "shapes.Forest.Chat",
		"shapes.label",		 "shapes.Tree.tree",
	};
	struct schema_index *index = index_of(&shapes_schema);

	for (size_t i = 0; i < sizeof(symbols) / sizeof(symbols[0]); i++) {
		ck_assert_msg(
			strcmp(file_of(index, symbols[i]), "shapes.proto") == 0,
			"%s", symbols[i]);
	}
	ck_assert_str_eq(file_of(index, "shapes.base.Point.x"), "base.proto");
	schema_index_free(index);
}
END_TEST

START_TEST(names_that_are_no_symbols_lead_nowhere)
{
	static const char *const names[] = {
		"",
		"shapes",
		"shapes.",
		".shapes.Tree",
		"Tree",
		"shapes.Tre",
		"shapes.Tree.",
		"shapes.Trees",
		"shapes.tree",
		"shapes.Colour.GREEN",
	};
	struct schema_index *index = index_of(&shapes_schema);

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		ck_assert_msg(schema_file_by_symbol(index, names[i]) == NULL,
			      "%s", names[i]);
	}
	schema_index_free(index);
}
END_TEST

START_TEST(methods_tell_which_side_streams)
{
	static const struct {
		const char *name;
		bool client, server;
	} methods[] = { { "Unary", false, false },
			{ "Upload", true, false },
			{ "Download", false, true },
			{ "Chat", true, true } };
	struct schema_index *index = index_of(&shapes_schema);
	struct schema_method method;

	for (size_t i = 0; i < 4; i++) {
		ck_assert(schema_method(index, "shapes.Forest", methods[i].name,
					&method));
		ck_assert_int_eq(method.client_streams, methods[i].client);
		ck_assert_int_eq(method.server_streams, methods[i].server);
	}
	ck_assert(!schema_method(index, "shapes.Forest", "None", &method));
	ck_assert(!schema_method(index, "shapes.Tree", "children", &method));
	ck_assert(!schema_method(index, "shapes.Forests", "Chat", &method));
	schema_index_free(index);
}
END_TEST

static int by_value(const void *a, const void *b)
{
	return *(const int32_t *)a - *(const int32_t *)b;
}

START_TEST(extensions_are_found_by_type_and_number)
{
	struct schema_index *index = index_of(&shapes_schema);
	int32_t numbers[2];

	ck_assert_str_eq(
		schema_file_by_extension(index, "shapes.base.Point", 101)->name,
		"shapes.proto");
	ck_assert_ptr_null(
		schema_file_by_extension(index, "shapes.base.Point", 102));
	ck_assert_int_eq(
		schema_extensions_of(index, "shapes.base.Point", numbers, 2),
		2);
	qsort(numbers, 2, sizeof(numbers[0]), by_value);
	ck_assert_int_eq(numbers[0], 100);
	ck_assert_int_eq(numbers[1], 101);
	ck_assert_int_eq(schema_extensions_of(index, "shapes.Tree", NULL, 0),
			 0);
	ck_assert_int_eq(schema_extensions_of(index, "shapes.Forest", NULL, 0),
			 -1);
	schema_index_free(index);
}
END_TEST

START_TEST(the_closure_puts_imports_after_importers)
{
	struct schema_index *index = index_of(&shapes_schema);
	const struct schema_file *files[2];
	const struct schema_file *file =
		schema_file_by_name(index, "shapes.proto");

	ck_assert_uint_eq(schema_closure(index, file, files, 2), 2);
	ck_assert_str_eq(files[0]->name, "shapes.proto");
	ck_assert_str_eq(files[1]->name, "base.proto");
	ck_assert_uint_eq(schema_closure(index, files[1], files, 1), 1);
	ck_assert_str_eq(files[0]->name, "base.proto");
	ck_assert_uint_eq(schema_closure(index, file, files, 0), 2);
	schema_index_free(index);
}
END_TEST

START_TEST(a_file_that_is_there_already_is_skipped)
{
	struct schema_index *index = index_of(&base_schema);
	const struct schema_file *before =
		schema_file_by_name(index, "base.proto");
	struct status st;

	ck_assert_int_eq(schema_index_add(index, &shapes_schema, &st),
			 STATUS_OK);
	ck_assert_ptr_eq(schema_file_by_name(index, "base.proto"), before);
	ck_assert_str_eq(file_of(index, "shapes.Tree"), "shapes.proto");
	schema_index_free(index);
}
END_TEST

/* A set of files that import each other: "a" imports "b", "b" imports "a". */
START_TEST(imports_in_a_circle_end)
{
	static const uint8_t set[] = "\x0a\x06\x0a\x01"
				     "a\x1a\x01"
				     "b\x0a\x06\x0a\x01"
				     "b\x1a\x01"
				     "a";
	struct rpc_schema schema = { set, sizeof(set) - 1 };
	struct schema_index *index = index_of(&schema);
	const struct schema_file *files[2];

	ck_assert_uint_eq(schema_closure(index, schema_file_by_name(index, "a"),
					 files, 2),
			  2);
	ck_assert_str_eq(files[0]->name, "a");
	ck_assert_str_eq(files[1]->name, "b");
	schema_index_free(index);
}
END_TEST

/* A whole set is refused, and leaves nothing behind, wherever it is cut. */
START_TEST(a_set_that_is_cut_leaves_the_index_as_it_was)
{
	struct schema_index *index = schema_index_new();
	size_t first = 2 + base_schema.data[1]; /* one file, short */

	for (size_t size = 1; size < shapes_schema.size; size++) {
		uint8_t *data = malloc(size);
		struct rpc_schema cut = { data, size };
		struct status st;

		if (size == first) {
			free(data);
			continue; /* the first file alone is a set */
		}
		memcpy(data, shapes_schema.data, size);
		ck_assert_int_eq(schema_index_add(index, &cut, &st),
				 STATUS_INVALID_ARGUMENT);
		free(data);
	}
	ck_assert_str_eq(file_of(index, "shapes.Tree"), "(none)");
	ck_assert_ptr_null(schema_file_by_name(index, "base.proto"));
	schema_index_free(index);
}
END_TEST

static const struct {
	const char *what;
	const char *bytes;
	size_t size;
} bad[] = {
	{ "file that is a number", "\x08\x01", 2 },
	{ "file without a name", "\x0a\x00", 2 },
	{ "file name with NUL", "\x0a\x04\x0a\x02x\0", 6 },
	{ "package that is not text", "\x0a\x06\x0a\x01x\x12\x01\xff", 8 },
	{ "message without a name", "\x0a\x05\x0a\x01x\x22\x00", 7 },
	{ "message that is a number", "\x0a\x05\x0a\x01x\x20\x00", 7 },
	{ "extension of nothing", "\x0a\x08\x0a\x01x\x3a\x03\x0a\x01y", 10 },
	{ "extension without a number",
	  "\x0a\x0c\x0a\x01x\x3a\x07\x0a\x01y\x12\x02.t", 14 },
	{ "garbage in a field",
	  "\x0a\x0d\x0a\x01x\x22\x08\x0a\x01y\x12\x03\x0a\x05z", 15 },
};

START_TEST(what_is_no_descriptor_set_is_refused)
{
	struct schema_index *index = schema_index_new();
	uint8_t *data = malloc(bad[_i].size);
	struct rpc_schema schema = { data, bad[_i].size };
	struct status st;

	memcpy(data, bad[_i].bytes, bad[_i].size);
	ck_assert_msg(schema_index_add(index, &schema, &st) ==
			      STATUS_INVALID_ARGUMENT,
		      "%s", bad[_i].what);
	ck_assert_ptr_null(schema_file_by_name(index, "x"));
	schema_index_free(index);
	free(data);
}
END_TEST

/* What is in the last @size bytes of @buf, after a name, in a field @tag. */
static size_t wrap(uint8_t *buf, size_t max, size_t size, uint8_t tag)
{
	const uint8_t name[] = { 0x0a, 1, 'm' };
	uint8_t outer[3] = { tag };

	memcpy(buf + max - size - sizeof(name), name, sizeof(name));
	size += sizeof(name);
	outer[1] = (uint8_t)(size | 0x80);
	outer[2] = (uint8_t)(size >> 7);
	memcpy(buf + max - size - sizeof(outer), outer, sizeof(outer));
	return size + sizeof(outer);
}

START_TEST(messages_nested_without_end_are_refused)
{
	struct schema_index *index = schema_index_new();
	uint8_t buf[4096];
	size_t size = 0;
	struct rpc_schema schema;
	struct status st;

	for (int i = 0; i < 400; i++) {
		size = wrap(buf, sizeof(buf), size, 0x1a);
	}
	size = wrap(buf, sizeof(buf), size, 0x22); /* message of a file */
	size = wrap(buf, sizeof(buf), size, 0x0a); /* file of a set */
	schema.data = buf + sizeof(buf) - size;
	schema.size = size;
	ck_assert_int_eq(schema_index_add(index, &schema, &st),
			 STATUS_INVALID_ARGUMENT);
	schema_index_free(index);
}
END_TEST

START_TEST(an_empty_set_is_a_set)
{
	struct rpc_schema schema = { NULL, 0 };
	struct schema_index *index = index_of(&schema);

	ck_assert_ptr_null(schema_file_by_name(index, "x"));
	ck_assert_ptr_null(schema_file_by_symbol(index, "x"));
	schema_index_free(index);
	schema_index_free(NULL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("schema");
	TCase *tc = tcase_create("schema");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tc, every_kind_of_symbol_leads_to_its_file);
	tcase_add_test(tc, names_that_are_no_symbols_lead_nowhere);
	tcase_add_test(tc, methods_tell_which_side_streams);
	tcase_add_test(tc, extensions_are_found_by_type_and_number);
	tcase_add_test(tc, the_closure_puts_imports_after_importers);
	tcase_add_test(tc, a_file_that_is_there_already_is_skipped);
	tcase_add_test(tc, imports_in_a_circle_end);
	tcase_add_test(tc, a_set_that_is_cut_leaves_the_index_as_it_was);
	tcase_add_loop_test(tc, what_is_no_descriptor_set_is_refused, 0,
			    (int)(sizeof(bad) / sizeof(bad[0])));
	tcase_add_test(tc, messages_nested_without_end_are_refused);
	tcase_add_test(tc, an_empty_set_is_a_set);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
