#include <check.h>
#include <float.h>
#include <jansson.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "json/json.h"

static struct json_writer w;

static void setup(void)
{
	w = (struct json_writer){ 0 };
}

static void teardown(void)
{
	json_writer_release(&w);
}

static void expect(const char *text)
{
	ck_assert_uint_eq(w.size, strlen(text));
	ck_assert_mem_eq(w.text, text, w.size);
}

/* ---- structure ---------------------------------------------------------- */

START_TEST(objects_and_arrays_nest_with_their_commas)
{
	json_begin_object(&w, NULL);
	json_put_string(&w, "id", "o-1");
	json_begin_array(&w, "legs");
	json_put_int(&w, NULL, 1);
	json_begin_object(&w, NULL);
	json_end(&w);
	json_begin_array(&w, NULL);
	json_end(&w);
	json_put_null(&w, NULL);
	json_end(&w);
	json_put_bool(&w, "open", true);
	json_begin_object(&w, "of");
	json_put_bool(&w, "x", false);
	json_end(&w);
	json_end(&w);
	json_newline(&w);
	expect("{\"id\":\"o-1\",\"legs\":[1,{},[],null],\"open\":true,"
	       "\"of\":{\"x\":false}}\n");
}
END_TEST

START_TEST(a_value_may_stand_alone)
{
	json_put_string(&w, NULL, "x");
	expect("\"x\"");
}
END_TEST

START_TEST(keys_and_texts_are_escaped)
{
	json_begin_object(&w, NULL);
	json_put_text(&w, "a\"b", "c\0\n", 3);
	json_end(&w);
	expect("{\"a\\\"b\":\"c\\u0000\\n\"}");
}
END_TEST

START_TEST(raw_json_goes_in_as_it_is)
{
	json_begin_array(&w, NULL);
	json_put_raw(&w, NULL, "{\"a\":1}x", 7);
	json_put_raw(&w, NULL, "2", 1);
	json_end(&w);
	expect("[{\"a\":1},2]");
}
END_TEST

START_TEST(a_long_value_goes_out_in_pieces)
{
	char whole[64];
	size_t size = 0;

	json_begin_array(&w, NULL);
	for (int i = 0; i < 3; i++) {
		json_put_int(&w, NULL, i);
		memcpy(whole + size, w.text, w.size);
		size += w.size;
		json_writer_flush(&w);
	}
	json_end(&w);
	expect("]");
	ck_assert_uint_eq(size, 6);
	ck_assert_mem_eq(whole, "[0,1,2", 6);
}
END_TEST

START_TEST(a_cleared_writer_begins_anew)
{
	json_begin_object(&w, NULL);
	json_put_int(&w, "a", 1);
	json_writer_clear(&w);
	json_begin_array(&w, NULL);
	json_end(&w);
	expect("[]");
}
END_TEST

START_TEST(the_text_can_be_taken_away)
{
	size_t size;
	char *text;

	json_put_int(&w, NULL, 7);
	text = json_writer_take(&w, &size);
	ck_assert_uint_eq(size, 1);
	ck_assert_int_eq(text[0], '7');
	free(text);
	ck_assert_ptr_null(w.text);
	json_put_int(&w, NULL, 8);
	expect("8");
}
END_TEST

START_TEST(texts_outgrow_any_first_guess)
{
	char *big = malloc(100001);
	json_t *json;

	memset(big, '\n', 100000);
	big[100000] = '\0';
	json_begin_array(&w, NULL);
	for (int i = 0; i < 10; i++) {
		json_put_string(&w, NULL, big);
	}
	json_end(&w);
	ck_assert_uint_eq(w.size, 10 * 200003 + 1);
	json = json_loadb(w.text, w.size, 0, NULL);
	ck_assert_ptr_nonnull(json);
	ck_assert_str_eq(json_string_value(json_array_get(json, 9)), big);
	json_decref(json);
	free(big);
}
END_TEST

START_TEST(nesting_goes_as_deep_as_said)
{
	for (int i = 0; i < JSON_DEPTH_MAX; i++) {
		json_begin_array(&w, NULL);
	}
	for (int i = 0; i < JSON_DEPTH_MAX; i++) {
		json_end(&w);
	}
	ck_assert_uint_eq(w.size, 2 * JSON_DEPTH_MAX);
}
END_TEST

/* ---- numbers ------------------------------------------------------------ */

static const struct {
	double value;
	const char *text;
} doubles[] = {
	{ 0, "0" },
	{ -0.0, "-0" },
	{ 1, "1" },
	{ 100, "100" },
	{ 150.25, "150.25" },
	{ 0.1, "0.1" },
	{ 0.1 + 0.2, "0.30000000000000004" },
	{ 1.0 / 3, "0.3333333333333333" },
	{ -2.5, "-2.5" },
	{ 123456789.125, "123456789.125" },
	{ 9007199254740993.0, "9007199254740992" },
	{ 1e300, "1e+300" },
	{ 1e-7, "1e-07" },
	{ DBL_MAX, "1.7976931348623157e+308" },
	{ DBL_MIN, "2.2250738585072014e-308" },
	{ DBL_TRUE_MIN, "5e-324" },
	{ INFINITY, "null" },
	{ -INFINITY, "null" },
	{ NAN, "null" },
};
enum { DOUBLE_NR = sizeof(doubles) / sizeof(doubles[0]) };

START_TEST(doubles_are_written_with_the_fewest_digits)
{
	json_put_double(&w, NULL, doubles[_i].value);
	expect(doubles[_i].text);
}
END_TEST

/* Bit patterns of all sizes, from a fixed seed. */
START_TEST(doubles_come_back_as_they_were)
{
	uint64_t state = 0x9E3779B97F4A7C15;

	for (int i = 0; i < 20000; i++) {
		double value;
		json_t *json;

		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		memcpy(&value, &state, sizeof(value));
		if (!isfinite(value)) {
			continue;
		}
		json_writer_clear(&w);
		json_put_double(&w, NULL, value);
		json = json_loadb(w.text, w.size, JSON_DECODE_ANY, NULL);
		ck_assert_ptr_nonnull(json);
		ck_assert(json_number_value(json) == value);
		json_decref(json);
	}
}
END_TEST

START_TEST(integers_are_exact_to_their_ends)
{
	json_begin_array(&w, NULL);
	json_put_int(&w, NULL, INT64_MIN);
	json_put_int(&w, NULL, 0);
	json_put_int(&w, NULL, INT64_MAX);
	json_end(&w);
	expect("[-9223372036854775808,0,9223372036854775807]");
}
END_TEST

/* ---- programmer errors: each ends the process --------------------------- */

START_TEST(an_object_wants_keys)
{
	json_begin_object(&w, NULL);
	json_put_int(&w, NULL, 1);
}
END_TEST

START_TEST(an_array_wants_none)
{
	json_begin_array(&w, NULL);
	json_put_int(&w, "a", 1);
}
END_TEST

START_TEST(two_values_are_not_one)
{
	json_put_int(&w, NULL, 1);
	json_put_int(&w, NULL, 2);
}
END_TEST

START_TEST(what_did_not_begin_does_not_end)
{
	json_put_int(&w, NULL, 1);
	json_end(&w);
}
END_TEST

START_TEST(nesting_has_an_end)
{
	for (int i = 0; i <= JSON_DEPTH_MAX; i++) {
		json_begin_array(&w, NULL);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("json_writer");
	TCase *tc = tcase_create("writer");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, objects_and_arrays_nest_with_their_commas);
	tcase_add_test(tc, a_value_may_stand_alone);
	tcase_add_test(tc, keys_and_texts_are_escaped);
	tcase_add_test(tc, raw_json_goes_in_as_it_is);
	tcase_add_test(tc, a_long_value_goes_out_in_pieces);
	tcase_add_test(tc, a_cleared_writer_begins_anew);
	tcase_add_test(tc, the_text_can_be_taken_away);
	tcase_add_test(tc, texts_outgrow_any_first_guess);
	tcase_add_test(tc, nesting_goes_as_deep_as_said);
	tcase_add_loop_test(tc, doubles_are_written_with_the_fewest_digits, 0,
			    DOUBLE_NR);
	tcase_add_test(tc, doubles_come_back_as_they_were);
	tcase_add_test(tc, integers_are_exact_to_their_ends);
	tcase_add_test_raise_signal(tc, an_object_wants_keys, SIGABRT);
	tcase_add_test_raise_signal(tc, an_array_wants_none, SIGABRT);
	tcase_add_test_raise_signal(tc, two_values_are_not_one, SIGABRT);
	tcase_add_test_raise_signal(tc, what_did_not_begin_does_not_end,
				    SIGABRT);
	tcase_add_test_raise_signal(tc, nesting_has_an_end, SIGABRT);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
