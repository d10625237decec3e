#include "harness/pair.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { FLAGS_MAX = 48 };

static const char rolled_back_task[] = "TRANSACTION ROLLED BACK for task_id=";
static const char rolled_back_request[] =
	"TRANSACTION ROLLED BACK for request_id=";
static const char committed_task[] = "TRANSACTION COMMITTED for task_id=";
static const char committed_request[] = "TRANSACTION COMMITTED for request_id=";
static const char inserted_task[] = "Inserted task record for task_id=";

/* ---- starting and ending ------------------------------------------------- */

static const char *or_else(const char *value, const char *fallback)
{
	return value != NULL ? value : fallback;
}

static void add_all(const char *flags[FLAGS_MAX], const char *const *more)
{
	size_t n = 0;

	while (flags[n] != NULL) {
		n++;
	}
	for (; more != NULL && *more != NULL; more++) {
		ck_assert_uint_lt(n + 1, FLAGS_MAX);
		flags[n++] = *more;
	}
	flags[n] = NULL;
}

void pair_prepare(struct pair *pair, const struct pair_options *options)
{
	static const struct pair_options defaults;

	memset(pair, 0, sizeof(*pair));
	pair->options = options != NULL ? options : &defaults;
	if (pair->options->dir != NULL) {
		snprintf(pair->dir, PATH_SIZE, "%s", pair->options->dir);
	} else {
		scratch_make(pair->dir);
		/* For those that run as somebody else. */
		ck_assert_int_eq(chmod(pair->dir, 0777), 0);
	}
	scratch_path(pair->echo_db, pair->dir, "test_echo.db");
	scratch_path(pair->worker_db, pair->dir, "test_worker.db");
}

void pair_launch_worker(struct pair *pair)
{
	const struct pair_options *options = pair->options;
	const char *flags[FLAGS_MAX] = { NULL };
	char port[16];

	process_release(&pair->worker);
	snprintf(port, sizeof(port), "%d", pair->grpc_port);
	add_all(flags, FLAGS("-port", port, "-db", pair->worker_db, "-work",
			     or_else(options->work, "50ms"), "-log-level",
			     or_else(options->log_level, "debug")));
	add_all(flags, options->worker_flags);
	process_start(&pair->worker, "worker", options->worker_process, flags);
}

void pair_start_worker(struct pair *pair)
{
	pair_launch_worker(pair);
	pair->grpc_port = process_port(&pair->worker, "grpc_port");
}

void pair_launch_echo(struct pair *pair)
{
	const struct pair_options *options = pair->options;
	const char *flags[FLAGS_MAX] = { NULL };
	char http_port[16];
	char grpc_port[16];

	process_release(&pair->echo);
	snprintf(http_port, sizeof(http_port), "%d", pair->http_port);
	snprintf(grpc_port, sizeof(grpc_port), "%d", pair->grpc_port);
	add_all(flags, FLAGS("-http-port", http_port, "-grpc-port", grpc_port,
			     "-db", pair->echo_db, "-timeout",
			     or_else(options->timeout, "20s"), "-log-level",
			     or_else(options->log_level, "debug")));
	add_all(flags, options->echo_flags);
	process_start(&pair->echo, "echo", options->echo_process, flags);
}

void pair_start_echo(struct pair *pair)
{
	pair_launch_echo(pair);
	pair->http_port = process_port(&pair->echo, "http_port");
}

void pair_await_ready(struct pair *pair)
{
	UNTIL(http_status_of(pair->http_port, "/readyz") == 200);
}

void pair_start(struct pair *pair, const struct pair_options *options)
{
	pair_prepare(pair, options);
	pair_start_worker(pair);
	pair_start_echo(pair);
	pair_await_ready(pair);
}

void pair_end(struct pair *pair)
{
	if (pair->echo.pid != 0) {
		process_end(&pair->echo);
	}
	if (pair->worker.pid != 0) {
		process_end(&pair->worker);
	}
	if (pair->options->dir == NULL) {
		scratch_remove(pair->dir);
	}
}

/* ---- requests ------------------------------------------------------------ */

void pair_send(struct pair *pair, struct client *client, const char *id)
{
	client_open(client, pair->http_port);
	ck_assert(client_get(client, "/echo?request_id=%s&message=hello", id));
}

void pair_await_working(struct pair *pair, const char *id)
{
	process_await_id(&pair->worker, inserted_task, id);
}

void pair_send_working(struct pair *pair, struct client *client, const char *id)
{
	pair_send(pair, client, id);
	pair_await_working(pair, id);
}

int pair_request(struct pair *pair, const char *id)
{
	return http_status_of(pair->http_port,
			      "/echo?request_id=%s&message=hello", id);
}

void echo_await_rolled_back(struct pair *pair, const char *id)
{
	process_await_id(&pair->echo, rolled_back_request, id);
}

void worker_await_rolled_back(struct pair *pair, const char *id)
{
	process_await_id(&pair->worker, rolled_back_task, id);
}

void pair_expect_rows(struct pair *pair, const char *id, int in_echo,
		      int in_worker)
{
	int echo_has = echo_rows(pair->echo_db, id);
	int worker_has = worker_rows(pair->worker_db, id);

	ck_assert_msg(echo_has == in_echo && worker_has == in_worker,
		      "%s: %d rows in echo's database, %d in worker's, "
		      "not %d and %d",
		      id, echo_has, worker_has, in_echo, in_worker);
}

void pair_expect_rolled_back(struct pair *pair, const char *id)
{
	worker_await_rolled_back(pair, id);
	echo_await_rolled_back(pair, id);
	ck_assert(!process_has_id(&pair->worker, committed_task, id));
	ck_assert(!process_has_id(&pair->echo, committed_request, id));
	pair_expect_rows(pair, id, 0, 0);
}

void pair_expect_committed(struct pair *pair, const char *id)
{
	process_await_id(&pair->worker, committed_task, id);
	process_await_id(&pair->echo, committed_request, id);
	pair_expect_rows(pair, id, 1, 1);
}

void pair_expect_works(struct pair *pair, const char *id)
{
	struct reply reply;

	http_get(pair->http_port, &reply, "/echo?request_id=%s&message=hello",
		 id);
	ck_assert_msg(reply.status == 200, "%d: %s", reply.status, reply.body);
	pair_expect_committed(pair, id);
}
