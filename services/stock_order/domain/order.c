#include "stock_order/domain/order.h"

#include <string.h>

/* ---- names -------------------------------------------------------------- */

struct name {
	int value;
	const char *text;
};

static const struct name types[] = {
#define ORDER_NAME(symbol, number, name) { number, name },
	ORDER_TYPES(ORDER_NAME)
};
static const struct name sides[] = { ORDER_SIDES(ORDER_NAME) };
#undef ORDER_NAME
static const struct name states[] = {
#define ORDER_NAME(symbol, number, name, moves) { number, name },
	ORDER_STATES(ORDER_NAME)
#undef ORDER_NAME
};

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static const char *text_of(const struct name *names, size_t n, int value)
{
	for (size_t i = 0; i < n; i++) {
		if (names[i].value == value) {
			return names[i].text;
		}
	}
	return "";
}

/* 0 for "", -1 for what is not in the list: UNSPECIFIED and UNKNOWN. */
static int value_of(const struct name *names, size_t n, const char *text)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(names[i].text, text) == 0) {
			return names[i].value;
		}
	}
	return text[0] == '\0' ? 0 : -1;
}

const char *order_type_name(enum order_type type)
{
	return text_of(types, COUNT_OF(types), (int)type);
}

const char *order_side_name(enum order_side side)
{
	return text_of(sides, COUNT_OF(sides), (int)side);
}

const char *order_status_name(enum order_status status)
{
	return text_of(states, COUNT_OF(states), (int)status);
}

enum order_type order_type_parse(const char *name)
{
	return (enum order_type)value_of(types, COUNT_OF(types), name);
}

enum order_side order_side_parse(const char *name)
{
	return (enum order_side)value_of(sides, COUNT_OF(sides), name);
}

enum order_status order_status_parse(const char *name)
{
	return (enum order_status)value_of(states, COUNT_OF(states), name);
}

/* ---- making ------------------------------------------------------------- */

/* Copy what fits into @size bytes with the NUL; NULL is "". */
static void copy_text(char *ret, const char *text, size_t size)
{
	size_t length = text == NULL ? 0 : strnlen(text, size - 1);

	if (length > 0) {
		memcpy(ret, text, length);
	}
	ret[length] = '\0';
}

static void raise_case(char *text)
{
	for (; *text != '\0'; text++) {
		if (*text >= 'a' && *text <= 'z') {
			*text = (char)(*text - 'a' + 'A');
		}
	}
}

enum status_code order_create(struct order *ret_order,
			      const struct order_draft *draft, const char *id,
			      int64_t now_us, struct status *reterr)
{
	enum status_code code = order_validate(draft, NULL, reterr);

	if (code != STATUS_OK) {
		return code;
	}
	copy_text(ret_order->id, id, sizeof(ret_order->id));
	copy_text(ret_order->symbol, draft->symbol, sizeof(ret_order->symbol));
	raise_case(ret_order->symbol);
	ret_order->type = draft->type;
	ret_order->side = draft->side;
	ret_order->quantity = (int32_t)draft->quantity;
	ret_order->price = draft->price + 0.0; /* -0 is no price either */
	ret_order->status = ORDER_STATUS_PENDING;
	ret_order->created_at_us = now_us;
	ret_order->updated_at_us = now_us;
	copy_text(ret_order->description, draft->description,
		  sizeof(ret_order->description));
	return STATUS_OK;
}

/* ---- comparing ---------------------------------------------------------- */

bool order_same_terms(const struct order *a, const struct order *b)
{
	return a->type == b->type && a->side == b->side &&
	       a->quantity == b->quantity && a->price == b->price &&
	       strcmp(a->symbol, b->symbol) == 0 &&
	       strcmp(a->description, b->description) == 0;
}

void order_rewind(struct order *order)
{
	order->status = ORDER_STATUS_PENDING;
	order->updated_at_us = order->created_at_us;
}

int order_compare_newest(const struct order *a, const struct order *b)
{
	if (a->created_at_us != b->created_at_us) {
		return a->created_at_us > b->created_at_us ? -1 : 1;
	}
	return strcmp(b->id, a->id);
}
