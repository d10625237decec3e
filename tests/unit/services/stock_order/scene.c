#include "scene.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- clock and ids ------------------------------------------------------ */

static int64_t now_us(struct order_clock *clock)
{
	return atomic_load(&((struct hand_clock *)clock)->now_us);
}

void id_write(unsigned number, char ret_id[ORDER_ID_SIZE])
{
	snprintf(ret_id, ORDER_ID_SIZE, "00000000-0000-4000-8000-%012u",
		 number);
}

static void make_id(struct order_ids *ids, char ret_id[ORDER_ID_SIZE])
{
	id_write(atomic_fetch_add(&((struct counting_ids *)ids)->made, 1) + 1,
		 ret_id);
}

/* ---- scene -------------------------------------------------------------- */

void scene_init(struct scene *scene)
{
	struct status err;

	memset(scene, 0, sizeof(*scene));
	ck_assert_int_eq(loop_new(&scene->loop, &err), STATUS_OK);
	ck_assert_int_eq(loop_start_thread(scene->loop, &err), STATUS_OK);
	ck_assert_int_eq(ctx_root(scene->loop, &scene->root, &err), STATUS_OK);
	scene->clock.base.now_us = now_us;
	atomic_init(&scene->clock.now_us, SCENE_BEGINS_US);
	scene->ids.base.make = make_id;
}

void scene_release(struct scene *scene)
{
	ctx_unref(scene->root);
	loop_free(scene->loop);
}

struct ctx *scene_left(struct scene *scene)
{
	struct ctx *ctx = ctx_new(scene->root, CLOCK_NEVER);

	ctx_end(ctx, CTX_CLIENT_CLOSED, NULL);
	return ctx;
}

/* ---- orders ------------------------------------------------------------- */

struct order order_number(unsigned number, int64_t after_us)
{
	const struct order_draft draft = { .symbol = "AAPL",
					   .type = ORDER_TYPE_MARKET,
					   .side = ORDER_SIDE_BUY,
					   .quantity = 100 };
	char id[ORDER_ID_SIZE];
	struct order order;
	struct status err;

	id_write(number, id);
	memset(&order, 0, sizeof(order));
	ck_assert_int_eq(order_create(&order, &draft, id,
				      SCENE_BEGINS_US + after_us, &err),
			 STATUS_OK);
	return order;
}

void assert_same_order(const struct order *a, const struct order *b)
{
	ck_assert_str_eq(a->id, b->id);
	ck_assert(order_same_terms(a, b));
	ck_assert_int_eq(a->status, b->status);
	ck_assert_int_eq(a->created_at_us, b->created_at_us);
	ck_assert_int_eq(a->updated_at_us, b->updated_at_us);
}

/* ---- answers ------------------------------------------------------------ */

static void *room_for(size_t size)
{
	void *room = malloc(size);

	ck_assert_ptr_nonnull(room);
	return room;
}

void answer_init(struct answer *answer)
{
	memset(answer, 0, sizeof(*answer));
	pthread_mutex_init(&answer->lock, NULL);
	pthread_cond_init(&answer->news, NULL);
	answer->orders = room_for(ANSWER_ORDERS_MAX * sizeof(struct order));
	answer->ids = room_for(ORDER_DUE_MAX * sizeof(*answer->ids));
}

void answer_release(struct answer *answer)
{
	pthread_mutex_destroy(&answer->lock);
	pthread_cond_destroy(&answer->news);
	free(answer->orders);
	free(answer->ids);
}

enum status_code answer_wait(struct answer *answer)
{
	struct timespec until;
	enum status_code code;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 20;
	pthread_mutex_lock(&answer->lock);
	while (answer->done == 0) {
		ck_assert_msg(pthread_cond_timedwait(&answer->news,
						     &answer->lock,
						     &until) == 0,
			      "no answer came");
	}
	ck_assert_int_eq(answer->done, 1);
	answer->done = 0;
	code = answer->status.code;
	pthread_mutex_unlock(&answer->lock);
	return code;
}

static struct answer *begin(const struct status *status, void *arg)
{
	struct answer *answer = arg;

	pthread_mutex_lock(&answer->lock);
	answer->status = *status;
	return answer;
}

static void end(struct answer *answer)
{
	answer->done++;
	pthread_cond_broadcast(&answer->news);
	pthread_mutex_unlock(&answer->lock);
}

static void keep_order(struct answer *answer, const struct order *order)
{
	answer->has_order = order != NULL;
	if (order != NULL) {
		answer->order = *order;
	}
}

static void keep_orders(struct answer *answer, const struct order *orders,
			size_t orders_n)
{
	ck_assert_uint_le(orders_n, ANSWER_ORDERS_MAX);
	answer->orders_n = orders_n;
	for (size_t i = 0; i < orders_n; i++) {
		answer->orders[i] = orders[i];
	}
}

void answer_created(const struct status *status, enum order_created how,
		    const struct order *order, void *arg)
{
	struct answer *answer = begin(status, arg);

	answer->how = how;
	keep_order(answer, order);
	end(answer);
}

void answer_placed(const struct status *status, const struct order *order,
		   bool replayed, void *arg)
{
	struct answer *answer = begin(status, arg);

	answer->how = replayed ? ORDER_REPLAYED : ORDER_CREATED;
	keep_order(answer, order);
	end(answer);
}

void answer_order(const struct status *status, const struct order *order,
		  void *arg)
{
	struct answer *answer = begin(status, arg);

	keep_order(answer, order);
	end(answer);
}

void answer_page(const struct status *status, const struct order *orders,
		 size_t orders_n, bool more, void *arg)
{
	struct answer *answer = begin(status, arg);

	keep_orders(answer, orders, orders_n);
	answer->more = more;
	end(answer);
}

void answer_list(const struct status *status, const struct order *orders,
		 size_t orders_n, const char *token, void *arg)
{
	struct answer *answer = begin(status, arg);

	keep_orders(answer, orders, orders_n);
	snprintf(answer->token, sizeof(answer->token), "%s", token);
	end(answer);
}

void answer_due(const struct status *status, const char (*ids)[ORDER_ID_SIZE],
		size_t ids_n, int64_t next_us, void *arg)
{
	struct answer *answer = begin(status, arg);

	ck_assert_uint_le(ids_n, ORDER_DUE_MAX);
	answer->ids_n = ids_n;
	for (size_t i = 0; i < ids_n; i++) {
		memcpy(answer->ids[i], ids[i], ORDER_ID_SIZE);
	}
	answer->next_us = next_us;
	end(answer);
}
