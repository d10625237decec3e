/*
 * One history: a worker, one or more coordinators, clients, and all that goes
 * wrong, drawn from a seed; then all is well, and it is looked at what became
 * of it.
 */
#ifndef RESCIND_SIMULATION_HISTORY_H
#define RESCIND_SIMULATION_HISTORY_H

#include "disk.h"
#include "echo.h"
#include "net.h"
#include "txn.h"
#include "worker.h"
#include "world.h"

enum {
	SITES_MAX = 3,
	TXN_BUCKETS = 256,
};

struct history {
	struct world *world;
	struct net net;
	struct disk worker_disk;
	struct worker *worker; /* who takes streams; NULL: nobody */
	struct worker *older;  /* one that still runs on the database */
	struct site sites[SITES_MAX];
	int sites_n;
	int page_max;	  /* rows of a page of what is in doubt */
	struct txn *txns; /* the newest first */
	struct txn *buckets[TXN_BUCKETS];
	int txns_n;
	int identities_n;
	struct echo *echos;
};

/* Run the history of @seed in a fresh world; what is wrong is in the world. */
void history_run(struct world *world, uint64_t seed);

/* ---- for those in it ---------------------------------------------------- */

struct identity *history_identity(struct history *history);
struct txn *history_txn(struct history *history, const char *id,
			struct identity *identity);
/* NULL when there never was one. */
struct txn *history_find(struct history *history, const char *id);
/* The worker has come to be there: tell those who wait for that. */
void history_on_worker(struct history *history);
/* Somebody died: they come again. */
void history_on_worker_death(struct history *history, struct worker *worker);
void history_on_echo_death(struct history *history, struct echo *echo);

#endif
