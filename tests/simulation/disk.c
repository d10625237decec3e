#include "disk.h"

static void consider(struct disk *disk);

void disk_init(struct disk *disk, struct world *world)
{
	disk->world = world;
	disk->waiting = NULL;
	disk->waiting_end = &disk->waiting;
	disk->group = NULL;
	disk->writer = NULL;
	disk->scheduled = false;
}

/* ---- the group ---------------------------------------------------------- */

/* Those of @writer that wait, in order; those of others go on waiting. */
static struct disk_job *take(struct disk *disk, struct process *writer)
{
	struct disk_job *taken = NULL;
	struct disk_job **taken_end = &taken;
	struct disk_job **at = &disk->waiting;

	while (*at != NULL) {
		struct disk_job *job = *at;

		if (job->by != writer) {
			at = &job->next;
			continue;
		}
		*at = job->next;
		job->next = NULL;
		job->taken = true;
		*taken_end = job;
		taken_end = &job->next;
	}
	disk->waiting_end = at;
	return taken;
}

static void on_told(void *arg)
{
	struct disk_job *job = arg;

	job->done(job, job->ok);
}

static void tell(struct disk_job *job, bool ok)
{
	job->ok = ok;
	world_after(job->by->world, 0, job->by, on_told, job);
}

static void run_group(struct disk_job *group)
{
	for (struct disk_job *job = group; job != NULL; job = job->next) {
		if (!job->declined) {
			job->run(job, true);
		}
		if (!job->unsynced) {
			tell(job, !job->declined);
		}
	}
}

static void fail_group(struct disk_job *group)
{
	for (struct disk_job *job = group; job != NULL; job = job->next) {
		if (!job->unsynced) {
			tell(job, false);
		}
	}
}

struct turn {
	struct disk *disk;
	uint64_t number;
};

static void on_synced(void *arg)
{
	struct turn *turn = arg;
	struct disk *disk = turn->disk;
	struct disk_job *group = disk->group;
	bool fails;

	if (turn->number != disk->turn || disk->writer == NULL) {
		return; /* its writer died */
	}
	fails = world_chance(disk->world, disk->fail_permille);
	disk->group = NULL;
	disk->writer = NULL;
	if (fails) {
		disk->world->tally->disk_failures++;
		world_trace(disk->world, "disk", "is full", NULL, "");
		fail_group(group);
	} else {
		run_group(group);
	}
	consider(disk);
}

static int64_t sync_ns(struct disk *disk)
{
	struct random *random = &disk->world->random;

	if (world_chance(disk->world, disk->slow_permille)) {
		return random_in(random, 20 * MS_NS, 200 * MS_NS);
	}
	return random_in(random, 100 * US_NS, 2 * MS_NS);
}

/* A job that ends before its time sees what the disk holds now. */
static void tell_unsynced(struct disk_job *group)
{
	for (struct disk_job *job = group; job != NULL; job = job->next) {
		if (job->unsynced && !job->declined) {
			job->run(job, false);
			tell(job, true);
		}
	}
}

static void on_turn(void *arg)
{
	struct disk *disk = arg;
	struct turn *turn;

	disk->scheduled = false;
	if (disk->writer != NULL || disk->waiting == NULL) {
		return;
	}
	disk->writer = disk->waiting->by;
	disk->group = take(disk, disk->writer);
	turn = world_alloc(disk->world, sizeof(*turn));
	*turn = (struct turn){ .disk = disk, .number = ++disk->turn };
	world_after(disk->world, sync_ns(disk), NULL, on_synced, turn);
	tell_unsynced(disk->group);
}

static void consider(struct disk *disk)
{
	if (disk->writer == NULL && disk->waiting != NULL && !disk->scheduled) {
		disk->scheduled = true;
		world_after(disk->world,
			    random_in(&disk->world->random, 0, 50 * US_NS),
			    NULL, on_turn, disk);
	}
}

/* ---- from outside ------------------------------------------------------- */

void disk_do(struct disk *disk, struct disk_job *job)
{
	job->next = NULL;
	job->taken = false;
	job->declined = false;
	*disk->waiting_end = job;
	disk->waiting_end = &job->next;
	consider(disk);
}

void disk_decline(struct disk_job *job)
{
	job->declined = job->declined || !job->taken;
}

void disk_on_death(struct disk *disk, struct process *process)
{
	(void)take(disk, process);
	if (disk->writer != process) {
		return;
	}
	if (random_percent(&disk->world->random, 50)) {
		world_trace(disk->world, "disk", "keeps", NULL,
			    "what was being synced");
		run_group(disk->group);
	} else {
		world_trace(disk->world, "disk", "loses", NULL,
			    "what was being synced");
	}
	disk->group = NULL;
	disk->writer = NULL;
	consider(disk);
}
