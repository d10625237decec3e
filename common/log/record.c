#include "log/record.h"

#include <stdio.h>
#include <string.h>

/* Kept free behind the fields, for " cut=true" or its like and the newline. */
enum { TAIL_SIZE = 32 };

enum { STAMP_SECONDS_SIZE = sizeof("2026-01-31T12:00:00") };

static const char *const names[] = { "debug", "info", "warn", "error" };
static const char *const padded[] = { "DEBUG", "INFO ", "WARN ", "ERROR" };

/* ---- the time ----------------------------------------------------------- */

/* Calendars are slow, so each thread remembers the last second it wrote. */
static const char *stamp_seconds(time_t second)
{
	static _Thread_local time_t cached = (time_t)-1;
	static _Thread_local char text[STAMP_SECONDS_SIZE];
	struct tm tm;

	if (second != cached) {
		gmtime_r(&second, &tm);
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
		cached = second;
	}
	return text;
}

static void put_stamp(struct line *line, const struct timespec *at)
{
	line_put_str(line, stamp_seconds(at->tv_sec));
	line_put(line, ".", 1);
	line_put_digits(line, (uint64_t)at->tv_nsec / NS_PER_US, 6);
	line_put(line, "Z", 1);
}

/* ---- fields ------------------------------------------------------------- */

static void put_key(struct line *line, enum log_format format, const char *key)
{
	if (format == LOG_JSON) {
		line_put(line, ",\"", 2);
		line_put_str(line, key);
		line_put(line, "\":", 2);
	} else {
		line_put(line, " ", 1);
		line_put_str(line, key);
		line_put(line, "=", 1);
	}
}

static void put_str(struct line *line, enum log_format format, const char *str)
{
	if (format == LOG_JSON || line_needs_quotes(str)) {
		line_put(line, "\"", 1);
		line_put_escaped(line, str, RECORD_VALUE_MAX,
				 format == LOG_JSON ? LINE_ESCAPE_JSON
						    : LINE_ESCAPE_QUOTED);
		line_put(line, "\"", 1);
	} else {
		line_put_escaped(line, str, RECORD_VALUE_MAX,
				 LINE_ESCAPE_QUOTED);
	}
}

/* Nanoseconds as milliseconds with three decimals, cut towards zero. */
static void put_ms(struct line *line, int64_t ns)
{
	int64_t us = ns / NS_PER_US;

	if (us < 0) {
		line_put(line, "-", 1);
		us = -us;
	}
	line_put_int(line, us / 1000);
	line_put(line, ".", 1);
	line_put_digits(line, (uint64_t)(us % 1000), 3);
}

static void put_value(struct line *line, enum log_format format,
		      const struct log_field *field)
{
	switch (field->type) {
	case LOG_FIELD_STR:
		put_str(line, format, field->str != NULL ? field->str : "");
		break;
	case LOG_FIELD_INT:
		line_put_int(line, field->integer);
		break;
	case LOG_FIELD_MS:
		put_ms(line, field->integer);
		break;
	}
}

/* The whole field or, where it does not fit, nothing of it. */
static void put_field(struct line *line, enum log_format format,
		      const struct log_field *field)
{
	size_t before = line->length;
	bool full = line->full;

	line->full = false;
	put_key(line, format, field->key);
	put_value(line, format, field);
	if (line->full) {
		line->length = before;
	}
	line->full = line->full || full;
}

static void put_trace_id(struct line *line, enum log_format format,
			 const struct trace *trace)
{
	const char *quote = format == LOG_JSON ? "\"" : "";

	put_key(line, format, "trace_id");
	line_put_str(line, quote);
	line_put_hex(line, trace->trace_id, sizeof(trace->trace_id));
	line_put_str(line, quote);
}

static void put_fields(struct line *line, enum log_format format,
		       const struct record *record)
{
	const struct log_field *field = record->fields;

	if (record->ctx != NULL) {
		struct log_field id =
			LOG_STR("request_id", ctx_request_id(record->ctx));

		if (id.str[0] != '\0') {
			put_field(line, format, &id);
		}
		if (ctx_trace(record->ctx)->present) {
			put_trace_id(line, format, ctx_trace(record->ctx));
		}
	}
	for (; field != NULL && field->key != NULL; field++) {
		put_field(line, format, field);
	}
}

/* ---- the line ----------------------------------------------------------- */

static void begin_text(struct line *line, const struct record_style *style,
		       const struct record *record)
{
	put_stamp(line, &record->at);
	line_put(line, " ", 1);
	line_put_str(line, padded[record->level]);
	line_put(line, " [", 2);
	line_put_str(line, style->component);
	line_put(line, "] ", 2);
	line_put_escaped(line, record->message, RECORD_MESSAGE_MAX,
			 LINE_ESCAPE_MESSAGE);
}

static void begin_json(struct line *line, const struct record_style *style,
		       const struct record *record)
{
	line_put_str(line, "{\"ts\":\"");
	put_stamp(line, &record->at);
	line_put_str(line, "\",\"level\":\"");
	line_put_str(line, names[record->level]);
	line_put_str(line, "\",\"component\":\"");
	line_put_escaped(line, style->component, RECORD_VALUE_MAX,
			 LINE_ESCAPE_JSON);
	line_put_str(line, "\",\"pid\":");
	line_put_int(line, style->pid);
	line_put_str(line, ",\"msg\":\"");
	line_put_escaped(line, record->message, RECORD_MESSAGE_MAX,
			 LINE_ESCAPE_JSON);
	line_put(line, "\"", 1);
}

void record_render(const struct record *record,
		   const struct record_style *style, struct line *line)
{
	bool json = style->format == LOG_JSON;

	line->limit = LINE_SIZE - TAIL_SIZE;
	(json ? begin_json : begin_text)(line, style, record);
	put_fields(line, style->format, record);
	line->limit = LINE_SIZE;
	if (line->full) {
		line_put_str(line, json ? ",\"cut\":true" : " cut=true");
	}
	line_put_str(line, json ? "}\n" : "\n");
}
