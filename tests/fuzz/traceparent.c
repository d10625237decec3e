/* A traceparent: continued as it says or not at all, and passed on well. */
#include <string.h>

#include "ctx/ctx.h"
#include "fuzz.h"

/* Offsets in "00-<32 trace id>-<16 parent id>-<2 flags>". */
enum { AT_TRACE_ID = 3, AT_PARENT_ID = 36, AT_FLAGS = 53 };

static bool all_zero(const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (bytes[i] != 0) {
			return false;
		}
	}
	return true;
}

static bool is_hex(const char *text, size_t size)
{
	return strspn(text, "0123456789abcdef") >= size;
}

static void check_formatted(const char *text)
{
	MUST(strlen(text) == TRACEPARENT_SIZE - 1);
	MUST(memcmp(text, "00-", AT_TRACE_ID) == 0);
	MUST(is_hex(text + AT_TRACE_ID, 32));
	MUST(text[AT_PARENT_ID - 1] == '-');
	MUST(is_hex(text + AT_PARENT_ID, 16));
	MUST(text[AT_FLAGS - 1] == '-');
	MUST(is_hex(text + AT_FLAGS, 2));
}

/* What has a parent has it, and the trace, from the very text. */
static void check_parent(const struct trace *trace, const char *text)
{
	struct trace parent = *trace;
	char formatted[TRACEPARENT_SIZE];

	memcpy(parent.span_id, trace->parent_id, sizeof(parent.span_id));
	trace_format(&parent, formatted);
	MUST(strnlen(text, TRACEPARENT_SIZE - 1) == TRACEPARENT_SIZE - 1);
	MUST(memcmp(text + AT_TRACE_ID - 1, formatted + AT_TRACE_ID - 1,
		    AT_FLAGS - AT_TRACE_ID + 1) == 0);
	MUST(is_hex(text, 2) && memcmp(text, "ff", 2) != 0);
	MUST(text[TRACEPARENT_SIZE - 1] == '\0' ||
	     (text[TRACEPARENT_SIZE - 1] == '-' && memcmp(text, "00", 2) != 0));
}

/* The next process understands us. */
static void check_next(const struct trace *trace, const char *formatted)
{
	struct trace next = trace_continue(formatted);

	MUST(memcmp(next.trace_id, trace->trace_id, sizeof(next.trace_id)) ==
	     0);
	MUST(memcmp(next.parent_id, trace->span_id, sizeof(next.parent_id)) ==
	     0);
	MUST(memcmp(next.span_id, trace->span_id, sizeof(next.span_id)) != 0);
	MUST(next.flags == trace->flags);
}

static void check(const char *text)
{
	struct trace trace = trace_continue(text);
	char formatted[TRACEPARENT_SIZE];

	MUST(trace.present);
	MUST(trace.flags <= 1);
	MUST(!all_zero(trace.trace_id, sizeof(trace.trace_id)));
	MUST(!all_zero(trace.span_id, sizeof(trace.span_id)));
	if (all_zero(trace.parent_id, sizeof(trace.parent_id))) {
		MUST(trace.flags == 0);
	} else {
		check_parent(&trace, text);
	}
	memset(formatted, '?', sizeof(formatted));
	trace_format(&trace, formatted);
	check_formatted(formatted);
	check_next(&trace, formatted);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	MUST(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	check(text);
	free(text);
	return 0;
}
