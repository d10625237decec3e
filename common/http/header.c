/* Header fields: the few that every request is checked for. */
#include <string.h>
#include <strings.h>

#include "http/internal.h"

struct gathering {
	struct http_fields *fields;
	/* Behind what was looked at so far, in the connection's memory. */
	const char *at;
};

static bool is_name(const char *key, const char *name)
{
	return strcasecmp(key, name) == 0;
}

static void gather_framing(struct http_fields *fields, const char *key,
			   const char *value)
{
	if (is_name(key, "Content-Length")) {
		fields->content_length_nr++;
		fields->content_length = value;
	} else if (is_name(key, "Transfer-Encoding")) {
		fields->transfer_encoding_nr++;
		fields->transfer_encoding = value;
	} else if (is_name(key, "Host")) {
		fields->host_nr++;
	}
}

static void gather_facts(struct http_fields *fields, const char *key,
			 const char *value, size_t value_size)
{
	if (is_name(key, "X-Request-ID")) {
		fields->request_id = value;
	} else if (is_name(key, "traceparent")) {
		fields->traceparent = value;
	} else if (is_name(key, "Content-Type")) {
		fields->content_type = value;
	} else if (is_name(key, "Expect")) {
		fields->expect = value;
	} else if (is_name(key, "Cookie")) {
		/* A copy is made of it. */
		fields->memory += value_size;
	}
}

/* ---- nothing may be hidden ---------------------------------------------- */

static bool is_token(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (text[i] <= ' ' || text[i] == 0x7F) {
			return false;
		}
	}
	return size > 0;
}

/*
 * Libmicrohttpd cuts a value at a NUL, takes "Content-Length :" for the name of
 * some other field, and mixes up names and values of folded lines: each a way
 * to show it another request than the proxy in front of it saw. All of them
 * leave a trace in where the texts stand, for lines that were taken whole
 * follow upon each other without a gap: a line end (one byte or two), the name,
 * a colon, blanks, the value.
 */
static bool is_whole(const char *at, const char *key, size_t key_size,
		     const char *value, size_t value_size)
{
	const char *blank = key + key_size + 1;

	if ((key != at + 1 && key != at + 2) || !is_token(key, key_size)) {
		return false;
	}
	while (blank < value && (*blank == ' ' || *blank == '\t')) {
		blank++;
	}
	return blank == value && memchr(value, '\r', value_size) == NULL;
}

/* Most fields are sorted out by the size of their names. */
static enum MHD_Result gather(void *arg, enum MHD_ValueKind kind,
			      const char *key, size_t key_size,
			      const char *value, size_t value_size)
{
	struct gathering *gathering = arg;
	struct http_fields *fields = gathering->fields;

	(void)kind;
	if (value == NULL ||
	    !is_whole(gathering->at, key, key_size, value, value_size)) {
		fields->malformed = true;
		return MHD_NO;
	}
	gathering->at = value + value_size;
	switch (key_size) {
	case sizeof("Host") - 1:
	case sizeof("Content-Length") - 1:
	case sizeof("Transfer-Encoding") - 1:
		gather_framing(fields, key, value);
		break;
	case sizeof("Expect") - 1: /* and Cookie */
	case sizeof("traceparent") - 1:
	case sizeof("X-Request-ID") - 1: /* and Content-Type */
		gather_facts(fields, key, value, value_size);
		break;
	default:
		break;
	}
	return MHD_YES;
}

void http_fields_gather(struct MHD_Connection *mhd, const char *method,
			const char *version, struct http_fields *ret_fields)
{
	struct gathering gathering = { ret_fields, version + strlen(version) };
	size_t size = MHD_get_connection_info(
			      mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE)
			      ->header_size;
	int entries = MHD_get_connection_values_n(
		mhd, MHD_HEADER_KIND | MHD_GET_ARGUMENT_KIND | MHD_COOKIE_KIND,
		NULL, NULL);
	ptrdiff_t rest;

	memset(ret_fields, 0, sizeof(*ret_fields));
	ret_fields->memory = size + (size_t)entries * HTTP_ENTRY_SIZE;
	MHD_get_connection_values_n(mhd, MHD_HEADER_KIND, gather, &gathering);
	/* Two line ends close the header. */
	rest = method + size - gathering.at;
	ret_fields->malformed |= rest < 2 || rest > 4;
}

/* ---- framing ------------------------------------------------------------ */

static struct http_refusal refuse(const char *text)
{
	return (struct http_refusal){ MHD_HTTP_BAD_REQUEST,
				      STATUS_INVALID_ARGUMENT, text };
}

/*
 * libmicrohttpd takes the first of several and lets Transfer-Encoding win; a
 * proxy in front of us may choose otherwise, and then two different requests
 * are read from the same bytes.
 */
struct http_refusal http_fields_check(const struct http_fields *fields,
				      bool http_1_0)
{
	if (fields->malformed) {
		return refuse("a malformed header field");
	}
	if (fields->host_nr == 0 && !http_1_0) {
		return refuse("no Host");
	}
	if (fields->content_length_nr > 1) {
		return refuse("more than one Content-Length");
	}
	if (fields->host_nr > 1) {
		return refuse("more than one Host");
	}
	if (fields->transfer_encoding_nr == 0) {
		return (struct http_refusal){ 0 };
	}
	if (fields->transfer_encoding_nr > 1) {
		return refuse("more than one Transfer-Encoding");
	}
	if (fields->content_length_nr > 0) {
		return refuse("both Content-Length and Transfer-Encoding");
	}
	if (http_1_0) {
		return refuse("Transfer-Encoding in an HTTP/1.0 request");
	}
	if (strcasecmp(fields->transfer_encoding, "chunked") != 0) {
		return refuse("a Transfer-Encoding other than chunked");
	}
	return (struct http_refusal){ 0 };
}

void http_request_id_clean(const char *text, char ret[HTTP_REQUEST_ID_MAX + 1])
{
	size_t size = 0;

	for (; text[size] != '\0' && size < HTTP_REQUEST_ID_MAX; size++) {
		ret[size] = text[size] > ' ' && text[size] <= '~' ? text[size]
								  : '_';
	}
	ret[size] = '\0';
}
