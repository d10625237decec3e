/* Bytes of a query: what decodes is text, no longer than it was, and ended. */
#include <string.h>

#include "fuzz.h"
#include "http/http.h"
#include "rpc/wire.h"

static void decode(const uint8_t *data, size_t size, bool plus)
{
	char *buf = malloc(size + 1);
	struct status st;
	size_t decoded;

	MUST(buf != NULL);
	memcpy(buf, data, size);
	buf[size] = '\0';
	if (http_percent_decode(buf, size, plus, &decoded, &st) != STATUS_OK) {
		MUST(st.code == STATUS_INVALID_ARGUMENT);
		MUST(st.message[0] != '\0');
	} else {
		MUST(decoded <= size);
		MUST(strlen(buf) == decoded);
		MUST(wire_is_text((const uint8_t *)buf, decoded));
	}
	free(buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	decode(data, size, false);
	decode(data, size, true);
	return 0;
}
