#include "harness/caller.h"

#include <string.h>

/* Frames and codes of RFC 9113. */
enum {
	FRAME_HEAD = 9,
	FRAME_MAX = 16384,

	DATA = 0,
	HEADERS = 1,
	RST_STREAM = 3,
	SETTINGS = 4,
	PING = 6,
	GOAWAY = 7,
	WINDOW_UPDATE = 8,

	END_STREAM = 0x1,
	ACK = 0x1,
	END_HEADERS = 0x4,

	REFUSED_STREAM = 7,
	WINDOW_AT_FIRST = 65535,
};

/* gRPC puts a flag and a length before a message. */
enum { GRPC_HEAD = 5 };

/* ---- sending ------------------------------------------------------------- */

struct bytes {
	size_t size;
	unsigned char data[FRAME_MAX];
};

static void put(struct bytes *bytes, const void *data, size_t size)
{
	ck_assert_uint_le(bytes->size + size, sizeof(bytes->data));
	memcpy(bytes->data + bytes->size, data, size);
	bytes->size += size;
}

static void put_number(struct bytes *bytes, uint32_t value, int size)
{
	while (size-- > 0) {
		unsigned char byte = (unsigned char)(value >> 8 * size);

		put(bytes, &byte, 1);
	}
}

static void put_frame(struct bytes *bytes, unsigned type, unsigned flags,
		      uint32_t stream, const void *payload, size_t size)
{
	put_number(bytes, (uint32_t)size, 3);
	put_number(bytes, type, 1);
	put_number(bytes, flags, 1);
	put_number(bytes, stream, 4);
	if (size > 0) {
		put(bytes, payload, size);
	}
}

/* RFC 7541: a literal that nobody remembers, not in Huffman's code. */
static void put_text(struct bytes *bytes, const char *text)
{
	size_t size = strlen(text);

	ck_assert_uint_lt(size, 127);
	put_number(bytes, (uint32_t)size, 1);
	put(bytes, text, size);
}

static void put_field(struct bytes *bytes, const char *name, const char *value)
{
	put_number(bytes, 0, 1);
	put_text(bytes, name);
	put_text(bytes, value);
}

static void put_fields(struct bytes *bytes, const char *method, const char *key)
{
	put_field(bytes, ":method", "POST");
	put_field(bytes, ":scheme", "http");
	put_field(bytes, ":path", method);
	put_field(bytes, ":authority", "localhost");
	put_field(bytes, "content-type", "application/grpc");
	put_field(bytes, "te", "trailers");
	if (key != NULL) {
		put_field(bytes, "idempotency-key", key);
	}
}

static bool send_bytes(struct caller *caller, const struct bytes *bytes)
{
	return client_send(&caller->wire, bytes->data, bytes->size);
}

static void send_frame(struct caller *caller, unsigned type, unsigned flags,
		       const void *payload, size_t size)
{
	struct bytes bytes = { .size = 0 };

	put_frame(&bytes, type, flags, 0, payload, size);
	/* Where it does not arrive the connection's end will tell. */
	(void)send_bytes(caller, &bytes);
}

/* All that it may send us, at once: there is nothing to hold back. */
static void send_preface(struct caller *caller)
{
	static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
	static const unsigned char all[] = { 0x7F, 0xFF, 0, 0 };
	struct bytes bytes = { .size = 0 };

	put(&bytes, preface, sizeof(preface) - 1);
	put_frame(&bytes, SETTINGS, 0, 0, NULL, 0);
	put_frame(&bytes, WINDOW_UPDATE, 0, 0, all, sizeof(all));
	ck_assert(send_bytes(caller, &bytes));
}

void caller_open(struct caller *caller, int port)
{
	memset(caller, 0, sizeof(*caller));
	caller->window = WINDOW_AT_FIRST;
	client_open(&caller->wire, port);
	send_preface(caller);
}

void caller_close(struct caller *caller)
{
	client_close(&caller->wire);
}

uint32_t caller_call(struct caller *caller, const char *method, const char *key,
		     const void *message, size_t size)
{
	struct bytes fields = { .size = 0 };
	struct bytes data = { .size = 0 };
	struct bytes ping = { .size = 0 };
	struct bytes bytes = { .size = 0 };
	struct caller_answer *call = &caller->calls[caller->calls_n];

	ck_assert_uint_lt(caller->calls_n, CALLS_MAX);
	ck_assert_int_ge(caller->window, (int64_t)size + GRPC_HEAD);
	*call = (struct caller_answer){ .call = 2 * caller->calls_made + 1,
					.end = CALLER_LOST };
	caller->calls_made++;
	put_fields(&fields, method, key);
	put_number(&data, 0, 1);
	put_number(&data, (uint32_t)size, 4);
	put(&data, message, size);
	put_frame(&bytes, HEADERS, END_HEADERS, call->call, fields.data,
		  fields.size);
	put_frame(&bytes, DATA, END_STREAM, call->call, data.data, data.size);
	put_number(&ping, 0, 4);
	put_number(&ping, call->call, 4);
	put_frame(&bytes, PING, 0, 0, ping.data, ping.size);
	if (!send_bytes(caller, &bytes)) {
		return 0;
	}
	caller->window -= (int64_t)data.size;
	caller->calls_n++;
	return call->call;
}

/* ---- receiving ----------------------------------------------------------- */

static uint32_t number(const unsigned char *at, int size)
{
	uint32_t value = 0;

	while (size-- > 0) {
		value = value << 8 | *at++;
	}
	return value;
}

/* NULL for a call that is over. */
static struct caller_answer *find(struct caller *caller, uint32_t stream)
{
	for (size_t i = 0; i < caller->calls_n; i++) {
		if (caller->calls[i].call == stream) {
			return &caller->calls[i];
		}
	}
	return NULL;
}

static void gather(struct caller_answer *call, const unsigned char *data,
		   size_t size)
{
	size_t room = sizeof(call->message) - call->size;

	size = size < room ? size : room;
	memcpy(call->message + call->size, data, size);
	call->size += size;
}

static void keep_trailers(struct caller_answer *call,
			  const unsigned char *fields, size_t size)
{
	call->trailers_size = size < TRAILERS_SIZE ? size : TRAILERS_SIZE;
	memcpy(call->trailers, fields, call->trailers_size);
}

bool caller_answer_says(const struct caller_answer *answer, const char *text)
{
	return memmem(answer->trailers, answer->trailers_size, text,
		      strlen(text)) != NULL;
}

/* What is between the flag and length and the end. */
static void trim(struct caller_answer *call)
{
	if (call->size >= GRPC_HEAD) {
		call->size -= GRPC_HEAD;
		memmove(call->message, call->message + GRPC_HEAD, call->size);
		call->end = CALLER_MESSAGE;
	} else {
		call->end = CALLER_STATUS;
	}
}

static void take_out(struct caller *caller, struct caller_answer *call,
		     struct caller_answer *ret_answer)
{
	*ret_answer = *call;
	*call = caller->calls[--caller->calls_n];
}

static void take_setting(struct caller *caller, unsigned flags)
{
	if ((flags & ACK) == 0) {
		send_frame(caller, SETTINGS, ACK, NULL, 0);
	}
}

/* Ours is answered, or theirs has to be. */
static void take_ping(struct caller *caller, unsigned flags,
		      const unsigned char *payload, size_t size)
{
	struct caller_answer *call;

	if ((flags & ACK) == 0) {
		send_frame(caller, PING, ACK, payload, size);
		return;
	}
	call = find(caller, number(payload + 4, 4));
	if (call != NULL) {
		call->seen = !caller->told_to_go;
	}
}

static void take_goaway(struct caller *caller, const unsigned char *payload)
{
	caller->told_to_go = true;
	caller->last_looked_at = number(payload, 4);
}

/* Of the whole connection; true when @stream's call is over with it. */
static bool take_frame(struct caller *caller, const unsigned char *head,
		       const unsigned char *payload, size_t size)
{
	uint32_t stream = number(head + 5, 4);
	struct caller_answer *call = find(caller, stream);
	unsigned flags = head[4];

	switch (head[3]) {
	case DATA:
		if (call != NULL) {
			gather(call, payload, size);
		}
		break;
	case HEADERS:
		if (call != NULL && (flags & END_STREAM) != 0) {
			keep_trailers(call, payload, size);
			trim(call);
			return true;
		}
		break;
	case RST_STREAM:
		if (call != NULL) {
			call->end = number(payload, 4) == REFUSED_STREAM
					    ? CALLER_REFUSED
					    : CALLER_RESET;
			return true;
		}
		break;
	case SETTINGS:
		take_setting(caller, flags);
		break;
	case PING:
		take_ping(caller, flags, payload, size);
		break;
	case GOAWAY:
		take_goaway(caller, payload);
		break;
	case WINDOW_UPDATE:
		caller->window += stream == 0 ? number(payload, 4) : 0;
		break;
	default:
		break;
	}
	return false;
}

/* A whole frame at the front of the buffer; its stream where that made a call
 * be over, else 0. False: there is none. */
static bool take_one(struct caller *caller, uint32_t *ret_stream)
{
	unsigned char frame[FRAME_HEAD + FRAME_MAX];
	size_t size;

	if (caller->wire.size < FRAME_HEAD) {
		return false;
	}
	memcpy(frame, caller->wire.buf, FRAME_HEAD);
	size = number(frame, 3);
	ck_assert_uint_le(size, FRAME_MAX);
	if (caller->wire.size < FRAME_HEAD + size) {
		return false;
	}
	memcpy(frame, caller->wire.buf, FRAME_HEAD + size);
	client_consume(&caller->wire, FRAME_HEAD + size);
	*ret_stream = take_frame(caller, frame, frame + FRAME_HEAD, size)
			      ? number(frame + 5, 4)
			      : 0;
	return true;
}

/* One that was not looked at, as the server says; NULL: none. */
static struct caller_answer *find_refused(struct caller *caller)
{
	for (size_t i = 0; i < caller->calls_n && caller->told_to_go; i++) {
		if (caller->calls[i].call > caller->last_looked_at) {
			caller->calls[i].end = CALLER_REFUSED;
			return &caller->calls[i];
		}
	}
	return NULL;
}

/* Take in what is in the buffer, up to the end of a call. */
static struct caller_answer *take_all(struct caller *caller)
{
	uint32_t stream;

	while (take_one(caller, &stream)) {
		if (stream != 0) {
			return find(caller, stream);
		}
	}
	return find_refused(caller);
}

/* The connection has ended. */
static struct caller_answer *give_up_one(struct caller *caller)
{
	struct caller_answer *call = &caller->calls[0];

	call->end = caller->told_to_go && !call->seen ? CALLER_CROSSED
						      : CALLER_LOST;
	return call;
}

bool caller_receive_within(struct caller *caller,
			   struct caller_answer *ret_answer, int ms)
{
	int64_t until_ms = now_ms() + ms;
	struct caller_answer *call = take_all(caller);

	while (call == NULL && caller->calls_n > 0) {
		ssize_t n = client_receive_more(&caller->wire, until_ms);

		if (n < 0) {
			return false;
		}
		call = n > 0 ? take_all(caller) : give_up_one(caller);
	}
	if (call == NULL) {
		return false;
	}
	take_out(caller, call, ret_answer);
	return true;
}

bool caller_receive(struct caller *caller, struct caller_answer *ret_answer)
{
	return caller_receive_within(caller, ret_answer, PATIENCE_MS);
}

bool caller_may_call(struct caller *caller)
{
	ssize_t n;

	ck_assert_uint_eq(caller->calls_n, 0);
	do {
		(void)take_all(caller);
		n = client_receive_more(&caller->wire, now_ms());
	} while (n > 0);
	return n < 0 && !caller->told_to_go;
}
