/*
 * The worker, simulated: a task per stream with the participant under test, the
 * record's rule over a simulated disk, and the calls of resolvers.
 */
#ifndef RESCIND_SIMULATION_WORKER_H
#define RESCIND_SIMULATION_WORKER_H

#include "disk.h"
#include "net.h"
#include "twopc/participant.h"
#include "txn.h"
#include "world.h"

struct history;

struct worker {
	struct process process; /* first */
	struct history *history;
	struct net *net;
	struct disk *disk;
	struct stream *streams;
};

struct worker *worker_new(struct history *history, const char *name);

/* ---- for the network ---------------------------------------------------- */

struct task *worker_accept(struct worker *worker, struct stream *stream);
void task_on_message(struct task *task, enum message message);
void task_on_lost(struct task *task);
void worker_on_call(struct worker *worker, struct call *call);

#endif
