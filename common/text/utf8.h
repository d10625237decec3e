/*
 * What is UTF-8, for everything here: RFC 3629 and Unicode's table 3-7, so
 * neither overlong forms, nor surrogates, nor what is beyond U+10FFFF. NUL is a
 * character like any other.
 *
 * Thread-safety: pure functions.
 */
#ifndef RESCIND_UTF8_H
#define RESCIND_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { UTF8_SIZE_MAX = 4 };

/* What stands for bytes that are none: U+FFFD. */
#define UTF8_REPLACEMENT "\xEF\xBF\xBD"

/*
 * The size of the character that begins at @text, of which @size bytes are
 * there: 1 to UTF8_SIZE_MAX, or 0 when it is none. Nothing behind the first
 * byte that does not belong to it is read; so for text that ends in NUL @size
 * may be UTF8_SIZE_MAX.
 */
size_t utf8_size(const char *text, size_t size);
/* The same, and its code point. */
size_t utf8_decode(const char *text, size_t size, uint32_t *ret_point);

/* Whether all @size bytes of @text are characters. */
bool utf8_is_valid(const char *text, size_t size);

#endif
