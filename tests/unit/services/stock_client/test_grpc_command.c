/* Commands against a server that answers what it is told: what they print, and
 * what they make of a server that is astray. */
#include "stock_order/client/grpc_command.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fake_stock.h"
#include "suite.h"

static struct grpc_command_options options;
static FILE *out_file;
static FILE *err_file;
static char out[8192];
static char err[8192];

static void set_up(void)
{
	loop_block_signals();
	fake_stock_start();
	options = (struct grpc_command_options){
		.program = "test",
		.loop = loop,
		.root = root,
		.orders = orders,
		.timeout_ns = 20 * (int64_t)NS_PER_S,
	};
}

/* From here on stdout and stderr are files. */
static void redirect(void)
{
	out_file = tmpfile();
	err_file = tmpfile();
	ck_assert(out_file != NULL && err_file != NULL);
	fflush(stdout);
	dup2(fileno(out_file), STDOUT_FILENO);
	dup2(fileno(err_file), STDERR_FILENO);
}

static void read_back(FILE *file, char *text, size_t size)
{
	size_t n;

	rewind(file);
	n = fread(text, 1, size - 1, file);
	text[n] = '\0';
	fclose(file);
}

static int said(int code)
{
	fflush(stderr);
	read_back(out_file, out, sizeof(out));
	read_back(err_file, err, sizeof(err));
	return code;
}

static int list(uint64_t limit, bool lines)
{
	redirect();
	return said(grpc_command_list(&options, limit, lines));
}

#define ORDER                                                                  \
	"{\"id\":\"an-id\",\"symbol\":\"AAPL\",\"order_type\":\"\","           \
	"\"order_side\":\"\",\"quantity\":0,\"status\":\"\","                  \
	"\"created_at\":\"1970-01-01T00:00:00.000000Z\","                      \
	"\"updated_at\":\"1970-01-01T00:00:00.000000Z\"}"

START_TEST(an_order_is_one_line)
{
	const struct order_draft draft = { .symbol = "AAPL" };

	redirect();
	ck_assert_int_eq(said(grpc_command_get(&options, "an-id")), 0);
	ck_assert_str_eq(out, ORDER "\n");
	ck_assert_str_eq(err, "");
	redirect();
	ck_assert_int_eq(said(grpc_command_create(&options, &draft, "key-1")),
			 0);
	ck_assert_str_eq(out, ORDER "\n");
	ck_assert_str_eq(seen.key, "key-1");
	(void)snprintf(description_text, WORD_SIZE, "so \"be\" it");
	redirect();
	ck_assert_int_eq(said(grpc_command_cancel(&options, "an-id")), 0);
	ck_assert_str_eq(out, "{\"message\":\"so \\\"be\\\" it\"}\n");
}
END_TEST

START_TEST(a_refusal_is_one_line_on_stderr)
{
	reply.status = status_make(STATUS_NOT_FOUND, "no\x1b[2J order");
	redirect();
	ck_assert_int_eq(said(grpc_command_cancel(&options, "x")), 3);
	ck_assert_str_eq(out, "");
	ck_assert_str_eq(err, "test: NOT_FOUND: no?[2J order\n");
}
END_TEST

START_TEST(a_change_without_an_answer_is_in_doubt)
{
	reply.hang = true;
	options.timeout_ns = 50 * (int64_t)NS_PER_MS;
	redirect();
	ck_assert_int_eq(said(grpc_command_cancel(&options, "x")), 6);
	ck_assert_ptr_nonnull(
		strstr(err, "; whether it was done is not known\n"));
	redirect();
	ck_assert_int_eq(said(grpc_command_get(&options, "x")), 6);
	ck_assert_ptr_null(strstr(err, "not known"));
}
END_TEST

START_TEST(a_list_is_asked_for_page_by_page)
{
	reply.orders_n = 2;
	reply.tokens[0] = "b";
	reply.tokens[1] = "c";
	ck_assert_int_eq(list(0, false), 0);
	ck_assert_str_eq(out, "[" ORDER "," ORDER "," ORDER "," ORDER "," ORDER
			      "," ORDER "]\n");
	ck_assert_uint_eq(seen.pages, 3);
	ck_assert_int_eq(seen.page_sizes[0], 500);
	ck_assert_str_eq(seen.tokens[0], "");
	ck_assert_str_eq(seen.tokens[1], "b");
	ck_assert_str_eq(seen.tokens[2], "c");
}
END_TEST

START_TEST(no_more_is_asked_for_than_is_wanted)
{
	reply.orders_n = 2;
	reply.tokens[0] = "b";
	reply.tokens[1] = "c";
	ck_assert_int_eq(list(4, true), 0);
	ck_assert_str_eq(out, ORDER "\n" ORDER "\n" ORDER "\n" ORDER "\n");
	ck_assert_uint_eq(seen.pages, 2);
	ck_assert_int_eq(seen.page_sizes[0], 4);
	ck_assert_int_eq(seen.page_sizes[1], 2);
}
END_TEST

START_TEST(what_was_not_asked_for_is_left_out)
{
	reply.orders_n = 5; /* a server that knows no pages */
	ck_assert_int_eq(list(3, false), 0);
	ck_assert_str_eq(out, "[" ORDER "," ORDER "," ORDER "]\n");
	ck_assert_int_eq(list(5, true), 0);
	ck_assert_str_eq(out, ORDER "\n" ORDER "\n" ORDER "\n" ORDER "\n" ORDER
				    "\n");
}
END_TEST

START_TEST(a_list_of_nothing_is_whole)
{
	ck_assert_int_eq(list(0, false), 0);
	ck_assert_str_eq(out, "[]\n");
	ck_assert_int_eq(list(7, true), 0);
	ck_assert_str_eq(out, "");
}
END_TEST

START_TEST(a_list_that_fails_in_the_middle_has_no_end)
{
	reply.orders_n = 1;
	reply.tokens[0] = "b";
	reply.pages_max = 1;
	ck_assert_int_eq(list(0, false), 7);
	ck_assert_str_eq(out, "[" ORDER);
	ck_assert_str_eq(err, "test: UNAVAILABLE: gone\n");
}
END_TEST

START_TEST(a_list_that_fails_at_once_prints_nothing)
{
	reply.status = status_make(STATUS_INTERNAL, "broken");
	ck_assert_int_eq(list(0, false), 1);
	ck_assert_str_eq(out, "");
	ck_assert_str_eq(err, "test: INTERNAL: broken\n");
}
END_TEST

START_TEST(a_page_with_what_is_no_order_is_not_printed)
{
	reply.orders_n = 3;
	reply.created_at.nanos = -1;
	ck_assert_int_eq(list(0, false), 1);
	ck_assert_str_eq(out, "");
	ck_assert_str_eq(err, "test: INTERNAL: the answer is no order\n");
}
END_TEST

START_TEST(a_page_that_leads_to_itself_is_not_followed)
{
	reply.orders_n = 1;
	reply.tokens[0] = "b";
	reply.tokens[1] = "b";
	ck_assert_int_eq(list(0, false), 1);
	ck_assert_uint_eq(seen.pages, 2);
	ck_assert_str_eq(err,
			 "test: INTERNAL: the server's pages lead nowhere\n");
}
END_TEST

START_TEST(an_empty_page_may_have_others_behind_it)
{
	reply.tokens[0] = "b";
	ck_assert_int_eq(list(0, false), 0);
	ck_assert_uint_eq(seen.pages, 2);
	ck_assert_str_eq(out, "[]\n");
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("grpc_command");

	tcase_set_timeout(tc, 30);
	tcase_add_checked_fixture(tc, set_up, fake_stock_stop);
	tcase_add_test(tc, an_order_is_one_line);
	tcase_add_test(tc, a_refusal_is_one_line_on_stderr);
	tcase_add_test(tc, a_change_without_an_answer_is_in_doubt);
	tcase_add_test(tc, a_list_is_asked_for_page_by_page);
	tcase_add_test(tc, no_more_is_asked_for_than_is_wanted);
	tcase_add_test(tc, what_was_not_asked_for_is_left_out);
	tcase_add_test(tc, a_list_of_nothing_is_whole);
	tcase_add_test(tc, a_list_that_fails_in_the_middle_has_no_end);
	tcase_add_test(tc, a_list_that_fails_at_once_prints_nothing);
	tcase_add_test(tc, a_page_with_what_is_no_order_is_not_printed);
	tcase_add_test(tc, a_page_that_leads_to_itself_is_not_followed);
	tcase_add_test(tc, an_empty_page_may_have_others_behind_it);
	return run_case(tc, "grpc_command");
}
