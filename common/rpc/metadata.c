/* Slices to values and back. */
#include "rpc/metadata.h"

#include <stdlib.h>
#include <string.h>

#include "loop/bug.h"
#include "rpc/wire.h"
#include "text/utf8.h"

static const char key_request_id[] = "request-id";
static const char key_traceparent[] = "traceparent";

/* ---- text --------------------------------------------------------------- */

/* How many bytes the character at @data has; 0 if it is none to be shown. */
static size_t character_size(const uint8_t *data, size_t size)
{
	return data[0] != '\0' ? utf8_size((const char *)data, size) : 0;
}

void text_clean(const uint8_t *data, size_t size, char *ret, size_t ret_size)
{
	size_t at = 0;

	BUG_IF(ret_size == 0, "no room for a text");
	if (size < ret_size && wire_is_text(data, size)) {
		memcpy(ret, data, size);
		ret[size] = '\0';
		return;
	}
	for (size_t i = 0; i < size;) {
		size_t n = character_size(data + i, size - i);
		size_t step = n > 0 ? n : 1;

		if (at + step >= ret_size) {
			break;
		}
		if (n > 0) {
			memcpy(ret + at, data + i, n);
		} else {
			ret[at] = '?';
		}
		at += step;
		i += step;
	}
	ret[at] = '\0';
}

static bool is_plain(uint8_t byte)
{
	return byte >= 0x20 && byte <= 0x7E;
}

static bool all_plain(const uint8_t *data, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (!is_plain(data[i])) {
			return false;
		}
	}
	return true;
}

/* Percent-encode what is not plain, as gRPC does with its status messages. */
static grpc_slice encode(const uint8_t *data, size_t size)
{
	static const char hex[] = "0123456789ABCDEF";
	grpc_slice slice = grpc_slice_malloc_large(3 * size);
	uint8_t *at = GRPC_SLICE_START_PTR(slice);

	for (size_t i = 0; i < size; i++) {
		if (is_plain(data[i])) {
			*at++ = data[i];
		} else {
			*at++ = '%';
			*at++ = (uint8_t)hex[data[i] >> 4];
			*at++ = (uint8_t)hex[data[i] & 15];
		}
	}
	GRPC_SLICE_SET_LENGTH(slice, at - GRPC_SLICE_START_PTR(slice));
	return slice;
}

static int hex_value(uint8_t c)
{
	if (c >= '0' && c <= '9') {
		return c - '0';
	}
	if (c >= 'A' && c <= 'F') {
		return c - 'A' + 10;
	}
	return -1;
}

/*
 * Undo encode(), but for nothing that it would have left alone: another
 * client's "50%20" stays as it is.
 */
static size_t decode(const uint8_t *data, size_t size, uint8_t *ret)
{
	size_t at = 0;

	for (size_t i = 0; i < size; i++) {
		int high = -1, low = -1;

		if (data[i] == '%' && size - i > 2) {
			high = hex_value(data[i + 1]);
			low = hex_value(data[i + 2]);
		}
		if (high >= 8 && low >= 0) {
			ret[at++] = (uint8_t)(high << 4 | low);
			i += 2;
		} else {
			ret[at++] = data[i];
		}
	}
	return at;
}

/* ---- out ---------------------------------------------------------------- */

void metadata_out_init(struct metadata_out *out)
{
	out->items = out->inline_items;
	out->count = 0;
	out->capacity = METADATA_INLINE;
}

void metadata_out_release(struct metadata_out *out)
{
	for (size_t i = 0; i < out->count; i++) {
		grpc_slice_unref(out->items[i].key);
		grpc_slice_unref(out->items[i].value);
	}
	if (out->items != out->inline_items) {
		free(out->items);
	}
	metadata_out_init(out);
}

static grpc_metadata *grow(struct metadata_out *out)
{
	if (out->count == out->capacity) {
		size_t size = 2 * out->capacity * sizeof(*out->items);
		grpc_metadata *items = malloc(size);

		BUG_IF(items == NULL, "out of memory for metadata");
		memcpy(items, out->items, out->count * sizeof(*items));
		if (out->items != out->inline_items) {
			free(out->items);
		}
		out->items = items;
		out->capacity *= 2;
	}
	return &out->items[out->count++];
}

static void add(struct metadata_out *out, grpc_slice key, const void *value,
		size_t size)
{
	grpc_metadata *item = grow(out);

	item->key = key;
	if (grpc_is_binary_header(key) || all_plain(value, size)) {
		item->value = grpc_slice_from_copied_buffer(value, size);
	} else {
		item->value = encode(value, size);
	}
}

void metadata_out_add(struct metadata_out *out, const char *key,
		      const void *value, size_t size)
{
	grpc_slice slice = grpc_slice_from_copied_string(key);

	BUG_IF(!grpc_header_key_is_legal(slice), "illegal metadata key");
	add(out, slice, value, size);
}

void metadata_out_add_facts(struct metadata_out *out, const struct ctx *ctx)
{
	const char *request_id = ctx_request_id(ctx);
	const struct trace *trace = ctx_trace(ctx);
	char traceparent[TRACEPARENT_SIZE];

	if (request_id[0] != '\0') {
		add(out, grpc_slice_from_static_string(key_request_id),
		    request_id, strlen(request_id));
	}
	if (trace->present) {
		trace_format(trace, traceparent);
		add(out, grpc_slice_from_static_string(key_traceparent),
		    traceparent, strlen(traceparent));
	}
}

/* ---- in ----------------------------------------------------------------- */

static bool slice_is(const grpc_slice *slice, const char *text, size_t size)
{
	return GRPC_SLICE_LENGTH(*slice) == size &&
	       memcmp(GRPC_SLICE_START_PTR(*slice), text, size) == 0;
}

const grpc_slice *metadata_find(const grpc_metadata_array *in, const char *key)
{
	size_t size = strlen(key);

	for (size_t i = 0; i < in->count; i++) {
		if (slice_is(&in->metadata[i].key, key, size)) {
			return &in->metadata[i].value;
		}
	}
	return NULL;
}

/* It goes into log lines: control characters may not. */
static void set_request_id(struct ctx *ctx, const grpc_slice *value)
{
	uint8_t raw[REQUEST_ID_SIZE];
	char text[REQUEST_ID_SIZE];
	size_t size = GRPC_SLICE_LENGTH(*value);

	size = decode(GRPC_SLICE_START_PTR(*value),
		      size < sizeof(raw) ? size : sizeof(raw), raw);
	for (size_t i = 0; i < size; i++) {
		if (raw[i] < 0x20 || raw[i] == 0x7F) {
			raw[i] = '?';
		}
	}
	text_clean(raw, size, text, sizeof(text));
	ctx_set_request_id(ctx, text);
}

static void set_trace(struct ctx *ctx, const grpc_slice *value)
{
	char text[2 * TRACEPARENT_SIZE];
	struct trace trace;

	text_clean(GRPC_SLICE_START_PTR(*value), GRPC_SLICE_LENGTH(*value),
		   text, sizeof(text));
	trace = trace_continue(text);
	ctx_set_trace(ctx, &trace);
}

void metadata_set_facts(const grpc_metadata_array *in, struct ctx *ctx)
{
	const grpc_slice *request_id = metadata_find(in, key_request_id);
	const grpc_slice *traceparent = metadata_find(in, key_traceparent);

	if (request_id != NULL && GRPC_SLICE_LENGTH(*request_id) > 0) {
		set_request_id(ctx, request_id);
	}
	if (traceparent != NULL) {
		set_trace(ctx, traceparent);
	}
}

static char *slice_text(struct arena *arena, const grpc_slice *slice)
{
	return arena_text(arena, GRPC_SLICE_START_PTR(*slice),
			  GRPC_SLICE_LENGTH(*slice));
}

struct rpc_metadata metadata_view(const grpc_metadata_array *in,
				  struct arena *arena)
{
	struct rpc_metadatum *items;

	if (in->count == 0) {
		return (struct rpc_metadata){ NULL, 0 };
	}
	items = arena_alloc(arena, in->count * sizeof(*items));
	for (size_t i = 0; i < in->count; i++) {
		const grpc_metadata *item = &in->metadata[i];

		items[i].key = slice_text(arena, &item->key);
		items[i].value = slice_text(arena, &item->value);
		items[i].size = GRPC_SLICE_LENGTH(item->value);
	}
	return (struct rpc_metadata){ items, in->count };
}

/* ---- statuses ----------------------------------------------------------- */

struct status status_from_wire(grpc_status_code code, grpc_slice text)
{
	struct status status = status_ok();

	if ((int)code < 0 || (int)code >= STATUS_CODE_NR) {
		code = GRPC_STATUS_UNKNOWN;
	}
	status.code = (enum status_code)code;
	text_clean(GRPC_SLICE_START_PTR(text), GRPC_SLICE_LENGTH(text),
		   status.message, sizeof(status.message));
	return status;
}

grpc_slice status_text_to_wire(const struct status *status)
{
	char text[STATUS_MESSAGE_SIZE];

	if (status->message[0] == '\0') {
		return grpc_empty_slice();
	}
	text_clean((const uint8_t *)status->message, strlen(status->message),
		   text, sizeof(text));
	return grpc_slice_from_copied_string(text);
}

/* ---- deadlines ---------------------------------------------------------- */

gpr_timespec deadline_to_wire(int64_t deadline_ns)
{
	gpr_timespec at;

	if (deadline_ns == CLOCK_NEVER) {
		return gpr_inf_future(GPR_CLOCK_MONOTONIC);
	}
	at.tv_sec = deadline_ns / NS_PER_S;
	at.tv_nsec = (int32_t)(deadline_ns % NS_PER_S);
	at.clock_type = GPR_CLOCK_MONOTONIC;
	return at;
}

int64_t deadline_from_wire(gpr_timespec deadline)
{
	gpr_timespec never = gpr_inf_future(deadline.clock_type);

	deadline = gpr_convert_clock_type(deadline, GPR_CLOCK_MONOTONIC);
	if (gpr_time_cmp(deadline, never) >= 0 ||
	    deadline.tv_sec > INT64_MAX / NS_PER_S - 1) {
		return CLOCK_NEVER;
	}
	return deadline.tv_sec * NS_PER_S + deadline.tv_nsec;
}
