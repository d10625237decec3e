#include "stock_order/client/tally.h"

void tally_send(struct tally *tally)
{
	tally->sent++;
}

static void count_failure(struct tally *tally, enum client_exit failure)
{
	if (tally->failed == 0) {
		tally->failure = failure;
	} else if (tally->failure != failure) {
		tally->failure = CLIENT_EXIT_FAILED;
	}
	tally->failed++;
}

void tally_answer(struct tally *tally, enum status_code code, int64_t ns)
{
	if (code == STATUS_OK) {
		tally->accepted++;
		latency_add(&tally->latency, ns);
	} else if (code == STATUS_CANCELLED) {
		tally->cancelled++;
	} else {
		count_failure(tally, client_exit_of(code));
	}
}

enum client_exit tally_exit(const struct tally *tally)
{
	if (tally->failed == 0) {
		return CLIENT_EXIT_OK;
	}
	return tally->accepted == 0 ? tally->failure : CLIENT_EXIT_FAILED;
}
