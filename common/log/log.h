/*
 * Logging: one line an event, as text or as one JSON object.
 *
 *	log_info(ctx, LOG_FIELDS(LOG_INT("rows", 1), LOG_STR("cause", name)),
 *		 "TRANSACTION COMMITTED for task_id=%s", task_id);
 *
 * text: 2026-01-31T12:00:00.123456Z INFO  [WORKER] TRANSACTION COMMITTED for
 *       task_id=t1 request_id=r1 trace_id=... rows=1 cause=finished
 * json: {"ts":"...","level":"info","component":"WORKER","pid":7,"msg":"...",
 *       "request_id":"r1","trace_id":"...","rows":1,"cause":"finished"}
 *
 * Whatever a client sent is escaped: a line is always one line, of valid UTF-8.
 *
 * Lines go to stderr. A call formats on the caller's thread into a bounded
 * buffer and returns; one writer thread writes what has gathered. It never
 * blocks: when the buffer is full the line is counted, and the number of lines
 * lost is logged once there is room. log_flush() and exit write everything.
 *
 * A message is cut at 4096 bytes and a value at 1024, with "..."; fields
 * that do not fit into a line (8 KiB) are left out whole, and cut=true says so.
 * Keys are the program's own plain words, and are not escaped.
 *
 * Thread-safety: all functions, any thread, after log_init().
 */
#ifndef RESCIND_LOG_H
#define RESCIND_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "ctx/ctx.h"
#include "status/status.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
enum log_format { LOG_TEXT, LOG_JSON };

struct log_options {
	const char *component; /* "ECHO"; shown as [ECHO] */
	enum log_level level;
	enum log_format format;
	int fd; /* where to, usually STDERR_FILENO */
};

/* Once, before other threads. Before it, lines go to stderr synchronously. */
MUSTCHECK enum status_code log_init(const struct log_options *options,
				    struct status *reterr);
/* Write out everything gathered. Blocks; not for threads that poll. */
void log_flush(void);
/*
 * Flush and end the writer thread; gives up after five seconds on a descriptor
 * that takes nothing. Runs at exit by itself. Lines after it are written at
 * once, by their callers.
 */
void log_close(void);

struct log_field {
	const char *key; /* NULL ends a list */
	enum { LOG_FIELD_STR, LOG_FIELD_INT, LOG_FIELD_MS } type;
	union {
		const char *str;
		int64_t integer; /* for MS: nanoseconds, shown as "1.234" */
	};
};
#define LOG_STR(k, v)                                                          \
	{                                                                      \
		.key = (k), .type = LOG_FIELD_STR, .str = (v)                  \
	}
#define LOG_INT(k, v)                                                          \
	{                                                                      \
		.key = (k), .type = LOG_FIELD_INT, .integer = (int64_t)(v)     \
	}
#define LOG_MS(k, ns)                                                          \
	{                                                                      \
		.key = (k), .type = LOG_FIELD_MS, .integer = (int64_t)(ns)     \
	}
#define LOG_FIELDS(...)                                                        \
	((const struct log_field[]){ __VA_ARGS__, { .key = NULL } })

bool log_enabled(enum log_level level);
void log_set_level(enum log_level level);

/* @ctx and @fields may be NULL. */
void log_write(enum log_level level, const struct ctx *ctx,
	       const struct log_field *fields, const char *fmt, ...)
	PRINTF_LIKE(4, 5);

#define log_at(level, ...)                                                     \
	do {                                                                   \
		if (log_enabled(level)) {                                      \
			log_write((level), __VA_ARGS__);                       \
		}                                                              \
	} while (0)
#define log_debug(...) log_at(LOG_DEBUG, __VA_ARGS__)
#define log_info(...)  log_at(LOG_INFO, __VA_ARGS__)
#define log_warn(...)  log_at(LOG_WARN, __VA_ARGS__)
#define log_error(...) log_at(LOG_ERROR, __VA_ARGS__)

#endif
