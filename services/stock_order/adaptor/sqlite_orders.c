#include "stock_order/adaptor/sqlite_orders.h"

#include <stdlib.h>
#include <string.h>

#include "stock_order/adaptor/time_text.h"

static void *allocate(size_t size)
{
	void *object = malloc(size);

	if (object == NULL) {
		abort();
	}
	return object;
}

/*
 * Execute a statement; failures that sound as if they were the caller's fault
 * (a constraint, a value) are faults of ours or of the file.
 */
static enum status_code execute(struct db_session *session,
				enum sqlite_orders_statement stmt,
				const struct db_value *values, size_t values_n,
				db_row_fn on_row, void *arg,
				struct status *reterr)
{
	enum status_code code = db_exec(session, (db_stmt)stmt, values,
					values_n, on_row, arg, NULL, reterr);

	switch (code) {
	case STATUS_ALREADY_EXISTS:
	case STATUS_FAILED_PRECONDITION:
	case STATUS_INVALID_ARGUMENT:
	case STATUS_NOT_FOUND:
	case STATUS_OUT_OF_RANGE:
		reterr->code = STATUS_INTERNAL;
		return STATUS_INTERNAL;
	case STATUS_OK:
	case STATUS_CANCELLED:
	case STATUS_UNKNOWN:
	case STATUS_DEADLINE_EXCEEDED:
	case STATUS_PERMISSION_DENIED:
	case STATUS_RESOURCE_EXHAUSTED:
	case STATUS_ABORTED:
	case STATUS_UNIMPLEMENTED:
	case STATUS_INTERNAL:
	case STATUS_UNAVAILABLE:
	case STATUS_DATA_LOSS:
	case STATUS_UNAUTHENTICATED:
	default:
		return code;
	}
}

/* ---- rows --------------------------------------------------------------- */

/* The columns as the statements select them. */
enum {
	ID,
	SYMBOL,
	ORDER_TYPE,
	ORDER_SIDE,
	QUANTITY,
	PRICE,
	STATUS,
	CREATED_AT,
	UPDATED_AT,
	DESCRIPTION
};

/* Cut at @size, which nothing that came through the rules is. */
static void read_text(const struct db_row *row, int column, char *ret,
		      size_t size)
{
	size_t length;
	const char *text = db_row_text(row, column, &length);

	if (length > size - 1) {
		length = size - 1;
		while (length > 0 && (text[length] & 0xC0) == 0x80) {
			length--; /* not inside a character */
		}
	}
	memcpy(ret, text, length);
	ret[length] = '\0';
}

static bool read_time(const struct db_row *row, int column, int64_t *ret_us)
{
	size_t size;
	const char *text = db_row_text(row, column, &size);

	return time_text_parse(text, size, ret_us);
}

static int32_t read_quantity(const struct db_row *row)
{
	int64_t quantity = db_row_integer(row, QUANTITY);

	if (quantity < INT32_MIN) {
		return INT32_MIN;
	}
	return quantity > INT32_MAX ? INT32_MAX : (int32_t)quantity;
}

/* A name that we don't know (negative) counts as not given. */
static int known(int value)
{
	return value < 0 ? 0 : value;
}

/* False: its times can't be read. */
static bool read_order(const struct db_row *row, struct order *ret)
{
	read_text(row, ID, ret->id, sizeof(ret->id));
	read_text(row, SYMBOL, ret->symbol, sizeof(ret->symbol));
	ret->type = (enum order_type)known(
		order_type_parse(db_row_text(row, ORDER_TYPE, NULL)));
	ret->side = (enum order_side)known(
		order_side_parse(db_row_text(row, ORDER_SIDE, NULL)));
	ret->quantity = read_quantity(row);
	ret->price = db_row_real(row, PRICE);
	ret->status = (enum order_status)known(
		order_status_parse(db_row_text(row, STATUS, NULL)));
	read_text(row, DESCRIPTION, ret->description, sizeof(ret->description));
	return read_time(row, CREATED_AT, &ret->created_at_us) &&
	       read_time(row, UPDATED_AT, &ret->updated_at_us);
}

static enum status_code say_damaged(const char *id, struct status *reterr)
{
	return status_set(reterr, STATUS_DATA_LOSS,
			  "the times of order %s can't be read", id);
}

/* ---- one order ---------------------------------------------------------- */

/* Where a row is read to. */
struct found {
	struct order *order;
	bool found;
	bool damaged;
};

static bool on_row(const struct db_row *row, void *arg)
{
	struct found *found = arg;

	found->found = true;
	found->damaged = !read_order(row, found->order);
	return false;
}

/* By id or by key; OK also when there is none. */
static enum status_code find(struct db_session *session,
			     enum sqlite_orders_statement stmt,
			     const char *name, struct order *ret_order,
			     bool *ret_found, struct status *reterr)
{
	const struct db_value value = db_text(name);
	struct found found = { .order = ret_order };
	enum status_code code =
		execute(session, stmt, &value, 1, on_row, &found, reterr);

	if (code == STATUS_OK && found.damaged) {
		return say_damaged(ret_order->id, reterr);
	}
	*ret_found = found.found;
	return code;
}

static enum status_code get(struct db_session *session, const char *id,
			    struct order *ret_order, struct status *reterr)
{
	bool found = false;
	enum status_code code =
		find(session, SQLITE_ORDERS_GET, id, ret_order, &found, reterr);

	if (code == STATUS_OK && !found) {
		return status_set(reterr, STATUS_NOT_FOUND,
				  "order not found: %s", id);
	}
	return code;
}

/* ---- asking the database ------------------------------------------------ */

/*
 * Whether the database may be called; then it is to be left again. Refused
 * otherwise, with *reterr.
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

/* @done is told in any case. */
static void ask(struct order_repository *self,
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

static enum status_code insert(struct db_session *session,
			       const struct order *order, struct status *reterr)
{
	char created_at[TIME_TEXT_SIZE];
	char updated_at[TIME_TEXT_SIZE];
	size_t created_size = time_text_sql(order->created_at_us, created_at);
	size_t updated_size = time_text_sql(order->updated_at_us, updated_at);
	const struct db_value values[] = {
		db_text(order->id),
		db_text(order->symbol),
		db_text(order_type_name(order->type)),
		db_text(order_side_name(order->side)),
		db_integer(order->quantity),
		db_real(order->price),
		db_text(order_status_name(order->status)),
		db_text_n(created_at, created_size),
		db_text_n(updated_at, updated_size),
		db_text(order->description),
	};

	return execute(session, SQLITE_ORDERS_INSERT, values,
		       sizeof(values) / sizeof(values[0]), NULL, NULL, reterr);
}

static enum status_code insert_key(struct db_session *session, const char *key,
				   const char *id, struct status *reterr)
{
	const struct db_value values[] = { db_text(key), db_text(id) };

	return execute(session, SQLITE_ORDERS_INSERT_KEY, values, 2, NULL, NULL,
		       reterr);
}

/* What the key stands for already; OK with ORDER_CREATED for nothing. */
static enum status_code look_up_key(struct db_session *session,
				    struct create *create,
				    struct status *reterr)
{
	bool found = false;
	enum status_code code =
		find(session, SQLITE_ORDERS_GET_BY_KEY, create->key,
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
	if (insert(session, create->order, reterr) != STATUS_OK) {
		return reterr->code;
	}
	return insert_key(session, create->key, create->order->id, reterr);
}

static enum status_code create_body(struct db_session *session, void *arg,
				    struct status *reterr)
{
	struct create *create = arg;

	if (create->key != NULL) {
		return create_with_key(session, create, reterr);
	}
	return insert(session, create->order, reterr);
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
	struct create *create = allocate(sizeof(*create));

	create->order = order;
	create->key = key;
	create->done = done;
	create->arg = arg;
	create->how = ORDER_CREATED;
	ask(self, db_immediate, ctx, create_body, create_done, create);
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
	struct lookup *lookup = allocate(sizeof(*lookup));

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

static enum status_code get_body(struct db_session *session, void *arg,
				 struct status *reterr)
{
	struct lookup *lookup = arg;

	return get(session, lookup->id, &lookup->order, reterr);
}

static void do_get(struct order_repository *self, struct ctx *ctx,
		   const char *id, order_done_fn done, void *arg)
{
	ask(self, db_read, ctx, get_body, lookup_done,
	    lookup_new(id, NULL, done, arg));
}

static enum status_code update(struct db_session *session,
			       const struct order *order, struct status *reterr)
{
	char updated_at[TIME_TEXT_SIZE];
	size_t updated_size = time_text_sql(order->updated_at_us, updated_at);
	const struct db_value values[] = {
		db_text(order_status_name(order->status)),
		db_text_n(updated_at, updated_size),
		db_text(order->id),
	};

	return execute(session, SQLITE_ORDERS_UPDATE, values, 3, NULL, NULL,
		       reterr);
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
		code = update(session, &lookup->order, reterr);
	}
	return code;
}

static void do_change(struct order_repository *self, struct ctx *ctx,
		      const char *id, order_rule_fn rule, order_done_fn done,
		      void *arg)
{
	ask(self, db_immediate, ctx, change_body, lookup_done,
	    lookup_new(id, rule, done, arg));
}

/* ---- page --------------------------------------------------------------- */

struct page {
	struct order_cursor after;
	bool first;
	bool more;
	bool damaged;
	size_t limit;
	size_t orders_n;
	order_page_fn done;
	void *arg;
	struct order orders[];
};

/* One row more than is wanted says that there is more. */
static bool on_page_row(const struct db_row *row, void *arg)
{
	struct page *page = arg;

	if (page->orders_n == page->limit) {
		page->more = true;
		return false;
	}
	page->damaged = !read_order(row, &page->orders[page->orders_n]);
	page->orders_n += !page->damaged;
	return !page->damaged;
}

static enum status_code select_page(struct db_session *session,
				    struct page *page, struct status *reterr)
{
	char created_at[TIME_TEXT_SIZE];
	struct db_value values[3] = { db_integer((int64_t)page->limit + 1) };

	if (page->first) {
		return execute(session, SQLITE_ORDERS_FIRST_PAGE, values, 1,
			       on_page_row, page, reterr);
	}
	values[1] =
		db_text_n(created_at,
			  time_text_sql(page->after.created_at_us, created_at));
	values[2] = db_text(page->after.id);
	return execute(session, SQLITE_ORDERS_PAGE, values, 3, on_page_row,
		       page, reterr);
}

static enum status_code page_body(struct db_session *session, void *arg,
				  struct status *reterr)
{
	struct page *page = arg;
	enum status_code code = select_page(session, page, reterr);

	if (code == STATUS_OK && page->damaged) {
		return say_damaged(page->orders[page->orders_n].id, reterr);
	}
	return code;
}

static void page_done(const struct status *status, void *arg)
{
	struct page *page = arg;

	if (status->code == STATUS_OK && page->orders_n > 0) {
		page->done(status, page->orders, page->orders_n, page->more,
			   page->arg);
	} else {
		page->done(status, NULL, 0, false, page->arg);
	}
	free(page);
}

static void do_page(struct order_repository *self, struct ctx *ctx,
		    const struct order_cursor *after, size_t limit,
		    order_page_fn done, void *arg)
{
	struct page *page =
		allocate(sizeof(*page) + limit * sizeof(struct order));

	page->first = after == NULL;
	if (!page->first) {
		page->after = *after;
	}
	page->more = false;
	page->damaged = false;
	page->limit = limit;
	page->orders_n = 0;
	page->done = done;
	page->arg = arg;
	ask(self, db_read, ctx, page_body, page_done, page);
}

/* ---- due ---------------------------------------------------------------- */

struct due {
	int64_t until_us;
	int64_t next_us;
	size_t limit;
	size_t ids_n;
	order_due_fn done;
	void *arg;
	char ids[][ORDER_ID_SIZE];
};

static bool on_due_row(const struct db_row *row, void *arg)
{
	struct due *due = arg;
	int64_t created_at_us;

	if (due->ids_n == due->limit) {
		return false;
	}
	if (!read_time(row, 1, &created_at_us)) {
		return true; /* never due, and in the way of no other */
	}
	if (created_at_us > due->until_us) {
		due->next_us = created_at_us;
		return false;
	}
	read_text(row, 0, due->ids[due->ids_n++], ORDER_ID_SIZE);
	return true;
}

static enum status_code due_body(struct db_session *session, void *arg,
				 struct status *reterr)
{
	return execute(session, SQLITE_ORDERS_DUE, NULL, 0, on_due_row, arg,
		       reterr);
}

static void due_done(const struct status *status, void *arg)
{
	struct due *due = arg;

	if (status->code == STATUS_OK) {
		due->done(status, (const char(*)[ORDER_ID_SIZE])due->ids,
			  due->ids_n, due->next_us, due->arg);
	} else {
		due->done(status, NULL, 0, INT64_MAX, due->arg);
	}
	free(due);
}

static void do_due(struct order_repository *self, struct ctx *ctx,
		   int64_t until_us, size_t limit, order_due_fn done, void *arg)
{
	struct due *due = allocate(sizeof(*due) + limit * ORDER_ID_SIZE);

	due->until_us = until_us;
	due->next_us = INT64_MAX;
	due->limit = limit;
	due->ids_n = 0;
	due->done = done;
	due->arg = arg;
	ask(self, db_read, ctx, due_body, due_done, due);
}

/* ---- life --------------------------------------------------------------- */

static enum status_code do_health(struct order_repository *self,
				  struct status *reterr)
{
	struct sqlite_orders *orders = (struct sqlite_orders *)self;
	struct status closed;
	enum status_code code;

	if (!enter(orders, &closed)) {
		return status_set(reterr, closed.code, "%s", closed.message);
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
		.page = do_page,
		.change = do_change,
		.due = do_due,
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
