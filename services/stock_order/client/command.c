#include "stock_order/client/command.h"

#include <stdio.h>
#include <unistd.h>

#include "loop/bug.h"
#include "stock_order/client/exit_code.h"
#include "stock_order/client/run_text.h"

/* ---- the end --------------------------------------------------------------
 */

static void stop_when_written(struct command *command)
{
	if (outlet_is_drained(&command->out)) {
		loop_stop(command->options.loop);
	}
}

void command_end(struct command *command, const struct status *status)
{
	command->status = *status;
	command->ended = true;
	if (command->interrupt.signo != 0) {
		loop_stop(command->options.loop); /* no reader is waited for */
	} else {
		stop_when_written(command);
	}
}

static void on_interrupt(void *arg)
{
	const struct status interrupted =
		status_make(STATUS_CANCELLED, "interrupted");
	struct command *command = arg;

	(void)ctx_end(command->scope, CTX_SHUTDOWN, &interrupted);
	if (command->call == NULL) {
		command_end(command, &interrupted);
	}
}

/* Everything put so far is written, or nothing can be. */
static void on_drained(void *arg)
{
	struct command *command = arg;
	struct status status;

	if (command->ended) {
		stop_when_written(command);
	} else if (command->out.failure.code != STATUS_OK) {
		command_end(command, &command->out.failure);
	} else if (ctx_cause(command->scope, &status) != CTX_NONE) {
		command_end(command, &status);
	} else {
		command->options.on_more(command->options.arg);
	}
}

/* ---- what a command does ---------------------------------------------------
 */

void command_open(struct command *command,
		  const struct command_options *options)
{
	*command =
		(struct command){ .options = *options, .status = status_ok() };
	command->scope = ctx_new(options->root, CLOCK_NEVER);
	outlet_open(&command->out, options->loop, STDOUT_FILENO, on_drained,
		    command);
	interrupt_watch(&command->interrupt, options->loop, on_interrupt,
			command);
}

struct ctx *command_call_begin(struct command *command)
{
	BUG_IF(command->call != NULL, "a call is under way");
	command->call = ctx_new(
		command->scope,
		clock_add_ns(clock_now_ns(), command->options.timeout_ns));
	return command->call;
}

void command_call_end(struct command *command)
{
	ctx_unref(command->call);
	command->call = NULL;
}

void command_put(struct command *command, const char *text, size_t size)
{
	outlet_put(&command->out, text, size);
}

void command_go_on(struct command *command)
{
	if (outlet_is_drained(&command->out)) {
		on_drained(command);
	}
}

/* ---- what it says ----------------------------------------------------------
 */

static void complain(const struct command *command, struct status *status)
{
	const char *doubt = "";

	if (command->options.changes &&
	    (status->code == STATUS_CANCELLED ||
	     status->code == STATUS_DEADLINE_EXCEEDED)) {
		doubt = "; whether it was done is not known";
	}
	run_text_tame(status->message);
	fprintf(stderr, "%s: %s: %s%s\n", command->options.program,
		status_code_name(status->code), status->message, doubt);
}

static int conclude(struct command *command)
{
	struct status *status = &command->status;

	if (command->out.failure.code != STATUS_OK) {
		fprintf(stderr, "%s: %s\n", command->options.program,
			command->out.failure.message);
		return CLIENT_EXIT_FAILED;
	}
	if (status->code != STATUS_OK) {
		complain(command, status);
	}
	/* Cancelled, or answered in the last moment and not all of it read. */
	if (status->code == STATUS_CANCELLED ||
	    !outlet_is_drained(&command->out)) {
		return interrupt_exit(&command->interrupt, CLIENT_EXIT_FAILED);
	}
	return (int)client_exit_of(status->code);
}

int command_run(struct command *command)
{
	int code;

	loop_run(command->options.loop);
	code = conclude(command);
	outlet_close(&command->out);
	ctx_unref(command->scope);
	return code;
}
