/*
 * What the exit codes of the clients say, for scripts: one list makes the codes
 * and what -help prints.
 */
#ifndef RESCIND_STOCK_ORDER_CLIENT_EXIT_CODE_H
#define RESCIND_STOCK_ORDER_CLIENT_EXIT_CODE_H

#include "status/status.h"

/* X(symbol, code, what it says). 5 is left out: elsewhere it says "in doubt".
 */
#define CLIENT_EXITS(X)                                                        \
	X(OK, 0, "everything that was asked for was done")                     \
	X(FAILED, 1, "something failed: some orders of many, or the server")   \
	X(USAGE, 2, "wrong usage, or the server refused what was asked for")   \
	X(NOT_FOUND, 3, "there is no such order")                              \
	X(REFUSED, 4, "the state of the order, or of the key, forbids it")     \
	X(TIMEOUT, 6, "no answer in time")                                     \
	X(UNREACHABLE, 7, "no server there, or none that serves now")

enum client_exit {
#define CLIENT_EXIT_ENUM(symbol, code, text) CLIENT_EXIT_##symbol = code,
	CLIENT_EXITS(CLIENT_EXIT_ENUM)
#undef CLIENT_EXIT_ENUM
	/* What a shell says of a signal: 130 for SIGINT, 143 for SIGTERM. */
	CLIENT_EXIT_SIGNAL = 128,
};

/* A line each, for -help. */
#define CLIENT_EXIT_LINE(symbol, code, text) "  " #code "  " text "\n"
#define CLIENT_EXIT_NOTES		     "Exit codes:\n" CLIENT_EXITS(CLIENT_EXIT_LINE)

/* The code for what became of one call. */
enum client_exit client_exit_of(enum status_code code);

#endif
