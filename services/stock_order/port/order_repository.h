/*
 * Port through which the service keeps orders.
 * Implementations: sqlite_orders (production), memory_orders (tests); both pass
 * the same suite of tests.
 *
 * Every function is asynchronous: it returns at once, and its completion is
 * called exactly once, on any thread, possibly before the function has
 * returned. A completion must not block. What it is handed is valid while it
 * runs.
 *
 * Arguments given by pointer are borrowed until the completion has been called,
 * unless said otherwise; so is the ctx, of which no reference need be held.
 * When the ctx ends before the repository has begun with what was asked,
 * nothing is done and the completion is told the ctx's code. A change that has
 * begun stands, whatever becomes of the ctx; one that is acknowledged is on
 * disk, where the implementation has one.
 *
 * Failures (nothing has changed then):
 *
 *	NOT_FOUND		"order not found: <id>"
 *	RESOURCE_EXHAUSTED	it is full, or too much waits for it
 *	UNAVAILABLE		it closes, is locked, can't be written to
 *	DATA_LOSS		what is stored is no order
 *	INTERNAL		everything else that is not the caller's fault
 *	CANCELLED ...		the ctx's own
 *
 * Thread-safety: any thread may call anything at any time.
 */
#ifndef RESCIND_STOCK_ORDER_PORT_ORDER_REPOSITORY_H
#define RESCIND_STOCK_ORDER_PORT_ORDER_REPOSITORY_H

#include "ctx/ctx.h"
#include "status/status.h"
#include "stock_order/domain/order.h"

enum {
	ORDER_PAGE_MAX = 500, /* orders of a page at most */
	ORDER_DUE_MAX = 500,  /* ids of due orders at most */
};

/* How a create that did not fail has ended. */
enum order_created {
	ORDER_CREATED,	/* stored; the order is the one given */
	ORDER_REPLAYED, /* the key was there with the same terms; the order is
			 * the first one, as it was when it was created */
	ORDER_KEY_TAKEN /* the key was there with other terms; no order */
};

/* @how and @order where @status is OK; @order is NULL for ORDER_KEY_TAKEN. */
typedef void (*order_created_fn)(const struct status *status,
				 enum order_created how,
				 const struct order *order, void *arg);

/* @order where @status is OK, else NULL. */
typedef void (*order_done_fn)(const struct status *status,
			      const struct order *order, void *arg);

/*
 * Where @status is OK: @orders_n orders (0 and NULL at the end), and whether
 * there are @more after the last of them.
 */
typedef void (*order_page_fn)(const struct status *status,
			      const struct order *orders, size_t orders_n,
			      bool more, void *arg);

/*
 * Where @status is OK: the @ids of @ids_n due orders, and in @next_us when the
 * oldest order was created that would be due next, INT64_MAX where none waits
 * or @ids is full.
 */
typedef void (*order_due_fn)(const struct status *status,
			     const char (*ids)[ORDER_ID_SIZE], size_t ids_n,
			     int64_t next_us, void *arg);

/*
 * A rule of the domain, applied to an order as it is stored now; what it makes
 * of status and updated_at_us is stored. Other than STATUS_OK changes nothing
 * and is what the completion is told. Runs at most once, on any thread, while
 * nobody else changes that order; must be short.
 */
typedef enum status_code (*order_rule_fn)(struct order *order, void *arg,
					  struct status *reterr);

/* A place in the list: after the order of this id, created at this instant. */
struct order_cursor {
	int64_t created_at_us;
	char id[ORDER_ID_SIZE];
};

struct order_repository {
	const struct order_repository_ops *ops;
};

struct order_repository_ops {
	/*
	 * Store a new order, and with it @key (1 to 255 bytes, NULL for none),
	 * which from then on stands for this order's terms.
	 */
	void (*create)(struct order_repository *self, struct ctx *ctx,
		       const struct order *order, const char *key,
		       order_created_fn done, void *arg);

	void (*get)(struct order_repository *self, struct ctx *ctx,
		    const char *id, order_done_fn done, void *arg);

	/*
	 * At most @limit (1 to ORDER_PAGE_MAX) orders after @after (NULL for
	 * the first; copied), in the order of order_compare_newest(). Orders
	 * that come in between two pages neither repeat others nor hide them.
	 */
	void (*page)(struct order_repository *self, struct ctx *ctx,
		     const struct order_cursor *after, size_t limit,
		     order_page_fn done, void *arg);

	/*
	 * Read, apply @rule, write: at one go. @arg is also the rule's. The
	 * completion gets the order as it is stored now.
	 */
	void (*change)(struct order_repository *self, struct ctx *ctx,
		       const char *id, order_rule_fn rule, order_done_fn done,
		       void *arg);

	/*
	 * At most @limit (1 to ORDER_DUE_MAX) PENDING MARKET orders that were
	 * created at @until_us or before, oldest first.
	 */
	void (*due)(struct order_repository *self, struct ctx *ctx,
		    int64_t until_us, size_t limit, order_due_fn done,
		    void *arg);

	/* Whether it can take orders now. Does not wait. */
	enum status_code (*health)(struct order_repository *self,
				   struct status *reterr);
};

#endif
