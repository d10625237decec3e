/*
 * Instants as text, and back: UTC, with microseconds.
 *
 * Thread-safety: none needed, no state, no locale, no TZ.
 */
#ifndef RESCIND_STOCK_ORDER_ADAPTOR_TIME_TEXT_H
#define RESCIND_STOCK_ORDER_ADAPTOR_TIME_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* With the NUL; the RFC 3339 form is shorter. */
enum { TIME_TEXT_SIZE = sizeof("2025-11-17 21:27:47.537422+00:00") };

/*
 * Write @time_us (microseconds since 1970) as the database has it,
 * "2025-11-17 21:27:47.537422+00:00", or as RFC 3339 and JSON have it,
 * "2025-11-17T21:27:47.537422Z". Returns the length. What lies outside the
 * years 0 to 9999 is written as the nearest instant within.
 */
size_t time_text_sql(int64_t time_us, char ret_text[TIME_TEXT_SIZE]);
size_t time_text_rfc3339(int64_t time_us, char ret_text[TIME_TEXT_SIZE]);

/*
 * Read either form: a date, ' ' or 'T', a time, no or up to nine digits of a
 * fraction (what is beyond microseconds is cut off), and "Z" or an offset from
 * UTC as "+07:00". False, and nothing written, for anything else.
 */
bool time_text_parse(const char *text, size_t size, int64_t *ret_time_us);

#endif
