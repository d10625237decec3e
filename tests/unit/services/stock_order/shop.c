#include "shop.h"

#include <check.h>
#include <stdatomic.h>
#include <stdio.h>

enum { ORDERS_MAX = 10000, US_PER_SECOND = 1000 * 1000 };

static _Atomic int64_t now_us;
static atomic_int ids_made;

static int64_t tick(struct order_clock *clock)
{
	(void)clock;
	return atomic_fetch_add(&now_us, US_PER_SECOND);
}

static void count(struct order_ids *ids, char ret_id[ORDER_ID_SIZE])
{
	(void)ids;
	snprintf(ret_id, ORDER_ID_SIZE, "00000000-0000-4000-8000-%012d",
		 atomic_fetch_add(&ids_made, 1) + 1);
}

void shop_open(struct shop *shop)
{
	atomic_store(&now_us, SHOP_OPENS_US);
	atomic_store(&ids_made, 0);
	world_init(&shop->world, "stock");
	shop->memory = memory_orders_new(ORDERS_MAX);
	gate_orders_init(&shop->gate, memory_orders_repository(shop->memory));
	shop->clock.now_us = tick;
	shop->ids.make = count;
	order_service_init(&shop->service, &shop->gate.base, &shop->clock,
			   &shop->ids);
	shop->edge =
		(struct order_edge){ &shop->service, shop->world.work_metrics,
				     (int64_t)10 * NS_PER_S };
}

void shop_close(struct shop *shop)
{
	world_settle(&shop->world);
	ck_assert_uint_eq(atomic_load(&shop->service.live), 0);
	gate_orders_release(&shop->gate);
	memory_orders_free(shop->memory);
	world_release(&shop->world);
}

static void must_succeed(const struct status *outcome,
			 const struct order *order, bool replayed, void *arg)
{
	(void)arg;
	ck_assert(!replayed);
	ck_assert_msg(outcome->code == STATUS_OK, "%s", outcome->message);
	ck_assert_ptr_nonnull(order);
}

void shop_stock(struct shop *shop, int n, const char *description)
{
	char symbol[ORDER_SYMBOL_SIZE];
	const struct order_draft draft = { .symbol = symbol,
					   .type = ORDER_TYPE_MARKET,
					   .side = ORDER_SIDE_BUY,
					   .quantity = 100,
					   .description = description };

	for (int i = 1; i <= n; i++) {
		snprintf(symbol, sizeof(symbol), "S%d", i);
		order_service_create(&shop->service, shop->world.root, &draft,
				     NULL, must_succeed, NULL);
	}
}
