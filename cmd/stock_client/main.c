/* Stock orders over REST, one after another: flags, parts, run, exit code. What
 * a run of orders is: services/stock_order/client. */
#include <stdio.h>
#include <stdlib.h>

#include "config.h"
#include "stock_order/adaptor/random_ids.h"
#include "stock_order/client/client_run.h"
#include "stock_order/client/http_sender.h"
#include "stock_order/client/outlet.h"

static const char program[] = "stock_client";

struct app {
	struct config config;
	struct loop *loop;
	struct ctx *root;
	struct http_sender *sender;
};

static enum status_code start(struct app *app, struct status *reterr)
{
	const struct http_sender_options options = {
		.url = app->config.url,
		.user_agent = "stock_client/" RESCIND_VERSION,
		.tls_ca = app->config.tls.ca,
		.tls_cert = app->config.tls.cert,
		.tls_key = app->config.tls.key,
	};

	if (loop_new(&app->loop, reterr) != STATUS_OK ||
	    ctx_root(app->loop, &app->root, reterr) != STATUS_OK) {
		return reterr->code;
	}
	return http_sender_new(app->loop, &options, &app->sender, reterr);
}

static int run(struct app *app)
{
	const struct config *config = &app->config;
	const struct order_run_options options = {
		.loop = app->loop,
		.root = app->root,
		.sender = http_sender_port(app->sender),
		.draft = client_order_draft(&config->order),
		.interval_ns = config->pace.interval_ns,
		.count = config->pace.count,
		.timeout_ns = config->timeout_ns,
		.keys = config->pace.keys ? random_ids() : NULL,
	};

	return client_run(&options, program, config->url);
}

static void release(struct app *app)
{
	http_sender_free(app->sender);
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
		code = run(&app);
	} else {
		fprintf(stderr, "%s: %s\n", program, status.message);
		code = (int)client_exit_of(status.code);
	}
	release(&app);
	return code;
}
