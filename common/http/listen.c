/* Listening sockets. */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "http/internal.h"

enum {
	BACKLOG = 4096, /* the kernel has its own limit below */
	PORT_TRIES = 32,
	/* A peer that vanished without a word is found out in 5 + 3 * 2 s. */
	KEEPALIVE_IDLE_S = 5,
	KEEPALIVE_INTERVAL_S = 2,
	KEEPALIVE_PROBES = 3,
	ADDRESS_TEXT_SIZE = INET6_ADDRSTRLEN + 2,
};

struct address {
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} at;
	socklen_t size;
	bool v6_only;
};

static struct address address_v4(in_addr_t addr)
{
	struct address address = { .size = sizeof(address.at.v4) };

	address.at.v4.sin_family = AF_INET;
	address.at.v4.sin_addr.s_addr = addr;
	return address;
}

static struct address address_v6(const struct in6_addr *addr, bool only)
{
	struct address address = { .size = sizeof(address.at.v6),
				   .v6_only = only };

	address.at.v6.sin6_family = AF_INET6;
	address.at.v6.sin6_addr = *addr;
	return address;
}

static void set_port(struct address *address, uint16_t port)
{
	if (address->at.any.sa_family == AF_INET) {
		address->at.v4.sin_port = htons(port);
	} else {
		address->at.v6.sin6_port = htons(port);
	}
}

static void format(const struct address *address, char *ret)
{
	char text[INET6_ADDRSTRLEN];

	if (address->at.any.sa_family == AF_INET) {
		inet_ntop(AF_INET, &address->at.v4.sin_addr, text,
			  sizeof(text));
		snprintf(ret, ADDRESS_TEXT_SIZE, "%s", text);
	} else {
		inet_ntop(AF_INET6, &address->at.v6.sin6_addr, text,
			  sizeof(text));
		snprintf(ret, ADDRESS_TEXT_SIZE, "[%s]", text);
	}
}

/* ---- one socket --------------------------------------------------------- */

/* Accepted sockets inherit all of this, which saves a call each. */
static void set_options(int fd, const struct address *address)
{
	int on = 1, idle = KEEPALIVE_IDLE_S, interval = KEEPALIVE_INTERVAL_S,
	    probes = KEEPALIVE_PROBES, only = address->v6_only;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (address->at.any.sa_family == AF_INET6) {
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof(only));
	}
}

/* 0, or what errno said. */
static int open_socket(struct address *address, uint16_t port, int *ret_fd)
{
	int fd = socket(address->at.any.sa_family,
			SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0) {
		return errno;
	}
	set_port(address, port);
	set_options(fd, address);
	if (bind(fd, &address->at.any, address->size) != 0 ||
	    listen(fd, BACKLOG) != 0) {
		int err = errno;

		close(fd);
		return err;
	}
	*ret_fd = fd;
	return 0;
}

static uint16_t port_of(int fd)
{
	struct address address = { .size = sizeof(address.at) };

	getsockname(fd, &address.at.any, &address.size);
	return ntohs(address.at.any.sa_family == AF_INET
			     ? address.at.v4.sin_port
			     : address.at.v6.sin6_port);
}

static enum status_code fail(struct status *reterr, int err,
			     const struct address *address, uint16_t port)
{
	char text[ADDRESS_TEXT_SIZE];

	format(address, text);
	if (err == EADDRINUSE) {
		return status_set(reterr, STATUS_ALREADY_EXISTS,
				  "address %s:%u is already in use", text,
				  port);
	}
	return status_set_errno(reterr,
				err == EACCES ? STATUS_PERMISSION_DENIED
				: err == EADDRNOTAVAIL || err == EAFNOSUPPORT
					? STATUS_INVALID_ARGUMENT
					: STATUS_RESOURCE_EXHAUSTED,
				err, "listen on %s:%u", text, port);
}

/* ---- what options ask for ----------------------------------------------- */

struct sockets {
	int *fds;
	size_t nr;
	uint16_t port;
};

static enum status_code add_socket(struct sockets *sockets,
				   struct address *address,
				   struct status *reterr)
{
	int err =
		open_socket(address, sockets->port, &sockets->fds[sockets->nr]);

	if (err != 0) {
		return fail(reterr, err, address, sockets->port);
	}
	sockets->port = port_of(sockets->fds[sockets->nr++]);
	return STATUS_OK;
}

static void close_all(struct sockets *sockets)
{
	while (sockets->nr > 0) {
		close(sockets->fds[--sockets->nr]);
	}
}

/* INVALID_ARGUMENT: this machine has no such address. */
static enum status_code both_loopbacks(struct sockets *sockets,
				       struct status *reterr)
{
	struct address v4 = address_v4(htonl(INADDR_LOOPBACK));
	struct address v6 = address_v6(&in6addr_loopback, true);
	enum status_code code = add_socket(sockets, &v4, reterr);

	if (code != STATUS_OK && code != STATUS_INVALID_ARGUMENT) {
		return code;
	}
	code = add_socket(sockets, &v6, reterr);
	if (code == STATUS_INVALID_ARGUMENT && sockets->nr > 0) {
		return STATUS_OK;
	}
	return code;
}

/* A port that was free on one loopback may be taken on the other. */
static enum status_code localhost(struct sockets *sockets,
				  struct status *reterr)
{
	uint16_t wanted = sockets->port;
	enum status_code code = STATUS_INTERNAL;

	for (int i = 0; i < PORT_TRIES; i++) {
		sockets->port = wanted;
		code = both_loopbacks(sockets, reterr);
		if (code == STATUS_OK) {
			return code;
		}
		close_all(sockets);
		if (code != STATUS_ALREADY_EXISTS || wanted != 0) {
			return code;
		}
	}
	return code;
}

static enum status_code everywhere(struct sockets *sockets,
				   struct status *reterr)
{
	struct address v6 = address_v6(&in6addr_any, false);
	struct address v4 = address_v4(htonl(INADDR_ANY));
	enum status_code code = add_socket(sockets, &v6, reterr);

	return code == STATUS_INVALID_ARGUMENT
		       ? add_socket(sockets, &v4, reterr)
		       : code;
}

static enum status_code one_address(struct sockets *sockets, const char *text,
				    struct status *reterr)
{
	char bare[ADDRESS_TEXT_SIZE];
	size_t size = strlen(text);
	struct in_addr v4;
	struct in6_addr v6;
	struct address address;

	if (size > 2 && text[0] == '[' && text[size - 1] == ']') {
		text++;
		size -= 2;
	}
	snprintf(bare, sizeof(bare), "%.*s", (int)size, text);
	if (inet_pton(AF_INET, bare, &v4) == 1) {
		address = address_v4(v4.s_addr);
	} else if (inet_pton(AF_INET6, bare, &v6) == 1) {
		address = address_v6(&v6, true);
	} else {
		return status_set(reterr, STATUS_INVALID_ARGUMENT,
				  "'%s' is neither localhost nor * nor an "
				  "address",
				  text);
	}
	return add_socket(sockets, &address, reterr);
}

enum status_code http_listen(const char *listen_on, uint16_t port,
			     int ret_fds[HTTP_LISTENERS_MAX], size_t *ret_nr,
			     uint16_t *ret_port, struct status *reterr)
{
	struct sockets sockets = { .fds = ret_fds, .port = port };
	struct status st = status_ok();
	enum status_code code;

	if (strcmp(listen_on, "localhost") == 0) {
		code = localhost(&sockets, &st);
	} else if (strcmp(listen_on, "*") == 0) {
		code = everywhere(&sockets, &st);
	} else {
		code = one_address(&sockets, listen_on, &st);
	}
	if (code != STATUS_OK) {
		if (reterr != NULL) {
			*reterr = st;
		}
		return code;
	}
	*ret_nr = sockets.nr;
	*ret_port = sockets.port;
	return STATUS_OK;
}
