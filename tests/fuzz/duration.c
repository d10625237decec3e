/* Text as a duration: what parses is not negative, and is written as it reads.
 */
#include <string.h>

#include "flags/flags.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	char again[DURATION_TEXT_SIZE];
	struct status st;
	int64_t ns;
	int64_t ns_again;

	MUST(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	if (duration_parse(text, &ns, &st) != STATUS_OK) {
		MUST(st.code == STATUS_INVALID_ARGUMENT);
		MUST(st.message[0] != '\0');
	} else {
		MUST(ns >= 0);
		duration_format(ns, again, sizeof(again));
		MUST(duration_parse(again, &ns_again, &st) == STATUS_OK);
		MUST(ns_again == ns);
	}
	free(text);
	return 0;
}
