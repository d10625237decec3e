/*
 * Private to the log: one event, rendered as a line of text or of JSON.
 */
#ifndef RESCIND_LOG_RECORD_H
#define RESCIND_LOG_RECORD_H

#include <time.h>

#include "log/line.h"
#include "log/log.h"

/* The longest message, and the longest value of a field, both escaped. */
enum { RECORD_MESSAGE_MAX = 4096, RECORD_VALUE_MAX = 1024 };

/* What all lines of a process share. */
struct record_style {
	enum log_format format;
	const char *component;
	int pid;
};

struct record {
	struct timespec at; /* CLOCK_REALTIME */
	enum log_level level;
	const struct ctx *ctx;		/* may be NULL */
	const struct log_field *fields; /* may be NULL */
	const char *message;
};

/*
 * Append @record to @line, with its newline. Fields that do not fit are left
 * out, and the line says so with cut=true.
 */
void record_render(const struct record *record,
		   const struct record_style *style, struct line *line);

#endif
