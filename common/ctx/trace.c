/* W3C trace context: reading and writing traceparent, and making ids. */
#include <string.h>
#include <sys/random.h>

#include "ctx/ctx.h"
#include "loop/bug.h"

/* Offsets in "00-<32 trace id>-<16 parent id>-<2 flags>". */
enum {
	AT_TRACE_ID = 3,
	AT_PARENT_ID = 36,
	AT_FLAGS = 53,
	LENGTH = TRACEPARENT_SIZE - 1,
	SAMPLED = 1,
};

/* ---- ids -------------------------------------------------------------------
 * xoshiro256** (Blackman and Vigna, public domain), one a thread, seeded by the
 * kernel once: ids have to be unique, not secret, and cost no call each.
 */

static _Thread_local uint64_t state[4];

static uint64_t rotl(uint64_t x, int k)
{
	return (x << k) | (x >> (64 - k));
}

static void seed(void)
{
	while ((state[0] | state[1] | state[2] | state[3]) == 0) {
		BUG_IF(getrandom(state, sizeof(state), 0) !=
			       (ssize_t)sizeof(state),
		       "the kernel has no random numbers");
	}
}

static uint64_t random_next(void)
{
	uint64_t result, t;

	seed();
	result = rotl(state[1] * 5, 7) * 9;
	t = state[1] << 17;
	state[2] ^= state[0];
	state[3] ^= state[1];
	state[1] ^= state[2];
	state[0] ^= state[3];
	state[2] ^= t;
	state[3] = rotl(state[3], 45);
	return result;
}

/* All zero means "no id", so that is never drawn. */
static uint64_t random_nonzero(void)
{
	uint64_t value;

	do {
		value = random_next();
	} while (value == 0);
	return value;
}

/* ---- text --------------------------------------------------------------- */

/* -1 for anything but lower-case hexadecimal: the standard allows no other. */
static int hex_value(char c)
{
	if (c >= '0' && c <= '9') {
		return c - '0';
	}
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool hex_read(const char *text, uint8_t *ret, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		int high = hex_value(text[2 * i]);
		int low = hex_value(text[2 * i + 1]);

		if (high < 0 || low < 0) {
			return false;
		}
		ret[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

static char *hex_write(char *at, const uint8_t *bytes, size_t size)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < size; i++) {
		*at++ = digits[bytes[i] >> 4];
		*at++ = digits[bytes[i] & 15];
	}
	return at;
}

static bool all_zero(const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (bytes[i] != 0) {
			return false;
		}
	}
	return true;
}

/* Version 00 ends after the flags; a later one may go on after a dash. */
static bool has_shape(const char *text, uint8_t *ret_version)
{
	size_t length = strnlen(text, LENGTH + 1);

	if (length < LENGTH || !hex_read(text, ret_version, 1) ||
	    *ret_version == 0xff || text[AT_TRACE_ID - 1] != '-' ||
	    text[AT_PARENT_ID - 1] != '-' || text[AT_FLAGS - 1] != '-') {
		return false;
	}
	return length == LENGTH || (*ret_version > 0 && text[LENGTH] == '-');
}

static bool parse(const char *text, struct trace *ret_trace)
{
	struct trace trace = { .present = true };
	uint8_t version;

	if (!has_shape(text, &version) ||
	    !hex_read(text + AT_TRACE_ID, trace.trace_id,
		      sizeof(trace.trace_id)) ||
	    !hex_read(text + AT_PARENT_ID, trace.parent_id,
		      sizeof(trace.parent_id)) ||
	    !hex_read(text + AT_FLAGS, &trace.flags, 1) ||
	    all_zero(trace.trace_id, sizeof(trace.trace_id)) ||
	    all_zero(trace.parent_id, sizeof(trace.parent_id))) {
		return false;
	}
	/* Of the flags only this one is known, and only that is passed on. */
	trace.flags &= SAMPLED;
	*ret_trace = trace;
	return true;
}

struct trace trace_continue(const char *traceparent)
{
	struct trace trace;
	uint64_t id[2];

	if (traceparent == NULL || !parse(traceparent, &trace)) {
		/* Not sampled: that is for one who records spans to decide. */
		trace = (struct trace){ .present = true };
		id[0] = random_next();
		id[1] = random_nonzero();
		memcpy(trace.trace_id, id, sizeof(trace.trace_id));
	}
	id[0] = random_nonzero();
	memcpy(trace.span_id, id, sizeof(trace.span_id));
	return trace;
}

void trace_format(const struct trace *trace, char ret[TRACEPARENT_SIZE])
{
	char *at = ret;

	*at++ = '0';
	*at++ = '0';
	*at++ = '-';
	at = hex_write(at, trace->trace_id, sizeof(trace->trace_id));
	*at++ = '-';
	at = hex_write(at, trace->span_id, sizeof(trace->span_id));
	*at++ = '-';
	at = hex_write(at, &trace->flags, 1);
	*at = '\0';
}
