#include <stdio.h>
#include <string.h>

#include "fake_orders.h"
#include "scene.h"
#include "stock_order/adaptor/memory_orders.h"
#include "stock_order/service/order_service.h"
#include "stock_order/service/page_token.h"
#include "suite.h"

enum { ORDERS_MAX = 2000 };

static struct scene scene;
static struct memory_orders *memory;
static struct fake_orders fake;
static struct order_service service;
static struct answer answer;
static struct order_draft draft;

static void set_up(void)
{
	scene_init(&scene);
	memory = memory_orders_new(ORDERS_MAX);
	fake_orders_init(&fake, memory_orders_repository(memory));
	order_service_init(&service, &fake.base, &scene.clock.base,
			   &scene.ids.base);
	answer_init(&answer);
	draft = (struct order_draft){ .symbol = "aapl",
				      .type = ORDER_TYPE_MARKET,
				      .side = ORDER_SIDE_BUY,
				      .quantity = 100 };
}

static void tear_down(void)
{
	ck_assert_uint_eq(atomic_load(&service.live), 0);
	memory_orders_free(memory);
	answer_release(&answer);
	scene_release(&scene);
}

static enum status_code create(const char *key)
{
	order_service_create(&service, scene.root, &draft, key, answer_placed,
			     &answer);
	return answer_wait(&answer);
}

static enum status_code get(const char *id)
{
	order_service_get(&service, scene.root, id, answer_order, &answer);
	return answer_wait(&answer);
}

static enum status_code cancel(const char *id)
{
	order_service_cancel(&service, scene.root, id, answer_order, &answer);
	return answer_wait(&answer);
}

static enum status_code list(int64_t page_size, const char *token)
{
	order_service_list(&service, scene.root, page_size, token, answer_list,
			   &answer);
	return answer_wait(&answer);
}

static void expect(enum status_code code, enum status_code expected,
		   const char *message)
{
	ck_assert_int_eq(code, expected);
	ck_assert_str_eq(answer.status.message, message);
	ck_assert(!answer.has_order);
}

static void create_many(unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		ck_assert_int_eq(create(NULL), STATUS_OK);
	}
}

/* ---- create ------------------------------------------------------------- */

START_TEST(an_order_is_made_of_the_draft_the_clock_and_an_id)
{
	struct order expected = order_number(1, 0);

	ck_assert_int_eq(create(NULL), STATUS_OK);
	ck_assert(answer.has_order);
	assert_same_order(&answer.order, &expected);
	ck_assert_int_eq(get(expected.id), STATUS_OK);
	assert_same_order(&answer.order, &expected);
}
END_TEST

START_TEST(a_draft_is_borrowed_for_the_call_alone)
{
	char symbol[] = "GOOG";
	char key[] = "key";

	draft.symbol = symbol;
	order_service_create(&service, scene.root, &draft, key, answer_placed,
			     &answer);
	memset(symbol, 0, sizeof(symbol));
	memset(key, 0, sizeof(key));
	ck_assert_int_eq(answer_wait(&answer), STATUS_OK);
	ck_assert_str_eq(answer.order.symbol, "GOOG");
	draft.symbol = "GOOG";
	ck_assert_int_eq(create("key"), STATUS_OK);
	ck_assert_str_eq(answer.order.id,
			 "00000000-0000-4000-8000-000000000001");
}
END_TEST

START_TEST(a_draft_that_breaks_a_rule_is_not_stored)
{
	draft.type = ORDER_TYPE_LIMIT;
	expect(create("key"), STATUS_INVALID_ARGUMENT,
	       "limit order must have a price greater than 0");
	draft.type = ORDER_TYPE_MARKET;
	draft.quantity = 0;
	expect(create("key"), STATUS_INVALID_ARGUMENT,
	       "quantity must be between 1 and 2147483647");
	ck_assert_int_eq(atomic_load(&fake.calls[FAKE_CREATE]), 0);
	ck_assert_uint_eq(atomic_load(&scene.ids.made), 0);
}
END_TEST

static int64_t created_at(void)
{
	ck_assert_int_eq(create(NULL), STATUS_OK);
	ck_assert_int_eq(answer.order.created_at_us,
			 answer.order.updated_at_us);
	return answer.order.created_at_us - SCENE_BEGINS_US;
}

START_TEST(each_order_is_newer_than_all_before)
{
	ck_assert_int_eq(created_at(), 0);
	ck_assert_int_eq(created_at(), 1);
	atomic_store(&scene.clock.now_us, SCENE_BEGINS_US + 100);
	ck_assert_int_eq(created_at(), 100);
	atomic_store(&scene.clock.now_us, SCENE_BEGINS_US - 5000000);
	ck_assert_int_eq(created_at(), 101);
	ck_assert_int_eq(created_at(), 102);
	atomic_store(&scene.clock.now_us, SCENE_BEGINS_US + 103);
	ck_assert_int_eq(created_at(), 103);
}
END_TEST

enum { THREADS_NR = 4, ORDERS_OF_THREAD = 200 };

static void *create_some(void *arg)
{
	struct answer own;

	(void)arg;
	answer_init(&own);
	for (int i = 0; i < ORDERS_OF_THREAD; i++) {
		order_service_create(&service, scene.root, &draft, NULL,
				     answer_placed, &own);
		ck_assert_int_eq(answer_wait(&own), STATUS_OK);
	}
	answer_release(&own);
	return NULL;
}

START_TEST(no_two_orders_of_many_threads_have_one_instant)
{
	pthread_t threads[THREADS_NR];
	int64_t seen = THREADS_NR * ORDERS_OF_THREAD;
	char token[ORDER_PAGE_TOKEN_SIZE] = "";

	for (int i = 0; i < THREADS_NR; i++) {
		pthread_create(&threads[i], NULL, create_some, NULL);
	}
	for (int i = 0; i < THREADS_NR; i++) {
		pthread_join(threads[i], NULL);
	}
	do {
		ck_assert_int_eq(list(0, token), STATUS_OK);
		for (size_t i = 0; i < answer.orders_n; i++) {
			ck_assert_int_eq(answer.orders[i].created_at_us,
					 SCENE_BEGINS_US + --seen);
		}
		memcpy(token, answer.token, sizeof(token));
	} while (token[0] != '\0');
	ck_assert_int_eq(seen, 0);
}
END_TEST

/* ---- keys --------------------------------------------------------------- */

#define KEY_RULE "idempotency key must be 1 to 255 visible ASCII characters"

START_TEST(a_key_has_1_to_255_visible_characters)
{
	char key[257];

	expect(create(""), STATUS_INVALID_ARGUMENT, KEY_RULE);
	memset(key, '~', sizeof(key));
	key[256] = '\0';
	expect(create(key), STATUS_INVALID_ARGUMENT, KEY_RULE);
	key[255] = '\0';
	ck_assert_int_eq(create(key), STATUS_OK);
	ck_assert_int_eq(create("!"), STATUS_OK);
	for (int c = 1; c < 256; c++) {
		if (c > ' ' && c < 0x7F) {
			continue;
		}
		key[0] = 'k';
		key[1] = (char)c;
		key[2] = '\0';
		expect(create(key), STATUS_INVALID_ARGUMENT, KEY_RULE);
	}
}
END_TEST

START_TEST(a_broken_draft_is_told_before_a_broken_key)
{
	draft.symbol = "";
	expect(create(""), STATUS_INVALID_ARGUMENT, "symbol is required");
}
END_TEST

START_TEST(the_same_key_gives_the_first_answer_again)
{
	struct order first;

	ck_assert_int_eq(create("key"), STATUS_OK);
	ck_assert_int_eq(answer.how, ORDER_CREATED);
	first = answer.order;
	ck_assert_int_eq(cancel(first.id), STATUS_OK);
	atomic_fetch_add(&scene.clock.now_us, 5000000);
	draft.symbol = "AAPL"; /* the same, raised */
	ck_assert_int_eq(create("key"), STATUS_OK);
	ck_assert_int_eq(answer.how, ORDER_REPLAYED);
	assert_same_order(&answer.order, &first);
	ck_assert_int_eq(list(0, NULL), STATUS_OK);
	ck_assert_uint_eq(answer.orders_n, 1);
}
END_TEST

START_TEST(the_same_key_for_another_order_is_refused)
{
	ck_assert_int_eq(create("key"), STATUS_OK);
	draft.quantity++;
	expect(create("key"), STATUS_ALREADY_EXISTS,
	       "idempotency key was used for another order");
	draft.quantity--;
	draft.description = "";
	ck_assert_int_eq(create("key"), STATUS_OK);
	draft.description = "x";
	expect(create("key"), STATUS_ALREADY_EXISTS,
	       "idempotency key was used for another order");
	ck_assert_int_eq(list(0, NULL), STATUS_OK);
	ck_assert_uint_eq(answer.orders_n, 1);
}
END_TEST

/* ---- get and cancel ----------------------------------------------------- */

START_TEST(what_can_be_no_id_is_not_asked_for)
{
	char id[600];
	char message[STATUS_MESSAGE_SIZE];

	expect(get("no-such"), STATUS_NOT_FOUND, "order not found: no-such");
	expect(cancel("no-such"), STATUS_NOT_FOUND, "order not found: no-such");
	ck_assert_int_eq(atomic_load(&fake.calls[FAKE_GET]), 1);
	expect(get(""), STATUS_NOT_FOUND, "order not found: ");
	memset(id, 'x', sizeof(id));
	id[37] = '\0';
	snprintf(message, sizeof(message), "order not found: %.40s", id);
	expect(get(id), STATUS_NOT_FOUND, message);
	expect(cancel(id), STATUS_NOT_FOUND, message);
	id[37] = 'x';
	id[599] = '\0';
	ck_assert_int_eq(cancel(id), STATUS_NOT_FOUND);
	ck_assert_int_eq(atomic_load(&fake.calls[FAKE_GET]), 1);
	ck_assert_int_eq(atomic_load(&fake.calls[FAKE_CHANGE]), 1);
	id[36] = '\0';
	ck_assert_int_eq(get(id), STATUS_NOT_FOUND);
	ck_assert_int_eq(atomic_load(&fake.calls[FAKE_GET]), 2);
}
END_TEST

START_TEST(a_pending_order_is_cancelled_once)
{
	struct order order;

	ck_assert_int_eq(create(NULL), STATUS_OK);
	order = answer.order;
	atomic_fetch_add(&scene.clock.now_us, 1500);
	ck_assert_int_eq(cancel(order.id), STATUS_OK);
	order.status = ORDER_STATUS_CANCELLED;
	order.updated_at_us += 1500;
	assert_same_order(&answer.order, &order);
	expect(cancel(order.id), STATUS_FAILED_PRECONDITION,
	       "cannot cancel order with status: CANCELLED");
	ck_assert_int_eq(get(order.id), STATUS_OK);
	assert_same_order(&answer.order, &order);
}
END_TEST

/* ---- list --------------------------------------------------------------- */

START_TEST(nothing_is_an_empty_list)
{
	ck_assert_int_eq(list(0, ""), STATUS_OK);
	ck_assert_uint_eq(answer.orders_n, 0);
	ck_assert_str_eq(answer.token, "");
}
END_TEST

START_TEST(the_size_of_a_page_is_bounded)
{
	static const struct {
		int64_t asked;
		size_t limit;
	} sizes[] = { { 0, ORDER_PAGE_DEFAULT },
		      { 1, 1 },
		      { 499, 499 },
		      { 500, 500 },
		      { 501, 500 },
		      { INT64_MAX, 500 } };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		ck_assert_int_eq(list(sizes[i].asked, NULL), STATUS_OK);
		ck_assert_uint_eq(fake.limit, sizes[i].limit);
	}
	ck_assert_int_eq(list(-1, NULL), STATUS_INVALID_ARGUMENT);
	ck_assert_str_eq(answer.status.message,
			 "page_size must not be negative");
	ck_assert_int_eq(list(INT64_MIN, NULL), STATUS_INVALID_ARGUMENT);
}
END_TEST

START_TEST(tokens_lead_through_the_whole_list)
{
	unsigned left = 7;
	char token[ORDER_PAGE_TOKEN_SIZE] = "";

	create_many(left);
	do {
		ck_assert_int_eq(list(_i, token), STATUS_OK);
		for (size_t i = 0; i < answer.orders_n; i++) {
			struct order order = order_number(left, left - 1);

			assert_same_order(&answer.orders[i], &order);
			left--;
		}
		ck_assert_uint_lt(strlen(answer.token), sizeof(token));
		ck_assert_int_eq(answer.token[0] == '\0', left == 0);
		memcpy(token, answer.token, sizeof(token));
		create_many(1); /* is not seen any more */
	} while (token[0] != '\0');
	ck_assert_uint_eq(left, 0);
}
END_TEST

START_TEST(a_token_is_the_place_of_the_last_order)
{
	ck_assert_int_eq(list(1, NULL), STATUS_OK);
	ck_assert(!fake.had_cursor);
	create_many(2);
	ck_assert_int_eq(list(1, NULL), STATUS_OK);
	ck_assert_int_eq(list(1, answer.token), STATUS_OK);
	ck_assert(fake.had_cursor);
	ck_assert_int_eq(fake.cursor.created_at_us, SCENE_BEGINS_US + 1);
	ck_assert_str_eq(fake.cursor.id,
			 "00000000-0000-4000-8000-000000000002");
}
END_TEST

/* "00000000-0000-4000-8000-000000000001" */
#define ID_1                                                                   \
	"30303030303030302d303030302d343030302d383030302d303030303030303030"   \
	"303031"

START_TEST(every_other_token_is_refused)
{
	static const char *const bad[] = {
		"x",
		"b",
		"b0006",
		"a00064fd2d5e8cba6" ID_1,
		"b00064FD2D5E8CBA6" ID_1,
		"b0006 fd2d5e8cba6" ID_1,
		"b00064fd2d5e8cba6" ID_1 "31", /* too long */
		"b00064fd2d5e8cba6" ID_1 "3",  /* cut in a byte */
		"b00064fd2d5e8cba63000" ID_1,  /* NUL */
		"b00064fd2d5e8cba6zz",
		"b00064fd2d5e8cba6\xC3\xA4",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ck_assert_int_eq(list(10, bad[i]), STATUS_INVALID_ARGUMENT);
		ck_assert_str_eq(answer.status.message,
				 "page_token is not one that was given out");
		ck_assert_uint_eq(answer.orders_n, 0);
		ck_assert_str_eq(answer.token, "");
	}
	ck_assert_int_eq(atomic_load(&fake.calls[FAKE_PAGE]), 0);
	ck_assert_int_eq(list(10, "b00064fd2d5e8cba6" ID_1), STATUS_OK);
	ck_assert_str_eq(fake.cursor.id,
			 "00000000-0000-4000-8000-000000000001");
}
END_TEST

/* As other programs may have named orders. */
START_TEST(a_token_carries_any_id)
{
	static const char longest[] = "123456789012345678901234567890123456";
	const char *const ids[] = { "", "a b", "\xC3\xA4\n", "<>\"&;%41",
				    longest };

	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		struct order order = { .created_at_us = -1 };
		char token[ORDER_PAGE_TOKEN_SIZE];
		struct order_cursor after;

		strcpy(order.id, ids[i]);
		page_token_write(&order, token);
		ck_assert_uint_eq(strspn(token, "0123456789abcdef"),
				  strlen(token));
		ck_assert(page_token_parse(token, &after));
		ck_assert_str_eq(after.id, ids[i]);
		ck_assert_int_eq(after.created_at_us, -1);
	}
}
END_TEST

START_TEST(a_token_that_is_cut_or_changed_anywhere_does_no_harm)
{
	char token[128];
	char whole[128];

	create_many(2);
	ck_assert_int_eq(list(1, NULL), STATUS_OK);
	snprintf(whole, sizeof(whole), "%s", answer.token);
	for (size_t i = 0; i < strlen(whole); i++) {
		memcpy(token, whole, sizeof(token));
		token[i] = '\0';
		(void)list(1, token);
		for (int c = 1; c < 256; c++) {
			memcpy(token, whole, sizeof(token));
			token[i] = (char)c;
			(void)list(1, token);
			ck_assert_uint_le(answer.orders_n, 1);
		}
	}
}
END_TEST

/* ---- trouble ------------------------------------------------------------ */

START_TEST(trouble_of_the_repository_is_told_as_it_is)
{
	fake.code = (enum status_code)_i;
	for (int i = 0; i < FAKE_CALLS_NR; i++) {
		atomic_store(&fake.failures[i], 1);
	}
	expect(create("key"), fake.code, "no luck");
	expect(get("id"), fake.code, "no luck");
	expect(cancel("id"), fake.code, "no luck");
	ck_assert_int_eq(list(10, NULL), fake.code);
	ck_assert_str_eq(answer.status.message, "no luck");
	ck_assert_str_eq(answer.token, "");
	/* It left nothing behind. */
	draft.quantity++;
	ck_assert_int_eq(create("key"), STATUS_OK);
}
END_TEST

START_TEST(a_deadline_that_a_sick_repository_let_pass_is_its_fault)
{
	fake.code = STATUS_DEADLINE_EXCEEDED;
	fake.health = STATUS_FAILED_PRECONDITION;
	for (int i = 0; i < FAKE_CALLS_NR; i++) {
		atomic_store(&fake.failures[i], 1);
	}
	expect(create("key"), STATUS_UNAVAILABLE, "database: not well");
	expect(cancel("id"), STATUS_UNAVAILABLE, "database: not well");
	/* What only reads does not wait for it to be well. */
	expect(get("id"), STATUS_DEADLINE_EXCEEDED, "no luck");
	expect(list(10, NULL), STATUS_DEADLINE_EXCEEDED, "no luck");
}
END_TEST

START_TEST(health_is_the_repositorys)
{
	struct status err = status_ok();

	ck_assert_int_eq(order_service_health(&service, &err), STATUS_OK);
	fake.health = STATUS_UNAVAILABLE;
	ck_assert_int_eq(order_service_health(&service, &err),
			 STATUS_UNAVAILABLE);
	ck_assert_str_eq(err.message, "not well");
}
END_TEST

START_TEST(nothing_is_done_for_a_caller_that_has_left)
{
	struct ctx *left = scene_left(&scene);

	order_service_create(&service, left, &draft, NULL, answer_placed,
			     &answer);
	ck_assert_int_eq(answer_wait(&answer), STATUS_CANCELLED);
	order_service_list(&service, left, 0, NULL, answer_list, &answer);
	ck_assert_int_eq(answer_wait(&answer), STATUS_CANCELLED);
	ctx_unref(left);
	ck_assert_int_eq(list(0, NULL), STATUS_OK);
	ck_assert_uint_eq(answer.orders_n, 0);
}
END_TEST

START_TEST(who_waits_is_counted)
{
	create_many(1);
	atomic_store(&fake.hold, true);
	order_service_cancel(&service, scene.root, answer.order.id,
			     answer_order, &answer);
	ck_assert_uint_eq(atomic_load(&service.live), 1);
	fake_orders_let_go(&fake);
	ck_assert_int_eq(answer_wait(&answer), STATUS_OK);
	ck_assert_uint_eq(atomic_load(&service.live), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("order_service");
	TCase *tc = tcase_create("all");

	tcase_set_timeout(tc, 30);
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, an_order_is_made_of_the_draft_the_clock_and_an_id);
	tcase_add_test(tc, a_draft_is_borrowed_for_the_call_alone);
	tcase_add_test(tc, a_draft_that_breaks_a_rule_is_not_stored);
	tcase_add_test(tc, each_order_is_newer_than_all_before);
	tcase_add_test(tc, no_two_orders_of_many_threads_have_one_instant);
	tcase_add_test(tc, a_key_has_1_to_255_visible_characters);
	tcase_add_test(tc, a_broken_draft_is_told_before_a_broken_key);
	tcase_add_test(tc, the_same_key_gives_the_first_answer_again);
	tcase_add_test(tc, the_same_key_for_another_order_is_refused);
	tcase_add_test(tc, what_can_be_no_id_is_not_asked_for);
	tcase_add_test(tc, a_pending_order_is_cancelled_once);
	tcase_add_test(tc, nothing_is_an_empty_list);
	tcase_add_test(tc, the_size_of_a_page_is_bounded);
	tcase_add_loop_test(tc, tokens_lead_through_the_whole_list, 1, 9);
	tcase_add_test(tc, a_token_is_the_place_of_the_last_order);
	tcase_add_test(tc, every_other_token_is_refused);
	tcase_add_test(tc, a_token_carries_any_id);
	tcase_add_test(tc,
		       a_token_that_is_cut_or_changed_anywhere_does_no_harm);
	tcase_add_loop_test(tc, trouble_of_the_repository_is_told_as_it_is, 1,
			    STATUS_CODE_NR);
	tcase_add_test(tc,
		       a_deadline_that_a_sick_repository_let_pass_is_its_fault);
	tcase_add_test(tc, health_is_the_repositorys);
	tcase_add_test(tc, nothing_is_done_for_a_caller_that_has_left);
	tcase_add_test(tc, who_waits_is_counted);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
