/* What may be asked for: one rule a function. */
#include <math.h>
#include <string.h>

#include "stock_order/domain/order.h"
#include "text/utf8.h"

/* ---- text --------------------------------------------------------------- */

static bool is_missing(const char *text)
{
	return text == NULL || text[0] == '\0';
}

static bool is_symbol_char(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       (c >= '0' && c <= '9') || c == '.' || c == '-';
}

/* ---- rules -------------------------------------------------------------- */

static enum status_code check_symbol(const struct order_draft *draft,
				     struct status *reterr)
{
	const char *symbol = draft->symbol;
	size_t size = 0;

	if (is_missing(symbol)) {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "symbol is required");
	}
	while (size <= ORDER_SYMBOL_MAX && is_symbol_char(symbol[size])) {
		size++;
	}
	if (size > ORDER_SYMBOL_MAX || symbol[size] != '\0') {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "symbol must be 1 to %d characters of A-Z, "
				  "0-9, '.' and '-'",
				  ORDER_SYMBOL_MAX);
	}
	return STATUS_OK;
}

static enum status_code check_type(const struct order_draft *draft,
				   struct status *reterr)
{
	if (draft->type == ORDER_TYPE_UNSPECIFIED) {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "order_type is required");
	}
	if (order_type_name(draft->type)[0] == '\0') {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "order_type must be MARKET or LIMIT");
	}
	return STATUS_OK;
}

static enum status_code check_side(const struct order_draft *draft,
				   struct status *reterr)
{
	if (draft->side == ORDER_SIDE_UNSPECIFIED) {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "order_side is required");
	}
	if (order_side_name(draft->side)[0] == '\0') {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "order_side must be BUY or SELL");
	}
	return STATUS_OK;
}

static enum status_code check_quantity(const struct order_draft *draft,
				       struct status *reterr)
{
	if (draft->quantity < 1 || draft->quantity > ORDER_QUANTITY_MAX) {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "quantity must be between 1 and %d",
				  ORDER_QUANTITY_MAX);
	}
	return STATUS_OK;
}

/* The type has been checked. */
static enum status_code check_price(const struct order_draft *draft,
				    struct status *reterr)
{
	if (!isfinite(draft->price)) {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "price must be a finite number");
	}
	if (draft->type == ORDER_TYPE_LIMIT && draft->price <= 0) {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "limit order must have a price greater than "
				  "0");
	}
	if (draft->type == ORDER_TYPE_MARKET && draft->price != 0) {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "market order must not have a price");
	}
	return STATUS_OK;
}

static enum status_code check_description(const struct order_draft *draft,
					  struct status *reterr)
{
	const char *text = draft->description;
	size_t size;

	if (is_missing(text)) {
		return STATUS_OK;
	}
	size = strnlen(text, ORDER_DESCRIPTION_SIZE);
	if (size > ORDER_DESCRIPTION_MAX) {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "description must not exceed %d bytes",
				  ORDER_DESCRIPTION_MAX);
	}
	if (!utf8_is_valid(text, size)) {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "description must be UTF-8");
	}
	return STATUS_OK;
}

/* ---- all of them -------------------------------------------------------- */

enum status_code order_validate(const struct order_draft *draft,
				const char **ret_field, struct status *reterr)
{
	static const struct {
		const char *field;
		enum status_code (*check)(const struct order_draft *draft,
					  struct status *reterr);
	} rules[] = {
		{ "symbol", check_symbol },
		{ "order_type", check_type },
		{ "order_side", check_side },
		{ "quantity", check_quantity },
		{ "price", check_price },
		{ "description", check_description },
	};

	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		enum status_code code = rules[i].check(draft, reterr);

		if (code != STATUS_OK) {
			if (ret_field != NULL) {
				*ret_field = rules[i].field;
			}
			return code;
		}
	}
	return STATUS_OK;
}
