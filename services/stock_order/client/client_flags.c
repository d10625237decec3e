#include "stock_order/client/client_flags.h"

#include <errno.h>
#include <unistd.h>

#define NAME(symbol, number, name) name,
const char *const client_order_types[] = { ORDER_TYPES(NAME) NULL };
const char *const client_order_sides[] = { ORDER_SIDES(NAME) NULL };
#undef NAME

struct order_draft client_order_draft(const struct client_order *order)
{
	return (struct order_draft){
		.symbol = order->symbol,
		.type = order_type_parse(client_order_types[order->type]),
		.side = order_side_parse(client_order_sides[order->side]),
		.quantity = (int64_t)order->quantity,
		.price = order->price,
	};
}

/* A flag that was not given is an empty text. */
static const char *given(const char *text)
{
	return text != NULL && text[0] != '\0' ? text : NULL;
}

static enum status_code check_file(const char *flag, const char *path,
				   struct status *reterr)
{
	if (path != NULL && access(path, R_OK) != 0) {
		return status_set_errno(reterr, STATUS_INVALID_ARGUMENT, errno,
					"flag -%s: '%s'", flag, path);
	}
	return STATUS_OK;
}

enum status_code client_tls_check(struct client_tls *tls, struct status *reterr)
{
	*tls = (struct client_tls){ given(tls->ca), given(tls->cert),
				    given(tls->key) };
	if ((tls->cert == NULL) != (tls->key == NULL)) {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "-tls-cert and -tls-key need each other");
	}
	if (check_file("tls-ca", tls->ca, reterr) != STATUS_OK ||
	    check_file("tls-cert", tls->cert, reterr) != STATUS_OK) {
		return reterr->code;
	}
	return check_file("tls-key", tls->key, reterr);
}
