/* A query: its parameters are texts inside it, in order, and found by name. */
#include <string.h>

#include "fuzz.h"
#include "http/query.h"
#include "rpc/wire.h"

/* Ended within the @size bytes of @buf and the one behind them. */
static void check_text(const char *text, const char *buf, size_t size)
{
	size_t at = (size_t)(text - buf);
	size_t length;

	if (*text == '\0') {
		return; /* may be a constant */
	}
	MUST(text >= buf && at < size);
	length = strnlen(text, size + 1 - at);
	MUST(length <= size - at);
	MUST(wire_is_text((const uint8_t *)text, length));
}

/* No name stands before the end of the one before it. */
static void check_params(const struct http_params *params, const char *buf,
			 size_t size)
{
	const char *last = NULL;

	MUST(params->nr <= HTTP_PARAMS_MAX);
	for (size_t i = 0; i < params->nr; i++) {
		const char *name = params->at[i].name;
		const char *value = params->at[i].value;

		check_text(name, buf, size);
		check_text(value, buf, size);
		MUST(last == NULL || name > last);
		last = *value != '\0' ? value + strlen(value)
				      : name + strlen(name);
		MUST(last <= buf + size);
	}
}

/* The first of a name is found, and no name that is not there. */
static void check_lookups(const struct http_params *params)
{
	for (size_t i = 0; i < params->nr; i++) {
		const char *name = params->at[i].name;
		const char *found = http_params_get(params, name);
		size_t first = 0;

		while (strcmp(params->at[first].name, name) != 0) {
			first++;
		}
		MUST(found == params->at[first].value);
	}
	MUST(http_params_get(params, "\xff is no text") == NULL);
}

/* Pieces that are not empty, each a parameter. */
static size_t count_pieces(const uint8_t *data, size_t size)
{
	size_t nr = 0;

	for (size_t i = 0; i < size; i++) {
		nr += data[i] != '&' && (i == 0 || data[i - 1] == '&');
	}
	return nr;
}

static bool has_nul(const uint8_t *data, size_t size)
{
	return memchr(data, '\0', size) != NULL ||
	       memmem(data, size, "%00", 3) != NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *buf = malloc(size + 1);
	struct http_params params;
	struct status st;

	MUST(buf != NULL);
	memcpy(buf, data, size);
	buf[size] = '?'; /* to be written over, not relied upon */
	if (http_params_parse(&params, buf, size, &st) != STATUS_OK) {
		MUST(st.code == STATUS_INVALID_ARGUMENT);
		MUST(st.message[0] != '\0');
		MUST(params.nr == 0);
		MUST(http_params_get(&params, "") == NULL);
	} else {
		MUST(!has_nul(data, size));
		MUST(params.nr == count_pieces(data, size));
		check_params(&params, buf, size);
		check_lookups(&params);
	}
	http_params_release(&params);
	free(buf);
	return 0;
}
