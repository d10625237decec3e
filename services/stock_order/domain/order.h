/*
 * An order to buy or sell stock: what may be asked for, the states it passes
 * through, and the rules of both. Pure: no I/O, no clock, no ids made inside.
 *
 *	             ┌──> FILLED
 *	  PENDING ───┼──> CANCELLED
 *	             └──> REJECTED
 *
 * An order begins PENDING and ends in exactly one of the other states, for
 * good. Its terms (all that was asked for) never change.
 *
 * A client's wish is a draft. order_create() makes an order of it, or says
 * which rule it breaks; there is no other way to an order, but for reading one
 * that was stored.
 *
 * Thread-safety: none needed, everything here touches only its arguments.
 */
#ifndef RESCIND_STOCK_ORDER_DOMAIN_ORDER_H
#define RESCIND_STOCK_ORDER_DOMAIN_ORDER_H

#include <stdbool.h>
#include <stdint.h>

#include "status/status.h"

/* Sizes in bytes; those of arrays count the NUL. */
enum {
	ORDER_ID_SIZE = 37, /* a UUID as text */
	ORDER_SYMBOL_MAX = 16,
	ORDER_SYMBOL_SIZE = ORDER_SYMBOL_MAX + 1,
	ORDER_DESCRIPTION_MAX = 1024,
	ORDER_DESCRIPTION_SIZE = ORDER_DESCRIPTION_MAX + 1,
	ORDER_QUANTITY_MAX = INT32_MAX,
};

/* ---- kinds, sides and states -------------------------------------------- */

/* X(symbol, number on the wire, name). */
#define ORDER_TYPES(X)                                                         \
	X(MARKET, 1, "MARKET")                                                 \
	X(LIMIT, 2, "LIMIT")

#define ORDER_SIDES(X)                                                         \
	X(BUY, 1, "BUY")                                                       \
	X(SELL, 2, "SELL")

/* X(symbol, number on the wire, name, states that may follow). */
#define ORDER_STATES(X)                                                        \
	X(PENDING, 1, "PENDING", TO(FILLED) | TO(CANCELLED) | TO(REJECTED))    \
	X(FILLED, 2, "FILLED", 0)                                              \
	X(CANCELLED, 3, "CANCELLED", 0)                                        \
	X(REJECTED, 4, "REJECTED", 0)

/* Each enum has two values more: what was not given, and what is not known. */
enum order_type {
	ORDER_TYPE_UNKNOWN = -1,
	ORDER_TYPE_UNSPECIFIED = 0,
#define ORDER_TYPE_ENUM(symbol, number, name) ORDER_TYPE_##symbol = number,
	ORDER_TYPES(ORDER_TYPE_ENUM)
#undef ORDER_TYPE_ENUM
};

enum order_side {
	ORDER_SIDE_UNKNOWN = -1,
	ORDER_SIDE_UNSPECIFIED = 0,
#define ORDER_SIDE_ENUM(symbol, number, name) ORDER_SIDE_##symbol = number,
	ORDER_SIDES(ORDER_SIDE_ENUM)
#undef ORDER_SIDE_ENUM
};

enum order_status {
	ORDER_STATUS_UNKNOWN = -1,
	ORDER_STATUS_UNSPECIFIED = 0,
#define ORDER_STATUS_ENUM(symbol, number, name, moves)                         \
	ORDER_STATUS_##symbol = number,
	ORDER_STATES(ORDER_STATUS_ENUM)
#undef ORDER_STATUS_ENUM
};

/* "MARKET"; "" for a value outside the list. Any int may be cast to these. */
const char *order_type_name(enum order_type type);
const char *order_side_name(enum order_side side);
const char *order_status_name(enum order_status status);

/* The value of a name, exactly as written above; "" is UNSPECIFIED, any other
 * text UNKNOWN. */
enum order_type order_type_parse(const char *name);
enum order_side order_side_parse(const char *name);
enum order_status order_status_parse(const char *name);

/* Whether an order may pass from one state to the other; false for values
 * outside the list. */
bool order_may_move(enum order_status from, enum order_status to);

/* ---- orders ------------------------------------------------------------- */

/* A plain value, to be copied by assignment; owns nothing. */
struct order {
	char id[ORDER_ID_SIZE];
	char symbol[ORDER_SYMBOL_SIZE];
	enum order_type type;
	enum order_side side;
	int32_t quantity;
	double price; /* 0 for none */
	enum order_status status;
	int64_t created_at_us; /* since 1970, UTC */
	int64_t updated_at_us; /* never before created_at_us */
	char description[ORDER_DESCRIPTION_SIZE]; /* "" for none */
};

/* What a client asks for, as it was said; the texts are borrowed. */
struct order_draft {
	const char *symbol; /* in any case; NULL or "": not given */
	enum order_type type;
	enum order_side side;
	int64_t quantity;
	double price;		 /* 0: not given */
	const char *description; /* NULL or "": none */
};

/*
 * Whether @draft can become an order; INVALID_ARGUMENT with a sentence about
 * the first rule that it breaks, and *ret_field (may be NULL) the name of the
 * field as the protocols spell it:
 *
 *	symbol		given; 1 to 16 of A-Z, 0-9, '.' and '-' (a-z are raised)
 *	order_type	given and known
 *	order_side	given and known
 *	quantity	1 to 2^31 - 1
 *	price		LIMIT: finite and above 0. MARKET: not given
 *	description	UTF-8 of at most 1,024 bytes
 */
MUSTCHECK enum status_code order_validate(const struct order_draft *draft,
					  const char **ret_field,
					  struct status *reterr);

/*
 * Make *@ret_order of a draft that passes order_validate(): PENDING, named
 * @id (copied, at most ORDER_ID_SIZE - 1 bytes), created and updated at
 * @now_us.
 */
MUSTCHECK enum status_code order_create(struct order *ret_order,
					const struct order_draft *draft,
					const char *id, int64_t now_us,
					struct status *reterr);

/*
 * End a PENDING order. FAILED_PRECONDITION, and nothing changed, when its state
 * does not allow it: "cannot cancel order with status: FILLED". Only MARKET
 * orders are filled without more ado.
 */
MUSTCHECK enum status_code order_cancel(struct order *order, int64_t now_us,
					struct status *reterr);
MUSTCHECK enum status_code order_fill(struct order *order, int64_t now_us,
				      struct status *reterr);
MUSTCHECK enum status_code order_reject(struct order *order, int64_t now_us,
					struct status *reterr);

/* Whether the same was asked for: all but id, state and times are alike. */
bool order_same_terms(const struct order *a, const struct order *b);

/* Make @order again what it was when it was created. */
void order_rewind(struct order *order);

/* Which comes first where the newest do: <0 for @a, as strcmp(). By creation,
 * then by id. */
int order_compare_newest(const struct order *a, const struct order *b);

#endif
