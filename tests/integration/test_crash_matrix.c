/*
 * The exchange in two phases, crashed everywhere. Each program is killed at
 * each of its points while clients ask, hurry and leave; where a point is
 * passed only when the other program has just died, or at the end, or in
 * recovery, it is killed there. Half of the time the other one is killed in the
 * same moment. Half of the lives have a disk that loses at the death what was
 * not synced: then it is a power cut. Each point that is passed in recovery
 * kills a second time, in the recovery from another crash. And at each point
 * the program is stopped for a while, and one of its threads held up.
 *
 * After each: both are started again, nothing stays in doubt, and the real
 * files hold both or neither of everything (crowd.h).
 *
 * What is by chance follows from a seed, which is printed; RESCIND_SEED has it
 * used again. RESCIND_CRASH_MATRIX=full has every point in every phase, alone
 * and both at once, stopped and held up; a number has that done so many times.
 * RESCIND_CRASH_POINT=<text> does it for points with that text alone.
 */
#include "harness/suite.h"
#include "harness/wreck.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	SECONDS_MAX = 6 * 3600,
	CLIENTS = 10,
	NTH_MAX = 24,
	TRIES_MAX = 8,
	DESERTIONS_MAX = 60,
	LEARN_REQUESTS = 400,
	STOPPED_MS = 30,
	TIDIED_MS = 200, /* what is confirmed is forgotten, by then */
	SLOW_SHARE = 4,	 /* of the points, where programs run slowly */
};

static const struct wreck_options options = {
	.manners = {
		.clients = CLIENTS,
		.work_ms = 2,
		.leave_ms_max = 8,
		.around_ms = 3,
		.hurry_ms_max = 8,
		.big_every = 4,
		.stranger = true,
	},
	.disks = WRECK_FORGETS_BY_CHANCE,
};

/*
 * Those of one phase (test_crash_points.c), and that which is passed after 16
 * MB of the log alone (the unit tests of db).
 */
static const char *const not_ours[] = {
	"echo.call.*",
	"echo.enters.calling",
	"echo.enters.committing",
	"echo.reply",
	"echo.stored",
	"worker.enters.*",
	"worker.reply.*",
	"worker.request",
	"worker.stored",
	"vfs.shm_grow",
	NULL,
};

#define PHASES(X)                                                              \
	X(LIVING, "living")	  /* clients ask, hurry, leave */              \
	X(DESERTED, "deserted")	  /* and the other one dies and comes back */  \
	X(ENDING, "ending")	  /* SIGTERM, with requests under way */       \
	X(RECOVERING, "recovery") /* both start after both have died */

enum phase {
#define PHASE_ENUM(symbol, name) symbol,
	PHASES(PHASE_ENUM)
#undef PHASE_ENUM
		PHASE_NR
};
static const char *const phase_names[PHASE_NR] = {
#define PHASE_NAME(symbol, name) [symbol] = (name),
	PHASES(PHASE_NAME)
#undef PHASE_NAME
};

/* Where it dies so that something is in doubt afterwards. */
static const char *const echos_deaths[] = {
	"echo.exchange.prepared",
	"echo.exchange.decide.after",
	"echo.exchange.decided",
	"echo.exchange.commit.after",
};
static const char *const workers_deaths[] = {
	"worker.exchange.prepare.after",
	"worker.exchange.received.commit",
	"worker.exchange.commit.after",
};
enum { DEATHS = 7, ECHOS_DEATHS = 4 };

/* How often each point of the victim is passed. */
struct tally {
	uint64_t seen;
	uint64_t in[PHASE_NR];
	uint64_t after[DEATHS]; /* in recovery from it */
};

struct matrix {
	struct wreck wreck;
	struct site_program *victim;
	struct site_program *other;
	struct tally *tally; /* by point */
	unsigned rounds;     /* 0: a share for every day */
	/* What was done. */
	unsigned in_phase[PHASE_NR];
	unsigned missed;
	unsigned stops;
	unsigned stalls;
};

static bool chance(int one_in)
{
	return rand() % one_in == 0;
}

static bool has_struck(struct site_program *program, const char *point,
		       uint64_t strikes)
{
	return faults_strikes(&program->faults, point) > strikes;
}

static unsigned draw_nth(uint64_t passes)
{
	unsigned most = passes / 8 < NTH_MAX ? (unsigned)(passes / 8) : NTH_MAX;

	return 1 + (most > 1 ? (unsigned)rand() % most : 0);
}

/* ---- a death for the others to recover from ------------------------------ */

static struct site_program *program_of_death(struct matrix *m, int death)
{
	return death < ECHOS_DEATHS ? &m->wreck.site.echo
				    : &m->wreck.site.worker;
}

static const char *point_of_death(int death)
{
	return death < ECHOS_DEATHS ? echos_deaths[death]
				    : workers_deaths[death - ECHOS_DEATHS];
}

/* Amid requests. */
static void die_both(struct matrix *m, int death)
{
	struct site_program *program = program_of_death(m, death);
	const char *point = point_of_death(death);

	wreck_order(program, point, "kill", 1 + (unsigned)rand() % 12);
	crowd_start(&m->wreck.crowd);
	faults_await(&program->faults, point);
	wreck_kill(&m->wreck, program);
	wreck_kill(&m->wreck, program == m->victim ? m->other : m->victim);
	m->wreck.both++;
	crowd_enough(&m->wreck.crowd);
}

/* ---- kills, phase by phase ----------------------------------------------- */

struct cell {
	const char *point;
	const struct tally *tally;
	bool both;
};

/* It got there, or soon will. */
static void await_death(struct matrix *m, const struct cell *cell,
			enum phase phase)
{
	if (cell->both) {
		faults_await(&m->victim->faults, cell->point);
		wreck_kill(&m->wreck, m->other);
		m->wreck.both++;
	}
	crowd_enough(&m->wreck.crowd);
	faults_await_death(&m->victim->faults, m->victim->process, cell->point);
	wreck_count_death(&m->wreck, m->victim);
	m->in_phase[phase]++;
}

/* Each of these kills the victim; false: it did not get there. */

static bool kill_living(struct matrix *m, const struct cell *cell)
{
	wreck_order(m->victim, cell->point, "kill",
		    draw_nth(cell->tally->in[LIVING]));
	crowd_start(&m->wreck.crowd);
	faults_await(&m->victim->faults, cell->point);
	await_death(m, cell, LIVING);
	return true;
}

/* The other one dies where it leaves something in doubt, and comes back. */
static void desert(struct matrix *m, const char *point, uint64_t strikes)
{
	int death = m->other == &m->wreck.site.echo
			    ? rand() % ECHOS_DEATHS
			    : ECHOS_DEATHS + rand() % (DEATHS - ECHOS_DEATHS);
	const char *where = point_of_death(death);
	uint64_t before = faults_strikes(&m->other->faults, where);

	wreck_order(m->other, where, "kill", 1 + (unsigned)rand() % 12);
	UNTIL(has_struck(m->other, where, before) ||
	      has_struck(m->victim, point, strikes));
	faults_order(&m->other->faults, where, "off");
	if (!has_struck(m->other, where, before)) {
		return; /* the victim is dead */
	}
	wreck_kill(&m->wreck, m->other);
	wreck_launch(&m->wreck, m->other, NULL);
	process_await(m->other->process, "Ready", NULL);
}

static bool kill_deserted(struct matrix *m, const struct cell *cell)
{
	uint64_t strikes = faults_strikes(&m->victim->faults, cell->point);

	wreck_order(m->victim, cell->point, "kill", 1);
	crowd_start(&m->wreck.crowd);
	for (int i = 0;
	     i < DESERTIONS_MAX && !has_struck(m->victim, cell->point, strikes);
	     i++) {
		desert(m, cell->point, strikes);
	}
	await_death(m, cell, DESERTED);
	return true;
}

static void end_amid_requests(struct matrix *m)
{
	size_t n = crowd_size(&m->wreck.crowd);

	crowd_start(&m->wreck.crowd);
	UNTIL(crowd_size(&m->wreck.crowd) >= n + 2 * CLIENTS);
	process_signal(m->victim->process, SIGTERM);
}

static bool kill_ending(struct matrix *m, const struct cell *cell)
{
	uint64_t strikes = faults_strikes(&m->victim->faults, cell->point);

	for (int i = 0; i < TRIES_MAX; i++) {
		end_amid_requests(m);
		wreck_order(m->victim, cell->point, "kill", 1);
		ck_assert(process_ends(m->victim->process));
		if (has_struck(m->victim, cell->point, strikes)) {
			await_death(m, cell, ENDING);
			return true;
		}
		crowd_enough(&m->wreck.crowd);
		wreck_recover(&m->wreck);
	}
	return false;
}

/*
 * Until it is dead, or nothing is in doubt any more, and what is settled has
 * had the time to be forgotten, too.
 */
static void await_recovery(struct matrix *m, const char *point,
			   uint64_t strikes)
{
	int64_t until_ms;

	UNTIL(has_struck(m->victim, point, strikes) ||
	      crowd_is_settled(&m->wreck.crowd));
	until_ms = now_ms() + TIDIED_MS;
	while (!has_struck(m->victim, point, strikes) && now_ms() < until_ms) {
		pause_ms(2);
	}
}

static int draw_death(const struct tally *tally)
{
	int death;

	do {
		death = rand() % DEATHS;
	} while (tally->after[death] == 0);
	return death;
}

static bool try_kill_recovering(struct matrix *m, const struct cell *cell)
{
	uint64_t strikes;
	int death = draw_death(cell->tally);
	char orders[128];

	die_both(m, death);
	strikes = faults_strikes(&m->victim->faults, cell->point);
	snprintf(orders, sizeof(orders), "%s=kill@%u", cell->point,
		 1 + (chance(2) ? draw_nth(cell->tally->after[death]) - 1 : 0));
	wreck_launch(&m->wreck, m->other, NULL);
	wreck_launch(&m->wreck, m->victim, orders);
	if (process_says(m->victim->process, "Ready", NULL)) {
		await_recovery(m, cell->point, strikes);
	}
	if (!has_struck(m->victim, cell->point, strikes)) {
		faults_order(&m->victim->faults, cell->point, "off");
		return false;
	}
	return true;
}

static bool kill_recovering(struct matrix *m, const struct cell *cell)
{
	for (int i = 0; i < TRIES_MAX; i++) {
		if (try_kill_recovering(m, cell)) {
			await_death(m, cell, RECOVERING);
			return true;
		}
		wreck_recover(&m->wreck);
	}
	return false;
}

/* With RESCIND_CRASH_TRACE, what is done next, as it is done. */
static void trace(const struct matrix *m, const char *what, const char *point,
		  const char *how)
{
	if (getenv("RESCIND_CRASH_TRACE") != NULL) {
		fprintf(stderr, "%7.2f %s %s, %s%s\n",
			(double)(now_ms() - m->wreck.begun_ms) / 1000, what,
			point, how,
			faults_forgets(&m->victim->faults) ? ", forgetful"
							   : "");
	}
}

/*
 * In the end and in recovery some points are passed now and then only, because
 * of a client that is late; those are killed while it lives.
 */
static void note_miss(struct matrix *m, const struct cell *cell,
		      enum phase phase)
{
	ck_assert_msg(cell->tally->in[LIVING] + cell->tally->in[DESERTED] > 0,
		      "%s does not die at %s, %s", m->victim->name, cell->point,
		      phase_names[phase]);
	m->missed++;
}

static void kill_at(struct matrix *m, const char *point,
		    const struct tally *tally, enum phase phase, bool both)
{
	static bool (*const kills[PHASE_NR])(struct matrix * m,
					     const struct cell *cell) = {
		[LIVING] = kill_living,
		[DESERTED] = kill_deserted,
		[ENDING] = kill_ending,
		[RECOVERING] = kill_recovering,
	};
	const struct cell cell = { point, tally, both };

	trace(m, both ? "kill both at" : "kill at", point, phase_names[phase]);
	if (!kills[phase](m, &cell)) {
		note_miss(m, &cell, phase);
	}
	wreck_recover(&m->wreck);
	wreck_verify(&m->wreck);
}

/* ---- stops and stalls ---------------------------------------------------- */

static void stop_at(struct matrix *m, const char *point, uint64_t passes)
{
	trace(m, "stop at", point, phase_names[LIVING]);
	wreck_order(m->victim, point, "stop", draw_nth(passes));
	crowd_start(&m->wreck.crowd);
	faults_await_stop(&m->victim->faults, m->victim->process, point);
	if (chance(4)) {
		wreck_kill(&m->wreck, m->other);
		wreck_launch(&m->wreck, m->other, NULL);
	}
	pause_ms(STOPPED_MS);
	process_resume(m->victim->process);
	m->stops++;
	crowd_enough(&m->wreck.crowd);
	wreck_recover(&m->wreck);
	wreck_verify(&m->wreck);
}

static void stall_at(struct matrix *m, const char *point, uint64_t passes)
{
	trace(m, "stall at", point, phase_names[LIVING]);
	wreck_order(m->victim, point, "stall:30ms", draw_nth(passes));
	crowd_start(&m->wreck.crowd);
	faults_await(&m->victim->faults, point);
	m->stalls++;
	crowd_enough(&m->wreck.crowd);
	wreck_recover(&m->wreck);
	wreck_verify(&m->wreck);
}

/* ---- which points there are, and when they are passed -------------------- */

/* Since the last time; into @phase, PHASE_NR for nowhere. */
static void note(struct matrix *m, enum phase phase, int death)
{
	struct faults *faults = &m->victim->faults;

	for (size_t i = 0; i < faults->points_n; i++) {
		struct tally *tally = &m->tally[i];
		uint64_t now = faults_passes(faults, faults->points[i].name);

		if (phase != PHASE_NR) {
			tally->in[phase] += now - tally->seen;
		}
		if (phase == RECOVERING) {
			tally->after[death] += now - tally->seen;
		}
		tally->seen = now;
	}
}

static void learn_recovery(struct matrix *m, int death)
{
	die_both(m, death);
	note(m, PHASE_NR, 0);
	wreck_launch(&m->wreck, m->other, NULL);
	wreck_launch(&m->wreck, m->victim, NULL);
	wreck_await_up(&m->wreck);
	await_recovery(m, m->victim->faults.points[0].name, UINT64_MAX);
	note(m, RECOVERING, death);
	wreck_recover(&m->wreck);
	note(m, PHASE_NR, 0);
}

/* So long that the log is full once, and moved into the file. */
static void live(struct matrix *m)
{
	static const char full[] = "db.checkpoint.after";
	uint64_t passes = faults_passes(&m->victim->faults, full);
	size_t n = crowd_size(&m->wreck.crowd);

	crowd_start(&m->wreck.crowd);
	UNTIL(crowd_size(&m->wreck.crowd) >= n + LEARN_REQUESTS &&
	      faults_passes(&m->victim->faults, full) > passes);
	crowd_stop(&m->wreck.crowd);
	UNTIL(crowd_is_settled(&m->wreck.crowd));
}

static void learn(struct matrix *m)
{
	note(m, PHASE_NR, 0);
	live(m);
	note(m, LIVING, 0);
	crowd_start(&m->wreck.crowd);
	for (int i = 0; i < DEATHS; i++) {
		desert(m, m->victim->faults.points[0].name, UINT64_MAX);
	}
	crowd_stop(&m->wreck.crowd);
	wreck_recover(&m->wreck);
	note(m, DESERTED, 0);
	end_amid_requests(m);
	ck_assert_int_eq(process_wait(m->victim->process), 0);
	crowd_enough(&m->wreck.crowd);
	note(m, ENDING, 0);
	wreck_recover(&m->wreck);
	note(m, PHASE_NR, 0);
	for (int i = 0; i < DEATHS; i++) {
		learn_recovery(m, i);
	}
}

/* Whether it is to be struck at all. */
static bool is_ours(const char *name)
{
	const char *only = getenv("RESCIND_CRASH_POINT");

	return !faults_is_among(name, not_ours) &&
	       (only == NULL || strstr(name, only) != NULL);
}

static size_t count_ours(const struct matrix *m)
{
	const struct faults *faults = &m->victim->faults;
	size_t n = 0;

	for (size_t i = 0; i < faults->points_n; i++) {
		n += is_ours(faults->points[i].name);
	}
	return n;
}

static size_t count_struck(const struct matrix *m)
{
	struct faults *faults = &m->victim->faults;
	size_t n = 0;

	for (size_t i = 0; i < faults->points_n; i++) {
		const char *name = faults->points[i].name;

		n += is_ours(name) && faults_strikes(faults, name) > 0;
	}
	return n;
}

static void expect_all_struck(const struct matrix *m)
{
	struct faults *faults = &m->victim->faults;

	for (size_t i = 0; i < faults->points_n; i++) {
		const char *name = faults->points[i].name;

		ck_assert_msg(
			!is_ours(name) || faults_strikes(faults, name) > 0,
			"%s was never struck at %s", m->victim->name, name);
	}
}

/* ---- all of it ----------------------------------------------------------- */

static void kill_in_every_phase(struct matrix *m, const char *point,
				const struct tally *tally)
{
	for (int phase = 0; phase < PHASE_NR; phase++) {
		if (tally->in[phase] > 0) {
			kill_at(m, point, tally, (enum phase)phase, false);
			kill_at(m, point, tally, (enum phase)phase, true);
		}
	}
	if (tally->in[LIVING] > 0) {
		stop_at(m, point, tally->in[LIVING]);
		stall_at(m, point, tally->in[LIVING]);
	}
}

/* Once where it is most often passed, and in recovery; held up one way. */
static void kill_in_some_phases(struct matrix *m, const char *point,
				const struct tally *tally)
{
	enum phase phase = tally->in[LIVING] > 0     ? LIVING
			   : tally->in[DESERTED] > 0 ? DESERTED
						     : ENDING;

	if (tally->in[phase] > 0) {
		kill_at(m, point, tally, phase, chance(2));
	}
	if (tally->in[RECOVERING] > 0) {
		kill_at(m, point, tally, RECOVERING, chance(2));
	}
	if (tally->in[LIVING] > 0 && chance(2)) {
		stop_at(m, point, tally->in[LIVING]);
	} else if (tally->in[LIVING] > 0) {
		stall_at(m, point, tally->in[LIVING]);
	}
}

static void crash_everywhere(struct matrix *m, unsigned share)
{
	const struct faults *faults = &m->victim->faults;

	for (size_t i = 0; i < faults->points_n; i++) {
		const char *name = faults->points[i].name;

		if (!is_ours(name) || (i + m->wreck.seed) % share != 0) {
			continue;
		}
		if (m->rounds > 0) {
			kill_in_every_phase(m, name, &m->tally[i]);
		} else {
			kill_in_some_phases(m, name, &m->tally[i]);
		}
	}
}

static void init(struct matrix *m, bool is_echo)
{
	const char *rounds = getenv("RESCIND_CRASH_MATRIX");

	memset(m, 0, sizeof(*m));
	m->rounds = rounds == NULL		  ? 0
		    : strcmp(rounds, "full") == 0 ? 1
						  : (unsigned)atoi(rounds);
	wreck_init(&m->wreck, &options);
	m->victim = is_echo ? &m->wreck.site.echo : &m->wreck.site.worker;
	m->other = wreck_other(&m->wreck, m->victim);
	m->tally = calloc(m->victim->faults.points_n, sizeof(*m->tally));
	ck_assert_ptr_nonnull(m->tally);
}

static void report(struct matrix *m)
{
	printf("%s: points=%zu/%zu", m->victim->name, count_struck(m),
	       count_ours(m));
	for (int phase = 0; phase < PHASE_NR; phase++) {
		printf(" %s=%u", phase_names[phase], m->in_phase[phase]);
	}
	printf(" missed=%u stops=%u stalls=%u %s\n", m->missed, m->stops,
	       m->stalls, wreck_summary(&m->wreck));
	fflush(stdout);
}

static void run(bool is_echo)
{
	unsigned share = is_slow_build() ? SLOW_SHARE : 1;
	struct matrix m;

	init(&m, is_echo);
	learn(&m);
	for (unsigned i = 0; i == 0 || i < m.rounds; i++) {
		crash_everywhere(&m, share);
	}
	if (share == 1) {
		expect_all_struck(&m);
	}
	report(&m);
	wreck_release(&m.wreck);
	free(m.tally);
}

START_TEST(echo_is_crashed_everywhere)
{
	run(true);
}
END_TEST

START_TEST(worker_is_crashed_everywhere)
{
	run(false);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		echo_is_crashed_everywhere,
		worker_is_crashed_everywhere,
		NULL,
	};

	return suite_run_within("crash matrix", tests, SECONDS_MAX);
}
