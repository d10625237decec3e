#include "http/problem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loop/bug.h"
#include "text/utf8.h"

/* A byte becomes at most "\u00XX". */
enum { GROWTH_MAX = 6, FRAME_SIZE = 256, INSTANCE_MAX = 1024 };

static char *put_text(char *at, const char *text)
{
	size_t size = strlen(text);

	memcpy(at, text, size);
	return at + size;
}

static char *put_hex(char *at, const char *prefix, unsigned char byte)
{
	static const char digits[] = "0123456789ABCDEF";

	at = put_text(at, prefix);
	*at++ = digits[byte >> 4];
	*at++ = digits[byte & 15];
	return at;
}

/* The content of a JSON string. What is not UTF-8 becomes U+FFFD. */
static char *put_escaped(char *at, const char *text)
{
	size_t left = strlen(text);

	while (left > 0) {
		size_t n = utf8_size(text, left);

		if (n == 0) {
			at = put_text(at, "\xEF\xBF\xBD");
			n = 1;
		} else if (*text == '"' || *text == '\\') {
			*at++ = '\\';
			*at++ = *text;
		} else if ((unsigned char)*text < 0x20 || *text == 0x7F) {
			at = put_hex(at, "\\u00", (unsigned char)*text);
		} else {
			memcpy(at, text, n);
			at += n;
		}
		text += n;
		left -= n;
	}
	return at;
}

/* A path made safe to stand as a URI reference. */
static char *put_path(char *at, const char *path)
{
	for (; *path != '\0'; path++) {
		unsigned char byte = (unsigned char)*path;

		if (byte <= 0x20 || byte >= 0x7F || byte == '"' ||
		    byte == '\\' || byte == '<' || byte == '>') {
			at = put_hex(at, "%", byte);
		} else {
			*at++ = *path;
		}
	}
	return at;
}

static char *put_member(char *at, const char *name, const char *value)
{
	at = put_text(at, name);
	at = put_escaped(at, value);
	*at++ = '"';
	return at;
}

char *http_problem_text(const struct http_problem *problem, size_t *ret_size)
{
	size_t instance_size = strlen(problem->instance);
	size_t content = strlen(problem->title) + strlen(problem->detail) +
			 instance_size + strlen(problem->request_id) +
			 strlen(problem->code);
	char *text = malloc(FRAME_SIZE + GROWTH_MAX * content);
	char *at = text;
	char status[32];

	BUG_IF(text == NULL, "out of memory");
	at = put_member(at, "{\"type\":\"about:blank\",\"title\":\"",
			problem->title);
	snprintf(status, sizeof(status), ",\"status\":%d", problem->status);
	at = put_text(at, status);
	at = put_member(at, ",\"detail\":\"", problem->detail);
	if (instance_size <= INSTANCE_MAX) {
		at = put_text(at, ",\"instance\":\"");
		at = put_path(at, problem->instance);
		*at++ = '"';
	}
	if (problem->request_id[0] != '\0') {
		at = put_member(at, ",\"request_id\":\"", problem->request_id);
	}
	at = put_member(at, ",\"code\":\"", problem->code);
	at = put_text(at, "}\n");
	*ret_size = (size_t)(at - text);
	return text;
}
