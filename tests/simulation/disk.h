/*
 * A disk with one writer at a time that shares its syncs: jobs wait, are taken
 * together as a group, and are told when that is on disk. What a job finds and
 * changes, it does at that instant: nobody sees what is not synced.
 *
 * Completions are on their way to the process for an instant, in which it may
 * die, and are not seen by one that is stopped.
 *
 * When the process whose group it is dies before that, the group is on disk or
 * it is not; the process will not know. Its jobs that still waited are gone.
 * Now and then the disk is full, and a group fails.
 */
#ifndef RESCIND_SIMULATION_DISK_H
#define RESCIND_SIMULATION_DISK_H

#include "world.h"

struct disk;

/* Part of its owner's object, which outlives it. */
struct disk_job {
	struct process *by;
	/* Do it, or, with !@really, only see what would come of it. */
	void (*run)(struct disk_job *job, bool really);
	/* Once it is on disk, or nothing of it is. */
	void (*done)(struct disk_job *job, bool ok);
	/* Told done before it is on disk: one of the planted bugs. */
	bool unsynced;

	/* The disk's. */
	bool taken, declined, ok;
	struct disk_job *next;
};

struct disk {
	struct world *world;
	int fail_permille, slow_permille;
	struct disk_job *waiting, **waiting_end;
	struct disk_job *group;
	struct process *writer; /* whose group it is; NULL: idle */
	bool scheduled;
	uint64_t turn; /* of the group */
};

void disk_init(struct disk *disk, struct world *world);
/* Neither run() nor done() is called inside. */
void disk_do(struct disk *disk, struct disk_job *job);
/* Its scope has ended: refuse it, if it still waits. */
void disk_decline(struct disk_job *job);
/* To be called when a process that uses it dies. */
void disk_on_death(struct disk *disk, struct process *process);

#endif
