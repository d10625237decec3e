/*
 * The storm, on the programs as they are shipped: thousands of requests, of
 * which a random half is interrupted, most of them around the commit, while
 * either program, or both, is killed by SIGKILL and started again, or stopped
 * for a moment. Afterwards both files hold exactly the same ids; every 200 and
 * 202 is there; every request that was cancelled before the decision is
 * nowhere; nothing is in doubt.
 *
 * Repeat one with RESCIND_SEED. RESCIND_STORM has it go on for that many
 * requests.
 */
#include "harness/crowd.h"
#include "harness/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
	SECONDS_MAX = 6 * 3600,
	REQUESTS = 2400,
	REQUESTS_SLOW = 600,
	BLOWS_MIN = 20,
	WORK_MS = 400,
	WORK_SLOW_MS = 900,
	AROUND_MS = 12,
	CALM_MS_MAX = 1500, /* between two blows */
	STOPPED_MS_MAX = 200,
	GONE_MS_MAX = 100,
	STOPS_MAX = 100000,
	/* Left so long before the worker can vote that news of it arrive in
	 * time on any machine; much more where programs crawl. */
	CLEARLY_MS = 250,
	CLEARLY_SLOW_MS = 500,
};

struct stop {
	int64_t begun_ms;
	int64_t ended_ms;
};

struct storm {
	struct pair pair;
	struct crowd crowd;
	struct crowd_manners manners;
	unsigned seed;
	unsigned kills, kills_of_both, stops;
	size_t echo_stops_n;
	struct stop echo_stops[STOPS_MAX]; /* while it can't hear of a client */
};

static int below(int n)
{
	return rand() % n;
}

/* ---- blows --------------------------------------------------------------- */

static bool is_echo(const struct storm *storm, const struct process *process)
{
	return process == &storm->pair.echo;
}

static void strike(struct storm *storm, struct process *process)
{
	process_signal(process, SIGKILL);
	ck_assert_int_eq(process_wait(process), 128 + SIGKILL);
	crowd_hear(&storm->crowd, process);
	storm->kills++;
}

static void start(struct storm *storm, struct process *process)
{
	if (is_echo(storm, process)) {
		pair_launch_echo(&storm->pair);
	} else {
		pair_launch_worker(&storm->pair);
	}
}

static void kill_one(struct storm *storm, struct process *process)
{
	strike(storm, process);
	pause_ms(below(GONE_MS_MAX));
	start(storm, process);
	process_await(process, "Ready", NULL);
}

static void kill_both(struct storm *storm)
{
	strike(storm, &storm->pair.worker);
	strike(storm, &storm->pair.echo);
	storm->kills_of_both++;
	start(storm, &storm->pair.echo);
	start(storm, &storm->pair.worker);
	process_await(&storm->pair.worker, "Ready", NULL);
	process_await(&storm->pair.echo, "Ready", NULL);
}

static void stop_one(struct storm *storm, struct process *process)
{
	struct stop stop = { .begun_ms = now_ms() };

	process_pause(process);
	pause_ms(below(STOPPED_MS_MAX));
	process_resume(process);
	stop.ended_ms = now_ms();
	storm->stops++;
	if (is_echo(storm, process) && storm->echo_stops_n < STOPS_MAX) {
		storm->echo_stops[storm->echo_stops_n++] = stop;
	}
}

static void blow(struct storm *storm)
{
	struct process *process =
		below(2) == 0 ? &storm->pair.echo : &storm->pair.worker;
	int die = below(8);

	if (die < 4) {
		kill_one(storm, process);
	} else if (die < 5) {
		kill_both(storm);
	} else {
		stop_one(storm, process);
	}
}

/* ---- what has to hold ---------------------------------------------------- */

static bool is_within_stop(const struct storm *storm, int64_t ms,
			   int64_t margin_ms)
{
	for (size_t i = 0; i < storm->echo_stops_n; i++) {
		const struct stop *stop = &storm->echo_stops[i];

		if (ms + margin_ms >= stop->begun_ms &&
		    ms <= stop->ended_ms + margin_ms) {
			return true;
		}
	}
	return false;
}

/* The worker can't vote before it has worked, and echo could hear of it. */
static bool left_clearly_before(const struct storm *storm,
				const struct crowd_request *request)
{
	int64_t clearly_ms = is_slow_build() ? CLEARLY_SLOW_MS : CLEARLY_MS;

	return request->left &&
	       request->left_ms <
		       request->sent_ms + storm->manners.work_ms - clearly_ms &&
	       !is_within_stop(storm, request->left_ms, clearly_ms);
}

static size_t expect_nothing_of_those_that_left(const struct storm *storm)
{
	size_t clearly = 0;

	for (size_t i = 0; i < storm->crowd.requests_n; i++) {
		const struct crowd_request *request = &storm->crowd.requests[i];

		if (!left_clearly_before(storm, request)) {
			continue;
		}
		clearly++;
		ck_assert_msg(request->in_echo == 0 && request->in_worker == 0,
			      "c-%zu left after %lld ms of %d, and is stored",
			      i,
			      (long long)(request->left_ms - request->sent_ms),
			      storm->manners.work_ms);
	}
	return clearly;
}

/* They left, and yet are there: the decision was made before they did. */
static size_t count_too_late(const struct storm *storm)
{
	size_t n = 0;

	for (size_t i = 0; i < storm->crowd.requests_n; i++) {
		n += storm->crowd.requests[i].left &&
		     storm->crowd.requests[i].in_echo == 1;
	}
	return n;
}

/* ---- the storm ----------------------------------------------------------- */

static size_t wanted(void)
{
	const char *given = getenv("RESCIND_STORM");

	return given != NULL	 ? strtoul(given, NULL, 10)
	       : is_slow_build() ? REQUESTS_SLOW
				 : REQUESTS;
}

/* Not those that found nobody, or were refused at the door for want of a
 * worker. */
static bool was_let_in(const struct crowd_request *request)
{
	return request->fate != CROWD_UNSENT && request->status != 503;
}

static size_t count_let_in(struct storm *storm)
{
	size_t n = 0;

	pthread_mutex_lock(&storm->crowd.lock);
	for (size_t i = 0; i < storm->crowd.requests_n; i++) {
		n += was_let_in(&storm->crowd.requests[i]);
	}
	pthread_mutex_unlock(&storm->crowd.lock);
	return n;
}

/* By their clients, or by their deadlines. */
static size_t count_interrupted(const struct storm *storm)
{
	size_t n = 0;

	for (size_t i = 0; i < storm->crowd.requests_n; i++) {
		const struct crowd_request *request = &storm->crowd.requests[i];

		n += request->left || request->status == 504;
	}
	return n;
}

static void rage(struct storm *storm)
{
	unsigned blows = 0;

	crowd_start(&storm->crowd);
	while (count_let_in(storm) < wanted() || blows < BLOWS_MIN) {
		pause_ms(below(CALM_MS_MAX));
		blow(storm);
		blows++;
	}
	pair_await_ready(&storm->pair);
	crowd_stop(&storm->crowd);
}

static void report(struct storm *storm, size_t clearly, int64_t begun_ms)
{
	printf("storm: kills=%u (both at once: %u) stops=%u %s let_in=%zu "
	       "interrupted=%zu left_before_decision=%zu (0 rows each) "
	       "left_after=%zu seconds=%.1f seed=%u violations=0\n",
	       storm->kills, storm->kills_of_both, storm->stops,
	       crowd_summary(&storm->crowd), count_let_in(storm),
	       count_interrupted(storm), clearly, count_too_late(storm),
	       (double)(now_ms() - begun_ms) / 1000, storm->seed);
	fflush(stdout);
}

static unsigned draw_seed(void)
{
	const char *given = getenv("RESCIND_SEED");
	unsigned seed = given != NULL ? (unsigned)strtoul(given, NULL, 10)
				      : (unsigned)time(NULL);

	srand(seed);
	printf("storm: seed=%u\n", seed);
	fflush(stdout);
	return seed;
}

START_TEST(a_storm_leaves_the_same_in_both)
{
	const struct pair_options options = {
		.work = is_slow_build() ? "900ms" : "400ms",
		.log_level = "info",
		.worker_flags = FLAGS("-metrics-port", "0"),
	};
	static struct storm storm;
	int64_t begun_ms = now_ms();
	size_t clearly;

	storm.seed = draw_seed();
	storm.manners = (struct crowd_manners){
		.clients = 128,
		.work_ms = is_slow_build() ? WORK_SLOW_MS : WORK_MS,
		.around_ms = AROUND_MS,
		.big_every = 8,
	};
	storm.manners.leave_ms_max = storm.manners.work_ms + 4 * AROUND_MS;
	storm.manners.hurry_ms_max = storm.manners.leave_ms_max;
	pair_start(&storm.pair, &options);
	crowd_init(&storm.crowd, &storm.pair, &storm.manners, (unsigned)rand());
	rage(&storm);
	crowd_settle(&storm.crowd);
	process_signal(&storm.pair.echo, SIGTERM);
	ck_assert_int_eq(process_wait(&storm.pair.echo), 0);
	process_signal(&storm.pair.worker, SIGTERM);
	ck_assert_int_eq(process_wait(&storm.pair.worker), 0);
	crowd_expect_both_or_neither(&storm.crowd);
	crowd_expect_nothing_left(&storm.crowd);
	clearly = expect_nothing_of_those_that_left(&storm);
	ck_assert_uint_gt(clearly, 0);
	report(&storm, clearly, begun_ms);
	process_release(&storm.pair.echo);
	process_release(&storm.pair.worker);
	scratch_remove(storm.pair.dir);
	crowd_release(&storm.crowd);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		a_storm_leaves_the_same_in_both,
		NULL,
	};

	return suite_run_within("crash storm", tests, SECONDS_MAX);
}
