#include "harness/stock.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { ARGUMENTS_MAX = 48 };

static void append(const char *list[ARGUMENTS_MAX], const char *const *more)
{
	size_t n = 0;

	while (list[n] != NULL) {
		n++;
	}
	for (; more != NULL && *more != NULL; more++) {
		ck_assert_uint_lt(n + 1, ARGUMENTS_MAX);
		list[n++] = *more;
		list[n] = NULL;
	}
}
#define APPEND(list, ...) append(list, FLAGS(__VA_ARGS__))

/* ---- starting and ending ------------------------------------------------- */

static const char *program_of(const struct stock *stock)
{
	return stock->options->program != NULL ? stock->options->program
					       : "stock_demo_3";
}

static bool has_grpc(const struct stock *stock)
{
	return strcmp(program_of(stock), "stock_demo_3") == 0;
}

void stock_prepare(struct stock *stock, const struct stock_options *options)
{
	static const struct stock_options defaults;

	memset(stock, 0, sizeof(*stock));
	stock->options = options != NULL ? options : &defaults;
	if (stock->options->dir != NULL) {
		snprintf(stock->dir, PATH_SIZE, "%s", stock->options->dir);
	} else {
		scratch_make(stock->dir);
	}
	scratch_path(stock->db, stock->dir, "stock_orders.db");
}

void stock_start_server(struct stock *stock)
{
	const char *flags[ARGUMENTS_MAX] = { NULL };
	char http_port[16];
	char grpc_port[16];

	process_release(&stock->server);
	snprintf(http_port, sizeof(http_port), "%d", stock->http_port);
	snprintf(grpc_port, sizeof(grpc_port), "%d", stock->grpc_port);
	APPEND(flags, "-port", http_port, "-db", stock->db);
	if (has_grpc(stock)) {
		APPEND(flags, "-grpc-port", grpc_port);
	}
	append(flags, stock->options->flags);
	process_start(&stock->server, program_of(stock),
		      stock->options->process, flags);
	stock->http_port = process_port(&stock->server, "http_port");
	if (has_grpc(stock)) {
		stock->grpc_port = process_port(&stock->server, "grpc_port");
		snprintf(stock->grpc, sizeof(stock->grpc), "localhost:%d",
			 stock->grpc_port);
	}
}

void stock_start(struct stock *stock, const struct stock_options *options)
{
	stock_prepare(stock, options);
	stock_start_server(stock);
}

void stock_end(struct stock *stock)
{
	if (stock->server.pid != 0) {
		process_end(&stock->server);
	}
	if (stock->options->dir == NULL) {
		scratch_remove(stock->dir);
	}
}

void stock_restart(struct stock *stock)
{
	process_end(&stock->server);
	stock_start_server(stock);
}

void stock_kill_and_restart(struct stock *stock)
{
	process_kill(&stock->server);
	stock_start_server(stock);
}

int stock_stop(struct stock *stock)
{
	process_signal(&stock->server, SIGTERM);
	return process_wait(&stock->server);
}

/* ---- requests ------------------------------------------------------------ */

/* The last of the heads that @text begins with, and what is behind it. */
static void split(const char *text, struct reply *ret_reply)
{
	const char *end;

	ret_reply->interims = -1;
	do {
		end = strstr(text, "\r\n\r\n");
		ck_assert_msg(end != NULL, "no HTTP answer: %s", text);
		snprintf(ret_reply->head, sizeof(ret_reply->head), "%.*s",
			 (int)(end + 4 - text), text);
		ck_assert_msg(sscanf(ret_reply->head, "HTTP/1.1 %d",
				     &ret_reply->status) == 1,
			      "no HTTP answer: %s", text);
		text = end + 4;
		ret_reply->interims++;
	} while (ret_reply->status < 200);
	snprintf(ret_reply->body, sizeof(ret_reply->body), "%s", text);
	ret_reply->body_size = strlen(ret_reply->body);
}

void stock_curl(const struct stock *stock, struct reply *ret_reply,
		const char *path, const char *const *arguments)
{
	const char *all[ARGUMENTS_MAX] = { NULL };
	struct outcome outcome;
	char url[8192];

	snprintf(url, sizeof(url), "http://localhost:%d%s", stock->http_port,
		 path);
	APPEND(all, "-sS", "-i", "--max-time", "30");
	append(all, arguments);
	APPEND(all, url);
	run(&outcome, tool_find("curl"), NULL, all);
	ck_assert_msg(outcome.code == 0, "curl %s: %d, %s", url, outcome.code,
		      outcome.text);
	split(outcome.text, ret_reply);
}

void stock_get(const struct stock *stock, struct reply *ret_reply,
	       const char *path_fmt, ...)
{
	char path[4096];
	va_list args;

	va_start(args, path_fmt);
	vsnprintf(path, sizeof(path), path_fmt, args);
	va_end(args);
	stock_curl(stock, ret_reply, path, NULL);
}

void stock_post(const struct stock *stock, struct reply *ret_reply,
		const char *json)
{
	CURL(stock, ret_reply, "/api/orders", "-H",
	     "Content-Type: application/json", "-d", json);
}

void stock_post_with_key(const struct stock *stock, struct reply *ret_reply,
			 const char *json, const char *key)
{
	char field[512];

	snprintf(field, sizeof(field), "Idempotency-Key: %s", key);
	CURL(stock, ret_reply, "/api/orders", "-H",
	     "Content-Type: application/json", "-H", field, "-d", json);
}

void stock_cancel(const struct stock *stock, struct reply *ret_reply,
		  const char *id)
{
	char path[256];

	snprintf(path, sizeof(path), "/api/orders/%s/cancel", id);
	CURL(stock, ret_reply, path, "-X", "POST");
}

void stock_create(const struct stock *stock, const char *json, char ret_id[37])
{
	struct reply reply;
	json_t *order;

	stock_post(stock, &reply, json);
	ck_assert_msg(reply.status == 201, "%d: %s", reply.status, reply.body);
	order = reply_json(&reply);
	snprintf(ret_id, 37, "%s", json_text(order, "id"));
	json_decref(order);
}

static void call(const struct stock *stock, struct outcome *ret_outcome,
		 const char *method, const char *json, const char *metadata)
{
	const char *all[ARGUMENTS_MAX] = { NULL };
	char name[128];

	snprintf(name, sizeof(name), "stockorder.StockOrderService/%s", method);
	APPEND(all, "-plaintext", "-emit-defaults", "-max-time", "30");
	if (metadata != NULL) {
		APPEND(all, "-v", "-H", metadata);
	}
	APPEND(all, "-d", json, stock->grpc, name);
	run(ret_outcome, tool_find("grpcurl"), NULL, all);
}

void stock_call(const struct stock *stock, struct outcome *ret_outcome,
		const char *method, const char *json)
{
	call(stock, ret_outcome, method, json, NULL);
}

void stock_call_with_key(const struct stock *stock, struct outcome *ret_outcome,
			 const char *method, const char *json, const char *key)
{
	char metadata[512];

	snprintf(metadata, sizeof(metadata), "idempotency-key: %s", key);
	call(stock, ret_outcome, method, json, metadata);
}

/* ---- answers ------------------------------------------------------------- */

static json_t *parse(const char *text, size_t size)
{
	json_error_t error;
	json_t *json = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);

	ck_assert_msg(json != NULL, "%s in: %s", error.text, text);
	return json;
}

json_t *reply_json(const struct reply *reply)
{
	char type[256];

	ck_assert_msg(reply_header(reply, "Content-Type", type) &&
			      strcmp(type, "application/json") == 0,
		      "no JSON: %s%s", reply->head, reply->body);
	ck_assert_uint_gt(reply->body_size, 0);
	ck_assert_int_eq(reply->body[reply->body_size - 1], '\n');
	return parse(reply->body, reply->body_size);
}

/* With -v the answer stands among other things. */
json_t *outcome_json(const struct outcome *outcome)
{
	const char *begin = strstr(outcome->text, "{\n");
	const char *end;

	ck_assert_msg(outcome->code == 0 && begin != NULL, "%d: %s",
		      outcome->code, outcome->text);
	end = strstr(begin, "\n}\n");
	ck_assert_ptr_nonnull(end);
	return parse(begin, (size_t)(end + 2 - begin));
}

const char *json_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	ck_assert_msg(text != NULL, "no text '%s'", key);
	return text;
}

void reply_expect_error(const struct reply *reply, int status, const char *text)
{
	json_t *json;

	ck_assert_msg(reply->status == status, "%d, not %d (%s): %s",
		      reply->status, status, text, reply->body);
	json = reply_json(reply);
	ck_assert_str_eq(json_text(json, "error"), text);
	ck_assert_uint_eq(json_object_size(json), 1);
	json_decref(json);
}

void outcome_expect_error(const struct outcome *outcome, const char *code,
			  const char *message)
{
	char said[2048];

	snprintf(said, sizeof(said), "ERROR:\n  Code: %s\n  Message: %s\n",
		 code, message);
	ck_assert_int_ne(outcome->code, 0);
	ck_assert_msg(strstr(outcome->text, said) != NULL, "not %s: %s, but %s",
		      code, message, outcome->text);
}

/* ---- the database -------------------------------------------------------- */

void stock_fill(const struct stock *stock, int n)
{
	char sql[1024];

	snprintf(sql, sizeof(sql),
		 "WITH RECURSIVE seq(i) AS (SELECT 1 UNION ALL "
		 "SELECT i+1 FROM seq WHERE i<%d) "
		 "INSERT INTO stock_orders(id,symbol,order_type,order_side,"
		 "quantity,price,status,created_at,updated_at,description) "
		 "SELECT printf('old-%%08d',i),'OLD','LIMIT','BUY',i,1.5,"
		 "'PENDING',datetime('2020-01-01','+'||(i/3)||' seconds')"
		 "||'.000000+00:00',datetime('2020-01-01','+'||(i/3)||' "
		 "seconds')"
		 "||'.000000+00:00','' FROM seq",
		 n);
	rows_exec(stock->db, sql);
}

static void take_status(const char *text, void *arg)
{
	snprintf(arg, 16, "%s", text);
}

void stock_stored_status(const struct stock *stock, const char *id,
			 char ret_status[16])
{
	char sql[256];

	snprintf(sql, sizeof(sql),
		 "SELECT status FROM stock_orders WHERE id='%s'", id);
	ret_status[0] = '\0';
	rows_each(stock->db, sql, take_status, ret_status);
}

int stock_stored_n(const struct stock *stock)
{
	return rows_query(stock->db, "SELECT COUNT(*) FROM stock_orders");
}

void stock_expect_intact(const struct stock *stock)
{
	ck_assert_int_eq(rows_query(stock->db, "SELECT count(*)=1 AND "
					       "max(integrity_check)='ok' "
					       "FROM pragma_integrity_check"),
			 1);
}

static void expect_no_file(const char *path)
{
	ck_assert_msg(!path_exists(path), "%s is left", path);
}

void stock_expect_one_file(const struct stock *stock)
{
	char beside[PATH_SIZE + 8];

	ck_assert(path_exists(stock->db));
	snprintf(beside, sizeof(beside), "%s-wal", stock->db);
	expect_no_file(beside);
	snprintf(beside, sizeof(beside), "%s-shm", stock->db);
	expect_no_file(beside);
}
