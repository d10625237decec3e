#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "http/http.h"
#include "http/query.h"

static enum status_code decode(const char *text, bool plus, char *ret)
{
	struct status st = status_ok();
	size_t size = strlen(text);

	memcpy(ret, text, size + 1);
	if (http_percent_decode(ret, size, plus, &size, &st) != STATUS_OK) {
		return st.code;
	}
	ck_assert_uint_eq(strlen(ret), size);
	return STATUS_OK;
}

START_TEST(escapes_become_their_bytes)
{
	char buf[64];

	ck_assert_int_eq(decode("a%20b%2Bc+d%c3%A9", false, buf), STATUS_OK);
	ck_assert_str_eq(buf, "a b+c+d\xC3\xA9");
	ck_assert_int_eq(decode("a+b%2B", true, buf), STATUS_OK);
	ck_assert_str_eq(buf, "a b+");
	ck_assert_int_eq(decode("", true, buf), STATUS_OK);
	ck_assert_str_eq(buf, "");
}
END_TEST

START_TEST(bad_escapes_are_refused)
{
	static const char *const bad[] = { "%",	  "a%",	 "%2",	 "%zz",
					   "%2z", "%-1", "% 20", "%%20" };
	char buf[64];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ck_assert_int_eq(decode(bad[i], true, buf),
				 STATUS_INVALID_ARGUMENT);
	}
}
END_TEST

START_TEST(what_is_encoded_is_decoded_to_itself)
{
	static const char all[] = "aZ0-._~ /?%&=+\"\xE2\x82\xAC\x7F\x01";
	char encoded[HTTP_PERCENT_ENCODED_MAX(sizeof(all))];
	char buf[64];

	http_percent_encode(all, encoded);
	ck_assert_str_eq(encoded, "aZ0-._~%20%2F%3F%25%26%3D%2B%22%E2%82%AC"
				  "%7F%01");
	ck_assert_int_eq(decode(encoded, true, buf), STATUS_OK);
	ck_assert_str_eq(buf, all);
	http_percent_encode("", encoded);
	ck_assert_str_eq(encoded, "");
}
END_TEST

START_TEST(a_nul_is_refused_encoded_or_not)
{
	char raw[] = "a\0b", encoded[] = "a%00b";
	size_t size;

	ck_assert_int_eq(http_percent_decode(raw, 3, false, &size, NULL),
			 STATUS_INVALID_ARGUMENT);
	ck_assert_int_eq(http_percent_decode(encoded, 5, false, &size, NULL),
			 STATUS_INVALID_ARGUMENT);
}
END_TEST

START_TEST(what_is_not_utf8_is_refused)
{
	static const char *const bad[] = {
		"%80",		"%C3",		"%C3%28",    "%C0%AF",
		"%E0%9F%BF",	"%ED%A0%80",	"%E2%82",    "%F0%8F%BF%BF",
		"%F4%90%80%80", "%F5%80%80%80", "%FF",	     "\xC3",
		"a%E2%28%A1",	"%F0%9F%98",	"%E2%82%28",
	};
	static const char *const good[] = {
		"%C2%80",	"%E0%A0%80",	"%ED%9F%BF",	"%EE%80%80",
		"%F0%90%80%80", "%F4%8F%BF%BF", "\xE2\x82\xAC",
	};
	char buf[64];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ck_assert_int_eq(decode(bad[i], true, buf),
				 STATUS_INVALID_ARGUMENT);
	}
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		ck_assert_int_eq(decode(good[i], true, buf), STATUS_OK);
	}
}
END_TEST

static enum status_code parse(struct http_params *params, char *text,
			      struct status *reterr)
{
	return http_params_parse(params, text, strlen(text), reterr);
}

START_TEST(parameters_are_cut_and_decoded)
{
	char text[] = "a=1&b=%26%3D&&c&=x&a=2&d=e=f&";
	struct http_params params;
	struct status st;

	ck_assert_int_eq(parse(&params, text, &st), STATUS_OK);
	ck_assert_str_eq(http_params_get(&params, "a"), "1");
	ck_assert_str_eq(http_params_get(&params, "b"), "&=");
	ck_assert_str_eq(http_params_get(&params, "c"), "");
	ck_assert_str_eq(http_params_get(&params, ""), "x");
	ck_assert_str_eq(http_params_get(&params, "d"), "e=f");
	ck_assert_ptr_null(http_params_get(&params, "e"));
	http_params_release(&params);
}
END_TEST

START_TEST(no_text_is_no_parameters)
{
	char text[] = "";
	struct http_params params;
	struct status st;

	ck_assert_int_eq(parse(&params, text, &st), STATUS_OK);
	ck_assert_uint_eq(params.nr, 0);
	http_params_release(&params);
}
END_TEST

START_TEST(the_bad_parameter_is_named)
{
	char value[] = "a=1&b=%zz", name[] = "%zz=1";
	struct http_params params;
	struct status st;

	ck_assert_int_eq(parse(&params, value, &st), STATUS_INVALID_ARGUMENT);
	ck_assert_str_eq(st.message, "parameter 'b': bad percent-encoding");
	ck_assert_int_eq(parse(&params, name, &st), STATUS_INVALID_ARGUMENT);
	ck_assert_str_eq(st.message, "parameter name: bad percent-encoding");
	ck_assert_uint_eq(params.nr, 0);
}
END_TEST

static enum status_code parse_many(int nr, struct http_params *params)
{
	static char text[2 * (HTTP_PARAMS_MAX + 1) + 1];

	text[0] = '\0';
	for (int i = 0; i < nr; i++) {
		strcat(text, i > 0 ? "&a" : "a");
	}
	return parse(params, text, NULL);
}

START_TEST(too_many_parameters_are_refused)
{
	struct http_params params;

	ck_assert_int_eq(parse_many(HTTP_PARAMS_MAX, &params), STATUS_OK);
	ck_assert_uint_eq(params.nr, HTTP_PARAMS_MAX);
	http_params_release(&params);
	ck_assert_int_eq(parse_many(HTTP_PARAMS_MAX + 1, &params),
			 STATUS_INVALID_ARGUMENT);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("http_query");
	TCase *tc = tcase_create("query");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tc, escapes_become_their_bytes);
	tcase_add_test(tc, bad_escapes_are_refused);
	tcase_add_test(tc, what_is_encoded_is_decoded_to_itself);
	tcase_add_test(tc, a_nul_is_refused_encoded_or_not);
	tcase_add_test(tc, what_is_not_utf8_is_refused);
	tcase_add_test(tc, parameters_are_cut_and_decoded);
	tcase_add_test(tc, no_text_is_no_parameters);
	tcase_add_test(tc, the_bad_parameter_is_named);
	tcase_add_test(tc, too_many_parameters_are_refused);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
