/* Asking the database, and one order at a time. */
#include "stock_order/adaptor/sqlite_internal.h"

#include <stdlib.h>

void *orders_allocate(size_t size)
{
	void *object = malloc(size);

	if (object == NULL) {
		abort();
	}
	return object;
}

/* ---- asking the database ------------------------------------------------ */

/*
 * Whether the database may be called; then it is to be left again. Otherwise
 * *reterr is UNAVAILABLE.
 */
static bool enter(struct sqlite_orders *orders, struct status *reterr)
{
	pthread_rwlock_rdlock(&orders->lock);
	if (!orders->closed) {
		return true;
	}
	pthread_rwlock_unlock(&orders->lock);
	status_set(reterr, STATUS_UNAVAILABLE, "the database is closed");
	return false;
}

static void leave(struct sqlite_orders *orders)
{
	pthread_rwlock_unlock(&orders->lock);
}

void orders_ask(struct order_repository *self,
		void (*function)(struct db *db, struct ctx *ctx,
				 db_body_fn body, db_done_fn done, void *arg),
		struct ctx *ctx, db_body_fn body, db_done_fn done, void *arg)
{
	struct sqlite_orders *orders = (struct sqlite_orders *)self;
	struct status closed;

	if (enter(orders, &closed)) {
		function(orders->db, ctx, body, done, arg);
		leave(orders);
	} else {
		done(&closed, arg);
	}
}

/* ---- create ------------------------------------------------------------- */

struct create {
	const struct order *order;
	const char *key;
	order_created_fn done;
	void *arg;
	enum order_created how;
	struct order first; /* where the key was there */
};

/* What the key stands for already; OK with ORDER_CREATED for nothing. */
static enum status_code look_up_key(struct db_session *session,
				    struct create *create,
				    struct status *reterr)
{
	bool found = false;
	enum status_code code =
		orders_find(session, SQLITE_ORDERS_GET_BY_KEY, create->key,
			    &create->first, &found, reterr);

	if (code != STATUS_OK || !found) {
		return code;
	}
	if (!order_same_terms(&create->first, create->order)) {
		create->how = ORDER_KEY_TAKEN;
		return STATUS_OK;
	}
	create->how = ORDER_REPLAYED;
	order_rewind(&create->first);
	return STATUS_OK;
}

static enum status_code create_with_key(struct db_session *session,
					struct create *create,
					struct status *reterr)
{
	if (look_up_key(session, create, reterr) != STATUS_OK) {
		return reterr->code;
	}
	if (create->how != ORDER_CREATED) {
		return STATUS_OK;
	}
	if (orders_insert(session, create->order, reterr) != STATUS_OK) {
		return reterr->code;
	}
	return orders_insert_key(session, create->key, create->order->id,
				 reterr);
}

static enum status_code create_body(struct db_session *session, void *arg,
				    struct status *reterr)
{
	struct create *create = arg;

	if (create->key != NULL) {
		return create_with_key(session, create, reterr);
	}
	return orders_insert(session, create->order, reterr);
}

static void create_done(const struct status *status, void *arg)
{
	struct create *create = arg;
	const struct order *order = NULL;

	if (status->code == STATUS_OK && create->how != ORDER_KEY_TAKEN) {
		order = create->how == ORDER_CREATED ? create->order
						     : &create->first;
	}
	create->done(status, create->how, order, create->arg);
	free(create);
}

static void do_create(struct order_repository *self, struct ctx *ctx,
		      const struct order *order, const char *key,
		      order_created_fn done, void *arg)
{
	struct create *create = orders_allocate(sizeof(*create));

	create->order = order;
	create->key = key;
	create->done = done;
	create->arg = arg;
	create->how = ORDER_CREATED;
	orders_ask(self, db_immediate, ctx, create_body, create_done, create);
}

/* ---- get, change -------------------------------------------------------- */

struct lookup {
	const char *id;
	order_rule_fn rule;
	order_done_fn done;
	void *arg;
	struct order order;
};

static struct lookup *lookup_new(const char *id, order_rule_fn rule,
				 order_done_fn done, void *arg)
{
	struct lookup *lookup = orders_allocate(sizeof(*lookup));

	lookup->id = id;
	lookup->rule = rule;
	lookup->done = done;
	lookup->arg = arg;
	return lookup;
}

static void lookup_done(const struct status *status, void *arg)
{
	struct lookup *lookup = arg;

	lookup->done(status, status->code == STATUS_OK ? &lookup->order : NULL,
		     lookup->arg);
	free(lookup);
}

static enum status_code get(struct db_session *session, const char *id,
			    struct order *ret_order, struct status *reterr)
{
	bool found = false;
	enum status_code code = orders_find(session, SQLITE_ORDERS_GET, id,
					    ret_order, &found, reterr);

	if (code == STATUS_OK && !found) {
		return status_set(reterr, STATUS_NOT_FOUND,
				  "order not found: %s", id);
	}
	return code;
}

static enum status_code get_body(struct db_session *session, void *arg,
				 struct status *reterr)
{
	struct lookup *lookup = arg;

	return get(session, lookup->id, &lookup->order, reterr);
}

static void do_get(struct order_repository *self, struct ctx *ctx,
		   const char *id, order_done_fn done, void *arg)
{
	orders_ask(self, db_read, ctx, get_body, lookup_done,
		   lookup_new(id, NULL, done, arg));
}

static enum status_code change_body(struct db_session *session, void *arg,
				    struct status *reterr)
{
	struct lookup *lookup = arg;
	enum status_code code =
		get(session, lookup->id, &lookup->order, reterr);

	if (code == STATUS_OK) {
		code = lookup->rule(&lookup->order, lookup->arg, reterr);
	}
	if (code == STATUS_OK) {
		code = orders_update(session, &lookup->order, reterr);
	}
	return code;
}

static void do_change(struct order_repository *self, struct ctx *ctx,
		      const char *id, order_rule_fn rule, order_done_fn done,
		      void *arg)
{
	orders_ask(self, db_immediate, ctx, change_body, lookup_done,
		   lookup_new(id, rule, done, arg));
}

/* ---- life --------------------------------------------------------------- */

static enum status_code do_health(struct order_repository *self,
				  struct status *reterr)
{
	struct sqlite_orders *orders = (struct sqlite_orders *)self;
	enum status_code code;

	if (!enter(orders, reterr)) {
		return STATUS_UNAVAILABLE;
	}
	code = db_health(orders->db, reterr);
	leave(orders);
	return code;
}

void sqlite_orders_init(struct sqlite_orders *orders, struct db *db)
{
	static const struct order_repository_ops ops = {
		.create = do_create,
		.get = do_get,
		.page = orders_page,
		.change = do_change,
		.due = orders_due,
		.health = do_health,
	};

	pthread_rwlockattr_t attr;

	*orders = (struct sqlite_orders){ .base = { .ops = &ops }, .db = db };
	pthread_rwlockattr_init(&attr);
	/* Requests that keep coming must not hold up the close. */
	pthread_rwlockattr_setkind_np(
		&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&orders->lock, &attr);
	pthread_rwlockattr_destroy(&attr);
}

void sqlite_orders_close(struct sqlite_orders *orders)
{
	pthread_rwlock_wrlock(&orders->lock);
	orders->closed = true;
	pthread_rwlock_unlock(&orders->lock);
}

void sqlite_orders_release(struct sqlite_orders *orders)
{
	pthread_rwlock_destroy(&orders->lock);
}
