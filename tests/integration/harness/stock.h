/*
 * A stock server, spawned on free ports with a fresh database, and the words in
 * which tests speak of it.
 *
 *	struct stock stock;
 *	struct reply reply;
 *	stock_start(&stock, NULL);		// demo 3, which has both ports
 *	stock_post(&stock, &reply, "{\"symbol\":\"AAPL\",...}");
 *	order = reply_order(&reply);		// 201, and an order
 *	stock_end(&stock);	// drained, exit code 0, the folder is gone
 */
#ifndef RESCIND_TEST_STOCK_H
#define RESCIND_TEST_STOCK_H

#include <jansson.h>

#include "harness/client.h"
#include "harness/process.h"
#include "harness/rows.h"
#include "harness/run.h"

/* What a lifecycle's exit code says. */
enum { EXIT_DRAINED = 0, EXIT_FORCED = 3 };

#define MARKET_ORDER                                                           \
	"{\"symbol\":\"AAPL\",\"order_type\":\"MARKET\","                      \
	"\"order_side\":\"BUY\",\"quantity\":100}"
#define LIMIT_ORDER                                                            \
	"{\"symbol\":\"GOOGL\",\"order_type\":\"LIMIT\","                      \
	"\"order_side\":\"SELL\",\"quantity\":50,\"price\":150.75}"

struct stock {
	char dir[PATH_SIZE];
	char db[PATH_SIZE];
	int http_port;
	int grpc_port; /* 0: it has none */
	char grpc[64]; /* where grpcurl finds it */
	struct process server;
	const struct stock_options *options;
};

/* NULL or zeros: the defaults that follow. */
struct stock_options {
	const char *program;	  /* stock_demo_3 */
	const char *const *flags; /* more; end in NULL */
	const struct process_options *process;
	const char *dir; /* use this folder, and leave it there */
};

/* Ready. @options is borrowed until the end. */
void stock_start(struct stock *stock, const struct stock_options *options);
/* The two steps of it: for a database that is there before the server is, and
 * to start it again, on the same database and ports. */
void stock_prepare(struct stock *stock, const struct stock_options *options);
void stock_start_server(struct stock *stock);
/* It ends in order, unless it has ended; the folder goes. */
void stock_end(struct stock *stock);
/* It ends in order and is started again on the same database. */
void stock_restart(struct stock *stock);
/* The same, but it is killed. */
void stock_kill_and_restart(struct stock *stock);
/* SIGTERM, and what it exits with; its log is still there. */
int stock_stop(struct stock *stock);

/* ---- requests ------------------------------------------------------------ */

/* curl -sS -i <url of path> and more @arguments. Stops the test when there is
 * no answer. */
void stock_curl(const struct stock *stock, struct reply *ret_reply,
		const char *path, const char *const *arguments);
#define CURL(stock, reply, path, ...)                                          \
	stock_curl(stock, reply, path, FLAGS(__VA_ARGS__))

void stock_get(const struct stock *stock, struct reply *ret_reply,
	       const char *path_fmt, ...) __attribute__((format(printf, 3, 4)));
/* POST /api/orders */
void stock_post(const struct stock *stock, struct reply *ret_reply,
		const char *json);
/* The same with an Idempotency-Key. */
void stock_post_with_key(const struct stock *stock, struct reply *ret_reply,
			 const char *json, const char *key);
void stock_cancel(const struct stock *stock, struct reply *ret_reply,
		  const char *id);

/* Create an order and get its id. */
void stock_create(const struct stock *stock, const char *json, char ret_id[37]);

/* grpcurl calls a method of the service with a request in JSON. */
void stock_call(const struct stock *stock, struct outcome *ret_outcome,
		const char *method, const char *json);
void stock_call_with_key(const struct stock *stock, struct outcome *ret_outcome,
			 const char *method, const char *json, const char *key);

/* ---- answers ------------------------------------------------------------- */

/* What a REST answer says: application/json that ends in a line end, without
 * duplicate keys. The caller's reference. */
json_t *reply_json(const struct reply *reply);
/* The same of a grpcurl that has succeeded. */
json_t *outcome_json(const struct outcome *outcome);

/* The text of a member, which must be one. */
const char *json_text(const json_t *object, const char *key);

/* It has this status, and {"error":"<text>"}. */
void reply_expect_error(const struct reply *reply, int status,
			const char *text);
/* A grpcurl ended with this code ("NotFound") and message. */
void outcome_expect_error(const struct outcome *outcome, const char *code,
			  const char *message);

/* ---- the database -------------------------------------------------------- */

/*
 * Put @n orders into it, which must have its tables: "old-00000001" and so on,
 * the first the oldest, three of each second. The server need not run.
 */
void stock_fill(const struct stock *stock, int n);
/* "" where there is no such order. */
void stock_stored_status(const struct stock *stock, const char *id,
			 char ret_status[16]);
int stock_stored_n(const struct stock *stock);
/* The file is well: PRAGMA integrity_check says so. */
void stock_expect_intact(const struct stock *stock);
/* It was closed in order: the database is one file again. To be asked before
 * anybody else opens it. */
void stock_expect_one_file(const struct stock *stock);

#endif
