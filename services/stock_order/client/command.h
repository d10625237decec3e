/*
 * One command as a program: it asks a server, its answer goes to stdout as
 * JSON, what went wrong to stderr, and the outcome is an exit code.
 *
 *	command_open(&command, &options);
 *	grpc_orders_get(orders, command_call_begin(&command), id, on_order,
 *			&command);
 *	return command_run(&command);
 *
 *	static void on_order(const struct status *status, ...)
 *	{
 *		command_call_end(&command);
 *		command_put(&command, text, size);
 *		command_end(&command, status);
 *	}
 *
 * A signal ends the call that is out; its answer then ends the command.
 *
 * Threads: the loop's, which is the one that runs it.
 */
#ifndef RESCIND_STOCK_ORDER_CLIENT_COMMAND_H
#define RESCIND_STOCK_ORDER_CLIENT_COMMAND_H

#include "ctx/ctx.h"
#include "stock_order/client/interrupt.h"
#include "stock_order/client/outlet.h"

struct command_options {
	const char *program; /* for what is said */
	struct loop *loop;
	struct ctx *root;
	int64_t timeout_ns; /* of each call */
	/* It changes something: where no answer came, whether it did is not
	 * known. */
	bool changes;
	/* After command_go_on(); NULL for who puts one piece alone. */
	void (*on_more)(void *arg);
	void *arg;
};

struct command {
	struct command_options options;
	struct ctx *scope; /* of all calls */
	struct ctx *call;  /* of the one that is out */
	struct status status;
	bool ended;
	struct outlet out;
	struct interrupt interrupt;
};

/* Signals are blocked (loop_block_signals()). */
void command_open(struct command *command,
		  const struct command_options *options);

/* The ctx of a call that now begins; valid until it is ended. */
struct ctx *command_call_begin(struct command *command);
/* Its answer has come. */
void command_call_end(struct command *command);

/* Output. */
void command_put(struct command *command, const char *text, size_t size);
/* More is to come: on_more is called when all that was put is written, perhaps
 * inside this function; or the command ends, because that can't be written or a
 * signal has come. */
void command_go_on(struct command *command);
/* All has been put, or @status says why not. */
void command_end(struct command *command, const struct status *status);

/* Run the loop until the command has ended; say what went wrong, and release
 * all. The exit code: enum client_exit. */
int command_run(struct command *command);

#endif
