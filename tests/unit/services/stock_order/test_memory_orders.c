#include <stdio.h>

#include "repository_suite.h"
#include "stock_order/adaptor/memory_orders.h"
#include "suite.h"

static struct memory_orders *orders;
static size_t orders_max = 1000;

static struct order_repository *open_memory(void)
{
	orders = memory_orders_new(orders_max);
	return memory_orders_repository(orders);
}

static void close_memory(void)
{
	memory_orders_free(orders);
}

static void nothing(void)
{
}

static const struct repository_maker maker = { .open = open_memory,
					       .close = close_memory,
					       .remove = nothing };

START_TEST(a_full_one_takes_no_more_but_still_answers)
{
	struct order order;

	scene_init(&scene);
	answer_init(&answer);
	orders_max = 2;
	repository = open_memory();
	for (unsigned i = 1; i <= 2; i++) {
		char key[8];

		snprintf(key, sizeof(key), "%u", i);
		order = order_number(i, i);
		ck_assert_int_eq(create(&order, key), STATUS_OK);
	}
	order = order_number(3, 3);
	ck_assert_int_eq(create(&order, "3"), STATUS_RESOURCE_EXHAUSTED);
	ck_assert_str_eq(answer.status.message, "there are 2 orders already");
	ck_assert_int_eq(create(&order, "2"), STATUS_OK);
	ck_assert_int_eq(answer.how, ORDER_REPLAYED);
	ck_assert_int_eq(get(order.id), STATUS_NOT_FOUND);
	close_memory();
	answer_release(&answer);
	scene_release(&scene);
}
END_TEST

START_TEST(nothing_is_freed_to_no_harm)
{
	memory_orders_free(NULL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("memory_orders");
	TCase *tc = tcase_create("own");

	tcase_set_timeout(tc, 30);
	repository_suite_add(suite, &maker);
	tcase_add_test(tc, a_full_one_takes_no_more_but_still_answers);
	tcase_add_test(tc, nothing_is_freed_to_no_harm);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
