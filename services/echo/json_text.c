#include "echo/json_text.h"

#include <stdint.h>
#include <string.h>

/*
 * Bytes of the UTF-8 sequence that @text (ending in NUL) begins with, or 0.
 * Overlong forms, surrogates and what is beyond U+10FFFF are not UTF-8.
 */
static size_t sequence_size(const unsigned char *text)
{
	unsigned low = 0x80, high = 0xBF;
	size_t size;

	if (text[0] < 0x80) {
		return 1;
	}
	if (text[0] < 0xC2 || text[0] > 0xF4) {
		return 0;
	}
	size = text[0] < 0xE0 ? 2 : text[0] < 0xF0 ? 3 : 4;
	low = text[0] == 0xE0 ? 0xA0 : text[0] == 0xF0 ? 0x90 : low;
	high = text[0] == 0xED ? 0x9F : text[0] == 0xF4 ? 0x8F : high;
	for (size_t i = 1; i < size; i++) {
		if (text[i] < low || text[i] > high) {
			return 0;
		}
		low = 0x80;
		high = 0xBF;
	}
	return size;
}

static size_t put(char *at, const char *text)
{
	size_t size = strlen(text);

	memcpy(at, text, size);
	return size;
}

static size_t escape(char *at, unsigned char c)
{
	static const char digits[] = "0123456789abcdef";
	const char code[] = {
		'\\', 'u', '0', '0', digits[c >> 4], digits[c & 0xF], '\0'
	};

	switch (c) {
	case '"':
		return put(at, "\\\"");
	case '\\':
		return put(at, "\\\\");
	case '\n':
		return put(at, "\\n");
	case '\r':
		return put(at, "\\r");
	case '\t':
		return put(at, "\\t");
	default:
		return put(at, code);
	}
}

size_t json_text(char *ret_buf, const char *text)
{
	const unsigned char *from = (const unsigned char *)text;
	char *to = ret_buf;

	*to++ = '"';
	while (*from != '\0') {
		size_t size = sequence_size(from);

		if (size == 0) {
			memcpy(to, "\xEF\xBF\xBD", 3);
			to += 3;
			size = 1;
		} else if (*from < 0x20 || *from == '"' || *from == '\\' ||
			   *from == 0x7F) {
			to += escape(to, *from);
		} else {
			memcpy(to, from, size);
			to += size;
		}
		from += size;
	}
	*to++ = '"';
	*to = '\0';
	return (size_t)(to - ret_buf);
}
