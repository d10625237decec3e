/*
 * A coordinator, simulated: a site with a disk, whose process comes and goes;
 * in a process an exchange per request with the coordinator under test, the
 * registry and the resolver under test, and the record's rules over the disk.
 */
#ifndef RESCIND_SIMULATION_ECHO_H
#define RESCIND_SIMULATION_ECHO_H

#include "disk.h"
#include "net.h"
#include "twopc/coordinator.h"
#include "twopc/registry.h"
#include "twopc/resolver.h"
#include "txn.h"
#include "world.h"

struct history;
struct echo;

/* When a client leaves, if it does. */
enum leaving {
	LEAVES_NEVER,
	LEAVES_BY_THE_CLOCK,
	LEAVES_AT_AN_EVENT, /* of its exchange, or a moment after */
};

struct request {
	int64_t begins_ns;
	int64_t work_ns;
	int64_t deadline_ns; /* from its beginning */
	enum leaving leaving;
	int64_t leaves_ns; /* from its beginning, or from the event */
	enum twopc_coordinator_event at;
};

struct site {
	struct history *history;
	const char *name;
	struct disk disk;
	struct identity *identity;
	char stem[TWOPC_STEM_SIZE]; /* in the database; "" for none */
	struct echo *echo;	    /* who takes requests; NULL: nobody */
	struct echo *older;	    /* one that still runs on the database */
};

struct echo {
	struct process process; /* first */
	struct history *history;
	struct site *site;
	struct net *net;
	struct identity *identity; /* as it found it */
	char stem[TWOPC_STEM_SIZE];
	bool started; /* it has taken over, and knows what was decided */
	bool decides_in_scope; /* the decision ends with its client, in time */
	struct twopc_registry *registry;
	struct twopc_resolver resolver;
	uint64_t tick; /* the number of the timer that counts */
	struct stream *streams;
	int64_t cut_off_until_ns;
	struct call *call;
	struct echo *next; /* of all there ever were */
};

/* Start one at @site, beside one that may still run there. */
void echo_start(struct site *site);
/* A client's request; refused where nobody is there. */
void echo_request(struct site *site, const struct request *request);
/* The worker is there (again). */
void echo_on_reached(struct echo *echo);

/* ---- for the network ---------------------------------------------------- */

void exchange_on_message(struct exchange *exchange, enum message message);
void exchange_on_lost(struct exchange *exchange);
void echo_on_call(struct echo *echo, struct call *call);

#endif
