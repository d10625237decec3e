/*
 * Being told to stop: by SIGINT (Ctrl-C), SIGTERM, or SIGHUP (the terminal has
 * gone). The first signal calls a function on the loop's thread, the second
 * ends the process there and then.
 */
#ifndef RESCIND_STOCK_ORDER_CLIENT_INTERRUPT_H
#define RESCIND_STOCK_ORDER_CLIENT_INTERRUPT_H

#include "loop/loop.h"

enum { INTERRUPT_SIGNALS = 3 };

struct interrupt;

struct interrupt_signal {
	struct loop_signal base; /* first */
	struct interrupt *interrupt;
};

struct interrupt {
	int signo; /* the first that came; 0: none */
	void (*fn)(void *arg);
	void *arg;
	struct interrupt_signal signals[INTERRUPT_SIGNALS];
};

/* After loop_block_signals(). @interrupt stays valid as long as the loop. */
void interrupt_watch(struct interrupt *interrupt, struct loop *loop,
		     void (*fn)(void *arg), void *arg);

/* The process's exit code, given what it would be otherwise: what a shell says
 * of the signal, where one has come. */
int interrupt_exit(const struct interrupt *interrupt, int code);

#endif
