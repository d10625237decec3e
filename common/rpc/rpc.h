/*
 * gRPC for plain C: what the server (rpc/server.h) and the client
 * (rpc/channel.h) share. Messages and services are protobuf-c's.
 */
#ifndef RESCIND_RPC_H
#define RESCIND_RPC_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ctx/ctx.h"
#include "status/status.h"

/* ---- schemas: what protobuf-c's descriptors do not say ------------------ */

/*
 * A serialized google.protobuf.FileDescriptorSet with all imports, as protoc
 * --include_imports --descriptor_set_out writes it. rescind_add_proto() in
 * CMake embeds one for each .proto and declares it as <name>_schema.
 * It tells which methods stream, and is what reflection serves.
 */
struct rpc_schema {
	const uint8_t *data;
	size_t size;
};

/* ---- metadata ----------------------------------------------------------- */

/* Keys are lower-case; a key that ends in "-bin" has binary values. */
struct rpc_metadatum {
	const char *key;
	const char *value;
	size_t size;
};
struct rpc_metadata {
	const struct rpc_metadatum *items;
	size_t count;
};

/* ---- TLS ---------------------------------------------------------------- */

/*
 * PEM file paths. Server: cert and key needed; ca set means that clients must
 * show a certificate that it signed (mutual TLS). Client: ca NULL means the
 * system's; cert and key are shown to servers that ask.
 */
struct rpc_tls {
	const char *cert;
	const char *key;
	const char *ca;
};

/* ---- the process -------------------------------------------------------- */

/*
 * A poller: one completion queue and the thread that serves it. Servers and
 * channels of a process share one (or have one each). All network progress of
 * gRPC happens on it, so nothing that runs there may block.
 */
struct rpc_poller;
MUSTCHECK enum status_code rpc_poller_new(struct rpc_poller **ret_poller,
					  struct status *reterr);
/* After every server and channel on it is freed. Joins the thread. */
void rpc_poller_free(struct rpc_poller *poller);

#endif
