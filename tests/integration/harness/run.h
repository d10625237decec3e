/* Run a program to its end, and see what it printed. */
#ifndef RESCIND_TEST_RUN_H
#define RESCIND_TEST_RUN_H

#include "harness/process.h"

struct outcome {
	int code;	  /* exit code, or 128 + signal */
	char text[65536]; /* stdout and stderr, as they came; cut where longer
			   */
};

/* As process_start(), to the end. */
void run(struct outcome *ret_outcome, const char *program,
	 const struct process_options *options, const char *const *arguments);
#define RUN(outcome, program, options, ...)                                    \
	run(outcome, program, options,                                         \
	    (const char *const[]){ __VA_ARGS__, NULL })

/* The number of lines it printed. */
size_t outcome_lines(const struct outcome *outcome);

/*
 * The path of a tool that the tests use, or NULL; valid on this thread until
 * the next. "grpcurl" is also looked for where tools/test builds it. Stops the
 * test where CI lacks it.
 */
const char *tool_find(const char *name);

/* grpcurl -plaintext, with arguments that end in the address and what follows.
 */
#define GRPCURL(outcome, ...)                                                  \
	RUN(outcome, tool_find("grpcurl"), NULL, "-plaintext", __VA_ARGS__)

#endif
