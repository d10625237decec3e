/*
 * What a server's answer to POST /api/orders says. Pure; what a stranger sends
 * is read here, and fuzzed.
 */
#ifndef RESCIND_STOCK_ORDER_CLIENT_HTTP_ANSWER_H
#define RESCIND_STOCK_ORDER_CLIENT_HTTP_ANSWER_H

#include <stddef.h>

#include "status/status.h"
#include "stock_order/domain/order.h"

/*
 * OK for 200 and 201 with an order, whose id is then written to @ret_id. Else
 * the code that is nearest to @http_status, with the text that the body gives
 * as the reason: the member "error", or RFC 9457's "detail" or "title", or its
 * first line where it is no JSON. An answer of 2xx that is no order is
 * INTERNAL.
 */
MUSTCHECK enum status_code http_answer_read(long http_status, const char *body,
					    size_t size,
					    char ret_id[ORDER_ID_SIZE],
					    struct status *reterr);

#endif
