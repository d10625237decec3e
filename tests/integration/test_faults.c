/* What the harness can do to a program: hold a thread up, stop all of it. */
#include "harness/run.h"
#include "harness/site.h"
#include "harness/suite.h"

#include <stdio.h>
#include <string.h>

static void start(struct site *site)
{
	const struct site_options options = { .timeout = NULL };

	site_init(site, &options);
	site_start(site);
}

START_TEST(a_thread_that_is_held_up_goes_on_when_it_is_let_go)
{
	struct client client;
	struct reply reply;
	struct site site;

	start(&site);
	faults_order(&site.worker.faults, "db.commit.before", "stall");
	pair_send(&site.pair, &client, "held-up");
	faults_await(&site.worker.faults, "db.commit.before");
	/* It is answered only after that commit. */
	ck_assert(!client_receive_within(&client, &reply, 100));
	pair_expect_rows(&site.pair, "held-up", 0, 0);
	faults_let_go(&site.worker.faults, "db.commit.before");
	ck_assert(client_receive(&client, &reply));
	ck_assert_int_eq(reply.status, 200);
	pair_expect_committed(&site.pair, "held-up");
	client_close(&client);
	site_end(&site);
}
END_TEST

START_TEST(a_program_that_was_stopped_at_a_point_goes_on_from_there)
{
	struct client client;
	struct reply reply;
	struct site site;

	start(&site);
	faults_order(&site.worker.faults, "worker.exchange.prepare.after",
		     "stop");
	pair_send(&site.pair, &client, "stopped");
	faults_await_stop(&site.worker.faults, &site.pair.worker,
			  "worker.exchange.prepare.after");
	ck_assert_int_eq(rows_query(site.pair.worker_db,
				    "SELECT COUNT(*) FROM twopc_prepared"
				    " WHERE state = 1"),
			 1);
	process_resume(&site.pair.worker);
	ck_assert(client_receive(&client, &reply));
	ck_assert_int_eq(reply.status, 200);
	client_close(&client);
	ck_assert_uint_eq(faults_strikes(&site.worker.faults,
					 "worker.exchange.prepare.after"),
			  1);
	site_end(&site);
}
END_TEST

START_TEST(passes_are_counted_over_all_lives)
{
	enum { LIVES = 3 };
	struct faults *faults;
	struct site site;

	start(&site);
	faults = &site.worker.faults;
	for (int i = 1; i <= LIVES; i++) {
		faults_order(faults, "db.completion.after", "kill");
		site_requests(&site, 3, &site.worker);
		faults_await_death(faults, site.worker.process,
				   "db.completion.after");
		ck_assert_uint_eq(faults_strikes(faults, "db.completion.after"),
				  (uint64_t)i);
		ck_assert_uint_ge(faults_passes(faults, "db.completion.after"),
				  (uint64_t)i);
		ck_assert_uint_eq(faults_passes(faults, "db.open.before"),
				  (uint64_t)i);
		site_start_program(&site, &site.worker);
	}
	ck_assert_uint_eq(faults_points_struck(faults), 1);
	site_expect_recovery(&site);
	site_end(&site);
}
END_TEST

static void expect_refused(const char *variable, const char *line)
{
	const char *env[] = { variable, NULL };
	const struct process_options options = { .env = env, .faulty = true };
	struct outcome outcome;

	RUN(&outcome, "echo", &options, "-http-port", "0");
	ck_assert_int_eq(outcome.code, 2);
	ck_assert_str_eq(outcome.text, line);
}

START_TEST(orders_that_make_no_sense_are_refused_at_the_start)
{
	expect_refused("RESCIND_FAILPOINTS=db.begin.after=die",
		       "RESCIND_FAILPOINTS: db.begin.after: 'die' is none of "
		       "kill, stop, stall, fail and off\n");
	expect_refused("RESCIND_FAILPOINTS=db.begin.afar=kill",
		       "RESCIND_FAILPOINTS: there is no point "
		       "'db.begin.afar'\n");
	expect_refused("RESCIND_FORGET=all",
		       "RESCIND_FORGET: 'all' is not a number\n");
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		a_thread_that_is_held_up_goes_on_when_it_is_let_go,
		a_program_that_was_stopped_at_a_point_goes_on_from_there,
		passes_are_counted_over_all_lives,
		orders_that_make_no_sense_are_refused_at_the_start,
		NULL,
	};

	return suite_run("faults", tests);
}
