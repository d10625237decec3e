/* stock_client_grpc's commands: single orders, and lists. */
#include "harness/stock_client.h"
#include "harness/suite.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- single orders ----------------------------------------------------------
 */

static json_t *parse(const char *text)
{
	json_error_t error;
	json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, &error);

	ck_assert_msg(json != NULL, "%s: %s", error.text, text);
	return json;
}

static void expect_rest_says_the_same(const struct stock *stock,
				      const char *path, const char *text)
{
	static struct reply reply;
	json_t *ours = parse(text);
	json_t *theirs;

	stock_get(stock, &reply, "%s", path);
	ck_assert_int_eq(reply.status, 200);
	theirs = reply_json(&reply);
	ck_assert_msg(json_equal(ours, theirs), "%s: %s", path, text);
	json_decref(ours);
	json_decref(theirs);
}

START_TEST(an_order_is_the_json_that_rest_has)
{
	struct stock stock;
	struct outcome outcome;
	json_t *json;
	char path[128];
	char id[64];

	stock_start(&stock, NULL);
	RUN_GRPC(&outcome, &stock, "create", "-type=LIMIT", "-price=150.75",
		 "-symbol=brk.b");
	expect_code(&outcome, 0);
	ck_assert_uint_eq(outcome_lines(&outcome), 1);
	json = parse(outcome.text);
	snprintf(id, sizeof(id), "%s", json_text(json, "id"));
	ck_assert_str_eq(json_text(json, "symbol"), "BRK.B");
	ck_assert_str_eq(json_text(json, "status"), "PENDING");
	ck_assert_double_eq(json_number_value(json_object_get(json, "price")),
			    150.75);
	json_decref(json);
	snprintf(path, sizeof(path), "/api/orders/%s", id);
	expect_rest_says_the_same(&stock, path, outcome.text);
	RUN_GRPC(&outcome, &stock, "get", id);
	expect_code(&outcome, 0);
	expect_rest_says_the_same(&stock, path, outcome.text);
	RUN_GRPC(&outcome, &stock, "cancel", id);
	expect_code(&outcome, 0);
	ck_assert_str_eq(outcome.text,
			 "{\"message\":\"order cancelled successfully\"}\n");
	RUN_GRPC(&outcome, &stock, "get", id);
	expect_text(outcome.text, "\"status\":\"CANCELLED\"");
	expect_rest_says_the_same(&stock, path, outcome.text);
	stock_end(&stock);
}
END_TEST

START_TEST(exit_codes_tell_failures_apart)
{
	struct stock stock;
	struct outcome outcome;
	json_t *json;
	char id[64];

	stock_start(&stock, NULL);
	RUN_GRPC(&outcome, &stock, "create", "-type=LIMIT");
	expect_code(&outcome, 2);
	expect_text(outcome.text, "INVALID_ARGUMENT: ");
	RUN_GRPC(&outcome, &stock, "get", "nobody");
	expect_code(&outcome, 3);
	RUN_GRPC(&outcome, &stock, "cancel", "nobody");
	expect_code(&outcome, 3);
	RUN_GRPC(&outcome, &stock, "create", "-idempotency-key=k");
	expect_code(&outcome, 0);
	json = parse(outcome.text);
	snprintf(id, sizeof(id), "%s", json_text(json, "id"));
	json_decref(json);
	RUN_GRPC(&outcome, &stock, "create", "-idempotency-key=k");
	expect_code(&outcome, 0);
	expect_text(outcome.text, id);
	RUN_GRPC(&outcome, &stock, "create", "-idempotency-key=k",
		 "-quantity=7");
	expect_code(&outcome, 4);
	expect_text(outcome.text, "ALREADY_EXISTS: ");
	RUN_GRPC(&outcome, &stock, "cancel", id);
	expect_code(&outcome, 0);
	RUN_GRPC(&outcome, &stock, "cancel", id);
	expect_code(&outcome, 4);
	expect_text(outcome.text, "FAILED_PRECONDITION: ");
	ck_assert_uint_eq(outcome_lines(&outcome), 1);
	stock_end(&stock);
}
END_TEST

static const int signals[] = { SIGINT, SIGTERM };

START_TEST(a_signal_ends_a_command_that_waits)
{
	struct stock stock;
	struct process client;
	sqlite3 *lock;

	stock_start(&stock, NULL);
	lock = rows_lock(stock.db);
	for (int i = 0; i < 2; i++) {
		START_CLIENT(&client, NULL, &stock, GRPC, "create",
			     "-timeout=1h");
		await_in_flight(&stock, 1);
		process_signal(&client, signals[i]);
		ck_assert_int_eq(process_wait(&client), 128 + signals[i]);
		ck_assert_str_eq(client.log,
				 "stock_client_grpc: CANCELLED: interrupted; "
				 "whether it was done is not known\n");
		process_release(&client);
		await_in_flight(&stock, 0);
	}
	rows_unlock(lock);
	stock_end(&stock);
}
END_TEST

/* ---- lists ------------------------------------------------------------------
 */

/* Put @n orders into the database of a server that does not run. */
static void fill_table(const struct stock *stock, int n)
{
	char sql[1024];

	snprintf(sql, sizeof(sql),
		 "WITH RECURSIVE i(n) AS (SELECT 1 UNION ALL SELECT n + 1 "
		 "FROM i WHERE n < %d) INSERT INTO stock_orders SELECT "
		 "printf('00000000-0000-4000-8000-%%012d', n), 'AAPL', "
		 "'LIMIT', 'BUY', n, 1.5, 'PENDING', "
		 "printf('2025-01-01 00:%%02d:%%02d.%%06d+00:00', "
		 "n / 60000000 %% 60, n / 1000000 %% 60, n %% 1000000), "
		 "'2025-01-02 00:00:00.000000+00:00', 'first' FROM i",
		 n);
	rows_exec(stock->db, sql);
}

/* The table is the server's to make. */
static void stock_start_with(struct stock *stock, int n)
{
	stock_start(stock, NULL);
	process_end(&stock->server);
	fill_table(stock, n);
	stock_start_server(stock);
}

/* Run list with stdout in a file, whose path this is. */
static const char *list_to_file(struct stock *stock, const char *flag)
{
	static char out[PATH_SIZE];
	const struct process_options split = { .stdout_path = out };
	struct outcome outcome;

	unlink(scratch_path(out, stock->dir, "list"));
	RUN_CLIENT_WITH(&outcome, &split, stock, GRPC, "list", flag);
	expect_code(&outcome, 0);
	ck_assert_str_eq(outcome.text, "");
	return out;
}

static json_t *list_of(struct stock *stock, const char *flag)
{
	json_t *json = json_load_file(list_to_file(stock, flag), 0, NULL);

	ck_assert_ptr_nonnull(json);
	ck_assert(json_is_array(json));
	return json;
}

static void expect_list(struct stock *stock, const char *flag, size_t n,
			int newest)
{
	json_t *json = list_of(stock, flag);

	ck_assert_uint_eq(json_array_size(json), n);
	for (size_t i = 0; i < n; i++) {
		const json_t *order = json_array_get(json, i);

		ck_assert_int_eq(
			json_integer_value(json_object_get(order, "quantity")),
			newest - (int)i);
	}
	json_decref(json);
}

START_TEST(a_list_is_one_array_over_many_pages)
{
	struct stock stock;
	struct outcome outcome;

	stock_start(&stock, NULL);
	RUN_GRPC(&outcome, &stock, "list");
	expect_code(&outcome, 0);
	ck_assert_str_eq(outcome.text, "[]\n");
	RUN_GRPC(&outcome, &stock, "list", "-jsonl");
	expect_code(&outcome, 0);
	ck_assert_str_eq(outcome.text, "");
	process_end(&stock.server);
	fill_table(&stock, 1234);
	stock_start_server(&stock);
	expect_list(&stock, "-limit=0", 1234, 1234);
	expect_list(&stock, "-limit=1", 1, 1234);
	expect_list(&stock, "-limit=500", 500, 1234);
	expect_list(&stock, "-limit=501", 501, 1234);
	expect_list(&stock, "-limit=1000", 1000, 1234);
	expect_list(&stock, "-limit=2000", 1234, 1234);
	RUN_GRPC(&outcome, &stock, "list", "-limit=3");
	expect_rest_says_the_same(&stock, "/api/orders?limit=3", outcome.text);
	stock_end(&stock);
}
END_TEST

START_TEST(a_list_by_lines_has_an_order_in_each)
{
	struct stock stock;
	FILE *file;
	char line[4096];
	int n = 0;

	stock_start_with(&stock, 777);
	file = fopen(list_to_file(&stock, "-jsonl"), "r");
	ck_assert_ptr_nonnull(file);
	while (fgets(line, sizeof(line), file) != NULL) {
		json_t *json = parse(line);

		ck_assert(json_is_object(json));
		ck_assert_int_eq(
			json_integer_value(json_object_get(json, "quantity")),
			777 - n);
		json_decref(json);
		n++;
	}
	fclose(file);
	ck_assert_int_eq(n, 777);
	stock_end(&stock);
}
END_TEST

/* Of all children so far. */
static long peak_kb(void)
{
	struct rusage usage;

	getrusage(RUSAGE_CHILDREN, &usage);
	return usage.ru_maxrss;
}

START_TEST(a_long_list_takes_no_more_memory_than_a_short_one)
{
	enum { ORDERS = 100000, GROWTH_KB_MAX = 8 * 1024 };
	struct stock stock;
	struct stat size;
	long few_kb;
	long all_kb;

	/* What a sanitizer holds back of freed memory grows with the list. */
	if (is_slow_build()) {
		return;
	}
	stock_start_with(&stock, ORDERS);
	(void)list_to_file(&stock, "-limit=1000");
	few_kb = peak_kb();
	ck_assert_int_eq(stat(list_to_file(&stock, "-limit=0"), &size), 0);
	all_kb = peak_kb();
	ck_assert_int_gt(size.st_size, 20 * 1000 * 1000);
	ck_assert_msg(all_kb - few_kb < GROWTH_KB_MAX,
		      "from %ld KB to %ld KB for %lld bytes", few_kb, all_kb,
		      (long long)size.st_size);
	stock_end(&stock);
}
END_TEST

START_TEST(a_list_that_is_cut_off_is_no_array)
{
	char pipe[PATH_SIZE];
	const struct process_options stuck = { .stdout_path = pipe };
	struct stock stock;
	struct process client;
	char out[PATH_SIZE];
	char text[4096];
	ssize_t got;
	bool alive;
	FILE *file;
	int fd;

	/* More pages than fit into the pipe: it holds one back until the
	 * server is gone. */
	stock_start_with(&stock, 5000);
	fd = stuck_pipe(pipe, stock.dir);
	START_CLIENT(&client, &stuck, &stock, GRPC, "list");
	UNTIL(pipe_is_full(fd));
	let_others_be_served(&stock);
	process_kill(&stock.server);
	file = fopen(scratch_path(out, stock.dir, "list"), "w");
	ck_assert_ptr_nonnull(file);
	do {
		alive = process_is_alive(&client);
		got = read(fd, text, sizeof(text));
		if (got > 0) {
			ck_assert_uint_eq(fwrite(text, 1, (size_t)got, file),
					  (size_t)got);
		} else {
			pause_ms(1);
		}
	} while (alive || got > 0);
	fclose(file);
	ck_assert_int_eq(process_wait(&client), 7);
	expect_text(client.log, "stock_client_grpc: UNAVAILABLE: ");
	ck_assert_int_eq(file_read(out)[0], '[');
	ck_assert_ptr_null(json_load_file(out, 0, NULL));
	process_release(&client);
	close(fd);
	scratch_remove(stock.dir);
}
END_TEST

START_TEST(a_list_that_nobody_reads_can_be_stopped)
{
	char pipe[PATH_SIZE];
	const struct process_options stuck = { .stdout_path = pipe };
	struct stock stock;
	struct process client;
	int fd;

	stock_start_with(&stock, 5000);
	fd = stuck_pipe(pipe, stock.dir);
	START_CLIENT(&client, &stuck, &stock, GRPC, "list");
	UNTIL(pipe_is_full(fd));
	process_signal(&client, SIGINT);
	ck_assert_int_eq(process_wait(&client), 128 + SIGINT);
	expect_text(client.log, "CANCELLED: interrupted\n");
	process_release(&client);
	close(fd);
	stock_end(&stock);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		an_order_is_the_json_that_rest_has,
		exit_codes_tell_failures_apart,
		a_signal_ends_a_command_that_waits,
		a_list_is_one_array_over_many_pages,
		a_list_by_lines_has_an_order_in_each,
		a_long_list_takes_no_more_memory_than_a_short_one,
		a_list_that_is_cut_off_is_no_array,
		a_list_that_nobody_reads_can_be_stopped,
		NULL,
	};

	return suite_run("stock_commands", tests);
}
