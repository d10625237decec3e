/*
 * Private to the log: one line under construction, in a bounded buffer.
 *
 * Every line_put_*() appends the whole of what it was given or, when that does
 * not fit, nothing, and notes it in `full`. Whoever builds the line looks at
 * `full` at places where a line may end, and goes back to the last of them.
 */
#ifndef RESCIND_LOG_LINE_H
#define RESCIND_LOG_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LINE_SIZE = 8192 };

struct line {
	size_t length;
	size_t limit; /* at most LINE_SIZE */
	bool full;
	char text[LINE_SIZE];
};

/*
 * What is escaped, which is more than JSON (json/json.h) asks for, so that a
 * line looks like one line on a terminal too: besides control characters (C0,
 * DEL, C1), characters that end or reorder a line (U+2028 to U+202E, U+2066 to
 * U+2069), the backslash and bytes that are no UTF-8:
 */
enum line_escape {
	LINE_ESCAPE_MESSAGE, /* nothing more; bad bytes become \xNN */
	LINE_ESCAPE_QUOTED,  /* the double quote; bad bytes become \xNN */
	LINE_ESCAPE_JSON,    /* the double quote; bad bytes become U+FFFD */
};

void line_init(struct line *line);
void line_put(struct line *line, const char *text, size_t size);
void line_put_str(struct line *line, const char *text);
void line_put_int(struct line *line, int64_t value);
/* At least @width digits, with leading zeros. */
void line_put_digits(struct line *line, uint64_t value, int width);
void line_put_hex(struct line *line, const uint8_t *bytes, size_t size);
/*
 * @text escaped. Of what would become longer than @size_max bytes only the
 * beginning is put, up to a whole character, and "..." after it.
 */
void line_put_escaped(struct line *line, const char *text, size_t size_max,
		      enum line_escape escape);
/* Whether @text has to stand in quotes to be one value of key=value. */
bool line_needs_quotes(const char *text);

#endif
