#include "stock_order/service/page_token.h"

#include <string.h>

/*
 * A letter for the form, 16 hexadecimal digits for the instant, the id: safe in
 * a URL as it is.
 */
enum { FORM = 'a', INSTANT_DIGITS = 16, ID_AT = 1 + INSTANT_DIGITS };

static const char digits[] = "0123456789abcdef";

void page_token_write(const struct order *last,
		      char ret_token[ORDER_PAGE_TOKEN_SIZE])
{
	uint64_t instant = (uint64_t)last->created_at_us;

	ret_token[0] = FORM;
	for (int i = INSTANT_DIGITS; i > 0; i--) {
		ret_token[i] = digits[instant & 15];
		instant >>= 4;
	}
	memcpy(ret_token + ID_AT, last->id, ORDER_ID_SIZE);
}

static bool parse_instant(const char *text, int64_t *ret_us)
{
	uint64_t instant = 0;

	for (int i = 0; i < INSTANT_DIGITS; i++) {
		const char *digit =
			text[i] == '\0' ? NULL : strchr(digits, text[i]);

		if (digit == NULL) {
			return false;
		}
		instant = instant << 4 | (uint64_t)(digit - digits);
	}
	*ret_us = (int64_t)instant;
	return true;
}

/* What can't be told from an id here, the repository compares with ids. */
static bool is_id(const char *text)
{
	size_t size = 0;

	while (size < ORDER_ID_SIZE && text[size] > ' ' && text[size] < 0x7F) {
		size++;
	}
	return size > 0 && size < ORDER_ID_SIZE && text[size] == '\0';
}

bool page_token_parse(const char *token, struct order_cursor *ret_after)
{
	int64_t created_at_us;

	if (token[0] != FORM || !parse_instant(token + 1, &created_at_us) ||
	    !is_id(token + ID_AT)) {
		return false;
	}
	ret_after->created_at_us = created_at_us;
	memcpy(ret_after->id, token + ID_AT, strlen(token + ID_AT) + 1);
	return true;
}
