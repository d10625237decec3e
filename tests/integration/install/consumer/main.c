/* Serves a reading, asks itself for it over the network, and stops. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lifecycle/lifecycle.h"
#include "rpc/channel.h"
#include "rpc/server.h"
#include "thermometer.pb-c.h"
#include "thermometer_schema.h"

static struct {
	struct loop *loop;
	struct ctx *root;
	struct rpc_poller *poller;
	struct rpc_server *server;
	struct rpc_channel *channel;
	struct lifecycle *lifecycle;
	bool answered;
} app;

static void read_room(struct rpc_call *call, const ProtobufCMessage *message,
		      void *self)
{
	const Thermometer__ReadRequest *request = (const void *)message;
	Thermometer__ReadReply reply = THERMOMETER__READ_REPLY__INIT;

	(void)self;
	reply.celsius = strcmp(request->room, "kitchen") == 0 ? 21.5 : 0;
	rpc_call_reply(call, &reply.base);
}

static void on_answer(const struct status *status,
		      const ProtobufCMessage *response,
		      const struct rpc_metadata *trailing, void *arg)
{
	const Thermometer__ReadReply *reply = (const void *)response;

	(void)trailing;
	(void)arg;
	app.answered =
		reply != NULL && reply->celsius > 21 && reply->celsius < 22;
	lifecycle_stop(app.lifecycle, status_code_name(status->code));
}

static enum status_code start(struct status *reterr)
{
	static const struct rpc_method methods[] = {
		{ .name = "Read", .unary = read_room },
		{ .name = NULL },
	};
	struct rpc_server_options options;

	rpc_server_options_init(&options);
	options.listen = "127.0.0.1";
	options.port = 0;
	if (loop_new(&app.loop, reterr) != STATUS_OK ||
	    lifecycle_new(app.loop, NULL, &app.lifecycle, reterr) !=
		    STATUS_OK ||
	    ctx_root(app.loop, &app.root, reterr) != STATUS_OK ||
	    rpc_poller_new(&app.poller, reterr) != STATUS_OK ||
	    rpc_server_new(app.root, app.poller, &options, &app.server,
			   reterr) != STATUS_OK ||
	    rpc_server_add_service(
		    app.server, &thermometer__thermometer__descriptor,
		    &thermometer_schema, methods, NULL, reterr) != STATUS_OK) {
		return reterr->code;
	}
	return rpc_server_start(app.server, reterr);
}

static enum status_code ask(struct status *reterr)
{
	static char room[] = "kitchen";
	Thermometer__ReadRequest request = THERMOMETER__READ_REQUEST__INIT;
	struct rpc_channel_options options;
	struct ctx *ctx;
	char target[32];

	(void)snprintf(target, sizeof(target), "127.0.0.1:%d",
		       rpc_server_port(app.server));
	rpc_channel_options_init(&options);
	options.target = target;
	options.wait_for_ready = true;
	if (rpc_channel_new(app.poller, &options, &app.channel, reterr) !=
	    STATUS_OK) {
		return reterr->code;
	}
	ctx = ctx_new(app.root, clock_now_ns() + 10L * NS_PER_S);
	request.room = room;
	rpc_unary(app.channel, ctx, &thermometer__thermometer__descriptor,
		  "Read", &request.base, NULL, on_answer, NULL);
	ctx_unref(ctx);
	return STATUS_OK;
}

int main(void)
{
	struct status err = status_ok();
	int code;

	loop_block_signals();
	if (start(&err) != STATUS_OK || ask(&err) != STATUS_OK) {
		fprintf(stderr, "thermometer: %s\n", err.message);
		return EXIT_FAILURE;
	}
	code = lifecycle_run(app.lifecycle);
	rpc_channel_free(app.channel);
	rpc_server_free(app.server);
	rpc_poller_free(app.poller);
	ctx_unref(app.root);
	lifecycle_free(app.lifecycle);
	loop_free(app.loop);
	return app.answered ? code : EXIT_FAILURE;
}
