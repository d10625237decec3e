/* The worker as a participant: what its database holds after all that. */
#include "harness/coordinator.h"
#include "harness/pair.h"
#include "harness/run.h"
#include "harness/suite.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PREPARED    WORKER__VERDICT__PREPARED
#define COMMITTED   WORKER__VERDICT__COMMITTED
#define ROLLED_BACK WORKER__VERDICT__ROLLED_BACK
#define UNKNOWN	    WORKER__VERDICT__UNKNOWN
#define COMMIT	    WORKER__ORDER__COMMIT
#define ROLLBACK    WORKER__ORDER__ROLLBACK

/* A worker alone, and one who gives it orders. */
struct world {
	struct pair pair;
	struct coordinator c;
};

static const struct pair_options at_once = { .work = "0s" };
static const struct pair_options endless = { .work = "300s" };

static void start(struct world *world, const struct pair_options *options)
{
	pair_prepare(&world->pair, options);
	pair_start_worker(&world->pair);
	coordinator_open(&world->c, "a", world->pair.grpc_port);
}

static void end(struct world *world)
{
	coordinator_close(&world->c);
	pair_end(&world->pair);
}

/* As the file says, whatever the worker does. */
static int state_of(struct world *world, const char *id)
{
	char sql[256];

	snprintf(sql, sizeof(sql),
		 "SELECT ifnull(max(state), 0) FROM twopc_prepared"
		 " WHERE coordinator = '%s' AND transaction_id = '%s'",
		 world->c.name, id);
	return rows_query(world->pair.worker_db, sql);
}
enum { ROW_NONE, ROW_PREPARED, ROW_COMMITTED, ROW_ROLLED_BACK };

static void expect(struct world *world, const char *id, int state,
		   const char *task_id, int tasks)
{
	int is = state_of(world, id);
	int rows = worker_rows(world->pair.worker_db, task_id);

	ck_assert_msg(is == state && rows == tasks,
		      "%s is in state %d, not %d; %d rows of %s, not %d", id,
		      is, state, rows, task_id, tasks);
}

static void open_prepared(struct world *world, struct exchange *ex,
			  const char *id, const char *task_id)
{
	exchange_open(ex, &world->c, id);
	exchange_prepare(ex, task_id, "data");
	ck_assert_int_eq(exchange_next(ex), PREPARED);
}

/* A stream with one order and its end; the verdict, or the end's code. */
static Worker__Verdict order_alone(struct world *world, const char *id,
				   Worker__Order order, enum status_code code)
{
	struct exchange ex;
	Worker__Verdict verdict;

	exchange_open(&ex, &world->c, id);
	exchange_order(&ex, order);
	verdict = exchange_next(&ex);
	exchange_expect_end(&ex, code);
	exchange_close(&ex);
	return verdict;
}

static Worker__Verdict prepare_alone(struct world *world, const char *id,
				     const char *task_id, enum status_code code)
{
	struct exchange ex;
	Worker__Verdict verdict;

	exchange_open(&ex, &world->c, id);
	exchange_prepare(&ex, task_id, "data");
	exchange_half_close(&ex);
	verdict = exchange_next(&ex);
	exchange_expect_end(&ex, code);
	exchange_close(&ex);
	return verdict;
}

/* ---- orders -------------------------------------------------------------- */

START_TEST(prepared_is_on_disk_and_committed_is_in_both_tables)
{
	struct pair_options options = { .work = "50ms" };
	struct world world;
	struct exchange ex;

	start(&world, &options);
	open_prepared(&world, &ex, "1", "t1");
	ck_assert_str_eq(ex.message, "Work completed for task t1");
	expect(&world, "1", ROW_PREPARED, "t1", 0);
	exchange_order(&ex, COMMIT);
	ck_assert_int_eq(exchange_next(&ex), COMMITTED);
	ck_assert_str_eq(ex.message, "Work completed for task t1");
	expect(&world, "1", ROW_COMMITTED, "t1", 1);
	exchange_expect_end(&ex, STATUS_OK);
	exchange_close(&ex);
	process_await_id(&world.pair.worker,
			 "TRANSACTION COMMITTED for task_id=", "t1");
	ck_assert_int_eq(rows_query(world.pair.worker_db,
				    "SELECT count(*) FROM worker_tasks"
				    " WHERE data = 'data'"
				    " AND created_at IS NOT NULL"),
			 1);
	ck_assert_int_eq(rows_query(world.pair.worker_db,
				    "SELECT count(*) FROM twopc_prepared"
				    " WHERE payload IS NOT NULL"),
			 0);
	end(&world);
}
END_TEST

START_TEST(a_rollback_is_heard_in_every_state)
{
	struct pair_options options = { .work = "300s" };
	struct world world;
	struct exchange ex;

	start(&world, &options);
	exchange_open(&ex, &world.c, "1");
	exchange_prepare(&ex, "t1", "data");
	pair_await_working(&world.pair, "t1");
	exchange_order(&ex, ROLLBACK);
	ck_assert_int_eq(exchange_next(&ex), ROLLED_BACK);
	exchange_expect_end(&ex, STATUS_OK);
	exchange_close(&ex);
	process_await_id(&world.pair.worker,
			 "Context cancelled for task_id=", "t1");
	worker_await_rolled_back(&world.pair, "t1");
	expect(&world, "1", ROW_NONE, "t1", 0);
	coordinator_close(&world.c);
	process_end(&world.pair.worker);

	options.work = "0s";
	pair_start_worker(&world.pair);
	coordinator_open(&world.c, "a", world.pair.grpc_port);
	open_prepared(&world, &ex, "2", "t2");
	exchange_order(&ex, ROLLBACK);
	ck_assert_int_eq(exchange_next(&ex), ROLLED_BACK);
	exchange_expect_end(&ex, STATUS_OK);
	exchange_close(&ex);
	worker_await_rolled_back(&world.pair, "t2");
	expect(&world, "2", ROW_ROLLED_BACK, "t2", 0);
	end(&world);
}
END_TEST

START_TEST(every_order_has_its_outcome_again_and_again)
{
	struct world world;
	struct exchange ex;

	start(&world, &at_once);
	open_prepared(&world, &ex, "1", "t1");
	exchange_prepare(&ex, "t1", "data");
	ck_assert_int_eq(exchange_next(&ex), PREPARED);
	exchange_order(&ex, COMMIT);
	ck_assert_int_eq(exchange_next(&ex), COMMITTED);
	exchange_expect_end(&ex, STATUS_OK);
	exchange_close(&ex);

	/* After the end, on streams of their own, in every order. */
	ck_assert_int_eq(order_alone(&world, "1", COMMIT, STATUS_OK),
			 COMMITTED);
	ck_assert_int_eq(prepare_alone(&world, "1", "t1", STATUS_OK),
			 COMMITTED);
	ck_assert_int_eq(order_alone(&world, "1", ROLLBACK, STATUS_OK),
			 COMMITTED);
	ck_assert_int_eq(coordinator_resolve_one(&world.c, "1", COMMIT),
			 COMMITTED);
	ck_assert_int_eq(coordinator_resolve_one(&world.c, "1", ROLLBACK),
			 COMMITTED);
	expect(&world, "1", ROW_COMMITTED, "t1", 1);

	open_prepared(&world, &ex, "2", "t2");
	exchange_order(&ex, ROLLBACK);
	ck_assert_int_eq(exchange_next(&ex), ROLLED_BACK);
	exchange_close(&ex);
	ck_assert_int_eq(order_alone(&world, "2", ROLLBACK, STATUS_OK),
			 ROLLED_BACK);
	ck_assert_int_eq(prepare_alone(&world, "2", "t2", STATUS_OK),
			 ROLLED_BACK);
	order_alone(&world, "2", COMMIT, STATUS_FAILED_PRECONDITION);
	ck_assert_int_eq(coordinator_resolve_one(&world.c, "2", ROLLBACK),
			 ROLLED_BACK);
	ck_assert_int_eq(coordinator_resolve_one(&world.c, "2", COMMIT),
			 ROLLED_BACK);
	expect(&world, "2", ROW_ROLLED_BACK, "t2", 0);
	end(&world);
}
END_TEST

START_TEST(a_commit_of_what_is_not_known_is_never_a_success)
{
	struct world world;

	start(&world, &at_once);
	order_alone(&world, "1", COMMIT, STATUS_NOT_FOUND);
	ck_assert_int_eq(coordinator_resolve_one(&world.c, "1", COMMIT),
			 UNKNOWN);
	process_await(&world.pair.worker,
		      "CONTRADICTION: asked to commit transaction=1",
		      "coordinator=a");
	expect(&world, "1", ROW_NONE, "t1", 0);
	end(&world);
}
END_TEST

START_TEST(a_prepare_behind_the_rollback_is_refused)
{
	struct world world;

	start(&world, &at_once);
	ck_assert_int_eq(order_alone(&world, "1", ROLLBACK, STATUS_OK),
			 ROLLED_BACK);
	ck_assert_int_eq(coordinator_resolve_one(&world.c, "2", ROLLBACK),
			 ROLLED_BACK);
	ck_assert_int_eq(prepare_alone(&world, "1", "t1", STATUS_OK),
			 ROLLED_BACK);
	ck_assert_int_eq(prepare_alone(&world, "2", "t2", STATUS_OK),
			 ROLLED_BACK);
	worker_await_rolled_back(&world.pair, "t1");
	expect(&world, "1", ROW_ROLLED_BACK, "t1", 0);
	expect(&world, "2", ROW_ROLLED_BACK, "t2", 0);
	end(&world);
}
END_TEST

START_TEST(another_stream_ends_what_is_prepared)
{
	struct world world;
	struct exchange first, second;

	start(&world, &at_once);
	open_prepared(&world, &first, "1", "t1");
	exchange_open(&second, &world.c, "1");
	exchange_order(&second, COMMIT);
	ck_assert_int_eq(exchange_next(&second), COMMITTED);
	ck_assert_str_eq(second.message, "Work completed for task t1");
	exchange_close(&second);
	process_await(&world.pair.worker,
		      "TRANSACTION COMMITTED for task_id=t1", "by=stream");
	/* The first one hears the same. */
	exchange_order(&first, COMMIT);
	ck_assert_int_eq(exchange_next(&first), COMMITTED);
	exchange_close(&first);
	expect(&world, "1", ROW_COMMITTED, "t1", 1);

	open_prepared(&world, &first, "2", "t2");
	ck_assert_int_eq(order_alone(&world, "2", ROLLBACK, STATUS_OK),
			 ROLLED_BACK);
	exchange_order(&first, COMMIT);
	exchange_expect_end(&first, STATUS_FAILED_PRECONDITION);
	exchange_close(&first);
	expect(&world, "2", ROW_ROLLED_BACK, "t2", 0);
	end(&world);
}
END_TEST

/* All sent at once: nothing waits for an answer. */
START_TEST(orders_may_be_sent_ahead)
{
	struct pair_options options = { .work = "0s" };
	struct world world;
	struct exchange ex;
	char id[16], task_id[16];
	int committed = 0;

	start(&world, &options);
	for (int i = 0; i < 50; i++) {
		snprintf(id, sizeof(id), "%03d", i);
		snprintf(task_id, sizeof(task_id), "t%03d", i);
		exchange_open(&ex, &world.c, id);
		exchange_prepare(&ex, task_id, "data");
		exchange_order(&ex, COMMIT);
		exchange_half_close(&ex);
		ck_assert_int_eq(exchange_end(&ex), STATUS_OK);
		ck_assert_int_eq(ex.said[ex.said_n - 1], COMMITTED);
		committed += worker_rows(world.pair.worker_db, task_id);
		exchange_close(&ex);
	}
	ck_assert_int_eq(committed, 50);
	end(&world);
}
END_TEST

/* ---- the stream ends ----------------------------------------------------- */

START_TEST(a_stream_that_ends_while_it_works_rolls_back)
{
	struct world world;
	struct exchange ex;

	start(&world, &endless);
	exchange_open(&ex, &world.c, "1");
	exchange_prepare(&ex, "t1", "data");
	pair_await_working(&world.pair, "t1");
	exchange_cancel(&ex);
	process_await_id(&world.pair.worker,
			 "Context cancelled for task_id=", "t1");
	worker_await_rolled_back(&world.pair, "t1");
	exchange_close(&ex);
	expect(&world, "1", ROW_NONE, "t1", 0);

	/* And so does one whose deadline passes. */
	exchange_open_for(&ex, &world.c, "2", 2000);
	exchange_prepare(&ex, "t2", "data");
	pair_await_working(&world.pair, "t2");
	exchange_expect_end(&ex, STATUS_DEADLINE_EXCEEDED);
	process_await(&world.pair.worker,
		      "TRANSACTION ROLLED BACK for task_id=t2",
		      "cause=deadline");
	exchange_close(&ex);
	expect(&world, "2", ROW_NONE, "t2", 0);
	end(&world);
}
END_TEST

START_TEST(what_is_prepared_stays_when_its_stream_ends)
{
	struct world world;
	struct exchange ex;

	start(&world, &at_once);
	open_prepared(&world, &ex, "1", "t1");
	exchange_cancel(&ex);
	process_await(&world.pair.worker,
		      "TRANSACTION LEFT IN DOUBT for task_id=t1",
		      "transaction=1 coordinator=a cause=caller_cancelled");
	exchange_close(&ex);

	exchange_open_for(&ex, &world.c, "2", 2000);
	exchange_prepare(&ex, "t2", "data");
	ck_assert_int_eq(exchange_next(&ex), PREPARED);
	exchange_expect_end(&ex, STATUS_DEADLINE_EXCEEDED);
	exchange_close(&ex);
	process_await(&world.pair.worker,
		      "TRANSACTION LEFT IN DOUBT for task_id=t2",
		      "cause=deadline");

	expect(&world, "1", ROW_PREPARED, "t1", 0);
	expect(&world, "2", ROW_PREPARED, "t2", 0);
	ck_assert_uint_eq(coordinator_in_doubt(&world.c), 2);
	ck_assert_int_eq(coordinator_resolve_one(&world.c, "1", COMMIT),
			 COMMITTED);
	ck_assert_int_eq(coordinator_resolve_one(&world.c, "2", ROLLBACK),
			 ROLLED_BACK);
	process_await(&world.pair.worker,
		      "TRANSACTION COMMITTED for task_id=t1", "by=resolver");
	process_await(&world.pair.worker,
		      "TRANSACTION ROLLED BACK for transaction=2",
		      "by=resolver");
	expect(&world, "1", ROW_COMMITTED, "t1", 1);
	expect(&world, "2", ROW_ROLLED_BACK, "t2", 0);
	ck_assert_uint_eq(coordinator_in_doubt(&world.c), 0);
	end(&world);
}
END_TEST

/* Its orders come through a pipe, so that it waits for the next one. */
START_TEST(a_killed_coordinator_leaves_what_is_prepared)
{
	static const char order[] =
		"{\"order\":\"PREPARE\",\"coordinator\":\"a\","
		"\"transaction_id\":\"1\",\"work\":{\"task_id\":\"t1\"}}";
	char command[512], path[PATH_SIZE];
	struct world world;
	struct process grpcurl;
	int pipe_fd;

	if (!is_ci() && tool_find("grpcurl") == NULL) {
		return;
	}
	start(&world, &at_once);
	scratch_path(path, world.pair.dir, "orders");
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	pipe_fd = open(path, O_RDWR | O_CLOEXEC);
	ck_assert_int_ge(pipe_fd, 0);
	ck_assert_int_gt(write(pipe_fd, order, strlen(order)), 0);
	snprintf(command, sizeof(command),
		 "exec %s -plaintext -d @ localhost:%d "
		 "worker.WorkerService/Exchange < %s",
		 tool_find("grpcurl"), world.pair.grpc_port, path);
	PROCESS_START(&grpcurl, "/bin/sh", NULL, "-c", command);
	process_await(&grpcurl, "PREPARED", NULL);
	process_kill(&grpcurl);
	process_await(&world.pair.worker,
		      "TRANSACTION LEFT IN DOUBT for task_id=t1", NULL);
	expect(&world, "1", ROW_PREPARED, "t1", 0);
	close(pipe_fd);
	end(&world);
}
END_TEST

/* ---- the worker dies ----------------------------------------------------- */

static void restart(struct world *world)
{
	coordinator_close(&world->c);
	process_kill(&world->pair.worker);
	pair_start_worker(&world->pair);
	coordinator_open(&world->c, "a", world->pair.grpc_port);
}

START_TEST(what_was_prepared_is_found_again_after_its_death)
{
	struct pair_options options = { .work = "0s",
					.worker_flags =
						FLAGS("-metrics-port", "0") };
	struct world world;
	struct exchange committed, prepared, working;
	int port;

	start(&world, &options);
	open_prepared(&world, &committed, "1", "t1");
	exchange_order(&committed, COMMIT);
	ck_assert_int_eq(exchange_next(&committed), COMMITTED);
	open_prepared(&world, &prepared, "2", "t2");
	exchange_leave_in_doubt(&world.c, "3", "t3");
	exchange_close(&committed);
	options.work = "300s";
	process_signal(&world.pair.worker, SIGKILL);
	ck_assert_int_eq(exchange_end(&prepared), STATUS_UNAVAILABLE);
	exchange_close(&prepared);
	restart(&world);

	process_await(&world.pair.worker,
		      "Transactions are in doubt until their coordinators "
		      "come back",
		      "in_doubt=2");
	port = process_port(&world.pair.worker, "metrics_port");
	UNTIL(http_metric(port, "rescind_in_doubt{service=\"worker\"}") == 2);
	ck_assert(http_metric(port, "rescind_in_doubt_oldest_seconds{"
				    "service=\"worker\"}") > 0);
	expect(&world, "1", ROW_COMMITTED, "t1", 1);
	expect(&world, "2", ROW_PREPARED, "t2", 0);
	ck_assert_uint_eq(coordinator_in_doubt(&world.c), 2);

	/* What only works has left nothing. */
	exchange_open(&working, &world.c, "4");
	exchange_prepare(&working, "t4", "data");
	pair_await_working(&world.pair, "t4");
	process_signal(&world.pair.worker, SIGKILL);
	exchange_close(&working);
	restart(&world);
	expect(&world, "4", ROW_NONE, "t4", 0);
	port = process_port(&world.pair.worker, "metrics_port");

	ck_assert_int_eq(order_alone(&world, "2", COMMIT, STATUS_OK),
			 COMMITTED);
	ck_assert_int_eq(coordinator_resolve_one(&world.c, "3", ROLLBACK),
			 ROLLED_BACK);
	expect(&world, "2", ROW_COMMITTED, "t2", 1);
	expect(&world, "3", ROW_ROLLED_BACK, "t3", 0);
	UNTIL(http_metric(port, "rescind_in_doubt{service=\"worker\"}") == 0);
	ck_assert(http_metric(port, "rescind_resolved_total{outcome="
				    "\"committed\",service=\"worker\"}") == 1);
	ck_assert(http_metric(port,
			      "rescind_resolved_total{outcome="
			      "\"rolled_back\",service=\"worker\"}") == 1);
	end(&world);
}
END_TEST

/* The point that it dies at, and what is then to be found, at least. */
static const struct {
	const char *point;
	int state_min, state_max;
	Worker__Verdict said; /* the last that was said, at least */
} deaths[] = {
	{ "worker.exchange.opened", ROW_NONE, ROW_NONE, 0 },
	{ "worker.exchange.received", ROW_NONE, ROW_NONE, 0 },
	{ "worker.exchange.received.prepare", ROW_NONE, ROW_NONE, 0 },
	{ "worker.exchange.work.before", ROW_NONE, ROW_NONE, 0 },
	{ "worker.exchange.work.after", ROW_NONE, ROW_NONE, 0 },
	{ "worker.exchange.prepare.before", ROW_NONE, ROW_NONE, 0 },
	{ "worker.exchange.prepare.after", ROW_PREPARED, ROW_PREPARED, 0 },
	{ "worker.exchange.say_prepared.before", ROW_PREPARED, ROW_PREPARED,
	  0 },
	{ "worker.exchange.say_prepared.after", ROW_PREPARED, ROW_PREPARED, 0 },
	{ "worker.exchange.received.commit", ROW_PREPARED, ROW_PREPARED,
	  PREPARED },
	{ "worker.exchange.commit.before", ROW_PREPARED, ROW_PREPARED,
	  PREPARED },
	{ "worker.exchange.commit.after", ROW_COMMITTED, ROW_COMMITTED,
	  PREPARED },
	{ "worker.exchange.answer.before", ROW_COMMITTED, ROW_COMMITTED,
	  PREPARED },
	{ "worker.exchange.answer.after", ROW_COMMITTED, ROW_COMMITTED,
	  PREPARED },
};
enum { DEATHS = sizeof(deaths) / sizeof(deaths[0]) };

/* One exchange with a worker that dies in it; the last verdict heard. */
static Worker__Verdict exchange_to_the_death(struct world *world,
					     const char *point)
{
	char order[128];
	const char *env[] = { order, NULL };
	struct process_options faulty = { .env = env };
	struct exchange ex;
	Worker__Verdict said;
	Worker__Verdict last = 0;

	snprintf(order, sizeof(order), "RESCIND_FAILPOINTS=%s%s", point,
		 strchr(point, '=') != NULL ? "" : "=kill");
	PROCESS_START(&world->pair.worker, RESCIND_FAULTY "/worker", &faulty,
		      "-port", "0", "-db", world->pair.worker_db, "-work",
		      "0s");
	coordinator_open(&world->c, "a",
			 process_port(&world->pair.worker, "grpc_port"));
	exchange_open(&ex, &world->c, "1");
	exchange_prepare(&ex, "t1", "data");
	while ((said = exchange_next(&ex)) != 0) {
		last = said;
		exchange_order(&ex, COMMIT);
	}
	exchange_close(&ex);
	coordinator_close(&world->c);
	ck_assert_int_eq(process_wait(&world->pair.worker), 128 + SIGKILL);
	return last;
}

START_TEST(a_death_at_any_point_leaves_what_was_said)
{
	for (int i = 0; i < DEATHS; i++) {
		struct world world;
		Worker__Verdict said;
		int state;

		pair_prepare(&world.pair, &at_once);
		said = exchange_to_the_death(&world, deaths[i].point);
		pair_start_worker(&world.pair);
		coordinator_open(&world.c, "a", world.pair.grpc_port);
		state = state_of(&world, "1");
		ck_assert_msg(state >= deaths[i].state_min &&
				      state <= deaths[i].state_max &&
				      said >= deaths[i].said,
			      "%s: in state %d, said %d", deaths[i].point,
			      state, (int)said);
		ck_assert(said != PREPARED || state >= ROW_PREPARED);
		ck_assert(said != COMMITTED || state == ROW_COMMITTED);
		ck_assert_int_eq(worker_rows(world.pair.worker_db, "t1"),
				 state == ROW_COMMITTED);
		/* Whatever it is in, it goes on from there. */
		if (state != ROW_NONE) {
			ck_assert_int_eq(
				coordinator_resolve_one(&world.c, "1", COMMIT),
				COMMITTED);
			expect(&world, "1", ROW_COMMITTED, "t1", 1);
		}
		end(&world);
	}
}
END_TEST

/* ---- many, and several --------------------------------------------------- */

START_TEST(coordinators_do_not_see_each_other)
{
	struct world world;
	struct coordinator b;
	struct listed listed;
	Worker__ListTransactionsRequest all =
		WORKER__LIST_TRANSACTIONS_REQUEST__INIT;

	start(&world, &at_once);
	coordinator_open(&b, "b", world.pair.grpc_port);
	exchange_leave_in_doubt(&world.c, "1", "of-a");
	exchange_leave_in_doubt(&b, "1", "of-b");
	exchange_leave_in_doubt(&b, "2", "of-b-too");
	ck_assert_uint_eq(coordinator_in_doubt(&world.c), 1);
	ck_assert_uint_eq(coordinator_in_doubt(&b), 2);
	coordinator_list(&world.c, &all, &listed);
	ck_assert_uint_eq(listed.n, 3);
	ck_assert_str_eq(listed.last_coordinator, "b");

	ck_assert_int_eq(coordinator_resolve_one(&b, "1", ROLLBACK),
			 ROLLED_BACK);
	coordinator_seal(&b, "9");
	expect(&world, "1", ROW_PREPARED, "of-a", 0);
	ck_assert_int_eq(coordinator_resolve_one(&world.c, "1", COMMIT),
			 COMMITTED);
	ck_assert_int_eq(worker_rows(world.pair.worker_db, "of-a"), 1);
	ck_assert_int_eq(worker_rows(world.pair.worker_db, "of-b"), 0);
	ck_assert_int_eq(coordinator_resolve_one(&world.c, "2", COMMIT),
			 UNKNOWN);
	coordinator_close(&b);
	end(&world);
}
END_TEST

START_TEST(what_is_over_is_forgotten_and_refused)
{
	struct world world;

	start(&world, &at_once);
	exchange_leave_in_doubt(&world.c, "1", "t1");
	exchange_leave_in_doubt(&world.c, "2", "t2");
	exchange_leave_in_doubt(&world.c, "3", "t3");
	ck_assert_int_eq(coordinator_resolve_one(&world.c, "1", COMMIT),
			 COMMITTED);
	ck_assert_int_eq(coordinator_resolve_one(&world.c, "2", ROLLBACK),
			 ROLLED_BACK);
	coordinator_seal(&world.c, "4");
	/* What is prepared is never over. */
	expect(&world, "1", ROW_NONE, "t1", 1);
	expect(&world, "2", ROW_NONE, "t2", 0);
	expect(&world, "3", ROW_PREPARED, "t3", 0);

	prepare_alone(&world, "1", "again", STATUS_FAILED_PRECONDITION);
	prepare_alone(&world, "2", "again", STATUS_FAILED_PRECONDITION);
	order_alone(&world, "1", COMMIT, STATUS_NOT_FOUND);
	ck_assert_int_eq(coordinator_resolve_one(&world.c, "3", COMMIT),
			 COMMITTED);
	/* A bound that comes late changes nothing. */
	coordinator_seal(&world.c, "1");
	prepare_alone(&world, "3.5", "again", STATUS_FAILED_PRECONDITION);
	ck_assert_int_eq(prepare_alone(&world, "4", "new", STATUS_OK),
			 PREPARED);
	ck_assert_int_eq(worker_rows(world.pair.worker_db, "again"), 0);
	end(&world);
}
END_TEST

enum { MANY = 1000, BATCH = 512 };

static void name_of(char id[16], int i)
{
	snprintf(id, 16, "id-%04d", i);
}

static void resolve_range(struct coordinator *c, int from, int n,
			  struct resolved *ret_resolved)
{
	static Worker__Resolution items[RESOLVED_MAX];
	static Worker__Resolution *pointers[RESOLVED_MAX];
	static char ids[RESOLVED_MAX][16];
	Worker__ResolveTransactionsRequest request =
		WORKER__RESOLVE_TRANSACTIONS_REQUEST__INIT;

	for (int i = 0; i < n; i++) {
		name_of(ids[i], from + i);
		worker__resolution__init(&items[i]);
		items[i].transaction_id = ids[i];
		items[i].order = (from + i) % 2 == 0 ? COMMIT : ROLLBACK;
		pointers[i] = &items[i];
	}
	request.coordinator = c->name;
	request.n_resolutions = (size_t)n;
	request.resolutions = pointers;
	coordinator_resolve(c, &request, ret_resolved);
}

START_TEST(a_thousand_in_doubt_are_listed_in_pages_and_resolved_in_batches)
{
	static struct resolved resolved;
	Worker__ListTransactionsRequest page =
		WORKER__LIST_TRANSACTIONS_REQUEST__INIT;
	struct pair_options options = { .work = "0s", .log_level = "error" };
	struct world world;
	struct listed listed;
	char after[65] = "";
	char id[16];
	int pages = 0;

	start(&world, &options);
	for (int i = 0; i < MANY; i++) {
		name_of(id, i);
		exchange_leave_in_doubt(&world.c, id, id);
	}
	restart(&world);

	page.coordinator = world.c.name;
	page.page_size = 300;
	page.after_transaction_id = after;
	do {
		coordinator_list(&world.c, &page, &listed);
		ck_assert_int_eq(listed.status.code, STATUS_OK);
		ck_assert_uint_eq(listed.n, pages < 3 ? 300 : 100);
		ck_assert_int_eq(listed.last_state, PREPARED);
		ck_assert_str_gt(listed.first, after);
		memcpy(after, listed.last, sizeof(after));
		pages++;
	} while (listed.more);
	ck_assert_int_eq(pages, 4);
	ck_assert_str_eq(after, "id-0999");

	/* Not one more than may be. */
	resolve_range(&world.c, 0, BATCH + 1, &resolved);
	ck_assert_int_eq(resolved.status.code, STATUS_INVALID_ARGUMENT);
	ck_assert_uint_eq(coordinator_in_doubt(&world.c), MANY);

	resolve_range(&world.c, 0, BATCH, &resolved);
	ck_assert_uint_eq(resolved.n, BATCH);
	for (size_t i = 0; i < resolved.n; i++) {
		ck_assert_int_eq(resolved.verdicts[i],
				 i % 2 == 0 ? COMMITTED : ROLLED_BACK);
	}
	ck_assert_uint_eq(coordinator_in_doubt(&world.c), MANY - BATCH);
	resolve_range(&world.c, BATCH, MANY - BATCH, &resolved);
	ck_assert_int_eq(resolved.status.code, STATUS_OK);
	ck_assert_uint_eq(coordinator_in_doubt(&world.c), 0);
	ck_assert_int_eq(rows_query(world.pair.worker_db,
				    "SELECT count(DISTINCT task_id)"
				    " FROM worker_tasks"),
			 MANY / 2);
	coordinator_seal(&world.c, "id-1000");
	ck_assert_int_eq(rows_query(world.pair.worker_db,
				    "SELECT count(*) FROM twopc_prepared"),
			 0);
	end(&world);
}
END_TEST

/* ---- limits, and stops --------------------------------------------------- */

START_TEST(a_full_worker_still_resolves)
{
	struct pair_options options = { .work = "0s",
					.worker_flags =
						FLAGS("-max-in-flight", "1") };
	struct world world;
	struct exchange first, second;

	start(&world, &options);
	exchange_leave_in_doubt(&world.c, "0", "t0");
	open_prepared(&world, &first, "1", "t1");
	exchange_open(&second, &world.c, "2");
	exchange_prepare(&second, "t2", "data");
	exchange_expect_end(&second, STATUS_RESOURCE_EXHAUSTED);
	exchange_close(&second);
	ck_assert_uint_eq(coordinator_in_doubt(&world.c), 2);
	ck_assert_int_eq(coordinator_resolve_one(&world.c, "0", COMMIT),
			 COMMITTED);
	/* Of the one whose stream fills it, too. */
	ck_assert_int_eq(coordinator_resolve_one(&world.c, "1", COMMIT),
			 COMMITTED);
	exchange_close(&first);
	expect(&world, "1", ROW_COMMITTED, "t1", 1);
	expect(&world, "2", ROW_NONE, "t2", 0);
	end(&world);
}
END_TEST

START_TEST(a_stop_waits_for_the_order)
{
	struct world world;
	struct exchange ex, late;

	start(&world, &at_once);
	exchange_leave_in_doubt(&world.c, "0", "t0");
	open_prepared(&world, &ex, "1", "t1");
	process_signal(&world.pair.worker, SIGTERM);
	process_await(&world.pair.worker, "draining", NULL);
	/* Nothing new, but what is in doubt can be resolved. */
	exchange_open(&late, &world.c, "2");
	exchange_prepare(&late, "t2", "data");
	exchange_expect_end(&late, STATUS_UNAVAILABLE);
	exchange_close(&late);
	ck_assert_int_eq(coordinator_resolve_one(&world.c, "0", COMMIT),
			 COMMITTED);
	exchange_order(&ex, COMMIT);
	ck_assert_int_eq(exchange_next(&ex), COMMITTED);
	ck_assert_int_eq(process_wait(&world.pair.worker), 0);
	exchange_close(&ex);
	process_release(&world.pair.worker);
	expect(&world, "0", ROW_COMMITTED, "t0", 1);
	expect(&world, "1", ROW_COMMITTED, "t1", 1);
	expect(&world, "2", ROW_NONE, "t2", 0);
	end(&world);
}
END_TEST

START_TEST(a_stop_whose_time_is_over_leaves_what_is_prepared)
{
	struct pair_options options = {
		.work = "0s",
		.worker_flags = FLAGS("-shutdown-timeout", "200ms"),
	};
	struct world world;
	struct exchange ex;

	start(&world, &options);
	open_prepared(&world, &ex, "1", "t1");
	process_signal(&world.pair.worker, SIGTERM);
	ck_assert_int_eq(exchange_end(&ex), STATUS_UNAVAILABLE);
	exchange_close(&ex);
	process_await(&world.pair.worker,
		      "TRANSACTION LEFT IN DOUBT for task_id=t1",
		      "cause=shutdown");
	process_wait(&world.pair.worker);
	process_release(&world.pair.worker);
	expect(&world, "1", ROW_PREPARED, "t1", 0);
	end(&world);
}
END_TEST

/* What it decided is not lost with a database that cannot be written. */
START_TEST(a_locked_database_is_told_and_waited_for)
{
	struct world world;
	struct exchange ex, decided;
	sqlite3 *lock;

	start(&world, &at_once);
	open_prepared(&world, &decided, "1", "t1");
	lock = rows_lock(world.pair.worker_db);
	exchange_open_for(&ex, &world.c, "2", 1000);
	exchange_prepare(&ex, "t2", "data");
	/* A busy machine may let the deadline come first. */
	if (exchange_end(&ex) != STATUS_DEADLINE_EXCEEDED) {
		exchange_expect_end(&ex, STATUS_UNAVAILABLE);
		ck_assert_ptr_nonnull(strstr(ex.end.message, "locked"));
	}
	exchange_close(&ex);
	worker_await_rolled_back(&world.pair, "t2");
	exchange_order(&decided, COMMIT);
	rows_unlock(lock);
	ck_assert_int_eq(exchange_next(&decided), COMMITTED);
	exchange_close(&decided);
	expect(&world, "1", ROW_COMMITTED, "t1", 1);
	expect(&world, "2", ROW_NONE, "t2", 0);
	end(&world);
}
END_TEST

/* Who locks the database may do so for ever. */
START_TEST(a_stop_does_not_wait_for_a_locked_database)
{
	struct pair_options options = {
		.work = "0s",
		.worker_flags = FLAGS("-shutdown-timeout", "200ms"),
	};
	struct world world;
	struct exchange ex;
	sqlite3 *lock;

	start(&world, &options);
	open_prepared(&world, &ex, "1", "t1");
	lock = rows_lock(world.pair.worker_db);
	exchange_order(&ex, COMMIT);
	process_signal(&world.pair.worker, SIGTERM);
	ck_assert_int_ne(exchange_end(&ex), STATUS_OK);
	exchange_close(&ex);
	process_await(&world.pair.worker,
		      "TRANSACTION LEFT IN DOUBT for task_id=t1", NULL);
	process_wait(&world.pair.worker);
	process_release(&world.pair.worker);
	rows_unlock(lock);
	expect(&world, "1", ROW_PREPARED, "t1", 0);
	end(&world);
}
END_TEST

START_TEST(a_worker_that_was_stopped_hears_the_rollback_first)
{
	struct pair_options options = { .work = "300ms" };
	struct world world;
	struct exchange ex;

	start(&world, &options);
	exchange_open(&ex, &world.c, "1");
	exchange_prepare(&ex, "t1", "data");
	pair_await_working(&world.pair, "t1");
	process_pause(&world.pair.worker);
	exchange_order(&ex, ROLLBACK);
	pause_ms(600); /* as long as it takes to be overdue */
	process_resume(&world.pair.worker);
	ck_assert_int_eq(exchange_next(&ex), ROLLED_BACK);
	exchange_close(&ex);
	expect(&world, "1", ROW_NONE, "t1", 0);
	end(&world);
}
END_TEST

/* ---- input --------------------------------------------------------------- */

static void expect_refused(struct world *world,
			   const Worker__ExchangeRequest *request,
			   const char *why)
{
	struct exchange ex;

	exchange_open(&ex, &world->c, "unused");
	exchange_send(&ex, request);
	exchange_expect_end(&ex, STATUS_INVALID_ARGUMENT);
	ck_assert_msg(strstr(ex.end.message, why) != NULL, "%s lacks %s",
		      ex.end.message, why);
	exchange_close(&ex);
}

static Worker__ExchangeRequest good_request(Worker__WorkRequest *work)
{
	static char coordinator[] = "a", id[] = "1", task_id[] = "t1";
	Worker__ExchangeRequest request = WORKER__EXCHANGE_REQUEST__INIT;

	worker__work_request__init(work);
	work->task_id = task_id;
	request.order = WORKER__ORDER__PREPARE;
	request.coordinator = coordinator;
	request.transaction_id = id;
	request.work = work;
	return request;
}

START_TEST(a_first_message_that_makes_no_sense_is_refused)
{
	static char empty[] = "", spaced[] = "a b", accent[] = "h\xC3\xA9",
		    longer[] = "0123456789012345678901234567890123456789"
			       "0123456789012345678901234";
	char *const names[] = { empty, spaced, accent, longer };
	struct world world;
	Worker__WorkRequest work;
	Worker__ExchangeRequest request;

	start(&world, &at_once);
	for (int i = 0; i < 4; i++) {
		request = good_request(&work);
		request.coordinator = names[i];
		expect_refused(&world, &request,
			       "coordinator must be 1 to 64 printable");
		request = good_request(&work);
		request.transaction_id = names[i];
		expect_refused(&world, &request,
			       "transaction_id must be 1 to 64 printable");
	}
	request = good_request(&work);
	request.order = WORKER__ORDER__ORDER_UNSPECIFIED;
	expect_refused(&world, &request, "order must be");
	request.order = (Worker__Order)77;
	expect_refused(&world, &request, "order must be");
	request.order = COMMIT;
	expect_refused(&world, &request, "work must be given with PREPARE");
	request = good_request(&work);
	request.work = NULL;
	expect_refused(&world, &request, "work must be given with PREPARE");
	request = good_request(&work);
	work.task_id = empty;
	expect_refused(&world, &request, "work: task_id must not be empty");
	ck_assert_int_eq(rows_query(world.pair.worker_db,
				    "SELECT count(*) FROM twopc_prepared"),
			 0);
	end(&world);
}
END_TEST

START_TEST(a_stream_that_begins_with_its_end_is_refused)
{
	struct world world;
	struct exchange ex;

	start(&world, &at_once);
	exchange_open(&ex, &world.c, "1");
	exchange_half_close(&ex);
	exchange_expect_end(&ex, STATUS_INVALID_ARGUMENT);
	ck_assert_str_eq(ex.end.message, "no order was given");
	exchange_close(&ex);
	end(&world);
}
END_TEST

/* What is prepared stays, whatever comes behind it. */
static void expect_broken(struct world *world, const char *id,
			  const Worker__ExchangeRequest *second,
			  const char *why)
{
	char task_id[80];
	struct exchange ex;

	snprintf(task_id, sizeof(task_id), "t-%s", id);
	open_prepared(world, &ex, id, task_id);
	exchange_send(&ex, second);
	exchange_expect_end(&ex, STATUS_INVALID_ARGUMENT);
	ck_assert_msg(strstr(ex.end.message, why) != NULL, "%s lacks %s",
		      ex.end.message, why);
	exchange_close(&ex);
	expect(world, id, ROW_PREPARED, task_id, 0);
}

START_TEST(a_stream_is_of_one_transaction)
{
	static char other[] = "other";
	struct world world;
	struct exchange ex;
	Worker__WorkRequest work;
	Worker__ExchangeRequest request = WORKER__EXCHANGE_REQUEST__INIT;

	start(&world, &at_once);
	request.order = COMMIT;
	request.coordinator = other;
	expect_broken(&world, "1", &request,
		      "coordinator must not change in mid-stream");
	worker__exchange_request__init(&request);
	request.order = COMMIT;
	request.transaction_id = other;
	expect_broken(&world, "2", &request,
		      "transaction_id must not change in mid-stream");
	request = good_request(&work);
	request.transaction_id = NULL;
	request.coordinator = NULL;
	expect_broken(&world, "3", &request,
		      "work must not change in mid-stream");
	worker__exchange_request__init(&request);
	expect_broken(&world, "4", &request, "order must be");

	/* The names may be given again, if they are the same. */
	open_prepared(&world, &ex, "5", "t5");
	worker__exchange_request__init(&request);
	request.order = COMMIT;
	request.coordinator = world.c.name;
	request.transaction_id = ex.id;
	exchange_send(&ex, &request);
	ck_assert_int_eq(exchange_next(&ex), COMMITTED);
	exchange_close(&ex);
	end(&world);
}
END_TEST

static void expect_list_refused(struct world *world,
				const Worker__ListTransactionsRequest *request,
				const char *why)
{
	struct listed listed;

	coordinator_list(&world->c, request, &listed);
	ck_assert_int_eq(listed.status.code, STATUS_INVALID_ARGUMENT);
	ck_assert_msg(strstr(listed.status.message, why) != NULL, "%s lacks %s",
		      listed.status.message, why);
}

START_TEST(a_list_names_what_it_refuses)
{
	static char spaced[] = "a b", a[] = "a", b[] = "b";
	Worker__ListTransactionsRequest request =
		WORKER__LIST_TRANSACTIONS_REQUEST__INIT;
	struct world world;
	struct listed listed;

	start(&world, &at_once);
	request.coordinator = spaced;
	expect_list_refused(&world, &request, "coordinator must be");
	worker__list_transactions_request__init(&request);
	request.after_coordinator = spaced;
	expect_list_refused(&world, &request, "after_coordinator must be");
	worker__list_transactions_request__init(&request);
	request.after_transaction_id = spaced;
	expect_list_refused(&world, &request, "after_transaction_id must be");
	request.after_transaction_id = a;
	expect_list_refused(&world, &request,
			    "after_coordinator must be given");
	worker__list_transactions_request__init(&request);
	request.page_size = -1;
	expect_list_refused(&world, &request, "page_size must not be negative");
	worker__list_transactions_request__init(&request);
	request.coordinator = a;
	request.after_coordinator = b;
	expect_list_refused(&world, &request,
			    "after_coordinator must be the coordinator");
	request.after_coordinator = a;
	request.page_size = INT32_MAX;
	coordinator_list(&world.c, &request, &listed);
	ck_assert_int_eq(listed.status.code, STATUS_OK);
	ck_assert_uint_eq(listed.n, 0);
	end(&world);
}
END_TEST

static void
expect_resolve_refused(struct world *world,
		       const Worker__ResolveTransactionsRequest *request,
		       const char *why)
{
	static struct resolved resolved;

	coordinator_resolve(&world->c, request, &resolved);
	ck_assert_int_eq(resolved.status.code, STATUS_INVALID_ARGUMENT);
	ck_assert_msg(strstr(resolved.status.message, why) != NULL,
		      "%s lacks %s", resolved.status.message, why);
}

START_TEST(a_resolution_names_what_it_refuses)
{
	static char spaced[] = "a b", a[] = "a", one[] = "1", two[] = "2";
	Worker__ResolveTransactionsRequest request =
		WORKER__RESOLVE_TRANSACTIONS_REQUEST__INIT;
	Worker__Resolution items[2] = { WORKER__RESOLUTION__INIT,
					WORKER__RESOLUTION__INIT };
	Worker__Resolution *pointers[2] = { &items[0], &items[1] };
	struct world world;

	start(&world, &at_once);
	exchange_leave_in_doubt(&world.c, "1", "t1");
	items[0].transaction_id = one;
	items[0].order = COMMIT;
	items[1].transaction_id = two;
	items[1].order = COMMIT;
	request.n_resolutions = 2;
	request.resolutions = pointers;
	expect_resolve_refused(&world, &request, "coordinator must be");
	request.coordinator = a;
	request.over_below = spaced;
	expect_resolve_refused(&world, &request, "over_below must be");
	request.over_below = one;
	items[1].transaction_id = spaced;
	expect_resolve_refused(&world, &request,
			       "resolutions[1]: transaction_id must be");
	items[1].transaction_id = two;
	items[1].order = WORKER__ORDER__PREPARE;
	expect_resolve_refused(&world, &request,
			       "resolutions[1]: order must be COMMIT or "
			       "ROLLBACK");
	items[1].order = WORKER__ORDER__ORDER_UNSPECIFIED;
	expect_resolve_refused(&world, &request, "resolutions[1]: order");
	/* All or nothing of it was looked at. */
	expect(&world, "1", ROW_PREPARED, "t1", 0);
	end(&world);
}
END_TEST

/* ---- by hand ------------------------------------------------------------- */

static void expect_text(const struct outcome *outcome, const char *text)
{
	ck_assert_msg(outcome->code == 0 && strstr(outcome->text, text) != NULL,
		      "%d, lacks '%s': %s", outcome->code, text, outcome->text);
}

START_TEST(grpcurl_drives_it)
{
	struct world world;
	struct outcome outcome;
	char address[64];
	const char *const prepare =
		"{\"order\":\"PREPARE\",\"coordinator\":\"a\","
		"\"transaction_id\":\"1\",\"work\":{\"task_id\":\"t1\","
		"\"data\":\"by hand\"}}";

	if (!is_ci() && tool_find("grpcurl") == NULL) {
		return;
	}
	start(&world, &at_once);
	snprintf(address, sizeof(address), "localhost:%d",
		 world.pair.grpc_port);
	GRPCURL(&outcome, address, "describe", "worker.WorkerService");
	expect_text(&outcome, "rpc Exchange ( stream .worker.ExchangeRequest )"
			      " returns ( stream .worker.ExchangeResponse );");
	expect_text(&outcome, "rpc ListTransactions");
	expect_text(&outcome, "rpc ResolveTransactions");

	GRPCURL(&outcome, "-d", prepare, address,
		"worker.WorkerService/Exchange");
	expect_text(&outcome, "\"verdict\": \"PREPARED\"");
	expect(&world, "1", ROW_PREPARED, "t1", 0);
	GRPCURL(&outcome, "-d", "{\"in_doubt_only\":true}", address,
		"worker.WorkerService/ListTransactions");
	expect_text(&outcome, "\"state\": \"PREPARED\"");
	GRPCURL(&outcome, "-d",
		"{\"coordinator\":\"a\",\"resolutions\":[{\"transaction_id\":"
		"\"1\",\"order\":\"COMMIT\"}]}",
		address, "worker.WorkerService/ResolveTransactions");
	expect_text(&outcome, "\"COMMITTED\"");
	expect(&world, "1", ROW_COMMITTED, "t1", 1);
	GRPCURL(&outcome, "-d",
		"{\"order\":\"COMMIT\",\"coordinator\":\"a\","
		"\"transaction_id\":\"9\"}",
		address, "worker.WorkerService/Exchange");
	ck_assert_int_ne(outcome.code, 0);
	ck_assert_ptr_nonnull(strstr(outcome.text, "NotFound"));
	end(&world);
}
END_TEST

START_TEST(grpcurl_speaks_a_whole_exchange)
{
	struct world world;
	struct outcome outcome;
	char command[512];

	if (!is_ci() && tool_find("grpcurl") == NULL) {
		return;
	}
	start(&world, &at_once);
	snprintf(command, sizeof(command),
		 "printf '%%s\\n%%s\\n' '{\"order\":\"PREPARE\","
		 "\"coordinator\":\"a\",\"transaction_id\":\"1\","
		 "\"work\":{\"task_id\":\"t1\"}}' '{\"order\":\"ROLLBACK\"}' | "
		 "%s -plaintext -d @ localhost:%d "
		 "worker.WorkerService/Exchange",
		 tool_find("grpcurl"), world.pair.grpc_port);
	RUN(&outcome, "/bin/sh", NULL, "-c", command);
	expect_text(&outcome, "\"verdict\": \"ROLLED_BACK\"");
	ck_assert_int_eq(worker_rows(world.pair.worker_db, "t1"), 0);
	ck_assert_uint_eq(coordinator_in_doubt(&world.c), 0);
	end(&world);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		prepared_is_on_disk_and_committed_is_in_both_tables,
		a_rollback_is_heard_in_every_state,
		every_order_has_its_outcome_again_and_again,
		a_commit_of_what_is_not_known_is_never_a_success,
		a_prepare_behind_the_rollback_is_refused,
		another_stream_ends_what_is_prepared,
		orders_may_be_sent_ahead,
		a_stream_that_ends_while_it_works_rolls_back,
		what_is_prepared_stays_when_its_stream_ends,
		a_killed_coordinator_leaves_what_is_prepared,
		what_was_prepared_is_found_again_after_its_death,
		a_death_at_any_point_leaves_what_was_said,
		coordinators_do_not_see_each_other,
		what_is_over_is_forgotten_and_refused,
		a_thousand_in_doubt_are_listed_in_pages_and_resolved_in_batches,
		a_full_worker_still_resolves,
		a_stop_waits_for_the_order,
		a_stop_whose_time_is_over_leaves_what_is_prepared,
		a_locked_database_is_told_and_waited_for,
		a_stop_does_not_wait_for_a_locked_database,
		a_worker_that_was_stopped_hears_the_rollback_first,
		a_first_message_that_makes_no_sense_is_refused,
		a_stream_that_begins_with_its_end_is_refused,
		a_stream_is_of_one_transaction,
		a_list_names_what_it_refuses,
		a_resolution_names_what_it_refuses,
		grpcurl_drives_it,
		grpcurl_speaks_a_whole_exchange,
		NULL,
	};

	return suite_run("two_phase_worker", tests);
}
