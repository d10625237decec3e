#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "rpc/wire.h"

#define WIRE(bytes) wire_of((const uint8_t *)(bytes), sizeof(bytes) - 1)
#define TEXT(bytes) wire_is_text((const uint8_t *)(bytes), sizeof(bytes) - 1)

START_TEST(fields_of_every_type_are_read_in_order)
{
	struct wire wire = WIRE("\x08\x96\x01" /* 1: 150 */
				"\x12\x02hi"   /* 2: "hi" */
				"\x1d\1\2\3\4" /* 3: four bytes */
				"\xa1\x06\1\2\3\4\5\6\7\x08"); /* 100: eight */
	struct wire_field field;

	ck_assert_int_eq(wire_next(&wire, &field), WIRE_FIELD);
	ck_assert_uint_eq(field.number, 1);
	ck_assert_uint_eq(field.value, 150);
	ck_assert_int_eq(wire_next(&wire, &field), WIRE_FIELD);
	ck_assert_int_eq(field.type, WIRE_LEN);
	ck_assert_mem_eq(field.data, "hi", field.size);
	ck_assert_int_eq(wire_next(&wire, &field), WIRE_FIELD);
	ck_assert_uint_eq(field.size, 4);
	ck_assert_int_eq(wire_next(&wire, &field), WIRE_FIELD);
	ck_assert_uint_eq(field.number, 100);
	ck_assert_uint_eq(field.data[7], 8);
	ck_assert_int_eq(wire_next(&wire, &field), WIRE_END);
}
END_TEST

static const struct {
	const char *what;
	const char *bytes;
	size_t size;
} bad[] = {
	{ "field number 0", "\x00\x01", 2 },
	{ "tag without an end", "\x88", 1 },
	{ "tag of six bytes", "\x88\x80\x80\x80\x80\x00\x01", 7 },
	{ "field number over 2^29", "\xf8\xff\xff\xff\x1f\x01", 6 },
	{ "number without an end", "\x08\xff\xff", 3 },
	{ "number of eleven bytes",
	  "\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 12 },
	{ "value missing", "\x08", 1 },
	{ "three bytes of four", "\x0d\1\2\3", 4 },
	{ "seven bytes of eight", "\x09\1\2\3\4\5\6\7", 8 },
	{ "length beyond the end", "\x0a\x03hi", 4 },
	{ "length near 2^32", "\x0a\xff\xff\xff\xff\x0f", 6 },
	{ "length near 2^64", "\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
	  11 },
	{ "group", "\x0b\x0c", 2 },
	{ "end of no group", "\x0c", 1 },
	{ "wire type 6", "\x0e\x01", 2 },
	{ "wire type 7", "\x0f\x01", 2 },
};

/* In memory of its exact size, so that a sanitizer sees a step too far. */
START_TEST(malformed_bytes_are_told_and_not_passed_over)
{
	uint8_t *data = malloc(bad[_i].size);
	struct wire wire = wire_of(data, bad[_i].size);
	struct wire_field field;

	memcpy(data, bad[_i].bytes, bad[_i].size);
	ck_assert_msg(wire_next(&wire, &field) == WIRE_BAD, "%s", bad[_i].what);
	ck_assert_ptr_eq(wire.at, data);
	free(data);
}
END_TEST

START_TEST(the_last_of_several_counts)
{
	const uint8_t data[] = "\x08\x01\x0a\x01x\x08\x02\x10\x03";
	struct wire_field field;

	ck_assert_int_eq(
		wire_find(data, sizeof(data) - 1, 1, WIRE_VARINT, &field),
		WIRE_FIELD);
	ck_assert_uint_eq(field.value, 2);
	ck_assert_int_eq(
		wire_find(data, sizeof(data) - 1, 3, WIRE_VARINT, &field),
		WIRE_END);
	ck_assert_int_eq(
		wire_find(data, sizeof(data) - 2, 1, WIRE_VARINT, &field),
		WIRE_BAD);
}
END_TEST

START_TEST(text_is_utf8_without_nul)
{
	ck_assert(TEXT(""));
	ck_assert(TEXT("plain text of some length"));
	ck_assert(TEXT("\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf"));
	ck_assert(TEXT("\xed\x9f\xbf\xee\x80\x80"));
	ck_assert(TEXT("\xf0\x90\x80\x80 \xf4\x8f\xbf\xbf and more text"));
}
END_TEST

static const struct {
	const char *what;
	const char *bytes;
	size_t size;
} bad_texts[] = {
	{ "NUL", "\0", 1 },
	{ "tail alone", "\x80", 1 },
	{ "overlong NUL", "\xc0\x80", 2 },
	{ "overlong slash", "\xc1\xaf", 2 },
	{ "two bytes cut", "\xc3", 1 },
	{ "two bytes, no tail", "\xc3x", 2 },
	{ "overlong of three", "\xe0\x9f\xbf", 3 },
	{ "surrogate", "\xed\xa0\x80", 3 },
	{ "three bytes cut", "\xe2\x82", 2 },
	{ "three bytes, no tail", "\xe2\x82x", 3 },
	{ "overlong of four", "\xf0\x8f\xbf\xbf", 4 },
	{ "beyond Unicode", "\xf4\x90\x80\x80", 4 },
	{ "four bytes cut", "\xf0\x9f\x98", 3 },
	{ "four bytes, no tail", "\xf0\x9f\x98x", 4 },
	{ "byte that never is", "\xf5\x80\x80\x80", 4 },
	{ "0xff", "\xff", 1 },
};

/* At every place relative to the eight bytes that are looked at at once. */
START_TEST(bad_text_is_found_anywhere)
{
	for (size_t at = 0; at < 20; at++) {
		size_t size = at + bad_texts[_i].size;
		uint8_t *data = malloc(size + 20);

		memset(data, 'a', size + 20);
		memcpy(data + at, bad_texts[_i].bytes, bad_texts[_i].size);
		ck_assert_msg(!wire_is_text(data, size), "%s at %zu",
			      bad_texts[_i].what, at);
		ck_assert_msg(!wire_is_text(data, size + 20), "%s at %zu",
			      bad_texts[_i].what, at);
		free(data);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("wire");
	TCase *tc = tcase_create("wire");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tc, fields_of_every_type_are_read_in_order);
	tcase_add_loop_test(tc, malformed_bytes_are_told_and_not_passed_over, 0,
			    (int)(sizeof(bad) / sizeof(bad[0])));
	tcase_add_test(tc, the_last_of_several_counts);
	tcase_add_test(tc, text_is_utf8_without_nul);
	tcase_add_loop_test(tc, bad_text_is_found_anywhere, 0,
			    (int)(sizeof(bad_texts) / sizeof(bad_texts[0])));
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
