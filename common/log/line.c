#include "log/line.h"

#include <string.h>

#include "text/utf8.h"

static const char hex_digits[] = "0123456789abcdef";

void line_init(struct line *line)
{
	line->length = 0;
	line->limit = LINE_SIZE;
	line->full = false;
}

void line_put(struct line *line, const char *text, size_t size)
{
	if (size > line->limit - line->length) {
		line->full = true;
		return;
	}
	memcpy(line->text + line->length, text, size);
	line->length += size;
}

void line_put_str(struct line *line, const char *text)
{
	line_put(line, text, strlen(text));
}

void line_put_digits(struct line *line, uint64_t value, int width)
{
	char digits[20];
	int at = (int)sizeof(digits);

	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value != 0 || (int)sizeof(digits) - at < width);
	line_put(line, digits + at, sizeof(digits) - (size_t)at);
}

void line_put_int(struct line *line, int64_t value)
{
	uint64_t magnitude = (uint64_t)value;

	if (value < 0) {
		line_put(line, "-", 1);
		magnitude = 0 - magnitude;
	}
	line_put_digits(line, magnitude, 1);
}

void line_put_hex(struct line *line, const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		char pair[2] = { hex_digits[bytes[i] >> 4],
				 hex_digits[bytes[i] & 15] };

		line_put(line, pair, sizeof(pair));
	}
}

/* ---- escaping ----------------------------------------------------------- */

/* Bytes that stand for themselves everywhere. */
static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

/* Characters above ASCII after which a line would not look like one line. */
static bool is_unsafe(uint32_t c)
{
	return (c >= 0x80 && c <= 0x9f) || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2066 && c <= 0x2069);
}

/* Digits of @value behind a backslash and @letter; returns the length. */
static size_t escape_number(char *ret, char letter, uint32_t value, int digits)
{
	ret[0] = '\\';
	ret[1] = letter;
	for (int i = 0; i < digits; i++) {
		ret[2 + i] = hex_digits[value >> (4 * (digits - 1 - i)) & 15];
	}
	return 2 + (size_t)digits;
}

/* One ASCII character that is not plain. */
static size_t escape_ascii(char *ret, char c, enum line_escape escape)
{
	static const char named[] = "\nn\rr\tt\\\\";

	if (c == '"' && escape == LINE_ESCAPE_MESSAGE) {
		ret[0] = c;
		return 1;
	}
	ret[0] = '\\';
	ret[1] = c; /* the quote */
	for (size_t i = 0; i + 1 < sizeof(named); i += 2) {
		if (named[i] == c) {
			ret[1] = named[i + 1];
			return 2;
		}
	}
	if (c == '"') {
		return 2;
	}
	return escape == LINE_ESCAPE_JSON
		       ? escape_number(ret, 'u', (unsigned char)c, 4)
		       : escape_number(ret, 'x', (unsigned char)c, 2);
}

/*
 * Write to @ret (8 bytes) what stands for the character at @text, which is not
 * plain. Returns how long that is, and in @ret_taken how many bytes it
 * replaces.
 */
static size_t escape_one(char *ret, const char *text, enum line_escape escape,
			 size_t *ret_taken)
{
	uint32_t c;

	/* The text ends in NUL, so it may be said to be longer than it is. */
	*ret_taken = utf8_decode(text, UTF8_SIZE_MAX, &c);
	if (*ret_taken == 1) {
		return escape_ascii(ret, *text, escape);
	}
	if (*ret_taken == 0) {
		*ret_taken = 1;
		if (escape == LINE_ESCAPE_JSON) {
			memcpy(ret, "\\ufffd", 6);
			return 6;
		}
		return escape_number(ret, 'x', (unsigned char)*text, 2);
	}
	if (is_unsafe(c)) {
		return escape_number(ret, 'u', c, 4);
	}
	memcpy(ret, text, *ret_taken);
	return *ret_taken;
}

static size_t plain_length(const char *text)
{
	size_t length = 0;

	while (is_plain((unsigned char)text[length])) {
		length++;
	}
	return length;
}

void line_put_escaped(struct line *line, const char *text, size_t size_max,
		      enum line_escape escape)
{
	size_t left = size_max;

	while (*text != '\0') {
		size_t taken = plain_length(text);

		if (taken > 0) {
			line_put(line, text, taken < left ? taken : left);
			if (taken > left) {
				break;
			}
			left -= taken;
		} else {
			char piece[8];
			size_t size = escape_one(piece, text, escape, &taken);

			if (size > left) {
				break;
			}
			line_put(line, piece, size);
			left -= size;
		}
		text += taken;
	}
	if (*text != '\0') {
		line_put(line, "...", 3);
	}
}

bool line_needs_quotes(const char *text)
{
	size_t i = 0;

	while (is_plain((unsigned char)text[i]) && text[i] != ' ' &&
	       text[i] != '=') {
		i++;
	}
	return i == 0 || text[i] != '\0';
}
