/*
 * Both or neither: the exchange in two phases between the real programs, each
 * of which dies, stops or is cut off at the moments that matter.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctx/ctx.h"
#include "harness/load.h"
#include "harness/run.h"
#include "harness/suite.h"
#include "rpc/server.h"
#include "worker.pb-c.h"
#include "worker_schema.h"

/* ---- shorthand ----------------------------------------------------------- */

static int prepared_rows(struct pair *pair)
{
	return rows_query(
		pair->worker_db,
		"SELECT COUNT(*) FROM twopc_prepared WHERE state = 1");
}

static int decisions(struct pair *pair)
{
	return rows_query(pair->echo_db,
			  "SELECT COUNT(*) FROM twopc_decisions");
}

/* Nothing is in doubt any more, at either side. */
static void await_settled(struct pair *pair)
{
	UNTIL(prepared_rows(pair) == 0);
	UNTIL(decisions(pair) == 0);
}

/* Wait until @id is in both, and all is settled. */
static void await_committed(struct pair *pair, const char *id)
{
	UNTIL(worker_rows(pair->worker_db, id) == 1);
	await_settled(pair);
	pair_expect_rows(pair, id, 1, 1);
}

static void await_rolled_back(struct pair *pair, const char *id)
{
	await_settled(pair);
	pair_expect_rows(pair, id, 0, 0);
}

static void expect_nothing_contradicts(struct pair *pair)
{
	ck_assert_uint_eq(process_count(&pair->echo, "CONTRADICTION", NULL), 0);
	ck_assert_uint_eq(process_count(&pair->worker, "CONTRADICTION", NULL),
			  0);
}

/* What echo says of a request. */
static int ask(struct pair *pair, const char *id, struct reply *reply)
{
	http_get(pair->http_port, reply, "/echo/%s", id);
	return reply->status;
}

static int ask_status(struct pair *pair, const char *id)
{
	struct reply reply;

	return ask(pair, id, &reply);
}

static void expect_reply(struct client *client, int status)
{
	struct reply reply;

	ck_assert(client_receive(client, &reply));
	ck_assert_msg(reply.status == status, "%d: %s", reply.status,
		      reply.body);
	client_close(client);
}

/* The worker stops itself at a failpoint. */
static void await_stopped(struct process *process)
{
	char path[64];
	char state[8] = "";

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)process->pid);
	while (strcmp(state, "T") != 0) {
		FILE *stat = fopen(path, "re");

		ck_assert_ptr_nonnull(stat);
		ck_assert_int_eq(fscanf(stat, "%*d %*s %7s", state), 1);
		fclose(stat);
		pause_ms(1);
	}
}

/* A program that does something of its own at @point: "kill", "stop" ... */
struct fault {
	char text[160];
	const char *env[2];
	struct process_options process;
};

static const struct process_options *
fault_at(struct fault *fault, const char *point, const char *what)
{
	snprintf(fault->text, sizeof(fault->text), "RESCIND_FAILPOINTS=%s=%s",
		 point, what);
	fault->env[0] = fault->text;
	fault->env[1] = NULL;
	fault->process =
		(struct process_options){ .env = fault->env, .faulty = true };
	return &fault->process;
}

static struct fault echo_fault;
static struct fault worker_fault;

/* As it ships. */
static void restart_worker(struct pair *pair, struct pair_options *options)
{
	options->worker_process = NULL;
	pair_start_worker(pair);
}

static void restart_echo(struct pair *pair, struct pair_options *options)
{
	options->echo_process = NULL;
	pair_start_echo(pair);
	pair_await_ready(pair);
}

/* ---- all goes well ------------------------------------------------------- */

START_TEST(what_is_committed_is_in_both_and_soon_forgotten)
{
	struct pair pair;
	struct reply reply;

	pair_start(&pair, NULL);
	pair_expect_works(&pair, "r1");
	ck_assert_int_eq(ask(&pair, "r1", &reply), 200);
	ck_assert_str_eq(reply.body, "Committed: r1\n");
	await_settled(&pair);
	/* Not even remembered, but for which ids are over. */
	UNTIL(rows_query(pair.worker_db,
			 "SELECT COUNT(*) FROM twopc_prepared") == 0);
	ck_assert_int_eq(ask_status(&pair, "r1"), 200);
	ck_assert_int_eq(ask_status(&pair, "r2"), 404);
	expect_nothing_contradicts(&pair);
	pair_end(&pair);
}
END_TEST

START_TEST(an_orderly_end_leaves_nothing_to_be_told)
{
	struct pair_options options = { .work = "0s" };
	struct pair pair;
	char id[32];

	pair_start(&pair, &options);
	for (int i = 0; i < 20; i++) {
		snprintf(id, sizeof(id), "r%d", i);
		pair_expect_works(&pair, id);
	}
	process_end(&pair.echo);
	ck_assert_int_eq(decisions(&pair), 0);
	ck_assert_int_eq(prepared_rows(&pair), 0);
	pair_end(&pair);
}
END_TEST

START_TEST(while_it_is_worked_on_it_is_in_progress)
{
	struct pair_options options = { .work = "300s", .timeout = "300s" };
	struct pair pair;
	struct client client;
	struct reply reply;

	pair_start(&pair, &options);
	pair_send_working(&pair, &client, "slow");
	ck_assert_int_eq(ask(&pair, "slow", &reply), 202);
	ck_assert_str_eq(reply.body, "In progress: slow\n");
	client_close(&client);
	pair_expect_rolled_back(&pair, "slow");
	ck_assert_int_eq(ask_status(&pair, "slow"), 404);
	pair_end(&pair);
}
END_TEST

/* ---- the client leaves --------------------------------------------------- */

/* Locked, echo's database keeps the decision waiting. */
START_TEST(leaving_while_the_decision_waits_rolls_back_both)
{
	struct pair_options options = { .work = "300ms", .timeout = "300s" };
	struct pair pair;
	struct client client;
	sqlite3 *lock;

	pair_start(&pair, &options);
	pair_send_working(&pair, &client, "left");
	lock = rows_lock(pair.echo_db);
	UNTIL(prepared_rows(&pair) == 1);
	client_close(&client);
	echo_await_rolled_back(&pair, "left");
	worker_await_rolled_back(&pair, "left");
	rows_unlock(lock);
	await_rolled_back(&pair, "left");
	ck_assert(http_metric(pair.http_port,
			      "rescind_transactions_total{cause=\"client_closed"
			      "\",outcome=\"rolled_back\",service=\"echo\"}") ==
		  1);
	expect_nothing_contradicts(&pair);
	pair_end(&pair);
}
END_TEST

START_TEST(leaving_after_the_decision_changes_nothing)
{
	struct pair_options options = {
		.work = "0s",
		.timeout = "300s",
		.worker_process =
			fault_at(&worker_fault,
				 "worker.exchange.received.commit", "stop"),
	};
	struct pair pair;
	struct client client;

	pair_start(&pair, &options);
	pair_send(&pair, &client, "left");
	await_stopped(&pair.worker);
	client_close(&client);
	process_await_id(&pair.echo,
			 "TRANSACTION COMMITTED for request_id=", "left");
	ck_assert_int_eq(worker_rows(pair.worker_db, "left"), 0);
	process_signal(&pair.worker, SIGCONT);
	await_committed(&pair, "left");
	expect_nothing_contradicts(&pair);
	pair_end(&pair);
}
END_TEST

/* ---- the worker dies ----------------------------------------------------- */

START_TEST(a_worker_that_dies_prepared_is_told_when_it_returns)
{
	struct pair_options options = {
		.work = "0s",
		.timeout = "300s",
		.worker_process =
			fault_at(&worker_fault,
				 "worker.exchange.say_prepared.after", "kill"),
	};
	struct pair pair;
	struct client client;

	pair_start(&pair, &options);
	pair_send(&pair, &client, "r1");
	ck_assert_int_eq(process_wait(&pair.worker), 128 + SIGKILL);
	/* Whether that word got out is a matter of luck. */
	UNTIL(decisions(&pair) == 1 ||
	      http_metric(pair.http_port, "rescind_in_flight{service="
					  "\"echo\"}") == 0);
	restart_worker(&pair, &options);
	await_settled(&pair);
	expect_reply(&client, echo_rows(pair.echo_db, "r1") == 1 ? 200 : 503);
	ck_assert_int_eq(worker_rows(pair.worker_db, "r1"),
			 echo_rows(pair.echo_db, "r1"));
	pair_await_ready(&pair);
	pair_expect_works(&pair, "r2");
	expect_nothing_contradicts(&pair);
	pair_end(&pair);
}
END_TEST

START_TEST(a_worker_that_dies_before_it_says_prepared_has_not_voted)
{
	struct pair_options options = {
		.work = "0s",
		.timeout = "300s",
		.worker_process =
			fault_at(&worker_fault,
				 "worker.exchange.say_prepared.before", "kill"),
	};
	struct pair pair;
	struct client client;

	pair_start(&pair, &options);
	pair_send(&pair, &client, "r1");
	expect_reply(&client, 503);
	ck_assert_int_eq(process_wait(&pair.worker), 128 + SIGKILL);
	ck_assert_int_eq(prepared_rows(&pair), 1);
	restart_worker(&pair, &options);
	await_rolled_back(&pair, "r1");
	process_await(&pair.echo, "RESOLVED transaction", "rolled back");
	pair_await_ready(&pair);
	pair_expect_works(&pair, "r2");
	expect_nothing_contradicts(&pair);
	pair_end(&pair);
}
END_TEST

/* The client waits, and has its 200 though the worker died meanwhile. */
static void die_at(const char *point)
{
	struct pair_options options = { .work = "0s", .timeout = "300s" };
	struct pair pair;
	struct client client;

	options.worker_process = fault_at(&worker_fault, point, "kill");
	pair_start(&pair, &options);
	pair_send(&pair, &client, "r1");
	ck_assert_int_eq(process_wait(&pair.worker), 128 + SIGKILL);
	process_await_id(&pair.echo, "HANDED OVER request_id=", "r1:");
	ck_assert_int_eq(echo_rows(pair.echo_db, "r1"), 1);
	restart_worker(&pair, &options);
	expect_reply(&client, 200);
	process_await(&pair.echo, "RESOLVED transaction", "committed");
	await_committed(&pair, "r1");
	ck_assert(http_metric(pair.http_port,
			      "rescind_resolved_total{outcome=\"committed\","
			      "service=\"echo\"}") >= 1);
	expect_nothing_contradicts(&pair);
	pair_end(&pair);
}

START_TEST(a_worker_that_dies_before_its_commit_is_told_again)
{
	die_at("worker.exchange.received.commit");
}
END_TEST

START_TEST(a_worker_that_dies_after_its_commit_is_asked_again)
{
	die_at("worker.exchange.commit.after");
}
END_TEST

/* ---- the worker is silent ------------------------------------------------ */

/* Of "a b" alone. */
static void expect_in_doubt(struct pair *pair)
{
	struct reply reply;

	ck_assert_int_eq(ask(pair, "a%20b", &reply), 202);
	ck_assert_str_eq(reply.body, "Completing: a b\n");
	http_get(pair->http_port, &reply, "/transactions");
	ck_assert_int_eq(reply.status, 200);
	ck_assert_ptr_nonnull(strstr(reply.body, "\"request_id\":\"a b\""));
	ck_assert(http_metric(pair->http_port,
			      "rescind_in_doubt{service=\"echo\"}") == 1);
	ck_assert(http_metric(pair->http_port,
			      "rescind_in_doubt_oldest_seconds{service="
			      "\"echo\"}") > 0);
}

START_TEST(a_worker_stopped_at_the_decision_is_202_and_completed_later)
{
	struct pair_options options = {
		.work = "0s",
		.timeout = "1s",
		.worker_process =
			fault_at(&worker_fault,
				 "worker.exchange.received.commit", "stop"),
	};
	struct pair pair;
	struct reply reply;
	char location[256];

	pair_start(&pair, &options);
	http_get(pair.http_port, &reply, "/echo?request_id=a%%20b");
	ck_assert_msg(reply.status == 202, "%d: %s", reply.status, reply.body);
	ck_assert(reply_header(&reply, "Location", location));
	ck_assert_str_eq(location, "/echo/a%20b");
	UNTIL(process_count(&pair.echo, "HANDED OVER request_id=a b", NULL) ==
	      1);
	expect_in_doubt(&pair);
	process_signal(&pair.worker, SIGCONT);
	UNTIL(http_status_of(pair.http_port, "%s", location) == 200);
	await_committed(&pair, "a b");
	http_get(pair.http_port, &reply, "/transactions");
	ck_assert_ptr_null(strstr(reply.body, "a b"));
	pair_await_ready(&pair);
	pair_expect_works(&pair, "r2");
	expect_nothing_contradicts(&pair);
	pair_end(&pair);
}
END_TEST

START_TEST(an_end_does_not_wait_for_ever_for_a_silent_worker)
{
	struct pair_options options = {
		.work = "0s",
		.timeout = "300s",
		.worker_process =
			fault_at(&worker_fault,
				 "worker.exchange.received.commit", "stop"),
		.echo_flags = FLAGS("-shutdown-timeout", "300ms"),
	};
	struct pair pair;
	struct client client;

	pair_start(&pair, &options);
	pair_send(&pair, &client, "r1");
	await_stopped(&pair.worker);
	process_signal(&pair.echo, SIGTERM);
	expect_reply(&client, 202);
	ck_assert_int_eq(process_wait(&pair.echo), 3);
	ck_assert_int_eq(decisions(&pair), 1);
	process_signal(&pair.worker, SIGCONT);
	pair_start_echo(&pair);
	await_committed(&pair, "r1");
	ck_assert_int_eq(ask_status(&pair, "r1"), 200);
	pair_end(&pair);
}
END_TEST

/* ---- echo dies ------------------------------------------------------------
 */

/* Where echo can die in an exchange, and whether it has decided by then. */
static const struct {
	const char *point;
	bool decided;
} deaths[] = {
	{ "echo.request", false },
	{ "echo.enters.exchanging", false },
	{ "echo.exchange.prepare.before", false },
	{ "echo.exchange.prepare.after", false },
	{ "echo.exchange.prepared", false },
	{ "echo.exchange.decide.before", false },
	{ "echo.exchange.decided", true },
	{ "echo.exchange.commit.before", true },
	{ "echo.exchange.commit.after", true },
	{ "echo.exchange.committed", true },
	{ "echo.enters.answered", true },
	{ "echo.answer.before", true },
	{ "echo.answer.after", true },
	{ "twopc.forget.before", true },
	{ "twopc.forget.after", true },
};
enum { DEATHS = sizeof(deaths) / sizeof(deaths[0]) };

START_TEST(an_echo_that_dies_at_any_point_is_completed_when_it_returns)
{
	struct pair_options options = { .work = "0s", .timeout = "300s" };
	struct pair pair;
	struct client client;
	bool decided;

	options.echo_process = fault_at(&echo_fault, deaths[_i].point, "kill");
	pair_start(&pair, &options);
	pair_send(&pair, &client, "r1");
	ck_assert_int_eq(process_wait(&pair.echo), 128 + SIGKILL);
	client_close(&client);
	decided = echo_rows(pair.echo_db, "r1") == 1;
	ck_assert_msg(decided == deaths[_i].decided, "%s", deaths[_i].point);
	restart_echo(&pair, &options);
	if (decided) {
		await_committed(&pair, "r1");
		ck_assert_int_eq(ask_status(&pair, "r1"), 200);
	} else {
		await_rolled_back(&pair, "r1");
		ck_assert_int_eq(ask_status(&pair, "r1"), 404);
	}
	pair_expect_works(&pair, "r2");
	expect_nothing_contradicts(&pair);
	pair_end(&pair);
}
END_TEST

START_TEST(a_client_that_leaves_at_any_point_leaves_both_in_step)
{
	static const char *const points[] = {
		"echo.exchange.rollback.before",
		"echo.exchange.rollback.after",
		"echo.exchange.rolled_back",
		"echo.enters.rolling_back",
	};
	struct pair_options options = {
		.work = "300s",
		.timeout = "300s",
		.echo_process = fault_at(&echo_fault, points[_i], "kill")
	};
	struct pair pair;
	struct client client;

	pair_start(&pair, &options);
	pair_send_working(&pair, &client, "r1");
	client_close(&client);
	ck_assert_int_eq(process_wait(&pair.echo), 128 + SIGKILL);
	worker_await_rolled_back(&pair, "r1");
	options.work = "0s";
	process_end(&pair.worker);
	restart_worker(&pair, &options);
	restart_echo(&pair, &options);
	await_rolled_back(&pair, "r1");
	pair_expect_works(&pair, "r2");
	pair_end(&pair);
}
END_TEST

START_TEST(both_may_die_at_once)
{
	struct pair_options options = {
		.work = "0s",
		.timeout = "300s",
		.echo_process =
			fault_at(&echo_fault, "echo.exchange.decided", "kill"),
		.worker_process =
			fault_at(&worker_fault,
				 "worker.exchange.received.commit", "kill"),
	};
	struct pair pair;
	struct client client;

	pair_start(&pair, &options);
	pair_send(&pair, &client, "r1");
	ck_assert_int_eq(process_wait(&pair.echo), 128 + SIGKILL);
	process_kill(&pair.worker);
	client_close(&client);
	restart_worker(&pair, &options);
	restart_echo(&pair, &options);
	await_committed(&pair, "r1");
	expect_nothing_contradicts(&pair);
	pair_end(&pair);
}
END_TEST

/* ---- whose is it? ----------------------------------------------------------
 */

static void remove_database(const char *path)
{
	char beside[PATH_SIZE + 8];

	ck_assert_int_eq(unlink(path), 0);
	snprintf(beside, sizeof(beside), "%s-wal", path);
	(void)unlink(beside);
	snprintf(beside, sizeof(beside), "%s-shm", path);
	(void)unlink(beside);
}

/* What the worker holds prepared, and nobody will ask for any more. */
static void make_orphan(struct pair *pair, struct pair_options *options)
{
	struct client client;

	options->work = "0s";
	options->timeout = "300s";
	options->echo_process =
		fault_at(&echo_fault, "echo.exchange.prepared", "kill");
	pair_start(pair, options);
	pair_send(pair, &client, "orphan");
	ck_assert_int_eq(process_wait(&pair->echo), 128 + SIGKILL);
	client_close(&client);
	ck_assert_int_eq(prepared_rows(pair), 1);
	remove_database(pair->echo_db);
	restart_echo(pair, options);
}

static void transactions(struct pair *pair, struct outcome *outcome,
			 const char *const *arguments)
{
	const char *all[16] = { "-worker", NULL };
	char address[64];
	size_t n = 2;

	snprintf(address, sizeof(address), "localhost:%d", pair->grpc_port);
	all[1] = address;
	for (; *arguments != NULL; arguments++) {
		all[n++] = *arguments;
	}
	all[n] = NULL;
	run(outcome, "transactions", NULL, all);
}
#define TRANSACTIONS(pair, outcome, ...)                                       \
	transactions(pair, outcome, FLAGS(__VA_ARGS__))

static void one_text(const char *text, void *arg)
{
	snprintf(arg, 128, "%s", text);
}

START_TEST(an_echo_whose_database_was_deleted_leaves_what_is_not_its_own)
{
	struct pair_options options = { 0 };
	struct pair pair;
	struct outcome outcome;
	char coordinator[128];
	char id[128];

	make_orphan(&pair, &options);
	/* Its rounds see only its own, of which there are none. */
	for (int i = 0; i < 3; i++) {
		char name[16];

		snprintf(name, sizeof(name), "r%d", i);
		pair_expect_works(&pair, name);
	}
	ck_assert_int_eq(prepared_rows(&pair), 1);
	rows_each(pair.worker_db,
		  "SELECT coordinator FROM twopc_prepared WHERE state = 1",
		  one_text, coordinator);
	rows_each(pair.worker_db,
		  "SELECT transaction_id FROM twopc_prepared WHERE state = 1",
		  one_text, id);

	TRANSACTIONS(&pair, &outcome, "list");
	ck_assert_int_eq(outcome.code, 0);
	ck_assert_ptr_nonnull(strstr(outcome.text, coordinator));
	ck_assert_ptr_nonnull(strstr(outcome.text, id));
	TRANSACTIONS(&pair, &outcome, "rollback", id, "-coordinator",
		     coordinator);
	ck_assert_int_eq(outcome.code, 1);
	ck_assert_ptr_nonnull(strstr(outcome.text, "-force"));
	ck_assert_int_eq(prepared_rows(&pair), 1);
	TRANSACTIONS(&pair, &outcome, "commit", "another", "-coordinator",
		     coordinator, "-force");
	ck_assert_int_eq(outcome.code, 1);
	TRANSACTIONS(&pair, &outcome, _i == 0 ? "rollback" : "commit", id,
		     "--coordinator", coordinator, "--force");
	ck_assert_msg(outcome.code == 0, "%s", outcome.text);
	ck_assert_int_eq(prepared_rows(&pair), 0);
	ck_assert_int_eq(worker_rows(pair.worker_db, "orphan"), _i);
	TRANSACTIONS(&pair, &outcome, "list", "-json");
	ck_assert_int_eq(outcome.code, 0);
	ck_assert_str_eq(outcome.text, "{\"worker\":[]}\n");
	pair_end(&pair);
}
END_TEST

START_TEST(two_echos_on_one_worker_mind_their_own)
{
	struct pair_options options = {
		.work = "0s",
		.timeout = "300s",
		.echo_process =
			fault_at(&echo_fault, "echo.exchange.decided", "kill"),
	};
	struct pair_options others = { .work = "0s", .timeout = "300s" };
	struct pair pair;
	struct pair other;
	struct client client;

	pair_start(&pair, &options);
	pair_prepare(&other, &others);
	other.grpc_port = pair.grpc_port;
	pair_start_echo(&other);
	pair_await_ready(&other);
	pair_send(&pair, &client, "first");
	ck_assert_int_eq(process_wait(&pair.echo), 128 + SIGKILL);
	client_close(&client);
	/* The other goes on, and again from a start. */
	ck_assert_int_eq(pair_request(&other, "second"), 200);
	process_kill(&other.echo);
	pair_start_echo(&other);
	pair_await_ready(&other);
	ck_assert_int_eq(pair_request(&other, "third"), 200);
	ck_assert_int_eq(prepared_rows(&pair), 1);
	ck_assert_int_eq(worker_rows(pair.worker_db, "first"), 0);
	restart_echo(&pair, &options);
	await_committed(&pair, "first");
	pair_end(&other);
	pair_end(&pair);
}
END_TEST

START_TEST(the_tool_shows_what_both_sides_know)
{
	struct pair_options options = {
		.work = "0s",
		.timeout = "1s",
		.worker_process =
			fault_at(&worker_fault,
				 "worker.exchange.received.commit", "kill"),
	};
	struct pair pair;
	struct outcome outcome;
	char url[64];

	pair_start(&pair, &options);
	ck_assert_int_eq(pair_request(&pair, "r1"), 202);
	/* A worker that answers, and does not commit: its database is locked.
	 */
	sqlite3 *lock = rows_lock(pair.worker_db);

	restart_worker(&pair, &options);
	snprintf(url, sizeof(url), "http://localhost:%d", pair.http_port);
	TRANSACTIONS(&pair, &outcome, "list", "-echo", url);
	ck_assert_msg(outcome.code == 0, "%s", outcome.text);
	ck_assert_ptr_nonnull(strstr(outcome.text, "prepared"));
	ck_assert_ptr_nonnull(strstr(outcome.text, "orphaned"));
	ck_assert_ptr_nonnull(strstr(outcome.text, "r1"));
	TRANSACTIONS(&pair, &outcome, "-json", "-echo", url);
	ck_assert_int_eq(outcome.code, 0);
	ck_assert_ptr_nonnull(
		strstr(outcome.text, "\"standing\":\"orphaned\""));
	ck_assert_ptr_nonnull(strstr(outcome.text, "\"request_id\":\"r1\""));
	rows_unlock(lock);
	await_committed(&pair, "r1");
	TRANSACTIONS(&pair, &outcome, "list", "-echo", url);
	ck_assert_int_eq(outcome.code, 0);
	ck_assert_ptr_nonnull(strstr(outcome.text, "Nothing is in doubt at the "
						   "echo"));
	pair_end(&pair);
}
END_TEST

/* ---- idempotency keys -------------------------------------------------------
 */

static void get_keyed(struct pair *pair, struct reply *reply, const char *key,
		      const char *query)
{
	struct client client;
	char header[128];

	snprintf(header, sizeof(header), "Idempotency-Key: %s\r\n", key);
	client_open(&client, pair->http_port);
	ck_assert(client_get_with(&client, header, "/echo?%s", query));
	ck_assert(client_receive(&client, reply));
	client_close(&client);
}

static void expect_keyed(struct pair *pair, const char *key, const char *query,
			 int status, const char *body)
{
	struct reply reply;

	get_keyed(pair, &reply, key, query);
	ck_assert_msg(reply.status == status, "%d: %s", reply.status,
		      reply.body);
	ck_assert_ptr_nonnull(strstr(reply.body, body));
}

START_TEST(a_key_gives_the_first_outcome_also_after_a_restart)
{
	static const char r1[] = "request_id=r1&message=once";
	static const char done[] = "Success: Work completed for task r1";
	struct pair_options options = { .work = "0s" };
	struct pair pair;

	pair_start(&pair, &options);
	expect_keyed(&pair, "k1", r1, 200, done);
	expect_keyed(&pair, "k1", r1, 200, done);
	expect_keyed(&pair, "k1", "request_id=r1&message=twice", 422,
		     "used for another request");
	process_kill(&pair.echo);
	pair_start_echo(&pair);
	await_settled(&pair);
	pair_await_ready(&pair);
	expect_keyed(&pair, "k1", r1, 200, done);
	pair_expect_rows(&pair, "r1", 1, 1);
	/* Without it, and under another, it is another request. */
	ck_assert_int_eq(pair_request(&pair, "r1"), 200);
	expect_keyed(&pair, "k2", r1, 200, done);
	pair_expect_rows(&pair, "r1", 3, 3);
	pair_end(&pair);
}
END_TEST

START_TEST(a_key_may_be_used_again_after_a_rollback)
{
	struct pair_options options = { .work = "300s", .timeout = "300ms" };
	struct pair pair;

	pair_start(&pair, &options);
	expect_keyed(&pair, "k1", "request_id=r1", 504, "DeadlineExceeded");
	process_end(&pair.worker);
	options.work = "0s";
	pair_start_worker(&pair);
	pair_await_ready(&pair);
	expect_keyed(&pair, "k1", "request_id=r1", 200, "Success");
	pair_expect_rows(&pair, "r1", 1, 1);
	pair_end(&pair);
}
END_TEST

START_TEST(a_key_is_busy_while_its_first_request_is_under_way)
{
	struct pair_options options = { .work = "300s", .timeout = "300s" };
	struct pair pair;
	struct client client;

	pair_start(&pair, &options);
	client_open(&client, pair.http_port);
	ck_assert(client_get_with(&client, "Idempotency-Key: k1\r\n",
				  "/echo?request_id=r1"));
	pair_await_working(&pair, "r1");
	expect_keyed(&pair, "k1", "request_id=r1", 409, "still under way");
	client_close(&client);
	pair_expect_rolled_back(&pair, "r1");
	pair_end(&pair);
}
END_TEST

/* The first attempt is decided, and its client never heard of it. */
START_TEST(a_key_whose_first_client_was_lost_is_told_that_outcome)
{
	struct pair_options options = {
		.work = "0s",
		.timeout = "300s",
		.echo_process =
			fault_at(&echo_fault, "echo.exchange.decided", "kill"),
	};
	struct pair pair;
	struct client client;

	pair_start(&pair, &options);
	client_open(&client, pair.http_port);
	ck_assert(client_get_with(&client, "Idempotency-Key: k1\r\n",
				  "/echo?request_id=r1"));
	ck_assert_int_eq(process_wait(&pair.echo), 128 + SIGKILL);
	client_close(&client);
	restart_echo(&pair, &options);
	await_committed(&pair, "r1");
	expect_keyed(&pair, "k1", "request_id=r1", 200,
		     "Work completed for task r1");
	pair_expect_rows(&pair, "r1", 1, 1);
	pair_end(&pair);
}
END_TEST

/* ---- one phase
 * --------------------------------------------------------------- */

START_TEST(one_phase_works_as_it_did)
{
	struct pair_options options = {
		.work = "50ms",
		.echo_flags = FLAGS("-commit=one-phase"),
	};
	struct pair pair;

	pair_start(&pair, &options);
	pair_expect_works(&pair, "r1");
	ck_assert_int_eq(ask_status(&pair, "r1"), 200);
	ck_assert_int_eq(decisions(&pair), 0);
	ck_assert_uint_eq(
		process_count(&pair.worker, "WorkerService/Exchange", NULL), 0);
	expect_keyed(&pair, "k1", "request_id=r2", 200, "Success");
	expect_keyed(&pair, "k1", "request_id=r2", 200, "Success");
	pair_expect_rows(&pair, "r2", 1, 1);
	pair_end(&pair);
}
END_TEST

START_TEST(one_phase_still_completes_what_two_phases_left)
{
	struct pair_options options = {
		.work = "0s",
		.timeout = "300s",
		.echo_process =
			fault_at(&echo_fault, "echo.exchange.decided", "kill"),
	};
	struct pair pair;
	struct client client;

	pair_start(&pair, &options);
	pair_send(&pair, &client, "r1");
	ck_assert_int_eq(process_wait(&pair.echo), 128 + SIGKILL);
	client_close(&client);
	options.echo_flags = FLAGS("-commit", "one-phase");
	restart_echo(&pair, &options);
	await_committed(&pair, "r1");
	pair_end(&pair);
}
END_TEST

/* A worker of the time before: the single call is all that it knows. */
struct old_worker {
	struct loop *loop;
	struct ctx *root;
	struct rpc_poller *poller;
	struct rpc_server *server;
};

static void do_work(struct rpc_call *call, const ProtobufCMessage *message,
		    void *self)
{
	Worker__WorkResponse response = WORKER__WORK_RESPONSE__INIT;
	char text[] = "done as ever";

	(void)message;
	(void)self;
	response.success = true;
	response.message = text;
	rpc_call_reply(call, &response.base);
}

static void old_worker_start(struct old_worker *old)
{
	static const struct rpc_method methods[] = {
		{ "DoWork", .unary = do_work },
		{ NULL },
	};
	struct rpc_server_options options;
	struct status bad;

	ck_assert_int_eq(loop_new(&old->loop, &bad), STATUS_OK);
	ck_assert_int_eq(ctx_root(old->loop, &old->root, &bad), STATUS_OK);
	ck_assert_int_eq(rpc_poller_new(&old->poller, &bad), STATUS_OK);
	rpc_server_options_init(&options);
	ck_assert_int_eq(rpc_server_new(old->root, old->poller, &options,
					&old->server, &bad),
			 STATUS_OK);
	ck_assert_msg(rpc_server_add_service(
			      old->server, &worker__worker_service__descriptor,
			      &worker_schema, methods, NULL, &bad) == STATUS_OK,
		      "%s", bad.message);
	ck_assert_int_eq(rpc_server_start(old->server, &bad), STATUS_OK);
	ck_assert_int_eq(loop_start_thread(old->loop, &bad), STATUS_OK);
}

static void expect_one_phase_alone(struct pair *pair)
{
	struct reply reply;

	http_get(pair->http_port, &reply, "/echo?request_id=two");
	ck_assert_int_eq(reply.status, 501);
	ck_assert_ptr_nonnull(strstr(reply.body, "-commit=one-phase"));
	process_await(&pair->echo, "ERROR", "-commit=one-phase");
	ck_assert_int_eq(echo_rows(pair->echo_db, "two"), 0);
}

START_TEST(a_worker_that_knows_one_phase_alone_is_told_with_the_flag)
{
	struct pair_options options = { .timeout = "300s" };
	struct old_worker old;
	struct pair pair;

	pair_prepare(&pair, &options);
	old_worker_start(&old);
	pair.grpc_port = rpc_server_port(old.server);
	pair_start_echo(&pair);
	pair_await_ready(&pair);
	expect_one_phase_alone(&pair);
	process_end(&pair.echo);
	options.echo_flags = FLAGS("-commit=one-phase");
	pair_start_echo(&pair);
	pair_await_ready(&pair);
	ck_assert_int_eq(pair_request(&pair, "one"), 200);
	ck_assert_int_eq(echo_rows(pair.echo_db, "one"), 1);
	pair_end(&pair);
	/* The server goes with this test's process. */
}
END_TEST

/* ---- many
 * ---------------------------------------------------------------------- */

enum { MANY = 1000 };

/* As many prepared at the worker, each waiting for echo's decision. */
static void prepare_many(struct pair *pair, struct load *load,
			 struct load_request *requests, sqlite3 **ret_lock)
{
	pair_start(pair, pair->options);
	load_start(load, pair->http_port, requests, MANY, MANY);
	UNTIL(http_metric(pair->http_port,
			  "rescind_in_flight{service=\"echo\"}") == MANY);
	UNTIL(process_count(&pair->worker, "Inserted task record", NULL) ==
	      MANY);
	*ret_lock = rows_lock(pair->echo_db);
	UNTIL(prepared_rows(pair) == MANY);
}

static int all_rows(const char *db, const char *table)
{
	char sql[64];

	snprintf(sql, sizeof(sql), "SELECT COUNT(*) FROM %s", table);
	return rows_query(db, sql);
}

static const struct pair_options many = { .work = "4s", .timeout = "300s" };

START_TEST(a_thousand_decided_are_completed_after_a_death)
{
	struct load_request *requests = load_plan(MANY, "many");
	struct pair pair = { .options = &many };
	struct load load;
	sqlite3 *lock;

	prepare_many(&pair, &load, requests, &lock);
	process_pause(&pair.worker);
	rows_unlock(lock);
	UNTIL(decisions(&pair) == MANY);
	process_kill(&pair.echo);
	load_wait(&load);
	pair_start_echo(&pair);
	process_resume(&pair.worker);
	await_settled(&pair);
	ck_assert_int_eq(all_rows(pair.echo_db, "echo_requests"), MANY);
	ck_assert_int_eq(all_rows(pair.worker_db, "worker_tasks"), MANY);
	expect_nothing_contradicts(&pair);
	pair_end(&pair);
	free(requests);
}
END_TEST

START_TEST(a_thousand_undecided_are_rolled_back_after_a_death)
{
	struct load_request *requests = load_plan(MANY, "many");
	struct pair pair = { .options = &many };
	struct load load;
	sqlite3 *lock;

	prepare_many(&pair, &load, requests, &lock);
	process_kill(&pair.echo);
	rows_unlock(lock);
	load_wait(&load);
	pair_start_echo(&pair);
	await_settled(&pair);
	ck_assert_int_eq(all_rows(pair.echo_db, "echo_requests"), 0);
	ck_assert_int_eq(all_rows(pair.worker_db, "worker_tasks"), 0);
	expect_nothing_contradicts(&pair);
	pair_end(&pair);
	free(requests);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("two_phase");
	TCase *tc = tcase_create("two_phase");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tc, SUITE_TEST_S_MAX);
	suite_add_tcase(suite, tc);
	tcase_add_test(tc, what_is_committed_is_in_both_and_soon_forgotten);
	tcase_add_test(tc, an_orderly_end_leaves_nothing_to_be_told);
	tcase_add_test(tc, while_it_is_worked_on_it_is_in_progress);
	tcase_add_test(tc, leaving_while_the_decision_waits_rolls_back_both);
	tcase_add_test(tc, leaving_after_the_decision_changes_nothing);
	tcase_add_test(tc, a_worker_that_dies_prepared_is_told_when_it_returns);
	tcase_add_test(
		tc, a_worker_that_dies_before_it_says_prepared_has_not_voted);
	tcase_add_test(tc, a_worker_that_dies_before_its_commit_is_told_again);
	tcase_add_test(tc, a_worker_that_dies_after_its_commit_is_asked_again);
	tcase_add_test(
		tc,
		a_worker_stopped_at_the_decision_is_202_and_completed_later);
	tcase_add_test(tc, an_end_does_not_wait_for_ever_for_a_silent_worker);
	tcase_add_loop_test(
		tc, an_echo_that_dies_at_any_point_is_completed_when_it_returns,
		0, DEATHS);
	tcase_add_loop_test(
		tc, a_client_that_leaves_at_any_point_leaves_both_in_step, 0,
		4);
	tcase_add_test(tc, both_may_die_at_once);
	tcase_add_loop_test(
		tc,
		an_echo_whose_database_was_deleted_leaves_what_is_not_its_own,
		0, 2);
	tcase_add_test(tc, two_echos_on_one_worker_mind_their_own);
	tcase_add_test(tc, the_tool_shows_what_both_sides_know);
	tcase_add_test(tc, a_key_gives_the_first_outcome_also_after_a_restart);
	tcase_add_test(tc, a_key_may_be_used_again_after_a_rollback);
	tcase_add_test(tc, a_key_is_busy_while_its_first_request_is_under_way);
	tcase_add_test(tc,
		       a_key_whose_first_client_was_lost_is_told_that_outcome);
	tcase_add_test(tc, one_phase_works_as_it_did);
	tcase_add_test(tc, one_phase_still_completes_what_two_phases_left);
	tcase_add_test(
		tc, a_worker_that_knows_one_phase_alone_is_told_with_the_flag);
	tcase_add_test(tc, a_thousand_decided_are_completed_after_a_death);
	tcase_add_test(tc, a_thousand_undecided_are_rolled_back_after_a_death);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
