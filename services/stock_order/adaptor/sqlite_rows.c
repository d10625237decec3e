/* Orders as rows, and rows as orders. */
#include "stock_order/adaptor/sqlite_internal.h"

#include <string.h>

#include "stock_order/adaptor/time_text.h"

/* ---- statements --------------------------------------------------------- */

enum status_code orders_execute(struct db_session *session,
				enum sqlite_orders_statement stmt,
				const struct db_value *values, size_t values_n,
				db_row_fn on_row, void *arg,
				struct status *reterr)
{
	enum status_code code = db_exec(session, (db_stmt)stmt, values,
					values_n, on_row, arg, NULL, reterr);

	switch ((int)code) {
	case STATUS_ALREADY_EXISTS:
	case STATUS_FAILED_PRECONDITION:
	case STATUS_INVALID_ARGUMENT:
	case STATUS_NOT_FOUND:
	case STATUS_OUT_OF_RANGE:
		reterr->code = STATUS_INTERNAL;
		return STATUS_INTERNAL;
	default:
		return code;
	}
}

/* ---- reading ------------------------------------------------------------ */

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

void orders_read_text(const struct db_row *row, int column, char *ret,
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

bool orders_read_time(const struct db_row *row, int column, int64_t *ret_us)
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

bool orders_read(const struct db_row *row, struct order *ret)
{
	orders_read_text(row, ID, ret->id, sizeof(ret->id));
	orders_read_text(row, SYMBOL, ret->symbol, sizeof(ret->symbol));
	ret->type = (enum order_type)known(
		order_type_parse(db_row_text(row, ORDER_TYPE, NULL)));
	ret->side = (enum order_side)known(
		order_side_parse(db_row_text(row, ORDER_SIDE, NULL)));
	ret->quantity = read_quantity(row);
	ret->price = db_row_real(row, PRICE);
	ret->status = (enum order_status)known(
		order_status_parse(db_row_text(row, STATUS, NULL)));
	orders_read_text(row, DESCRIPTION, ret->description,
			 sizeof(ret->description));
	return orders_read_time(row, CREATED_AT, &ret->created_at_us) &&
	       orders_read_time(row, UPDATED_AT, &ret->updated_at_us);
}

enum status_code orders_say_damaged(const char *id, struct status *reterr)
{
	return status_set(reterr, STATUS_DATA_LOSS,
			  "the times of order %s can't be read", id);
}

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
	found->damaged = !orders_read(row, found->order);
	return false;
}

enum status_code orders_find(struct db_session *session,
			     enum sqlite_orders_statement stmt,
			     const char *name, struct order *ret_order,
			     bool *ret_found, struct status *reterr)
{
	const struct db_value value = db_text(name);
	struct found found = { .order = ret_order };
	enum status_code code = orders_execute(session, stmt, &value, 1, on_row,
					       &found, reterr);

	if (code == STATUS_OK && found.damaged) {
		return orders_say_damaged(ret_order->id, reterr);
	}
	*ret_found = found.found;
	return code;
}

/* ---- writing ------------------------------------------------------------ */

enum status_code orders_insert(struct db_session *session,
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

	return orders_execute(session, SQLITE_ORDERS_INSERT, values,
			      sizeof(values) / sizeof(values[0]), NULL, NULL,
			      reterr);
}

enum status_code orders_insert_key(struct db_session *session, const char *key,
				   const char *id, struct status *reterr)
{
	const struct db_value values[] = { db_text(key), db_text(id) };

	return orders_execute(session, SQLITE_ORDERS_INSERT_KEY, values, 2,
			      NULL, NULL, reterr);
}

enum status_code orders_update(struct db_session *session,
			       const struct order *order, struct status *reterr)
{
	char updated_at[TIME_TEXT_SIZE];
	size_t updated_size = time_text_sql(order->updated_at_us, updated_at);
	const struct db_value values[] = {
		db_text(order_status_name(order->status)),
		db_text_n(updated_at, updated_size),
		db_text(order->id),
	};

	return orders_execute(session, SQLITE_ORDERS_UPDATE, values, 3, NULL,
			      NULL, reterr);
}
