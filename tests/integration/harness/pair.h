/*
 * echo and worker, spawned on free ports with fresh databases, and the words in
 * which tests speak of them.
 *
 *	struct pair pair;
 *	pair_start(&pair, &(struct pair_options){ .work = "10s" });
 *	... pair.http_port, pair.grpc_port ...
 *	pair_expect_rolled_back(&pair, "r1");
 *	pair_end(&pair);	// both drained, exit code 0, the folder is gone
 */
#ifndef RESCIND_TEST_PAIR_H
#define RESCIND_TEST_PAIR_H

#include "harness/client.h"
#include "harness/process.h"
#include "harness/rows.h"

struct pair {
	char dir[PATH_SIZE];
	char echo_db[PATH_SIZE];
	char worker_db[PATH_SIZE];
	int http_port;
	int grpc_port;
	struct process echo;
	struct process worker;
	const struct pair_options *options;
};

/* NULL: the defaults that follow. */
struct pair_options {
	const char *work;	       /* 50ms */
	const char *timeout;	       /* 20s */
	const char *log_level;	       /* debug */
	const char *const *echo_flags; /* more; end in NULL */
	const char *const *worker_flags;
	const struct process_options *echo_process;
	const struct process_options *worker_process;
	const char *dir; /* use this folder, and leave it there */
};

/* Both, ready. @options is borrowed until the end. */
void pair_start(struct pair *pair, const struct pair_options *options);
/* The steps of it, for tests that start one of them again. */
void pair_start_worker(struct pair *pair);
void pair_start_echo(struct pair *pair);
void pair_await_ready(struct pair *pair);
/* Not waiting until they are ready, which they may never be. */
void pair_launch_worker(struct pair *pair);
void pair_launch_echo(struct pair *pair);
/* As pair_start() does, without starting anything. */
void pair_prepare(struct pair *pair, const struct pair_options *options);

/* Both end in order; the folder goes. Those already ended are left out. */
void pair_end(struct pair *pair);

/* ---- requests ------------------------------------------------------------ */

/* Send /echo?request_id=<id>&message=hello on a new connection. */
void pair_send(struct pair *pair, struct client *client, const char *id);
/* The same, and wait until worker works on it. */
void pair_send_working(struct pair *pair, struct client *client,
		       const char *id);
/* The same, to the end; the status. */
int pair_request(struct pair *pair, const char *id);

void pair_await_working(struct pair *pair, const char *id);
void echo_await_rolled_back(struct pair *pair, const char *id);
void worker_await_rolled_back(struct pair *pair, const char *id);
/* Wait until both say so, and look into both databases. */
void pair_expect_rolled_back(struct pair *pair, const char *id);
/* Both say so, and one row is in each database. */
void pair_expect_committed(struct pair *pair, const char *id);
void pair_expect_rows(struct pair *pair, const char *id, int in_echo,
		      int in_worker);
/* A request completes: the pair is well. */
void pair_expect_works(struct pair *pair, const char *id);

#endif
