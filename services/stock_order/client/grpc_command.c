#include "stock_order/client/grpc_command.h"

#include "stock_order/adaptor/json_order.h"
#include "stock_order/client/command.h"
#include "json/json.h"

static void open_command(struct command *command,
			 const struct grpc_command_options *options,
			 bool changes)
{
	const struct command_options told = {
		.program = options->program,
		.loop = options->loop,
		.root = options->root,
		.timeout_ns = options->timeout_ns,
		.changes = changes,
	};

	command_open(command, &told);
}

/* The answer is a line, if there is one. */
static void end_with(struct command *command, const struct status *status,
		     struct json_writer *line)
{
	command_call_end(command);
	if (status->code == STATUS_OK) {
		json_newline(line);
		command_put(command, line->text, line->size);
	}
	json_writer_release(line);
	command_end(command, status);
}

static void on_order(const struct status *status, const struct order *order,
		     void *arg)
{
	struct json_writer line = { 0 };

	if (status->code == STATUS_OK) {
		json_put_order(&line, NULL, order);
	}
	end_with(arg, status, &line);
}

static void on_cancelled(const struct status *status, const char *text,
			 void *arg)
{
	struct json_writer line = { 0 };

	if (status->code == STATUS_OK) {
		json_begin_object(&line, NULL);
		json_put_string(&line, "message", text);
		json_end(&line);
	}
	end_with(arg, status, &line);
}

int grpc_command_create(const struct grpc_command_options *options,
			const struct order_draft *draft, const char *key)
{
	struct command command;

	open_command(&command, options, true);
	grpc_orders_create(options->orders, command_call_begin(&command), draft,
			   key, on_order, &command);
	return command_run(&command);
}

int grpc_command_get(const struct grpc_command_options *options, const char *id)
{
	struct command command;

	open_command(&command, options, false);
	grpc_orders_get(options->orders, command_call_begin(&command), id,
			on_order, &command);
	return command_run(&command);
}

int grpc_command_cancel(const struct grpc_command_options *options,
			const char *id)
{
	struct command command;

	open_command(&command, options, true);
	grpc_orders_cancel(options->orders, command_call_begin(&command), id,
			   on_cancelled, &command);
	return command_run(&command);
}
