/* Ten thousand requests, half of them cancelled, and memory stays flat. */
#include "harness/load.h"
#include "harness/suite.h"

#include <stdio.h>

enum {
	ROUND = 2500,
	ROUNDS = 4,
	CLIENTS = 32,
	GROWTH_KB_MAX = 3072,
};

struct usage {
	size_t echo_kb;
	size_t worker_kb;
	size_t echo_descriptors;
	size_t worker_descriptors;
};

static struct usage usage_of(const struct pair *pair)
{
	return (struct usage){
		process_resident_kb(&pair->echo),
		process_resident_kb(&pair->worker),
		process_descriptors(&pair->echo),
		process_descriptors(&pair->worker),
	};
}

/* A round, and what both hold when all of it is over. */
static struct usage run_round(struct pair *pair, int round)
{
	struct load_request *requests;
	struct usage usage;
	int left = 0;
	char prefix[32];

	snprintf(prefix, sizeof(prefix), "round%d", round);
	requests = load_plan(ROUND, prefix);
	for (int i = 0; i < ROUND; i += 2) {
		requests[i].leave = i % 4 == 0 ? LOAD_CLOSE : LOAD_RESET;
		requests[i].leave_ms = i % 9;
	}
	load_run(pair->http_port, requests, ROUND, CLIENTS);
	for (int i = 0; i < ROUND; i += 2) {
		left += requests[i].end == LOAD_LEFT;
		ck_assert_int_eq(requests[i + 1].status, 200);
	}
	ck_assert_int_gt(left, ROUND / 4);
	UNTIL(http_metric(pair->http_port,
			  "rescind_in_flight{service=\"echo\"}") == 0);
	usage = usage_of(pair);
	printf("after %d requests: echo %zu KB, %zu descriptors; worker %zu "
	       "KB, %zu descriptors\n",
	       (round + 1) * ROUND, usage.echo_kb, usage.echo_descriptors,
	       usage.worker_kb, usage.worker_descriptors);
	free(requests);
	return usage;
}

START_TEST(ten_thousand_requests_half_of_them_cancelled)
{
	struct pair_options options = { .work = "10ms", .log_level = "info" };
	struct usage first;
	struct usage last = { 0 };
	struct pair pair;

	pair_start(&pair, &options);
	first = run_round(&pair, 0);
	for (int round = 1; round < ROUNDS; round++) {
		last = run_round(&pair, round);
	}
	ck_assert_uint_le(last.echo_descriptors, first.echo_descriptors + 4);
	ck_assert_uint_le(last.worker_descriptors,
			  first.worker_descriptors + 4);
	/* A sanitizer keeps what was freed for a while. */
	if (!is_slow_build()) {
		ck_assert_uint_lt(last.echo_kb, first.echo_kb + GROWTH_KB_MAX);
		ck_assert_uint_lt(last.worker_kb,
				  first.worker_kb + GROWTH_KB_MAX);
	}
	pair_end(&pair);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		ten_thousand_requests_half_of_them_cancelled,
		NULL,
	};

	return suite_run("memory", tests);
}
