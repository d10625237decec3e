/* Bad input: the right code, a sentence that says what is wrong, no row. */
#include "harness/pair.h"
#include "harness/run.h"
#include "harness/suite.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- HTTP: bytes as they are, and the status they get -------------------- */

struct bad_request {
	const char *what;
	int status;
	const char *bytes;
};

#define HOST "Host: localhost\r\n"
#define FORM "Content-Type: application/x-www-form-urlencoded\r\n"

static const struct bad_request bad_requests[] = {
	{ "percent-encoding that is none", 400,
	  "GET /echo?request_id=%zz HTTP/1.1\r\n" HOST "\r\n" },
	{ "percent-encoding cut short", 400,
	  "GET /echo?request_id=a%4 HTTP/1.1\r\n" HOST "\r\n" },
	{ "bytes that are not UTF-8", 400,
	  "GET /echo?request_id=%ff%fe HTTP/1.1\r\n" HOST "\r\n" },
	{ "overlong UTF-8", 400,
	  "GET /echo?message=%c0%af HTTP/1.1\r\n" HOST "\r\n" },
	{ "a surrogate in UTF-8", 400,
	  "GET /echo?message=%ed%a0%80 HTTP/1.1\r\n" HOST "\r\n" },
	{ "NUL in a parameter", 400,
	  "GET /echo?request_id=a%00b HTTP/1.1\r\n" HOST "\r\n" },
	{ "a timeout that is none", 400,
	  "GET /echo?timeout=soon HTTP/1.1\r\n" HOST "\r\n" },
	{ "a negative timeout", 400,
	  "GET /echo?timeout=-1s HTTP/1.1\r\n" HOST "\r\n" },
	{ "a timeout of nothing", 400,
	  "GET /echo?timeout=0s HTTP/1.1\r\n" HOST "\r\n" },
	{ "an unknown path", 404, "GET /nowhere HTTP/1.1\r\n" HOST "\r\n" },
	{ "the root", 404, "GET / HTTP/1.1\r\n" HOST "\r\n" },
	{ "a path that is longer", 404,
	  "GET /echo/more HTTP/1.1\r\n" HOST "\r\n" },
	{ "a method that is not allowed", 405,
	  "DELETE /echo HTTP/1.1\r\n" HOST "\r\n" },
	{ "another one", 405,
	  "PUT /echo HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n" },
	{ "no Host", 400, "GET /echo HTTP/1.1\r\n\r\n" },
	{ "two Hosts", 400, "GET /echo HTTP/1.1\r\n" HOST HOST "\r\n" },
	{ "Content-Length and Transfer-Encoding", 400,
	  "POST /echo HTTP/1.1\r\n" HOST FORM
	  "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
	  "0\r\n\r\n" },
	{ "two Content-Lengths that differ", 400,
	  "POST /echo HTTP/1.1\r\n" HOST FORM
	  "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc" },
	{ "a Content-Length that is no number", 400,
	  "POST /echo HTTP/1.1\r\n" HOST FORM
	  "Content-Length: three\r\n\r\nabc" },
	{ "a Transfer-Encoding that nobody knows", 400,
	  "POST /echo HTTP/1.1\r\n" HOST FORM
	  "Transfer-Encoding: rot13\r\n\r\nabc" },
	{ "a body that is no form", 415,
	  "POST /echo HTTP/1.1\r\n" HOST "Content-Type: text/plain\r\n"
	  "Content-Length: 5\r\n\r\nhello" },
	{ "bad encoding in a form", 400,
	  "POST /echo HTTP/1.1\r\n" HOST FORM
	  "Content-Length: 15\r\n\r\nrequest_id=%zz1" },
	{ "a body that is announced as too large", 413,
	  "POST /echo HTTP/1.1\r\n" HOST FORM
	  "Content-Length: 99999999\r\n\r\n" },
};

/* Has nothing in it that a person could read? */
static bool says_something(const struct reply *reply)
{
	return reply->body_size >= 8 && strchr(reply->body, ' ') != NULL;
}

static void expect_refused(struct pair *pair, const struct bad_request *bad)
{
	struct client client;
	struct reply reply;

	client_open(&client, pair->http_port);
	ck_assert(client_send(&client, bad->bytes, strlen(bad->bytes)));
	(void)client_receive(&client, &reply);
	ck_assert_msg(reply.status == bad->status, "%s: %d, not %d: %s%s",
		      bad->what, reply.status, bad->status, reply.head,
		      reply.body);
	ck_assert_msg(says_something(&reply), "%s: says '%s'", bad->what,
		      reply.body);
	client_close(&client);
}

static void expect_untouched(struct pair *pair)
{
	ck_assert_int_eq(
		rows_query(pair->echo_db, "SELECT COUNT(*) FROM echo_requests"),
		0);
	ck_assert_int_eq(rows_query(pair->worker_db,
				    "SELECT COUNT(*) FROM worker_tasks"),
			 0);
	pair_expect_works(pair, "good");
}

START_TEST(each_bad_request_gets_its_code_and_a_sentence)
{
	struct pair pair;

	pair_start(&pair, NULL);
	for (size_t i = 0; i < sizeof(bad_requests) / sizeof(*bad_requests);
	     i++) {
		expect_refused(&pair, &bad_requests[i]);
	}
	expect_untouched(&pair);
	pair_end(&pair);
}
END_TEST

/* "<before><size times 'a'><after>" as a bad request. */
static void expect_long_refused(struct pair *pair, const char *what,
				const int *statuses, const char *before,
				size_t size, const char *after)
{
	size_t before_size = strlen(before);
	char *bytes = calloc(1, before_size + size + strlen(after) + 1);
	struct client client;
	struct reply reply;

	ck_assert_ptr_nonnull(bytes);
	memcpy(bytes, before, before_size);
	memset(bytes + before_size, 'a', size);
	memcpy(bytes + before_size + size, after, strlen(after));
	client_open(&client, pair->http_port);
	/* It may stop reading in the middle. */
	(void)client_send(&client, bytes, strlen(bytes));
	(void)client_receive(&client, &reply);
	while (*statuses != 0 && reply.status != *statuses) {
		statuses++;
	}
	ck_assert_msg(*statuses != 0, "%s: answered %d", what, reply.status);
	client_close(&client);
	free(bytes);
}

START_TEST(what_is_too_long_is_refused_by_name)
{
	static const char post[] = "POST /echo HTTP/1.1\r\n" HOST FORM
				   "Content-Length: 100012\r\n\r\nmessage=";
	static const char chunked[] =
		"POST /echo HTTP/1.1\r\n" HOST FORM
		"Transfer-Encoding: chunked\r\n\r\n186a0\r\n";
	struct pair pair;

	pair_start(&pair, NULL);
	expect_long_refused(&pair, "URL", (const int[]){ 414, 0 },
			    "GET /echo?message=", 60000,
			    " HTTP/1.1\r\n" HOST "\r\n");
	expect_long_refused(&pair, "header", (const int[]){ 431, 0 },
			    "GET /echo HTTP/1.1\r\n" HOST "X-Long: ", 60000,
			    "\r\n\r\n");
	expect_long_refused(&pair, "request_id", (const int[]){ 400, 0 },
			    "GET /echo?request_id=", 300,
			    " HTTP/1.1\r\n" HOST "\r\n");
	expect_long_refused(&pair, "body", (const int[]){ 413, 0 }, post,
			    100004, "");
	expect_long_refused(&pair, "chunked body", (const int[]){ 413, 0 },
			    chunked, 100000, "\r\n0\r\n\r\n");
	expect_untouched(&pair);
	pair_end(&pair);
}
END_TEST

START_TEST(a_method_that_is_not_allowed_is_told_which_are)
{
	static const char bytes[] = "DELETE /echo HTTP/1.1\r\n" HOST "\r\n";
	struct pair pair;
	struct client client;
	struct reply reply;
	char allow[256];

	pair_start(&pair, NULL);
	client_open(&client, pair.http_port);
	ck_assert(client_send(&client, bytes, strlen(bytes)));
	ck_assert(client_receive(&client, &reply));
	ck_assert(reply_header(&reply, "Allow", allow));
	ck_assert_ptr_nonnull(strstr(allow, "GET"));
	ck_assert_ptr_nonnull(strstr(allow, "POST"));
	client_close(&client);
	pair_end(&pair);
}
END_TEST

START_TEST(failures_are_problem_json_for_those_who_accept_json)
{
	struct pair pair;
	struct client client;
	struct reply reply;
	char value[256];

	pair_start(&pair, NULL);
	client_open(&client, pair.http_port);
	ck_assert(client_get_with(&client,
				  "Accept: application/json\r\n"
				  "X-Request-ID: mine-1\r\n",
				  "/echo?timeout=soon"));
	ck_assert(client_receive(&client, &reply));
	ck_assert_int_eq(reply.status, 400);
	ck_assert(reply_header(&reply, "Content-Type", value));
	ck_assert_str_eq(value, "application/problem+json");
	ck_assert_ptr_nonnull(strstr(reply.body, "\"status\":400"));
	ck_assert_ptr_nonnull(strstr(reply.body, "mine-1"));
	ck_assert(reply_header(&reply, "X-Request-ID", value));
	ck_assert_str_eq(value, "mine-1");

	ck_assert(client_get_with(&client, "X-Request-ID: mine-2\r\n",
				  "/echo?timeout=soon"));
	ck_assert(client_receive(&client, &reply));
	ck_assert(reply_header(&reply, "Content-Type", value));
	ck_assert_ptr_nonnull(strstr(value, "text/plain"));
	ck_assert(reply_header(&reply, "X-Content-Type-Options", value));
	ck_assert_str_eq(value, "nosniff");
	ck_assert(reply_header(&reply, "X-Request-ID", value));
	ck_assert_str_eq(value, "mine-2");
	client_close(&client);
	pair_end(&pair);
}
END_TEST

/* ---- good input, in all its forms ---------------------------------------- */

static void expect_stored(struct pair *pair, const char *id,
			  const char *message)
{
	char sql[512];

	snprintf(sql, sizeof(sql),
		 "SELECT COUNT(*) FROM echo_requests WHERE request_id = '%s' "
		 "AND message = '%s'",
		 id, message);
	ck_assert_int_eq(rows_query(pair->echo_db, sql), 1);
	snprintf(sql, sizeof(sql),
		 "SELECT COUNT(*) FROM worker_tasks WHERE task_id = '%s' "
		 "AND data = '%s'",
		 id, message);
	ck_assert_int_eq(rows_query(pair->worker_db, sql), 1);
}

START_TEST(get_and_post_form_are_alike)
{
	static const char form[] =
		"request_id=posted&message=gr%C3%BC%C3%9F+dich";
	struct pair pair;
	struct client client;
	struct reply reply;

	pair_start(&pair, NULL);
	client_open(&client, pair.http_port);
	ck_assert(client_get(&client,
			     "/echo?request_id=got&message=gr%%C3%%BC%%C3%%9F"
			     "+dich"));
	ck_assert(client_receive(&client, &reply));
	ck_assert_int_eq(reply.status, 200);
	ck_assert(client_post(&client, "/echo",
			      "application/x-www-form-urlencoded", form,
			      strlen(form)));
	ck_assert(client_receive(&client, &reply));
	ck_assert_int_eq(reply.status, 200);
	ck_assert_str_eq(reply.body,
			 "Success: Work completed for task posted\n");
	expect_stored(&pair, "got", "grüß dich");
	expect_stored(&pair, "posted", "grüß dich");
	client_close(&client);
	pair_end(&pair);
}
END_TEST

START_TEST(what_is_absent_has_its_default)
{
	struct pair pair;
	struct client client;
	struct reply reply;

	pair_start(&pair, NULL);
	client_open(&client, pair.http_port);
	ck_assert(client_get_with(&client, "X-Request-ID: from-header\r\n",
				  "/echo"));
	ck_assert(client_receive(&client, &reply));
	ck_assert_int_eq(reply.status, 200);
	expect_stored(&pair, "from-header", "Hello");
	ck_assert(client_get(&client, "/echo?message="));
	ck_assert(client_receive(&client, &reply));
	ck_assert_int_eq(reply.status, 200);
	ck_assert_int_eq(strncmp(reply.body,
				 "Success: Work completed for task req-", 37),
			 0);
	ck_assert_int_eq(rows_query(pair.echo_db,
				    "SELECT COUNT(*) FROM echo_requests WHERE "
				    "request_id GLOB 'req-[0-9]*' AND "
				    "message = 'Hello'"),
			 1);
	client_close(&client);
	pair_end(&pair);
}
END_TEST

START_TEST(json_for_those_who_accept_it)
{
	struct pair pair;
	struct client client;
	struct reply reply;
	char type[256];

	pair_start(&pair, NULL);
	client_open(&client, pair.http_port);
	ck_assert(client_get_with(&client, "Accept: application/json\r\n",
				  "/echo?request_id=in-json"));
	ck_assert(client_receive(&client, &reply));
	ck_assert_int_eq(reply.status, 200);
	ck_assert(reply_header(&reply, "Content-Type", type));
	ck_assert_ptr_nonnull(strstr(type, "application/json"));
	ck_assert_ptr_nonnull(strstr(reply.body, "\"in-json\""));
	client_close(&client);
	pair_end(&pair);
}
END_TEST

/* What a client sends can't make a line of its own in anybody's log. */
START_TEST(a_line_break_in_an_id_stays_in_its_line)
{
	struct pair pair;

	pair_start(&pair, NULL);
	ck_assert_int_eq(http_status_of(pair.http_port,
					"/echo?request_id=a%%0ATRANSACTION%%20"
					"COMMITTED%%20for%%20request_id=b"),
			 200);
	process_await(&pair.echo, "TRANSACTION COMMITTED for request_id=a",
		      NULL);
	ck_assert(!process_has_id(
		&pair.echo, "\nTRANSACTION COMMITTED for request_id=", "b"));
	ck_assert_uint_eq(process_count(&pair.echo, "INFO", "COMMITTED"), 1);
	pair_end(&pair);
}
END_TEST

START_TEST(the_trace_of_a_request_is_continued_in_the_worker)
{
	static const char trace[] = "0af7651916cd43dd8448eb211c80319c";
	struct pair pair;
	struct client client;
	struct reply reply;
	char headers[256];

	pair_start(&pair, NULL);
	snprintf(headers, sizeof(headers),
		 "traceparent: 00-%s-b7ad6b7169203331-01\r\n", trace);
	client_open(&client, pair.http_port);
	ck_assert(client_get_with(&client, headers, "/echo?request_id=traced"));
	ck_assert(client_receive(&client, &reply));
	ck_assert_int_eq(reply.status, 200);
	process_await(&pair.echo, "TRANSACTION COMMITTED", trace);
	process_await(&pair.worker, "TRANSACTION COMMITTED", trace);
	process_await(&pair.worker, "TRANSACTION COMMITTED",
		      "request_id=traced");
	client_close(&client);
	pair_end(&pair);
}
END_TEST

/* ---- gRPC ---------------------------------------------------------------- */

static void expect_code(struct pair *pair, const char *code, const char *method,
			const char *json)
{
	struct outcome outcome;
	char address[64];

	snprintf(address, sizeof(address), "localhost:%d", pair->grpc_port);
	GRPCURL(&outcome, "-max-time", "20", "-d", json, address, method);
	ck_assert_msg(outcome.code != 0 && strstr(outcome.text, code) != NULL,
		      "%s of %.60s: not %s but %s", method, json, code,
		      outcome.text);
}

START_TEST(bad_calls_get_their_code)
{
	enum { LONG = 70000, HUGE_ = 1 << 20 };
	struct pair pair;
	char *json = calloc(1, HUGE_ + 100);

	ck_assert_ptr_nonnull(json);
	if (tool_find("grpcurl") == NULL) {
		free(json);
		return;
	}
	pair_start(&pair, NULL);
	expect_code(&pair, "InvalidArgument", "worker.WorkerService/DoWork",
		    "{}");
	expect_code(&pair, "InvalidArgument", "worker.WorkerService/DoWork",
		    "{\"task_id\":\"\",\"data\":\"x\"}");
	snprintf(json, HUGE_, "{\"task_id\":\"t\",\"data\":\"");
	memset(json + strlen(json), 'x', LONG);
	memcpy(json + strlen(json), "\"}", 3);
	expect_code(&pair, "InvalidArgument", "worker.WorkerService/DoWork",
		    json);
	expect_untouched(&pair);
	pair_end(&pair);
	free(json);
}
END_TEST

/*
 * HTTP/2 by hand through curl: what a careless or hostile client of gRPC sends.
 * Returns the grpc-status.
 */
static int raw_call(struct pair *pair, const char *path, const char *body,
		    size_t size)
{
	struct outcome outcome;
	char url[PATH_SIZE];
	char file[PATH_SIZE];
	char data[PATH_SIZE + 1];
	const char *status = NULL;

	snprintf(url, sizeof(url), "http://127.0.0.1:%d%s", pair->grpc_port,
		 path);
	scratch_path(file, pair->dir, "call.bin");
	file_write(file, body, size);
	snprintf(data, sizeof(data), "@%.*s", PATH_SIZE - 1, file);
	/* This curl trips over an answer that comes before it has sent all. */
	for (int tries = 0; tries < 50 && status == NULL; tries++) {
		RUN(&outcome, tool_find("curl"), NULL, "-sS", "-m", "20",
		    "--http2-prior-knowledge", "-D", "-", "-o", "/dev/null",
		    "-H", "Content-Type: application/grpc", "-H",
		    "TE: trailers", "--data-binary", data, url);
		status = strstr(outcome.text, "grpc-status: ");
	}
	ck_assert_msg(status != NULL, "%s: no grpc-status in: %s", path,
		      outcome.text);
	return atoi(status + strlen("grpc-status: "));
}

enum {
	GRPC_INVALID = 3,
	GRPC_EXHAUSTED = 8,
	GRPC_UNIMPLEMENTED = 12,
	GRPC_INTERNAL = 13
};

#define DO_WORK "/worker.WorkerService/DoWork"
/* A message frame: not compressed, its size, its bytes. */
#define CALL(pair, path, bytes)                                                \
	raw_call(pair, path, "\0\0\0\0" bytes, sizeof("\0\0\0\0" bytes) - 1)

START_TEST(unknown_methods_are_unimplemented_at_once)
{
	struct pair pair;

	pair_start(&pair, NULL);
	ck_assert_int_eq(CALL(&pair, "/worker.WorkerService/DoPlay", "\0"),
			 GRPC_UNIMPLEMENTED);
	ck_assert_int_eq(CALL(&pair, "/nobody.Service/DoWork", "\0"),
			 GRPC_UNIMPLEMENTED);
	ck_assert_int_eq(CALL(&pair, "/", "\0"), GRPC_UNIMPLEMENTED);
	expect_untouched(&pair);
	pair_end(&pair);
}
END_TEST

START_TEST(garbage_protobuf_is_invalid)
{
	struct pair pair;

	pair_start(&pair, NULL);
	/* task_id says that it is longer than the message. */
	ck_assert_int_eq(CALL(&pair, DO_WORK,
			      "\3\n\x7f"
			      "a"),
			 GRPC_INVALID);
	/* A tag of no known type. */
	ck_assert_int_eq(CALL(&pair, DO_WORK, "\2\x0f\xff"), GRPC_INVALID);
	/* NUL inside, and bytes that are not UTF-8. */
	ck_assert_int_eq(CALL(&pair, DO_WORK, "\5\n\3a\0b"), GRPC_INVALID);
	ck_assert_int_eq(CALL(&pair, DO_WORK, "\4\n\2\xff\xfe"), GRPC_INVALID);
	/* Nothing at all. */
	ck_assert_int_eq(CALL(&pair, DO_WORK, "\0"), GRPC_INVALID);
	expect_untouched(&pair);
	pair_end(&pair);
}
END_TEST

START_TEST(a_message_that_is_too_large_is_exhausted)
{
	enum { SIZE = 600000 };
	struct pair pair;
	char *frame = calloc(1, SIZE + 5);

	ck_assert_ptr_nonnull(frame);
	frame[1] = (char)(SIZE >> 24);
	frame[2] = (char)(SIZE >> 16);
	frame[3] = (char)(SIZE >> 8);
	frame[4] = (char)SIZE;
	pair_start(&pair, NULL);
	ck_assert_int_eq(raw_call(&pair, DO_WORK, frame, SIZE + 5),
			 GRPC_EXHAUSTED);
	expect_untouched(&pair);
	pair_end(&pair);
	free(frame);
}
END_TEST

START_TEST(noise_on_the_grpc_port_harms_nobody)
{
	static const char http1[] = "GET / HTTP/1.1\r\n" HOST "\r\n";
	static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
	char noise[4096];
	struct pair pair;
	struct client client;
	unsigned seed = 1;

	pair_start(&pair, NULL);
	for (size_t i = 0; i < sizeof(noise); i++) {
		noise[i] = (char)rand_r(&seed);
	}
	for (int i = 0; i < 20; i++) {
		client_open(&client, pair.grpc_port);
		if (i % 2 == 0) {
			(void)client_send(&client, preface, strlen(preface));
		}
		(void)client_send(&client, noise, sizeof(noise));
		client_close(&client);
	}
	client_open(&client, pair.grpc_port);
	(void)client_send(&client, http1, strlen(http1));
	client_close(&client);
	expect_untouched(&pair);
	pair_end(&pair);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		each_bad_request_gets_its_code_and_a_sentence,
		what_is_too_long_is_refused_by_name,
		a_method_that_is_not_allowed_is_told_which_are,
		failures_are_problem_json_for_those_who_accept_json,
		get_and_post_form_are_alike,
		what_is_absent_has_its_default,
		json_for_those_who_accept_it,
		a_line_break_in_an_id_stays_in_its_line,
		the_trace_of_a_request_is_continued_in_the_worker,
		bad_calls_get_their_code,
		unknown_methods_are_unimplemented_at_once,
		garbage_protobuf_is_invalid,
		a_message_that_is_too_large_is_exhausted,
		noise_on_the_grpc_port_harms_nobody,
		NULL,
	};

	return suite_run("input", tests);
}
