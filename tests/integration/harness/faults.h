/*
 * One of our programs in the build that can be crashed (tests/faulty): told
 * where to die, stop, stall or fail, before it starts or while it runs, and
 * asked what it passed. How orders look: failpoint/order.h. Its disk fails and
 * forgets: tests/faults/vfs.h.
 *
 *	struct faults faults;
 *
 *	faults_init(&faults, "worker", pair.dir);
 *	options.worker_process = &faults.process;
 *	faults_order_at_start(&faults, "db.open.recovered=kill");
 *	pair_launch_worker(&pair);
 *	faults_await_death(&faults, &pair.worker, "db.open.recovered");
 *	faults_order_at_start(&faults, NULL);
 *	pair_start_worker(&pair);
 *
 *	faults_order(&faults, "worker.stored", "kill@3");	// from now
 *	... requests ...
 *	faults_await_death(&faults, &pair.worker, "worker.stored");
 *	faults_release(&faults);
 *
 * Passes are counted over all lives of the program. The file through which that
 * is known is that of the last one that was started: ask at least once in each
 * life for it to be counted, once it is ready or after its death.
 *
 * Confined to one thread.
 */
#ifndef RESCIND_TEST_FAULTS_H
#define RESCIND_TEST_FAULTS_H

#include "failpoint/table.h"
#include "harness/process.h"

struct fault_point {
	char name[FAILPOINT_NAME_SIZE];
	uint64_t passes; /* in former lives */
	uint64_t strikes;
	uint32_t struck; /* in this life, when it was last told something */
};

struct faults {
	const char *program;
	char control[PATH_SIZE];
	char environment[3][2 * PATH_SIZE];
	const char *env[4];
	struct process_options process; /* to start it with */
	struct fault_point *points;	/* all it has, by name */
	size_t points_n;
	struct failpoint_table *table; /* this life's; NULL: not seen yet */
	uint64_t file;		       /* which one that is */
};

/*
 * @program: "echo" or "worker". Its control file is in @dir (copied). It must
 * not move from now on.
 */
void faults_init(struct faults *faults, const char *program, const char *dir);
void faults_release(struct faults *faults);

/* For the lives that begin from here on; NULL: nothing. */
void faults_order_at_start(struct faults *faults, const char *orders);
/* They forget at their death what they have not synced; 0: all of it, else much
 * of it. */
void faults_forget(struct faults *faults, uint64_t seed);
/* They forget nothing any more, as it is from the start. */
void faults_remember(struct faults *faults);
/* Whether the life that was begun last forgets. */
bool faults_forgets(const struct faults *faults);

/* ---- while it lives ------------------------------------------------------ */

/* From now on; "off" takes back what it was told. */
void faults_order(struct faults *faults, const char *point, const char *order);
/* Wait until the point has struck since it was told to. */
void faults_await(struct faults *faults, const char *point);
/* The same, and the whole process has stopped. process_resume() goes on. */
void faults_await_stop(struct faults *faults, struct process *process,
		       const char *point);
/* Threads that are held up there go on. */
void faults_let_go(struct faults *faults, const char *point);

/* ---- when it is dead ------------------------------------------------------
 */

/* Wait for its end, which is to be by SIGKILL, at that point. */
void faults_await_death(struct faults *faults, struct process *process,
			const char *point);

/* ---- what it passed -------------------------------------------------------
 */

uint64_t faults_passes(struct faults *faults, const char *point);
uint64_t faults_strikes(struct faults *faults, const char *point);
/* Whether @point is one of these: names, or beginnings of names and a '*'; ends
 * in NULL. */
bool faults_is_among(const char *point, const char *const *names);
/* How many there are of these. */
size_t faults_points_among(struct faults *faults, const char *const *names);
/* How many points have not been passed, each of which is said on stderr, but
 * for those among @but. */
size_t faults_never_passed(struct faults *faults, const char *const *but);
/* How many have struck. */
size_t faults_points_struck(struct faults *faults);

#endif
