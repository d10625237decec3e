#include "status/status.h"

#include <stdio.h>
#include <string.h>

struct code_info {
	const char *name;
	const char *go_name;
	int http;
};

static const struct code_info codes[STATUS_CODE_NR] = {
#define STATUS_INFO(symbol, number, name, go_name, http)                       \
	[number] = { name, go_name, http },
	STATUS_CODES(STATUS_INFO)
#undef STATUS_INFO
};

static const struct code_info *info_of(enum status_code code)
{
	unsigned index = (unsigned)code;

	return &codes[index < STATUS_CODE_NR ? index : STATUS_UNKNOWN];
}

/* Mark a message that did not fit, without leaving half a UTF-8 sequence. */
static void mark_cut(char *message)
{
	size_t at = STATUS_MESSAGE_SIZE - sizeof("...");

	while (at > 0 && ((unsigned char)message[at] & 0xC0) == 0x80) {
		at--;
	}
	memcpy(message + at, "...", sizeof("..."));
}

enum status_code status_vset(struct status *st, enum status_code code,
			     const char *fmt, va_list args)
{
	int n;

	if (st == NULL) {
		return code;
	}
	st->code = code;
	n = vsnprintf(st->message, sizeof(st->message), fmt, args);
	if (n < 0) {
		st->message[0] = '\0';
	} else if ((size_t)n >= sizeof(st->message)) {
		mark_cut(st->message);
	}
	return code;
}

enum status_code status_set(struct status *st, enum status_code code,
			    const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	status_vset(st, code, fmt, args);
	va_end(args);
	return code;
}

/* st->message = message + ": " + tail */
static void append(struct status *st, const char *tail)
{
	char message[STATUS_MESSAGE_SIZE];

	memcpy(message, st->message, sizeof(message));
	status_set(st, st->code, "%s: %s", message, tail);
}

enum status_code status_set_errno(struct status *st, enum status_code code,
				  int err, const char *fmt, ...)
{
	char text[128];
	va_list args;

	if (st == NULL) {
		return code;
	}
	va_start(args, fmt);
	status_vset(st, code, fmt, args);
	va_end(args);
	append(st, strerror_r(err, text, sizeof(text)));
	return code;
}

enum status_code status_wrap(struct status *st, const char *fmt, ...)
{
	char inner[STATUS_MESSAGE_SIZE];
	va_list args;

	if (st == NULL) {
		return STATUS_UNKNOWN;
	}
	memcpy(inner, st->message, sizeof(inner));
	va_start(args, fmt);
	status_vset(st, st->code, fmt, args);
	va_end(args);
	append(st, inner);
	return st->code;
}

struct status status_make(enum status_code code, const char *fmt, ...)
{
	struct status st;
	va_list args;

	va_start(args, fmt);
	status_vset(&st, code, fmt, args);
	va_end(args);
	return st;
}

const char *status_code_name(enum status_code code)
{
	return info_of(code)->name;
}

const char *status_code_go_name(enum status_code code)
{
	return info_of(code)->go_name;
}

int status_http(enum status_code code)
{
	return info_of(code)->http;
}
