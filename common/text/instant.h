/*
 * Instants as people and JSON read them: RFC 3339, UTC, milliseconds.
 * Thread-safety: pure functions.
 */
#ifndef RESCIND_INSTANT_H
#define RESCIND_INSTANT_H

#include <stdint.h>

enum { INSTANT_TEXT_SIZE = 32 };

/* "2025-01-31T12:00:00.123Z" of milliseconds since 1970; @ret, for use in
 * expressions. Beyond the years 0 to 9999: "?". */
const char *instant_format(int64_t unix_ms, char ret[INSTANT_TEXT_SIZE]);

#endif
