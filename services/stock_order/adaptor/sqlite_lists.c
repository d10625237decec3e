/* Several orders at a time: pages of the list, and what is due. */
#include "stock_order/adaptor/sqlite_internal.h"

#include <stdlib.h>

#include "stock_order/adaptor/time_text.h"

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
	page->damaged = !orders_read(row, &page->orders[page->orders_n]);
	page->orders_n += !page->damaged;
	return !page->damaged;
}

static enum status_code select_page(struct db_session *session,
				    struct page *page, struct status *reterr)
{
	char created_at[TIME_TEXT_SIZE];
	struct db_value values[3] = { db_integer((int64_t)page->limit + 1) };

	if (page->first) {
		return orders_execute(session, SQLITE_ORDERS_FIRST_PAGE, values,
				      1, on_page_row, page, reterr);
	}
	values[1] =
		db_text_n(created_at,
			  time_text_sql(page->after.created_at_us, created_at));
	values[2] = db_text(page->after.id);
	return orders_execute(session, SQLITE_ORDERS_PAGE, values, 3,
			      on_page_row, page, reterr);
}

static enum status_code page_body(struct db_session *session, void *arg,
				  struct status *reterr)
{
	struct page *page = arg;
	enum status_code code = select_page(session, page, reterr);

	if (code == STATUS_OK && page->damaged) {
		return orders_say_damaged(page->orders[page->orders_n].id,
					  reterr);
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

void orders_page(struct order_repository *self, struct ctx *ctx,
		 const struct order_cursor *after, size_t limit,
		 order_page_fn done, void *arg)
{
	struct page *page =
		orders_allocate(sizeof(*page) + limit * sizeof(struct order));

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
	orders_ask(self, db_read, ctx, page_body, page_done, page);
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
	if (!orders_read_time(row, 1, &created_at_us)) {
		return true; /* never due, and in the way of no other */
	}
	if (created_at_us > due->until_us) {
		due->next_us = created_at_us;
		return false;
	}
	orders_read_text(row, 0, due->ids[due->ids_n++], ORDER_ID_SIZE);
	return true;
}

static enum status_code due_body(struct db_session *session, void *arg,
				 struct status *reterr)
{
	return orders_execute(session, SQLITE_ORDERS_DUE, NULL, 0, on_due_row,
			      arg, reterr);
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

void orders_due(struct order_repository *self, struct ctx *ctx,
		int64_t until_us, size_t limit, order_due_fn done, void *arg)
{
	struct due *due = orders_allocate(sizeof(*due) + limit * ORDER_ID_SIZE);

	due->until_us = until_us;
	due->next_us = INT64_MAX;
	due->limit = limit;
	due->ids_n = 0;
	due->done = done;
	due->arg = arg;
	orders_ask(self, db_read, ctx, due_body, due_done, due);
}
