/* Many requests at once: none waits for another, and none is lost. */
#include "harness/load.h"
#include "harness/suite.h"

#include <stdio.h>

START_TEST(two_hundred_at_once_all_commit)
{
	enum { REQUESTS = 200 };
	struct pair_options options = { .work = "1s",
					.timeout = "60s",
					.log_level = "info" };
	struct load_request *requests = load_plan(REQUESTS, "at-once");
	struct pair pair;
	int64_t begun_ms;

	pair_start(&pair, &options);
	begun_ms = now_ms();
	load_run(pair.http_port, requests, REQUESTS, REQUESTS);
	printf("200 requests of 1 s were answered after %lld ms\n",
	       (long long)(now_ms() - begun_ms));
	/* One after the other would be 200 s. */
	ck_assert_int_lt(now_ms() - begun_ms, 30000);
	ck_assert_uint_eq(load_count(requests, REQUESTS, 200), REQUESTS);
	load_expect_consistent(&pair, requests, REQUESTS);
	ck_assert_int_eq(
		rows_query(pair.echo_db, "SELECT COUNT(*) FROM echo_requests"),
		REQUESTS);
	pair_end(&pair);
	free(requests);
}
END_TEST

START_TEST(thousands_one_after_the_other_on_many_connections)
{
	enum { REQUESTS = 3000, CLIENTS = 48 };
	struct pair_options options = { .work = "0s", .log_level = "info" };
	struct load_request *requests = load_plan(REQUESTS, "quick");
	struct pair pair;

	pair_start(&pair, &options);
	load_run(pair.http_port, requests, REQUESTS, CLIENTS);
	ck_assert_uint_eq(load_count(requests, REQUESTS, 200), REQUESTS);
	load_expect_consistent(&pair, requests, REQUESTS);
	ck_assert(http_metric(pair.http_port,
			      "rescind_in_flight{service=\"echo\"}") == 0);
	pair_end(&pair);
	free(requests);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		two_hundred_at_once_all_commit,
		thousands_one_after_the_other_on_many_connections,
		NULL,
	};

	return suite_run("load", tests);
}
