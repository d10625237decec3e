#include "stock_order/service/page_token.h"

#include <string.h>

/*
 * A letter for the form, then the instant and the id as hexadecimal digits:
 * safe in a URL and in a header whatever the id is, for other programs may have
 * named orders as they like.
 */
enum { FORM = 'b', INSTANT_SIZE = 8 };

static const char digits[] = "0123456789abcdef";

static char *put_byte(char *at, uint8_t byte)
{
	*at++ = digits[byte >> 4];
	*at++ = digits[byte & 15];
	return at;
}

void page_token_write(const struct order *last,
		      char ret_token[ORDER_PAGE_TOKEN_SIZE])
{
	uint64_t instant = (uint64_t)last->created_at_us;
	char *at = ret_token;

	*at++ = FORM;
	for (int i = INSTANT_SIZE - 1; i >= 0; i--) {
		at = put_byte(at, (uint8_t)(instant >> (8 * i)));
	}
	for (const char *c = last->id; *c != '\0'; c++) {
		at = put_byte(at, (uint8_t)*c);
	}
	*at = '\0';
}

/* The byte of which two digits stand at @text; -1 where they do not. */
static int take_byte(const char *text)
{
	int byte = 0;

	for (int i = 0; i < 2; i++) {
		const char *digit =
			text[i] == '\0' ? NULL : strchr(digits, text[i]);

		if (digit == NULL) {
			return -1;
		}
		byte = byte << 4 | (int)(digit - digits);
	}
	return byte;
}

static bool parse_instant(const char *text, int64_t *ret_us)
{
	uint64_t instant = 0;

	for (int i = 0; i < INSTANT_SIZE; i++) {
		int byte = take_byte(text + 2 * i);

		if (byte < 0) {
			return false;
		}
		instant = instant << 8 | (uint64_t)byte;
	}
	*ret_us = (int64_t)instant;
	return true;
}

/* What can't be told from an id here, the repository compares with ids. */
static bool parse_id(const char *text, char ret_id[ORDER_ID_SIZE])
{
	size_t size = 0;

	for (; text[0] != '\0'; text += 2) {
		int byte = take_byte(text);

		if (byte <= 0 || size == ORDER_ID_SIZE - 1) {
			return false;
		}
		ret_id[size++] = (char)byte;
	}
	ret_id[size] = '\0';
	return true;
}

bool page_token_parse(const char *token, struct order_cursor *ret_after)
{
	struct order_cursor after;

	if (token[0] != FORM ||
	    !parse_instant(token + 1, &after.created_at_us) ||
	    !parse_id(token + 1 + 2 * INSTANT_SIZE, after.id)) {
		return false;
	}
	*ret_after = after;
	return true;
}
