/*
 * Tens of thousands of orders, listed whole and in pages over both protocols,
 * while others create more: everything once, in the order of the database.
 */
#include "harness/orders.h"
#include "harness/stock.h"
#include "harness/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MANY = 30000, ID_SIZE = 37 };

/* ---- ids ----------------------------------------------------------------- */

/* Ids in the order in which they came. */
struct ids {
	char (*at)[ID_SIZE];
	size_t n;
	size_t capacity;
};

static void add_id(const char *id, void *arg)
{
	struct ids *ids = arg;

	if (ids->n == ids->capacity) {
		ids->capacity = ids->capacity * 2 + 1024;
		ids->at = realloc(ids->at, ids->capacity * ID_SIZE);
		ck_assert_ptr_nonnull(ids->at);
	}
	snprintf(ids->at[ids->n++], ID_SIZE, "%s", id);
}

static void add_orders(struct ids *ids, const json_t *orders)
{
	for (size_t i = 0; i < json_array_size(orders); i++) {
		add_id(json_text(json_array_get(orders, i), "id"), ids);
	}
}

static int compare_ids(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Whether @id is in @sorted. */
static bool has_id(const struct ids *sorted, const char *id)
{
	return bsearch(id, sorted->at, sorted->n, ID_SIZE, compare_ids) != NULL;
}

/* ---- what a list must be ------------------------------------------------- */

/*
 * @listed, which was asked for while orders were being created, has the
 * database's own order: nothing is there twice, nothing is in another place.
 * What is missing are orders that were on their way at the time, and none of
 * those that were there before.
 */
static void expect_in_order(const struct stock *stock, const struct ids *listed,
			    const char *what)
{
	struct ids stored = { .at = NULL };
	size_t at = 0;
	size_t old = 0;

	rows_each(stock->db,
		  "SELECT id FROM stock_orders "
		  "ORDER BY created_at DESC, id DESC",
		  add_id, &stored);
	for (size_t i = 0; i < listed->n; i++, at++) {
		while (at < stored.n &&
		       strcmp(listed->at[i], stored.at[at]) != 0) {
			at++;
		}
		ck_assert_msg(at < stored.n, "%s: %zu of %zu, %s, is not there",
			      what, i, listed->n, listed->at[i]);
		old += strncmp(listed->at[i], "old-", 4) == 0;
	}
	ck_assert_uint_eq(old, MANY);
	printf("%s: %zu orders listed of %zu\n", what, listed->n, stored.n);
	fflush(stdout);
	free(stored.at);
}

/* All that had been acknowledged by then is in the list. */
static void expect_all_of(const struct ids *listed, const struct ids *earlier)
{
	struct ids sorted = { .at = malloc(listed->n * ID_SIZE),
			      .n = listed->n };

	ck_assert_ptr_nonnull(sorted.at);
	memcpy(sorted.at, listed->at, listed->n * ID_SIZE);
	qsort(sorted.at, sorted.n, ID_SIZE, compare_ids);
	for (size_t i = 0; i < earlier->n; i++) {
		ck_assert_msg(has_id(&sorted, earlier->at[i]),
			      "order %s had been acknowledged, and is not "
			      "listed",
			      earlier->at[i]);
	}
	free(sorted.at);
}

/* ---- the scene ----------------------------------------------------------- */

static void start_with_many(struct stock *stock)
{
	stock_start(stock, NULL);
	stock_fill(stock, MANY);
}

/* Some orders whose acknowledgement comes before all that follows. */
static void create_some(const struct stock *stock, struct ids *ret_earlier)
{
	enum { SOME = 5 };
	char id[ID_SIZE];

	for (int i = 0; i < SOME; i++) {
		stock_create(stock, MARKET_ORDER, id);
		add_id(id, ret_earlier);
	}
}

typedef void (*list_fn)(const struct stock *stock, struct ids *listed);

/* Orders are created before, while and after @list does its work. */
static void list_under_load(list_fn list, const char *what)
{
	struct ids earlier = { .at = NULL };
	struct ids listed = { .at = NULL };
	struct orders orders;
	struct stock stock;
	size_t accepted;

	start_with_many(&stock);
	orders_start(&orders, &stock,
		     &(struct orders_options){ .kept = 2, .grpc = 2 });
	orders_await(&orders, ORDER_ACCEPTED, 50);
	create_some(&stock, &earlier);
	list(&stock, &listed);
	accepted = orders_count(&orders, ORDER_ACCEPTED);
	orders_await(&orders, ORDER_ACCEPTED, accepted + 50);
	orders_enough(&orders);
	orders_wait(&orders);
	expect_in_order(&stock, &listed, what);
	expect_all_of(&listed, &earlier);
	ck_assert_uint_eq(orders_count(&orders, ORDER_LOST), 0);
	orders_free(&orders);
	free(listed.at);
	free(earlier.at);
	stock_end(&stock);
}

/* ---- whole --------------------------------------------------------------- */

static void list_whole(const struct stock *stock, struct ids *listed)
{
	struct client client;
	struct reply reply;
	char value[256] = "";
	json_t *list;
	char *body;
	size_t size;
	bool whole;

	client_open(&client, stock->http_port);
	ck_assert(client_get(&client, "/api/orders"));
	ck_assert(client_receive_head(&client, &reply));
	ck_assert_int_eq(reply.status, 200);
	ck_assert(reply_header(&reply, "Transfer-Encoding", value));
	ck_assert_str_eq(value, "chunked");
	ck_assert(reply_header(&reply, "Content-Type", value));
	ck_assert_str_eq(value, "application/json");
	body = client_receive_chunks(&client, &size, &whole);
	client_close(&client);
	ck_assert(whole);
	ck_assert_int_eq(body[size - 1], '\n');
	list = json_loadb(body, size, JSON_REJECT_DUPLICATES, NULL);
	ck_assert(json_is_array(list));
	add_orders(listed, list);
	json_decref(list);
	free(body);
}

START_TEST(a_whole_list_is_the_databases)
{
	list_under_load(list_whole, "whole, over REST");
}
END_TEST

/* curl takes it for whole, too. */
START_TEST(curl_gets_it_whole)
{
	struct outcome outcome;
	struct stock stock;
	char url[128];
	char path[PATH_SIZE];
	json_t *list;

	start_with_many(&stock);
	snprintf(url, sizeof(url), "http://localhost:%d/api/orders",
		 stock.http_port);
	scratch_path(path, stock.dir, "list.json");
	RUN(&outcome, tool_find("curl"), NULL, "-sS", "--fail", "-o", path,
	    url);
	ck_assert_msg(outcome.code == 0, "%s", outcome.text);
	list = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
	ck_assert_uint_eq(json_array_size(list), MANY);
	json_decref(list);
	stock_end(&stock);
}
END_TEST

/* ---- pages --------------------------------------------------------------- */

static void list_pages(const struct stock *stock, struct ids *listed)
{
	static const char *const limits[] = { "500", "499", "1", "100" };
	struct client client;
	char path[512] = "/api/orders?limit=500";
	char token[256] = "";
	size_t pages = 0;

	client_open(&client, stock->http_port);
	for (bool more = true; more; pages++) {
		/* A page of 500 is larger than a reply of ours holds. */
		struct reply reply;
		json_t *page;
		char *body;
		char value[256];
		size_t size;

		ck_assert(client_get(&client, "%s", path));
		ck_assert(client_receive_head(&client, &reply));
		ck_assert_int_eq(reply.status, 200);
		ck_assert(reply_header(&reply, "Content-Length", value));
		size = strtoul(value, NULL, 10);
		body = client_receive_bytes(&client, size);
		page = json_loadb(body, size, JSON_REJECT_DUPLICATES, NULL);
		ck_assert(json_is_array(page));
		ck_assert_uint_ge(json_array_size(page), 1);
		add_orders(listed, page);
		json_decref(page);
		free(body);
		more = reply_header(&reply, "X-Next-Page-Token", token);
		snprintf(path, sizeof(path),
			 "/api/orders?limit=%s&page_token=%s",
			 limits[pages % 4], token);
	}
	client_close(&client);
	ck_assert_uint_gt(pages, MANY / 500);
}

START_TEST(pages_together_are_the_databases)
{
	list_under_load(list_pages, "pages, over REST");
}
END_TEST

/* ---- over gRPC ----------------------------------------------------------- */

/* grpcurl into a file: an answer is megabytes long. */
static json_t *call_into_file(const struct stock *stock, const char *request)
{
	static const char script[] =
		"\"$1\" -plaintext -emit-defaults -d \"$2\" \"$3\" "
		"stockorder.StockOrderService/ListOrders >\"$4\"";
	struct outcome outcome;
	char path[PATH_SIZE];
	json_t *json;

	scratch_path(path, stock->dir, "list.json");
	RUN(&outcome, "/bin/sh", NULL, "-c", script, "sh", tool_find("grpcurl"),
	    request, stock->grpc, path);
	ck_assert_msg(outcome.code == 0, "%s", outcome.text);
	json = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
	ck_assert_ptr_nonnull(json);
	return json;
}

/* As much as fits into a message, and the rest behind its token. */
static void list_messages(const struct stock *stock, struct ids *listed)
{
	char request[256] = "{}";
	size_t messages = 0;

	for (bool more = true; more; messages++) {
		json_t *json = call_into_file(stock, request);
		const char *token = json_text(json, "nextPageToken");

		ck_assert_uint_ge(
			json_array_size(json_object_get(json, "orders")), 1);
		add_orders(listed, json_object_get(json, "orders"));
		more = token[0] != '\0';
		snprintf(request, sizeof(request), "{\"page_token\":\"%s\"}",
			 token);
		json_decref(json);
	}
	/* Most of a list is in one message. */
	ck_assert_uint_le(messages, 3);
}

START_TEST(messages_together_are_the_databases)
{
	if (tool_find("grpcurl") != NULL) {
		list_under_load(list_messages, "messages, over gRPC");
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		a_whole_list_is_the_databases,
		curl_gets_it_whole,
		pages_together_are_the_databases,
		messages_together_are_the_databases,
		NULL,
	};

	return suite_run("stock_list", tests);
}
