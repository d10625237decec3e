/*
 * What is in the file: its form, which others read, databases that others have
 * left, what a kill leaves; and files that are locked, full or not ours.
 */
#include "harness/disk.h"
#include "harness/orders.h"
#include "harness/stock.h"
#include "harness/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the form ------------------------------------------------------------ */

static void expect_row(const struct stock *stock, const char *id,
		       const char *condition)
{
	char sql[1024];

	snprintf(sql, sizeof(sql),
		 "SELECT COUNT(*) FROM stock_orders WHERE id='%s' AND (%s)", id,
		 condition);
	ck_assert_msg(rows_query(stock->db, sql) == 1, "%s: not %s", id,
		      condition);
}

#define TIME_GLOB                                                              \
	"'[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9] "                         \
	"[0-9][0-9]:[0-9][0-9]:[0-9][0-9]"                                     \
	".[0-9][0-9][0-9][0-9][0-9][0-9]+00:00'"

static void expect_form(const struct stock *stock, const char *id)
{
	static const char *const conditions[] = {
		"typeof(id)='text' AND typeof(symbol)='text'",
		"typeof(order_type)='text' AND typeof(order_side)='text'",
		"typeof(quantity)='integer' AND typeof(price)='real'",
		"typeof(status)='text' AND typeof(description)='text'",
		"typeof(created_at)='text' AND typeof(updated_at)='text'",
		"created_at GLOB " TIME_GLOB,
		"updated_at GLOB " TIME_GLOB,
	};

	for (size_t i = 0; i < sizeof(conditions) / sizeof(conditions[0]);
	     i++) {
		expect_row(stock, id, conditions[i]);
	}
}

START_TEST(a_row_has_the_form_it_has_always_had)
{
	struct stock stock;
	struct reply reply;
	char id[37];

	stock_start(&stock, NULL);
	stock_create(&stock, MARKET_ORDER, id);
	expect_form(&stock, id);
	expect_row(&stock, id,
		   "symbol='AAPL' AND order_type='MARKET' AND order_side='BUY' "
		   "AND quantity=100 AND price=0.0 AND status='PENDING' AND "
		   "created_at=updated_at AND description=''");
	stock_create(&stock,
		     "{\"symbol\":\"x\",\"order_type\":\"LIMIT\","
		     "\"order_side\":\"SELL\",\"quantity\":7,\"price\":0.1,"
		     "\"description\":\"it's \\u20ac\"}",
		     id);
	stock_cancel(&stock, &reply, id);
	ck_assert_int_eq(reply.status, 200);
	expect_form(&stock, id);
	expect_row(&stock, id,
		   "symbol='X' AND order_type='LIMIT' AND order_side='SELL' "
		   "AND quantity=7 AND price=0.1 AND status='CANCELLED' AND "
		   "created_at<updated_at AND "
		   "description='it''s \xE2\x82\xAC'");
	stock_end(&stock);
}
END_TEST

START_TEST(the_table_has_the_form_it_has_always_had)
{
	static const char columns[] =
		"SELECT group_concat(name||' '||type,',')="
		"'id TEXT,symbol TEXT,order_type TEXT,order_side TEXT,"
		"quantity INTEGER,price REAL,status TEXT,created_at DATETIME,"
		"updated_at DATETIME,description TEXT' "
		"FROM pragma_table_info('stock_orders')";
	static const char indexes[] =
		"SELECT COUNT(*)=3 FROM sqlite_master WHERE type='index' AND "
		"tbl_name='stock_orders' AND name IN "
		"('idx_symbol','idx_status','idx_created_at')";
	static const char newest_first[] =
		"SELECT desc FROM pragma_index_xinfo('idx_created_at') "
		"WHERE name='created_at'";
	struct stock stock;

	stock_start(&stock, NULL);
	ck_assert_int_eq(rows_query(stock.db, columns), 1);
	ck_assert_int_eq(rows_query(stock.db, indexes), 1);
	ck_assert_int_eq(rows_query(stock.db, newest_first), 1);
	stock_end(&stock);
}
END_TEST

/* ---- of old -------------------------------------------------------------- */

/* As the original has made it, with its times in Bangkok's, where no fraction
 * is written when there is none. */
static const char made_by_the_original[] =
	"PRAGMA journal_mode=DELETE;"
	"CREATE TABLE stock_orders (id TEXT PRIMARY KEY,symbol TEXT NOT NULL,"
	"order_type TEXT NOT NULL,order_side TEXT NOT NULL,"
	"quantity INTEGER NOT NULL,price REAL,status TEXT NOT NULL,"
	"created_at DATETIME NOT NULL,updated_at DATETIME NOT NULL,"
	"description TEXT);"
	"CREATE INDEX idx_symbol ON stock_orders(symbol);"
	"CREATE INDEX idx_status ON stock_orders(status);"
	"CREATE INDEX idx_created_at ON stock_orders(created_at DESC);"
	"INSERT INTO stock_orders VALUES"
	"('00000000-0000-4000-8000-000000000001','AAPL','MARKET','BUY',100,0.0,"
	"'PENDING','2025-11-17 21:27:47.537422+07:00',"
	"'2025-11-17 21:27:47.537422+07:00',''),"
	/* Later by its text, earlier in time. */
	"('00000000-0000-4000-8000-000000000002','MSFT','LIMIT','SELL',5,12.5,"
	"'CANCELLED','2025-11-17 21:00:00+07:00',"
	"'2025-11-18 00:30:00.5+07:00','old'),"
	"('00000000-0000-4000-8000-000000000003','TSLA','MARKET','SELL',1,NULL,"
	"'PENDING','2025-11-17 14:27:48.1+00:00',"
	"'2025-11-17 14:27:48.1+00:00',NULL),"
	"('00000000-0000-4000-8000-000000000004','IBM','MARKET','BUY',2,0.0,"
	"'PENDING','2025-11-17 09:27:49.25-05:00',"
	"'2025-11-17 09:27:49.25-05:00','')";

static void expect_listed(const json_t *list, size_t at, const char *id,
			  const char *created_at, const char *updated_at)
{
	const json_t *order = json_array_get(list, at);

	ck_assert_msg(strcmp(json_text(order, "id") + 35, id) == 0,
		      "order %zu is %s", at, json_text(order, "id"));
	ck_assert_str_eq(json_text(order, "created_at"), created_at);
	ck_assert_str_eq(json_text(order, "updated_at"), updated_at);
}

START_TEST(a_database_of_old_is_listed_in_the_order_of_its_instants)
{
	struct stock stock;
	struct reply reply;
	json_t *list;
	char id[37];

	stock_prepare(&stock, NULL);
	rows_exec(stock.db, made_by_the_original);
	stock_start_server(&stock);
	stock_create(&stock, MARKET_ORDER, id);
	stock_get(&stock, &reply, "/api/orders");
	ck_assert_int_eq(reply.status, 200);
	list = reply_json(&reply);
	ck_assert_uint_eq(json_array_size(list), 5);
	ck_assert_str_eq(json_text(json_array_get(list, 0), "id"), id);
	expect_listed(list, 1, "4", "2025-11-17T14:27:49.250000Z",
		      "2025-11-17T14:27:49.250000Z");
	expect_listed(list, 2, "3", "2025-11-17T14:27:48.100000Z",
		      "2025-11-17T14:27:48.100000Z");
	expect_listed(list, 3, "1", "2025-11-17T14:27:47.537422Z",
		      "2025-11-17T14:27:47.537422Z");
	expect_listed(list, 4, "2", "2025-11-17T14:00:00.000000Z",
		      "2025-11-17T17:30:00.500000Z");
	ck_assert_ptr_null(json_object_get(json_array_get(list, 2), "price"));
	ck_assert_ptr_null(
		json_object_get(json_array_get(list, 2), "description"));
	ck_assert_str_eq(json_text(json_array_get(list, 4), "description"),
			 "old");
	json_decref(list);
	stock_get(&stock, &reply, "/api/orders?limit=2");
	list = reply_json(&reply);
	expect_listed(list, 1, "4", "2025-11-17T14:27:49.250000Z",
		      "2025-11-17T14:27:49.250000Z");
	json_decref(list);
	stock_cancel(&stock, &reply, "00000000-0000-4000-8000-000000000001");
	ck_assert_int_eq(reply.status, 200);
	stock_cancel(&stock, &reply, "00000000-0000-4000-8000-000000000002");
	ck_assert_int_eq(reply.status, 409);
	/* What it has mended, it has mended for good. */
	stock_restart(&stock);
	stock_get(&stock, &reply, "/api/orders");
	list = reply_json(&reply);
	ck_assert_uint_eq(json_array_size(list), 5);
	expect_listed(list, 4, "2", "2025-11-17T14:00:00.000000Z",
		      "2025-11-17T17:30:00.500000Z");
	json_decref(list);
	stock_expect_intact(&stock);
	stock_end(&stock);
}
END_TEST

/* ---- keys ---------------------------------------------------------------- */

static void expect_replay(const struct stock *stock, const char *key,
			  const struct reply *first)
{
	struct reply again;
	char value[256];

	stock_post_with_key(stock, &again, LIMIT_ORDER, key);
	ck_assert_int_eq(again.status, 201);
	ck_assert(reply_header(&again, "Idempotent-Replayed", value));
	ck_assert_str_eq(again.body, first->body);
	stock_post_with_key(stock, &again, MARKET_ORDER, key);
	ck_assert_int_eq(again.status, 422);
}

START_TEST(keys_are_kept_across_a_restart_and_a_kill)
{
	struct stock stock;
	struct reply first;
	struct reply second;

	stock_start(&stock, NULL);
	stock_post_with_key(&stock, &first, LIMIT_ORDER, "first");
	ck_assert_int_eq(first.status, 201);
	stock_restart(&stock);
	expect_replay(&stock, "first", &first);
	stock_post_with_key(&stock, &second, LIMIT_ORDER, "second");
	ck_assert_int_eq(second.status, 201);
	stock_kill_and_restart(&stock);
	expect_replay(&stock, "first", &first);
	expect_replay(&stock, "second", &second);
	ck_assert_int_eq(stock_stored_n(&stock), 2);
	stock_end(&stock);
}
END_TEST

/* ---- killed -------------------------------------------------------------- */

/* Who had no answer asks again, with the same key. */
struct again {
	struct client client;
	size_t asked;
	size_t accepted;
};

static void ask_again(const struct order_try *attempt, void *arg)
{
	struct again *again = arg;
	const char *json = attempt->market ? MARKET_ORDER : LIMIT_ORDER;
	struct reply reply;
	char field[64];

	if (attempt->end == ORDER_ACCEPTED) {
		again->accepted++;
		return;
	}
	again->asked++;
	snprintf(field, sizeof(field), "Idempotency-Key: %s\r\n", attempt->key);
	ck_assert(client_post_with(&again->client, field, "/api/orders",
				   "application/json", json, strlen(json)));
	ck_assert(client_receive(&again->client, &reply));
	ck_assert_msg(reply.status == 201, "%d: %s", reply.status, reply.body);
}

/*
 * kill -9 under load: each order that was acknowledged is there after the
 * restart. Then whoever was left without an answer asks again, and all have
 * exactly one order, whatever had become of the first try.
 */
START_TEST(killed_under_load_every_acknowledged_order_is_there)
{
	const struct orders_options clients = { .kept = 32,
						.grpc = 32,
						.keys = true };
	struct orders orders;
	struct again again = { .asked = 0 };
	struct stock stock;
	size_t unanswered;

	stock_start(&stock, NULL);
	orders_start(&orders, &stock, &clients);
	orders_await(&orders, ORDER_ACCEPTED, 20 * 64);
	process_kill(&stock.server);
	orders_wait(&orders);
	stock_start_server(&stock);
	orders_print(&orders, "killed under load");
	ck_assert_uint_eq(orders_count(&orders, ORDER_WRONG), 0);
	unanswered = orders_expect_stored(&orders, stock.db);
	printf("%zu were stored, and nobody was told\n", unanswered);
	ck_assert_uint_le(unanswered, clients.kept + clients.grpc);
	client_open(&again.client, stock.http_port);
	orders_each(&orders, ask_again, &again);
	client_close(&again.client);
	ck_assert_int_eq(stock_stored_n(&stock),
			 (int)(again.accepted + again.asked));
	stock_expect_intact(&stock);
	orders_free(&orders);
	stock_end(&stock);
}
END_TEST

/* ---- locked -------------------------------------------------------------- */

static void send_post(struct client *client, const struct stock *stock,
		      const char *path, const char *json)
{
	client_open(client, stock->http_port);
	ck_assert(client_post(client, path, "application/json", json,
			      strlen(json)));
}

static void expect_locked(struct client *client)
{
	struct reply reply;
	char value[256];

	ck_assert(client_receive(client, &reply));
	ck_assert_msg(reply.status == 503 &&
			      strstr(reply.body, "\"database: locked by "
						 "another program\"") != NULL,
		      "%d: %s", reply.status, reply.body);
	ck_assert(reply_header(&reply, "Retry-After", value));
	client_close(client);
}

/* When it has been locked for so long that it is known to be. Readers do not
 * wait. */
START_TEST(a_locked_database_is_503_and_does_not_stop_readers)
{
	struct stock_options options = { .flags = FLAGS("-timeout", "3s") };
	struct client create;
	struct client cancel;
	struct process grpcurl;
	struct stock stock;
	struct reply reply;
	char path[128];
	sqlite3 *lock;
	char id[37];
	bool over_grpc = tool_find("grpcurl") != NULL;

	stock_start(&stock, &options);
	stock_create(&stock, MARKET_ORDER, id);
	snprintf(path, sizeof(path), "/api/orders/%s/cancel", id);
	lock = rows_lock(stock.db);
	send_post(&create, &stock, "/api/orders", MARKET_ORDER);
	send_post(&cancel, &stock, path, "");
	if (over_grpc) {
		PROCESS_START(&grpcurl, tool_find("grpcurl"), NULL,
			      "-plaintext", "-d", MARKET_ORDER, stock.grpc,
			      "stockorder.StockOrderService/CreateOrder");
	}
	stock_get(&stock, &reply, "/api/orders/%s", id);
	ck_assert_int_eq(reply.status, 200);
	stock_get(&stock, &reply, "/api/orders");
	ck_assert_int_eq(reply.status, 200);
	expect_locked(&create);
	expect_locked(&cancel);
	if (over_grpc) {
		process_await(&grpcurl, "Code: Unavailable", NULL);
		(void)process_wait(&grpcurl);
		process_release(&grpcurl);
	}
	rows_unlock(lock);
	stock_cancel(&stock, &reply, id);
	ck_assert_int_eq(reply.status, 200);
	stock_create(&stock, MARKET_ORDER, id);
	ck_assert_int_eq(stock_stored_n(&stock), 2);
	stock_end(&stock);
}
END_TEST

/* Where the request's own time is shorter, that is what it is told. */
START_TEST(a_request_does_not_wait_longer_than_it_may)
{
	struct stock_options options = { .flags = FLAGS("-timeout", "200ms") };
	struct stock stock;
	struct reply reply;
	sqlite3 *lock;

	stock_start(&stock, &options);
	lock = rows_lock(stock.db);
	stock_post(&stock, &reply, MARKET_ORDER);
	reply_expect_error(&reply, 504, "the deadline passed");
	rows_unlock(lock);
	UNTIL((stock_post(&stock, &reply, MARKET_ORDER), reply.status == 201));
	ck_assert_int_eq(stock_stored_n(&stock), 1);
	stock_end(&stock);
}
END_TEST

START_TEST(a_lock_for_a_while_is_waited_for)
{
	struct stock_options options = { .flags = FLAGS("-timeout", "60s") };
	struct client client;
	struct stock stock;
	struct reply reply;
	sqlite3 *lock;

	stock_start(&stock, &options);
	client_open(&client, stock.http_port);
	lock = rows_lock(stock.db);
	ck_assert(client_post(&client, "/api/orders", "application/json",
			      MARKET_ORDER, strlen(MARKET_ORDER)));
	UNTIL(http_metric(stock.http_port,
			  "rescind_in_flight{service=\"stock_demo_3\"}") == 1);
	ck_assert(!client_receive_within(&client, &reply, 100));
	rows_unlock(lock);
	ck_assert(client_receive(&client, &reply));
	ck_assert_int_eq(reply.status, 201);
	client_close(&client);
	ck_assert_int_eq(stock_stored_n(&stock), 1);
	stock_end(&stock);
}
END_TEST

/* ---- full ---------------------------------------------------------------- */

/* One that takes some room. */
static void post_big(const struct stock *stock, struct client *client,
		     struct reply *ret_reply)
{
	char json[2048];
	char description[1001];

	(void)stock;
	memset(description, 'd', sizeof(description) - 1);
	description[sizeof(description) - 1] = '\0';
	snprintf(
		json, sizeof(json),
		"{\"symbol\":\"BIG\",\"order_type\":\"MARKET\","
		"\"order_side\":\"BUY\",\"quantity\":1,\"description\":\"%s\"}",
		description);
	ck_assert(client_post(client, "/api/orders", "application/json", json,
			      strlen(json)));
	ck_assert(client_receive(client, ret_reply));
}

/* Orders until one is refused: what room the files still had is used up. How
 * many were taken. */
static int until_refused(const struct stock *stock, struct client *client)
{
	enum { TRIES_MAX = 20000 };
	struct reply reply;
	int taken = -1;

	do {
		ck_assert_int_lt(taken, TRIES_MAX);
		taken++;
		post_big(stock, client, &reply);
	} while (reply.status == 201);
	ck_assert_msg(reply.status == 503 || reply.status == 500, "%d: %s",
		      reply.status, reply.body);
	ck_assert_ptr_nonnull(strstr(reply.body, "{\"error\":\""));
	return taken;
}

static void expect_recovered(struct stock *stock, int stored)
{
	char id[37];

	UNTIL(http_status_of(stock->http_port, "/readyz") == 200);
	stock_create(stock, MARKET_ORDER, id);
	ck_assert_int_eq(stock_stored_n(stock), stored + 1);
	stock_expect_intact(stock);
}

START_TEST(a_full_disk_is_5xx_and_the_process_lives)
{
	struct client client;
	struct stock stock;
	struct reply reply;
	char dir[PATH_SIZE];
	char filler[PATH_SIZE];
	int stored;

	stock_prepare(&stock, NULL);
	scratch_path(dir, stock.dir, "small");
	ck_assert_int_eq(mkdir(dir, 0777), 0);
	if (!disk_mount_small(dir)) {
		scratch_remove(stock.dir);
		return;
	}
	scratch_path(stock.db, dir, "stock_orders.db");
	scratch_path(filler, dir, "filler");
	stock_start_server(&stock);
	client_open(&client, stock.http_port);
	post_big(&stock, &client, &reply);
	ck_assert_int_eq(reply.status, 201);
	disk_fill_up(filler);
	stored = 1 + until_refused(&stock, &client);
	UNTIL(http_status_of(stock.http_port, "/readyz") == 503);
	ck_assert_int_eq(http_status_of(stock.http_port, "/health"), 200);
	/* What is there can be read. */
	ck_assert_int_eq(http_status_of(stock.http_port, "/api/orders?limit=1"),
			 200);
	ck_assert(process_is_alive(&stock.server));
	ck_assert_int_eq(unlink(filler), 0);
	expect_recovered(&stock, stored);
	client_close(&client);
	process_end(&stock.server);
	ck_assert_int_eq(stock_stored_n(&stock), stored + 1);
	disk_unmount(dir);
	stock_end(&stock);
}
END_TEST

/* What a file may grow to: another way in which a write fails, for everyone. */
START_TEST(a_limit_on_file_size_is_5xx_and_the_process_lives)
{
	const struct process_options small = { .file_size_max = 256 * 1024 };
	struct stock_options options = { .process = &small };
	struct rlimit lifted = { RLIM_INFINITY, RLIM_INFINITY };
	struct client client;
	struct stock stock;
	int stored;

	stock_start(&stock, &options);
	client_open(&client, stock.http_port);
	stored = until_refused(&stock, &client);
	ck_assert_int_eq(prlimit(stock.server.pid, RLIMIT_FSIZE, &lifted, NULL),
			 0);
	expect_recovered(&stock, stored);
	client_close(&client);
	stock_end(&stock);
}
END_TEST

/* ---- not ours ------------------------------------------------------------ */

/* Not 0, and one line that names the file. */
static void expect_refused(const char *db)
{
	static const char *const programs[] = { "stock_demo_1", "stock_demo_2",
						"stock_demo_3" };
	struct outcome outcome;

	for (size_t i = 0; i < 3; i++) {
		if (strcmp(programs[i], "stock_demo_3") == 0) {
			RUN(&outcome, programs[i], NULL, "-port", "0",
			    "-grpc-port", "0", "-db", db);
		} else {
			RUN(&outcome, programs[i], NULL, "-port", "0", "-db",
			    db);
		}
		ck_assert_int_eq(outcome.code, 1);
		ck_assert_msg(outcome_lines(&outcome) == 1, "not one line: %s",
			      outcome.text);
		ck_assert_msg(strstr(outcome.text, db) != NULL,
			      "does not name the file: %s", outcome.text);
	}
}

START_TEST(what_is_no_database_of_ours_is_refused)
{
	static const char text[] =
		"Dear diary,\nthis is a text, and so long that nobody can take "
		"it for the header of a database that is yet to be written.\n";
	char dir[PATH_SIZE];
	char db[PATH_SIZE];
	struct stat before;
	struct stat after;

	scratch_make(dir);
	scratch_path(db, dir, "diary.txt");
	file_write(db, text, strlen(text));
	ck_assert_int_eq(stat(db, &before), 0);
	expect_refused(db);
	ck_assert_int_eq(stat(db, &after), 0);
	ck_assert_int_eq(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
	ck_assert_int_eq(before.st_size, after.st_size);
	scratch_path(db, dir, "other.db");
	rows_exec(db, "CREATE TABLE stock_orders(colour TEXT)");
	expect_refused(db);
	ck_assert_int_eq(rows_query(db, "SELECT COUNT(*) FROM stock_orders"),
			 0);
	expect_refused("/nowhere/at/all/stock_orders.db");
	scratch_remove(dir);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		a_row_has_the_form_it_has_always_had,
		the_table_has_the_form_it_has_always_had,
		a_database_of_old_is_listed_in_the_order_of_its_instants,
		keys_are_kept_across_a_restart_and_a_kill,
		killed_under_load_every_acknowledged_order_is_there,
		a_locked_database_is_503_and_does_not_stop_readers,
		a_request_does_not_wait_longer_than_it_may,
		a_lock_for_a_while_is_waited_for,
		a_full_disk_is_5xx_and_the_process_lives,
		a_limit_on_file_size_is_5xx_and_the_process_lives,
		what_is_no_database_of_ours_is_refused,
		NULL,
	};

	return suite_run("stock_storage", tests);
}
