/*
 * What tests of orders need around them: a loop on a thread of its own, a root
 * scope, a clock that is moved by hand, ids that count; and a way to wait for
 * answers.
 */
#ifndef RESCIND_TEST_STOCK_ORDER_SCENE_H
#define RESCIND_TEST_STOCK_ORDER_SCENE_H

#include <pthread.h>
#include <stdatomic.h>

#include "ctx/ctx.h"
#include "loop/loop.h"
#include "stock_order/port/order_clock.h"
#include "stock_order/port/order_ids.h"
#include "stock_order/port/order_repository.h"

/* 2025-11-17 15:27:47.537422 UTC, where the clock begins. */
#define SCENE_BEGINS_US INT64_C(1763393267537422)

struct hand_clock {
	struct order_clock base; /* first */
	_Atomic int64_t now_us;
};

struct counting_ids {
	struct order_ids base; /* first */
	atomic_uint made;
};

struct scene {
	struct loop *loop;
	struct ctx *root;
	struct hand_clock clock;
	struct counting_ids ids;
};

void scene_init(struct scene *scene);
void scene_release(struct scene *scene);
/* A ctx that has ended as if its client had left: CANCELLED. */
struct ctx *scene_left(struct scene *scene);

/* The id with this number, as counting_ids make them. */
void id_write(unsigned number, char ret_id[ORDER_ID_SIZE]);
/* A PENDING MARKET order of this number, created so long after the beginning.
 */
struct order order_number(unsigned number, int64_t after_us);
/* Aborts the test unless all members are alike. */
void assert_same_order(const struct order *a, const struct order *b);

/* ---- answers ------------------------------------------------------------ */

enum { ANSWER_ORDERS_MAX = ORDER_PAGE_MAX };

/* What a completion said; each kind fills its part. */
struct answer {
	pthread_mutex_t lock;
	pthread_cond_t news;
	int done;
	struct status status;
	enum order_created how;
	bool has_order;
	struct order order;
	size_t orders_n;
	struct order *orders; /* room for ANSWER_ORDERS_MAX */
	bool more;
	char token[128];
	char (*ids)[ORDER_ID_SIZE]; /* room for ORDER_DUE_MAX */
	size_t ids_n;
	int64_t next_us;
};

void answer_init(struct answer *answer);
void answer_release(struct answer *answer);
/* Wait until it came, once (20 s at most); its code. */
enum status_code answer_wait(struct answer *answer);

/* Completions of the port and of the service; @arg is the answer. */
void answer_created(const struct status *status, enum order_created how,
		    const struct order *order, void *arg);
void answer_placed(const struct status *status, const struct order *order,
		   bool replayed, void *arg);
void answer_order(const struct status *status, const struct order *order,
		  void *arg);
void answer_page(const struct status *status, const struct order *orders,
		 size_t orders_n, bool more, void *arg);
void answer_list(const struct status *status, const struct order *orders,
		 size_t orders_n, const char *token, void *arg);
void answer_due(const struct status *status, const char (*ids)[ORDER_ID_SIZE],
		size_t ids_n, int64_t next_us, void *arg);

#endif
