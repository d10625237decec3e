#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "rpc/validate.h"
#include "shapes.pb-c.h"

static const ProtobufCMessageDescriptor *tree = &shapes__tree__descriptor;

#define VALIDATE(bytes, reterr)                                                \
	rpc_validate(tree, (const uint8_t *)(bytes), sizeof(bytes) - 1, reterr)

START_TEST(what_protobuf_c_packs_passes)
{
	int32_t numbers[] = { 0, -1, 1 << 30 };
	uint32_t fours[] = { 1, 2 };
	double eights[] = { 0.5 };
	char label[] = "\xC3\xA9t\xC3\xA9";
	char *labels[] = { label, label };
	Shapes__Tree leaf = SHAPES__TREE__INIT;
	Shapes__Tree *leaves[] = { &leaf, &leaf };
	Shapes__Tree root = SHAPES__TREE__INIT;
	uint8_t buf[256];
	struct status st;

	root.n_children = 2;
	root.children = leaves;
	root.name = label;
	root.n_numbers = 3;
	root.numbers = numbers;
	root.has_raw = 1;
	root.raw.len = 3;
	root.raw.data = (uint8_t[]){ 0, 0xff, 0 };
	root.has_eight = 1;
	root.n_labels = 2;
	root.labels = labels;
	root.choice_case = SHAPES__TREE__CHOICE_NUMBER;
	root.number = -5;
	root.n_fours = 2;
	root.fours = fours;
	root.n_eights = 1;
	root.eights = eights;
	ck_assert_msg(
		rpc_validate(tree, buf, shapes__tree__pack(&root, buf), &st),
		"%s", st.message);
}
END_TEST

START_TEST(an_empty_message_without_bytes_passes)
{
	struct status st;

	ck_assert(rpc_validate(tree, NULL, 0, &st));
}
END_TEST

START_TEST(unknown_fields_pass_when_well_formed)
{
	struct status st;

	ck_assert(VALIDATE("\x40\x01\x4a\x02\xff\x00\x55\1\2\3\4", &st));
	ck_assert(!VALIDATE("\x40\x01\x4a\x03\xff\x00", &st));
}
END_TEST

START_TEST(lists_of_numbers_pass_packed_and_not)
{
	struct status st;

	ck_assert(VALIDATE("\x1a\x03\x01\x96\x01", &st));
	ck_assert(VALIDATE("\x18\x01\x18\x96\x01", &st));
	ck_assert(VALIDATE("\xe2\x12\x08\1\2\3\4\5\6\7\x08", &st));
	ck_assert(VALIDATE("\xe5\x12\1\2\3\4", &st));
}
END_TEST

/* The sentence names the message and the field. */
static const struct {
	const char *bytes;
	size_t size;
	const char *message;
} refused[] = {
	{ "\x12\x01\xff", 3,
	  "shapes.Tree: field 'name' is not valid UTF-8 without NUL" },
	{ "\x12\x03x\0y", 5,
	  "shapes.Tree: field 'name' is not valid UTF-8 without NUL" },
	{ "\xa2\x06\x01x\xa2\x06\x01\x80", 8,
	  "shapes.Tree: field 'labels' is not valid UTF-8 without NUL" },
	{ "\x0a\x03\x12\x01\xc0", 5,
	  "shapes.Tree: field 'name' is not valid UTF-8 without NUL" },
	{ "\x10\x01", 2,
	  "shapes.Tree: field 'name' has another type on the wire" },
	{ "\x08\x01", 2,
	  "shapes.Tree: field 'children' has another type on the wire" },
	{ "\x2a\x04\1\2\3\4", 6,
	  "shapes.Tree: field 'four' has another type on the wire" },
	{ "\x3d\1\2\3\4", 5,
	  "shapes.Tree: field 'colour' has another type on the wire" },
	{ "\x1a\x02\x01\x96", 4,
	  "shapes.Tree: field 'numbers' is not a whole packed list of "
	  "numbers" },
	{ "\xe2\x12\x03\1\2\3", 6,
	  "shapes.Tree: field 'fours' is not a whole packed list of numbers" },
	{ "\xea\x12\x0c\1\2\3\4\1\2\3\4\1\2\3\4", 15,
	  "shapes.Tree: field 'eights' is not a whole packed list of numbers" },
	{ "\x12\x01x\x0b\x0c", 5,
	  "shapes.Tree: malformed or unsupported bytes at offset 3" },
	{ "\x12\x05x", 3,
	  "shapes.Tree: malformed or unsupported bytes at offset 0" },
	{ "\xca\x0c\x02\x08\x80", 5,
	  "shapes.base.Point: malformed or unsupported bytes at offset 0" },
};

START_TEST(bad_bytes_are_refused_and_named)
{
	uint8_t *data = malloc(refused[_i].size);
	struct status st;

	memcpy(data, refused[_i].bytes, refused[_i].size);
	ck_assert(!rpc_validate(tree, data, refused[_i].size, &st));
	ck_assert_int_eq(st.code, STATUS_INVALID_ARGUMENT);
	ck_assert_str_eq(st.message, refused[_i].message);
	free(data);
}
END_TEST

/* @levels trees, one inside the other; the innermost is empty. */
static uint8_t *nest(size_t levels, size_t *ret_size)
{
	size_t max = levels * 6 + 1;
	uint8_t *buf = malloc(max);
	size_t size = 0;

	/* Written from its end: each level is put before what it holds. */
	for (size_t i = 0; i < levels; i++) {
		uint8_t head[6] = { 0x0a };
		size_t n = 1;
		size_t value = size;

		do {
			head[n++] = (uint8_t)((value & 0x7f) |
					      (value > 0x7f ? 0x80 : 0));
			value >>= 7;
		} while (value > 0);
		memcpy(buf + max - size - n, head, n);
		size += n;
	}
	memmove(buf, buf + max - size, size);
	*ret_size = size;
	return buf;
}

START_TEST(nesting_ends_at_its_limit)
{
	struct status st;
	size_t size;
	uint8_t *data = nest(RPC_NESTING_MAX, &size);

	ck_assert(rpc_validate(tree, data, size, &st));
	free(data);
	data = nest(RPC_NESTING_MAX + 1, &size);
	ck_assert(!rpc_validate(tree, data, size, &st));
	ck_assert_str_eq(st.message,
			 "shapes.Tree: field 'children' is nested too deep");
	free(data);
}
END_TEST

START_TEST(a_million_levels_do_not_use_up_the_stack)
{
	struct status st;
	size_t size;
	uint8_t *data = nest(1000000, &size);

	ck_assert(!rpc_validate(tree, data, size, &st));
	ck_assert_int_eq(st.code, STATUS_INVALID_ARGUMENT);
	free(data);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("validate");
	TCase *tc = tcase_create("validate");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tc, what_protobuf_c_packs_passes);
	tcase_add_test(tc, an_empty_message_without_bytes_passes);
	tcase_add_test(tc, unknown_fields_pass_when_well_formed);
	tcase_add_test(tc, lists_of_numbers_pass_packed_and_not);
	tcase_add_loop_test(tc, bad_bytes_are_refused_and_named, 0,
			    (int)(sizeof(refused) / sizeof(refused[0])));
	tcase_add_test(tc, nesting_ends_at_its_limit);
	tcase_add_test(tc, a_million_levels_do_not_use_up_the_stack);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
