/* A complete gRPC service: a handler, health, reflection, an orderly end. */
#include <stdio.h>
#include <stdlib.h>

#include "greeter.pb-c.h"
#include "greeter_schema.h"
#include "lifecycle/lifecycle.h"
#include "rpc/health.h"
#include "rpc/reflection.h"

static void hello(struct rpc_call *call, const ProtobufCMessage *message,
		  void *self)
{
	const Greeter__HelloRequest *request = (const void *)message;
	Greeter__HelloReply reply = GREETER__HELLO_REPLY__INIT;
	char text[64];

	(void)self;
	if (snprintf(text, sizeof(text), "Hello, %s!", request->name) >= 64) {
		struct status st = { STATUS_INVALID_ARGUMENT, "name too long" };
		rpc_call_finish(call, &st, NULL, 0);
	} else {
		reply.message = text;
		rpc_call_reply(call, &reply.base);
	}
}

static const struct rpc_method methods[] = { { "SayHello", hello }, { NULL } };

static void drained(void *part)
{
	lifecycle_drained(part);
}

static void drain(void *server, struct lifecycle_part *part)
{
	rpc_server_stop_accepting(server);
	rpc_server_drain(server, drained, part);
}

int main(int argc, char **argv)
{
	static const struct lifecycle_ops ops = { .drain = drain };
	struct rpc_server_options options;
	struct rpc_reflection *reflection;
	struct rpc_health *health;
	struct rpc_server *server;
	struct rpc_poller *poller;
	struct lifecycle *life;
	struct loop *loop;
	struct ctx *root;
	struct status st;

	loop_block_signals();
	rpc_server_options_init(&options);
	options.port = (uint16_t)strtol(argc > 1 ? argv[1] : "50051", NULL, 0);
	if (loop_new(&loop, &st) || lifecycle_new(loop, NULL, &life, &st) ||
	    ctx_root(loop, &root, &st) || rpc_poller_new(&poller, &st) ||
	    rpc_server_new(root, poller, &options, &server, &st) ||
	    rpc_server_add_service(server, &greeter__greeter__descriptor,
				   &greeter_schema, methods, NULL, &st) ||
	    rpc_health_new(server, &health, &st) ||
	    rpc_reflection_new(server, &reflection, &st) ||
	    rpc_server_start(server, &st)) {
		fprintf(stderr, "greeter: %s\n", st.message);
		return EXIT_FAILURE;
	}
	lifecycle_add(life, "greeter", &ops, server);
	fprintf(stderr, "ready on port %d\n", rpc_server_port(server));
	int code = lifecycle_run(life);
	rpc_server_free(server);
	rpc_reflection_free(reflection);
	rpc_health_free(health);
	rpc_poller_free(poller);
	ctx_unref(root);
	lifecycle_free(life);
	loop_free(loop);
	return code;
}
