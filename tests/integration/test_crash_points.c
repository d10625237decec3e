/*
 * One phase: each program is killed at each of its points, while requests are
 * under way, at one of the passes, by chance. It is started again, both serve,
 * what was answered 200 is in both files, and the files are whole. Once as
 * kill -9 does it, once as a power cut does, with disks that lose what was not
 * synced.
 *
 * What is by chance follows from a seed, which is printed; RESCIND_SEED has it
 * used again.
 */
#include "harness/site.h"
#include "harness/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	SECONDS_MAX = 900,
	/* So that the log is full in each life, and moved into the file. */
	REQUESTS_EACH = 64,
	NTH_MAX = 24,
};

/*
 * The log's index grows after 16 MB: see the unit tests of db. Those of the
 * exchange in two phases, and of what resolves it, which has little to do here:
 * test_two_phase.c, test_two_phase_worker.c.
 */
static const char *const never[] = { "vfs.shm_grow",
				     "echo.enters.exchanging",
				     "echo.exchange.*",
				     "echo.resolver.*",
				     "twopc.*",
				     "worker.exchange.*",
				     "worker.list.*",
				     "worker.resolve.*",
				     NULL };

/* How often a point is passed, and when. */
struct passes {
	uint64_t making;     /* until it is ready, without a file */
	uint64_t recovering; /* until it is ready, after a death */
	uint64_t living;     /* from then to its end in order */
};

struct crash {
	struct site site;
	struct site_program *victim;
	struct passes *passes; /* by point */
	unsigned kills;
};

/* ---- kills --------------------------------------------------------------- */

static void live_and_stop(struct crash *crash)
{
	site_requests(&crash->site, REQUESTS_EACH, crash->victim);
	if (process_is_alive(crash->victim->process)) {
		process_signal(crash->victim->process, SIGTERM);
	}
}

static void await_death(struct crash *crash, const char *point)
{
	faults_await_death(&crash->victim->faults, crash->victim->process,
			   point);
	crash->kills++;
}

static unsigned draw_nth(uint64_t passes)
{
	unsigned most = passes / 8 < NTH_MAX ? (unsigned)(passes / 8) : NTH_MAX;

	return 1 + (most > 1 ? (unsigned)rand() % most : 0);
}

static void launch_with_order(struct crash *crash, const char *point,
			      uint64_t passes)
{
	char order[128];

	snprintf(order, sizeof(order), "%s=kill@%u", point, draw_nth(passes));
	site_launch(&crash->site, crash->victim, order);
}

/*
 * While it makes its file: another one, of which the other program, whose rows
 * go on, knows nothing afterwards.
 */
static void kill_making(struct crash *crash, const char *point, uint64_t passes)
{
	struct site *site = &crash->site;
	char kept[PATH_SIZE];
	char name[64];

	process_kill(crash->victim->process);
	snprintf(kept, sizeof(kept), "%s", crash->victim->db);
	snprintf(name, sizeof(name), "new-%u.db", crash->kills);
	scratch_path(crash->victim->db, site->pair.dir, name);
	launch_with_order(crash, point, passes);
	await_death(crash, point);
	site_start_program(site, crash->victim);
	site_expect_whole(crash->victim->db);
	process_kill(crash->victim->process);
	snprintf(crash->victim->db, PATH_SIZE, "%s", kept);
	site_start_program(site, crash->victim);
}

static void kill_recovering(struct crash *crash, const char *point,
			    uint64_t passes)
{
	site_kill_amid_requests(&crash->site, crash->victim);
	launch_with_order(crash, point, passes);
	if (process_says(crash->victim->process, "Ready", NULL)) {
		live_and_stop(crash); /* there was less to recover */
	}
	await_death(crash, point);
	site_start_program(&crash->site, crash->victim);
	site_expect_recovery(&crash->site);
}

static void kill_living(struct crash *crash, const char *point, uint64_t passes)
{
	char order[32];

	snprintf(order, sizeof(order), "kill@%u", draw_nth(passes));
	faults_order(&crash->victim->faults, point, order);
	live_and_stop(crash);
	await_death(crash, point);
	site_start_program(&crash->site, crash->victim);
	site_expect_recovery(&crash->site);
}

/* ---- which points there are, and when they are passed -------------------- */

/* Since the last time, which *ret_seen has. */
static uint64_t passes_since(struct faults *faults, size_t i,
			     uint64_t *ret_seen)
{
	uint64_t now = faults_passes(faults, faults->points[i].name);
	uint64_t since = now - *ret_seen;

	*ret_seen = now;
	return since;
}

/* Two lives: one that makes its file, one that recovers it and ends in order.
 */
static void learn_passes(struct crash *crash)
{
	struct faults *faults = &crash->victim->faults;
	size_t n = faults->points_n;
	uint64_t *seen = calloc(n, sizeof(*seen));

	crash->passes = calloc(n, sizeof(*crash->passes));
	ck_assert(seen != NULL && crash->passes != NULL);
	for (size_t i = 0; i < n; i++) {
		crash->passes[i].making = passes_since(faults, i, &seen[i]);
	}
	site_kill_amid_requests(&crash->site, crash->victim);
	for (size_t i = 0; i < n; i++) {
		(void)passes_since(faults, i, &seen[i]);
	}
	site_start_program(&crash->site, crash->victim);
	for (size_t i = 0; i < n; i++) {
		crash->passes[i].recovering = passes_since(faults, i, &seen[i]);
	}
	live_and_stop(crash);
	ck_assert_int_eq(process_wait(crash->victim->process), 0);
	for (size_t i = 0; i < n; i++) {
		crash->passes[i].living = passes_since(faults, i, &seen[i]);
	}
	ck_assert_uint_eq(faults_never_passed(faults, never), 0);
	free(seen);
	site_start_program(&crash->site, crash->victim);
}

static void kill_at_every_point(struct crash *crash)
{
	const struct faults *faults = &crash->victim->faults;

	for (size_t i = 0; i < faults->points_n; i++) {
		const char *name = faults->points[i].name;
		const struct passes *passes = &crash->passes[i];

		if (faults_is_among(name, never)) {
			continue;
		}
		if (passes->making > 0) {
			kill_making(crash, name, passes->making);
		}
		if (passes->recovering > 0) {
			kill_recovering(crash, name, passes->recovering);
		}
		if (passes->living > 0) {
			kill_living(crash, name, passes->living);
		}
	}
}

/* ---- the tests ----------------------------------------------------------- */

static void run(bool is_echo, bool forgets)
{
	const struct site_options options = { .forgets = forgets,
					      .one_phase = true };
	unsigned seed = site_seed();
	int64_t begun_ms = now_ms();
	struct crash crash = { .kills = 0 };
	size_t points;

	site_init(&crash.site, &options);
	crash.victim = is_echo ? &crash.site.echo : &crash.site.worker;
	site_start(&crash.site);
	learn_passes(&crash);
	kill_at_every_point(&crash);
	points = faults_points_struck(&crash.victim->faults);
	ck_assert_uint_eq(
		points + faults_points_among(&crash.victim->faults, never),
		crash.victim->faults.points_n);
	printf("%s, %s: points=%zu kills=%u requests=%u answered=%zu "
	       "seconds=%.1f seed=%u violations=0\n",
	       crash.victim->name, forgets ? "power cuts" : "kill -9", points,
	       crash.kills, atomic_load(&crash.site.requests),
	       crash.site.acked.n, (double)(now_ms() - begun_ms) / 1000, seed);
	fflush(stdout);
	site_end(&crash.site);
	free(crash.passes);
}

START_TEST(echo_killed_at_every_point)
{
	run(true, false);
}
END_TEST

START_TEST(worker_killed_at_every_point)
{
	run(false, false);
}
END_TEST

START_TEST(echos_power_cut_at_every_point)
{
	run(true, true);
}
END_TEST

START_TEST(workers_power_cut_at_every_point)
{
	run(false, true);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		echo_killed_at_every_point,
		worker_killed_at_every_point,
		echos_power_cut_at_every_point,
		workers_power_cut_at_every_point,
		NULL,
	};

	return suite_run_within("crash points", tests, SECONDS_MAX);
}
