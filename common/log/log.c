#include "log/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log/record.h"
#include "log/writer.h"
#include "loop/bug.h"

enum { COMPONENT_SIZE = 64 };

static struct {
	struct record_style style;
	int fd;
	char component[COMPONENT_SIZE];
} self = {
	.style = { .format = LOG_TEXT },
	.fd = STDERR_FILENO,
};

static atomic_int level_min = LOG_INFO;

bool log_enabled(enum log_level level)
{
	return (int)level >=
	       atomic_load_explicit(&level_min, memory_order_relaxed);
}

void log_set_level(enum log_level level)
{
	atomic_store_explicit(&level_min, (int)level, memory_order_relaxed);
}

static void render(struct line *line, enum log_level level,
		   const struct ctx *ctx, const struct log_field *fields,
		   const char *message)
{
	struct record record = {
		.level = level, .ctx = ctx, .fields = fields, .message = message
	};
	struct record_style style = self.style;

	BUG_IF(level < LOG_DEBUG || level > LOG_ERROR, "unknown log level");
	if (style.component == NULL) { /* before log_init() */
		style.component = program_invocation_short_name;
	}
	clock_gettime(CLOCK_REALTIME, &record.at);
	record_render(&record, &style, line);
}

static void render_lost(struct line *line, uint64_t count)
{
	render(line, LOG_WARN, NULL, LOG_FIELDS(LOG_INT("lost", count)),
	       "log lines were lost");
}

enum status_code log_init(const struct log_options *options,
			  struct status *reterr)
{
	static bool at_exit;

	snprintf(self.component, sizeof(self.component), "%s",
		 options->component);
	self.style = (struct record_style){ .format = options->format,
					    .component = self.component,
					    .pid = (int)getpid() };
	self.fd = options->fd;
	log_set_level(options->level);
	if (!at_exit && atexit(log_close) == 0) {
		at_exit = true;
	}
	return writer_start(self.fd, render_lost, reterr);
}

void log_flush(void)
{
	writer_flush();
}

void log_close(void)
{
	writer_stop();
}

void log_write(enum log_level level, const struct ctx *ctx,
	       const struct log_field *fields, const char *fmt, ...)
{
	char message[RECORD_MESSAGE_MAX + 2];
	struct line line;
	va_list args;
	int saved_errno = errno; /* for callers who log before they return it */

	va_start(args, fmt);
	if (vsnprintf(message, sizeof(message), fmt, args) < 0) {
		message[0] = '\0';
	}
	va_end(args);
	line_init(&line);
	render(&line, level, ctx, fields, message);
	writer_put(&line, self.fd);
	errno = saved_errno;
}
