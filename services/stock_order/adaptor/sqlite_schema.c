/* The tables of orders, and every statement that touches them. */
#include "stock_order/adaptor/sqlite_orders.h"

/* ---- times -------------------------------------------------------------- */

/* As we write them; '?' stands for any one character. */
#define OUR_FORM "'\?\?\?\?-\?\?-\?\? \?\?:\?\?:\?\?.\?\?\?\?\?\?+00:00'"

#define TIMES_ARE_FOREIGN                                                      \
	"(created_at NOT GLOB " OUR_FORM " OR updated_at NOT GLOB " OUR_FORM ")"

/* The parts of a time as others write it: with or without a fraction, which
 * may have up to nine digits, and with or without an offset from UTC. */
#define ZONE(t)                                                                \
	"CASE WHEN substr(" t ",-1)='Z' THEN 'Z'"                              \
	" WHEN substr(" t ",-6,1) IN ('+','-') AND substr(" t ",-3,1)=':'"     \
	" THEN substr(" t ",-6) ELSE '' END"
#define FRACTION(t)                                                            \
	"CASE substr(" t ",20,1) WHEN '.'"                                     \
	" THEN substr(" t ",21,length(" t                                      \
	")-20-length(" ZONE(t) "))"                                            \
			       " ELSE '' END"
/* What is no time stays as it is. */
#define IN_OUR_FORM(t)                                                         \
	"coalesce(strftime('%Y-%m-%d %H:%M:%S',substr(" t                      \
	",1,19)||" ZONE(t) ")||'.'||substr(" FRACTION(                         \
		t) "||'000000',1,6)||'+00:00'," t ")"

/* ---- tables ------------------------------------------------------------- */

/*
 * The first table and its indexes are those of old. idx_due holds the orders
 * that wait to be filled, and idx_foreign_times those whose times are yet to be
 * mended: none, as a rule, so that looking for them costs nothing.
 */
const char sqlite_orders_schema[] =
	"CREATE TABLE IF NOT EXISTS stock_orders ("
	" id TEXT PRIMARY KEY,"
	" symbol TEXT NOT NULL,"
	" order_type TEXT NOT NULL,"
	" order_side TEXT NOT NULL,"
	" quantity INTEGER NOT NULL,"
	" price REAL,"
	" status TEXT NOT NULL,"
	" created_at DATETIME NOT NULL,"
	" updated_at DATETIME NOT NULL,"
	" description TEXT"
	");"
	"CREATE INDEX IF NOT EXISTS idx_symbol ON stock_orders(symbol);"
	"CREATE INDEX IF NOT EXISTS idx_status ON stock_orders(status);"
	"CREATE INDEX IF NOT EXISTS idx_created_at"
	" ON stock_orders(created_at DESC);"
	"CREATE INDEX IF NOT EXISTS idx_due ON stock_orders(created_at)"
	" WHERE status='PENDING' AND order_type='MARKET';"
	"CREATE INDEX IF NOT EXISTS idx_foreign_times ON stock_orders(id)"
	" WHERE " TIMES_ARE_FOREIGN ";"
	"CREATE TABLE IF NOT EXISTS stock_order_keys ("
	" key TEXT PRIMARY KEY NOT NULL,"
	" order_id TEXT NOT NULL"
	") WITHOUT ROWID;"
	"UPDATE stock_orders SET created_at=" IN_OUR_FORM(
		"created_at") ",updated_at=" IN_OUR_FORM("updated_at") " WHERE"
								       " " TIMES_ARE_FOREIGN
								       ";";

/* ---- statements --------------------------------------------------------- */

/* In this order they are read. */
#define COLUMNS                                                                \
	"o.id,o.symbol,o.order_type,o.order_side,o.quantity,o.price,o.status," \
	"o.created_at,o.updated_at,o.description"

/* Left to itself the planner may prefer idx_status, and sort a million rows. Of
 * one instant there are few orders, which is all that is ever sorted here. */
#define BY_TIME	     " FROM stock_orders AS o INDEXED BY idx_created_at"
#define NEWEST_FIRST " ORDER BY o.created_at DESC,o.id DESC LIMIT ?1"

const char *const sqlite_orders_statements[SQLITE_ORDERS_STATEMENT_NR] = {
	[SQLITE_ORDERS_INSERT] =
		"INSERT INTO stock_orders(id,symbol,order_type,order_side,"
		"quantity,price,status,created_at,updated_at,description)"
		" VALUES(?,?,?,?,?,?,?,?,?,?)",
	/* A key whose order was taken out of the file stands for nothing. */
	[SQLITE_ORDERS_INSERT_KEY] =
		"INSERT OR REPLACE INTO stock_order_keys VALUES(?,?)",
	[SQLITE_ORDERS_GET] =
		"SELECT " COLUMNS " FROM stock_orders AS o WHERE o.id=?",
	[SQLITE_ORDERS_GET_BY_KEY] =
		"SELECT " COLUMNS " FROM stock_order_keys AS k"
		" JOIN stock_orders AS o ON o.id=k.order_id WHERE k.key=?",
	[SQLITE_ORDERS_FIRST_PAGE] = "SELECT " COLUMNS BY_TIME NEWEST_FIRST,
	[SQLITE_ORDERS_PAGE] =
		"SELECT " COLUMNS BY_TIME " WHERE o.created_at<=?2"
		" AND (o.created_at<?2 OR o.id<?3)" NEWEST_FIRST,
	[SQLITE_ORDERS_UPDATE] =
		"UPDATE stock_orders SET status=?,updated_at=? WHERE id=?",
	[SQLITE_ORDERS_DUE] =
		"SELECT id,created_at FROM stock_orders INDEXED BY idx_due"
		" WHERE status='PENDING' AND order_type='MARKET'"
		" ORDER BY created_at",
};
