/*
 * What became of the orders that were sent: how many of each, how long the
 * accepted ones took, and the exit code that sums it up.
 *
 * Thread-safety: none; pure.
 */
#ifndef RESCIND_STOCK_ORDER_CLIENT_TALLY_H
#define RESCIND_STOCK_ORDER_CLIENT_TALLY_H

#include "stock_order/client/exit_code.h"
#include "stock_order/client/latency.h"

/* All zero is the beginning. */
struct tally {
	uint64_t sent;
	uint64_t accepted;
	uint64_t failed;
	uint64_t cancelled; /* by us: the answer was not waited for */
	/* What the failures have in common, FAILED where it is nothing. */
	enum client_exit failure;
	/* Of accepted orders: a refused connection is quick, and says nothing.
	 */
	struct latency latency;
};

/* An order goes out. */
void tally_send(struct tally *tally);
/* Its answer came after @ns; CANCELLED: we did not wait for it. */
void tally_answer(struct tally *tally, enum status_code code, int64_t ns);

/*
 * OK when none failed, however many were cancelled. When none was accepted and
 * all failed alike, the code of that failure; FAILED otherwise.
 */
enum client_exit tally_exit(const struct tally *tally);

#endif
