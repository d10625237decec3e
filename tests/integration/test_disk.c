/*
 * Disks that fail under a pair that keeps both or neither: syncs that fail,
 * disks that are full at a write, machines whose power is cut. No acknowledged
 * request is lost, and nothing is in one file alone.
 *
 * RESCIND_SEED repeats one; RESCIND_DISK_ROUNDS has more power cut and more
 * syncs fail.
 */
#include "harness/suite.h"
#include "harness/wreck.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	SECONDS_MAX = 3600,
	CLIENTS = 8,
	SYNCS = 8,
	CUTS = 20,
	CUTS_NTH_MAX = 30,
	NTH_MAX = 2000, /* there is an end to the writes of a few requests */
};

static const struct wreck_options usual = {
	.manners = {
		.clients = CLIENTS,
		.work_ms = 2,
		.leave_ms_max = 8,
		.around_ms = 3,
		.hurry_ms_max = 8,
		/* A disk that stays full keeps those waiting that were
		 * promised. */
		.wait_ms = 200,
		.big_every = 4,
	},
};

static const char sync_failed[] = "The database could not be synced";

struct disk {
	struct wreck wreck;
	struct site_program *victim;
	struct site_program *other;
};

static void init(struct disk *disk, bool is_echo, enum wreck_disks disks)
{
	struct wreck_options options = usual;

	memset(disk, 0, sizeof(*disk));
	options.disks = disks;
	wreck_init(&disk->wreck, &options);
	disk->victim =
		is_echo ? &disk->wreck.site.echo : &disk->wreck.site.worker;
	disk->other = wreck_other(&disk->wreck, disk->victim);
}

static void report(struct disk *disk, const char *what, unsigned times)
{
	printf("%s, %s: times=%u %s\n", disk->victim->name, what, times,
	       wreck_summary(&disk->wreck));
	fflush(stdout);
}

static unsigned rounds(unsigned usually)
{
	const char *given = getenv("RESCIND_DISK_ROUNDS");

	return given != NULL	 ? (unsigned)strtoul(given, NULL, 10)
	       : is_slow_build() ? usually / 4
				 : usually;
}

/* ---- syncs ----------------------------------------------------------------
 */

/*
 * It ends by itself, and says why: it can't know what the disk holds. That is
 * read from the file, at the next start. What failed is not tried again: that
 * sync was the last one.
 */
static void expect_exit(struct disk *disk, uint64_t syncs)
{
	struct faults *faults = &disk->victim->faults;

	ck_assert_int_eq(process_wait(disk->victim->process),
			 WRECK_EXIT_SYNC_FAILED);
	ck_assert_uint_eq(
		process_count(disk->victim->process, sync_failed, NULL), 1);
	ck_assert_uint_eq(faults_passes(faults, "vfs.sync"), syncs);
}

static void fail_sync(struct disk *disk, unsigned nth)
{
	struct faults *faults = &disk->victim->faults;
	uint64_t syncs = faults_passes(faults, "vfs.sync");

	wreck_order(disk->victim, "vfs.sync", "fail", nth);
	crowd_start(&disk->wreck.crowd);
	ck_assert(process_ends(disk->victim->process));
	crowd_enough(&disk->wreck.crowd);
	expect_exit(disk, syncs + nth);
	wreck_recover(&disk->wreck);
	wreck_verify(&disk->wreck);
}

static void fail_syncs(bool is_echo)
{
	unsigned n = rounds(SYNCS);
	struct disk disk;

	init(&disk, is_echo, WRECK_FORGETS);
	for (unsigned nth = 1; nth <= n; nth++) {
		fail_sync(&disk, nth);
	}
	report(&disk, "a sync fails", n);
	wreck_release(&disk.wreck);
}

START_TEST(echo_ends_when_a_sync_fails)
{
	fail_syncs(true);
}
END_TEST

START_TEST(worker_ends_when_a_sync_fails)
{
	fail_syncs(false);
}
END_TEST

/* ---- at the start ---------------------------------------------------------
 */

struct trouble {
	const char *what;
	const char *point;
	const char *order;
	int code; /* that it ends with, whenever it strikes; 0: it may live */
};

static const struct trouble no_sync = {
	.what = "a sync fails at the start",
	.point = "vfs.sync",
	.order = "fail",
	.code = WRECK_EXIT_SYNC_FAILED,
};

static const struct trouble no_room = {
	.what = "the disk is full at the start",
	.point = "vfs.write",
	.order = "fail:13",
};

/* Where both leave something to be done at the next start. */
static void die_in_doubt(struct disk *disk)
{
	bool of_echo = rand() % 2 == 0;
	struct site_program *program =
		of_echo ? &disk->wreck.site.echo : &disk->wreck.site.worker;
	const char *point = of_echo ? "echo.exchange.decided"
				    : "worker.exchange.received.commit";

	wreck_order(program, point, "kill", 1 + (unsigned)rand() % 8);
	crowd_start(&disk->wreck.crowd);
	faults_await(&program->faults, point);
	wreck_kill(&disk->wreck, &disk->wreck.site.echo);
	wreck_kill(&disk->wreck, &disk->wreck.site.worker);
	crowd_enough(&disk->wreck.crowd);
}

/* Before it was ready it ends with a word, of whatever it was that failed. */
static void expect_end(struct disk *disk, const struct trouble *trouble,
		       bool was_ready)
{
	int code;

	if (was_ready && trouble->code == 0) {
		return;
	}
	code = process_wait(disk->victim->process);
	ck_assert_msg(code == trouble->code || (!was_ready && code == 1),
		      "it ended with %d:\n%s", code,
		      process_tail(disk->victim->process));
}

/* Whether it struck in this life. */
static bool start_badly(struct disk *disk, const struct trouble *trouble,
			unsigned nth)
{
	struct faults *faults = &disk->victim->faults;
	uint64_t strikes = faults_strikes(faults, trouble->point);
	char orders[64];
	bool ready;

	snprintf(orders, sizeof(orders), "%s=%s@%u", trouble->point,
		 trouble->order, nth);
	wreck_launch(&disk->wreck, disk->other, NULL);
	wreck_launch(&disk->wreck, disk->victim, orders);
	ready = process_says(disk->victim->process, "Ready", NULL);
	if (ready) {
		UNTIL(faults_strikes(faults, trouble->point) > strikes ||
		      crowd_is_settled(&disk->wreck.crowd));
	}
	if (faults_strikes(faults, trouble->point) == strikes) {
		faults_order(faults, trouble->point, "off");
		return false;
	}
	expect_end(disk, trouble, ready);
	return true;
}

/* Of what is done at the start, and to recover, each in turn, until all of it
 * is passed. */
static void fail_at_start(bool is_echo, const struct trouble *trouble)
{
	struct disk disk;
	unsigned nth = 0;
	bool struck;

	init(&disk, is_echo, WRECK_FORGETS_BY_CHANCE);
	disk.wreck.may_fail_to_start = true;
	do {
		nth++;
		ck_assert_uint_lt(nth, NTH_MAX);
		die_in_doubt(&disk);
		struck = start_badly(&disk, trouble, nth);
		wreck_recover(&disk.wreck);
		wreck_verify(&disk.wreck);
	} while (struck);
	report(&disk, trouble->what, nth - 1);
	ck_assert_uint_gt(nth, 1);
	wreck_release(&disk.wreck);
}

START_TEST(a_sync_fails_when_echo_starts)
{
	fail_at_start(true, &no_sync);
}
END_TEST

START_TEST(a_sync_fails_when_worker_starts)
{
	fail_at_start(false, &no_sync);
}
END_TEST

START_TEST(echos_disk_is_full_when_it_starts)
{
	fail_at_start(true, &no_room);
}
END_TEST

START_TEST(workers_disk_is_full_when_it_starts)
{
	fail_at_start(false, &no_room);
}
END_TEST

/* ---- full ----------------------------------------------------------------
 */

/* From the @nth write on, or at this one alone; whether there was one. */
static bool fill_disk(struct disk *disk, unsigned nth, const char *onwards)
{
	struct faults *faults = &disk->victim->faults;
	uint64_t strikes = faults_strikes(faults, "vfs.write");
	char order[32];
	bool struck;

	snprintf(order, sizeof(order), "fail:%d@%u%s", SQLITE_FULL, nth,
		 onwards);
	faults_order(faults, "vfs.write", order);
	crowd_ask_all_ways(&disk->wreck.crowd);
	struck = faults_strikes(faults, "vfs.write") > strikes;
	faults_order(faults, "vfs.write", "off");
	ck_assert(process_is_alive(disk->victim->process));
	ck_assert(process_is_alive(disk->other->process));
	wreck_recover(&disk->wreck);
	crowd_expect_both_or_neither(&disk->wreck.crowd);
	return struck;
}

static void fill_at_every_write(bool is_echo, const char *onwards,
				const char *what)
{
	struct disk disk;
	unsigned nth = 1;

	init(&disk, is_echo, WRECK_REMEMBERS);
	while (fill_disk(&disk, nth, onwards)) {
		nth++;
		ck_assert_uint_lt(nth, NTH_MAX);
	}
	report(&disk, what, nth - 1);
	ck_assert_uint_gt(nth, 1);
	wreck_release(&disk.wreck);
}

START_TEST(echos_disk_is_full_at_a_write)
{
	fill_at_every_write(true, "", "one write finds the disk full");
}
END_TEST

START_TEST(workers_disk_is_full_at_a_write)
{
	fill_at_every_write(false, "", "one write finds the disk full");
}
END_TEST

START_TEST(echos_disk_is_full_from_a_write_on)
{
	fill_at_every_write(true, "+", "the disk is full from a write on");
}
END_TEST

START_TEST(workers_disk_is_full_from_a_write_on)
{
	fill_at_every_write(false, "+", "the disk is full from a write on");
}
END_TEST

/* ---- power ----------------------------------------------------------------
 */

/* Both lose in the same instant what was not synced. */
static void cut_power(struct disk *disk)
{
	static const char *const points[] = {
		"vfs.write",	  "vfs.write.after",  "vfs.sync",
		"vfs.sync.after", "db.commit.before", "db.commit.after"
	};
	const char *point =
		points[(size_t)rand() % (sizeof(points) / sizeof(points[0]))];

	wreck_order(disk->victim, point, "kill",
		    1 + (unsigned)rand() % CUTS_NTH_MAX);
	crowd_start(&disk->wreck.crowd);
	faults_await(&disk->victim->faults, point);
	wreck_kill(&disk->wreck, disk->other);
	wreck_kill(&disk->wreck, disk->victim);
	disk->wreck.both++;
	crowd_enough(&disk->wreck.crowd);
	wreck_recover(&disk->wreck);
	wreck_verify(&disk->wreck);
}

START_TEST(the_power_of_the_machine_is_cut)
{
	unsigned n = rounds(CUTS);
	struct disk disk;

	init(&disk, true, WRECK_FORGETS);
	for (unsigned i = 0; i < n; i++) {
		disk.victim = i % 2 == 0 ? &disk.wreck.site.echo
					 : &disk.wreck.site.worker;
		disk.other = wreck_other(&disk.wreck, disk.victim);
		cut_power(&disk);
	}
	printf("the power is cut: times=%u %s\n", n,
	       wreck_summary(&disk.wreck));
	fflush(stdout);
	wreck_release(&disk.wreck);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		echo_ends_when_a_sync_fails,
		worker_ends_when_a_sync_fails,
		a_sync_fails_when_echo_starts,
		a_sync_fails_when_worker_starts,
		echos_disk_is_full_when_it_starts,
		workers_disk_is_full_when_it_starts,
		echos_disk_is_full_at_a_write,
		workers_disk_is_full_at_a_write,
		echos_disk_is_full_from_a_write_on,
		workers_disk_is_full_from_a_write_on,
		the_power_of_the_machine_is_cut,
		NULL,
	};

	return suite_run_within("disk", tests, SECONDS_MAX);
}
