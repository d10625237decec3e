#include "stock_order/client/run_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "flags/flags.h"
#include "text/utf8.h"

/* ---- pieces ------------------------------------------------------------- */

/* C0, DEL, and C1, which is two bytes in UTF-8. */
static bool is_control(uint32_t point)
{
	return point < 0x20 || (point >= 0x7F && point < 0xA0);
}

void run_text_tame(char *text)
{
	while (*text != '\0') {
		uint32_t point = 0;
		size_t size = utf8_decode(text, UTF8_SIZE_MAX, &point);

		if (size == 0) {
			*text++ = '?';
		} else if (is_control(point)) {
			memset(text, '?', size);
			text += size;
		} else {
			text += size;
		}
	}
}

void run_text_time(int64_t ns, char ret[RUN_TIME_SIZE])
{
	int64_t grain = ns >= NS_PER_S	  ? NS_PER_MS
			: ns >= NS_PER_MS ? NS_PER_US
					  : 1;

	duration_format(ns / grain * grain, ret, RUN_TIME_SIZE);
}

static size_t length(int wanted, size_t size)
{
	return wanted < 0	       ? 0
	       : (size_t)wanted < size ? (size_t)wanted
				       : size - 1;
}

/* ---- an outcome --------------------------------------------------------- */

static const char *verdict(enum status_code code)
{
	if (code == STATUS_OK) {
		return "accepted";
	}
	return code == STATUS_CANCELLED ? "cancelled" : "failed";
}

/* " 6f8e54b0-...", " UNAVAILABLE: connection refused", "" */
static void write_detail(const struct order_outcome *outcome, char *ret,
			 size_t size)
{
	const struct status *status = &outcome->status;

	ret[0] = '\0';
	if (status->code == STATUS_OK) {
		(void)snprintf(ret, size, " %s", outcome->id);
	} else if (status->code != STATUS_CANCELLED) {
		(void)snprintf(ret, size, " %s: %s",
			       status_code_name(status->code), status->message);
	}
	run_text_tame(ret);
}

size_t run_text_outcome(const struct order_outcome *outcome, char *ret,
			size_t size)
{
	char detail[STATUS_MESSAGE_SIZE + 64];
	char took[RUN_TIME_SIZE];

	write_detail(outcome, detail, sizeof(detail));
	run_text_time(outcome->took_ns, took);
	return length(snprintf(ret, size, "%" PRIu64 " %s %s%s\n",
			       outcome->number, verdict(outcome->status.code),
			       took, detail),
		      size);
}

/* ---- all of them -------------------------------------------------------- */

static size_t write_counts(const struct tally *tally, char *ret, size_t size)
{
	return length(snprintf(ret, size,
			       "sent %" PRIu64 ", accepted %" PRIu64
			       ", failed %" PRIu64 ", cancelled %" PRIu64,
			       tally->sent, tally->accepted, tally->failed,
			       tally->cancelled),
		      size);
}

size_t run_text_progress(const struct tally *tally, size_t columns, char *ret,
			 size_t size)
{
	size_t used = write_counts(tally, ret, size);
	char p50[RUN_TIME_SIZE];

	if (tally->accepted > 0) {
		run_text_time(latency_percentile(&tally->latency, 50), p50);
		used += length(
			snprintf(ret + used, size - used, ", p50 %s", p50),
			size - used);
	}
	if (used > columns) {
		used = columns;
		ret[used] = '\0';
	}
	return used;
}

static size_t write_latency(const struct latency *latency, char *ret,
			    size_t size)
{
	char p50[RUN_TIME_SIZE];
	char p90[RUN_TIME_SIZE];
	char p99[RUN_TIME_SIZE];
	char max[RUN_TIME_SIZE];

	if (latency->count == 0) {
		return length(snprintf(ret, size,
				       "latency unknown: no order was "
				       "accepted\n"),
			      size);
	}
	run_text_time(latency_percentile(latency, 50), p50);
	run_text_time(latency_percentile(latency, 90), p90);
	run_text_time(latency_percentile(latency, 99), p99);
	run_text_time(latency->max_ns, max);
	return length(snprintf(ret, size,
			       "latency p50 %s, p90 %s, p99 %s, max %s\n", p50,
			       p90, p99, max),
		      size);
}

size_t run_text_summary(const struct tally *tally, char *ret, size_t size)
{
	size_t used = write_counts(tally, ret, size);

	used += length(snprintf(ret + used, size - used, "\n"), size - used);
	return used + write_latency(&tally->latency, ret + used, size - used);
}
