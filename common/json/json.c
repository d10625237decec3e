#include "json/json.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loop/bug.h"

enum {
	CAPACITY_MIN = 256,
	NUMBER_SIZE = 32,
	/* Decimals of so many digits are all told apart by a double ... */
	DIGITS_SAFE = DBL_DIG,
	/* ... and so many tell all doubles apart. */
	DIGITS_MAX = DBL_DECIMAL_DIG,
};

/* ---- life --------------------------------------------------------------- */

void json_writer_clear(struct json_writer *writer)
{
	writer->size = 0;
	writer->depth = 0;
	writer->filled[0] = false;
}

void json_writer_flush(struct json_writer *writer)
{
	writer->size = 0;
}

void json_writer_release(struct json_writer *writer)
{
	free(writer->text);
	*writer = (struct json_writer){ 0 };
}

char *json_writer_take(struct json_writer *writer, size_t *ret_size)
{
	char *text = writer->text;

	*ret_size = writer->size;
	*writer = (struct json_writer){ 0 };
	return text;
}

/* ---- the text ----------------------------------------------------------- */

/* Room for @size bytes more; where they begin. */
static char *reserve(struct json_writer *writer, size_t size)
{
	size_t wanted = writer->size + size;
	size_t capacity = writer->capacity;

	if (wanted > capacity) {
		capacity = capacity == 0 ? CAPACITY_MIN : 2 * capacity;
		capacity = capacity < wanted ? wanted : capacity;
		writer->text = realloc(writer->text, capacity);
		BUG_IF(writer->text == NULL, "out of memory");
		writer->capacity = capacity;
	}
	return writer->text + writer->size;
}

static void append(struct json_writer *writer, const char *text, size_t size)
{
	memcpy(reserve(writer, size), text, size);
	writer->size += size;
}

static void append_quoted(struct json_writer *writer, const char *text,
			  size_t size)
{
	char *at = reserve(writer, JSON_ESCAPED_MAX(size) + 2);
	size_t escaped = json_escape(at + 1, text, size);

	at[0] = '"';
	at[1 + escaped] = '"';
	writer->size += escaped + 2;
}

/* ---- the order of things ------------------------------------------------ */

/* What stands before a value: a comma, a key. */
static void begin_value(struct json_writer *writer, const char *key)
{
	unsigned depth = writer->depth;
	bool object = depth > 0 && writer->object[depth];

	BUG_IF(object != (key != NULL),
	       "a key outside an object, or none inside");
	BUG_IF(depth == 0 && writer->filled[0], "two JSON values in one text");
	if (writer->filled[depth]) {
		append(writer, ",", 1);
	}
	writer->filled[depth] = true;
	if (key != NULL) {
		append_quoted(writer, key, strlen(key));
		append(writer, ":", 1);
	}
}

static void begin(struct json_writer *writer, const char *key, bool object)
{
	begin_value(writer, key);
	BUG_IF(writer->depth == JSON_DEPTH_MAX, "JSON nested too deep");
	writer->depth++;
	writer->filled[writer->depth] = false;
	writer->object[writer->depth] = object;
	append(writer, object ? "{" : "[", 1);
}

void json_begin_object(struct json_writer *writer, const char *key)
{
	begin(writer, key, true);
}

void json_begin_array(struct json_writer *writer, const char *key)
{
	begin(writer, key, false);
}

void json_end(struct json_writer *writer)
{
	BUG_IF(writer->depth == 0, "nothing to end in the JSON");
	append(writer, writer->object[writer->depth] ? "}" : "]", 1);
	writer->depth--;
}

void json_newline(struct json_writer *writer)
{
	BUG_IF(writer->depth != 0, "a line end inside of JSON");
	append(writer, "\n", 1);
}

/* ---- values ------------------------------------------------------------- */

void json_put_raw(struct json_writer *writer, const char *key, const char *json,
		  size_t size)
{
	begin_value(writer, key);
	append(writer, json, size);
}

void json_put_text(struct json_writer *writer, const char *key,
		   const char *text, size_t size)
{
	begin_value(writer, key);
	append_quoted(writer, text, size);
}

void json_put_string(struct json_writer *writer, const char *key,
		     const char *text)
{
	json_put_text(writer, key, text, strlen(text));
}

void json_put_int(struct json_writer *writer, const char *key, int64_t value)
{
	char text[NUMBER_SIZE];
	int size = snprintf(text, sizeof(text), "%" PRId64, value);

	json_put_raw(writer, key, text, (size_t)size);
}

/* A locale may write a decimal comma. */
static void use_point(char *text)
{
	char *comma = strchr(text, ',');

	if (comma != NULL) {
		*comma = '.';
	}
}

/*
 * Digits one by one until they give @value again. A decimal of up to
 * DIGITS_SAFE digits survives the way into a double and back, so where one
 * exists that many digits show it, and the format drops the zeros behind it.
 * Below the normal numbers doubles know fewer digits.
 */
static int print_double(double value, char ret[NUMBER_SIZE])
{
	int digits = fabs(value) < DBL_MIN ? 1 : DIGITS_SAFE;
	int size;

	do {
		size = snprintf(ret, NUMBER_SIZE, "%.*g", digits, value);
	} while (digits++ < DIGITS_MAX && strtod(ret, NULL) != value);
	use_point(ret);
	return size;
}

void json_put_double(struct json_writer *writer, const char *key, double value)
{
	char text[NUMBER_SIZE];

	if (!isfinite(value)) {
		json_put_null(writer, key);
	} else {
		int size = print_double(value, text);

		json_put_raw(writer, key, text, (size_t)size);
	}
}

void json_put_bool(struct json_writer *writer, const char *key, bool value)
{
	json_put_raw(writer, key, value ? "true" : "false", value ? 4 : 5);
}

void json_put_null(struct json_writer *writer, const char *key)
{
	json_put_raw(writer, key, "null", 4);
}
