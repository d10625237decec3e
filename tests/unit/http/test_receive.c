#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fixture.h"

#define JSON "Accept: application/json\r\n"
#define HOST "Host: localhost\r\n"

static struct fixture f;
static char response[RESPONSE_MAX];

static void begin(void)
{
	fixture_init(&f);
	fixture_start(&f);
}

static bool says(const char *text)
{
	return strcasestr(response, text) != NULL;
}

static const char *body(void)
{
	return strstr(response, "\r\n\r\n") + 4;
}

/* ---- answers ------------------------------------------------------------ */

START_TEST(an_answer_can_come_from_the_handler_the_loop_or_a_thread)
{
	int fd;

	begin();
	ck_assert_int_eq(client_ask(&f, GET("/now?message=a+b%21"), response),
			 200);
	ck_assert_str_eq(body(), "a b!");
	ck_assert_int_eq(client_ask(&f, GET("/on-loop"), response), 200);
	fd = client_open(&f, GET("/later"));
	held_answer(fixture_await_held(&f), 201, "made");
	ck_assert_int_eq(client_read(fd, response), 201);
	ck_assert_str_eq(body(), "made");
	close(fd);
	fixture_stop(&f);
}
END_TEST

START_TEST(a_connection_serves_many_requests)
{
	int fd;

	begin();
	fd = client_connect(&f);
	for (int i = 0; i < 20; i++) {
		client_send(fd, i % 2 ? GET("/now") : GET("/later"));
		if (i % 2 == 0) {
			held_answer(fixture_await_held(&f), 200, "");
		}
		ck_assert_int_eq(client_read(fd, response), 200);
	}
	close(fd);
	fixture_stop(&f);
}
END_TEST

START_TEST(pipelined_requests_are_answered_in_order)
{
	int fd;

	begin();
	fd = client_open(&f, GET("/now?message=1") GET("/later")
				     GET("/now?message=3") GET("/on-loop"));
	ck_assert_int_eq(client_read(fd, response), 200);
	ck_assert_str_eq(body(), "1");
	held_answer(fixture_await_held(&f), 200, "2");
	ck_assert_int_eq(client_read(fd, response), 200);
	ck_assert_str_eq(body(), "2");
	ck_assert_int_eq(client_read(fd, response), 200);
	ck_assert_str_eq(body(), "3");
	ck_assert_int_eq(client_read(fd, response), 200);
	ck_assert_str_eq(body(), "on loop");
	close(fd);
	fixture_stop(&f);
}
END_TEST

START_TEST(a_request_may_come_byte_by_byte)
{
	static const char request[] =
		"POST /body HTTP/1.1\r\n" HOST
		"Content-Type: application/x-www-form-urlencoded\r\n"
		"Content-Length: 11\r\n\r\nname=a%20bc";
	char byte[2] = "";
	int fd;

	begin();
	fd = client_connect(&f);
	for (size_t i = 0; i < sizeof(request) - 1; i++) {
		byte[0] = request[i];
		client_send(fd, byte);
	}
	ck_assert_int_eq(client_read(fd, response), 200);
	ck_assert_str_eq(body(), "POST name=a bc size=11 ends=20bc");
	close(fd);
	fixture_stop(&f);
}
END_TEST

START_TEST(head_gets_the_header_alone)
{
	int fd;

	begin();
	fd = client_open(&f, "HEAD /now?message=hello HTTP/1.1\r\n" HOST "\r\n"
			     "HEAD /none HTTP/1.1\r\n" HOST "\r\n" GET("/now"));
	ck_assert_int_eq(client_read_head(fd, response), 200);
	ck_assert(says("Content-Length: 5\r\n"));
	ck_assert_int_eq(client_read_head(fd, response), 404);
	ck_assert_int_eq(client_read(fd, response), 200);
	ck_assert_str_eq(body(), "now");
	close(fd);
	fixture_stop(&f);
}
END_TEST

START_TEST(http_1_0_is_answered_and_closed)
{
	int fd;

	begin();
	fd = client_open(&f, "GET /on-loop HTTP/1.0\r\n\r\n");
	ck_assert_int_eq(client_read(fd, response), 200);
	ck_assert(client_at_end(fd));
	close(fd);
	fixture_stop(&f);
}
END_TEST

START_TEST(an_absolute_url_means_its_path)
{
	begin();
	ck_assert_int_eq(
		client_ask(&f, GET("http://x:80/now?message=hi"), response),
		200);
	ck_assert_str_eq(body(), "hi");
	ck_assert_int_eq(client_ask(&f, GET("HTTP://x"), response), 404);
	ck_assert_int_eq(client_ask(&f, GET("http://x?message=hi"), response),
			 404);
	fixture_stop(&f);
}
END_TEST

START_TEST(segments_of_the_path_are_handed_over)
{
	begin();
	ck_assert_int_eq(client_ask(&f, GET("/things/a%2Fb"), response), 200);
	ck_assert_str_eq(body(), "id=a/b part=-");
	ck_assert_int_eq(client_ask(&f, GET("/things/1/wheel?x"), response),
			 200);
	ck_assert_str_eq(body(), "id=1 part=wheel");
	fixture_stop(&f);
}
END_TEST

START_TEST(request_id_and_trace_come_back)
{
	begin();
	client_ask(&f,
		   "GET /now HTTP/1.1\r\n" HOST "X-Request-ID: r 1\xFF\r\n"
		   "traceparent: 00-0123456789abcdef0123456789abcdef-"
		   "0123456789abcdef-01\r\n\r\n",
		   response);
	ck_assert(says("\r\nX-Request-ID: r_1_\r\n"));
	ck_assert(says("\r\ntraceresponse: "
		       "00-0123456789abcdef0123456789abcdef-"));
	client_ask(&f, GET("/now"), response);
	ck_assert(!says("X-Request-ID"));
	fixture_stop(&f);
}
END_TEST

START_TEST(a_request_id_is_cut_at_128_bytes)
{
	char request[600], expected[200];

	begin();
	snprintf(request, sizeof(request),
		 "GET /now HTTP/1.1\r\n" HOST "X-Request-ID: %0400d\r\n\r\n",
		 0);
	snprintf(expected, sizeof(expected), "X-Request-ID: %0128d\r\n", 0);
	client_ask(&f, request, response);
	ck_assert(says(expected));
	fixture_stop(&f);
}
END_TEST

/* ---- bodies ------------------------------------------------------------- */

#define CHUNKED "POST /body HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n"

START_TEST(chunks_are_put_together)
{
	begin();
	ck_assert_int_eq(client_ask(&f,
				    CHUNKED "\r\n4\r\nabcd\r\n3;x=y\r\nefg\r\n"
					    "0\r\n\r\n",
				    response),
			 200);
	ck_assert_str_eq(body(), "POST name=- size=7 ends=defg");
	ck_assert_int_eq(client_ask(&f, CHUNKED "\r\nzz\r\n", response), 400);
	fixture_stop(&f);
}
END_TEST

START_TEST(a_form_gives_parameters_and_keeps_its_body)
{
	begin();
	client_ask(&f,
		   "POST /body HTTP/1.1\r\n" HOST
		   "content-type: Application/x-www-form-urlencoded; a=b\r\n"
		   "Content-Length: 12\r\n\r\nname=%41&x=1",
		   response);
	ck_assert_str_eq(body(), "POST name=A size=12 ends=&x=1");
	client_ask(&f,
		   "PUT /body?name=query HTTP/1.1\r\n" HOST
		   "Content-Type: application/x-www-form-urlencoded\r\n"
		   "Content-Length: 6\r\n\r\nname=f",
		   response);
	ck_assert_str_eq(body(), "PUT name=query size=6 ends=me=f");
	client_ask(&f,
		   "POST /body HTTP/1.1\r\n" HOST "Content-Type: text/plain\r\n"
		   "Content-Length: 6\r\n\r\nname=f",
		   response);
	ck_assert_str_eq(body(), "POST name=- size=6 ends=me=f");
	fixture_stop(&f);
}
END_TEST

START_TEST(a_client_that_asks_first_is_told_to_go_on)
{
	int fd;

	begin();
	fd = client_open(&f, "POST /body HTTP/1.1\r\n" HOST
			     "Expect: 100-continue\r\n"
			     "Content-Length: 4\r\n\r\n");
	ck_assert_int_eq(client_read(fd, response), 100);
	client_send(fd, "abcd");
	ck_assert_int_eq(client_read(fd, response), 200);
	close(fd);
	fixture_stop(&f);
}
END_TEST

/* Both are for the caller to free. */
static char *with_length(size_t size)
{
	char *text = malloc(size + 1024);
	int header = sprintf(text,
			     "POST /body HTTP/1.1\r\n" HOST
			     "Content-Length: %zu\r\n\r\n",
			     size);

	memset(text + header, 'x', size);
	text[(size_t)header + size] = '\0';
	return text;
}

static char *chunk_of(size_t size)
{
	char *text = malloc(size + 64);
	int header = sprintf(text, "%zx\r\n", size);

	memset(text + header, 'x', size);
	strcpy(text + header + size, "\r\n");
	return text;
}

START_TEST(a_body_at_the_limit_is_taken_and_one_above_refused)
{
	char *fits, *large;
	int fd;

	begin();
	fits = with_length(f.options.body_max);
	large = with_length(f.options.body_max + 1);
	ck_assert_int_eq(client_ask(&f, fits, response), 200);
	ck_assert(says("size=65536 ends=xxxx"));
	/* It is read to its end, so the connection lives on. */
	fd = client_open(&f, large);
	ck_assert_int_eq(client_read(fd, response), 413);
	ck_assert_str_eq(body(), "the body is too large\n");
	client_send(fd, GET("/now"));
	ck_assert_int_eq(client_read(fd, response), 200);
	close(fd);
	free(fits);
	free(large);
	fixture_stop(&f);
}
END_TEST

START_TEST(a_chunked_body_above_the_limit_is_refused)
{
	char *chunk = chunk_of(70000);
	int fd;

	begin();
	fd = client_open(&f, CHUNKED "\r\n");
	client_send(fd, chunk);
	client_send(fd, "0\r\n\r\n" GET("/now"));
	ck_assert_int_eq(client_read(fd, response), 413);
	ck_assert_int_eq(client_read(fd, response), 200);
	close(fd);
	free(chunk);
	fixture_stop(&f);
}
END_TEST

START_TEST(a_chunked_body_without_end_is_cut_off)
{
	char *chunk = chunk_of(65536);
	int fd, sent = 0;

	begin();
	fd = client_open(&f, CHUNKED "\r\n");
	while (sent < 1000 &&
	       send(fd, chunk, strlen(chunk), MSG_NOSIGNAL) > 0) {
		sent++;
	}
	ck_assert_int_lt(sent, 1000);
	close(fd);
	free(chunk);
	fixture_stop(&f);
}
END_TEST

START_TEST(a_huge_body_is_refused_before_it_is_sent)
{
	int fd;

	begin();
	fd = client_open(&f, "POST /body HTTP/1.1\r\n" HOST
			     "Content-Length: 99999999\r\n\r\n");
	ck_assert_int_eq(client_read(fd, response), 413);
	ck_assert(says("Connection: close"));
	ck_assert(client_at_end(fd));
	close(fd);
	fd = client_open(&f, "POST /body HTTP/1.1\r\n" HOST
			     "Expect: 100-continue\r\n"
			     "Content-Length: 65537\r\n\r\n");
	ck_assert_int_eq(client_read(fd, response), 413);
	close(fd);
	fixture_stop(&f);
}
END_TEST

/* ---- refusals ----------------------------------------------------------- */

START_TEST(unknown_paths_and_wrong_methods_are_refused)
{
	begin();
	ck_assert_int_eq(client_ask(&f, GET("/nope"), response), 404);
	ck_assert_str_eq(body(), "404 page not found\n");
	ck_assert(says("Content-Type: text/plain; charset=utf-8\r\n"));
	ck_assert(says("X-Content-Type-Options: nosniff\r\n"));
	ck_assert_int_eq(client_ask(&f,
				    "DELETE /later HTTP/1.1\r\n" HOST "\r\n",
				    response),
			 405);
	ck_assert(says("\r\nAllow: GET, HEAD, POST\r\n"));
	fixture_stop(&f);
}
END_TEST

START_TEST(those_who_accept_json_get_a_problem)
{
	begin();
	client_ask(&f,
		   "GET /now?a=%FF HTTP/1.1\r\n" HOST JSON
		   "X-Request-ID: r1\r\n\r\n",
		   response);
	ck_assert(says("Content-Type: application/problem+json\r\n"));
	ck_assert(!says("nosniff"));
	ck_assert_str_eq(
		body(),
		"{\"type\":\"about:blank\",\"title\":\"Bad Request\","
		"\"status\":400,\"detail\":\"query: parameter 'a': is not "
		"UTF-8\",\"instance\":\"/now\",\"request_id\":\"r1\","
		"\"code\":\"INVALID_ARGUMENT\"}\n");
	fixture_stop(&f);
}
END_TEST

static void expect_json_error(const char *request, int http_status,
			      const char *json)
{
	ck_assert_int_eq(client_ask(&f, request, response), http_status);
	ck_assert(says("Content-Type: application/json\r\n"));
	ck_assert_str_eq(body(), json);
}

START_TEST(all_failures_are_json_where_that_is_the_style)
{
	struct status status = status_make(STATUS_UNAVAILABLE, "no \"disk\"");
	int fd;

	fixture_init(&f);
	f.options.error_style = HTTP_ERROR_JSON;
	fixture_start(&f);
	expect_json_error(GET("/nope"), 404,
			  "{\"error\":\"404 page not found\"}\n");
	ck_assert(!says("nosniff"));
	expect_json_error(GET("/now?a=%FF"), 400,
			  "{\"error\":\"query: parameter 'a': is not "
			  "UTF-8\"}\n");
	expect_json_error("POST /body HTTP/1.1\r\n" HOST
			  "Content-Length: 99999999\r\n\r\n",
			  413, "{\"error\":\"the body is too large\"}\n");
	ck_assert_int_eq(client_ask(&f,
				    "DELETE /later HTTP/1.1\r\n" HOST "\r\n",
				    response),
			 405);
	ck_assert(says("\r\nAllow: GET, HEAD, POST\r\n"));
	ck_assert(!says("Content-Type:"));
	ck_assert_str_eq(body(), "");
	fd = client_open(&f, GET("/later"));
	http_respond_error(fixture_await_held(&f)->request, 0, &status);
	ck_assert_int_eq(client_read(fd, response), 503);
	ck_assert(says("Content-Type: application/json\r\n"));
	ck_assert(says("Retry-After: 1\r\n"));
	ck_assert_str_eq(body(), "{\"error\":\"no \\\"disk\\\"\"}\n");
	close(fd);
	fixture_stop(&f);
}
END_TEST

START_TEST(bad_encoding_is_refused_in_query_form_and_path)
{
	begin();
	ck_assert_int_eq(client_ask(&f, GET("/now?message=%zz"), response),
			 400);
	ck_assert_int_eq(client_ask(&f, GET("/now?message=%00"), response),
			 400);
	ck_assert_str_eq(body(),
			 "query: parameter 'message': contains a NUL\n");
	ck_assert_int_eq(client_ask(&f, GET("/now?message=\xC3("), response),
			 400);
	ck_assert_int_eq(client_ask(&f, GET("/things/%FF"), response), 400);
	ck_assert_int_eq(client_ask(&f,
				    "POST /body HTTP/1.1\r\n" HOST
				    "Content-Type: "
				    "application/x-www-form-urlencoded\r\n"
				    "Content-Length: 5\r\n\r\na=%0g",
				    response),
			 400);
	ck_assert_str_eq(body(), "form: parameter 'a': bad percent-encoding\n");
	fixture_stop(&f);
}
END_TEST

START_TEST(a_raw_nul_in_the_url_is_refused)
{
	static const char request[] =
		"GET /now?message=a\0b HTTP/1.1\r\n" HOST "\r\n";
	static const char sly[] = "GET /now\0HTTP/1.1 HTTP/1.1\r\n" HOST "\r\n";
	int fd;

	begin();
	fd = client_connect(&f);
	ck_assert_int_gt(send(fd, request, sizeof(request) - 1, 0), 0);
	ck_assert_int_eq(client_read(fd, response), 400);
	ck_assert_str_eq(body(), "the URL contains a NUL\n");
	close(fd);
	fd = client_connect(&f);
	ck_assert_int_gt(send(fd, sly, sizeof(sly) - 1, 0), 0);
	ck_assert_int_eq(client_read(fd, response), 400);
	close(fd);
	fixture_stop(&f);
}
END_TEST

START_TEST(doubtful_framing_is_refused_and_closed)
{
	static const char *const bad[] = {
		"POST /body HTTP/1.1\r\n" HOST
		"Content-Length: 4\r\nContent-Length: 4\r\n\r\nabcd",
		"POST /body HTTP/1.1\r\n" HOST "Content-Length: 4\r\n"
		"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"POST /body HTTP/1.1\r\n" HOST
		"Transfer-Encoding: gzip\r\n\r\nabcd",
		"POST /body HTTP/1.1\r\n" HOST
		"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
		"POST /body HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n"
		"transfer-encoding: chunked\r\n\r\n0\r\n\r\n",
		"POST /body HTTP/1.0\r\n"
		"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"GET /now HTTP/1.1\r\n" HOST "host: other\r\n\r\n",
		"GET /now HTTP/1.1\r\n\r\n",
		"POST /body HTTP/1.1\r\n" HOST "Content-Length: -1\r\n\r\n",
		"POST /body HTTP/1.1\r\n" HOST "Content-Length: 1x\r\n\r\n",
		"POST /body HTTP/1.1\r\n" HOST "Content-Length:\r\n\r\n",
		"GET /now now HTTP/1.1\r\n" HOST "\r\n",
		"GET /now  HTTP/1.1\r\n" HOST "\r\n",
		"POST /body HTTP/1.1\r\n" HOST "Content-Length : 4\r\n\r\nabcd",
		"POST /body HTTP/1.1\r\n" HOST
		"Transfer-Encoding: chunked\r\n x\r\n\r\n0\r\n\r\n",
		"POST /body HTTP/1.1\r\n" HOST "A: b\r\n \r\n\r\n",
		"GET /now HTTP/1.1\r\n" HOST "A: b\rc\r\n\r\n",
		"GET /now HTTP/1.1\r\n" HOST ": b\r\n\r\n",
	};

	begin();
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		int fd = client_open(&f, bad[i]);
		int status = client_read(fd, response);

		ck_assert_msg(status == 400, "%zu: %d", i, status);
		ck_assert_msg(client_ends(fd), "%zu", i);
		close(fd);
	}
	fixture_stop(&f);
}
END_TEST

START_TEST(a_nul_in_a_header_field_is_refused)
{
	static const char one[] =
		"GET /now HTTP/1.1\r\n" HOST "A: b\0c\r\nD: e\r\n\r\n";
	static const char two[] =
		"GET /now HTTP/1.1\r\n" HOST "A: b\0\0c\n\r\n";
	static const char last[] =
		"GET /now HTTP/1.1\r\n" HOST "A: b\0\0c\r\n\r\n";
	static const struct {
		const char *text;
		size_t size;
	} bad[] = { { one, sizeof(one) - 1 },
		    { two, sizeof(two) - 1 },
		    { last, sizeof(last) - 1 } };

	begin();
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		int fd = client_connect(&f);

		ck_assert_int_gt(send(fd, bad[i].text, bad[i].size, 0), 0);
		ck_assert_msg(client_read(fd, response) == 400, "%zu", i);
		close(fd);
	}
	fixture_stop(&f);
}
END_TEST

START_TEST(sound_headers_of_any_form_are_taken)
{
	static const char *const good[] = {
		"GET /now HTTP/1.1\nHost: x\n\n",
		"GET /now HTTP/1.1\r\nHost:x\nA:\r\nB: \t \nC:d\r\n\n",
		"GET /now HTTP/1.0\r\n\r\n",
		"GET /now HTTP/1.0\n\n",
		"\r\nGET /now HTTP/1.1\r\nHost:\r\nCookie: a=b; c=d\r\n\r\n",
		"GET /now?a=b&c HTTP/1.1\r\nA: b: c\r\nHost: x \r\n\r\n",
		"GET /now HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc",
	};

	begin();
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		int status = client_ask(&f, good[i], response);

		ck_assert_msg(status == 200, "%zu: %d", i, status);
	}
	fixture_stop(&f);
}
END_TEST

START_TEST(a_long_url_is_refused)
{
	char request[9000];
	int fd;

	begin();
	snprintf(request, sizeof(request),
		 "GET /now?message=%07987d HTTP/1.1\r\n" HOST "\r\n", 0);
	fd = client_open(&f, request);
	ck_assert_int_eq(client_read(fd, response), 200);
	snprintf(request, sizeof(request),
		 "GET /now?message=%07988d HTTP/1.1\r\n" HOST "\r\n", 0);
	client_send(fd, request);
	ck_assert_int_eq(client_read(fd, response), 414);
	client_send(fd, GET("/now"));
	ck_assert_int_eq(client_read(fd, response), 200);
	close(fd);
	fixture_stop(&f);
}
END_TEST

/* Whatever its size, a header gets an answer: taken below @taken_max bytes at
 * least, refused above @refused_min. */
static void sweep_header(const char *name, int taken_max, int refused_min)
{
	static char request[70000];

	for (int size = taken_max; size < 40000; size += 23) {
		int status;

		snprintf(request, sizeof(request),
			 "GET /now HTTP/1.1\r\n" HOST "%s: %0*d\r\n\r\n", name,
			 size, 0);
		status = client_ask(&f, request, response);
		ck_assert_msg(status == 200 || status == 431,
			      "%s of %d bytes: %d", name, size, status);
		ck_assert(status == 431 || size < refused_min);
		ck_assert(status == 200 || size > taken_max);
		if (size > refused_min + 2000) {
			size += 1000;
		}
	}
}

START_TEST(a_large_header_is_refused_with_an_answer)
{
	begin();
	sweep_header("X-Large", 12000, 16000);
	sweep_header("Cookie", 6000, 8200);
	fixture_stop(&f);
}
END_TEST

START_TEST(many_small_fields_are_refused_with_an_answer)
{
	static char request[70000];
	bool refused = false;

	begin();
	for (int nr = 50; nr < 400; nr++) {
		int at = sprintf(request, "GET /now HTTP/1.1\r\n" HOST);
		int status;

		for (int i = 0; i < nr; i++) {
			at += sprintf(request + at, "a:b\r\n");
		}
		sprintf(request + at, "\r\n");
		status = client_ask(&f, request, response);
		ck_assert_msg(status == 431 || (status == 200 && !refused),
			      "%d fields: %d", nr, status);
		refused |= status == 431;
	}
	ck_assert(refused);
	fixture_stop(&f);
}
END_TEST

START_TEST(garbage_is_answered_or_closed_and_harms_nobody)
{
	static const char *const garbage[] = {
		"\r\n\r\n\r\n\r\n",
		"\x16\x03\x01\x02\x01\x01",
		"GET\r\n\r\n",
		"GET /now\r\n\r\n",
		"GET /now HTTP/2.0\r\n\r\n",
		"GET /now HTTP/0.9\r\n\r\n",
		" \r\n\r\n",
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
		"GET  HTTP/1.1\r\n" HOST "\r\n",
		"GET /now HTTP/1.1\r\nno colon\r\n\r\n",
		"GET /now HTTP/1.1\r\n folded: x\r\n\r\n",
	};

	begin();
	for (size_t i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++) {
		int fd = client_open(&f, garbage[i]);

		shutdown(fd, SHUT_WR);
		ck_assert_msg(client_read(fd, response) != 200, "%zu", i);
		close(fd);
	}
	ck_assert_int_eq(client_ask(&f, GET("/now"), response), 200);
	fixture_stop(&f);
}
END_TEST

START_TEST(every_end_is_reported)
{
	struct http_end end;

	begin();
	client_ask(&f, GET("/now?message=hello"), response);
	end = fixture_await_over(&f);
	ck_assert_int_eq(end.status, 200);
	ck_assert_int_eq(end.cause, CTX_FINISHED);
	ck_assert_uint_eq(end.body_size, 5);
	ck_assert_int_gt(end.duration_ns, 0);
	ck_assert_str_eq(f.end_paths[0], "/now");
	client_ask(&f, GET("/%6eope?x"), response);
	ck_assert_int_eq(fixture_await_over(&f).status, 404);
	ck_assert_str_eq(f.end_paths[1], "/%6eope");
	fixture_stop(&f);
}
END_TEST

RUN_TESTS("http_receive",
	  an_answer_can_come_from_the_handler_the_loop_or_a_thread,
	  a_connection_serves_many_requests,
	  pipelined_requests_are_answered_in_order,
	  a_request_may_come_byte_by_byte, head_gets_the_header_alone,
	  http_1_0_is_answered_and_closed, an_absolute_url_means_its_path,
	  segments_of_the_path_are_handed_over, request_id_and_trace_come_back,
	  a_request_id_is_cut_at_128_bytes, chunks_are_put_together,
	  a_form_gives_parameters_and_keeps_its_body,
	  a_client_that_asks_first_is_told_to_go_on,
	  a_body_at_the_limit_is_taken_and_one_above_refused,
	  a_chunked_body_above_the_limit_is_refused,
	  a_chunked_body_without_end_is_cut_off,
	  a_huge_body_is_refused_before_it_is_sent,
	  unknown_paths_and_wrong_methods_are_refused,
	  those_who_accept_json_get_a_problem,
	  all_failures_are_json_where_that_is_the_style,
	  bad_encoding_is_refused_in_query_form_and_path,
	  a_raw_nul_in_the_url_is_refused,
	  doubtful_framing_is_refused_and_closed,
	  a_nul_in_a_header_field_is_refused,
	  sound_headers_of_any_form_are_taken, a_long_url_is_refused,
	  a_large_header_is_refused_with_an_answer,
	  many_small_fields_are_refused_with_an_answer,
	  garbage_is_answered_or_closed_and_harms_nobody, every_end_is_reported)
