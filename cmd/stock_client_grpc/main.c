/* Stock orders over gRPC: flags, parts, the chosen command, exit code. What the
 * commands do: services/stock_order/client. */
#include <stdio.h>

#include "config.h"
#include "stock_order/adaptor/random_ids.h"
#include "stock_order/client/client_run.h"
#include "stock_order/client/grpc_command.h"
#include "stock_order/client/outlet.h"

static const char program[] = "stock_client_grpc";

struct app {
	struct config config;
	struct loop *loop;
	struct ctx *root;
	struct rpc_poller *poller;
	struct rpc_channel *channel;
	struct grpc_orders *orders;
};

static enum status_code open_channel(struct app *app, struct status *reterr)
{
	const struct client_tls *files = &app->config.tls;
	const struct rpc_tls tls = { files->cert, files->key, files->ca };
	struct rpc_channel_options options;

	if (rpc_poller_new(&app->poller, reterr) != STATUS_OK) {
		return reterr->code;
	}
	rpc_channel_options_init(&options);
	options.target = app->config.target;
	options.tls = tls.ca != NULL || tls.cert != NULL ? &tls : NULL;
	if (rpc_channel_new(app->poller, &options, &app->channel, reterr) !=
	    STATUS_OK) {
		/* All that can be wrong here is what the flags say. */
		reterr->code = STATUS_INVALID_ARGUMENT;
		return reterr->code;
	}
	return STATUS_OK;
}

static enum status_code start(struct app *app, struct status *reterr)
{
	if (loop_new(&app->loop, reterr) != STATUS_OK ||
	    ctx_root(app->loop, &app->root, reterr) != STATUS_OK ||
	    open_channel(app, reterr) != STATUS_OK) {
		return reterr->code;
	}
	app->orders = grpc_orders_new(app->loop, app->channel);
	return STATUS_OK;
}

static int run(struct app *app)
{
	const struct config *config = &app->config;
	const struct order_run_options options = {
		.loop = app->loop,
		.root = app->root,
		.sender = grpc_orders_sender(app->orders),
		.draft = client_order_draft(&config->order),
		.interval_ns = config->pace.interval_ns,
		.count = config->pace.count,
		.timeout_ns = config->timeout_ns,
		.keys = config->pace.keys ? random_ids() : NULL,
	};

	return client_run(&options, program, config->target);
}

static int create(const struct app *app,
		  const struct grpc_command_options *options)
{
	const struct order_draft draft = client_order_draft(&app->config.order);

	return grpc_command_create(options, &draft, app->config.key);
}

static int command(struct app *app)
{
	const struct config *config = &app->config;
	const struct grpc_command_options options = {
		.program = program,
		.loop = app->loop,
		.root = app->root,
		.orders = app->orders,
		.timeout_ns = config->timeout_ns,
	};

	switch ((enum command_id)config->command) {
	case COMMAND_CREATE:
		return create(app, &options);
	case COMMAND_GET:
		return grpc_command_get(&options, config->id);
	case COMMAND_LIST:
		return grpc_command_list(&options, config->limit,
					 config->lines);
	case COMMAND_CANCEL:
		return grpc_command_cancel(&options, config->id);
	case COMMAND_RUN:
	case COMMAND_NR:
	default:
		return run(app);
	}
}

static void release(struct app *app)
{
	grpc_orders_free(app->orders);
	rpc_channel_free(app->channel);
	if (app->poller != NULL) {
		rpc_poller_free(app->poller);
	}
	if (app->root != NULL) {
		ctx_unref(app->root);
	}
	loop_free(app->loop);
}

int main(int argc, char **argv)
{
	static struct app app;
	struct status status;
	int code;

	outlet_guard_standard();
	switch (config_parse(&app.config, argc, argv, &status)) {
	case FLAGS_EXIT:
		return CLIENT_EXIT_OK;
	case FLAGS_INVALID:
		fprintf(stderr, "%s: %s\n", program, status.message);
		return CLIENT_EXIT_USAGE;
	case FLAGS_RUN:
		break;
	}
	loop_block_signals();
	if (start(&app, &status) == STATUS_OK) {
		code = command(&app);
	} else {
		fprintf(stderr, "%s: %s\n", program, status.message);
		code = (int)client_exit_of(status.code);
	}
	release(&app);
	return code;
}
