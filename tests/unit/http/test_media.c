#include <check.h>
#include <stdlib.h>

#include "http/media.h"

static bool accepts(const char *field)
{
	struct http_accept accept = { 0 };

	http_accept_add(&accept, field);
	return accept.json;
}

START_TEST(json_is_accepted_by_name)
{
	ck_assert(accepts("application/json"));
	ck_assert(accepts("Application/JSON; charset=utf-8"));
	ck_assert(accepts("text/html, application/json;q=0.1"));
	ck_assert(accepts("application/problem+json"));
	ck_assert(accepts("text/plain ,\tapplication/json ; q=1"));
	ck_assert(accepts("application/*"));
}
END_TEST

START_TEST(other_types_do_not_mean_json)
{
	ck_assert(!accepts(""));
	ck_assert(!accepts("*/*"));
	ck_assert(!accepts("text/plain, text/*"));
	ck_assert(!accepts("application/jsonp"));
	ck_assert(!accepts("application/xml"));
	ck_assert(!accepts(",,;q=1,"));
}
END_TEST

START_TEST(a_weight_of_zero_refuses)
{
	ck_assert(!accepts("application/json;q=0"));
	ck_assert(!accepts("application/json; Q=0.000"));
	ck_assert(!accepts("application/json;v=1;q=0.0 "));
	ck_assert(accepts("application/json;q=0.001"));
	ck_assert(accepts("application/json;x=0"));
}
END_TEST

START_TEST(the_closer_name_decides)
{
	ck_assert(!accepts("application/*, application/json;q=0"));
	ck_assert(!accepts("application/json;q=0, application/*"));
	ck_assert(accepts("application/*;q=0, application/json"));
	ck_assert(accepts("application/json;q=0, application/problem+json"));
}
END_TEST

START_TEST(several_fields_count_together)
{
	struct http_accept accept = { 0 };

	http_accept_add(&accept, "text/html");
	http_accept_add(&accept, "application/json");
	http_accept_add(&accept, "application/*;q=0");
	ck_assert(accept.json);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("http_media");
	TCase *tc = tcase_create("media");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tc, json_is_accepted_by_name);
	tcase_add_test(tc, other_types_do_not_mean_json);
	tcase_add_test(tc, a_weight_of_zero_refuses);
	tcase_add_test(tc, the_closer_name_decides);
	tcase_add_test(tc, several_fields_count_together);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
