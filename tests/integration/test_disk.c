/*
 * Disks that fail under a running pair: a sync, and every write. With disks
 * that lose what a failed sync was to bring to them.
 */
#include "harness/site.h"
#include "harness/suite.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	SECONDS_MAX = 600,
	EXIT_SYNC_FAILED = 75,
	SYNCS = 12,
	WRITES = 16,
};

static const char sync_failed[] = "The database could not be synced";

static struct site_program *pick(struct site *site, bool is_echo)
{
	return is_echo ? &site->echo : &site->worker;
}

static void report(const struct site *site, const char *what, int times)
{
	printf("%s: times=%d requests=%u answered=%zu violations=0\n", what,
	       times, atomic_load(&site->requests), site->acked.n);
	fflush(stdout);
}

/* ---- syncs ----------------------------------------------------------------
 */

/*
 * It ends by itself, and says why: it can't know what the disk holds. That is
 * read from the file, at the next start.
 */
static void expect_exit(struct site_program *program)
{
	ck_assert_int_eq(process_wait(program->process), EXIT_SYNC_FAILED);
	ck_assert_uint_eq(process_count(program->process, sync_failed, NULL),
			  1);
	ck_assert_uint_gt(faults_strikes(&program->faults, "vfs.sync"), 0);
}

static void fail_syncs(bool is_echo)
{
	/* Who has decided waits for a dead worker until the deadline. */
	const struct site_options options = { .forgets = true,
					      .timeout = "1s" };
	struct site_program *program;
	struct site site;

	(void)site_seed();
	site_init(&site, &options);
	program = pick(&site, is_echo);
	site_start(&site);
	for (int nth = 1; nth <= SYNCS; nth++) {
		char order[32];

		snprintf(order, sizeof(order), "fail@%d", nth);
		faults_order(&program->faults, "vfs.sync", order);
		site_requests(&site, 50, program);
		expect_exit(program);
		site_start_program(&site, program);
		site_expect_recovery(&site);
	}
	report(&site, is_echo ? "echo's syncs failed" : "worker's syncs failed",
	       SYNCS);
	site_end(&site);
}

START_TEST(echo_ends_when_a_sync_fails_and_has_lost_nothing)
{
	fail_syncs(true);
}
END_TEST

START_TEST(worker_ends_when_a_sync_fails_and_has_lost_nothing)
{
	fail_syncs(false);
}
END_TEST

/* ---- writes ---------------------------------------------------------------
 */

/* Both live on, and once there is room again, all goes well. */
static void expect_both_live(struct site *site)
{
	unsigned i = 0;
	char id[SITE_ID_SIZE];

	do {
		snprintf(id, sizeof(id), "u-%u-%u",
			 atomic_load(&site->requests), i++);
	} while (pair_request(&site->pair, id) != 200 && i < 1000);
	ck_assert(process_is_alive(&site->pair.echo));
	ck_assert(process_is_alive(&site->pair.worker));
	site_expect_recovery(site);
}

/* The disk is full from the @nth write on, or for this one alone. */
static void fill_disk(struct site *site, struct site_program *program, int nth,
		      const char *onwards)
{
	uint64_t strikes = faults_strikes(&program->faults, "vfs.write");
	char order[32];

	snprintf(order, sizeof(order), "fail:%d@%d%s", SQLITE_FULL, nth,
		 onwards);
	faults_order(&program->faults, "vfs.write", order);
	site_requests(site, 4, program);
	ck_assert_uint_gt(faults_strikes(&program->faults, "vfs.write"),
			  strikes);
	faults_order(&program->faults, "vfs.write", "off");
	expect_both_live(site);
}

static void fill_disks(bool is_echo)
{
	const struct site_options options = { .timeout = "2s" };
	struct site_program *program;
	struct site site;

	(void)site_seed();
	site_init(&site, &options);
	program = pick(&site, is_echo);
	site_start(&site);
	for (int nth = 1; nth <= WRITES; nth++) {
		fill_disk(&site, program, nth, "");
		fill_disk(&site, program, nth, "+");
	}
	report(&site, is_echo ? "echo's disk full" : "worker's disk full",
	       2 * WRITES);
	site_end(&site);
}

START_TEST(echos_disk_is_full_at_a_write)
{
	fill_disks(true);
}
END_TEST

START_TEST(workers_disk_is_full_at_a_write)
{
	fill_disks(false);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		echo_ends_when_a_sync_fails_and_has_lost_nothing,
		worker_ends_when_a_sync_fails_and_has_lost_nothing,
		echos_disk_is_full_at_a_write,
		workers_disk_is_full_at_a_write,
		NULL,
	};

	return suite_run_within("disk", tests, SECONDS_MAX);
}
