#include "repository_suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct repository_maker *maker;
struct scene scene;
struct order_repository *repository;
struct answer answer;

static void set_up(void)
{
	scene_init(&scene);
	answer_init(&answer);
	repository = maker->open();
}

static void tear_down(void)
{
	maker->close();
	maker->remove();
	answer_release(&answer);
	scene_release(&scene);
}

/* ---- calls that wait ---------------------------------------------------- */

enum status_code create(const struct order *order, const char *key)
{
	repository->ops->create(repository, scene.root, order, key,
				answer_created, &answer);
	return answer_wait(&answer);
}

enum status_code get(const char *id)
{
	repository->ops->get(repository, scene.root, id, answer_order, &answer);
	return answer_wait(&answer);
}

enum status_code change(const char *id, order_rule_fn rule)
{
	repository->ops->change(repository, scene.root, id, rule, answer_order,
				&answer);
	return answer_wait(&answer);
}

enum status_code page(const struct order_cursor *after, size_t limit)
{
	repository->ops->page(repository, scene.root, after, limit, answer_page,
			      &answer);
	return answer_wait(&answer);
}

enum status_code due(int64_t after_us, size_t limit)
{
	repository->ops->due(repository, scene.root, SCENE_BEGINS_US + after_us,
			     limit, answer_due, &answer);
	return answer_wait(&answer);
}

struct order_cursor cursor_of(const struct order *order)
{
	struct order_cursor cursor = { .created_at_us = order->created_at_us };

	memcpy(cursor.id, order->id, sizeof(cursor.id));
	return cursor;
}

enum status_code cancel_it(struct order *order, void *arg,
			   struct status *reterr)
{
	(void)arg;
	return order_cancel(order, SCENE_BEGINS_US + 5000000, reterr);
}

enum status_code fill_it(struct order *order, void *arg, struct status *reterr)
{
	(void)arg;
	return order_fill(order, SCENE_BEGINS_US + 6000000, reterr);
}

static void must_create(const struct order *order, const char *key)
{
	ck_assert_msg(create(order, key) == STATUS_OK, "%s",
		      answer.status.message);
	ck_assert_int_eq(answer.how, ORDER_CREATED);
}

/* Orders 1 to @n, a second apart. */
static void create_many(unsigned n)
{
	for (unsigned i = 1; i <= n; i++) {
		struct order order = order_number(i, (int64_t)i * 1000000);

		must_create(&order, NULL);
	}
}

static void assert_status(const char *id, enum order_status status)
{
	ck_assert_int_eq(get(id), STATUS_OK);
	ck_assert_int_eq(answer.order.status, status);
}

/* How many orders there are, by pages of the greatest size. */
static size_t count_all(void)
{
	struct order_cursor after;
	size_t n;

	ck_assert_int_eq(page(NULL, ORDER_PAGE_MAX), STATUS_OK);
	n = answer.orders_n;
	while (answer.more) {
		after = cursor_of(&answer.orders[answer.orders_n - 1]);
		ck_assert_int_eq(page(&after, ORDER_PAGE_MAX), STATUS_OK);
		n += answer.orders_n;
	}
	return n;
}

/* ---- create and get ----------------------------------------------------- */

START_TEST(an_order_is_got_as_it_was_created)
{
	struct order market = order_number(1, 0);
	struct order limit = order_number(2, 1);

	limit.type = ORDER_TYPE_LIMIT;
	limit.side = ORDER_SIDE_SELL;
	limit.quantity = INT32_MAX;
	limit.price = 0.1 + 0.2;
	strcpy(limit.symbol, "ABCDEFGHIJKL.-09");
	memset(limit.description, 'x', ORDER_DESCRIPTION_MAX);
	memcpy(limit.description + 1020, "\xF0\x9F\x98\x80", 4);
	must_create(&market, NULL);
	assert_same_order(&answer.order, &market);
	must_create(&limit, NULL);
	assert_same_order(&answer.order, &limit);
	ck_assert_int_eq(get(market.id), STATUS_OK);
	assert_same_order(&answer.order, &market);
	ck_assert_int_eq(get(limit.id), STATUS_OK);
	assert_same_order(&answer.order, &limit);
}
END_TEST

START_TEST(texts_are_taken_for_what_they_are)
{
	struct order order = order_number(1, 0);

	strcpy(order.description, "'); DROP TABLE stock_orders; --\n\"\\%_");
	must_create(&order, "'; --");
	ck_assert_int_eq(get(order.id), STATUS_OK);
	assert_same_order(&answer.order, &order);
}
END_TEST

START_TEST(times_are_kept_to_the_microsecond)
{
	static const int64_t instants[] = { 0, -1, 999999,
					    INT64_C(253402300799999999) };

	for (size_t i = 0; i < sizeof(instants) / sizeof(instants[0]); i++) {
		struct order order = order_number((unsigned)i, 0);

		order.created_at_us = instants[i];
		order.updated_at_us = instants[i];
		must_create(&order, NULL);
		ck_assert_int_eq(get(order.id), STATUS_OK);
		assert_same_order(&answer.order, &order);
	}
}
END_TEST

static void assert_not_found(enum status_code code, const char *message)
{
	ck_assert_int_eq(code, STATUS_NOT_FOUND);
	ck_assert_str_eq(answer.status.message, message);
	ck_assert(!answer.has_order);
}

START_TEST(an_unknown_id_is_not_found)
{
	create_many(1);
	assert_not_found(get("no-such-id"), "order not found: no-such-id");
	assert_not_found(get(""), "order not found: ");
	assert_not_found(change("' OR 1=1 --", cancel_it),
			 "order not found: ' OR 1=1 --");
}
END_TEST

START_TEST(an_id_is_there_once)
{
	struct order first = order_number(1, 0);
	struct order second = order_number(1, 5);

	second.quantity = 7;
	must_create(&first, NULL);
	ck_assert_int_eq(create(&second, "key"), STATUS_INTERNAL);
	ck_assert(!answer.has_order);
	ck_assert_int_eq(get(first.id), STATUS_OK);
	assert_same_order(&answer.order, &first);
	ck_assert_uint_eq(count_all(), 1);
	/* The key went with it. */
	second = order_number(2, 5);
	must_create(&second, "key");
}
END_TEST

START_TEST(it_is_well)
{
	struct status err = status_ok();

	create_many(1);
	ck_assert_int_eq(repository->ops->health(repository, &err), STATUS_OK);
}
END_TEST

/* ---- pages -------------------------------------------------------------- */

START_TEST(nothing_is_an_empty_page)
{
	struct order order = order_number(1, 0);
	struct order_cursor after = cursor_of(&order);

	ck_assert_int_eq(page(NULL, 10), STATUS_OK);
	ck_assert_uint_eq(answer.orders_n, 0);
	ck_assert(!answer.more);
	ck_assert_int_eq(page(&after, 10), STATUS_OK);
	ck_assert_uint_eq(answer.orders_n, 0);
	ck_assert(!answer.more);
}
END_TEST

/* 12 orders of 5 instants, created neither by instant nor by id. */
static struct order mixed[12];
enum { MIXED_NR = 12 };

static int by_newest(const void *a, const void *b)
{
	return order_compare_newest(a, b);
}

static void create_mixed(void)
{
	for (unsigned i = 0; i < MIXED_NR; i++) {
		unsigned number = (i * 7 + 3) % MIXED_NR;

		mixed[i] = order_number(number, (int64_t)(i * 5 % 7 % 5));
		must_create(&mixed[i], NULL);
	}
	qsort(mixed, MIXED_NR, sizeof(mixed[0]), by_newest);
}

START_TEST(the_newest_come_first_then_the_greater_ids)
{
	create_mixed();
	ck_assert_int_eq(page(NULL, MIXED_NR), STATUS_OK);
	ck_assert_uint_eq(answer.orders_n, MIXED_NR);
	ck_assert(!answer.more);
	for (size_t i = 0; i < MIXED_NR; i++) {
		assert_same_order(&answer.orders[i], &mixed[i]);
	}
}
END_TEST

START_TEST(pages_of_any_size_make_up_the_list)
{
	size_t limit = (size_t)_i;
	struct order_cursor after;
	size_t seen = 0;

	create_mixed();
	ck_assert_int_eq(page(NULL, limit), STATUS_OK);
	for (;;) {
		size_t left = MIXED_NR - seen;

		ck_assert_uint_eq(answer.orders_n, left < limit ? left : limit);
		for (size_t i = 0; i < answer.orders_n; i++) {
			assert_same_order(&answer.orders[i], &mixed[seen++]);
		}
		ck_assert_int_eq(answer.more, seen < MIXED_NR);
		if (!answer.more) {
			break;
		}
		after = cursor_of(&answer.orders[answer.orders_n - 1]);
		ck_assert_int_eq(page(&after, limit), STATUS_OK);
	}
}
END_TEST

START_TEST(orders_that_come_in_between_disturb_nothing)
{
	struct order_cursor after;
	struct order newer;

	create_many(6);
	ck_assert_int_eq(page(NULL, 3), STATUS_OK);
	after = cursor_of(&answer.orders[2]);
	newer = order_number(100, 60000000);
	must_create(&newer, NULL);
	newer = order_number(101, 6000000); /* the instant of one seen */
	must_create(&newer, NULL);
	ck_assert_int_eq(page(&after, 10), STATUS_OK);
	ck_assert_uint_eq(answer.orders_n, 3);
	for (unsigned i = 0; i < 3; i++) {
		struct order old = order_number(3 - i, (3 - i) * 1000000);

		assert_same_order(&answer.orders[i], &old);
	}
}
END_TEST

START_TEST(a_page_may_begin_where_no_order_is)
{
	struct order_cursor after = { .created_at_us =
					      SCENE_BEGINS_US + 3500000,
				      .id = "x" };

	create_many(6);
	ck_assert_int_eq(page(&after, 10), STATUS_OK);
	ck_assert_uint_eq(answer.orders_n, 3);
	ck_assert_int_eq(answer.orders[0].created_at_us,
			 SCENE_BEGINS_US + 3000000);
	/* Smaller than every id of that instant, and greater. */
	after.created_at_us = SCENE_BEGINS_US + 3000000;
	after.id[0] = '!';
	ck_assert_int_eq(page(&after, 10), STATUS_OK);
	ck_assert_uint_eq(answer.orders_n, 2);
	after.id[0] = '~';
	ck_assert_int_eq(page(&after, 10), STATUS_OK);
	ck_assert_uint_eq(answer.orders_n, 3);
}
END_TEST

START_TEST(a_page_has_up_to_500_orders)
{
	struct order_cursor after;

	create_many(ORDER_PAGE_MAX + 1);
	ck_assert_int_eq(page(NULL, ORDER_PAGE_MAX), STATUS_OK);
	ck_assert_uint_eq(answer.orders_n, ORDER_PAGE_MAX);
	ck_assert(answer.more);
	after = cursor_of(&answer.orders[ORDER_PAGE_MAX - 1]);
	ck_assert_int_eq(page(&after, ORDER_PAGE_MAX), STATUS_OK);
	ck_assert_uint_eq(answer.orders_n, 1);
	ck_assert(!answer.more);
}
END_TEST

/* ---- changes ------------------------------------------------------------ */

START_TEST(a_change_is_kept_and_told)
{
	struct order order = order_number(1, 0);

	must_create(&order, NULL);
	ck_assert_int_eq(change(order.id, cancel_it), STATUS_OK);
	order.status = ORDER_STATUS_CANCELLED;
	order.updated_at_us = SCENE_BEGINS_US + 5000000;
	assert_same_order(&answer.order, &order);
	ck_assert_int_eq(get(order.id), STATUS_OK);
	assert_same_order(&answer.order, &order);
}
END_TEST

START_TEST(a_change_touches_no_other_order)
{
	struct order first = order_number(1, 0);
	struct order second = order_number(2, 0);

	must_create(&first, NULL);
	must_create(&second, NULL);
	ck_assert_int_eq(change(first.id, cancel_it), STATUS_OK);
	ck_assert_int_eq(get(second.id), STATUS_OK);
	assert_same_order(&answer.order, &second);
}
END_TEST

START_TEST(a_rule_that_refuses_changes_nothing)
{
	struct order order = order_number(1, 0);

	must_create(&order, NULL);
	ck_assert_int_eq(change(order.id, cancel_it), STATUS_OK);
	ck_assert_int_eq(change(order.id, fill_it), STATUS_FAILED_PRECONDITION);
	ck_assert_str_eq(answer.status.message,
			 "cannot fill order with status: CANCELLED");
	ck_assert(!answer.has_order);
	assert_status(order.id, ORDER_STATUS_CANCELLED);
}
END_TEST

static enum status_code scribble(struct order *order, void *arg,
				 struct status *reterr)
{
	(void)arg;
	order->status = ORDER_STATUS_REJECTED;
	order->updated_at_us = 0;
	return status_set(reterr, STATUS_PERMISSION_DENIED, "no, no");
}

START_TEST(what_a_rule_did_before_it_refused_is_forgotten)
{
	struct order order = order_number(1, 0);

	must_create(&order, NULL);
	ck_assert_int_eq(change(order.id, scribble), STATUS_PERMISSION_DENIED);
	ck_assert_str_eq(answer.status.message, "no, no");
	ck_assert_int_eq(get(order.id), STATUS_OK);
	assert_same_order(&answer.order, &order);
}
END_TEST

/* ---- due ---------------------------------------------------------------- */

START_TEST(due_are_pending_market_orders_up_to_an_instant)
{
	struct order limit = order_number(10, 2500000);
	char id[ORDER_ID_SIZE];

	create_many(4);
	limit.type = ORDER_TYPE_LIMIT;
	limit.price = 1;
	must_create(&limit, NULL);
	id_write(2, id);
	ck_assert_int_eq(change(id, cancel_it), STATUS_OK);
	ck_assert_int_eq(due(2999999, 10), STATUS_OK);
	ck_assert_uint_eq(answer.ids_n, 1);
	ck_assert_int_eq(answer.next_us, SCENE_BEGINS_US + 3000000);
	ck_assert_int_eq(due(3000000, 10), STATUS_OK);
	ck_assert_uint_eq(answer.ids_n, 2);
	id_write(1, id);
	ck_assert_str_eq(answer.ids[0], id);
	id_write(3, id);
	ck_assert_str_eq(answer.ids[1], id);
	ck_assert_int_eq(answer.next_us, SCENE_BEGINS_US + 4000000);
	ck_assert_int_eq(change(id, fill_it), STATUS_OK);
	ck_assert_int_eq(due(9000000, 10), STATUS_OK);
	ck_assert_uint_eq(answer.ids_n, 2);
	ck_assert_int_eq(answer.next_us, INT64_MAX);
}
END_TEST

START_TEST(the_oldest_are_due_first_and_no_more_than_asked_for)
{
	char id[ORDER_ID_SIZE];

	for (unsigned i = 5; i >= 1; i--) {
		struct order order = order_number(i, (int64_t)i * 1000000);

		must_create(&order, NULL);
	}
	ck_assert_int_eq(due(9000000, 3), STATUS_OK);
	ck_assert_uint_eq(answer.ids_n, 3);
	for (unsigned i = 0; i < 3; i++) {
		id_write(i + 1, id);
		ck_assert_str_eq(answer.ids[i], id);
	}
	ck_assert_int_eq(answer.next_us, INT64_MAX);
	ck_assert_int_eq(due(0, 3), STATUS_OK);
	ck_assert_uint_eq(answer.ids_n, 0);
	ck_assert_int_eq(answer.next_us, SCENE_BEGINS_US + 1000000);
}
END_TEST

START_TEST(nothing_is_due_where_nothing_is)
{
	ck_assert_int_eq(due(9000000, ORDER_DUE_MAX), STATUS_OK);
	ck_assert_uint_eq(answer.ids_n, 0);
	ck_assert_int_eq(answer.next_us, INT64_MAX);
}
END_TEST

/* ---- keys --------------------------------------------------------------- */

START_TEST(a_key_gives_the_first_answer_again)
{
	struct order first = order_number(1, 0);
	struct order again = order_number(2, 7000000);

	must_create(&first, "key");
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(create(&again, "key"), STATUS_OK);
		ck_assert_int_eq(answer.how, ORDER_REPLAYED);
		assert_same_order(&answer.order, &first);
		/* Also when the order has changed since. */
		ck_assert_int_eq(change(first.id, cancel_it),
				 i == 0 ? STATUS_OK
					: STATUS_FAILED_PRECONDITION);
	}
	ck_assert_uint_eq(count_all(), 1);
	assert_status(first.id, ORDER_STATUS_CANCELLED);
}
END_TEST

START_TEST(a_key_with_other_terms_is_taken)
{
	struct order first = order_number(1, 0);
	struct order other = order_number(2, 7000000);

	must_create(&first, "key");
	other.quantity++;
	ck_assert_int_eq(create(&other, "key"), STATUS_OK);
	ck_assert_int_eq(answer.how, ORDER_KEY_TAKEN);
	ck_assert(!answer.has_order);
	ck_assert_uint_eq(count_all(), 1);
	other = order_number(3, 7000000);
	strcpy(other.description, "and more");
	ck_assert_int_eq(create(&other, "key"), STATUS_OK);
	ck_assert_int_eq(answer.how, ORDER_KEY_TAKEN);
	ck_assert_uint_eq(count_all(), 1);
}
END_TEST

START_TEST(keys_are_compared_to_the_letter)
{
	static const char *const keys[] = { "key", "Key", "key2", "ke" };
	char key[256];
	struct order order;

	for (unsigned i = 0; i < 4; i++) {
		order = order_number(i, i);
		must_create(&order, keys[i]);
	}
	memset(key, 'k', 255);
	key[255] = '\0';
	order = order_number(10, 10);
	must_create(&order, key);
	key[254] = 'l';
	order = order_number(11, 11);
	must_create(&order, key);
	order = order_number(12, 11);
	ck_assert_int_eq(create(&order, key), STATUS_OK);
	ck_assert_int_eq(answer.how, ORDER_REPLAYED);
	ck_assert_uint_eq(count_all(), 6);
}
END_TEST

START_TEST(without_a_key_the_same_terms_are_another_order)
{
	struct order order = order_number(1, 0);

	must_create(&order, "key");
	order = order_number(2, 0);
	must_create(&order, NULL);
	ck_assert_uint_eq(count_all(), 2);
}
END_TEST

/* ---- callers that have left --------------------------------------------- */

START_TEST(nothing_is_done_for_a_caller_that_has_left)
{
	struct ctx *left = scene_left(&scene);
	const struct order_repository_ops *ops = repository->ops;
	struct order kept = order_number(1, 0);
	struct order lost = order_number(2, 0);

	must_create(&kept, NULL);
	ops->create(repository, left, &lost, "key", answer_created, &answer);
	ck_assert_int_eq(answer_wait(&answer), STATUS_CANCELLED);
	ck_assert(!answer.has_order);
	ops->change(repository, left, kept.id, cancel_it, answer_order,
		    &answer);
	ck_assert_int_eq(answer_wait(&answer), STATUS_CANCELLED);
	ck_assert(!answer.has_order);
	ops->get(repository, left, kept.id, answer_order, &answer);
	ck_assert_int_eq(answer_wait(&answer), STATUS_CANCELLED);
	ops->page(repository, left, NULL, 10, answer_page, &answer);
	ck_assert_int_eq(answer_wait(&answer), STATUS_CANCELLED);
	ck_assert_uint_eq(answer.orders_n, 0);
	ops->due(repository, left, INT64_MAX, 10, answer_due, &answer);
	ck_assert_int_eq(answer_wait(&answer), STATUS_CANCELLED);
	ck_assert_uint_eq(answer.ids_n, 0);
	ctx_unref(left);
	ck_assert_uint_eq(count_all(), 1);
	assert_status(kept.id, ORDER_STATUS_PENDING);
	must_create(&lost, "key");
}
END_TEST

/* ---- many at once ------------------------------------------------------- */

enum { THREADS_NR = 8, CONTESTED_NR = 40 };

struct contestant {
	pthread_t thread;
	pthread_barrier_t *start;
	unsigned number;
	struct answer answer;
	int won[CONTESTED_NR];	/* changes that were acknowledged */
	enum order_created how; /* of a create */
	char id[ORDER_ID_SIZE]; /* that was answered */
};

static void contest(void *(*run)(void *arg), struct contestant *contestants)
{
	pthread_barrier_t start;

	pthread_barrier_init(&start, NULL, THREADS_NR);
	for (unsigned i = 0; i < THREADS_NR; i++) {
		memset(&contestants[i], 0, sizeof(contestants[i]));
		contestants[i].start = &start;
		contestants[i].number = i;
		answer_init(&contestants[i].answer);
		pthread_create(&contestants[i].thread, NULL, run,
			       &contestants[i]);
	}
	for (unsigned i = 0; i < THREADS_NR; i++) {
		pthread_join(contestants[i].thread, NULL);
		answer_release(&contestants[i].answer);
	}
	pthread_barrier_destroy(&start);
}

/* Half of them cancel, half of them fill. */
static void *end_all_orders(void *arg)
{
	struct contestant *self = arg;
	bool cancels = self->number % 2 == 0;

	pthread_barrier_wait(self->start);
	for (unsigned i = 0; i < CONTESTED_NR; i++) {
		/* From both ends, so that they meet in the middle as well. */
		unsigned at = self->number % 4 < 2 ? i : CONTESTED_NR - 1 - i;
		char id[ORDER_ID_SIZE];
		enum status_code code;

		id_write(at + 1, id);
		repository->ops->change(repository, scene.root, id,
					cancels ? cancel_it : fill_it,
					answer_order, &self->answer);
		code = answer_wait(&self->answer);
		ck_assert_msg(code == STATUS_OK ||
				      code == STATUS_FAILED_PRECONDITION,
			      "%s", self->answer.status.message);
		self->won[at] = code == STATUS_OK;
	}
	return NULL;
}

START_TEST(an_order_ends_once_whoever_comes_first)
{
	static struct contestant contestants[THREADS_NR];
	char id[ORDER_ID_SIZE];

	create_many(CONTESTED_NR);
	contest(end_all_orders, contestants);
	for (unsigned i = 0; i < CONTESTED_NR; i++) {
		int cancelled = 0;
		int filled = 0;

		for (unsigned t = 0; t < THREADS_NR; t++) {
			*(t % 2 == 0 ? &cancelled : &filled) +=
				contestants[t].won[i];
		}
		ck_assert_int_eq(cancelled + filled, 1);
		id_write(i + 1, id);
		assert_status(id, cancelled == 1 ? ORDER_STATUS_CANCELLED
						 : ORDER_STATUS_FILLED);
	}
}
END_TEST

static void *create_same_key(void *arg)
{
	struct contestant *self = arg;
	struct order order =
		order_number(self->number + 1, (int64_t)self->number);

	pthread_barrier_wait(self->start);
	repository->ops->create(repository, scene.root, &order, "key",
				answer_created, &self->answer);
	ck_assert_int_eq(answer_wait(&self->answer), STATUS_OK);
	self->how = self->answer.how;
	memcpy(self->id, self->answer.order.id, sizeof(self->id));
	return NULL;
}

START_TEST(a_key_makes_one_order_whoever_comes_first)
{
	static struct contestant contestants[THREADS_NR];
	int created = 0;

	contest(create_same_key, contestants);
	for (unsigned i = 0; i < THREADS_NR; i++) {
		created += contestants[i].how == ORDER_CREATED;
		ck_assert_int_ne(contestants[i].how, ORDER_KEY_TAKEN);
		ck_assert_str_eq(contestants[i].id, contestants[0].id);
	}
	ck_assert_int_eq(created, 1);
	ck_assert_uint_eq(count_all(), 1);
}
END_TEST

static void *create_some(void *arg)
{
	struct contestant *self = arg;

	pthread_barrier_wait(self->start);
	for (unsigned i = 0; i < CONTESTED_NR; i++) {
		unsigned number = self->number * CONTESTED_NR + i;
		struct order order = order_number(number, (int64_t)i);
		char key[16];

		snprintf(key, sizeof(key), "%u", number);
		repository->ops->create(repository, scene.root, &order,
					i % 2 == 0 ? key : NULL, answer_created,
					&self->answer);
		ck_assert_int_eq(answer_wait(&self->answer), STATUS_OK);
	}
	return NULL;
}

START_TEST(all_that_was_acknowledged_is_there)
{
	static struct contestant contestants[THREADS_NR];
	char id[ORDER_ID_SIZE];

	contest(create_some, contestants);
	for (unsigned i = 0; i < THREADS_NR * CONTESTED_NR; i++) {
		id_write(i, id);
		assert_status(id, ORDER_STATUS_PENDING);
	}
	ck_assert_uint_eq(count_all(), (size_t)THREADS_NR * CONTESTED_NR);
}
END_TEST

/* ---- again -------------------------------------------------------------- */

START_TEST(what_was_acknowledged_outlives_a_close)
{
	struct order first = order_number(1, 0);
	struct order again = order_number(2, 0);

	must_create(&first, "key");
	ck_assert_int_eq(change(first.id, fill_it), STATUS_OK);
	maker->close();
	repository = maker->open();
	assert_status(first.id, ORDER_STATUS_FILLED);
	ck_assert_int_eq(create(&again, "key"), STATUS_OK);
	ck_assert_int_eq(answer.how, ORDER_REPLAYED);
	assert_same_order(&answer.order, &first);
	again.side = ORDER_SIDE_SELL;
	ck_assert_int_eq(create(&again, "key"), STATUS_OK);
	ck_assert_int_eq(answer.how, ORDER_KEY_TAKEN);
	ck_assert_uint_eq(count_all(), 1);
}
END_TEST

void repository_suite_add(Suite *suite, const struct repository_maker *a_maker)
{
	TCase *tc = tcase_create("contract");

	maker = a_maker;
	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, an_order_is_got_as_it_was_created);
	tcase_add_test(tc, texts_are_taken_for_what_they_are);
	tcase_add_test(tc, times_are_kept_to_the_microsecond);
	tcase_add_test(tc, an_unknown_id_is_not_found);
	tcase_add_test(tc, an_id_is_there_once);
	tcase_add_test(tc, it_is_well);
	tcase_add_test(tc, nothing_is_an_empty_page);
	tcase_add_test(tc, the_newest_come_first_then_the_greater_ids);
	tcase_add_loop_test(tc, pages_of_any_size_make_up_the_list, 1,
			    MIXED_NR + 2);
	tcase_add_test(tc, orders_that_come_in_between_disturb_nothing);
	tcase_add_test(tc, a_page_may_begin_where_no_order_is);
	tcase_add_test(tc, a_page_has_up_to_500_orders);
	tcase_add_test(tc, a_change_is_kept_and_told);
	tcase_add_test(tc, a_change_touches_no_other_order);
	tcase_add_test(tc, a_rule_that_refuses_changes_nothing);
	tcase_add_test(tc, what_a_rule_did_before_it_refused_is_forgotten);
	tcase_add_test(tc, due_are_pending_market_orders_up_to_an_instant);
	tcase_add_test(tc, the_oldest_are_due_first_and_no_more_than_asked_for);
	tcase_add_test(tc, nothing_is_due_where_nothing_is);
	tcase_add_test(tc, a_key_gives_the_first_answer_again);
	tcase_add_test(tc, a_key_with_other_terms_is_taken);
	tcase_add_test(tc, keys_are_compared_to_the_letter);
	tcase_add_test(tc, without_a_key_the_same_terms_are_another_order);
	tcase_add_test(tc, nothing_is_done_for_a_caller_that_has_left);
	tcase_add_test(tc, an_order_ends_once_whoever_comes_first);
	tcase_add_test(tc, a_key_makes_one_order_whoever_comes_first);
	tcase_add_test(tc, all_that_was_acknowledged_is_there);
	if (maker->durable) {
		tcase_add_test(tc, what_was_acknowledged_outlives_a_close);
	}
	suite_add_tcase(suite, tc);
}
