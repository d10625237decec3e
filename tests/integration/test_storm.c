/*
 * A storm: hundreds of requests, of which a random half is interrupted at
 * random moments, by FIN, RST and SIGKILL, also in the instants in which the
 * worker commits. Repeat one with RESCIND_SEED.
 */
#include "harness/load.h"
#include "harness/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
	REQUESTS = 400,
	WORK_MS = 800,
	BEGIN_MS_MAX = 400,
	LEAVE_MS_MAX = 1100,
	AROUND_MS = 12,
	/* Left so long before the worker can begin to commit that news of it
	 * arrive in time on any machine; much more where programs crawl. */
	CLEARLY_MS = 250,
	CLEARLY_SLOW_MS = 500,
};

static unsigned seed_of_today(void)
{
	const char *given = getenv("RESCIND_SEED");

	return given != NULL ? (unsigned)strtoul(given, NULL, 10)
			     : (unsigned)time(NULL);
}

static int below(unsigned *seed, int n)
{
	return (int)(rand_r(seed) % (unsigned)n);
}

static struct load_request *plan(unsigned seed)
{
	struct load_request *requests = load_plan(REQUESTS, "storm");

	for (int i = 0; i < REQUESTS; i++) {
		requests[i].begin_ms = below(&seed, BEGIN_MS_MAX);
		if (below(&seed, 2) == 0) {
			continue;
		}
		/* A curl is a process: fewer of these. */
		requests[i].leave = below(&seed, 5) == 0   ? LOAD_KILL
				    : below(&seed, 2) == 0 ? LOAD_CLOSE
							   : LOAD_RESET;
		/* A third of them around the instant of the commit. */
		requests[i].leave_ms =
			below(&seed, 3) == 0
				? WORK_MS - AROUND_MS +
					  below(&seed, 2 * AROUND_MS)
				: below(&seed, LEAVE_MS_MAX);
	}
	return requests;
}

static const char *way_of(const struct load_request *r)
{
	static const char *const ways[LOAD_LEAVE_NR] = { "-", "by FIN",
							 "by RST",
							 "by SIGKILL" };

	return ways[r->leave];
}

/* The worker can't begin to commit before it has worked. */
static bool left_clearly_before(const struct load_request *r)
{
	int clearly_ms = is_slow_build() ? CLEARLY_SLOW_MS : CLEARLY_MS;

	return r->end == LOAD_LEFT &&
	       r->left_ms < r->sent_ms + WORK_MS - clearly_ms;
}

static size_t expect_nothing_of_those_that_left(struct pair *pair,
						struct load_request *requests)
{
	size_t clearly = 0;

	for (int i = 0; i < REQUESTS; i++) {
		const struct load_request *r = &requests[i];

		if (!left_clearly_before(r)) {
			continue;
		}
		clearly++;
		ck_assert_msg(echo_rows(pair->echo_db, r->id) == 0 &&
				      worker_rows(pair->worker_db, r->id) == 0,
			      "%s left %s after %lld ms of %d, and is stored",
			      r->id, way_of(r),
			      (long long)(r->left_ms - r->sent_ms), WORK_MS);
	}
	return clearly;
}

/* They left, but too late: the worker had begun to commit. */
static size_t count_committed(struct pair *pair,
			      const struct load_request *requests)
{
	size_t committed = 0;

	for (int i = 0; i < REQUESTS; i++) {
		committed += requests[i].end == LOAD_LEFT &&
			     worker_rows(pair->worker_db, requests[i].id) == 1;
	}
	return committed;
}

static size_t count_left(const struct load_request *requests)
{
	size_t left = 0;

	for (int i = 0; i < REQUESTS; i++) {
		const struct load_request *r = &requests[i];

		left += r->end == LOAD_LEFT;
		ck_assert_msg(r->end == LOAD_LEFT || (r->end == LOAD_ANSWERED &&
						      r->status == 200),
			      "%s, to leave %s after %d ms: end %d after %lld "
			      "ms, status %d",
			      r->id, way_of(r), r->leave_ms, (int)r->end,
			      (long long)(r->left_ms - r->sent_ms), r->status);
	}
	return left;
}

START_TEST(a_storm_of_interruptions_leaves_both_databases_in_step)
{
	struct pair_options options = { .work = "800ms", .timeout = "60s" };
	unsigned seed = seed_of_today();
	struct load_request *requests = plan(seed);
	size_t clearly;
	size_t left;
	struct pair pair;

	printf("storm: seed %u\n", seed);
	fflush(stdout);
	pair_start(&pair, &options);
	load_run(pair.http_port, requests, REQUESTS, REQUESTS);
	UNTIL(http_metric(pair.http_port,
			  "rescind_in_flight{service=\"echo\"}") == 0);
	/* Both end in order: whatever was still to be undone is. */
	process_end(&pair.echo);
	process_end(&pair.worker);

	left = count_left(requests);
	load_expect_consistent(&pair, requests, REQUESTS);
	clearly = expect_nothing_of_those_that_left(&pair, requests);
	printf("storm: %d requests, %zu left unanswered, %zu of them clearly "
	       "before the commit (0 rows each); %zu left when it was "
	       "decided, and are in both\n",
	       REQUESTS, left, clearly, count_committed(&pair, requests));
	ck_assert_uint_gt(clearly, 0);
	ck_assert_uint_gt(left, REQUESTS / 5);
	pair_end(&pair);
	free(requests);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		a_storm_of_interruptions_leaves_both_databases_in_step,
		NULL,
	};

	return suite_run("storm", tests);
}
