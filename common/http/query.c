/* Percent-encoding, and parameters made of it. */
#include "http/query.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "http/http.h"
#include "loop/bug.h"
#include "text/utf8.h"

/* ---- percent-encoding --------------------------------------------------- */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9') {
		return c - '0';
	}
	if (c >= 'a' && c <= 'f') {
		return c - 'a' + 10;
	}
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The byte that "%XY" at @at means; -1 when it is no escape. */
static int escaped_byte(const char *at, size_t size)
{
	int high, low;

	if (size < 3) {
		return -1;
	}
	high = hex_digit(at[1]);
	low = hex_digit(at[2]);
	return high < 0 || low < 0 ? -1 : high * 16 + low;
}

enum status_code http_percent_decode(char *buf, size_t size, bool plus,
				     size_t *ret_size, struct status *reterr)
{
	size_t in = 0, out = 0;

	while (in < size) {
		int byte = (unsigned char)buf[in];
		size_t step = 1;

		if (byte == '%') {
			byte = escaped_byte(buf + in, size - in);
			step = 3;
		} else if (byte == '+' && plus) {
			byte = ' ';
		}
		if (byte < 0) {
			return status_set(reterr, STATUS_INVALID_ARGUMENT,
					  "bad percent-encoding");
		}
		if (byte == 0) {
			return status_set(reterr, STATUS_INVALID_ARGUMENT,
					  "contains a NUL");
		}
		buf[out++] = (char)byte;
		in += step;
	}
	buf[out] = '\0';
	if (!utf8_is_valid(buf, out)) {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "is not UTF-8");
	}
	*ret_size = out;
	return STATUS_OK;
}

static bool is_unreserved(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z') || c == '-' || c == '.' || c == '_' ||
	       c == '~';
}

void http_percent_encode(const char *text, char *ret)
{
	static const char hex[] = "0123456789ABCDEF";

	for (; *text != '\0'; text++) {
		unsigned char byte = (unsigned char)*text;

		if (is_unreserved(*text)) {
			*ret++ = *text;
		} else {
			*ret++ = '%';
			*ret++ = hex[byte >> 4];
			*ret++ = hex[byte & 15];
		}
	}
	*ret = '\0';
}

/* ---- parameters --------------------------------------------------------- */

static size_t count_pieces(const char *text, size_t size)
{
	size_t nr = 1;

	for (size_t i = 0; i < size; i++) {
		nr += text[i] == '&';
	}
	return nr;
}

static enum status_code parse_piece(struct http_param *param, char *text,
				    size_t size, struct status *reterr)
{
	static const char empty[] = "";
	char *sign = memchr(text, '=', size);
	size_t name_size = sign != NULL ? (size_t)(sign - text) : size;
	size_t unused;

	if (http_percent_decode(text, name_size, true, &unused, reterr) !=
	    STATUS_OK) {
		return status_wrap(reterr, "parameter name");
	}
	param->name = text;
	param->value = empty;
	if (sign == NULL) {
		return STATUS_OK;
	}
	if (http_percent_decode(sign + 1, size - name_size - 1, true, &unused,
				reterr) != STATUS_OK) {
		return status_wrap(reterr, "parameter '%s'", param->name);
	}
	param->value = sign + 1;
	return STATUS_OK;
}

enum status_code http_params_parse(struct http_params *params, char *text,
				   size_t size, struct status *reterr)
{
	size_t nr_max = count_pieces(text, size);
	char *end = text + size;

	params->nr = 0;
	params->at = NULL;
	if (size == 0) {
		return STATUS_OK;
	}
	if (nr_max > HTTP_PARAMS_MAX) {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "more than %d parameters", HTTP_PARAMS_MAX);
	}
	params->at = calloc(nr_max, sizeof(params->at[0]));
	BUG_IF(params->at == NULL, "out of memory");
	while (text <= end) {
		char *sep = memchr(text, '&', (size_t)(end - text));
		char *stop = sep != NULL ? sep : end;

		if (stop > text &&
		    parse_piece(&params->at[params->nr++], text,
				(size_t)(stop - text), reterr) != STATUS_OK) {
			http_params_release(params);
			return STATUS_INVALID_ARGUMENT;
		}
		text = stop + 1;
	}
	return STATUS_OK;
}

const char *http_params_get(const struct http_params *params, const char *name)
{
	for (size_t i = 0; i < params->nr; i++) {
		if (strcmp(params->at[i].name, name) == 0) {
			return params->at[i].value;
		}
	}
	return NULL;
}

void http_params_release(struct http_params *params)
{
	free(params->at);
	params->at = NULL;
	params->nr = 0;
}
