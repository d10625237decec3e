#include "stock_order/client/http_answer.h"

#include <string.h>

#include "suite.h"

static struct status status;
static char id[ORDER_ID_SIZE];

static enum status_code read_answer(long http_status, const char *body)
{
	status = status_ok();
	id[0] = '\0';
	return http_answer_read(http_status, body, strlen(body), id, &status);
}

static void expect(long http_status, const char *body, enum status_code code,
		   const char *message)
{
	ck_assert_int_eq(read_answer(http_status, body), code);
	ck_assert_int_eq(status.code, code);
	ck_assert_str_eq(status.message, message);
	ck_assert_str_eq(id, "");
}

START_TEST(an_order_has_an_id)
{
	ck_assert_int_eq(read_answer(201, "{\"id\":\"6f8e\",\"status\":"
					  "\"PENDING\"}\n"),
			 STATUS_OK);
	ck_assert_str_eq(id, "6f8e");
	ck_assert_int_eq(read_answer(200, "{\"id\":\"x\"}"), STATUS_OK);
}
END_TEST

static const char *const no_orders[] = {
	"",
	"null",
	"[]",
	"\"id\"",
	"{}",
	"{\"id\":7}",
	"{\"id\":\"\"}",
	"{\"id\":\"6f8e\"",
	"{\"id\":\"0123456789012345678901234567890123456\"}",
};

START_TEST(what_is_no_order_is_not_taken_for_one)
{
	expect(201, no_orders[_i], STATUS_INTERNAL, "the answer is no order");
}
END_TEST

START_TEST(a_refusal_gives_the_server_s_reason)
{
	expect(400, "{\"error\":\"quantity must be at least 1\"}",
	       STATUS_INVALID_ARGUMENT, "quantity must be at least 1");
	expect(503, "{\"title\":\"Unavailable\",\"detail\":\"stopping\"}",
	       STATUS_UNAVAILABLE, "stopping");
	expect(500, "{\"title\":\"Internal\"}", STATUS_INTERNAL, "Internal");
	expect(404, "404 page not found\n", STATUS_UNIMPLEMENTED,
	       "HTTP 404: 404 page not found");
	expect(405, "", STATUS_UNIMPLEMENTED, "HTTP 405");
	expect(400, "{\"error\":7}", STATUS_INVALID_ARGUMENT, "HTTP 400");
	expect(502, "first\r\nsecond", STATUS_UNAVAILABLE, "HTTP 502: first");
}
END_TEST

START_TEST(a_long_refusal_is_cut)
{
	char body[2000];

	memset(body, 'x', sizeof(body));
	ck_assert_int_eq(http_answer_read(500, body, sizeof(body), id, &status),
			 STATUS_INTERNAL);
	ck_assert_uint_eq(strlen(status.message), strlen("HTTP 500: ") + 300);
}
END_TEST

static const struct {
	long http_status;
	enum status_code code;
} codes[] = {
	{ 400, STATUS_INVALID_ARGUMENT },
	{ 401, STATUS_UNAUTHENTICATED },
	{ 403, STATUS_PERMISSION_DENIED },
	{ 404, STATUS_UNIMPLEMENTED },
	{ 408, STATUS_DEADLINE_EXCEEDED },
	{ 409, STATUS_FAILED_PRECONDITION },
	{ 413, STATUS_INVALID_ARGUMENT },
	{ 422, STATUS_ALREADY_EXISTS },
	{ 429, STATUS_RESOURCE_EXHAUSTED },
	{ 500, STATUS_INTERNAL },
	{ 501, STATUS_UNIMPLEMENTED },
	{ 502, STATUS_UNAVAILABLE },
	{ 503, STATUS_UNAVAILABLE },
	{ 504, STATUS_DEADLINE_EXCEEDED },
	{ 599, STATUS_INTERNAL },
	{ 302, STATUS_UNKNOWN },
	{ 0, STATUS_UNKNOWN },
};

START_TEST(http_s_codes_have_their_status)
{
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		ck_assert_int_eq(read_answer(codes[i].http_status, "{}"),
				 codes[i].code);
	}
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("http_answer");

	tcase_add_test(tc, an_order_has_an_id);
	tcase_add_loop_test(tc, what_is_no_order_is_not_taken_for_one, 0,
			    sizeof(no_orders) / sizeof(no_orders[0]));
	tcase_add_test(tc, a_refusal_gives_the_server_s_reason);
	tcase_add_test(tc, a_long_refusal_is_cut);
	tcase_add_test(tc, http_s_codes_have_their_status);
	return run_case(tc, "http_answer");
}
