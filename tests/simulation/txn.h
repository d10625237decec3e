/*
 * Coordinators, transactions, and what the two databases hold of them: the
 * contents of the simulated disks, and what the checks ask of them.
 */
#ifndef RESCIND_SIMULATION_TXN_H
#define RESCIND_SIMULATION_TXN_H

#include <stdbool.h>
#include <stdint.h>

#include "twopc/id.h"
#include "twopc/rule.h"

/* A coordinator, as long as its database is not deleted. */
struct identity {
	char name[TWOPC_UUID_SIZE];
	int number;
	bool deleted;
	/* In the worker's database. */
	char over_below[TWOPC_ID_SIZE];
};

enum answer {
	ANSWER_NONE,
	ANSWER_COMMITTED,
	ANSWER_ACCEPTED,
	ANSWER_ABORTED,
};

struct process;

struct txn {
	char id[TWOPC_ID_SIZE];
	int number; /* from 1 */
	struct identity *identity;
	struct txn *next; /* of all */
	struct txn *chain;

	/* In the coordinator's database. */
	bool row;
	bool decision;
	/* In the worker's. */
	enum twopc_row state;
	int works; /* rows of its own that the commit has inserted */

	/* What has been said. */
	enum answer answer;
	bool left_undecided;  /* its client left before anything was decided */
	struct process *echo; /* who coordinates it */
	bool ended;	      /* its exchange is over */
};

#endif
