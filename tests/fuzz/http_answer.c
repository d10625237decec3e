/*
 * A server's answer to an order, down to what a client prints of it: an id or a
 * reason, on one line of UTF-8 without control characters. The first byte picks
 * the HTTP status.
 */
#include <string.h>

#include "fuzz.h"
#include "stock_order/client/http_answer.h"
#include "stock_order/client/run_text.h"
#include "text/utf8.h"

static const long statuses[] = { 200, 201, 400, 404, 409, 422, 503, 599, 0 };

static void check_line(const struct order_outcome *outcome)
{
	char line[RUN_LINE_SIZE];
	size_t size = run_text_outcome(outcome, line, sizeof(line));

	MUST(size == strlen(line));
	MUST(size > 0 && line[size - 1] == '\n');
	MUST(utf8_is_valid(line, size));
	for (size_t i = 0; i + 1 < size; i++) {
		MUST((unsigned char)line[i] >= 0x20 && line[i] != 0x7F);
		/* C1, in the only form that it has in UTF-8. */
		MUST((unsigned char)line[i] != 0xC2 ||
		     (unsigned char)line[i + 1] >= 0xA0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct order_outcome outcome = { .number = 1, .status = status_ok() };
	char id[ORDER_ID_SIZE];
	long http_status;

	if (size == 0) {
		return 0;
	}
	http_status =
		statuses[data[0] % (sizeof(statuses) / sizeof(statuses[0]))];
	if (http_answer_read(http_status, (const char *)data + 1, size - 1, id,
			     &outcome.status) == STATUS_OK) {
		MUST(http_status / 100 == 2);
		MUST(id[0] != '\0' && strlen(id) < ORDER_ID_SIZE);
		outcome.id = id;
	} else {
		MUST(outcome.status.code != STATUS_OK);
		MUST(outcome.status.message[0] != '\0');
	}
	check_line(&outcome);
	return 0;
}
