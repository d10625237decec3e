/*
 * What the files of this repository share. Nothing outside includes it.
 *
 * Files: sqlite_orders.c asks the database, and knows what is done with one
 * order; sqlite_lists.c what is done with several; sqlite_rows.c what an order
 * is in the database; sqlite_schema.c has the SQL.
 */
#ifndef RESCIND_STOCK_ORDER_ADAPTOR_SQLITE_INTERNAL_H
#define RESCIND_STOCK_ORDER_ADAPTOR_SQLITE_INTERNAL_H

#include "stock_order/adaptor/sqlite_orders.h"

/* Never NULL. */
void *orders_allocate(size_t size);

/* Call @function with the rest; @done is told in any case, also where the
 * database is closed. */
void orders_ask(struct order_repository *self,
		void (*function)(struct db *db, struct ctx *ctx,
				 db_body_fn body, db_done_fn done, void *arg),
		struct ctx *ctx, db_body_fn body, db_done_fn done, void *arg);

/* What the repository's functions of these names do. */
void orders_page(struct order_repository *self, struct ctx *ctx,
		 const struct order_cursor *after, size_t limit,
		 order_page_fn done, void *arg);
void orders_due(struct order_repository *self, struct ctx *ctx,
		int64_t until_us, size_t limit, order_due_fn done, void *arg);

/* ---- inside a body ------------------------------------------------------ */

/*
 * Execute a statement; failures that sound as if they were the caller's fault
 * (a constraint, a value) are faults of ours or of the file.
 */
MUSTCHECK enum status_code orders_execute(struct db_session *session,
					  enum sqlite_orders_statement stmt,
					  const struct db_value *values,
					  size_t values_n, db_row_fn on_row,
					  void *arg, struct status *reterr);

/* Cut at @size, which nothing that came through the rules is. */
void orders_read_text(const struct db_row *row, int column, char *ret,
		      size_t size);
/* False, and nothing written, for what is no time. */
bool orders_read_time(const struct db_row *row, int column, int64_t *ret_us);
/* A row with the columns of an order. False: its times can't be read, and all
 * else of *@ret can. */
bool orders_read(const struct db_row *row, struct order *ret);
/* What to say of such a one. */
enum status_code orders_say_damaged(const char *id, struct status *reterr);

/* By id or by key, as @stmt takes @name; OK also when there is none. */
MUSTCHECK enum status_code orders_find(struct db_session *session,
				       enum sqlite_orders_statement stmt,
				       const char *name,
				       struct order *ret_order, bool *ret_found,
				       struct status *reterr);

MUSTCHECK enum status_code orders_insert(struct db_session *session,
					 const struct order *order,
					 struct status *reterr);
MUSTCHECK enum status_code orders_insert_key(struct db_session *session,
					     const char *key, const char *id,
					     struct status *reterr);
/* Its status and updated_at. */
MUSTCHECK enum status_code orders_update(struct db_session *session,
					 const struct order *order,
					 struct status *reterr);

#endif
