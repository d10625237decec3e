/*
 * The text that stands for a place in the list, as clients carry it from one
 * page to the next: nothing that they should read, nothing that has to be kept
 * for them here.
 */
#ifndef RESCIND_STOCK_ORDER_SERVICE_PAGE_TOKEN_H
#define RESCIND_STOCK_ORDER_SERVICE_PAGE_TOKEN_H

#include "stock_order/port/order_repository.h"
#include "stock_order/service/order_service.h"

/* The place after @last. */
void page_token_write(const struct order *last,
		      char ret_token[ORDER_PAGE_TOKEN_SIZE]);

/* False, and nothing written, when this is no such text. */
bool page_token_parse(const char *token, struct order_cursor *ret_after);

#endif
