/*
 * The sockets that a server listens on, and the loop that accepts on them.
 *
 * gRPC's own listener stops for good at the first EMFILE. This one never does:
 * where descriptors run out it turns connections away with a descriptor kept in
 * reserve, and accepts again as soon as there are some.
 * Thread-safety: the loop's thread, except connections.
 */
#ifndef RESCIND_RPC_LISTENER_H
#define RESCIND_RPC_LISTENER_H

#include "loop/loop.h"
#include "rpc/connections.h"
#include "status/status.h"

enum { LISTENER_ADDRESSES_MAX = 2, LISTENER_ADDRESS_SIZE = 64 };

struct listener_socket {
	struct loop_watch watch;
	struct listener *listener;
	char address[LISTENER_ADDRESS_SIZE]; /* "127.0.0.1:50051" */
};

struct listener {
	struct listener_socket sockets[LISTENER_ADDRESSES_MAX];
	size_t count;
	uint16_t port;

	/* Set before listener_start(). */
	struct loop *loop;
	int64_t keepalive_ns;
	int64_t keepalive_timeout_ns;
	/* A new connection; takes the descriptor. */
	void (*on_accept)(struct listener *listener, int fd);

	bool watching;
	bool started;
	int reserve;
	struct loop_timer resume;
	struct connections connections;
};

/*
 * Bind and listen, without accepting, on @address: "localhost" (127.0.0.1 and,
 * where there is IPv6, ::1), "*" (all), or a numeric address. @port 0 picks one
 * that is free on all of them.
 * ALREADY_EXISTS when it is taken, INVALID_ARGUMENT for a bad address.
 */
MUSTCHECK enum status_code listener_open(struct listener *listener,
					 const char *address, uint16_t port,
					 size_t connections_max,
					 struct status *reterr);
MUSTCHECK enum status_code listener_start(struct listener *listener,
					  struct status *reterr);
/* Close the sockets; connections stay as they are. May be called again. */
void listener_close(struct listener *listener);
void listener_release(struct listener *listener);

#endif
