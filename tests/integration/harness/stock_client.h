/*
 * The clients of the stock orders, spawned, and what tests expect of them.
 *
 *	struct outcome outcome;
 *	RUN_CLIENT(&outcome, &stock, REST, "-count=3");
 *	expect_code(&outcome, 0);
 *	expect_summary(outcome.text,
 *		       "sent 3, accepted 3, failed 0, cancelled 0");
 */
#ifndef RESCIND_TEST_STOCK_CLIENT_H
#define RESCIND_TEST_STOCK_CLIENT_H

#include "harness/stock.h"

/* stock_client, and stock_client_grpc. */
enum { REST, GRPC, CLIENTS };

extern const char *const client_programs[CLIENTS];
/* "-url", "-target" */
extern const char *const client_flags[CLIENTS];
/* Where it finds the server; valid on this thread until the next. */
const char *client_address(const struct stock *stock, int client);

#define START_CLIENT(process, options, stock, client, ...)                     \
	PROCESS_START(process, client_programs[client], options,               \
		      client_flags[client], client_address(stock, client),     \
		      __VA_ARGS__)
#define RUN_CLIENT_WITH(outcome, options, stock, client, ...)                  \
	RUN(outcome, client_programs[client], options, client_flags[client],   \
	    client_address(stock, client), __VA_ARGS__)
#define RUN_CLIENT(outcome, stock, client, ...)                                \
	RUN_CLIENT_WITH(outcome, NULL, stock, client, __VA_ARGS__)
#define RUN_GRPC(outcome, stock, ...)                                          \
	RUN_CLIENT(outcome, stock, GRPC, __VA_ARGS__)

void expect_code(const struct outcome *outcome, int code);
void expect_text(const char *text, const char *part);
/* Neither control characters nor anything else that a file should not have. */
void expect_plain(const char *text);
/* The line "sent ...", and then the latencies. */
void expect_summary(const char *text, const char *counts);
/* The orders that it was told to be accepted, each of which must be in the
 * database; their number. */
int expect_stored(struct process *process, const char *db);

/* Wait until one request, or none, waits in demo 3. */
void await_in_flight(const struct stock *stock, int n);
/* Let the server answer many others meanwhile: time enough for whoever does
 * what they should not, counted in requests. */
void let_others_be_served(const struct stock *stock);

/* A file's text; static, until the next. */
const char *file_read(const char *path);

/* A pipe that nobody reads: its name, for process_options.stdout_path, and its
 * end to read from, which never waits. */
int stuck_pipe(char ret_path[PATH_SIZE], const char *dir);
bool pipe_is_full(int fd);

#endif
