#include "rpc/args.h"

#include <limits.h>
#include <string.h>

#include "loop/bug.h"
#include "loop/clock.h"

void args_init(struct args *args)
{
	memset(args, 0, sizeof(*args));
	args->list.args = args->items;
	/* Introspection that nobody asks for. */
	args_add(args, GRPC_ARG_ENABLE_CHANNELZ, 0);
}

static grpc_arg *next(struct args *args, const char *key)
{
	grpc_arg *arg = &args->items[args->list.num_args];

	BUG_IF(args->list.num_args == ARGS_MAX, "too many arguments");
	args->list.num_args++;
	arg->key = (char *)(uintptr_t)key; /* gRPC copies it. */
	return arg;
}

void args_add(struct args *args, const char *key, int64_t value)
{
	grpc_arg *arg = next(args, key);

	arg->type = GRPC_ARG_INTEGER;
	arg->value.integer = value > INT_MAX ? INT_MAX : (int)value;
}

void args_add_text(struct args *args, const char *key, const char *value)
{
	grpc_arg *arg = next(args, key);

	arg->type = GRPC_ARG_STRING;
	arg->value.string = (char *)(uintptr_t)value;
}

static int64_t at_least_1_ms(int64_t ns)
{
	return ns < NS_PER_MS ? 1 : ns / NS_PER_MS;
}

void args_add_keepalive(struct args *args, int64_t after_ns, int64_t timeout_ns)
{
	args_add(args, GRPC_ARG_KEEPALIVE_TIME_MS, at_least_1_ms(after_ns));
	args_add(args, GRPC_ARG_KEEPALIVE_TIMEOUT_MS,
		 at_least_1_ms(timeout_ns));
	args_add(args, GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
	/* Else pings stop after two without data. */
	args_add(args, GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
}
