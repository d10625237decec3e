/*
 * A run of orders as a program: what becomes of them goes to stdout, SIGINT and
 * its like stop it, and the outcome is an exit code.
 *
 * On a terminal one line is rewritten, and only what was not accepted gets a
 * line that stays; anywhere else each order is a line without control
 * characters (run_text.h). The summary comes last, on both.
 */
#ifndef RESCIND_STOCK_ORDER_CLIENT_CLIENT_RUN_H
#define RESCIND_STOCK_ORDER_CLIENT_CLIENT_RUN_H

#include "stock_order/client/order_run.h"

/*
 * Run @options->loop on this thread until the run is over; what the options say
 * of whom to tell (on_outcome, on_over, arg) is set here. @program and @target
 * are for what is said: "stock_client", "http://localhost:8082".
 *
 * The exit code is that of the tally (enum client_exit): a signal is an
 * ordinary way to end a run. FAILED also when stdout can't be written to.
 * Signals are blocked (loop_block_signals()).
 */
int client_run(const struct order_run_options *options, const char *program,
	       const char *target);

#endif
