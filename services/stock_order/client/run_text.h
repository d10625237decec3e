/*
 * What a run of orders says, as text. What comes from a server is made
 * harmless: a terminal obeys control characters.
 *
 * Thread-safety: pure functions.
 */
#ifndef RESCIND_STOCK_ORDER_CLIENT_RUN_TEXT_H
#define RESCIND_STOCK_ORDER_CLIENT_RUN_TEXT_H

#include <stddef.h>

#include "stock_order/client/order_run.h"

enum {
	RUN_LINE_SIZE = 1024,	 /* suffices for a line */
	RUN_SUMMARY_SIZE = 1024, /* and for the summary */
	RUN_TIME_SIZE = 40,
};

/*
 * Cut off at @size, NUL and line ends included where there are any; returns the
 * length.
 *
 * One outcome:	"3 accepted 1.204ms 6f8e54b0-...\n"
 *		"4 failed 311.2us UNAVAILABLE: connection refused\n"
 *		"5 cancelled 12.5ms\n"
 */
size_t run_text_outcome(const struct order_outcome *outcome, char *ret,
			size_t size);

/* Where it stands, without a line end, at most @columns wide:
 *		"sent 5, accepted 3, failed 1, cancelled 1, p50 1.2ms" */
size_t run_text_progress(const struct tally *tally, size_t columns, char *ret,
			 size_t size);

/* Two lines:	"sent 5, accepted 3, failed 1, cancelled 1\n"
 *		"latency p50 1.2ms, p90 2.4ms, p99 2.4ms, max 2.41ms\n" */
size_t run_text_summary(const struct tally *tally, char *ret, size_t size);

/* A time with three digits behind the point of its unit at most: "1.204ms",
 * "950us", "2.5s". */
void run_text_time(int64_t ns, char ret[RUN_TIME_SIZE]);

/* Make @text harmless in its place: each control character and each byte that
 * is not UTF-8 becomes '?'. */
void run_text_tame(char *text);

#endif
