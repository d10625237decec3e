/*
 * What can be done with orders, whichever protocol asks: create, get, list,
 * cancel. Knows the rules (domain/) and the ports (port/), and no product.
 *
 * Every function is asynchronous: it returns at once, and its answer is called
 * exactly once, on any thread, possibly before the function has returned. An
 * answer must not block. What it is handed is valid while it runs; texts and
 * drafts given are borrowed for the call alone. The ctx must stay valid until
 * the answer; when it ends before the repository has begun, nothing is done,
 * and the answer is its code.
 *
 * What answers say (the edges make HTTP and gRPC codes of these):
 *
 *	INVALID_ARGUMENT	a draft, a key or a page that breaks a rule
 *	NOT_FOUND		"order not found: <id>"
 *	FAILED_PRECONDITION	"cannot cancel order with status: FILLED"
 *	ALREADY_EXISTS		create alone: the key stands for another order
 *				(422 over HTTP)
 *	UNAVAILABLE, RESOURCE_EXHAUSTED, INTERNAL, DATA_LOSS, ABORTED
 *				the repository's trouble; also where a change
 *				has waited for it until the deadline
 *	CANCELLED, DEADLINE_EXCEEDED ...	the ctx's own
 *
 * Thread-safety: any thread may call anything at any time.
 */
#ifndef RESCIND_STOCK_ORDER_SERVICE_ORDER_SERVICE_H
#define RESCIND_STOCK_ORDER_SERVICE_ORDER_SERVICE_H

#include <stdatomic.h>
#include <stdbool.h>

#include "ctx/ctx.h"
#include "status/status.h"
#include "stock_order/domain/order.h"
#include "stock_order/port/order_clock.h"
#include "stock_order/port/order_ids.h"
#include "stock_order/port/order_repository.h"

enum {
	ORDER_KEY_MAX = 255, /* bytes of an idempotency key */
	ORDER_PAGE_DEFAULT = 100,
	/* A page token with its NUL. */
	ORDER_PAGE_TOKEN_SIZE = 1 + 2 * 8 + 2 * (ORDER_ID_SIZE - 1) + 1,
};

/* Fill with order_service_init(). */
struct order_service {
	struct order_repository *orders;
	struct order_clock *clock;
	struct order_ids *ids;
	/* The creation of the newest order: no other is at or before it. */
	_Atomic int64_t newest_us;
	/* Requests not yet answered. */
	atomic_size_t live;
};

/* The parts must outlive it. There is nothing to release; nothing may be live
 * when it goes. */
void order_service_init(struct order_service *service,
			struct order_repository *orders,
			struct order_clock *clock, struct order_ids *ids);

/*
 * @order where @outcome is OK, else NULL; @replayed says that it is the answer
 * that was given before to the same key.
 */
typedef void (*order_placed_fn)(const struct status *outcome,
				const struct order *order, bool replayed,
				void *arg);

/* @order where @outcome is OK, else NULL. */
typedef void (*order_answer_fn)(const struct status *outcome,
				const struct order *order, void *arg);

/*
 * Where @outcome is OK: a page of @orders_n orders, and the token of the next
 * one, "" where this is the last.
 */
typedef void (*order_list_fn)(const struct status *outcome,
			      const struct order *orders, size_t orders_n,
			      const char *next_page_token, void *arg);

/*
 * Store an order made of @draft; OK says that it is on disk.
 *
 * @key (NULL for none): 1 to 255 visible ASCII characters that stand for this
 * request, for good. The same key with the same terms again gives the first
 * answer again, whatever became of the order, and stores nothing; with other
 * terms ALREADY_EXISTS.
 */
void order_service_create(struct order_service *service, struct ctx *ctx,
			  const struct order_draft *draft, const char *key,
			  order_placed_fn answer, void *arg);

void order_service_get(struct order_service *service, struct ctx *ctx,
		       const char *id, order_answer_fn answer, void *arg);

/*
 * A page of orders, newest first. @page_size: orders at most, 0 for
 * ORDER_PAGE_DEFAULT; above ORDER_PAGE_MAX it is taken for that, below 0 it is
 * INVALID_ARGUMENT. @page_token: the token that the page before came with, NULL
 * or "" for the first; anything else is INVALID_ARGUMENT. Orders that are
 * created while someone pages are not seen by them, and disturb nothing.
 */
void order_service_list(struct order_service *service, struct ctx *ctx,
			int64_t page_size, const char *page_token,
			order_list_fn answer, void *arg);

/* Make a PENDING order CANCELLED; the answer is the order as it is then. */
void order_service_cancel(struct order_service *service, struct ctx *ctx,
			  const char *id, order_answer_fn answer, void *arg);

/* Whether orders can be taken now. Does not wait. */
MUSTCHECK enum status_code order_service_health(struct order_service *service,
						struct status *reterr);

#endif
