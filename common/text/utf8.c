#include "text/utf8.h"

#include <string.h>

static bool continues(uint8_t byte)
{
	return (byte & 0xC0) == 0x80;
}

/* How many bytes @first announces, and what bounds the second. */
static size_t announced(uint8_t first, uint8_t *ret_low, uint8_t *ret_high)
{
	/* Below, shorter forms exist; above, surrogates or U+110000. */
	*ret_low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
	*ret_high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
	if (first < 0x80) {
		return 1;
	}
	if (first >= 0xC2 && first <= 0xDF) {
		return 2;
	}
	if (first >= 0xE0 && first <= 0xEF) {
		return 3;
	}
	return first >= 0xF0 && first <= 0xF4 ? 4 : 0;
}

size_t utf8_size(const char *text, size_t size)
{
	const uint8_t *at = (const uint8_t *)text;
	uint8_t low, high;
	size_t n;

	if (size == 0) {
		return 0;
	}
	n = announced(at[0], &low, &high);
	if (n > size || (n > 1 && (at[1] < low || at[1] > high))) {
		return 0;
	}
	for (size_t i = 2; i < n; i++) {
		if (!continues(at[i])) {
			return 0;
		}
	}
	return n;
}

size_t utf8_decode(const char *text, size_t size, uint32_t *ret_point)
{
	const uint8_t *at = (const uint8_t *)text;
	size_t n = utf8_size(text, size);
	uint32_t point;

	if (n == 0) {
		return 0;
	}
	point = n == 1 ? at[0] : at[0] & (0x7Fu >> n);
	for (size_t i = 1; i < n; i++) {
		point = point << 6 | (at[i] & 0x3Fu);
	}
	*ret_point = point;
	return n;
}

/* All eight bytes are ASCII. */
static bool is_ascii(const char *text)
{
	uint64_t word;

	memcpy(&word, text, sizeof(word));
	return (word & 0x8080808080808080) == 0;
}

bool utf8_is_valid(const char *text, size_t size)
{
	size_t at = 0;

	while (at < size) {
		size_t n = size - at >= 8 && is_ascii(text + at)
				   ? 8
				   : utf8_size(text + at, size - at);

		if (n == 0) {
			return false;
		}
		at += n;
	}
	return true;
}
