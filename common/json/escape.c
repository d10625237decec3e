#include <string.h>

#include "text/utf8.h"
#include "json/json.h"

/* ASCII that stands for itself. */
static bool is_plain(char c)
{
	unsigned char byte = (unsigned char)c;

	return byte >= 0x20 && byte < 0x7F && byte != '"' && byte != '\\';
}

static size_t escape_ascii(char *ret, char c)
{
	static const char digits[] = "0123456789abcdef";
	static const char named[] = "\"\"\\\\\nn\rr\tt";
	unsigned char byte = (unsigned char)c;

	ret[0] = '\\';
	for (size_t i = 0; i + 1 < sizeof(named); i += 2) {
		if (named[i] == c) {
			ret[1] = named[i + 1];
			return 2;
		}
	}
	memcpy(ret + 1, "u00", 3);
	ret[4] = digits[byte >> 4];
	ret[5] = digits[byte & 15];
	return 6;
}

/*
 * Write to @ret what stands for the character at @text, which is not plain.
 * Returns how long that is, and in @ret_taken how many bytes it replaces.
 */
static size_t escape_one(char *ret, const char *text, size_t size,
			 size_t *ret_taken)
{
	size_t n = utf8_size(text, size);

	*ret_taken = n > 0 ? n : 1;
	if (n == 1) {
		return escape_ascii(ret, *text);
	}
	if (n == 0) {
		memcpy(ret, UTF8_REPLACEMENT, 3);
		return 3;
	}
	memcpy(ret, text, n);
	return n;
}

size_t json_escape(char *ret, const char *text, size_t size)
{
	size_t in = 0, out = 0;

	while (in < size) {
		size_t taken = 1;

		if (is_plain(text[in])) {
			ret[out++] = text[in];
		} else {
			out += escape_one(ret + out, text + in, size - in,
					  &taken);
		}
		in += taken;
	}
	return out;
}
