#include <limits.h>
#include <sched.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "db/sqlite.h"
#include "repository_suite.h"
#include "stock_order/adaptor/sqlite_orders.h"
#include "suite.h"

static char dir[64];
static char path[96];
static struct db *db;
static struct sqlite_orders orders;

/* ---- life --------------------------------------------------------------- */

static void make_path(void)
{
	if (dir[0] == '\0') {
		strcpy(dir, "/tmp/rescind-orders.XXXXXX");
		ck_assert_ptr_nonnull(mkdtemp(dir));
		snprintf(path, sizeof(path), "%s/stock_orders.db", dir);
	}
}

static struct order_repository *open_sqlite(void)
{
	struct db_sqlite_options options = {
		.path = path,
		.schema = sqlite_orders_schema,
		.statements = sqlite_orders_statements,
		.statements_n = SQLITE_ORDERS_STATEMENT_NR,
	};
	struct status err = status_ok();

	make_path();
	ck_assert_msg(db_sqlite_open(&options, &db, &err) == STATUS_OK, "%s",
		      err.message);
	sqlite_orders_init(&orders, db);
	return &orders.base;
}

static void close_sqlite(void)
{
	sqlite_orders_close(&orders);
	if (db != NULL) {
		db_close(db);
		db = NULL;
	}
	sqlite_orders_release(&orders);
}

static void remove_sqlite(void)
{
	static const char *const suffixes[] = { "", "-wal", "-shm",
						"-journal" };
	char name[128];

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		snprintf(name, sizeof(name), "%s%s", path, suffixes[i]);
		(void)unlink(name);
	}
	ck_assert_int_eq(rmdir(dir), 0);
	dir[0] = '\0';
}

static const struct repository_maker maker = { .open = open_sqlite,
					       .close = close_sqlite,
					       .remove = remove_sqlite,
					       .durable = true };

static void set_up(void)
{
	scene_init(&scene);
	answer_init(&answer);
	make_path();
}

static void tear_down(void)
{
	close_sqlite();
	remove_sqlite();
	answer_release(&answer);
	scene_release(&scene);
}

static void open_it(void)
{
	repository = open_sqlite();
}

/* ---- the file, seen from outside ---------------------------------------- */

/* Execute @sql; the rows' columns as text, '|' between and '\n' after. */
static const char *raw(const char *sql)
{
	static char result[8192];
	size_t at = 0;
	sqlite3 *file;
	sqlite3_stmt *stmt;
	int rc;

	result[0] = '\0';
	ck_assert_int_eq(sqlite3_open(path, &file), SQLITE_OK);
	sqlite3_busy_timeout(file, 10000);
	while (*sql != '\0') {
		ck_assert_msg(sqlite3_prepare_v2(file, sql, -1, &stmt, &sql) ==
				      SQLITE_OK,
			      "%s", sqlite3_errmsg(file));
		while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
			for (int i = 0; i < sqlite3_column_count(stmt); i++) {
				const char *text =
					(const char *)sqlite3_column_text(stmt,
									  i);

				at += (size_t)snprintf(
					result + at, sizeof(result) - at,
					"%s%s", i > 0 ? "|" : "",
					text != NULL ? text : "NULL");
			}
			at += (size_t)snprintf(result + at, sizeof(result) - at,
					       "\n");
		}
		ck_assert_msg(stmt == NULL || rc == SQLITE_DONE, "%s",
			      sqlite3_errmsg(file));
		sqlite3_finalize(stmt);
	}
	sqlite3_close(file);
	return result;
}

/* How SQLite would go about a statement of ours. */
static const char *plan_of(const char *sql)
{
	char explain[2048];

	snprintf(explain, sizeof(explain), "EXPLAIN QUERY PLAN %s", sql);
	return raw(explain);
}

static void has(const char *text, const char *part)
{
	ck_assert_msg(strstr(text, part) != NULL, "no '%s' in: %s", part, text);
}

static void has_not(const char *text, const char *part)
{
	ck_assert_msg(strstr(text, part) == NULL, "'%s' in: %s", part, text);
}

/* ---- form --------------------------------------------------------------- */

START_TEST(rows_have_the_form_they_always_had)
{
	struct order market = order_number(1, 0);
	struct order limit = order_number(2, 1000000);

	open_it();
	limit.type = ORDER_TYPE_LIMIT;
	limit.side = ORDER_SIDE_SELL;
	limit.price = 150.75;
	strcpy(limit.description, "note");
	ck_assert_int_eq(create(&market, NULL), STATUS_OK);
	ck_assert_int_eq(create(&limit, NULL), STATUS_OK);
	ck_assert_int_eq(change(limit.id, cancel_it), STATUS_OK);
	ck_assert_str_eq(
		raw("SELECT *, typeof(quantity), typeof(price) FROM"
		    " stock_orders ORDER BY id"),
		"00000000-0000-4000-8000-000000000001|AAPL|MARKET|BUY|100|0.0|"
		"PENDING|2025-11-17 15:27:47.537422+00:00|"
		"2025-11-17 15:27:47.537422+00:00||integer|real\n"
		"00000000-0000-4000-8000-000000000002|AAPL|LIMIT|SELL|100|"
		"150.75|CANCELLED|2025-11-17 15:27:48.537422+00:00|"
		"2025-11-17 15:27:52.537422+00:00|note|integer|real\n");
}
END_TEST

START_TEST(the_table_and_its_indexes_are_those_of_old)
{
	open_it();
	ck_assert_str_eq(
		raw("SELECT name, type, \"notnull\", pk FROM"
		    " pragma_table_info('stock_orders')"),
		"id|TEXT|0|1\nsymbol|TEXT|1|0\norder_type|TEXT|1|0\n"
		"order_side|TEXT|1|0\nquantity|INTEGER|1|0\nprice|REAL|0|0\n"
		"status|TEXT|1|0\ncreated_at|DATETIME|1|0\n"
		"updated_at|DATETIME|1|0\ndescription|TEXT|0|0\n");
	ck_assert_str_eq(raw("SELECT name, partial FROM"
			     " pragma_index_list('stock_orders')"
			     " WHERE origin='c' ORDER BY name"),
			 "idx_created_at|0\nidx_due|1\nidx_foreign_times|1\n"
			 "idx_status|0\nidx_symbol|0\n");
}
END_TEST

/* ---- plans -------------------------------------------------------------- */

/* Of the rows of one instant alone are there any to sort. */
static void walks_by_time(enum sqlite_orders_statement stmt, const char *how)
{
	const char *plan = plan_of(sqlite_orders_statements[stmt]);

	has(plan, how);
	has_not(plan, "TEMP B-TREE FOR ORDER BY");
	has_not(plan, "MULTI-INDEX");
}

START_TEST(no_statement_looks_at_every_row)
{
	open_it();
	walks_by_time(SQLITE_ORDERS_FIRST_PAGE,
		      "SCAN o USING INDEX idx_created_at");
	walks_by_time(SQLITE_ORDERS_PAGE,
		      "SEARCH o USING INDEX idx_created_at (created_at<?)");
	has(plan_of(sqlite_orders_statements[SQLITE_ORDERS_GET]),
	    "SEARCH o USING INDEX sqlite_autoindex_stock_orders_1 (id=?)");
	has(plan_of(sqlite_orders_statements[SQLITE_ORDERS_UPDATE]),
	    "USING INDEX sqlite_autoindex_stock_orders_1 (id=?)");
	has(plan_of(sqlite_orders_statements[SQLITE_ORDERS_GET_BY_KEY]),
	    "SEARCH k USING PRIMARY KEY (key=?)");
	has(plan_of(sqlite_orders_statements[SQLITE_ORDERS_DUE]),
	    "USING INDEX idx_due");
	has_not(plan_of(sqlite_orders_statements[SQLITE_ORDERS_DUE]), "TEMP");
}
END_TEST

START_TEST(foreign_times_are_found_without_looking_at_every_row)
{
	const char *update = strstr(sqlite_orders_schema, "UPDATE");

	open_it();
	has(plan_of(update), "USING INDEX idx_foreign_times");
}
END_TEST

/* ---- files of others ---------------------------------------------------- */

/* As the first program of all made its table. */
#define OLD_TABLE                                                              \
	"CREATE TABLE stock_orders (id TEXT PRIMARY KEY, symbol TEXT NOT"      \
	" NULL, order_type TEXT NOT NULL, order_side TEXT NOT NULL, quantity"  \
	" INTEGER NOT NULL, price REAL, status TEXT NOT NULL, created_at"      \
	" DATETIME NOT NULL, updated_at DATETIME NOT NULL, description TEXT);" \
	"CREATE INDEX idx_symbol ON stock_orders(symbol);"                     \
	"CREATE INDEX idx_status ON stock_orders(status);"                     \
	"CREATE INDEX idx_created_at ON stock_orders(created_at DESC);"
#define OLD_ROW(id, created, updated)                                          \
	"INSERT INTO stock_orders VALUES('" id "','AAPL','MARKET','BUY',100,"  \
	"0.0,'PENDING','" created "','" updated "','');"

/* A row of each time that others write, from the oldest to the newest. */
static const struct {
	const char *created;
	const char *mended;
	int64_t after_us; /* since SCENE_BEGINS_US */
} old_times[] = {
	{ "2025-11-17 15:27:46+00:00", "2025-11-17 15:27:46.000000+00:00",
	  -1537422 },
	{ "2025-11-18T05:27:46.5+14:00", "2025-11-17 15:27:46.500000+00:00",
	  -1037422 },
	{ "2025-11-17 22:27:47.537422+07:00",
	  "2025-11-17 15:27:47.537422+00:00", 0 },
	{ "2025-11-17 15:27:47.537423+00:00",
	  "2025-11-17 15:27:47.537423+00:00", 1 },
	{ "2025-11-17 05:57:47.537424999-09:30",
	  "2025-11-17 15:27:47.537424+00:00", 2 },
	{ "2025-11-17T15:27:48Z", "2025-11-17 15:27:48.000000+00:00", 462578 },
	{ "2025-11-17 15:27:49", "2025-11-17 15:27:49.000000+00:00", 1462578 },
	{ "2025-11-17 23:59:59.999999999+00:00",
	  "2025-11-17 23:59:59.999999+00:00", INT64_C(30732462577) },
};
enum { OLD_TIMES_NR = sizeof(old_times) / sizeof(old_times[0]) };

/* In another order than that of their times. */
static void make_old_rows(void)
{
	char sql[512];

	raw(OLD_TABLE);
	for (unsigned i = 0; i < OLD_TIMES_NR; i++) {
		unsigned at = (i * 5 + 2) % OLD_TIMES_NR;

		snprintf(sql, sizeof(sql),
			 OLD_ROW("00000000-0000-4000-8000-%012u", "%s",
				 "2030-01-01 07:00:00+07:00"),
			 at, old_times[at].created);
		raw(sql);
	}
}

START_TEST(times_of_others_are_mended)
{
	make_old_rows();
	open_it();
	for (unsigned i = 0; i < OLD_TIMES_NR; i++) {
		char sql[256];
		char expected[128];

		snprintf(sql, sizeof(sql),
			 "SELECT created_at, updated_at FROM stock_orders"
			 " WHERE id LIKE '%%%012u'",
			 i);
		snprintf(expected, sizeof(expected),
			 "%s|2030-01-01 00:00:00.000000+00:00\n",
			 old_times[i].mended);
		ck_assert_str_eq(raw(sql), expected);
	}
}
END_TEST

START_TEST(orders_of_others_are_listed_by_time)
{
	struct order_cursor after;
	bool more = true;
	const struct order_cursor *from = NULL;

	make_old_rows();
	open_it();
	for (unsigned i = OLD_TIMES_NR; i > 0; i--) {
		struct order expected =
			order_number(i - 1, old_times[i - 1].after_us);

		ck_assert(more);
		ck_assert_int_eq(page(from, 1), STATUS_OK);
		expected.updated_at_us = INT64_C(1893456000000000);
		assert_same_order(&answer.orders[0], &expected);
		after = cursor_of(&answer.orders[0]);
		from = &after;
		more = answer.more;
	}
	ck_assert(!more);
}
END_TEST

START_TEST(rows_that_others_add_meanwhile_are_mended_at_the_next_start)
{
	open_it();
	raw(OLD_ROW("later", "2025-11-17 22:27:47.537422+07:00",
		    "2025-11-17 22:27:47.5+07:00"));
	ck_assert_int_eq(get("later"), STATUS_OK);
	ck_assert_int_eq(answer.order.created_at_us, SCENE_BEGINS_US);
	close_sqlite();
	open_it();
	ck_assert_str_eq(raw("SELECT created_at, updated_at FROM stock_orders"),
			 "2025-11-17 15:27:47.537422+00:00|"
			 "2025-11-17 15:27:47.500000+00:00\n");
}
END_TEST

START_TEST(values_that_break_the_rules_are_read_as_well_as_can_be)
{
	raw(OLD_TABLE "INSERT INTO stock_orders VALUES('odd',"
		      "'a-symbol-of-more-than-sixteen','SWAP','',"
		      "9000000000,NULL,'OPEN',"
		      "'2025-11-17 15:27:47.537422+00:00',"
		      "'2025-11-17 15:27:47.537422+00:00',NULL);");
	open_it();
	ck_assert_int_eq(get("odd"), STATUS_OK);
	ck_assert_str_eq(answer.order.symbol, "a-symbol-of-more");
	ck_assert_int_eq(answer.order.type, ORDER_TYPE_UNSPECIFIED);
	ck_assert_int_eq(answer.order.side, ORDER_SIDE_UNSPECIFIED);
	ck_assert_int_eq(answer.order.status, ORDER_STATUS_UNSPECIFIED);
	ck_assert_int_eq(answer.order.quantity, INT32_MAX);
	ck_assert(answer.order.price == 0);
	ck_assert_str_eq(answer.order.description, "");
	ck_assert_int_eq(change("odd", cancel_it), STATUS_FAILED_PRECONDITION);
}
END_TEST

START_TEST(text_that_is_too_long_is_cut_between_characters)
{
	char sql[512];

	raw(OLD_TABLE);
	/* The 17th byte is the second of a character. */
	snprintf(sql, sizeof(sql),
		 "INSERT INTO stock_orders SELECT 'long','123456789012345\xC3"
		 "\xA4','MARKET','BUY',1,0,'PENDING','%s','%s',"
		 "substr(hex(zeroblob(600)),1,1022)||'\xE2\x82\xAC'",
		 old_times[3].mended, old_times[3].mended);
	raw(sql);
	open_it();
	ck_assert_int_eq(get("long"), STATUS_OK);
	ck_assert_str_eq(answer.order.symbol, "123456789012345");
	ck_assert_uint_eq(strlen(answer.order.description), 1022);
}
END_TEST

START_TEST(a_time_that_is_none_is_told_and_left_alone)
{
	struct order good = order_number(1, 0);

	raw(OLD_TABLE OLD_ROW("bad", "yesterday", "2025-11-17 15:27:47"));
	open_it();
	ck_assert_int_eq(create(&good, NULL), STATUS_OK);
	ck_assert_int_eq(get("bad"), STATUS_DATA_LOSS);
	ck_assert_str_eq(answer.status.message,
			 "the times of order bad can't be read");
	ck_assert_int_eq(page(NULL, 10), STATUS_DATA_LOSS);
	ck_assert_uint_eq(answer.orders_n, 0);
	ck_assert_int_eq(change("bad", cancel_it), STATUS_DATA_LOSS);
	ck_assert_int_eq(get(good.id), STATUS_OK);
	ck_assert_str_eq(raw("SELECT created_at, status FROM stock_orders"
			     " WHERE id='bad'"),
			 "yesterday|PENDING\n");
}
END_TEST

START_TEST(a_time_that_is_none_is_in_the_way_of_nobody_who_is_due)
{
	struct order good = order_number(1, 0);

	raw(OLD_TABLE OLD_ROW("last", "yesterday", "2025-11-17 15:27:47")
		    OLD_ROW("first", "12 o''clock", "2025-11-17 15:27:47"));
	open_it();
	ck_assert_int_eq(create(&good, NULL), STATUS_OK);
	ck_assert_int_eq(due(9000000, 10), STATUS_OK);
	ck_assert_uint_eq(answer.ids_n, 1);
	ck_assert_str_eq(answer.ids[0], good.id);
	ck_assert_int_eq(answer.next_us, INT64_MAX);
}
END_TEST

START_TEST(a_key_whose_order_is_gone_can_be_used_again)
{
	struct order order = order_number(1, 0);

	open_it();
	ck_assert_int_eq(create(&order, "key"), STATUS_OK);
	raw("DELETE FROM stock_orders");
	ck_assert_int_eq(create(&order, "key"), STATUS_OK);
	ck_assert_int_eq(answer.how, ORDER_CREATED);
	ck_assert_int_eq(create(&order, "key"), STATUS_OK);
	ck_assert_int_eq(answer.how, ORDER_REPLAYED);
}
END_TEST

/* ---- trouble ------------------------------------------------------------ */

/* Nothing that the file does is the caller's fault. */
START_TEST(a_constraint_of_the_file_is_internal)
{
	struct order order = order_number(1, 0);

	open_it();
	ck_assert_int_eq(create(&order, NULL), STATUS_OK);
	raw("CREATE TRIGGER no_more BEFORE INSERT ON stock_orders BEGIN SELECT"
	    " RAISE(ABORT, 'enough'); END;"
	    "CREATE TRIGGER no_change BEFORE UPDATE ON stock_orders BEGIN"
	    " SELECT RAISE(ABORT, 'enough'); END;");
	ck_assert_int_eq(change(order.id, cancel_it), STATUS_INTERNAL);
	ck_assert_str_eq(answer.status.message, "enough");
	order = order_number(2, 0);
	ck_assert_int_eq(create(&order, NULL), STATUS_INTERNAL);
	ck_assert_int_eq(get(order.id), STATUS_NOT_FOUND);
}
END_TEST

/* What is asked of a closed one, as demo 2 does. */
static void assert_closed(enum status_code code)
{
	ck_assert_int_eq(code, STATUS_UNAVAILABLE);
	ck_assert_str_eq(answer.status.message, "the database is closed");
}

START_TEST(a_closed_one_refuses_everything)
{
	struct order order = order_number(1, 0);
	struct status err = status_ok();

	open_it();
	ck_assert_int_eq(create(&order, NULL), STATUS_OK);
	sqlite_orders_close(&orders);
	db_close(db);
	db = NULL;
	sqlite_orders_close(&orders);
	assert_closed(get(order.id));
	assert_closed(page(NULL, 10));
	assert_closed(due(0, 10));
	assert_closed(change(order.id, cancel_it));
	assert_closed(create(&order, "key"));
	ck_assert_int_eq(repository->ops->health(repository, &err),
			 STATUS_UNAVAILABLE);
	ck_assert_str_eq(err.message, "the database is closed");
}
END_TEST

enum { CREATORS_NR = 4, CREATES_MAX = 100000 };
static atomic_uint acknowledged;

static void *create_until_closed(void *arg)
{
	struct answer own;
	unsigned first = *(unsigned *)arg * CREATES_MAX;
	enum status_code code = STATUS_OK;

	answer_init(&own);
	for (unsigned i = 0; i < CREATES_MAX && code == STATUS_OK; i++) {
		struct order order = order_number(first + i, i);

		repository->ops->create(repository, scene.root, &order, NULL,
					answer_created, &own);
		code = answer_wait(&own);
		atomic_fetch_add(&acknowledged, code == STATUS_OK);
	}
	ck_assert_int_eq(code, STATUS_UNAVAILABLE);
	answer_release(&own);
	return NULL;
}

START_TEST(a_close_under_load_loses_nothing)
{
	static unsigned numbers[CREATORS_NR] = { 0, 1, 2, 3 };
	pthread_t threads[CREATORS_NR];
	char expected[32];

	open_it();
	for (int i = 0; i < CREATORS_NR; i++) {
		pthread_create(&threads[i], NULL, create_until_closed,
			       &numbers[i]);
	}
	while (atomic_load(&acknowledged) < 50) {
		sched_yield();
	}
	sqlite_orders_close(&orders);
	db_close(db);
	db = NULL;
	for (int i = 0; i < CREATORS_NR; i++) {
		pthread_join(threads[i], NULL);
	}
	snprintf(expected, sizeof(expected), "%u\n",
		 atomic_load(&acknowledged));
	ck_assert_str_eq(raw("SELECT count(*) FROM stock_orders"), expected);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("sqlite_orders");
	TCase *tc = tcase_create("own");

	repository_suite_add(suite, &maker);
	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, rows_have_the_form_they_always_had);
	tcase_add_test(tc, the_table_and_its_indexes_are_those_of_old);
	tcase_add_test(tc, no_statement_looks_at_every_row);
	tcase_add_test(tc,
		       foreign_times_are_found_without_looking_at_every_row);
	tcase_add_test(tc, times_of_others_are_mended);
	tcase_add_test(tc, orders_of_others_are_listed_by_time);
	tcase_add_test(
		tc,
		rows_that_others_add_meanwhile_are_mended_at_the_next_start);
	tcase_add_test(tc,
		       values_that_break_the_rules_are_read_as_well_as_can_be);
	tcase_add_test(tc, text_that_is_too_long_is_cut_between_characters);
	tcase_add_test(tc, a_time_that_is_none_is_told_and_left_alone);
	tcase_add_test(tc,
		       a_time_that_is_none_is_in_the_way_of_nobody_who_is_due);
	tcase_add_test(tc, a_key_whose_order_is_gone_can_be_used_again);
	tcase_add_test(tc, a_constraint_of_the_file_is_internal);
	tcase_add_test(tc, a_closed_one_refuses_everything);
	tcase_add_test(tc, a_close_under_load_loses_nothing);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
