#include "harness/orders.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "harness/caller.h"
#include "stock_order.pb-c.h"

enum { ID_SIZE = 37 };

static const char create_method[] = "/stockorder.StockOrderService/CreateOrder";

/* ---- what is asked for --------------------------------------------------- */

static struct order_try *try_new(struct orders_client *client)
{
	struct order_try *attempt;

	if (client->tries_n == client->capacity) {
		client->capacity = client->capacity * 2 + 64;
		client->tries =
			realloc(client->tries,
				client->capacity * sizeof(*client->tries));
		ck_assert_ptr_nonnull(client->tries);
	}
	attempt = &client->tries[client->tries_n];
	*attempt = (struct order_try){ .end = ORDER_UNSENT,
				       .market = client->tries_n % 2 == 0 };
	snprintf(attempt->key, sizeof(attempt->key), "%zu-%zu", client->index,
		 client->tries_n);
	client->tries_n++;
	return attempt;
}

static const char *json_of(const struct order_try *attempt)
{
	return attempt->market ? MARKET_ORDER : LIMIT_ORDER;
}

/* The same as a message; its size. */
static size_t message_of(const struct order_try *attempt,
			 unsigned char ret_message[64])
{
	static char aapl[] = "AAPL";
	static char googl[] = "GOOGL";
	Stockorder__CreateOrderRequest request;

	stockorder__create_order_request__init(&request);
	request.symbol = attempt->market ? aapl : googl;
	request.order_type = attempt->market ? STOCKORDER__ORDER_TYPE__MARKET
					     : STOCKORDER__ORDER_TYPE__LIMIT;
	request.order_side = attempt->market ? STOCKORDER__ORDER_SIDE__BUY
					     : STOCKORDER__ORDER_SIDE__SELL;
	request.quantity = attempt->market ? 100 : 50;
	request.price = attempt->market ? 0 : 150.75;
	return stockorder__create_order_request__pack(&request, ret_message);
}

/* ---- over HTTP ----------------------------------------------------------- */

/* False: the connection did not take it whole. */
static bool post(struct client *connection, const struct order_try *attempt,
		 bool with_key)
{
	const char *json = json_of(attempt);
	char field[64] = "";

	if (with_key) {
		snprintf(field, sizeof(field), "Idempotency-Key: %s\r\n",
			 attempt->key);
	}
	return client_post_with(connection, field, "/api/orders",
				"application/json", json, strlen(json));
}

static void read_reply(struct order_try *attempt, const struct reply *reply)
{
	const char *id = strstr(reply->body, "{\"id\":\"");
	const char *reason = strstr(reply->body, "{\"error\":\"");

	attempt->status = reply->status;
	attempt->end = ORDER_WRONG;
	if (reply->status == 201 && id != NULL) {
		attempt->end = ORDER_ACCEPTED;
		snprintf(attempt->id, ID_SIZE, "%.36s",
			 id + strlen("{\"id\":\""));
	}
	if (reply->status == 503 && reason != NULL) {
		reason += strlen("{\"error\":\"");
		attempt->end = ORDER_REFUSED;
		snprintf(attempt->reason, sizeof(attempt->reason), "%.*s",
			 (int)strcspn(reason, "\""), reason);
		attempt->blamed = strstr(attempt->reason, "database") != NULL;
	}
}

static bool says_close(const struct reply *reply)
{
	char value[256];

	return reply_header(reply, "Connection", value) &&
	       strcmp(value, "close") == 0;
}

/* One order; whether another may be asked for on the connection. */
static bool ask_http(struct orders_client *client, struct client *connection,
		     struct order_try *attempt)
{
	struct reply reply;
	bool open;

	if (!post(connection, attempt, client->orders->options.keys)) {
		return false;
	}
	open = client_is_open(connection);
	if (!client_receive(connection, &reply)) {
		attempt->end = open ? ORDER_LOST : ORDER_UNSENT;
		return false;
	}
	read_reply(attempt, &reply);
	return !says_close(&reply);
}

/* ---- over gRPC ----------------------------------------------------------- */

static void read_order(struct order_try *attempt,
		       const struct caller_answer *answer)
{
	Stockorder__StockOrder *order = stockorder__stock_order__unpack(
		NULL, answer->size, answer->message);

	attempt->end = ORDER_WRONG;
	if (order != NULL && strlen(order->id) == ID_SIZE - 1) {
		attempt->end = ORDER_ACCEPTED;
		snprintf(attempt->id, ID_SIZE, "%s", order->id);
	}
	stockorder__stock_order__free_unpacked(order, NULL);
}

static void read_answer(struct order_try *attempt,
			const struct caller_answer *answer, bool open)
{
	switch (answer->end) {
	case CALLER_MESSAGE:
		read_order(attempt, answer);
		break;
	case CALLER_STATUS:
		attempt->end = ORDER_REFUSED;
		attempt->blamed = caller_answer_says(answer, "database");
		break;
	case CALLER_REFUSED:
		attempt->end = ORDER_REFUSED;
		break;
	case CALLER_RESET:
		attempt->end = ORDER_WRONG;
		break;
	case CALLER_CROSSED:
		attempt->end = ORDER_CROSSED;
		break;
	case CALLER_LOST:
	default:
		attempt->end = open ? ORDER_LOST : ORDER_UNSENT;
	}
}

static bool ask_grpc(struct orders_client *client, struct caller *caller,
		     struct order_try *attempt)
{
	unsigned char message[64];
	size_t size = message_of(attempt, message);
	struct caller_answer answer = { .end = CALLER_LOST };
	bool open;

	if (caller_call(caller, create_method,
			client->orders->options.keys ? attempt->key : NULL,
			message, size) == 0) {
		return false;
	}
	open = client_is_open(&caller->wire);
	ck_assert_msg(caller_receive(caller, &answer), "a call is not ended");
	read_answer(attempt, &answer, open);
	return answer.end != CALLER_LOST && answer.end != CALLER_CROSSED;
}

/* ---- a client's life ----------------------------------------------------- */

static void count(struct orders *orders, enum order_end end)
{
	pthread_mutex_lock(&orders->lock);
	orders->ends[end]++;
	pthread_cond_broadcast(&orders->changed);
	pthread_mutex_unlock(&orders->lock);
}

/* Whoever starts the clients waits for those who keep their connection. */
static void tell_connected(struct orders *orders)
{
	pthread_mutex_lock(&orders->lock);
	orders->connected++;
	pthread_cond_broadcast(&orders->changed);
	pthread_mutex_unlock(&orders->lock);
}

static bool wants_more(const struct orders_client *client)
{
	size_t max = client->orders->options.orders_max;

	return !atomic_load(&client->orders->enough) &&
	       (max == 0 || client->tries_n < max);
}

static void live_kept(struct orders_client *client)
{
	struct client connection;
	bool more = true;

	client_open(&connection, client->orders->stock->http_port);
	tell_connected(client->orders);
	while (more && wants_more(client)) {
		struct order_try *attempt = try_new(client);

		more = ask_http(client, &connection, attempt);
		count(client->orders, attempt->end);
	}
	client_close(&connection);
}

static void live_fresh(struct orders_client *client)
{
	struct client connection;
	bool more = true;

	while (more && wants_more(client) &&
	       client_try_open(&connection, client->orders->stock->http_port)) {
		struct order_try *attempt = try_new(client);

		(void)ask_http(client, &connection, attempt);
		client_close(&connection);
		/* A connection that nobody had accepted yet is no request. */
		if (attempt->end == ORDER_LOST) {
			attempt->end = ORDER_UNSENT;
		}
		more = attempt->end == ORDER_ACCEPTED;
		count(client->orders, attempt->end);
	}
}

static void live_grpc(struct orders_client *client)
{
	struct caller caller;
	bool more = true;

	caller_open(&caller, client->orders->stock->grpc_port);
	tell_connected(client->orders);
	while (more && wants_more(client) && caller_may_call(&caller)) {
		struct order_try *attempt = try_new(client);

		more = ask_grpc(client, &caller, attempt);
		count(client->orders, attempt->end);
	}
	caller_close(&caller);
}

static void *live(void *arg)
{
	struct orders_client *client = arg;
	struct orders *orders = client->orders;
	const struct orders_options *options = &orders->options;

	if (client->index < options->kept) {
		live_kept(client);
	} else if (client->index < options->kept + options->fresh) {
		live_fresh(client);
	} else {
		live_grpc(client);
	}
	pthread_mutex_lock(&orders->lock);
	orders->busy--;
	pthread_cond_broadcast(&orders->changed);
	pthread_mutex_unlock(&orders->lock);
	return NULL;
}

/* ---- all of them --------------------------------------------------------- */

void orders_start(struct orders *orders, const struct stock *stock,
		  const struct orders_options *options)
{
	memset(orders, 0, sizeof(*orders));
	orders->stock = stock;
	orders->options = *options;
	orders->clients_n = options->kept + options->fresh + options->grpc;
	orders->busy = orders->clients_n;
	orders->clients = calloc(orders->clients_n, sizeof(*orders->clients));
	ck_assert_ptr_nonnull(orders->clients);
	pthread_mutex_init(&orders->lock, NULL);
	pthread_cond_init(&orders->changed, NULL);
	for (size_t i = 0; i < orders->clients_n; i++) {
		struct orders_client *client = &orders->clients[i];

		client->orders = orders;
		client->index = i;
		ck_assert_int_eq(
			pthread_create(&client->thread, NULL, live, client), 0);
	}
	pthread_mutex_lock(&orders->lock);
	while (orders->connected < options->kept + options->grpc) {
		pthread_cond_wait(&orders->changed, &orders->lock);
	}
	pthread_mutex_unlock(&orders->lock);
}

void orders_await(struct orders *orders, enum order_end end, size_t n)
{
	struct timespec until;
	bool there;
	int rc = 0;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += PATIENCE_MS / 1000;
	pthread_mutex_lock(&orders->lock);
	while (orders->ends[end] < n && orders->busy > 0 && rc == 0) {
		rc = pthread_cond_timedwait(&orders->changed, &orders->lock,
					    &until);
	}
	there = orders->ends[end] >= n;
	pthread_mutex_unlock(&orders->lock);
	if (!there) {
		orders_print(orders, "waited in vain");
	}
	ck_assert_msg(there, "not %zu orders that ended as %d", n, (int)end);
}

void orders_enough(struct orders *orders)
{
	atomic_store(&orders->enough, true);
}

void orders_wait(struct orders *orders)
{
	for (size_t i = 0; i < orders->clients_n && !orders->joined; i++) {
		pthread_join(orders->clients[i].thread, NULL);
	}
	orders->joined = true;
}

void orders_free(struct orders *orders)
{
	for (size_t i = 0; i < orders->clients_n; i++) {
		free(orders->clients[i].tries);
	}
	free(orders->clients);
	pthread_cond_destroy(&orders->changed);
	pthread_mutex_destroy(&orders->lock);
}

size_t orders_count(struct orders *orders, enum order_end end)
{
	size_t n;

	pthread_mutex_lock(&orders->lock);
	n = orders->ends[end];
	pthread_mutex_unlock(&orders->lock);
	return n;
}

void orders_each(struct orders *orders,
		 void (*fn)(const struct order_try *attempt, void *arg),
		 void *arg)
{
	for (size_t i = 0; i < orders->clients_n; i++) {
		const struct orders_client *client = &orders->clients[i];

		for (size_t j = 0; j < client->tries_n; j++) {
			fn(&client->tries[j], arg);
		}
	}
}

void orders_print(struct orders *orders, const char *what)
{
	printf("%s: %zu accepted, %zu refused, %zu unsent, %zu crossed, %zu "
	       "lost, %zu answered otherwise\n",
	       what, orders_count(orders, ORDER_ACCEPTED),
	       orders_count(orders, ORDER_REFUSED),
	       orders_count(orders, ORDER_UNSENT),
	       orders_count(orders, ORDER_CROSSED),
	       orders_count(orders, ORDER_LOST),
	       orders_count(orders, ORDER_WRONG));
	fflush(stdout);
}

/* ---- what the database has ----------------------------------------------- */

struct ids {
	char (*at)[ID_SIZE];
	size_t n;
	size_t capacity;
	size_t found;
};

static void add_id(const char *id, void *arg)
{
	struct ids *ids = arg;

	if (ids->n == ids->capacity) {
		ids->capacity = ids->capacity * 2 + 1024;
		ids->at = realloc(ids->at, ids->capacity * sizeof(*ids->at));
		ck_assert_ptr_nonnull(ids->at);
	}
	snprintf(ids->at[ids->n++], ID_SIZE, "%s", id);
}

static int compare_ids(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void find_id(const struct order_try *attempt, void *arg)
{
	struct ids *ids = arg;

	if (attempt->end != ORDER_ACCEPTED) {
		return;
	}
	ck_assert_msg(bsearch(attempt->id, ids->at, ids->n, ID_SIZE,
			      compare_ids) != NULL,
		      "order %s was acknowledged, and is not in the database",
		      attempt->id);
	ids->found++;
}

size_t orders_expect_stored(struct orders *orders, const char *db)
{
	struct ids ids = { .at = NULL };

	rows_each(db, "SELECT id FROM stock_orders ORDER BY id", add_id, &ids);
	orders_each(orders, find_id, &ids);
	free(ids.at);
	ck_assert_uint_le(ids.found, ids.n);
	return ids.n - ids.found;
}

static const char *way_of(const struct orders_client *client)
{
	const struct orders_options *options = &client->orders->options;

	return client->index < options->kept ? "over HTTP"
	       : client->index < options->kept + options->fresh
		       ? "over HTTP, with a connection of its own"
		       : "over gRPC";
}

/* The last try of a client is the only one that can be lost. */
static void tell_lost(const struct orders *orders)
{
	for (size_t i = 0; i < orders->clients_n; i++) {
		const struct orders_client *client = &orders->clients[i];

		if (client->tries_n > 0 &&
		    client->tries[client->tries_n - 1].end == ORDER_LOST) {
			printf("lost: try %zu of client %zu, %s\n",
			       client->tries_n, i, way_of(client));
		}
	}
	fflush(stdout);
}

static void expect_not_blamed(const struct order_try *attempt, void *arg)
{
	(void)arg;
	ck_assert_msg(!attempt->blamed,
		      "refused because of the database, over %s",
		      attempt->status != 0 ? "REST" : "gRPC");
}

void orders_expect_nothing_failed(struct orders *orders, const char *what)
{
	orders_wait(orders);
	orders_each(orders, expect_not_blamed, NULL);
	orders_expect_nothing_lost(orders, what);
}

void orders_expect_nothing_lost(struct orders *orders, const char *what)
{
	const struct stock *stock = orders->stock;

	orders_wait(orders);
	orders_print(orders, what);
	tell_lost(orders);
	ck_assert_uint_eq(orders_count(orders, ORDER_LOST), 0);
	ck_assert_uint_eq(orders_count(orders, ORDER_WRONG), 0);
	ck_assert_uint_eq(orders_expect_stored(orders, stock->db), 0);
	stock_expect_intact(stock);
	orders_free(orders);
}
