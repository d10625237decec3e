#include "stock_order/client/http_sender.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "suite.h"
#include "tiny_server.h"

#define CREATED                                                                \
	"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\n"           \
	"Content-Length: 14\r\n\r\n{\"id\":\"6f8e\"}\n"
#define REFUSED                                                                \
	"HTTP/1.1 400 Bad Request\r\nContent-Length: 20\r\n\r\n"               \
	"{\"error\":\"no good\"}\n"

static struct tiny_server server;
static struct loop *loop;
static struct ctx *root;
static struct http_sender *sender;
static struct http_sender_options options;
static char url[64];

/* What became of the last order. */
static struct status status;
static char id[ORDER_ID_SIZE];
static int answers;

static const struct order_draft market = {
	.symbol = "AAPL",
	.type = ORDER_TYPE_MARKET,
	.side = ORDER_SIDE_BUY,
	.quantity = 100,
};

static void set_up(void)
{
	signal(SIGPIPE, SIG_IGN);
	ck_assert_int_eq(loop_new(&loop, &status), STATUS_OK);
	ck_assert_int_eq(ctx_root(loop, &root, &status), STATUS_OK);
	options = (struct http_sender_options){ .user_agent = "test/1" };
	sender = NULL;
	answers = 0;
}

static void tear_down(void)
{
	http_sender_free(sender);
	ctx_unref(root);
	loop_free(loop);
}

static void make_sender(void)
{
	ck_assert_msg(http_sender_new(loop, &options, &sender, &status) ==
			      STATUS_OK,
		      "%s", status.message);
}

static void serve(const char *const *script)
{
	tiny_server_start(&server, script);
	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u", server.port);
	options.url = url;
	make_sender();
}
#define SERVE(...) serve((const char *const[]){ __VA_ARGS__, NULL })

static void on_sent(const struct status *told, const char *told_id, void *arg)
{
	ck_assert_ptr_eq(arg, &answers);
	status = *told;
	ck_assert((told_id != NULL) == (told->code == STATUS_OK));
	(void)snprintf(id, sizeof(id), "%s", told_id != NULL ? told_id : "");
	answers++;
	loop_stop(loop);
}

static void begin(struct ctx *ctx, const struct order_draft *draft,
		  const char *key)
{
	struct order_sender *port = http_sender_port(sender);
	int before = answers;

	port->ops->send(port, ctx, draft, key, on_sent, &answers);
	ck_assert_int_eq(answers, before);
}

/* Send, and wait for what becomes of it. */
static enum status_code send_order(const struct order_draft *draft,
				   const char *key)
{
	struct ctx *ctx =
		ctx_new(root, clock_now_ns() + 20 * (int64_t)NS_PER_S);

	begin(ctx, draft, key);
	loop_run(loop);
	ctx_unref(ctx);
	return status.code;
}

static const char *body_of(const char *request)
{
	const char *end = strstr(request, "\r\n\r\n");

	return end != NULL ? end + 4 : "";
}

static void expect_header(const char *request, const char *line)
{
	char whole[256];

	(void)snprintf(whole, sizeof(whole), "\r\n%s\r\n", line);
	ck_assert_msg(strstr(request, whole) != NULL, "lacks '%s': %s", line,
		      request);
}

/* ---- what goes out ---------------------------------------------------------
 */

START_TEST(an_order_goes_out_as_json)
{
	const char *request = server.requests[0];

	SERVE(CREATED);
	ck_assert_int_eq(send_order(&market, NULL), STATUS_OK);
	ck_assert_str_eq(id, "6f8e");
	ck_assert_int_eq(strncmp(request, "POST /api/orders HTTP/1.1\r\n", 27),
			 0);
	expect_header(request, "Content-Type: application/json");
	expect_header(request, "Accept: application/json");
	expect_header(request, "User-Agent: test/1");
	ck_assert_ptr_null(strstr(request, "Idempotency-Key"));
	ck_assert_ptr_null(strstr(request, "Expect"));
	ck_assert_str_eq(body_of(request),
			 "{\"symbol\":\"AAPL\",\"order_type\":\"MARKET\","
			 "\"order_side\":\"BUY\",\"quantity\":100}");
	tiny_server_stop(&server);
}
END_TEST

START_TEST(a_price_and_a_key_go_out_where_there_are_any)
{
	const struct order_draft limit = { .symbol = "GO\"G",
					   .type = ORDER_TYPE_LIMIT,
					   .side = ORDER_SIDE_SELL,
					   .quantity = 2147483647,
					   .price = 150.75 };

	SERVE(CREATED, CREATED);
	ck_assert_int_eq(send_order(&limit, "key-1"), STATUS_OK);
	ck_assert_int_eq(send_order(&market, NULL), STATUS_OK);
	expect_header(server.requests[0], "Idempotency-Key: key-1");
	ck_assert_str_eq(body_of(server.requests[0]),
			 "{\"symbol\":\"GO\\\"G\",\"order_type\":\"LIMIT\","
			 "\"order_side\":\"SELL\",\"quantity\":2147483647,"
			 "\"price\":150.75}");
	/* Nothing of the first is left in the second. */
	ck_assert_ptr_null(strstr(server.requests[1], "Idempotency-Key"));
	ck_assert_ptr_null(strstr(server.requests[1], "price"));
	/* And one connection serves both. */
	ck_assert_uint_eq(atomic_load(&server.connections), 1);
	tiny_server_stop(&server);
}
END_TEST

START_TEST(the_address_may_have_a_path_and_a_slash)
{
	SERVE(CREATED);
	http_sender_free(sender);
	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/stock/",
		       server.port);
	make_sender();
	ck_assert_int_eq(send_order(&market, NULL), STATUS_OK);
	ck_assert_int_eq(strncmp(server.requests[0],
				 "POST /stock/api/orders HTTP/1.1\r\n", 33),
			 0);
	tiny_server_stop(&server);
}
END_TEST

START_TEST(no_proxy_of_the_environment_is_used)
{
	setenv("http_proxy", "http://127.0.0.1:1", 1);
	setenv("all_proxy", "http://127.0.0.1:1", 1);
	SERVE(CREATED);
	ck_assert_int_eq(send_order(&market, NULL), STATUS_OK);
	tiny_server_stop(&server);
}
END_TEST

static const char *const bad_urls[] = {
	"",	    "localhost:8082",	      "ftp://localhost",
	"http://",  "http://localhost:99999", "http://local host",
	"file:///", "http://localhost/?a=b",  "http://localhost/#a",
};

START_TEST(what_is_no_address_is_refused)
{
	options.url = bad_urls[_i];
	ck_assert_int_eq(http_sender_new(loop, &options, &sender, &status),
			 STATUS_INVALID_ARGUMENT);
	ck_assert_ptr_nonnull(
		strstr(status.message, "is not an address such as http://"));
	ck_assert_ptr_null(sender);
}
END_TEST

/* ---- what comes back -------------------------------------------------------
 */

START_TEST(a_refusal_is_told_with_its_reason)
{
	SERVE(REFUSED, CREATED);
	ck_assert_int_eq(send_order(&market, NULL), STATUS_INVALID_ARGUMENT);
	ck_assert_str_eq(status.message, "no good");
	ck_assert_int_eq(send_order(&market, NULL), STATUS_OK);
	tiny_server_stop(&server);
}
END_TEST

START_TEST(an_answer_without_end_is_cut_off)
{
	static char endless[100 * 1024];
	static const char head[] = "HTTP/1.1 201 Created\r\n\r\n";

	memset(endless, ' ', sizeof(endless) - 1);
	memcpy(endless, head, strlen(head));
	SERVE(endless, CREATED);
	ck_assert_int_eq(send_order(&market, NULL), STATUS_INTERNAL);
	ck_assert_str_eq(status.message,
			 "the answer has more than 65536 bytes");
	ck_assert_int_eq(send_order(&market, NULL), STATUS_OK);
	tiny_server_stop(&server);
}
END_TEST

START_TEST(nobody_there_is_unavailable)
{
	SERVE(CREATED);
	ck_assert_int_eq(send_order(&market, NULL), STATUS_OK);
	tiny_server_stop(&server);
	ck_assert_int_eq(send_order(&market, NULL), STATUS_UNAVAILABLE);
	ck_assert_str_ne(status.message, "");
	ck_assert_int_eq(send_order(&market, "key"), STATUS_UNAVAILABLE);
}
END_TEST

START_TEST(an_order_that_may_have_been_taken_is_not_repeated)
{
	/* On a connection that was used before: a fresh one is never tried
	 * again. */
	SERVE(CREATED, TINY_CLOSE, CREATED);
	ck_assert_int_eq(send_order(&market, NULL), STATUS_OK);
	ck_assert_int_eq(send_order(&market, NULL), STATUS_UNAVAILABLE);
	ck_assert_str_eq(status.message,
			 "the connection was lost before the answer came");
	ck_assert_uint_eq(atomic_load(&server.requests_n), 2);
	ck_assert_int_eq(send_order(&market, NULL), STATUS_OK);
	tiny_server_stop(&server);
	ck_assert_uint_eq(atomic_load(&server.requests_n), 3);
}
END_TEST

START_TEST(an_order_with_a_key_is_repeated)
{
	SERVE(CREATED, TINY_CLOSE, CREATED);
	ck_assert_int_eq(send_order(&market, "key-1"), STATUS_OK);
	ck_assert_int_eq(send_order(&market, "key-2"), STATUS_OK);
	tiny_server_stop(&server);
	ck_assert_uint_eq(atomic_load(&server.requests_n), 3);
	ck_assert_str_eq(server.requests[1], server.requests[2]);
	expect_header(server.requests[2], "Idempotency-Key: key-2");
}
END_TEST

START_TEST(files_of_ours_that_can_t_be_read_are_our_fault)
{
	options.tls_ca = "/nonexistent.pem";
	SERVE(TINY_CLOSE);
	http_sender_free(sender);
	(void)snprintf(url, sizeof(url), "https://127.0.0.1:%u", server.port);
	make_sender();
	ck_assert_int_eq(send_order(&market, NULL), STATUS_INVALID_ARGUMENT);
	/* So that the script may end. */
	http_sender_free(sender);
	options.tls_ca = NULL;
	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u", server.port);
	make_sender();
	ck_assert_int_eq(send_order(&market, NULL), STATUS_UNAVAILABLE);
	tiny_server_stop(&server);
}
END_TEST

/* ---- not waiting -----------------------------------------------------------
 */

static struct ctx *ended;

/* As soon as the order has arrived. */
static void end_it(struct loop_timer *timer, int64_t late_ns)
{
	const struct status cancelled = status_make(STATUS_CANCELLED, "enough");
	int before = answers;

	(void)late_ns;
	if (sem_trywait(&server.arrived) != 0) {
		loop_timer_start(loop, timer, clock_now_ns() + NS_PER_MS);
		return;
	}
	(void)ctx_end(ended, CTX_SHUTDOWN, &cancelled);
	ck_assert_int_eq(answers, before); /* not inside ctx_end() */
}

START_TEST(when_its_ctx_ends_an_order_is_cut_off_at_once)
{
	struct loop_timer timer = { .fn = end_it };

	SERVE(TINY_HANG, CREATED);
	ended = ctx_new(root, CLOCK_NEVER);
	begin(ended, &market, NULL);
	loop_timer_start(loop, &timer, clock_now_ns());
	loop_run(loop);
	ck_assert_int_eq(status.code, STATUS_CANCELLED);
	ck_assert_str_eq(status.message, "enough");
	sem_wait(&server.left); /* the server knows */
	ctx_unref(ended);
	ck_assert_int_eq(answers, 1);
	ck_assert_int_eq(send_order(&market, NULL), STATUS_OK);
	tiny_server_stop(&server);
}
END_TEST

START_TEST(a_deadline_cuts_off_too)
{
	struct ctx *ctx;

	SERVE(TINY_HANG);
	ctx = ctx_new(root, clock_now_ns() + 50 * (int64_t)NS_PER_MS);
	begin(ctx, &market, NULL);
	loop_run(loop);
	ck_assert_int_eq(status.code, STATUS_DEADLINE_EXCEEDED);
	ctx_unref(ctx);
	tiny_server_stop(&server);
}
END_TEST

START_TEST(with_a_ctx_that_has_ended_nothing_goes_out)
{
	struct ctx *ctx = ctx_new(root, CLOCK_NEVER);

	options.url = "http://127.0.0.1:1";
	make_sender();
	(void)ctx_end(ctx, CTX_SHUTDOWN, NULL);
	begin(ctx, &market, NULL);
	loop_run(loop);
	ck_assert_int_eq(status.code, STATUS_UNAVAILABLE);
	ck_assert_str_eq(status.message, "the server is shutting down");
	ctx_unref(ctx);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("http_sender");

	tcase_set_timeout(tc, 30);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, an_order_goes_out_as_json);
	tcase_add_test(tc, a_price_and_a_key_go_out_where_there_are_any);
	tcase_add_test(tc, the_address_may_have_a_path_and_a_slash);
	tcase_add_test(tc, no_proxy_of_the_environment_is_used);
	tcase_add_loop_test(tc, what_is_no_address_is_refused, 0,
			    sizeof(bad_urls) / sizeof(bad_urls[0]));
	tcase_add_test(tc, a_refusal_is_told_with_its_reason);
	tcase_add_test(tc, an_answer_without_end_is_cut_off);
	tcase_add_test(tc, nobody_there_is_unavailable);
	tcase_add_test(tc, an_order_that_may_have_been_taken_is_not_repeated);
	tcase_add_test(tc, an_order_with_a_key_is_repeated);
	tcase_add_test(tc, files_of_ours_that_can_t_be_read_are_our_fault);
	tcase_add_test(tc, when_its_ctx_ends_an_order_is_cut_off_at_once);
	tcase_add_test(tc, a_deadline_cuts_off_too);
	tcase_add_test(tc, with_a_ctx_that_has_ended_nothing_goes_out);
	return run_case(tc, "http_sender");
}
