/*
 * The repository over the database port, with SQLite's SQL. Changes are
 * immediate transactions, which share their sync with whatever else is waiting;
 * everything else is a read on a snapshot, of ORDER_PAGE_MAX rows at most.
 *
 *	const struct db_sqlite_options options = {
 *		.path = path,
 *		.schema = sqlite_orders_schema,
 *		.statements = sqlite_orders_statements,
 *		.statements_n = SQLITE_ORDERS_STATEMENT_NR,
 *	};
 *	if (db_sqlite_open(&options, &db, reterr) != STATUS_OK) ...
 *	sqlite_orders_init(&orders, db);
 *	order_service_init(&service, &orders.base, clock, ids);
 *	...
 *	sqlite_orders_close(&orders);
 *	db_close(db);
 *	... whoever still asks is told UNAVAILABLE ...
 *	sqlite_orders_release(&orders);
 *
 * The table is the one that stock_orders.db has always had; times are text,
 * "2025-11-17 21:27:47.537422+00:00". Text in UTC with six digits sorts as time
 * does: rows with other offsets or digits, which other programs have left, are
 * rewritten when the database is opened.
 */
#ifndef RESCIND_STOCK_ORDER_ADAPTOR_SQLITE_ORDERS_H
#define RESCIND_STOCK_ORDER_ADAPTOR_SQLITE_ORDERS_H

#include <pthread.h>

#include "db/db.h"
#include "stock_order/port/order_repository.h"

/* Creates what is missing, and mends the times. */
extern const char sqlite_orders_schema[];

enum sqlite_orders_statement {
	SQLITE_ORDERS_INSERT,
	SQLITE_ORDERS_INSERT_KEY,
	SQLITE_ORDERS_GET,
	SQLITE_ORDERS_GET_BY_KEY,
	SQLITE_ORDERS_FIRST_PAGE,
	SQLITE_ORDERS_PAGE,
	SQLITE_ORDERS_UPDATE,
	SQLITE_ORDERS_DUE,
	SQLITE_ORDERS_STATEMENT_NR,
};
extern const char *const sqlite_orders_statements[SQLITE_ORDERS_STATEMENT_NR];

struct sqlite_orders {
	struct order_repository base; /* first */
	struct db *db;
	pthread_rwlock_t lock; /* over closed: held while the db is called */
	bool closed;
};

/* @db was opened with what is above, and is the caller's. */
void sqlite_orders_init(struct sqlite_orders *orders, struct db *db);

/*
 * Before db_close(): from the return on the database is not called any more,
 * and everything asked for is refused with UNAVAILABLE. What has been asked for
 * before is finished by db_close(). Waits for calls that are inside the
 * repository at this moment, which is microseconds. May be called again.
 */
void sqlite_orders_close(struct sqlite_orders *orders);

/* When nobody calls it any more. */
void sqlite_orders_release(struct sqlite_orders *orders);

#endif
