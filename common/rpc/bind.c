/* Where a listener listens. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rpc/listener.h"

enum {
	/* Port 0 of the second address may be taken where that of the first was
	 * free; so often we ask for another. */
	ATTEMPTS_MAX = 32,
};

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

struct addresses {
	union address items[LISTENER_ADDRESSES_MAX];
	size_t count;
	/* The second may be left out where the system has no IPv6. */
	bool second_optional;
};

static void add_v4(struct addresses *addresses, in_addr_t host)
{
	union address *address = &addresses->items[addresses->count++];

	memset(address, 0, sizeof(*address));
	address->v4.sin_family = AF_INET;
	address->v4.sin_addr.s_addr = host;
}

static void add_v6(struct addresses *addresses, const struct in6_addr *host)
{
	union address *address = &addresses->items[addresses->count++];

	memset(address, 0, sizeof(*address));
	address->v6.sin6_family = AF_INET6;
	address->v6.sin6_addr = *host;
}

/* "::1" or "[::1]" */
static bool parse_v6(const char *text, struct in6_addr *ret_host)
{
	char inner[INET6_ADDRSTRLEN];
	size_t size = strlen(text);

	if (size > 2 && text[0] == '[' && text[size - 1] == ']') {
		text++;
		size -= 2;
	}
	if (size >= sizeof(inner)) {
		return false;
	}
	memcpy(inner, text, size);
	inner[size] = '\0';
	return inet_pton(AF_INET6, inner, ret_host) == 1;
}

static enum status_code parse(const char *text, struct addresses *ret,
			      struct status *reterr)
{
	struct in_addr v4;
	struct in6_addr v6;

	memset(ret, 0, sizeof(*ret));
	if (strcmp(text, "localhost") == 0) {
		add_v4(ret, htonl(INADDR_LOOPBACK));
		add_v6(ret, &in6addr_loopback);
		ret->second_optional = true;
	} else if (strcmp(text, "*") == 0) {
		add_v4(ret, htonl(INADDR_ANY));
		add_v6(ret, &in6addr_any);
		ret->second_optional = true;
	} else if (inet_pton(AF_INET, text, &v4) == 1) {
		add_v4(ret, v4.s_addr);
	} else if (parse_v6(text, &v6)) {
		add_v6(ret, &v6);
	} else {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "'%s' is not an address to listen on "
				  "(localhost, * or a numeric address)",
				  text);
	}
	return STATUS_OK;
}

static socklen_t address_size(const union address *address)
{
	return address->any.sa_family == AF_INET ? sizeof(address->v4)
						 : sizeof(address->v6);
}

static void set_port(union address *address, uint16_t port)
{
	if (address->any.sa_family == AF_INET) {
		address->v4.sin_port = htons(port);
	} else {
		address->v6.sin6_port = htons(port);
	}
}

static uint16_t get_port(const union address *address)
{
	return ntohs(address->any.sa_family == AF_INET ? address->v4.sin_port
						       : address->v6.sin6_port);
}

/* "127.0.0.1:50051", "[::1]:50051" */
static void format(const union address *address, char *ret, size_t size)
{
	char host[INET6_ADDRSTRLEN] = "";

	if (address->any.sa_family == AF_INET) {
		inet_ntop(AF_INET, &address->v4.sin_addr, host, sizeof(host));
		snprintf(ret, size, "%s:%u", host, get_port(address));
	} else {
		inet_ntop(AF_INET6, &address->v6.sin6_addr, host, sizeof(host));
		snprintf(ret, size, "[%s]:%u", host, get_port(address));
	}
}

/* A listening socket; -1 and errno. */
static int open_socket(const union address *address)
{
	int one = 1;
	int error;
	int fd = socket(address->any.sa_family,
			SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0) {
		return -1;
	}
	/* Old connections in TIME_WAIT don't matter, other listeners do. */
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (address->any.sa_family == AF_INET6) {
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one,
				 sizeof(one));
	}
	if (bind(fd, &address->any, address_size(address)) == 0 &&
	    listen(fd, SOMAXCONN) == 0) {
		return fd;
	}
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

static enum status_code explain(const union address *address, int error,
				struct status *reterr)
{
	char text[LISTENER_ADDRESS_SIZE];

	format(address, text, sizeof(text));
	switch (error) {
	case EADDRINUSE:
		return status_set(reterr, STATUS_ALREADY_EXISTS,
				  "address %s is already in use", text);
	case EACCES:
		return status_set_errno(reterr, STATUS_PERMISSION_DENIED, error,
					"listen on %s", text);
	case EADDRNOTAVAIL:
	case EAFNOSUPPORT:
		return status_set_errno(reterr, STATUS_INVALID_ARGUMENT, error,
					"listen on %s", text);
	default:
		return status_set_errno(reterr, STATUS_UNAVAILABLE, error,
					"listen on %s", text);
	}
}

static bool no_such_family(int error)
{
	return error == EAFNOSUPPORT || error == EADDRNOTAVAIL;
}

/* 0 or an errno. */
static int open_one(struct listener *listener, union address *address,
		    uint16_t port)
{
	struct listener_socket *socket = &listener->sockets[listener->count];
	socklen_t size = sizeof(*address);

	set_port(address, port);
	socket->watch.fd = open_socket(address);
	if (socket->watch.fd < 0) {
		return errno;
	}
	getsockname(socket->watch.fd, &address->any, &size);
	listener->port = get_port(address);
	format(address, socket->address, sizeof(socket->address));
	listener->count++;
	return 0;
}

/* All addresses on one port: the first's. */
static enum status_code open_all(struct listener *listener,
				 struct addresses *addresses, uint16_t port,
				 struct status *reterr)
{
	for (size_t i = 0; i < addresses->count; i++) {
		union address *address = &addresses->items[i];
		int error = open_one(listener, address, port);

		if (error == 0) {
			port = listener->port;
		} else if (i == 0 || !addresses->second_optional ||
			   !no_such_family(error)) {
			listener_close(listener);
			return explain(address, error, reterr);
		}
	}
	return STATUS_OK;
}

enum status_code listener_open(struct listener *listener, const char *address,
			       uint16_t port, size_t connections_max,
			       struct status *reterr)
{
	struct addresses addresses;
	struct status st;

	if (parse(address, &addresses, reterr) != STATUS_OK) {
		return reterr != NULL ? reterr->code : STATUS_INVALID_ARGUMENT;
	}
	memset(listener, 0, sizeof(*listener));
	listener->reserve = -1;
	for (int i = 0; i < ATTEMPTS_MAX; i++) {
		if (open_all(listener, &addresses, port, &st) == STATUS_OK) {
			connections_init(&listener->connections,
					 connections_max);
			return STATUS_OK;
		}
		if (port != 0 || st.code != STATUS_ALREADY_EXISTS) {
			break;
		}
	}
	return status_set(reterr, st.code, "%s", st.message);
}
