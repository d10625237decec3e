#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "http/route.h"

static struct http_routes routes;
static struct http_captures captures;
static const struct http_route *route;
static char allow[HTTP_ALLOW_SIZE];
static struct status st;

static void handler(struct http_request *request, void *self)
{
	(void)request;
	(void)self;
}

static void setup(void)
{
	http_routes_add(&routes, HTTP_GET, "/orders", handler, NULL);
	http_routes_add(&routes, HTTP_POST, "/orders", handler, NULL);
	http_routes_add(&routes, HTTP_GET | HTTP_DELETE, "/orders/{id}",
			handler, NULL);
	http_routes_add(&routes, HTTP_PUT, "/orders/{id}/lines/{line}", handler,
			NULL);
	http_routes_add(&routes, HTTP_GET, "/", handler, NULL);
}

static void teardown(void)
{
	http_routes_release(&routes);
}

static enum status_code find(const char *method, const char *path)
{
	static char text[512];

	strcpy(text, path);
	return http_routes_find(&routes, method, text, &route, &captures, allow,
				&st);
}

START_TEST(a_path_and_method_have_one_route)
{
	ck_assert_int_eq(find("POST", "/orders"), STATUS_OK);
	ck_assert_ptr_eq(route, &routes.at[1]);
	ck_assert_int_eq(find("HEAD", "/orders"), STATUS_OK);
	ck_assert_ptr_eq(route, &routes.at[0]);
	ck_assert_int_eq(find("GET", "/"), STATUS_OK);
	ck_assert_int_eq(find("GET", "/%6Frders"), STATUS_OK);
}
END_TEST

START_TEST(segments_are_captured_decoded)
{
	ck_assert_int_eq(find("PUT", "/orders/a%2Fb/lines/%C3%A9+"), STATUS_OK);
	ck_assert_str_eq(http_captures_get(&captures, route, "id"), "a/b");
	ck_assert_str_eq(http_captures_get(&captures, route, "line"),
			 "\xC3\xA9+");
	ck_assert_ptr_null(http_captures_get(&captures, route, "i"));
}
END_TEST

START_TEST(unknown_paths_are_not_found)
{
	static const char *const paths[] = {
		"",
		"orders",
		"*",
		"/order",
		"/orders/",
		"/orderss",
		"//orders",
		"/orders/1/2",
		"/ORDERS",
		"/orders//",
		"/o/r/d/e/r/s",
		"/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/18",
	};

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		ck_assert_int_eq(find("GET", paths[i]), STATUS_NOT_FOUND);
		ck_assert_str_eq(st.message, "404 page not found");
	}
}
END_TEST

START_TEST(a_wrong_method_is_told_the_right_ones)
{
	ck_assert_int_eq(find("PUT", "/orders"), STATUS_UNIMPLEMENTED);
	ck_assert_str_eq(allow, "GET, HEAD, POST");
	ck_assert_int_eq(find("BREW", "/orders/1"), STATUS_UNIMPLEMENTED);
	ck_assert_str_eq(allow, "GET, HEAD, DELETE");
}
END_TEST

START_TEST(bad_encoding_in_a_path_is_refused)
{
	ck_assert_int_eq(find("GET", "/orders/%zz"), STATUS_INVALID_ARGUMENT);
	ck_assert_int_eq(find("GET", "/orders/%00"), STATUS_INVALID_ARGUMENT);
	ck_assert_int_eq(find("GET", "/orders/%FF"), STATUS_INVALID_ARGUMENT);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("http_route");
	TCase *tc = tcase_create("route");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_path_and_method_have_one_route);
	tcase_add_test(tc, segments_are_captured_decoded);
	tcase_add_test(tc, unknown_paths_are_not_found);
	tcase_add_test(tc, a_wrong_method_is_told_the_right_ones);
	tcase_add_test(tc, bad_encoding_in_a_path_is_refused);
	suite_add_tcase(suite, tc);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
