/*
 * A pair that is wrecked again and again: both programs in the build that can
 * be crashed (faults.h), a crowd that asks meanwhile (crowd.h), and what is
 * done after each time.
 *
 *	wreck_init(&wreck, &(struct wreck_options){ .manners = ... });
 *	crowd_start(&wreck.crowd);
 *	wreck_kill(&wreck, &wreck.site.echo);
 *	wreck_recover(&wreck);		// both are up, nothing is in doubt
 *	wreck_verify(&wreck);		// both or neither, in the files
 *	wreck_release(&wreck);		// and so in the end
 *
 * Confined to one thread.
 */
#ifndef RESCIND_TEST_WRECK_H
#define RESCIND_TEST_WRECK_H

#include "harness/crowd.h"
#include "harness/site.h"

/* What a program ends with when its disk can't be synced. */
enum { WRECK_EXIT_SYNC_FAILED = 75 };

/* Whether a life's disk loses at its death what was not synced. */
enum wreck_disks {
	WRECK_REMEMBERS,
	WRECK_FORGETS,
	WRECK_FORGETS_BY_CHANCE, /* half of the lives do */
};

struct wreck_options {
	struct crowd_manners manners;
	enum wreck_disks disks;
};

struct wreck {
	struct site site;
	struct crowd crowd;
	enum wreck_disks disks;
	/* A program may be unable to start, and say so: code 1. */
	bool may_fail_to_start;
	unsigned seed;
	int64_t begun_ms;
	/* What was done. */
	unsigned kills;
	unsigned power_cuts; /* kills of lives that forget */
	unsigned both;	     /* at once */
	unsigned verified;
};

/* Both, ready. The seed is printed; rand() is seeded with it. */
void wreck_init(struct wreck *wreck, const struct wreck_options *options);
/* Both end in order, everything holds, and nothing is left over. */
void wreck_release(struct wreck *wreck);
/* " kills=... seconds=... violations=0", for the end of a line. */
const char *wreck_summary(struct wreck *wreck);

/* ---- lives ---------------------------------------------------------------
 */

struct site_program *wreck_other(struct wreck *wreck,
				 const struct site_program *program);
/* Begin a life, with orders or without (NULL); the last one's log and passes
 * are written down. Not waited for. */
void wreck_launch(struct wreck *wreck, struct site_program *program,
		  const char *orders);
/* SIGKILL, unless it is dead by that already. */
void wreck_kill(struct wreck *wreck, struct site_program *program);
/* It was killed at a point. */
void wreck_count_death(struct wreck *wreck, const struct site_program *program);
/* "<order>@<nth>", from now on. */
void wreck_order(struct site_program *program, const char *point,
		 const char *order, unsigned nth);
/* Both are ready. */
void wreck_await_up(struct wreck *wreck);

/* ---- afterwards ----------------------------------------------------------
 */

/* Whoever is dead comes back, the crowd stops, and what was in doubt is
 * resolved. */
void wreck_recover(struct wreck *wreck);
/*
 * Everything holds, in the files as they lie there: both programs are at rest,
 * and then ended, one time by SIGKILL, another in order. (While one lives that
 * forgets, others do not see all that it has.) Then both are up again.
 */
void wreck_verify(struct wreck *wreck);

#endif
