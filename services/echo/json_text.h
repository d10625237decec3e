/*
 * A JSON string from any bytes: what is not UTF-8 becomes U+FFFD, and what JSON
 * does not allow raw is escaped.
 */
#ifndef RESCIND_ECHO_JSON_TEXT_H
#define RESCIND_ECHO_JSON_TEXT_H

#include <stddef.h>

/* Bytes that @size bytes of text may take at most, quotes and NUL included. */
#define JSON_TEXT_SIZE_MAX(size) (6 * (size) + 3)

/* Write @text with its quotes and a NUL into @ret_buf, which must have room for
 * JSON_TEXT_SIZE_MAX(strlen(text)); returns the length without the NUL. */
size_t json_text(char *ret_buf, const char *text);

#endif
