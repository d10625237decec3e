/* Arguments of gRPC's channels and servers. */
#ifndef RESCIND_RPC_ARGS_H
#define RESCIND_RPC_ARGS_H

#include <grpc/grpc.h>
#include <stdint.h>

enum { ARGS_MAX = 24 };

struct args {
	grpc_channel_args list; /* what gRPC takes */
	grpc_arg items[ARGS_MAX];
};

/* Must not move afterwards. */
void args_init(struct args *args);
/* @key stays the caller's; @value is cut to what an int holds. */
void args_add(struct args *args, const char *key, int64_t value);
void args_add_text(struct args *args, const char *key, const char *value);
/* Ping after @after_ns of silence, give up @timeout_ns later, always. */
void args_add_keepalive(struct args *args, int64_t after_ns,
			int64_t timeout_ns);

#endif
